"""The probe against scikit-learn's ridge regression, and on features whose answer is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from sourcebench.training.probe import folds, probe, probe_scores
from sourcebench.training.ridge import FOLDS, PENALTIES, _fit_features, _fit_images


def pairs(count, size, seed, shift=0.0, noise=0.3):
    """Features (float32) of `count` patients' images without the artifact, then with it."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(count, size))
    images = np.concatenate([own, own]) + noise * rng.normal(size=(2 * count, size))
    artifact = np.arange(2 * count) >= count
    images[artifact] += shift * rng.normal(size=size)
    names = [f"p{i}" for i in range(count)] * 2
    return torch.tensor(images, dtype=torch.float32), artifact, names


def families(size, seed):
    """Features (float32) of 25 patients with 1 to 5 images, more alike than others' are."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(25), rng.integers(1, 6, 25))
    artifact = rng.random(len(patient)) < 0.5
    images = rng.normal(size=(25, size))[patient] + 0.3 * rng.normal(size=(len(patient), size))
    images[artifact] += 0.3 * rng.normal(size=size)
    order = rng.permutation(len(patient))
    names = [f"p{i}" for i in patient[order]]
    return torch.tensor(images[order], dtype=torch.float32), artifact[order], names


def standardised(features):
    values = features.double().numpy()
    values = values[:, np.ptp(values, 0) > 0]
    return (values - values.mean(0)) / values.std(0)


def left_out(values, signs, penalty, groups):
    """Return the sum of squared errors for groups that a fit is made without, one after another."""
    missed = cross_val_predict(Ridge(penalty), values, signs, groups=groups, cv=LeaveOneGroupOut())
    return np.square(missed - signs).sum()


@pytest.mark.parametrize("size", [90, 12])
def test_it_is_scikit_learns_ridge_regression(size):
    """Weights, intercept, and by brute force the penalty; more features than images, and fewer."""
    features, artifact, patients = families(size, 1)
    features[:, 0] = 0.1  # constant
    values, signs = standardised(features), np.where(artifact, 1.0, -1.0)
    names, fold, expected = np.array(patients), folds(patients, 3), np.empty(len(signs))
    penalties = np.multiply(PENALTIES, values.shape[1])
    taken, by_image = [], []
    for each in range(FOLDS):
        train, held = fold != each, fold == each
        parts = values[train], signs[train]
        missed = [left_out(*parts, penalty, names[train]) for penalty in penalties]
        taken.append(int(np.argmin(missed)))
        by_image.append(RidgeCV(penalties).fit(*parts).alpha_)
        theirs = Ridge(penalties[taken[-1]]).fit(*parts)
        expected[held] = theirs.predict(values[held]) - theirs.predict(values[train]).mean()
    assert any(0 < place < len(PENALTIES) - 1 for place in taken)
    assert (penalties[taken] != by_image).any()  # where an image's twins stay, another is taken
    ours = probe_scores(features, artifact, patients, 3)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("fits", "size"), [(_fit_images, 8), (_fit_images, 90), (_fit_features, 8), (_fit_features, 40)]
)
def test_what_is_left_out_is_predicted_as_by_fits_without_it(fits, size):
    """By brute force: a fit without each of the patients, under every penalty."""
    features, artifact, patients = families(size, 2)
    number = np.unique(patients, return_inverse=True)[1]
    count = np.bincount(number)[number]
    order = np.lexsort((number, count))
    values, signs = standardised(features)[order], 2.0 * artifact[order] - 1
    number, count, fold = number[order], count[order], folds(patients, 1)[order]
    found = list(fits(torch.tensor(values), torch.tensor(signs), fold, count))
    assert sorted(fit.fold for fit in found) == sorted([*range(FOLDS)] * len(PENALTIES))
    for each in (0, 3):
        train, mine = fold != each, [fit for fit in found if fit.fold == each]
        for fit, share in zip(mine, PENALTIES, strict=True):
            model = Ridge(share * size)
            theirs = left_out(values[train], signs[train], share * size, number[train])
            assert fit.press() == pytest.approx(theirs, rel=1e-3 if fits is _fit_features else 1e-8)
            weights = model.fit(values[train], signs[train]).coef_
            np.testing.assert_allclose(fit.weights, weights, rtol=1e-6, atol=1e-9)


def test_no_twin_has_a_say_in_the_penalty():
    """With its twin, whose artifact is the opposite, what an image is like misleads: λ is wrong."""
    better = []
    for seed in range(10):
        features, artifact, patients = pairs(40, 60, seed, shift=0.08, noise=0.1)
        values, signs, fold = standardised(features), 2.0 * artifact - 1, folds(patients, 1)
        by_image = np.empty(len(signs))
        for each in range(FOLDS):
            train, held = fold != each, fold == each
            theirs = RidgeCV(np.multiply(PENALTIES, 60)).fit(values[train], signs[train])
            by_image[held] = theirs.predict(values[held]) - theirs.predict(values[train]).mean()
        ours = probe_scores(features, artifact, patients, 1)
        better.append(roc_auc_score(artifact, ours) - roc_auc_score(artifact, by_image))
    assert np.mean(better) > 0.02  # standard error 0.004


@pytest.mark.parametrize("size", [20, 200])
def test_an_image_that_is_far_from_all_others_leaves_scores_finite(size):
    features, artifact, patients = pairs(40, size, 1, shift=1.0)
    features[5] = 1e9 * torch.linspace(-1, 2, size)
    assert np.isfinite(probe_scores(features, artifact, patients, 1)).all()


def test_an_artifact_that_the_features_tell_is_seen():
    features, artifact, patients = pairs(83, 300, 1, shift=1.0)
    scores = probe_scores(features, artifact, patients, 1)
    assert roc_auc_score(artifact, scores) > 0.99
    assert scores[artifact].mean() > 0.5
    assert scores[~artifact].mean() < -0.5


def test_where_the_features_tell_nothing_nothing_is_seen():
    areas = []
    for seed in range(30):
        features, artifact, patients = pairs(40, 100, seed)
        areas.append(roc_auc_score(artifact, probe_scores(features, artifact, patients, seed)))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.03)  # the mean's standard error is 0.01


def test_no_patient_is_in_both_parts():
    """Four images of a patient are alike, and so is what they carry: only by name is it told."""
    areas, leaky = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        patient = np.arange(160) // 4
        artifact = (rng.permutation(40) < 16)[patient]
        images = rng.normal(size=(40, 99))[patient] + 0.05 * rng.normal(size=(160, 99))
        features, names = torch.tensor(images), patient.astype(str).tolist()
        areas.append(roc_auc_score(artifact, probe_scores(features, artifact, names, seed)))
        alone = [str(i) for i in range(160)]
        leaky.append(roc_auc_score(artifact, probe_scores(features, artifact, alone, seed)))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.07)  # standard error 0.02
    assert np.mean(leaky) > 0.95


def test_identical_versions_are_not_told_apart():
    features, artifact, patients = pairs(30, 50, 1, noise=0)
    scores = probe_scores(features, artifact, patients, 1)
    assert roc_auc_score(artifact, scores) == pytest.approx(0.5, abs=1e-9)
    blank = probe_scores(torch.full((60, 5), 0.1), artifact, patients, 1)
    assert (blank == 0).all()


def test_the_order_of_the_rows_does_not_matter():
    features, artifact, patients = pairs(50, 80, 2, shift=0.3)
    order = np.random.default_rng(0).permutation(100)
    scores = probe_scores(features, artifact, patients, 5)
    names = [patients[i] for i in order]
    again = probe_scores(features[torch.from_numpy(order)], artifact[order], names, 5)
    np.testing.assert_allclose(again, scores[order], rtol=1e-5, atol=1e-6)


def test_folds_are_of_the_patients_names_and_of_the_seed():
    names = [f"p{i % 23}" for i in range(70)]
    fold = folds(names, 1)
    table = pd.DataFrame({"patient": names, "fold": fold}).drop_duplicates()
    assert len(table) == 23
    assert sorted(table["fold"].value_counts()) == [4, 4, 5, 5, 5]
    assert (folds(names[::-1], 1) == fold[::-1]).all()
    assert (folds(names[:23], 1) == fold[:23]).all()
    assert (folds(names, 2) != fold).any()


def test_what_can_not_be_probed_has_no_scores():
    features, artifact, patients = pairs(4, 10, 1)
    assert np.isnan(probe_scores(features, artifact, patients, 1)).all()
    features, artifact, patients = pairs(20, 10, 1)
    assert np.isfinite(probe_scores(features, artifact, patients, 1)).all()
    assert np.isnan(probe_scores(features, artifact & False, patients, 1)).all()
    one = np.array(patients) == "p3"  # alone has it: the training part without it knows of none
    assert np.isnan(probe_scores(features, one, patients, 1)).all()
    features[3, 3] = torch.inf
    assert np.isnan(probe_scores(features, artifact, patients, 1)).all()


def test_of_a_runs_test_sets_two_are_probed():
    """Each confounder by itself; one without images that carry it has no scores."""
    features, artifact, patients = pairs(20, 10, 1, shift=1.0)
    sets = np.where(artifact, "artifact", "clean")
    rows = pd.DataFrame(
        {"test_set": sets, "patient_id": patients, "artifact": artifact, "place": range(40)}
    )
    tests = pd.concat(
        [
            rows.assign(confounder="tag"),
            rows.assign(test_set="iid", confounder="tag"),
            rows[~artifact].assign(confounder="none"),
            rows.sample(frac=1, random_state=1).assign(confounder="other"),
        ],
        ignore_index=True,
    )
    scores = probe(tests, features, 1)
    assert scores.dtype == "float32"
    assert scores[40:100].isna().all()
    alone = probe_scores(features, artifact, patients, 1)
    np.testing.assert_array_equal(scores[:40], alone)
    other = scores[100:].set_axis(tests["place"][100:]).sort_index()
    np.testing.assert_allclose(other, alone, rtol=1e-5, atol=1e-6)
