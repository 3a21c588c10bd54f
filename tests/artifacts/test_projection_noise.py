"""Projection noise: against photon statistics, and from a slice to grey levels."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from sourcebench import files, seeds
from sourcebench.artifacts import ARTIFACTS, write_layer
from sourcebench.artifacts.projection_noise import noisy_lines
from sourcebench.artifacts.record import record_of
from sourcebench.errors import SourceBenchError
from sourcebench.tomography import ParallelBeam
from tomography_shapes import SIDE, disc, ellipse, slice_of_a_chest

PITCH = ParallelBeam(SIDE).pitch
build = ARTIFACTS.build


def rng(*name):
    return seeds.generator("test", *name)


# --- the noise -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n0", "p"), [(4096, 0.0), (4096, 3.0), (2e7, 5.0), (2e7, 0.5)])
def test_noisy_line_integrals_have_the_variance_and_bias_of_photon_statistics(n0, p):
    draws = 400_000
    added = noisy_lines(np.full(draws, p, np.float32), n0, rng(n0, p)) - np.float32(p)
    variance = math.exp(p) / n0  # to first order, of -log of a Poisson count
    assert added.var() == pytest.approx(variance, rel=0.02)
    assert added.mean() == pytest.approx(variance / 2, abs=4 * math.sqrt(variance / draws))


def test_a_ray_that_no_photon_survives_counts_a_tenth_of_one():
    lines = noisy_lines(np.full(9, 60, np.float32), 1000, rng())
    assert lines == pytest.approx(math.log(1000 / 0.1))


def noise_of(image, n0, seed=0, angles=180):
    """What photons alone add to an image, in 1/m."""
    beam = ParallelBeam(len(image), 0.26, angles)
    lines = beam.project(image)
    return beam.reconstruct(noisy_lines(lines, n0, rng(seed))) - beam.reconstruct(lines)


def test_noise_in_the_image_is_that_of_filtered_back_projection():
    """At the centre of a disc, where all rays are alike, and for each dose.

    The ramp filter's noise has the variance π²/(12·angles·pitch²) times that of a line integral.
    Interpolating linearly between rays, as the back-projection does, keeps no less than
    2/3 - 2/π² of it (of frequency ω it keeps 2/3 + cos(ω)/3).
    """
    image, angles = disc(0, 0, 50), 180
    middle = np.s_[54:75, 54:75]
    variances = []
    for n0 in (1e4, 1e5, 1e6):
        noise = np.stack([noise_of(image, n0, seed, angles)[middle] for seed in range(4)])
        of_lines = math.exp(20 * 100 * PITCH) / n0
        ramp = math.pi**2 / (12 * angles * PITCH**2)
        variances.append(noise.var() * n0)
        assert 2 / 3 - 2 / math.pi**2 < noise.var() / (ramp * of_lines) < 1
    assert variances == pytest.approx([np.mean(variances)] * 3, rel=0.1)  # ∝ 1/n0


def correlation(noise, rows, columns, where):
    moved = np.roll(noise, (rows, columns), (0, 1))
    return (noise * moved)[where].mean() / (noise**2)[where].mean()


def test_noise_forms_streaks_along_the_rays_that_cross_most_body():
    """In a flat body such as shoulders; noise in the image domain has no such correlation."""
    flat, inside = ellipse(0, 0, 60, 20), ellipse(0, 0, 50, 15) > 0
    streaks = noise_of(flat * 2, 1e4)
    assert correlation(streaks, 0, 1, inside) > 0.7
    assert correlation(streaks, 0, 4, inside) > 0.3
    assert correlation(streaks, 4, 0, inside) < 0.1
    grey = np.full((SIDE, SIDE), 128, np.uint8)
    grains = build("poisson_noise").artifact(grey, rng()).astype(float) - 128
    assert abs(correlation(grains, 0, 1, inside)) < 0.1


# --- the confounder ------------------------------------------------------------------------------


def test_the_full_size_is_drawn_with_lodopabs_noise_and_no_bias():
    """362², 1000 angles, 513 detectors, 4096 photons: strong noise, in grey levels."""
    image = slice_of_a_chest(362)
    added = build("projection_noise", n0=4096).artifact(image, rng()).astype(float) - image
    soft_tissue, air = (image > 150) & (image < 165), image[:, :10] < 30
    assert 5 < added[soft_tissue].std() < 20
    assert abs(added[soft_tissue].mean()) < 0.3
    assert added[:, :10][air].std() < added[soft_tissue].std()


@pytest.mark.parametrize("seed", range(3))
def test_truncation_takes_no_grey_level_off(seed):
    """Away from air and edges the mean stays, though every value's fraction is cut off."""
    image = np.full((96, 96), 150, np.uint8)
    image[np.hypot(*np.mgrid[-48:48, -48:48]) > 40] = 40
    added = build("projection_noise", n0=1e15, angles=300).artifact(image, rng(seed)) - 150.0
    middle = np.hypot(*np.mgrid[-48:48, -48:48]) < 30
    assert abs(added[middle].mean()) < 0.03


def test_the_reference_may_be_reconstructed_as_well():
    """Then photons alone tell the two apart: without any to spare they are the same."""
    image = slice_of_a_chest(96)
    plain, fair = (
        build("projection_noise", angles=150, n0=1e15, reference=reference)
        for reference in ("original", "reconstructed")
    )
    assert (plain.has_base, fair.has_base) == (False, True)
    assert np.array_equal(plain.base(image, rng("fair")), image)
    same = fair.base(image, rng("fair")) == fair.artifact(image, rng("fair"))
    assert same.mean() > 0.99
    assert (fair.base(image, rng("fair")) != image).mean() > 0.2


def test_attenuation_below_zero_becomes_zero():
    image = slice_of_a_chest(64)
    image[:5] = 0  # -1200 HU
    drawn = build("projection_noise", n0=1e15).artifact(image, rng())
    assert np.abs(drawn[:4].astype(float) - 25.4).max() < 4  # -1001 HU is 25.4 grey levels


@settings(max_examples=10, deadline=None)
@given(n0=st.floats(1, 1e15), angles=st.integers(2, 50), seed=st.integers(0, 99))
def test_any_parameters_and_any_image_give_grey_levels(n0, angles, seed):
    image = rng("any", seed).integers(0, 256, (32, 32), dtype=np.uint8)
    confounder = build("projection_noise", n0=n0, angles=angles)
    first, second = (confounder.artifact(image, rng(seed)) for _ in range(2))
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n0": 0}, "n0 is 0; it must be a number from 1 to 1e15 photons"),
        ({"angles": 1.5}, "angles is 1.5; it must be a whole number from 2 to 10000"),
        ({"width": 362}, "width is 362; it must be a number from 0.01 to 1 m"),
        ({"accelerator": "cuda"}, "accelerator is 'cuda'; it must be 'auto' or 'cpu' or 'gpu'"),
        ({"accelerator": 1}, "accelerator is 1; it must be 'auto' or 'cpu' or 'gpu'"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_said(parameters, message):
    with pytest.raises(SourceBenchError, match=message):
        build("projection_noise", **parameters)


def test_an_image_that_is_not_square_is_refused():
    with pytest.raises(SourceBenchError, match="20×30 px; crop it to a square"):
        build("projection_noise").artifact(np.zeros((20, 30), np.uint8), rng())


def finds(monkeypatch, *, cuda=False, mps=False):
    """Set what graphics cards PyTorch finds."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize("card", ["cuda", "mps"])
def test_a_card_is_used_where_there_is_one(monkeypatch, card):
    finds(monkeypatch, **{card: True})
    engines = [build("projection_noise", accelerator=of).engine for of in ("auto", "cpu", "gpu")]
    assert engines == [f"PyTorch on {of}" for of in (card, "cpu", card)]
    assert build("projection_noise").uses_card
    assert not build("tag").uses_card


def test_without_a_card_auto_takes_the_cpu_and_gpu_is_an_error(monkeypatch):
    finds(monkeypatch)
    assert build("projection_noise").engine == "PyTorch on cpu"
    with pytest.raises(SourceBenchError, match=r"accelerator is 'gpu', but PyTorch finds no card"):
        build("projection_noise", accelerator="gpu").artifact(slice_of_a_chest(32), rng())


def write(path, native):
    write_layer(
        build("projection_noise", accelerator="cpu", angles=60),
        "artifact",
        native,
        [f"slice_{row}" for row in range(len(native))],
        input_size=48,
        resize_method="nearest",
        seed=0,
        path=path,
        threads=2,
    )
    return files.load_array(path)


def test_a_layer_is_drawn_where_astra_can_not_be_installed(monkeypatch, tmp_path):
    native = np.stack([slice_of_a_chest(48)] * 3)
    monkeypatch.setitem(sys.modules, "astra", None)  # importing it fails
    drawn = write(tmp_path / "without.npy", native)
    monkeypatch.undo()
    assert drawn.shape == native.shape
    assert (drawn != native).mean() > 0.2
    assert np.array_equal(drawn, write(tmp_path / "with.npy", native))


def test_the_record_says_what_computed_a_layer():
    record = record_of(build("projection_noise", n0="1e6", accelerator="cpu"), "base")
    assert record["engine"] == "PyTorch on cpu"
    assert record["parameters"]["n0"] == 1e6
    assert (record["kind"], record["layer"]) == ("projection_noise", "base")
    assert record["versions"]["torch"] == torch.__version__.split("+")[0]
    assert json.loads(json.dumps(record)) == record


def test_pytorch_is_imported_when_something_is_drawn_not_before():
    code = "import sys, sourcebench.artifacts; sys.exit('torch' in sys.modules)"
    library = ROOT / "workflow" / "scripts"
    subprocess.run([sys.executable, "-c", code], cwd=library, check=True)
