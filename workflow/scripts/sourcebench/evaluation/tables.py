"""Tables of a study that do not come from runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Target:
    """A target dataset: a row of Table 1.

    Attributes:
        task: the task's title ("Lung mass (NIH CXR14)").
        confounders: titles of the confounders that use this design.
        design: the design table: `label` (0|1), `role` (dev|test), `fold_1` … (train|val|"").
        image_size: side in pixels.
        batch_size: images.
    """

    task: str
    confounders: Sequence[str]
    design: pd.DataFrame
    image_size: int
    batch_size: int


def table1(targets: Iterable[Target]) -> pd.DataFrame:
    """Return the paper's Table 1: the target datasets used for fine-tuning.

    Returns:
        One row per target, all text: task, confounders, images (test/dev), split in % (train/val,
        the mean over folds), classes in % (pos/neg, of all images), image size in pixels, batch
        size.
    """
    return pd.DataFrame([_row(target) for target in targets])


def _row(target: Target) -> dict[str, str]:
    design = target.design
    roles = design["role"].value_counts()
    folds = design.loc[design["role"] == "dev", [c for c in design if str(c).startswith("fold_")]]
    train = (folds == "train").to_numpy().sum()
    share = train / max(train + (folds == "val").to_numpy().sum(), 1)
    positive = (design["label"] == 1).mean()
    return {
        "Task": target.task,
        "Confounder": ", ".join(target.confounders) or "none",
        "Images (test/dev)": f"{roles.get('test', 0)}/{roles.get('dev', 0)}",
        "Split in % (train/val)": _percent(share),
        "Classes in % (pos/neg)": _percent(positive),
        "Image size": f"{target.image_size} × {target.image_size}",
        "Batch size": str(target.batch_size),
    }


def _percent(share: float) -> str:
    """Return a share and its rest as whole percent that sum to 100."""
    return f"{round(100 * share)}/{100 - round(100 * share)}"
