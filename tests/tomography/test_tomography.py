"""The projector pair against calculus, scikit-image, ASTRA, and itself written out plainly."""

import math
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import iradon, radon

from sourcebench import seeds
from sourcebench.artifacts import ARTIFACTS
from sourcebench.tomography import ParallelBeam, joseph
from sourcebench.tomography.parallel_beam import ram_lak
from tomography_shapes import SIDE, X, Y, blob, disc, ellipse, slice_of_a_chest

try:
    import astra
except ImportError:  # no wheels for ARM nor for a Mac
    astra = None

needs_astra = pytest.mark.skipif(astra is None, reason="ASTRA is not installed on this machine")
ANGLES = 90
BEAM = ParallelBeam(SIDE, width=0.26, angles=ANGLES)
OFFSETS = np.arange(BEAM.detectors) - BEAM.detectors // 2
THETA = np.arange(ANGLES)[:, None] * np.pi / ANGLES

sides, turns, numbers = st.integers(1, 40), st.integers(1, 30), st.integers(0, 99)


def rng(*name):
    return seeds.generator("test", *name)


def astras(beam, name, given, **options):
    """What ASTRA makes of an image ('FP') or of line integrals ('BP', 'FBP'), in px."""
    plane = astra.create_vol_geom(beam.side, beam.side)
    theta = np.arange(beam.angles) * np.pi / beam.angles
    rays = astra.create_proj_geom("parallel", 1.0, beam.detectors, theta)
    image, lines = (given, 0) if name == "FP" else (0, given)
    config = astra.astra_dict(name)
    config["ProjectorId"] = astra.create_projector("linear", rays, plane)
    volume = config["VolumeDataId"] = config["ReconstructionDataId"] = astra.data2d.create(
        "-vol", plane, image
    )
    sinogram = config["ProjectionDataId"] = astra.data2d.create("-sino", rays, lines)
    config["option"] = options
    algorithm = astra.algorithm.create(config)
    astra.algorithm.run(algorithm)
    result = astra.data2d.get(sinogram if name == "FP" else volume)
    astra.clear()
    return result


def plainly(beam, image):
    """Joseph's line integrals, in px, ray by ray as he describes them."""
    centre = (beam.side - 1) / 2
    padded = np.pad(image.astype(float), 1)
    lines = np.zeros((beam.angles, beam.detectors))
    for k, j in np.ndindex(lines.shape):
        theta, s = k * math.pi / beam.angles, j - beam.detectors // 2
        cos, sin = math.cos(theta), math.sin(theta)
        steep = abs(cos) >= abs(sin)
        for line in range(beam.side):
            if steep:  # from row to row
                place = (s - (centre - line) * sin) / cos + centre
                pixels = padded[line + 1]
            else:  # from column to column
                place = centre - (s - (line - centre) * cos) / sin
                pixels = padded[:, line + 1]
            if -1 < place < beam.side:
                low = math.floor(place)
                share = place - low
                value = (1 - share) * pixels[low + 1] + share * pixels[low + 2]
                lines[k, j] += value / max(abs(cos), abs(sin))
    return lines


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


@pytest.mark.parametrize(("width", "height"), [(40, 40), (50, 25)])
def test_line_integrals_of_an_ellipse_are_its_chords(width, height):
    s = OFFSETS - (10 * np.cos(THETA) - 5 * np.sin(THETA))
    reach = np.hypot(width * np.cos(THETA), height * np.sin(THETA))
    chords = 40 * width * height * np.sqrt(np.maximum(reach**2 - s**2, 0)) / reach**2 * BEAM.pitch
    away_from_the_edge = np.abs(s) < reach - 3
    error = np.abs(BEAM.project(ellipse(10, -5, width, height)) - chords)[away_from_the_edge]
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


@settings(max_examples=15, deadline=None)
@given(side=st.integers(1, 12), angles=st.integers(1, 13), seed=numbers)
def test_line_integrals_are_josephs_but_where_a_ray_may_take_either_way(side, angles, seed):
    beam = ParallelBeam(side, side, angles)
    image = rng("plainly", seed).normal(size=(side, side))
    error = np.abs(beam.project(image) - plainly(beam, image))
    diagonal = (4 * np.arange(angles)) % (2 * angles) == angles  # π/4 and 3π/4
    assert error[~diagonal].max(initial=0) < 1e-5 * side


@needs_astra
@settings(max_examples=15, deadline=None)
@given(side=sides, angles=turns, seed=numbers)
def test_projector_and_reconstruction_are_astras(side, angles, seed):
    beam, draws = ParallelBeam(side, side, angles), rng("astra", seed)
    image = draws.normal(size=(side, side)).astype(np.float32)
    lines = draws.normal(size=(angles, beam.detectors)).astype(np.float32)
    filtered = astras(beam, "FBP", lines, FilterType="ram-lak")
    assert np.abs(beam.project(image) - astras(beam, "FP", image)).max() < 1e-3
    assert np.abs(beam.backproject(lines) - astras(beam, "BP", lines)).max() < 2e-3
    assert np.abs(beam.reconstruct(lines) - filtered).max() < 2e-3


@needs_astra
def test_a_slice_in_8_bit_is_astras_but_for_one_pixel_in_two_hundred(monkeypatch):
    """362², 1000 angles, no noise: those that truncation puts on two sides of a grey level."""
    image = slice_of_a_chest(362)
    scan = ARTIFACTS.build("projection_noise", reference="reconstructed", accelerator="cpu").base
    ours = scan(image, rng("slice")).astype(int)

    def reconstruct(beam, lines):
        return astras(beam, "FBP", lines, FilterType="ram-lak") / beam.pitch

    monkeypatch.setattr(
        ParallelBeam, "project", lambda beam, mu: astras(beam, "FP", mu) * beam.pitch
    )
    monkeypatch.setattr(ParallelBeam, "reconstruct", reconstruct)
    difference = np.abs(ours - scan(image, rng("slice")))
    assert difference.max() <= 1
    assert difference.mean() < 0.005


def test_the_filter_is_a_convolution_with_ram_laks_kernel():
    lines = rng("filter").normal(size=(3, 65))
    n = np.arange(-64, 65)
    kernel = np.where(n % 2 == 0, 0, -1 / (np.pi * np.where(n == 0, 1, n)) ** 2)
    kernel[64] = 1 / 4
    expected = [np.convolve(line, kernel)[64:-64] for line in lines]
    assert ram_lak(lines) == pytest.approx(np.array(expected), abs=1e-6)


def both_ways(image):
    lines = BEAM.project(image)
    return lines, BEAM.backproject(lines)


def test_the_number_of_threads_changes_no_bit():
    image, before = disc(10, -5, 40), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = both_ways(image)
        torch.set_num_threads(3)
        together = both_ways(image)
    finally:
        torch.set_num_threads(before)
    assert all(map(np.array_equal, alone, together))


@pytest.fixture
def fresh():
    """A matrix that is made in this test and forgotten after it."""
    caches = joseph._rays, joseph._pixels
    for cache in caches:
        cache.cache_clear()
    yield caches
    for cache in caches:
        cache.cache_clear()


def test_a_matrix_too_large_to_be_kept_is_made_part_by_part(monkeypatch, fresh):
    lines, back = both_ways(disc(10, -5, 40))
    monkeypatch.setattr(joseph, "PART", 5 * SIDE**2)
    for cache in fresh:
        cache.cache_clear()
    in_parts = both_ways(disc(10, -5, 40))
    assert fresh[0].cache_info().misses > 4
    assert np.array_equal(in_parts[0], lines)
    assert in_parts[1] == pytest.approx(back, rel=1e-5)


def test_threads_share_a_matrix_that_is_made_once(fresh):
    images = [disc(0, 0, radius) for radius in (10, 20, 30, 40)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(both_ways, images))
    for image, (lines, back) in zip(images, together, strict=True):
        alone = both_ways(image)
        assert np.array_equal(lines, alone[0])
        assert np.array_equal(back, alone[1])
    assert [cache.cache_info().misses for cache in fresh] == [1, 1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card with CUDA")
def test_the_card_computes_what_the_processor_does():
    image = blob(20, -11, 9) + blob(-15, 8, 14)
    card, lines = ParallelBeam(SIDE, 0.26, ANGLES, "cuda"), BEAM.project(image)
    assert card.project(image) == pytest.approx(lines, abs=1e-5 * lines.max())
    ours = BEAM.reconstruct(lines)
    assert card.reconstruct(lines) == pytest.approx(ours, abs=1e-4 * ours.max())
