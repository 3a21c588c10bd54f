"""From ranks to a design: for what p_art each image is in, and when it carries the artifact."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sourcebench.design.labels import confounded
from sourcebench.design.rows import NONE, Design, fold_columns
from sourcebench.design.test_sets import (
    TEST_SETS,
    Shifted,
    drawn,
    sampled,
    test_sets,
    with_several_classes,
)

NEVER = 1.0
"""An image that is in for shares over this is in for none."""

NEAR = 1e-6
"""Shares that differ by no more are the same."""


def of_artifact(ranked: pd.DataFrame, confounder: str, shifts: Sequence[Shifted]) -> Design:
    """Return the design of an artifact that is drawn into images.

    Args:
        ranked: `image_id, patient_id, label, role, rank, share, fold_1 …`; only the confounded
            class has ranks.
        confounder: the layer of images that carry it; 'none' for a design without one.
        shifts: what else is tested.
    """
    images = ranked.assign(layer=confounder, low=np.nan, high=np.nan)
    chosen = ("clean",) if confounder == NONE else TEST_SETS
    tests = test_sets(drawn(images), chosen, shifts, confounded(ranked))
    return Design(_in_order(images), tests)


def of_attribute(ranked: pd.DataFrame, shifts: Sequence[Shifted]) -> Design:
    """Return the design of an attribute: images with it take the place of those without it.

    That is in the confounded class; of the others, images with it are in at no p_art.

    Args:
        ranked: as for `of_artifact`, with `carrier` (0|1).
        shifts: what else is tested.
    """
    ranked = ranked.assign(layer=NONE)
    carries = ranked["carrier"] == 1
    rank = ranked["rank"].mask(carries & (ranked["label"] != confounded(ranked)), NEVER)
    begins, ends = rank.where(carries), rank.where(~carries)
    images = ranked.assign(rank=begins, low=begins, high=ends)
    return Design(_in_order(images), _of_sampled(ranked, TEST_SETS, shifts))


def of_shares(rows: pd.DataFrame, shifts: Sequence[Shifted]) -> Design:
    """Return the design of splits that somebody sampled by an attribute, for some shares.

    There is no i.i.d. test set: the published one is the same for every share.

    Args:
        rows: as for `of_attribute`, with the `p_art` that a row was sampled for; missing for test.
        shifts: what else is tested.
    """
    begins = rows["p_art"] - NEAR
    rows = rows.assign(layer=NONE, low=begins, high=rows["p_art"] + NEAR)
    images = rows.assign(rank=begins.where(rows["carrier"] == 1))
    return Design(_in_order(images), _of_sampled(rows, TEST_SETS[1:], shifts))


def _of_sampled(
    rows: pd.DataFrame, chosen: Sequence[str], shifts: Sequence[Shifted]
) -> pd.DataFrame:
    return with_several_classes(test_sets(sampled(rows), chosen, shifts, confounded(rows)))


def _in_order(images: pd.DataFrame) -> pd.DataFrame:
    known = ["image_id", "patient_id", "label", "role", "rank", "layer", "low", "high", "share"]
    return images[[*known, *fold_columns(images)]]
