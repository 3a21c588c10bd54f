"""Projection noise: the projector pair against other implementations, the noise against theory."""

import math
import subprocess
import sys
import warnings
from pathlib import Path

import astra
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import iradon, radon

from sourcebench import seeds
from sourcebench.confounders import build, tomography
from sourcebench.confounders.projection_noise import noisy_lines
from sourcebench.confounders.tomography import ParallelBeam
from sourcebench.errors import SourceBenchError

SIDE, ANGLES = 129, 90
BEAM = ParallelBeam(SIDE, width=0.26, angles=ANGLES)
X, Y = np.arange(SIDE) - (SIDE - 1) / 2, (SIDE - 1) / 2 - np.arange(SIDE)[:, None]
"""Of pixels' centres, in px from the image's centre, y pointing up."""

OFFSETS = np.arange(BEAM.detectors) - BEAM.detectors // 2
THETA = np.arange(ANGLES)[:, None] * np.pi / ANGLES


def rng(*name):
    return seeds.generator("test", *name)


def blob(x, y, sigma):
    """A smooth bump of 20 per metre."""
    return 20 * np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * sigma**2))


def disc(x, y, radius, fine=8):
    """A disc of 20 per metre; pixels at its edge hold the share that it covers."""
    steps = (np.arange(fine) + 0.5) / fine - 0.5
    inside = [np.hypot(X - x + dx, Y - y + dy) <= radius for dx in steps for dy in steps]
    return 20 * np.mean(inside, axis=0)


def ellipse(width, height):
    return 20.0 * (np.hypot(X / width, Y / height) <= 1)


def slice_of_a_chest(side):
    """Grey levels of a body with lungs and a spine in air, edges softened over about 2 px."""
    x = (np.arange(side) - (side - 1) / 2) / side
    y = x[:, None]

    def soft(x0, y0, width, height):
        distance = (np.hypot((x - x0) / width, (y - y0) / height) - 1) * min(width, height)
        return 1 / (1 + np.exp(np.clip(distance * side, -50, 50)))

    hu = -990 + 1030 * soft(0, 0, 0.45, 0.33) + 250 * soft(0, 0.2, 0.05, 0.05)
    hu = hu - 880 * (soft(-0.2, 0, 0.15, 0.22) + soft(0.2, 0, 0.15, 0.22))
    return ((hu + 1200) * 255 / 2000).astype(np.uint8)


# --- the scanner ---------------------------------------------------------------------------------


def test_the_geometry_is_lodopabs():
    beam = ParallelBeam(362)
    assert (beam.detectors, beam.angles, beam.width) == (513, 1000, 0.26)
    assert beam.pitch == pytest.approx(0.26 / 362)


@given(side=st.integers(1, 2000))
def test_the_detector_is_odd_and_just_covers_the_diagonal(side):
    detectors = ParallelBeam(side).detectors
    assert detectors % 2 == 1
    assert detectors - 2 < side * math.sqrt(2) <= detectors


def test_line_integrals_are_those_of_scikit_image():
    image = blob(20, -11, 9) + blob(-15, 8, 14)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the bumps' feet reach out of the circle
        theirs = radon(image, np.degrees(THETA.ravel()), circle=True).T * BEAM.pitch
    margin = (BEAM.detectors - SIDE) // 2
    ours = BEAM.project(image)[:, margin:-margin]
    assert np.abs(ours - theirs).max() < 2e-3 * theirs.max()


@settings(max_examples=10, deadline=None)
@given(x=st.integers(-20, 20), y=st.integers(-20, 20), width=st.floats(0.1, 0.5))
def test_line_integrals_of_a_bump_are_those_of_calculus(x, y, width):
    beam, sigma = ParallelBeam(SIDE, width, ANGLES), 9
    s = OFFSETS - (x * np.cos(THETA) + y * np.sin(THETA))
    expected = 20 * sigma * math.sqrt(2 * math.pi) * np.exp(-(s**2) / (2 * sigma**2)) * beam.pitch
    assert np.abs(beam.project(blob(x, y, sigma)) - expected).max() < 2e-3 * expected.max()


def test_line_integrals_of_a_disc_are_its_chords():
    s = OFFSETS - (10 * np.cos(THETA) - 5 * np.sin(THETA))
    chords = 20 * 2 * np.sqrt(np.maximum(40**2 - s**2, 0)) * BEAM.pitch
    away_from_the_edge = np.abs(s) < 37
    error = np.abs(BEAM.project(disc(10, -5, 40)) - chords)[away_from_the_edge]
    assert error.max() < 0.01 * chords.max()
    assert error.mean() < 0.001 * chords.max()


@settings(max_examples=10, deadline=None)
@given(side=st.integers(2, 60), angles=st.integers(1, 40), seed=st.integers(0, 99))
def test_back_projection_is_the_adjoint_of_projection(side, angles, seed):
    beam, draws = ParallelBeam(side, 0.26, angles), rng("adjoint", seed)
    image = draws.normal(size=(side, side))
    sinogram = draws.normal(size=(angles, beam.detectors))
    projected, backprojected = beam.project(image), beam.backproject(sinogram)
    size = np.linalg.norm(projected) * np.linalg.norm(sinogram)
    difference = np.vdot(projected, sinogram) - np.vdot(image, backprojected)
    assert abs(difference) < 1e-6 * size


def test_the_reconstruction_is_that_of_scikit_image():
    """But for the X through the centre, where the kernels' Moiré is."""
    beam = ParallelBeam(SIDE, 0.26, 180)
    sinogram = beam.project(blob(20, -11, 9) + blob(-15, 8, 14))
    theirs = iradon(sinogram.T / beam.pitch, np.arange(180.0), filter_name="ramp", output_size=SIDE)
    error = np.abs(beam.reconstruct(sinogram) - theirs)
    inside = np.hypot(X, Y) < SIDE / 2 - 4
    assert error[inside].max() < 0.1 * theirs.max()
    assert error[inside].mean() < 0.002 * theirs.max()
    assert np.percentile(error[inside], 99) < 0.02 * theirs.max()


@pytest.mark.parametrize("side", [128, 129])
@pytest.mark.parametrize("width", [0.26, 0.4])
def test_reconstruction_undoes_projection_of_what_is_smooth(side, width):
    beam = ParallelBeam(side, width, 180)
    image = (blob(20, -11, 9) + blob(-15, 8, 14))[:side, :side]
    error = beam.reconstruct(beam.project(image)) - image
    body = image > 1
    assert abs(error[body].mean()) < 1e-3 * image[body].mean()
    assert error[body].std() < 0.01 * image[body].mean()


def test_astra_keeps_nothing(monkeypatch):
    made, freed = [], []

    def listed(identifiers, function):
        def call(*given):
            result = function(*given)
            identifiers.append(given[0] if result is None else result)
            return result

        return call

    monkeypatch.setattr(astra, "create_projector", listed(made, astra.create_projector))
    for room in (astra.data2d, astra.projector, astra.algorithm):
        monkeypatch.setattr(room, "create", listed(made, room.create))
        monkeypatch.setattr(room, "delete", listed(freed, room.delete))
    beam = ParallelBeam(16, angles=4)
    beam.reconstruct(beam.project(np.ones((16, 16))))
    with pytest.raises(ValueError, match="dimensions"):
        beam.project(np.ones((5, 7)))
    assert len(set(made)) >= 8  # an image, line integrals, a projector, an algorithm, twice
    assert set(made) == set(freed)


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
        of_lines = math.exp(20 * 100 * BEAM.pitch) / n0
        ramp = math.pi**2 / (12 * angles * BEAM.pitch**2)
        variances.append(noise.var() * n0)
        assert 2 / 3 - 2 / math.pi**2 < noise.var() / (ramp * of_lines) < 1
    assert variances == pytest.approx([np.mean(variances)] * 3, rel=0.1)  # ∝ 1/n0


def correlation(noise, rows, columns, where):
    moved = np.roll(noise, (rows, columns), (0, 1))
    return (noise * moved)[where].mean() / (noise**2)[where].mean()


def test_noise_forms_streaks_along_the_rays_that_cross_most_body():
    """In a flat body such as shoulders; noise in the image domain has no such correlation."""
    flat, inside = ellipse(60, 20), ellipse(50, 15) > 0
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


@pytest.fixture
def found(monkeypatch):
    """Sets whether ASTRA finds a graphics card."""
    tomography.device_of.cache_clear()
    yield lambda card: monkeypatch.setattr(astra, "use_cuda", lambda: card)
    tomography.device_of.cache_clear()


def test_a_card_is_used_where_there_is_one(found):
    found(True)
    engines = [build("projection_noise", accelerator=of).engine for of in ("auto", "cpu", "gpu")]
    assert engines == ["gpu", "cpu", "gpu"]
    assert build("projection_noise").uses_card
    assert not build("tag").uses_card


def test_without_a_card_auto_takes_the_cpu_and_gpu_is_an_error(found):
    found(False)
    assert build("projection_noise").engine == "cpu"
    with pytest.raises(SourceBenchError, match=r"ASTRA finds no graphics card .*use 'auto', or"):
        build("projection_noise", accelerator="gpu").artifact(slice_of_a_chest(32), rng())


@pytest.mark.skipif(not astra.use_cuda(), reason="needs a graphics card with CUDA")
def test_the_card_computes_what_the_processor_does():
    image = blob(20, -11, 9) + blob(-15, 8, 14)
    card = ParallelBeam(SIDE, 0.26, ANGLES, "gpu")
    lines = BEAM.project(image)
    assert np.abs(card.project(image) - lines).max() < 5e-3 * lines.max()
    assert np.abs(card.reconstruct(lines) - image).max() < 0.05 * image.max()


def test_astra_is_imported_when_something_is_drawn_not_before():
    library = Path(seeds.__file__).parents[1]
    code = "import sys, sourcebench.confounders; sys.exit('astra' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=library, check=True)
