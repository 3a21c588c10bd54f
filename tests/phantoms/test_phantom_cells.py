"""Phantoms of cells: six stains that show the siRNA, and the day on which they were taken."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.cells import STAINS, render
from sourcebench.phantoms.cells.fields import field
from sourcebench.phantoms.cells.looks import CELL_TYPES, UNTREATED, look

SIRNAS = ["s0000", "s0001", "s0002", "s0003"]


def drawn(number, sirna=UNTREATED, experiment="HUVEC-01", **changes):
    values = {"site": 1, "plate": 1, "cell_type": experiment.partition("-")[0], "side": 96}
    well = f"{experiment}_1_{sirna}_{number}"
    return render(well, sirna=sirna, experiment=experiment, **values | changes)


def measures(image):
    """Mean, spread, brightest and roughness of each stain."""
    pixels = image.astype(np.float32)
    rough = [cv2.Laplacian(np.ascontiguousarray(grey), cv2.CV_32F).std() for grey in pixels.T]
    bright = np.percentile(pixels, 99, axis=(0, 1))
    return np.log1p([*pixels.mean((0, 1)), *pixels.std((0, 1)), *bright, *rough])


def told(images, names):
    """Return how often a linear classifier of `measures` is right of images not seen."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return cross_val_score(classifier, [measures(image) for image in images], names, cv=4).mean()


def test_an_image_has_six_stains_and_is_the_same_again():
    image = drawn(1, side=128)
    assert image.shape == (128, 128, 6)
    assert image.dtype == np.uint8
    assert len(STAINS) == 6
    np.testing.assert_array_equal(image, drawn(1, side=128))
    assert (image != drawn(1, side=128, site=2)).mean() > 0.5
    assert (image != drawn(2, side=128)).mean() > 0.5


@pytest.mark.parametrize("cell_type", CELL_TYPES)
def test_nuclei_lie_within_cells_in_sizes_as_the_looks_say(cell_type):
    image = drawn(0, experiment=f"{cell_type}-01", side=512, sirna=UNTREATED)
    grey = cv2.GaussianBlur(image[..., 0], (0, 0), 1.5)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    labels, count = ndimage.label(grey > level)
    areas = ndimage.sum_labels(labels > 0, labels, range(1, count + 1))
    kind = CELL_TYPES[cell_type]
    assert 0.4 * kind.count < (areas > 60).sum() < 2 * kind.count
    assert 0.7 < np.sqrt(np.median(areas[areas > 60]) / np.pi) / kind.nucleus < 1.3
    inside = labels > 0
    net, threads = image[..., 1].astype(float), image[..., 4].astype(float)
    ring = ndimage.binary_dilation(inside, iterations=8) & ~ndimage.binary_dilation(inside)
    far = ~ndimage.binary_dilation(inside, iterations=40)
    assert threads[ring].mean() > 1.5 * threads[ndimage.binary_erosion(inside, iterations=3)].mean()
    assert net[ring].mean() > 1.5 * net[far].mean()


def test_the_field_is_the_same_at_any_size():
    small = cv2.resize(drawn(3, side=512)[..., 0], (128, 128), interpolation=cv2.INTER_AREA)
    same = drawn(3, side=128)[..., 0]
    assert np.corrcoef(small.ravel(), same.ravel())[0, 1] > 0.75


@pytest.mark.parametrize("eighth", range(8))
def test_fibres_lie_along_the_cell(eighth):
    turn = np.pi * eighth / 8
    one = field(CELL_TYPES["RPE"], 256, np.random.default_rng(1))
    whole = replace(one, turn=np.array([turn]), cells=np.ones((256, 256), np.uint8))
    rows, columns = np.gradient(whole.streaks(np.random.default_rng(2), 60, 4))
    # The gradient's main axis is across the fibres; y runs down, as the turn does.
    across = np.arctan2(2 * (rows * columns).sum(), (columns**2 - rows**2).sum()) / 2
    off = (across + np.pi / 2 - turn + np.pi / 2) % np.pi - np.pi / 2
    assert abs(np.degrees(off)) < 28  # to the next of four ways, and what noise adds


def test_sirnas_are_told_within_a_batch_and_not_always():
    names = np.repeat(SIRNAS, 16)
    images = [drawn(number, sirna) for sirna in SIRNAS for number in range(16)]
    assert 0.65 < told(images, names) < 0.99  # 0.25 by chance


def test_wells_treated_alike_are_not_told_apart_by_a_name():
    names = np.repeat(["a", "b"], 20)
    images = [drawn(f"{half}{number}") for half in "ab" for number in range(20)]
    assert told(images, names) < 0.75


def test_experiments_are_told_whatever_is_in_them():
    experiments = ["HUVEC-01", "HUVEC-02", "HUVEC-03", "HUVEC-04"]
    images = [
        drawn(number, SIRNAS[number % 4], experiment)
        for experiment in experiments
        for number in range(8)
    ]
    assert told(images, np.repeat(experiments, 8)) > 0.9


def test_an_sirna_does_about_the_same_to_all_cell_types():
    def effect(sirna, cell_type):
        wells = [look(cell_type, sirna, f"{sirna}{cell_type}{k}").intensity for k in range(60)]
        return np.log(np.mean(wells, axis=0) / CELL_TYPES[cell_type].intensity)

    sirnas = [f"s{k:04d}" for k in range(12)]
    one = np.ravel([effect(sirna, "HUVEC") for sirna in sirnas])
    other = np.ravel([effect(sirna, "U2OS") for sirna in sirnas])
    # Both have the effect that all show, and SPECIFIC of their own: r = 1 / (1 + 0.35²) = 0.89.
    assert 0.75 < np.corrcoef(one, other)[0, 1] < 0.97


def test_a_cell_type_that_nobody_drew_is_a_sentence():
    with pytest.raises(SourceBenchError, match=r"no cell type 'CHO'; it must be one of HEPG2,"):
        drawn(1, cell_type="CHO")
