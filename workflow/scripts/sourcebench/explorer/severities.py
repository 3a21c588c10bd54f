"""The same image at each severity of a corruption, with what the network says of it."""

from collections.abc import Sequence

import pandas as pd

from sourcebench.explorer.embedding import POINT

IMAGES = 3
"""So many images of each family."""

SAME = "clean"
"""The test set of the images into which shifts are drawn."""

COLUMNS = [
    "family", "image", "severity", "test_set", *POINT, "label", "score", "called", "confidence",
    "kept", "outcome",
]  # fmt: skip


def strips(rows: pd.DataFrame, scores: Sequence[str], images: int = IMAGES) -> pd.DataFrame:
    """Return the images of each family that fail most silently, at each of its severities.

    An image is wanted the more, the more confident the first score is of a wrong answer at the
    highest severity, among those that were called rightly without the corruption; then come the
    other images, those first whose confidence changes most. The classes take turns, so that not all
    are of the one class that a corruption makes every image look like.

    Args:
        rows: as `answers.with_scores` returns them; corruptions are those with a severity over 0.
        scores: names, the first decides which images.
        images: of each family.

    Returns:
        A row per image, severity and score: `family`, `image` (from 1 on), `severity` (0: without),
        `test_set, image_id, layer, label, score, called, confidence, kept, outcome`.
    """
    graded = rows[rows["severity"] > 0]
    found = []
    for family, part in graded.groupby("family", sort=False):
        confounder = part["confounder"].iloc[0]
        part = part[part["confounder"] == confounder]
        start = rows[(rows["test_set"] == SAME) & (rows["confounder"] == confounder)]
        both = pd.concat([start, part])
        if start.empty or not scores:
            continue
        for place, image in enumerate(_wanted(start, part, scores[0])[:images], 1):
            levels = both[both["image_id"] == image].sort_values("severity")
            for score in scores:
                found.append(_said(levels, score).assign(family=family, image=place))
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(found, ignore_index=True)[COLUMNS]


def _said(levels: pd.DataFrame, score: str) -> pd.DataFrame:
    return levels.assign(
        score=score,
        called=levels[f"{score}_called"],
        confidence=levels[score],
        kept=levels[f"{score}_kept"],
        outcome=levels[f"{score}_outcome"],
    )


def _wanted(start: pd.DataFrame, part: pd.DataFrame, score: str) -> list[str]:
    """Return the names of images, the most wanted first, see `strips`."""
    last = part[part["severity"] == part["severity"].max()].set_index("image_id")
    first = start.set_index("image_id").reindex(last.index)
    right = first[f"{score}_called"] == first["label"]
    turned = right & (last[f"{score}_called"] != last["label"])
    change = (last[score] - first[score]).abs()
    table = pd.DataFrame({
        "label": last["label"], "later": ~turned, "by": -last[score].where(turned, change),
    }).rename_axis("image_id").reset_index()  # fmt: skip
    table = table.sort_values(["later", "by", "image_id"])
    table["turn"] = table.groupby(["later", "label"]).cumcount()
    return table.sort_values(["later", "turn", "by", "image_id"])["image_id"].to_list()
