"""The Keras twin in miniature: step for step the same training, and its tables and figure."""

import importlib
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from conftest import ROOT
from sourcebench import files
from sourcebench.errors import SourceBenchError
from sourcebench.models import ARCHITECTURES, build_network, network_of
from sourcebench.models.classifier import Classifier
from sourcebench.sources.formats.keras_layers import FAMILIES
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.runs import Recipe

ARCH, SIDE = "twin_resnet50_eighth", 32
RECIPE = Recipe(
    epochs=2, patience=30, learning_rate=1e-5, dropout=0.5, batch_size=16, monitor="loss",
    augmentation=Augmentation(), precision="fp32", accelerator="cpu",
)  # fmt: skip
MODULES = ("images", "networks", "ours", "parity", "reference", "report")


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """The modules of the benchmark; the architectures that it adds are forgotten afterwards."""
    before = [(registry, dict(registry._entries)) for registry in (ARCHITECTURES, FAMILIES)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_TORCH_DEVICE", "cpu")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras_home")))
        patch.syspath_prepend(ROOT / "benchmarks")
        yield SimpleNamespace(
            script=importlib.import_module("keras_twin"),
            **{name: importlib.import_module(f"twin.{name}") for name in MODULES},
        )
    for registry, entries in before:
        registry._entries = entries


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """A folder for each class: 30 images of noise each, those of one class brighter."""
    folder = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(0)
    for label, grey in (("mass", 120), ("none", 90)):
        (folder / label).mkdir()
        for i in range(30):
            pixels = rng.normal(grey, 25, (SIDE, SIDE)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{label}_{i}.png")
    return folder


@pytest.fixture(scope="module")
def images(twin, classes, tmp_path_factory):
    """16 training images and as few others as will do, by a table."""
    parts = ["train"] * 16 + ["val"] * 4 + ["test"] * 4
    rows = [
        (f"{label}/{label}_{i}.png", label, part)
        for label in ("mass", "none")
        for i, part in enumerate(parts)
    ]
    table = classes / "images.csv"
    pd.DataFrame(rows, columns=["image", "label", "split"]).to_csv(table, index=False)
    return twin.images.found(table, tmp_path_factory.mktemp("images"), SIDE, seed=0)


def compare(twin, images, folder, **changes):
    return twin.parity.compare(ARCH, images, replace(RECIPE, **changes), 1, folder)


def test_both_take_the_same_steps(twin, images, tmp_path):
    parity = compare(twin, images, tmp_path)
    assert len(parity.loss) == 2
    assert max(parity.loss) < 1e-6
    assert parity.moved > 1.5e-5
    assert parity.weights < 0.01 * parity.moved
    assert parity.means < 1e-5
    assert parity.variances > 1e-3  # Keras 3 keeps the biased ones, of 16 values in the last stage
    assert parity.variances_alike < 1e-5
    assert parity.logits < 1e-3


def test_pytorchs_defaults_are_noticed(twin, images, tmp_path, monkeypatch):
    adam = torch.optim.Adam
    monkeypatch.setattr(
        twin.parity.FineTuner,
        "configure_optimizers",
        lambda self: adam(self.parameters(), lr=self.learning_rate, eps=1e-7),
    )
    parity = compare(twin, images, tmp_path, batch_norm_momentum=0.1)
    assert parity.means > 1e-2
    assert parity.weights > 0.05 * parity.moved  # its ε counts for less where gradients are small


def test_the_affine_maps_are_keras(twin, images):
    pixels = torch.from_numpy(images.part("test")[0])
    strong = Augmentation(rotation=20, shift=0.2, shear=8, zoom=0.2)
    for strength in (Augmentation(), strong):
        assert twin.parity.augmentation_difference(pixels, strength, seed=3) < 0.02


def test_before_means_what_it_did(twin):
    backbone = build_network(network_of(ARCH))
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    classifier = Classifier(backbone)
    twin.ours.AsBefore(ARCH, "converted").prepare(classifier, lambda: backbone)
    last = [
        block.bn3.weight for stage in range(1, 5) for block in getattr(backbone, f"layer{stage}")
    ]
    assert len(last) == 16
    assert all((gamma == 1).all() for gamma in last)
    twin.ours.AsBefore(ARCH, "random").prepare(classifier, lambda: backbone)
    assert all((gamma == 0).all() for gamma in last)
    assert classifier.head.weight.abs().max() <= classifier.head.in_features**-0.5


def test_the_script_from_folders_to_the_figure(twin, classes, tmp_path, monkeypatch, capsys):
    call = [
        "keras_twin.py", "--data", str(classes), "--side", str(SIDE), "--seeds", "1",
        "--epochs", "2", "--marks", "1", "--contenders", "keras", "ours", "as_before",
        "--starts", "converted", "--out", str(tmp_path),
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", call)
    twin.script.main()
    printed = capsys.readouterr().out
    assert "| epochs until the stop | 2 ± nan | 2 (+0.0 SD, p 1) |" in printed
    history = pd.read_csv(tmp_path / "history.csv")
    assert history.groupby(["contender", "start"])["epoch"].max().to_dict() == {
        ("keras", "random"): 2, ("ours", "converted"): 2, ("as_before", "converted"): 2,
    }  # fmt: skip
    assert history[["train_loss", "val_loss"]].gt(0).all(axis=None)
    assert history["val_auroc"].between(0, 1).all()
    momenta = {
        name: files.read_json(tmp_path / "runs" / name / "converted" / "seed_1" / "run.json")
        for name in ("ours", "as_before")
    }
    assert momenta["ours"]["recipe"]["batch_norm_momentum"] == 0.01
    assert momenta["as_before"]["recipe"]["batch_norm_momentum"] == 0.1
    assert (tmp_path / "curves.png").stat().st_size > 10_000

    monkeypatch.setattr(sys, "argv", [*call, "--learning-rate", "0.01"])
    with pytest.raises(SourceBenchError, match=r"settings\.json.*another folder"):
        twin.script.main()


@given(
    values=st.lists(st.integers(-8, 8), min_size=2, max_size=6, unique=True),
    ours=st.integers(-9, 9),
)
def test_inside_and_how_far_outside(twin, values, ours):
    runs = [("keras", "random", seed, "m", value) for seed, value in enumerate(values)]
    runs += [("ours", "random", seed, "m", ours + seed - 1) for seed in range(3)]
    table = pd.DataFrame(runs, columns=["contender", "start", "seed", "measure", "value"])
    row = twin.report.comparison(table).iloc[0]
    assert row["distance"] * np.std(values, ddof=1) + np.mean(values) == pytest.approx(ours)
    assert row["inside"] == (min(values) <= ours <= max(values))


def test_class_folders_are_split_the_same_each_time(twin, classes, tmp_path):
    one = twin.images.found(classes, tmp_path / "a", SIDE, seed=0)
    two = twin.images.found(classes, tmp_path / "b", SIDE, seed=0)
    assert one.design.images.equals(two.design.images)
    sizes = {part: len(one.part(part)[1]) for part in twin.images.PARTS}
    assert sizes == {"train": 32, "val": 12, "test": 16}
    assert all(one.part(part)[1].mean() == 0.5 for part in sizes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,label\na.png,0\n", "lacks the column.* split"),
        ("image,label,split\na.png,0,train\n", "exactly two"),
        ("image,label,split\na.png,0,train\nb.png,1,train\n", "'val' lacks a class"),
    ],
)
def test_tables_that_will_not_do(twin, tmp_path, text, words):
    (tmp_path / "images.csv").write_text(text)
    with pytest.raises(SourceBenchError, match=words):
        twin.images.found(tmp_path / "images.csv", tmp_path / "out", SIDE, seed=0)
