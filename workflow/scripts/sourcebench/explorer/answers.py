"""What a run's network answered for each test image, and how sure each score is of it."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench import design
from sourcebench.evaluation.confidence import SCORES, Tested
from sourcebench.evaluation.metrics import columns_of_logits
from sourcebench.explorer.embedding import POINT

Floats = npt.NDArray[np.float64]
Threshold = Callable[[Floats, float], float]
"""(confidences of the validation images, share to be kept) → the least confidence that is kept."""

PLAIN = "cross_entropy"
OUTCOMES = ("passed", "false alarm", "detected", "silent")
"""What becomes of an answer: right and kept, right and rejected, wrong and rejected, wrong and kept
(Bungert et al. 2023, Fig. 1: true negative, false positive, true positive, false negative)."""

WHERE = ["confounder", "test_set"]


def possible(names: Sequence[str], method: str) -> list[str]:
    """Return the scores that are made of one network of a kind of method."""
    wanted = (method, None) if method == PLAIN else (method,)
    scores = {name: SCORES.get(name) for name in names}
    alone = [name for name, score in scores.items() if not getattr(score, "of_cell", False)]
    return [name for name in alone if scores[name].method in wanted]


def threshold(confidences: Floats, coverage: float) -> float:
    """Return the largest value that keeps at least a share of the images: all from it upwards.

    Args:
        confidences: N, of the images that the run's fold validated on.
        coverage: the share, in [0, 1].

    Returns:
        One of the confidences; −∞ where there are none, infinity at a coverage of 0.
    """
    kept = ceil(round(coverage * len(confidences), 9))
    if not len(confidences):
        return -np.inf
    return float(np.sort(confidences)[-kept]) if kept else np.inf


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
    """
    tests = pd.concat(
        [
            design.at(each.tests, p_art)[["test_set", "image_id", "layer", "family", "severity"]]
            .assign(confounder=confounder)
            for confounder, each in designs.items()
        ]
    )  # fmt: skip
    rows = predictions.merge(tests, on=[*WHERE, "image_id"], validate="one_to_one")
    logits = rows[columns_of_logits(rows.columns)].to_numpy()
    rows = rows.assign(
        shift=rows["test_set"].map(kinds).fillna("confounder"), called=logits.argmax(1)
    )
    rows = _once(rows)
    several = rows.groupby("test_set")["confounder"].transform("nunique") > 1
    both = rows["test_set"] + " (" + rows["confounder"] + ")"
    return rows.assign(set=rows["test_set"].mask(several, both))


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
    threshold: Threshold = threshold,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Add what scores say of the answers.

    Args:
        rows: see `answers`.
        validation: the run's predictions on the images that its fold validated on.
        scores: names in `SCORES`.
        coverage: share of the validation images that the threshold of each keeps.
        threshold: how it is chosen.

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
