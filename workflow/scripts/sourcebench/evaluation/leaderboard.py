"""Sources ranked: a few scores of each, with intervals, and how sure the ranks are."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.stats import rankdata

from sourcebench.evaluation.bootstrap import Estimate, estimate, joint, mean_of, replicate_weights
from sourcebench.evaluation.cells import Cells
from sourcebench.evaluation.costs import CHANCE, DROPS, drops, skills
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.intervals import Limits
from sourcebench.evaluation.resampling import Floats
from sourcebench.seeds import generator

LEVEL = 0.95
GROUPS = {"recall": ("clean", "artifact"), "specificity": ("clean", "artifact")}
RANKS = ("rank", "rank_low", "rank_high")
SIDES = ("iid", "ood", "clean", "artifact")


@dataclass(frozen=True)
class Scored:
    """A score of every source, and draws of it.

    Attributes:
        value: S.
        low, high: S, of its 95 % confidence interval.
        draws: S×B, the same draws for all sources.
        better: +1 where more is better, −1 where less is.
    """

    value: Floats
    low: Floats
    high: Floats
    draws: Floats
    better: int


def leaderboard(evidence: Evidence) -> pd.DataFrame:
    """Return the scores and ranks of sources.

    Returns:
        One row per task, confounder, source, arch, further axes and score: `p_art` (the highest,
        of which the score is, or up to which), `score`, `value, low, high`, `rank` among the
        sources of that task, confounder, arch and further axes (1 is best; sources without skill
        have none, nor has one alone), `rank_low, rank_high` (95 % of the draws), `skilled`. Empty
        where no run has p_art = 0 and another above.
    """
    lost = drops(evidence)
    if lost.keys.empty:
        keys = [name for name in skills(evidence) if name != "skilled"]
        return pd.DataFrame(
            columns=[*keys, "p_art", "score", "value", "low", "high", *RANKS, "skilled"]
        )
    top = lost.keys["p_art"].max()
    known = skills(evidence)
    among = [str(name) for name in known if name not in ("source", "skilled")]
    parts = []
    for key, rows in known.groupby(among, sort=False):
        where: dict[str, Any] = dict(zip(among, key, strict=True))
        skilled = rows["skilled"].to_numpy(str)
        for name, scored in _scores(evidence, where, list(rows["source"]), top).items():
            # Who is misled from the start falls from no height: small losses are no merit there.
            unranked = ["no", "misled"] if name in ("drop", "gap") else ["no"]
            ranks = _ranks(scored, ~np.isin(skilled, unranked))
            numbers = {"value": scored.value, "low": scored.low, "high": scored.high, **ranks}
            row = rows.drop(columns="skilled").assign(p_art=top, score=name, **numbers)
            parts.append(row.assign(skilled=skilled))
    return pd.concat(parts, ignore_index=True)


def _scores(
    evidence: Evidence, where: dict[str, Any], sources: list[str], top: float
) -> dict[str, Scored]:
    """Return all scores of the sources of one architecture, in their order."""
    sets = {each: evidence.cells().where(**where, test_set=each) for each in SIDES}
    ood = sets["ood"]
    shares = np.sort(ood.keys["p_art"].unique())

    def at(cells: Cells, share: float) -> Cells:
        places = cells.keys[cells.keys["p_art"] == share].reset_index().set_index("source")["index"]
        return _at_or_none(cells, places.reindex(sources).to_numpy(np.float64))

    curve = [at(ood, share) for share in shares]
    end = {
        name: at(cells, top) for name, cells in sets.items() if (cells.keys["p_art"] == top).any()
    }
    found = {"area": _linear(evidence, _area(curve, shares), +1, (0.0, 1.0))}
    found["crossing"] = _crossing(evidence, curve, shares)
    found["drop"] = _linear(evidence, curve[0].less(curve[-1]), -1, DROPS)
    if "iid" in end:
        found["gap"] = _linear(evidence, end["iid"].less(end["ood"]), -1, DROPS)
    found["worst_auroc"] = _linear(evidence, _least(list(end.values())), +1, (0.0, 1.0))
    groups = [
        at(evidence.cells(metric).where(**where, test_set=side), top)
        for metric, sides in GROUPS.items()
        for side in sides
        if side in end
    ]
    if groups:
        found["worst_accuracy"] = _linear(evidence, _least(groups), +1, (0.0, 1.0))
    for metric in ("recall", "specificity", "sensitivity"):
        there = at(evidence.cells(metric).where(**where, test_set="ood"), top)
        found[metric] = _linear(evidence, there, +1, (0.0, 1.0))
    return found


def _at_or_none(cells: Cells, places: Floats) -> Cells:
    """Return cells by their places; where a place is NaN, one without values."""
    nowhere = np.isnan(places)
    found = cells.at(np.where(nowhere, 0, places).astype(np.intp))
    values, draws = found.values.copy(), found.draws.copy()
    values[nowhere], draws[nowhere] = np.nan, np.nan
    return replace(found, values=values, draws=draws)


def _linear(evidence: Evidence, cells: Cells, better: int, within: Limits | None) -> Scored:
    """Return a score that is a mean over replicates."""
    found = estimate(cells.values, cells.draws, evidence.rarest)
    if within == DROPS:
        found = found.cautious(DROPS, cells.still)
    low, high = found.interval(within, LEVEL)
    return Scored(found.mean, low, high, _joint(evidence, cells, found), better)


def _area(curve: list[Cells], shares: npt.NDArray[np.float64]) -> Cells:
    """Return the mean height of the curve over p_art: its area by trapezoids, over their width."""
    steps = np.diff(shares)
    weights = np.zeros(len(shares))
    weights[:-1] += steps / 2
    weights[1:] += steps / 2
    return _combined(curve, weights / steps.sum())


def _combined(each: list[Cells], weights: npt.NDArray[np.float64]) -> Cells:
    values = np.tensordot(weights, [cells.values for cells in each], 1)
    draws = np.tensordot(weights.astype(np.float32), [cells.draws for cells in each], 1)
    return replace(each[0], values=values, draws=draws)


def _least(each: list[Cells]) -> Cells:
    """Return of several cells of a source the one whose mean is the least, source by source.

    The least of each replicate or draw would be lower than any of them: that of several that differ
    by chance alone.
    """
    means = np.stack([mean_of(cells.values, -1) for cells in each])
    worst = np.where(np.isnan(means), np.inf, means).argmin(0)
    rows = np.arange(len(worst))
    values, draws = (
        np.stack([getattr(cells, name) for cells in each])[worst, rows]
        for name in ("values", "draws")
    )
    gone = np.isnan(means).any(0)
    values[gone], draws[gone] = np.nan, np.nan
    return replace(each[0], values=values, draws=draws)


def _crossing(evidence: Evidence, curve: list[Cells], shares: npt.NDArray[np.float64]) -> Scored:
    """Return the p_art at which the mean curve falls to chance; infinite where it does not."""
    found = [estimate(cells.values, cells.draws, evidence.rarest) for cells in curve]
    means = np.stack([each.mean for each in found], axis=-1)
    drawn = [_joint(evidence, cells, each) for cells, each in zip(curve, found, strict=True)]
    value, draws = crossing(means, shares), crossing(np.stack(drawn, axis=-1), shares)
    low, high = np.full(len(value), np.nan), np.full(len(value), np.nan)
    there = ~np.isnan(value)
    low[there], high[there] = _middle(draws[there])
    return Scored(value, low, high, draws, +1)


def crossing(curve: Floats, shares: npt.NDArray[np.float64], height: float = CHANCE) -> Floats:
    """Return where curves fall to a height for the first time.

    Args:
        curve: …×P.
        shares: P, rising.
        height: of the line that is crossed.

    Returns:
        …: the first share where the curve is at or under the height, interpolated from the one
        before; infinite where it never is, NaN where a height is.
    """
    there = ~np.isnan(curve).any(-1)
    under = curve <= height
    after = under.argmax(-1)
    before = np.maximum(after - 1, 0)
    high, low = (np.take_along_axis(curve, i[..., None], -1)[..., 0] for i in (before, after))
    part = np.divide(high - height, high - low, out=np.zeros_like(high), where=high > low)
    place = shares[before] + part * (shares[after] - shares[before])
    first = np.where(after == 0, shares[0], place)
    return np.where(there, np.where(under.any(-1), first, np.inf), np.nan)


def _joint(evidence: Evidence, cells: Cells, found: Estimate) -> Floats:
    rng = generator("replicates", evidence.task)
    weights = replicate_weights(cells.values.shape[1], cells.draws.shape[2], rng)
    drawn = joint(cells.values, cells.draws, found.shrink, weights)
    # As far apart as Student's quantiles are, which an interval of the same mean has.
    wide = stats.t.ppf((1 + LEVEL) / 2, found.freedom) / stats.norm.ppf((1 + LEVEL) / 2)
    centre = found.mean[:, None]
    widened: Floats = centre + (drawn - centre) * wide[:, None]
    return widened


def _ranks(scored: Scored, ranked: npt.NDArray[np.bool_]) -> dict[str, Floats]:
    """Return the ranks of the sources that have one, and between which they lie in the draws.

    None is ranked alone: to be the first of one says nothing.
    """
    ranks = {name: np.full(len(ranked), np.nan) for name in RANKS}
    ranked = ranked & ~np.isnan(scored.value)
    if ranked.sum() > 1:
        drawn = rankdata(
            -scored.better * scored.draws[ranked], axis=0, method="min", nan_policy="propagate"
        )
        ranks["rank"][ranked] = rankdata(-scored.better * scored.value[ranked], method="min")
        ranks["rank_low"][ranked], ranks["rank_high"][ranked] = _middle(drawn)
    return ranks


def _middle(draws: Floats) -> tuple[Floats, Floats]:
    """Return between which 95 % of each row's draws are, of the draws that all rows have."""
    there = draws[:, ~np.isnan(draws).any(0)]
    if not there.shape[1]:
        nothing = np.full(len(draws), np.nan)
        return nothing, nothing
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(there, tails, axis=1, method="inverted_cdf")
    return low, high
