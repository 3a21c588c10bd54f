"""The paper's permutation tests: RadImageNet's folds are not published, so some that fit."""

from itertools import combinations

import numpy as np
import pytest
import yaml

from conftest import ROOT
from sourcebench.evaluation.comparisons import permutation_test, smallest_p

LIBRARY = ROOT / "workflow" / "scripts" / "sourcebench"
PAPER = LIBRARY / "evaluation" / "published" / "source_matters.yaml"
ROWS = yaml.safe_load(PAPER.read_text())["folds"]
WAYS = np.array([np.isin(range(10), chosen) for chosen in combinations(range(10), 5)])


def shown(row):
    return f"{row['confounder']}-{row['p_art']}"


def fitting(row, draws=20_000):
    """Five folds in [0, 100], of two decimals, that give the published t and p; None if none do.

    Samples of any shape and spread, each moved to where t is the published one; of these the first
    that has p, counted over all 252 ways to part the ten values.
    """
    a, t = np.array(row["percent"]), row["t"]
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(draws, 5))
    shape = (shape - shape.mean(1, keepdims=True)) / shape.std(1, ddof=1, keepdims=True)
    spread = a.std(ddof=1) * np.exp(rng.uniform(-2, 1.5, (draws, 1)))
    mean = a.mean() - t * np.sqrt((a.var(ddof=1) + spread**2) / 5)
    b = (mean + spread * shape).round(2)
    t_found = (a.mean() - b.mean(1)) / np.sqrt((a.var(ddof=1) + b.var(1, ddof=1)) / 5)
    pool = np.hstack([np.broadcast_to(a, b.shape), b])
    apart = np.abs(pool @ np.where(WAYS, 1, -1).T)
    p_found = (apart >= np.abs(a.sum() - b.sum(1))[:, None] - 1e-7).mean(1)
    fits = (t_found.round(3) == t) & (p_found.round(4) == row["p"])
    fits &= (b >= 0).all(1) & (b <= 100).all(1)
    return b[fits][0] if fits.any() else None


def test_all_rows_are_there():
    assert len(ROWS) == 17
    assert all(len(row["percent"]) == 5 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=shown)
def test_a_published_p_is_that_of_an_exact_test_of_five_against_five(row):
    ways = round(row["p"] / smallest_p(5, 5))
    assert round(ways * 2 / 252, 4) == row["p"]


@pytest.mark.parametrize("row", ROWS, ids=shown)
def test_there_are_folds_with_the_published_t_and_p(row):
    other = fitting(row)
    assert other is not None
    t, p = permutation_test(row["percent"], other)
    assert round(t, 3) == row["t"]
    assert round(p, 4) == row["p"]
    if row["p"] == 0.0079:  # nothing is further apart: all of one sample lie above the other
        above, below = (row["percent"], other) if row["t"] > 0 else (other, row["percent"])
        assert min(above) > max(below)
