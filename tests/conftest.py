"""What the tests share."""

import copy
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import settings
from PIL import Image
from snakemake.utils import update_config

# In CI the same examples each time; on a desk new ones, which find what is left to find. How long
# one takes is no matter of right or wrong, on a busy machine least of all.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

ROOT = Path(__file__).parents[1]


def merged(overlay):
    """The default config with another laid over it, as Snakemake does."""
    config = copy.deepcopy(yaml.safe_load((ROOT / "config" / "config.yaml").read_text()))
    update_config(config, overlay)
    return config


def write_pngs(folder, names, size=64):
    """Write grey PNGs of noise; return their pixels by name."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    pixels = {}
    for name in names:
        pixels[name] = rng.integers(0, 256, (size, size), dtype=np.uint8)
        Image.fromarray(pixels[name]).save(folder / name)
    return pixels


@pytest.fixture
def forgotten(monkeypatch, tmp_path_factory):
    """What an example or a plugin registers is forgotten afterwards, and so are its files."""
    from sourcebench.artifacts import ARTIFACTS
    from sourcebench.attributes import ATTRIBUTES
    from sourcebench.datasets.base import KINDS as DATASETS
    from sourcebench.datasets.labels import LABELS
    from sourcebench.evaluation.confidence import SCORES
    from sourcebench.figures import FIGURES
    from sourcebench.sources import KINDS as SOURCES
    from sourcebench.training.methods import METHODS
    from sourcebench.training.transfer import TRANSFERS

    images, networks = (ARTIFACTS, ATTRIBUTES, DATASETS, LABELS), (METHODS, SOURCES, TRANSFERS)
    for registry in (*images, *networks, FIGURES, SCORES):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    folder = str(tmp_path_factory.getbasetemp())
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(folder):
            del sys.modules[name]


@pytest.fixture(scope="session")
def keras(tmp_path_factory):
    """Keras, the framework of Source Matters, computing with PyTorch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_TORCH_DEVICE", "cpu")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras_home")))
        import keras
    return keras


def pytest_collection_modifyitems(items):
    """Start with the longest: whole workflows, so that they don't stand alone at the end."""
    items.sort(key=lambda item: "test_workflow" not in item.nodeid)
