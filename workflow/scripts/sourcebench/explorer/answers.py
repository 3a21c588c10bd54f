"""What a run's network answered for each test image, and how sure each score is of it."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench import design
from sourcebench.errors import SourceBenchError, number
from sourcebench.evaluation.asked import Network
from sourcebench.evaluation.confidence import SCORES, Tested
from sourcebench.evaluation.failures.threshold import threshold
from sourcebench.evaluation.metrics import columns_of_logits
from sourcebench.explorer.embedding import POINT

OUTCOMES = ("passed", "false alarm", "detected", "silent")
"""What becomes of an answer: right and kept, right and rejected, wrong and rejected, wrong and kept
(Bungert et al. 2023, Fig. 1: true negative, false positive, true positive, false negative)."""

WHERE = ["confounder", "test_set"]


def possible(names: Sequence[str], network: Network) -> list[str]:
    """Return the scores that are made of one network, and of how it was trained."""
    scores = {name: SCORES.get(name) for name in names}
    return [
        name
        for name, score in scores.items()
        if not score.of_cell
        and (network.plain if score.method is None else score.method == network.method)
    ]


def answers(
    predictions: pd.DataFrame,
    designs: Mapping[str, design.Design],
    p_art: float,
    kinds: Mapping[str, str],
) -> pd.DataFrame:
    """Return a row for each test set and image, with what is known of both beside the prediction.

    A test set that has the same images, read from the same layers, under several confounders is
    there once.

    Args:
        predictions: of the run, see `training.predictions`.
        designs: the design of every confounder that it was tested on.
        p_art: the run's.
        kinds: test set → kind of shift; those that are not in it are of the confounder.

    Returns:
        The predictions, with `layer`, `family`, `severity`, `shift`, `called` (the class of the
        largest logit) and `set`, what to call the test set: its name, and its confounder where
        there are several of the name.

    Raises:
        SourceBenchError: there are predictions of other images than the designs test, or of fewer.
    """
    tests = pd.concat(
        [
            design.at(each.tests, p_art)[["test_set", "image_id", "layer", "family", "severity"]]
            .assign(confounder=confounder)
            for confounder, each in designs.items()
        ]
    )  # fmt: skip
    rows = _placed(predictions, tests)
    logits = rows[columns_of_logits(rows.columns)].to_numpy()
    rows = rows.assign(
        shift=rows["test_set"].map(kinds).fillna("confounder"), called=logits.argmax(1)
    )
    rows = _once(rows)
    several = rows.groupby("test_set")["confounder"].transform("nunique") > 1
    both = rows["test_set"] + " (" + rows["confounder"] + ")"
    return rows.assign(set=rows["test_set"].mask(several, both))


def _placed(predictions: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Add to each prediction what its design says of it; each has one row in both."""
    keys = [*WHERE, "image_id"]
    for named, other, noun, lack in (
        (predictions, tests, "prediction", "that no design has"),
        (tests, predictions, "test image", "without a prediction"),
    ):
        odd = named.loc[~named.set_index(keys).index.isin(other.set_index(keys).index), keys]
        if len(odd):
            confounder, test_set, image = odd.iloc[0]
            raise SourceBenchError(
                f"The run has {number(len(odd), noun)} {lack}, such as {image} in the test set "
                f"'{test_set}' of '{confounder}'; delete its folder and run the workflow again."
            )
    return predictions.merge(tests, on=keys, validate="one_to_one")


def _once(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out test sets that another confounder has with the same points."""
    kept, known = [], set()
    for (_, test_set), part in rows.groupby(WHERE, sort=False):
        points = test_set, frozenset(part[POINT].itertuples(index=False, name=None))
        if points not in known:
            kept.append(part)
            known.add(points)
    return pd.concat(kept, ignore_index=True)


def with_scores(
    rows: pd.DataFrame,
    validation: pd.DataFrame,
    scores: Sequence[str],
    coverage: float,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Add what scores say of the answers.

    Args:
        rows: see `answers`.
        validation: the run's predictions on the images that its fold validated on.
        scores: names in `SCORES`.
        coverage: share of the validation images that the threshold of each keeps.

    Returns:
        The rows, with `<score>` (the confidence), `<score>_called` (the class that it is confident
        of), `<score>_kept` (bool) and `<score>_outcome` (one of `OUTCOMES`) for each; and the
        thresholds.
    """
    of_fold = Tested(validation)
    tested = Tested(rows, of_fold)
    found: dict[str, npt.NDArray[np.generic]] = {}
    thresholds = {}
    for name in scores:
        score = SCORES.get(name)
        fitted = Tested(validation, of_fold)
        thresholds[name] = threshold(score.of(fitted).confidences, coverage)
        said = score.of(tested)
        kept = said.confidences >= thresholds[name]
        found |= {
            name: said.confidences,
            f"{name}_called": said.called,
            f"{name}_kept": kept,
            f"{name}_outcome": outcomes(said.called != tested.labels, kept),
        }
    return rows.assign(**found), thresholds


def outcomes(failed: npt.NDArray[np.bool_], kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    """Return what becomes of answers (N), one of `OUTCOMES` each."""
    named = {(False, True): 0, (False, False): 1, (True, False): 2, (True, True): 3}
    places = [named[pair] for pair in zip(failed.tolist(), kept.tolist(), strict=True)]
    return np.array(OUTCOMES)[places]
