"""The area under the precision-recall curve as Davis & Goadrich interpolate it."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from sourcebench.evaluation.metrics import METRICS
from sourcebench.seeds import generator


def area(name, labels, margins):
    return METRICS.get(name)(labels, np.stack([np.zeros(len(margins)), margins], 1))


def ranking(name, n=83, positives=31):
    labels = (np.arange(n) < positives).astype(int)
    return labels, generator("test auprc", name).normal(labels, 1.0)


def davis_goadrich_by_hand(labels, margins, steps=2000):
    """Sum precision over finely spaced recalls, false positives in proportion to the true ones."""
    counts = [(0, 0)]
    for threshold in sorted(set(margins), reverse=True):
        called = margins >= threshold
        counts.append((labels[called].sum(), (1 - labels)[called].sum()))
    total = 0.0
    for (true0, false0), (true1, false1) in pairwise(counts):
        share = (np.arange(steps) + 0.5) / steps
        true = true0 + share * (true1 - true0)
        false = false0 + share * (false1 - false0)
        total += (true / (true + false)).mean() * (true1 - true0)
    return total / labels.sum()


@pytest.mark.parametrize("levels", [3, 8, None])  # with many ties, with some, without
@pytest.mark.parametrize("seed", range(3))
def test_auprc_dg_is_the_interpolated_curves_area(seed, levels):
    labels, margins = ranking(("curve", seed))
    if levels:
        margins = np.digitize(margins, np.quantile(margins, np.linspace(0, 1, levels)[1:-1]))
    assert area("auprc_dg", labels, margins) == pytest.approx(
        davis_goadrich_by_hand(labels, margins.astype(float)), abs=1e-5
    )


def test_auprc_dg_of_the_textbook_case():
    """Davis & Goadrich, section 4: 20 positives, 2000 negatives; points (5, 5) and (10, 30)."""
    groups = [(5, 5), (5, 25), (10, 1970)]
    labels = np.concatenate([np.repeat([1, 0], group) for group in groups])
    margins = np.repeat([2.0, 1.0, 0.0], [sum(group) for group in groups])
    # Per true positive of the second group five false ones: precision t / (6t - 20).
    second = 5 / 6 + 20 / 36 * np.log((6 * 10 - 20) / (6 * 5 - 20))
    third = 10 / 198 + 1940 / 198**2 * np.log(2020 / 40)
    assert area("auprc_dg", labels, margins) == pytest.approx((5 * 0.5 + second + third) / 20)


def test_auprc_dg_comes_close_to_average_precision_where_positives_are_many():
    gaps = []
    for n in (100, 1000, 10_000):
        drawn = ranking(("many", n), n, n // 5)
        gaps.append(area("auprc", *drawn) - area("auprc_dg", *drawn))
    assert all(gap > 0 for gap in gaps)
    assert gaps[2] < gaps[1] < gaps[0]
    assert gaps[2] < 1e-3


def test_rethinks_example_is_no_average_precision():
    """Rethink TL, section 2.1: 10 positives among the top 12 of 1000, AUPRC = 0.990.

    Of the 66 rankings with so many hits none has that average precision; with positives in all
    ranks but 10 and 12 the interpolated area has it.
    """
    areas = {"auprc": [], "auprc_dg": []}
    for missed in combinations(range(12), 2):
        labels = np.ones(1000, int)
        labels[[*missed, *range(12, 1000)]] = 0
        margins = -np.arange(1000.0)
        for name, values in areas.items():
            values.append(round(area(name, labels, margins), 3))
    assert 0.990 not in areas["auprc"]
    assert areas["auprc_dg"].count(0.990) == 1
