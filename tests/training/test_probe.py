"""The probe against scikit-learn's ridge regression, and on features whose answer is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from sourcebench.training.probe import FOLDS, PENALTIES, folds, probe, probe_scores, ridge


def pairs(count, size, seed, shift=0.0, noise=0.3):
    """Features (float32) of `count` patients' images without the artifact, then with it."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(count, size))
    images = np.concatenate([own, own]) + noise * rng.normal(size=(2 * count, size))
    artifact = np.arange(2 * count) >= count
    images[artifact] += shift * rng.normal(size=size)
    names = [f"p{i}" for i in range(count)] * 2
    return torch.tensor(images, dtype=torch.float32), artifact, names


def standardised(train, *others):
    varies = train.std(0) > 0
    mean, deviation = train[:, varies].mean(0), train[:, varies].std(0)
    return [(part[:, varies] - mean) / deviation for part in (train, *others)]


@pytest.mark.parametrize(("count", "size"), [(40, 200), (60, 12)])
def test_it_is_scikit_learns_ridge_regression(count, size):
    """Weights, intercept and the penalty that it takes, on each fold, with D > N and D < N."""
    features, artifact, patients = pairs(count, size, 1, shift=0.5)
    features[:, 0] = 0.1  # constant
    expected = np.empty(len(artifact))
    fold, values, taken = folds(patients, 3), features.double().numpy(), []
    for each in range(FOLDS):
        train, held = standardised(values[fold != each], values[fold == each])
        signs = np.where(artifact[fold != each], 1.0, -1.0)
        scale = np.trace(train @ train.T) / len(train)
        theirs = RidgeCV(np.multiply(PENALTIES, scale)).fit(train, signs)
        expected[fold == each] = theirs.predict(held) - theirs.predict(train).mean()
        taken.append(theirs.alpha_ / scale)
    assert any(min(PENALTIES) < 0.9 * share < 0.9 * max(PENALTIES) for share in taken)
    ours = probe_scores(features, artifact, patients, 3)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [20, 25, 30])
@pytest.mark.parametrize("seed", range(2))
def test_the_penalty_is_the_one_that_predicts_best_what_is_left_out(seed, size):
    """By brute force: a fit without each of the images."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(25, size)) * np.geomspace(1, 0.01, size)
    signs = np.where(values[:, 3 * seed] + 0.3 * rng.normal(size=25) > 0.2, 1.0, -1.0)
    values -= values.mean(0)
    fits = []
    for share in PENALTIES:
        model = Ridge(share * np.square(values).sum() / 25)
        missed = cross_val_predict(model, values, signs, cv=LeaveOneOut()) - signs
        fits.append((np.square(missed).sum(), model.fit(values, signs).coef_))
    weights = ridge(torch.tensor(values), torch.tensor(signs - signs.mean()))
    np.testing.assert_allclose(weights, min(fits, key=lambda fit: fit[0])[1], rtol=1e-7)


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
