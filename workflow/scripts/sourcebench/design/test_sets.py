"""Which images each test set has: rows, whatever the test set."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sourcebench.datasets.held_out import COLUMN as HELD_OUT
from sourcebench.design.rows import NONE

TEST_SETS = ("iid", "ood", "clean", "artifact")
"""Those that a confounder makes; without one there is only 'clean'."""

COLUMNS = [
    "test_set", "family", "severity", "image_id", "patient_id", "label", "layer", "artifact",
    "low", "high",
]  # fmt: skip


class Shifted(NamedTuple):
    """A shift at one of its levels: a test set, and the layer that it is read from.

    Attributes:
        test_set: its name.
        family: the shift's.
        severity: its level, from 1 on.
    """

    test_set: str
    family: str
    severity: int


def test_sets(
    versions: pd.DataFrame, chosen: Collection[str], shifts: Sequence[Shifted], confounded: int
) -> pd.DataFrame:
    """Return the table of test sets.

    Args:
        versions: see `drawn` and `sampled`.
        chosen: those of `TEST_SETS` that there are.
        shifts: what is drawn into the images of the test set 'clean'.
        confounded: the class that carries the artifact in training.

    Returns:
        The table `tests` of a design, the rows of each test set in the order of the versions.
    """
    carries, in_class = versions["artifact"] == 1, versions["label"] == confounded
    rank = versions["rank"]
    rows = {
        "iid": versions.assign(low=rank.where(carries), high=rank.where(~carries))[
            in_class | ~carries
        ],
        "ood": versions[carries != in_class],
        "clean": versions[~carries],
        "artifact": versions[carries],
    }
    parts = [rows[name].assign(test_set=name, family=name, severity=0) for name in chosen]
    parts += [rows["clean"].assign(**each._asdict(), layer=each.test_set) for each in shifts]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def drawn(images: pd.DataFrame) -> pd.DataFrame:
    """Return both versions of every image for testing, for an artifact can be drawn into any.

    Args:
        images: all of a design, those of the confounded class with their rank, and `layer`.

    Returns:
        `image_id, patient_id, label, rank, low, high, layer, artifact (0|1)`; there is no limit
        to what p_art they are there for.
    """
    without = _versions(images).assign(layer=NONE, artifact=0)
    carrying = _versions(images).assign(artifact=1)
    return pd.concat([without, carrying]).sort_index(kind="stable")


def sampled(images: pd.DataFrame) -> pd.DataFrame:
    """Return every image for testing in the one version that there is: with an attribute, or not.

    Args:
        images: as for `drawn`, with `carrier` (0|1).

    Returns:
        As `drawn`.
    """
    return _versions(images).assign(artifact=images["carrier"])


def with_several_classes(tests: pd.DataFrame) -> pd.DataFrame:
    """Leave out test sets whose images are all of one class."""
    classes = tests.groupby("test_set")["label"].transform("nunique")
    return tests[classes > 1].reset_index(drop=True)


def _versions(images: pd.DataFrame) -> pd.DataFrame:
    rows = images.loc[images["role"] == "test"]
    columns = ["image_id", "patient_id", "label", "rank", "layer"]
    return rows[columns].assign(low=np.nan, high=np.nan)


def with_targets(
    tests: pd.DataFrame, held_out: pd.DataFrame, carrier: tuple[str, str] | None = None
) -> pd.DataFrame:
    """Add the test sets of images that are held out of training, with nothing drawn into them.

    Args:
        tests: the table of test sets.
        held_out: the manifest's rows of these images, see `datasets.held_out`.
        carrier: (column, value) of the attribute, where the sampling is the confounder.
    """
    if held_out.empty:
        return tests
    carries = held_out[carrier[0]] == carrier[1] if carrier else False
    held_out = held_out.assign(artifact=carries).astype({"artifact": int})
    rows = held_out.assign(test_set=held_out[HELD_OUT].str.split("|")).explode("test_set")
    rows = rows.sort_values(["test_set", "image_id"]).assign(
        family=lambda rows: rows["test_set"], severity=0, layer=NONE, low=np.nan, high=np.nan
    )
    return pd.concat([tests, rows[COLUMNS]], ignore_index=True)
