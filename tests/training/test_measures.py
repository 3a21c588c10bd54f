"""What is measured of a network: distances to its training images, and what a run writes."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from scipy.special import softmax
from sklearn.covariance import EmpiricalCovariance
from sklearn.neighbors import NearestNeighbors

from sourcebench import design
from sourcebench.axes import Run
from sourcebench.errors import SourceBenchError
from sourcebench.models import build_backbone
from sourcebench.models.classifier import Classifier
from sourcebench.sources import USUAL
from sourcebench.training.finetuning import finetune
from sourcebench.training.measures import MEASURES, Learned, Subject
from sourcebench.training.runs import Measured
from test_finetuning import outputs, recipe, world

__all__ = ["world"]

ALL = Measured(("mc_dropout", "mahalanobis", "neighbours"), passes=20)
LOGITS = ["logit_0", "logit_1"]


def blobs(images, features, classes=3, seed=0):
    """Features of classes of one shape, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    shape = np.tril(rng.normal(size=(features, features))) / 3 + np.eye(features)
    values = rng.normal(size=(images, features)) @ shape + 4 * labels[:, None]
    return values.astype(np.float32), labels


def measured(name, trained, labels, tested):
    """A measure of features, of a network that was trained on others."""
    learned = Learned(torch.tensor(trained), torch.tensor(labels))
    subject = Subject(Classifier(build_backbone("tiny_resnet")), 3, 1, 0, lambda: learned)
    found = MEASURES.get(name).of(subject)(torch.from_numpy(tested), torch.empty(0))
    assert set(found) == set(MEASURES.get(name).columns)
    assert all(each.dtype == torch.float64 for each in found.values())
    return found[name].numpy()


def shrunk(values):
    """The covariance of Ledoit & Wolf 2004 of centred values, from their formulas."""
    n, size = values.shape
    sample = values.T @ values / n
    level = np.trace(sample) / size
    distance = np.sum((sample - level * np.eye(size)) ** 2) / size
    noise = sum(np.sum((np.outer(row, row) - sample) ** 2) for row in values) / n**2 / size
    share = min(noise, distance) / distance
    return share * level * np.eye(size) + (1 - share) * sample, share


@pytest.mark.parametrize(("images", "features"), [(600, 5), (60, 90)])
def test_mahalanobis_is_that_of_a_shrunk_covariance_within_classes(images, features):
    trained, labels = blobs(images, features)
    tested, _ = blobs(40, features, seed=1)
    means = np.stack([trained[labels == each].mean(0, dtype=float) for each in range(3)])
    covariance, share = shrunk(trained - means[labels])
    assert (share < 0.05) == (images > features)
    away = tested[:, None] - means
    squared = np.einsum("ncf,fg,ncg->nc", away, np.linalg.inv(covariance), away)
    np.testing.assert_allclose(
        measured("mahalanobis", trained, labels, tested), -squared.min(1), rtol=1e-6
    )


def test_mahalanobis_of_many_images_is_lee_et_als():
    trained, labels = blobs(30_000, 4)
    tested, _ = blobs(50, 4, seed=1)
    means = np.stack([trained[labels == each].mean(0) for each in range(3)])
    tied = EmpiricalCovariance(assume_centered=True).fit(trained - means[labels])
    theirs = np.stack([tied.mahalanobis(tested - mean) for mean in means]).min(0)
    np.testing.assert_allclose(measured("mahalanobis", trained, labels, tested), -theirs, rtol=5e-3)


def test_what_has_no_scale_or_is_not_finite_is_measured_all_the_same():
    tested = np.array([[0, 0], [3, 4]], np.float32)
    one, two = np.zeros((5, 2), np.float32), np.array([[1, 0], [-1, 0]], np.float32)
    alike = measured("mahalanobis", one, np.zeros(5, int), tested)
    np.testing.assert_allclose(alike, [0, -25])
    assert np.isfinite(measured("mahalanobis", two, np.zeros(2, int), tested)).all()
    broken = np.full((5, 2), np.nan, np.float32)
    assert np.isnan(measured("mahalanobis", broken, np.zeros(5, int), tested)).all()


@pytest.mark.parametrize("images", [400, 12])
def test_neighbours_is_minus_the_distance_to_the_fiftieth(images):
    """Or to the last, where there are fewer."""
    trained, labels = blobs(images, 6)
    tested, _ = blobs(40, 6, seed=1)
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (trained, tested)]
    theirs = NearestNeighbors(n_neighbors=min(50, images)).fit(unit[0].astype(float))
    distances, _ = theirs.kneighbors(unit[1].astype(float))
    np.testing.assert_allclose(
        measured("neighbours", trained, labels, tested), -distances[:, -1], atol=1e-7
    )


def run(world, folder, measured=ALL, *, p_art=0.5, explored=True, **changes):
    layers, made, *_ = world
    places = outputs(folder, checkpoint=True)
    kept = {"validation": folder / "validation.parquet"} if measured.measures else {}
    kept |= {"features": folder / "features.npz"} if explored else {}
    return finetune(
        Run("t", "corner", "random", "tiny_resnet", p_art, 1), recipe(epochs=1, **changes),
        designs={"corner": made}, layers=layers, weights=None, seed=1,
        outputs=replace(places, **kept), measured=measured,
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured_run(world, tmp_path_factory):
    """A run of which everything is measured: its folder and its record."""
    folder = tmp_path_factory.mktemp("run")
    return folder, run(world, folder)


def network_of(folder):
    network = Classifier(build_backbone("tiny_resnet")).eval()
    network.load_state_dict(load_file(folder / "checkpoint.safetensors"))
    return network


def test_a_run_without_measures_is_what_it_was(world, tmp_path, measured_run):
    folder, record = measured_run
    plain = run(world, tmp_path, Measured(), explored=False)
    assert not {"validation.parquet", "features.npz"} & {p.name for p in tmp_path.iterdir()}
    assert "measured" not in plain
    assert record["measured"] == {"measures": ALL.measures, "passes": 20}
    assert json.loads((folder / "run.json").read_text())["measured"]["passes"] == 20
    usual = pd.read_parquet(tmp_path / "predictions.parquet")
    further = pd.read_parquet(folder / "predictions.parquet")
    pd.testing.assert_frame_equal(further[usual.columns], usual)
    assert list(further.columns[len(usual.columns) :]) == [
        "mcd_class", "mcd_msr", "mcd_pe", "mcd_ee", "mahalanobis", "neighbours",
    ]  # fmt: skip
    assert further["mcd_class"].dtype == "int8"
    assert (further.iloc[:, -5:].dtypes == "float64").all()


def test_distances_are_to_what_the_run_was_trained_on(world, measured_run):
    """As a person would compute them from the network that it kept."""
    folder, _ = measured_run
    layers, made, *_ = world
    network = network_of(folder)
    rows = design.development(made.images, 0.5, 1)
    train = rows[rows["part"] == "train"]
    tests = design.test(made.tests, 0.5)
    with torch.no_grad():
        trained, tested = (
            network.backbone(USUAL(layers.read(each["image_id"], each["layer"]))).numpy()
            for each in (train, tests)
        )
    table = pd.read_parquet(folder / "predictions.parquet")
    for name in ("mahalanobis", "neighbours"):
        expected = measured(name, trained, train["label"].to_numpy(), tested)
        np.testing.assert_allclose(table[name], expected, rtol=1e-2, atol=1e-4)


def test_what_a_run_says_of_the_images_that_it_validates_on(world, measured_run):
    folder, record = measured_run
    layers, made, *_ = world
    rows = design.development(made.images, 0.5, 1)
    rows = rows[rows["part"] == "val"].reset_index(drop=True)
    table = pd.read_parquet(folder / "validation.parquet")
    tested = pd.read_parquet(folder / "predictions.parquet")
    assert len(table) == record["n_val"]
    names = [name for name in tested if name not in ("confounder", "test_set", "probe")]
    assert list(table.columns) == names
    assert table.dtypes.equals(tested[names].dtypes)
    for name in ("image_id", "patient_id"):
        assert (table[name] == rows[name].astype(str)).all()
    assert (table["label"] == rows["label"]).all()
    assert (table["artifact"] == rows["artifact"]).all()
    with torch.no_grad():
        logits = network_of(folder)(USUAL(layers.read(rows["image_id"], rows["layer"])))
    np.testing.assert_allclose(table[LOGITS], logits.numpy(), rtol=1e-3, atol=1e-4)
    assert not table["image_id"].isin(tested["image_id"]).any()


def test_the_features_of_an_explored_run_give_its_logits(measured_run):
    """Each image of the test sets once, with its layer."""
    folder, _ = measured_run
    kept = np.load(folder / "features.npz")
    assert kept["features"].dtype == np.float16
    images = pd.DataFrame({name: kept[name] for name in ("image_id", "layer")})
    assert not images.duplicated().any()
    tested = pd.read_parquet(folder / "predictions.parquet")
    head = network_of(folder).head
    with torch.no_grad():
        logits = head(torch.from_numpy(kept["features"]).float()).numpy()
    framed = images["layer"] == "framed"
    assert set(images["layer"]) == {"none", "corner", "framed"}
    given = images.assign(logit_0=logits[:, 0])[framed].set_index("image_id")["logit_0"]
    said = tested[tested["test_set"] == "framed"].set_index("image_id")["logit_0"]
    np.testing.assert_allclose(given[said.index], said, atol=5e-3)
    assert len(images) == 3 * tested["image_id"].nunique()


def test_the_passes_of_a_run_are_those_of_its_network(measured_run):
    """Near one pass without dropout, nearer to each other than chance, and not the same."""
    folder, _ = measured_run
    table = pd.read_parquet(folder / "predictions.parquet")
    once = softmax(table[LOGITS].to_numpy(float), 1)
    assert (table["mcd_msr"] != once.max(1)).any()
    assert np.corrcoef(table["mcd_msr"], once.max(1))[0, 1] > 0.5
    assert (table["mcd_pe"] <= table["mcd_ee"]).all()  # the entropy of a mean is the larger one


def test_a_measure_that_is_not_there(world, tmp_path):
    with pytest.raises(SourceBenchError, match=r"Unknown measure 'guess'.*neighbours"):
        run(world, tmp_path, Measured(("guess",)), explored=False)
