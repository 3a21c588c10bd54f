"""Tables of a study that do not come from runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from sourcebench import design
from sourcebench.design import Design

MANY = 10
"""Of more classes the least and the most share is told, not each."""


@dataclass(frozen=True)
class Target:
    """A target dataset: a row of Table 1.

    Attributes:
        task: the task's title ("Lung mass (NIH CXR14)").
        confounders: titles of the confounders that use this design.
        design: the design, see `design.build`.
        p_art: the study's; where the sampling is the confounder, it decides who is in a set.
        image_size: side in pixels.
        batch_size: images.
    """

    task: str
    confounders: Sequence[str]
    design: Design
    p_art: Sequence[float]
    image_size: int
    batch_size: int


def table1(targets: Iterable[Target]) -> pd.DataFrame:
    """Return the paper's Table 1: the target datasets used for fine-tuning.

    What counts is what a run sees: its development set and its i.i.d. test set (the one of splits
    that somebody published without an i.i.d. one). Where the sampling is the confounder, each p_art
    draws both from a larger pool, which stands beside them.

    Returns:
        One row per target, all text: task, confounders, images (test/dev), split in % (train/val,
        the mean over folds), classes in % (pos/neg, of these images; of more than two classes the
        share of each, in the order of their labels, or of many the least and the most), image size
        in pixels, batch size, and images and classes of the pool. Where the values of p_art give
        different numbers, the least and the most, such as "398–400/400".
    """
    return pd.DataFrame([_row(target) for target in targets])


def _row(target: Target) -> dict[str, str]:
    seen = [_seen(target.design, p_art) for p_art in target.p_art]
    tests, devs, trains, labels = (list(each) for each in zip(*seen, strict=True))
    pool = target.design.images.drop_duplicates("image_id")
    roles = pool["role"].value_counts()
    return {
        "Task": target.task,
        "Confounder": ", ".join(target.confounders) or "none",
        "Images (test/dev)": f"{_span(tests)}/{_span(devs)}",
        "Split in % (train/val)": _percent(trains),
        "Classes in % (pos/neg)": _classes(labels),
        "Image size": f"{target.image_size} × {target.image_size}",
        "Batch size": str(target.batch_size),
        "Pool (test/dev)": f"{roles.get('test', 0)}/{roles.get('dev', 0)}",
        "Classes of the pool in % (pos/neg)": _classes([pool["label"]]),
    }


def _seen(made: Design, p_art: float) -> tuple[int, int, float, pd.Series]:
    """Return images for testing and development, the share for training, and all their labels."""
    parts = [
        design.development(made.images, p_art, fold)
        for fold in range(1, len(design.fold_columns(made.images)) + 1)
    ]
    development = pd.concat(parts).drop_duplicates("image_id")
    tests = design.test(made.tests, p_art)
    test = tests[tests["test_set"] == next(iter(tests["test_set"]), None)]
    train = sum((part["part"] == "train").mean() for part in parts) / len(parts)
    return len(test), len(development), float(train), pd.concat([test, development])["label"]


def _classes(labels: Sequence[pd.Series]) -> str:
    """Return the classes' shares: of two the positives' first, of more in order."""
    count = max(int(each.max()) for each in labels) + 1
    if count <= 2:
        return _percent([(each == 1).mean() for each in labels])
    shares = [[100 * (each == label).mean() for each in labels] for label in range(count)]
    if count > MANY:
        return f"{count} classes of {_span([round(each, 2) for every in shares for each in every])}"
    return "/".join(_span([round(each) for each in every]) for every in shares)


def _span(values: Sequence[float]) -> str:
    """Return the least and the most, or the one value there is."""
    low, high = f"{min(values):g}", f"{max(values):g}"
    return low if low == high else f"{low}–{high}"


def _percent(shares: Sequence[float]) -> str:
    """Return shares and their rests as whole percent; those of one share sum to 100."""
    percent = [round(100 * share) for share in shares]
    return f"{_span(percent)}/{_span([100 - each for each in percent])}"
