"""DeLong's variance against its definition, a published example, the bootstrap and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.delong import (
    auroc_interval,
    influence,
    placements,
    standard_error,
)

SCORED = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=4, max_size=40)


def pairs(labels, scores):
    """Which positive (a row) lies above which negative (a column); a tie is one half."""
    above, below = scores[labels == 1][:, None], scores[labels == 0]
    return (above > below) + 0.5 * (above == below)


def weighted(labels, scores, weights):
    """The AUROC where the images count as often as they weigh (… × N)."""
    positive, negative = weights[..., labels == 1], weights[..., labels == 0]
    won = np.einsum("...i,ij,...j", positive, pairs(labels, scores), negative)
    return won / (positive.sum(-1) * negative.sum(-1))


def binormal(rng, auroc, positives=40, negatives=60, networks=1, mixed=True, together=0.6):
    """Labels, scores (networks × N) and patients of 1 to 3 images, whose scores go together."""
    count = positives + negatives
    labels = np.repeat([1, 0], [positives, negatives])
    if mixed:
        rng.shuffle(labels)
    patients = np.repeat(np.arange(count), rng.integers(1, 4, count))[:count]
    shared, own = rng.normal(size=(2, networks, count))
    scores = np.sqrt(2) * stats.norm.ppf(auroc) * labels
    scores = scores + np.sqrt(together) * shared[:, patients] + np.sqrt(1 - together) * own
    return labels, scores, patients


@given(SCORED)
def test_placements_are_means_over_all_pairs(images):
    labels, scores = np.array(images).T
    v10, v01 = placements(labels, scores)
    if 0 < labels.sum() < len(labels):
        table = pairs(labels, scores)
        np.testing.assert_allclose(v10, table.mean(1), atol=1e-12)
        np.testing.assert_allclose(v01, table.mean(0), atol=1e-12)
        expected = roc_auc_score(labels, scores)
        assert (v10.mean(), v01.mean()) == pytest.approx((expected, expected))
    else:
        assert len(v10) + len(v01) == len(labels)
        assert np.isnan(np.concatenate([v10, v01])).all()


def test_a_published_example():
    # 109 CT images with ratings of 1 to 5: Hanley & McNeil (Radiology 1982, table I; area 0.893);
    # error and interval by DeLong's variance as in Stata's manual under `roctab`.
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    labels = np.repeat([0, 1], [58, 51])
    ratings = np.concatenate([np.repeat(range(1, 6), each) for each in (normal, abnormal)])
    v10, v01 = placements(labels, ratings)
    error = np.sqrt(v10.var(ddof=1) / 51 + v01.var(ddof=1) / 58)
    half = stats.norm.ppf(0.975) * error
    assert (v10.mean(), error) == pytest.approx((0.8932, 0.0307), abs=5e-5)
    assert (v10.mean() - half, v10.mean() + half) == pytest.approx((0.83295, 0.95339), abs=5e-6)
    auroc, phi = influence(labels, ratings, range(109))
    assert (auroc, standard_error(phi)) == pytest.approx((0.8932, 0.0307), abs=4e-4)


def test_with_one_image_each_it_is_delongs_variance_but_for_its_factors():
    labels, (scores,), _ = binormal(np.random.default_rng(0), 0.8, 12, 30)
    _, phi = influence(labels, scores, np.arange(42))
    v10, v01 = placements(labels, scores)
    of_positives, of_negatives = v10.var() / 12, v01.var() / 30
    assert standard_error(phi) ** 2 == pytest.approx(42 / 41 * (of_positives + of_negatives))
    delong = 12 / 11 * of_positives + 30 / 29 * of_negatives
    assert v10.var(ddof=1) / 12 + v01.var(ddof=1) / 30 == pytest.approx(delong)
    assert 1 - 1 / 12 < standard_error(phi) ** 2 / delong < 1


def test_with_several_images_it_is_obuchowskis_variance_but_for_its_factors():
    labels, (scores,), patients = binormal(np.random.default_rng(1), 0.8)
    table = pairs(labels, scores)
    theta, count = table.mean(), len(np.unique(patients))
    s10 = s01 = s11 = 0
    for patient in np.unique(patients):
        x = table[patients[labels == 1] == patient].mean(1) - theta
        y = table[:, patients[labels == 0] == patient].mean(0) - theta
        s10, s01, s11 = s10 + x.sum() ** 2, s01 + y.sum() ** 2, s11 + x.sum() * y.sum()
    parts = np.array([s10 / 40**2, s01 / 60**2, 2 * s11 / (40 * 60)])
    error = standard_error(influence(labels, scores, patients).phi)
    assert error**2 == pytest.approx(count / (count - 1) * parts.sum())
    classes = [len(np.unique(patients[labels == label])) for label in (1, 0)]
    factors = np.array([each / (each - 1) for each in (*classes, count)])
    assert error**2 == pytest.approx((factors * parts).sum(), rel=0.05)


def test_influence_is_the_derivative_by_a_patients_weight():
    labels, (scores,), patients = binormal(np.random.default_rng(2), 0.7)
    names = np.array([f"patient {each:03}" for each in patients])
    auroc, phi = influence(labels, scores.round(1), names)
    step = 1e-6
    more = 1 + step * (np.unique(patients)[:, None] == patients)
    derivative = (weighted(labels, scores.round(1), more) - auroc) / step
    np.testing.assert_allclose(phi, derivative, atol=1e-6)
    assert phi.sum() == pytest.approx(0, abs=1e-12)
    order = np.random.default_rng(3).permutation(len(labels))
    again = influence(labels[order], scores.round(1)[order], names[order])
    np.testing.assert_allclose(again.phi, phi, atol=1e-12)


def test_it_is_as_wide_as_the_bootstrap_over_patients():
    rng = np.random.default_rng(4)
    labels, (a, b), patients = binormal(rng, 0.8, networks=2, mixed=False)
    count = len(np.unique(patients))
    weights = rng.multinomial(count, np.full(count, 1 / count), 2_000)[:, patients]
    drawn = [weighted(labels, scores, weights) for scores in (a, b)]
    error = standard_error(influence(labels, a, patients).phi)
    assert error == pytest.approx(drawn[0].std(), rel=0.06)
    paired = influence(labels, a, patients).phi - influence(labels, b, patients).phi
    assert standard_error(paired) == pytest.approx((drawn[0] - drawn[1]).std(), rel=0.06)


@pytest.mark.parametrize(("auroc", "mixed"), [(0.7, True), (0.85, True), (0.7, False)])
def test_intervals_hold_the_auroc_as_often_as_they_say(auroc, mixed):
    rng = np.random.default_rng(5)
    runs = [binormal(rng, auroc, mixed=mixed) for _ in range(600)]
    held, by_image = 0, 0
    for labels, (scores,), patients in runs:
        _, low, high = auroc_interval(labels, scores, patients)
        held += low <= auroc <= high
        _, low, high = auroc_interval(labels, scores, np.arange(len(labels)))
        by_image += low <= auroc <= high
    assert stats.binomtest(held, len(runs), 0.95).pvalue > 0.05
    if not mixed:  # a patient's images of one class say one thing several times
        assert by_image / len(runs) < 0.91


def test_the_interval_is_students_on_the_logit_scale():
    labels, (scores,), patients = binormal(np.random.default_rng(6), 0.8)
    mean, low, high = auroc_interval(labels, scores, patients, 0.9)
    auroc, phi = influence(labels, scores, patients)
    log_odds = np.log(np.array([mean, low, high]) / (1 - np.array([mean, low, high])))
    half = stats.t.ppf(0.95, len(phi) - 1) * standard_error(phi) / (auroc * (1 - auroc))
    assert np.diff(log_odds) == pytest.approx([-half, 2 * half])
    assert mean == auroc


def test_a_perfect_auroc_is_not_certain():
    labels = np.repeat([1, 0], [8, 50])
    perfect = auroc_interval(labels, labels, range(58))
    exact = stats.binomtest(8, 8).proportion_ci(0.95, "exact")
    assert perfect == pytest.approx((1, exact.low, 1))
    turned = auroc_interval(labels, -labels, range(58))
    assert turned == pytest.approx((0, 0, 1 - exact.low))
    # Eight images of four patients are four; of two that have either class, one pair.
    assert auroc_interval(labels, labels, np.arange(58) // 2).low == pytest.approx(0.025 ** (1 / 4))
    assert auroc_interval([1, 0, 1, 0], [1, 0, 1, 0], [1, 1, 2, 2]).low == pytest.approx(0.025)


def test_the_bound_of_a_perfect_auroc_holds_and_is_reached():
    rng = np.random.default_rng(7)
    theta, positives, studies = 0.7, 4, 20_000
    scores = rng.random((studies, positives)) < theta  # the negatives lie between the two values
    perfect = scores.all(1).mean()
    assert perfect == pytest.approx(theta**positives, abs=0.01)
    normal = rng.normal(size=(studies, positives + 20))
    normal[:, :positives] += np.sqrt(2) * stats.norm.ppf(theta)
    ranked = normal[:, :positives].min(1) > normal[:, positives:].max(1)
    assert 0 < ranked.mean() < perfect


def test_where_little_is_known_there_are_no_bounds():
    none = auroc_interval([1, 1, 1], [0.1, 0.2, 0.3], [1, 2, 3])
    assert np.isnan(none).all()
    labels, scores = [1, 0, 0, 0], [0.5, 0.4, 0.6, 0.1]
    alone = auroc_interval(labels, scores, range(4))  # a single positive
    assert alone.mean == pytest.approx(2 / 3)
    assert np.isnan(alone[1:]).all()
    one_patient = auroc_interval(labels, [1, 0, 0, 0], [1] * 4)
    assert one_patient.mean == 1
    assert np.isnan(one_patient[1:]).all()
    assert np.isnan(standard_error(np.zeros(1)))
    assert auroc_interval([1, 0] * 4, [0.5] * 8, range(8)) == (0.5, 0.5, 0.5)


def test_a_difference_is_delongs_and_paired():
    labels, (a, b), _ = binormal(np.random.default_rng(9), 0.8, networks=2)
    b = b + 2 * a
    of_a, of_b = (influence(labels, each, range(100)) for each in (a, b))
    v_a, v_b = placements(labels, a), placements(labels, b)
    covariance = np.cov(*(each.positives for each in (v_a, v_b))) / 40
    covariance += np.cov(*(each.negatives for each in (v_a, v_b))) / 60
    contrast = np.array([1, -1])
    expected = np.sqrt(contrast @ covariance @ contrast)
    assert standard_error(of_a.phi - of_b.phi) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("labels", "scores", "patients", "said"),
    [
        ([0, 1, 2], [1, 2, 3], [1, 2, 3], "neither 0 nor 1"),
        ([0, 1], [1, np.nan], [1, 2], "not finite"),
        ([0, 1], [1, 2, 3], [1, 2], "one score per label"),
        ([0, 1], [1, 2], [1, 2, 3], "3 patients for 2 images"),
    ],
)
def test_what_cannot_be_ranked_is_refused(labels, scores, patients, said):
    with pytest.raises(SourceBenchError, match=said):
        auroc_interval(labels, scores, patients)
