"""A dataset of somebody's own is one new folder: reader, table, labels, phantoms."""

import numpy as np
import pandas as pd
import pytest
import yaml

from planner import copied, snakemake

DISKS = {
    "__init__.py": '''"""Disks, as arrays of NumPy."""

from sourcebench.datasets.disks import dataset, labels, mirror
''',
    "dataset.py": '''"""The dataset."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sourcebench.datasets.base import KINDS, METADATA_COLUMNS, Dataset
from sourcebench.parameters import parameter


@KINDS.register("disks")
@dataclass(frozen=True)
class Disks(Dataset):
    """Disks of many radii in floating point."""

    suffixes = (".npy",)

    gain: float = parameter(1, help="what grey levels are multiplied by", low=0)

    def metadata(self):
        rows = [(f"{i:02d}.npy", f"p{i}", None, None, "flat", "", 3 + i) for i in range(24)]
        return pd.DataFrame(rows, columns=[*METADATA_COLUMNS, "radius"])

    def read(self, path):
        image = np.clip(self.gain * np.load(path), 0, 255).astype(np.uint8)
        return image, ("large",) if image.mean() > 120 else ()
''',
    "labels.py": '''"""Its labels."""

from dataclasses import dataclass

from sourcebench.datasets.labels import LABELS, LabelSource
from sourcebench.parameters import parameter


@LABELS.register("size")
@dataclass(frozen=True)
class Size(LabelSource):
    """Large or small."""

    above: float = parameter(unit="px", help="the radius of a large disk")

    def rows(self, table):
        return table.assign(label=(table["radius"] > self.above).astype(int))
''',
    "mirror.py": '''"""Its phantoms."""

import numpy as np

from sourcebench.datasets.mirrors import MIRRORS


@MIRRORS.register("disks")
def mirror(wanted, folder, processes):
    folder.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[-30:30, -30:30]
    for name, radius in zip(wanted["image_id"], wanted["radius"]):
        np.save(folder / name, np.where(np.hypot(y, x) < radius, 200.0, 20.0))
    return len(wanted)
''',
}
TASK = {
    "title": "Disks", "dataset": "disks", "input_size": 30, "batch_size": 8, "monitor": "loss",
    "labels": {"from": "size", "above": 14}, "view": None,
    "samples": {"test": 8, "dev": 8, "positive": 0.5}, "val_fraction": 0.25, "confounders": [],
}  # fmt: skip
WANTED = [f"results/disks/{path}" for path in ("data/disks/samples.csv", "raw/disks/odd.json")]


@pytest.fixture
def desk(tmp_path):
    """A folder to work in, beside a copy of the project that has one more folder."""
    folder = copied(tmp_path / "house") / "datasets" / "disks"
    folder.mkdir()
    for name, content in DISKS.items():
        (folder / name).write_text(content)
    (tmp_path / "desk").mkdir()
    return tmp_path / "desk"


def prepared(desk, **entry):
    """Run the workflow up to the images of the task; return its status and what it said."""
    study = {
        "study": "disks",
        "datasets": {"disks": {"kind": "disks", **entry}},
        "tasks": {"disks": TASK},
        "experiment": {
            "tasks": ["disks"], "sources": ["random"], "archs": ["tiny_resnet"], "p_art": [0],
            "folds": 1, "audit": [], "figures": ["epochs"],
        },
    }  # fmt: skip
    (desk / "study.yaml").write_text(yaml.safe_dump(study))
    return snakemake(
        desk, "--snakefile", str(desk.parent / "house" / "Snakefile"), "--cores", "2",
        "--configfile", "study.yaml", "--workflow-profile", "none", "--", *WANTED,
    )  # fmt: skip


def test_a_new_dataset_is_a_new_folder_and_nothing_else(desk):
    status, said = prepared(desk, origin="phantoms")
    assert status == 0, said
    data = desk / "results" / "disks" / "data" / "disks"
    samples = pd.read_csv(data / "samples.csv")
    assert (samples["label"] == (samples["radius"] > 14)).all()
    assert len(samples) == 16
    images = np.load(data / "images.npy")
    shares = (images == 200).mean(axis=(1, 2))
    np.testing.assert_allclose(shares, np.pi * (samples["radius"] / 60) ** 2, atol=0.02)

    status, said = prepared(desk, origin="path", path="resources/phantoms/disks", gain="much")
    assert status != 0
    assert "datasets.disks.gain is 'much'; it must be a number of at least 0" in said

    status, said = prepared(desk, origin="path", path="resources/phantoms/disks", gain=0.5)
    assert status == 0, said
    raw = desk / "results" / "disks" / "raw" / "disks"
    assert (raw / "odd.json").read_text() == (raw / "available_odd.json").read_text()
    assert set(np.unique(np.load(data / "images.npy"))) == {10, 100}
