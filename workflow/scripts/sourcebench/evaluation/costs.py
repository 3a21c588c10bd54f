"""What a shortcut costs: the o.o.d. AUROC that is lost as more of a class carries the artifact."""

from dataclasses import replace

import numpy as np
import pandas as pd

from sourcebench.evaluation.bootstrap import Estimate, estimate
from sourcebench.evaluation.cells import Cells
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.intervals import Limits
from sourcebench.evaluation.metrics import limits

CHANCE = 0.5
DROPS: Limits = (-1.0, 1.0)
"""Between which a drop of the AUROC lies."""


def drops(evidence: Evidence) -> Cells:
    """Return what each replicate loses of the o.o.d. AUROC from p_art = 0 to each p_art above it.

    Returns:
        The cells with p_art > 0 whose like at p_art = 0 there is; their values are the drops.
    """
    chosen = evidence.cells().where(test_set="ood")
    pair = [name for name in chosen.keys if name != "p_art"]
    zero = chosen.keys[chosen.keys["p_art"] == 0]
    base = zero[pair].assign(_base=zero.index)
    rows = chosen.keys.assign(_row=chosen.keys.index).merge(base, on=pair, how="inner")
    rows = rows[rows["p_art"] > 0].sort_values("_row")
    above, before = (chosen.at(rows[name].to_numpy(np.intp)) for name in ("_row", "_base"))
    lost = before.less(above)
    return replace(lost, keys=above.keys)


def shortcut_drop(evidence: Evidence) -> pd.DataFrame:
    """Return how much of the o.o.d. AUROC a confounder costs: the shortcut's price.

    Paired by image, fold and repeat: 0 means that the network did not rely on the confounder, if it
    had learned something that it could lose (`skilled`).

    Returns:
        One row per task, confounder, source, arch, p_art > 0 and further axes: `folds, repeats,
        drop, low, high` (its 95 % confidence interval), `p` (of no drop), `skilled`. Empty if no
        run has p_art = 0.
    """
    lost = drops(evidence)
    found = estimate_of(evidence, lost).cautious(DROPS, lost.still)
    return with_skill(evidence, described(lost, found, "drop", DROPS))


def described(
    cells: Cells, found: Estimate, name: str, within: Limits | None, *, test: bool = True
) -> pd.DataFrame:
    """Return a row per cell: keys, `folds, repeats`, the mean by its name, `low, high`, `p`."""
    low, high = found.interval(within)
    numbers = {"folds": cells.folds, "repeats": cells.repeats, name: found.mean}
    table = cells.keys.assign(**numbers, low=low, high=high)
    return table.assign(p=found.p(within)) if test else table


def estimate_of(evidence: Evidence, cells: Cells) -> Estimate:
    """Return the means of cells, with what is known of their error."""
    return estimate(cells.values, cells.draws, evidence.rarest)


def skills(evidence: Evidence) -> pd.DataFrame:
    """Tell which sources' networks can do the task before there is a shortcut, at p_art = 0.

    "yes": their AUROC is above chance with its whole interval, both on images without the artifact
    and on the o.o.d. test set, from which drops are counted. "no": not on images without the
    artifact, so that it is not known that they learned something they could lose: that their AUROC
    does not fall says nothing of a shortcut. "misled": only not on the o.o.d. test set. The
    artifact confuses them, though nothing taught them that it goes with a class: a drop has no
    height to fall from. "" is where there is no telling.

    Returns:
        One row per cell at p_art = 0: its axes less p_art and test set, and `skilled`.
    """
    there = set(evidence.runs["test_set"])
    plain = next((name for name in ("clean", "iid") if name in there), None)
    sides = [name for name in (plain, "ood") if name in there]
    told = [_above_chance(evidence, str(name)) for name in sides]
    if not told:
        return evidence.cells().keys.head(0).drop(columns=["p_art", "test_set"]).assign(skilled="")
    keys = [name for name in told[0] if name != "above"]
    both = told[0].merge(told[-1], on=keys, how="outer", suffixes=("", "_ood"))
    able, unmoved = both["above"], both.get("above_ood", both["above"])
    skilled = np.select(
        [able.isna() | unmoved.isna(), able == 0, unmoved == 0], ["", "no", "misled"], "yes"
    )
    return both[keys].assign(skilled=skilled)


def _above_chance(evidence: Evidence, test_set: str) -> pd.DataFrame:
    """Return cells at p_art = 0, and whether their AUROC is above chance (1, 0, NaN)."""
    chosen = evidence.cells().where(test_set=test_set, p_art=0.0)
    low, _ = estimate_of(evidence, chosen).interval(limits("auroc"))
    return chosen.keys.assign(above=np.where(np.isnan(low), np.nan, low > CHANCE))


def with_skill(evidence: Evidence, table: pd.DataFrame, source: str = "source") -> pd.DataFrame:
    """Return a table with the column `skilled`, by the `skills` of the sources in a column."""
    known = skills(evidence).rename(columns={"source": source})
    on = [name for name in known if name != "skilled"]
    found = table.merge(known.astype({"skilled": object}), on=on, how="left")
    return found.assign(skilled=found["skilled"].astype(object).fillna("").astype(str))
