"""The failures that a network is most confident of."""

from collections.abc import Sequence

import pandas as pd

from sourcebench.explorer.answers import WHERE
from sourcebench.explorer.embedding import POINT

MOST = 9
COLUMNS = [
    *WHERE, "set", "score", "rank", *POINT, "label", "called", "confidence", "kept",
]  # fmt: skip


def most_confident(rows: pd.DataFrame, scores: Sequence[str], most: int = MOST) -> pd.DataFrame:
    """Return the failures that each score is most confident of, in each test set.

    Args:
        rows: as `answers.with_scores` returns them.
        scores: names, in their order.
        most: of one score and test set; an image counts once.

    Returns:
        `confounder, test_set, set, score, rank` (from 1 on), `image_id, layer, label`, `called`
        (the class that the score is confident of), `confidence` and `kept`, by test set and score.
        Of equal confidences the image that comes first by its name ranks first.
    """
    found = []
    for _, part in rows.groupby(WHERE, sort=False):
        for score in scores:
            said = part.assign(
                score=score,
                called=part[f"{score}_called"],
                confidence=part[score],
                kept=part[f"{score}_kept"],
            )
            wrong = said[said["called"] != said["label"]]
            wrong = wrong.sort_values(["confidence", "image_id"], ascending=[False, True])
            wrong = wrong.drop_duplicates("image_id").head(most)
            found.append(wrong.assign(rank=range(1, len(wrong) + 1)))
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(found, ignore_index=True)[COLUMNS]
