"""The images of a table of one's own: any format, a window, slices of volumes."""

import io

import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sourcebench.datasets.base import build
from sourcebench.errors import SourceBenchError

PIXELS = np.random.default_rng(0).integers(0, 65536, (12, 10)).astype(np.uint16)
VOLUME = np.random.default_rng(1).integers(-900, 900, (10, 12, 4)).astype(np.int16)


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    (images / "scans").mkdir(parents=True)
    Image.fromarray(PIXELS).save(images / "a.PNG")
    Image.fromarray(PIXELS).save(images / "b.tiff")
    Image.fromarray((PIXELS >> 8).astype(np.uint8)).save(images / "c.jpg", "PNG")
    for name in ("scan.nii.gz", "other.nii"):
        nibabel.save(nibabel.Nifti1Image(VOLUME, np.diag([-1, -1, 1, 1])), images / "scans" / name)
    return images


def mine(folder, ids, **keys):
    table = pd.DataFrame({"image_id": ids, "patient_id": "1", "findings": "x"})
    table.to_csv(folder.parent / "t.csv", index=False)
    entry = {"kind": "table", "origin": "path", "path": str(folder)}
    return build("mine", {**entry, "table": str(folder.parent / "t.csv"), **keys})


def test_images_of_several_formats_and_slices_that_the_table_names(folder):
    ids = ["a.PNG", "b.tiff", "c.jpg", "scan.nii.gz#1", "scan.nii.gz#3", "gone.nii#1"]
    dataset = mine(folder, ids)
    found, _ = dataset.index(folder, folder, 1, io.StringIO())
    paths = dict(found.itertuples(index=False))
    assert list(paths) == sorted([*ids[:-1], "other.nii"])
    assert paths["scan.nii.gz#3"] == f"{folder}/scans/scan.nii.gz#3"
    for name, odd in zip(ids[:-1], [(), (), ("other_suffix",), (), ()], strict=True):
        image, said = dataset.read(folder / paths[name])
        assert image.shape == (12, 10)
        assert said == odd
    assert (dataset.read(folder / paths["a.PNG"])[0] == np.round(PIXELS / 257)).all()


def test_a_window(folder):
    dataset = mine(folder, ["a.PNG"], window=[1000, 3000])
    shown = np.floor((np.clip(PIXELS, 1000, 3000) - 1000.0) / 2000 * 255 + 0.5)
    for name in ("a.PNG", "b.tiff"):
        np.testing.assert_array_equal(dataset.read(folder / name)[0], shown)
    np.testing.assert_array_equal(dataset.read(folder / "c.jpg")[0], PIXELS >> 8)


@pytest.mark.parametrize(
    ("window", "why"),
    [
        ([3, 3], r"window is \[3, 3\]; the second number, white, must be the greater"),
        ([1], "window .*two numbers, black and white"),
        (["low", 3], r"window\.0 .*"),
    ],
)
def test_windows_that_are_none(folder, window, why):
    with pytest.raises(SourceBenchError, match=rf"datasets\.mine\.{why}"):
        mine(folder, ["a.PNG"], window=window)
