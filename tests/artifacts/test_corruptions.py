"""Corruptions: formulas against other libraries and closed forms, severities, and colour."""

import math
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as PIL
from PIL import ImageEnhance
from scipy import ndimage
from skimage import data, exposure

from sourcebench import files, seeds
from sourcebench.artifacts import ARTIFACTS, write_layer
from sourcebench.artifacts.blurring import disc, line, spread
from sourcebench.artifacts.drawing import version
from sourcebench.artifacts.elastic import displaced
from sourcebench.imaging import resize
from sourcebench.phantoms.radiograph import render

build = ARTIFACTS.build
GRADED = [kind for kind in ARTIFACTS.names() if ARTIFACTS.get(kind).severities]
WHOLE = [kind for kind in ARTIFACTS.names() if not ARTIFACTS.get(kind).channelwise]
CORRUPTIONS = {
    "brightness_up", "brightness_down", "contrast", "gamma", "gaussian_noise", "poisson_noise",
    "motion_blur", "defocus", "elastic", "jpeg", "low_resolution", "letter",
}  # fmt: skip


def rng(*name):
    return seeds.generator("corruptions", *name)


def at(kind, severity, **more):
    """A kind at one of its severities."""
    return build(kind, **(dict(ARTIFACTS.get(kind).severities[severity - 1]) | more))


@pytest.fixture(scope="module")
def pictures():
    """A phantom X-ray and a photograph, 192×192 and 192×192×3."""
    facts = {"patient": "00000003", "sex": "M", "age": 50, "view": "PA", "findings": ["Mass"]}
    phantom = render("00000003_000.png", side=256, **facts)
    photograph = np.ascontiguousarray(data.astronaut())
    return [resize(each, 192, "antialiased") for each in (phantom, photograph)]


def grain(*shape):
    return rng("grain", *shape).integers(0, 256, shape, dtype=np.uint8)


# --- severities ----------------------------------------------------------------------------------


def test_the_corruptions_are_graded_and_nothing_else_is():
    assert set(GRADED) == CORRUPTIONS


@pytest.mark.parametrize("kind", GRADED)
def test_there_are_five_severities_and_the_third_is_the_usual_one(kind):
    severities = ARTIFACTS.get(kind).severities
    assert len(severities) == 5
    assert len({at(kind, number) for number in range(1, 6)}) == 5
    # Eq. 2's usual dose is the paper's, which is none of them.
    assert (at(kind, 3) == build(kind)) == (kind != "poisson_noise")


@pytest.mark.parametrize("kind", GRADED)
def test_images_are_the_farther_from_clean_the_more_severe(kind, pictures):
    for picture in pictures:
        distances = [0.0]
        for severity in range(1, 6):
            # At the size of the picture, so that no resize is part of the distance.
            more = {"resolution": 192} if kind == "poisson_noise" else {}
            changed = version(at(kind, severity, **more), "artifact", picture, "a", 7)
            distances.append(np.abs(changed.astype(float) - picture).mean())
        steps = np.diff(distances)
        assert (steps > 0.02 * distances[-1]).all(), distances
        assert 0.5 < distances[-1] < 70  # grey levels


# --- grey levels ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "factor"), [("brightness_up", 1.3), ("brightness_up", 2), ("brightness_down", 0.6)]
)
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 3)])
def test_brightness_is_pillows(kind, factor, shape):
    image = grain(*shape)
    theirs = ImageEnhance.Brightness(PIL.fromarray(image)).enhance(factor)
    ours = version(build(kind, factor=factor), "artifact", image, "a", 7)
    assert np.abs(ours.astype(int) - np.asarray(theirs)).max() <= 1  # Pillow cuts fractions off


@pytest.mark.parametrize("factor", [0, 0.4, 1.5])
def test_contrast_is_pillows_in_each_channel(factor):
    image = grain(40, 30, 6)
    ours = version(build("contrast", factor=factor), "artifact", image, "a", 7)
    for channel in range(6):
        theirs = ImageEnhance.Contrast(PIL.fromarray(image[..., channel])).enhance(factor)
        # Pillow rounds the mean, and cuts fractions off.
        assert np.abs(ours[..., channel].astype(int) - np.asarray(theirs)).max() <= 2


@pytest.mark.parametrize("gamma", [0.5, 1.3, 2.2])
def test_gamma_is_scikit_images_and_leaves_black_and_white(gamma):
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    ours = build("gamma", gamma=gamma).artifact(image, rng()).astype(int)
    assert np.abs(ours - exposure.adjust_gamma(image, gamma)).max() <= 1
    assert (ours.flat[0], ours.flat[-1]) == (0, 255)
    middle = 255 * (100 / 255) ** gamma
    assert abs(ours.flat[100] - middle) <= 0.5


# --- noise ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sd", [2, 10.2, 30])
def test_gaussian_noise_has_its_variance_everywhere_and_is_white(sd):
    flat = np.full((400, 400), 128, np.uint8)
    added = build("gaussian_noise", sd=sd).artifact(flat, rng(sd)).astype(float) - 128
    assert added.std() == pytest.approx(math.sqrt(sd**2 + 1 / 12), rel=0.01)
    assert abs(added.mean()) < 4 * added.std() / 400
    assert abs(np.corrcoef(added[:, 1:].ravel(), added[:, :-1].ravel())[0, 1]) < 0.01
    if sd > 10:
        assert abs(((added / added.std()) ** 4).mean() - 3) < 0.1  # a normal's kurtosis


def test_channels_have_gaussian_noise_of_their_own():
    flat = np.full((200, 200, 3), 128, np.uint8)
    noise = version(at("gaussian_noise", 3), "artifact", flat, "a", 7).reshape(-1, 3)
    assert np.abs(np.corrcoef(noise.T.astype(float)) - np.eye(3)).max() < 0.02


def test_an_image_has_the_same_noise_at_every_severity():
    flat = np.full((64, 64), 128, np.uint8)
    least, more = (at("gaussian_noise", n).artifact(flat, rng(1)).astype(float) for n in (1, 3))
    assert np.corrcoef(least.ravel(), more.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(("severity", "photons"), enumerate((200, 100, 50, 25, 15), 1))
def test_doses_are_as_noisy_in_mid_grey_as_shot_noise_of_so_many_photons(severity, photons):
    flat = np.full((256, 256), 128, np.uint8)
    shots = rng(photons).poisson(0.5 * photons, flat.shape) / photons * 255
    noisy = at("poisson_noise", severity).artifact(flat, rng(photons, "ours")).astype(float)
    assert noisy.std() == pytest.approx(shots.std(), rel=0.03)


# --- blur ----------------------------------------------------------------------------------------


def moments(kernel):
    """The mean (x, y) and the covariance of a kernel's weight, px; y goes up."""
    half = len(kernel) // 2
    y, x = np.mgrid[half : -half - 1 : -1, -half : half + 1]
    places = np.stack([x.ravel(), y.ravel()])
    mean = places @ kernel.ravel()
    return mean, (places - mean[:, None]) * kernel.ravel() @ (places - mean[:, None]).T


@pytest.mark.parametrize("radius", [0.0, 0.4, 1.0, 2.5, 7.3, 20])
def test_a_disc_has_the_weight_the_middle_and_the_spread_of_one(radius):
    kernel = disc(radius)
    mean, spread_ = moments(kernel)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert np.abs(mean).max() < 1e-6
    if radius >= 2:  # r²/4 along each axis, and 1/12 less within pixels
        assert np.allclose(spread_, np.eye(2) * (radius**2 / 4), atol=0.12 + 0.02 * radius)
        assert kernel.max() == pytest.approx(1 / (math.pi * radius**2), rel=0.03)
    assert radius > 0.5 or kernel.max() == 1


@pytest.mark.parametrize("length", [0.0, 0.7, 5.5, 31])
@pytest.mark.parametrize("angle", [-45, -10, 0, 33.3, 90])
def test_a_line_has_the_weight_the_middle_the_length_and_the_angle_of_one(length, angle):
    kernel = line(length, angle)
    mean, spread_ = moments(kernel)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert (kernel >= 0).all()
    assert np.abs(mean).max() < 1e-4
    along = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    across = np.array([-along[1], along[0]])
    # Interpolation between pixels adds at most 1/4 to the variance along an axis.
    assert -1e-3 < along @ spread_ @ along - length**2 / 12 < 0.3 + 0.04 * length
    assert -1e-3 < across @ spread_ @ across < 0.3
    assert length or np.array_equal(kernel, [[1]])


@pytest.mark.parametrize("kernel", [disc(3.2), disc(9), line(4, 20), line(25, -40)])
@pytest.mark.parametrize("shape", [(50, 37), (50, 37, 3), (40, 40, 6)])
def test_images_are_spread_as_scipy_convolves(kernel, shape):
    image = grain(*shape)
    weights = kernel.reshape(*kernel.shape, *[1] * (len(shape) - 2)).astype(float)
    theirs = ndimage.convolve(image.astype(float), weights, mode="mirror")
    assert np.abs(spread(image, kernel) - theirs).max() < 0.51


@pytest.mark.parametrize(("kind", "key"), [("defocus", "radius"), ("motion_blur", "length")])
def test_lengths_scale_with_the_side(kind, key):
    point = np.zeros((2, 257, 257), np.uint8)
    point[:, 128, 128] = 255
    blur = build(kind, **{key: 40})
    small = blur.artifact(point[0][64:193, 64:193], rng(1)) > 0
    large = blur.artifact(point[1], rng(1)) > 0
    extent = [mask.any(0).sum() for mask in (small, large)]
    assert extent[1] / extent[0] == pytest.approx(2, rel=0.25)


def test_motion_has_an_angle_of_the_images_own_within_its_limits():
    images = [f"{number}.png" for number in range(200)]
    flat = np.zeros((65, 65), np.uint8)
    flat[32, 32] = 255
    blur = build("motion_blur", length=512, angle=30)
    angles = []
    for image in images:
        _, spread_ = moments(version(blur, "artifact", flat, image, 7) / 255)
        angles.append(
            math.degrees(np.arctan2(2 * spread_[0, 1], spread_[0, 0] - spread_[1, 1]) / 2)
        )
    assert -33 < min(angles) < -25
    assert 25 < max(angles) < 33
    assert abs(np.mean(angles)) < 5


# --- elastic -------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothness", [0.3, 2.0, 13.0])
def test_displacements_have_their_deviation_and_smoothness(smoothness):
    fields = displaced((600, 500), smoothness, rng(smoothness))
    assert fields.shape == (2, 600, 500)
    count = 300_000 / max(1, 4 * math.pi * smoothness**2)  # independent places
    assert fields.std() == pytest.approx(1, abs=3 / math.sqrt(count) + 0.01)
    assert abs(np.corrcoef(fields.reshape(2, -1))[0, 1]) < 5 / math.sqrt(count)
    if smoothness > 1:  # what a Gaussian of σ smooths has the autocorrelation exp(-d²/4σ²)
        step = round(2 * smoothness)
        near = np.corrcoef(fields[0, step:].ravel(), fields[0, :-step].ravel())[0, 1]
        assert near == pytest.approx(math.exp(-(step**2) / (4 * smoothness**2)), abs=0.07)


@pytest.mark.parametrize("shape", [(64, 64), (50, 80), (64, 64, 3), (40, 40, 6)])
def test_pixels_are_moved_as_scipy_moves_them(shape):
    image = np.asarray(ndimage.gaussian_filter(grain(*shape).astype(float), 2), np.uint8) * 2
    elastic, scale = build("elastic", displacement=30), min(shape[:2]) / 1024
    field = displaced(shape[:2], 40 * scale, rng("field")) * 30 * scale
    rows, columns = np.indices(shape[:2])
    at = [rows + field[1], columns + field[0]]
    ours = elastic.artifact(image, rng("field")).reshape(*shape[:2], -1)
    for channel, grey in enumerate(np.moveaxis(np.atleast_3d(image), -1, 0).astype(float)):
        theirs = ndimage.map_coordinates(grey, at, order=1, mode="mirror")
        assert np.abs(ours[..., channel] - theirs).max() < 2.5  # OpenCV moves by 1/32 px
        assert np.abs(ours[..., channel] - theirs).mean() < 0.5


# --- JPEG, low resolution, the letter ------------------------------------------------------------


@pytest.mark.parametrize("quality", [50, 7])
@pytest.mark.parametrize("channels", [None, 1, 3, 6])
def test_jpeg_is_what_pillow_reads_of_what_it_writes(quality, channels):
    image = resize(np.ascontiguousarray(data.astronaut()), 96, "antialiased")
    image = {None: image[..., 0], 1: image[..., :1], 6: np.tile(image, 2)}.get(channels, image)
    ours = version(build("jpeg", quality=quality), "artifact", image, "a", 7)

    def compressed(pixels):
        file = BytesIO()
        PIL.fromarray(np.ascontiguousarray(pixels)).save(file, "jpeg", quality=quality)
        return np.asarray(PIL.open(BytesIO(file.getvalue())))

    if channels in (None, 3):
        assert np.array_equal(ours, compressed(image))
    else:
        for channel in range(channels):
            assert np.array_equal(ours[..., channel], compressed(image[..., channel]))


@pytest.mark.parametrize(
    ("side", "share", "small"), [(224, 0.25, 56), (448, 0.5, 112), (64, 0.5, 32)]
)
def test_low_resolution_is_pillows_reduction_and_enlargement(side, share, small):
    image = ndimage.gaussian_filter(grain(side, side), 1)
    ours = build("low_resolution", share=share).artifact(image, rng()).astype(int)
    reduced = PIL.fromarray(image).resize((small, small), PIL.Resampling.BOX)
    theirs = np.asarray(reduced.resize((side, side), PIL.Resampling.BILINEAR))
    assert np.abs(ours - theirs).max() <= 2


@pytest.mark.parametrize("shape", [(40, 80), (80, 40)])
def test_low_resolution_keeps_the_shape_of_a_pixel(shape):
    image = np.tile(np.uint8([[0, 255], [255, 0]]), (shape[0] // 2, shape[1] // 2))
    reduced = build("low_resolution", share=0.5).artifact(image, rng())
    assert reduced.shape == shape
    assert np.abs(reduced.astype(int) - 128).max() <= 1  # every 2×2 px are one


def test_the_letter_is_the_tags_drawing_and_comes_nearer_to_the_middle():
    image = np.zeros((512, 512), np.uint8)
    middles = []
    for severity in range(1, 6):
        letter = at("letter", severity)
        drawn = letter.artifact(image, rng())
        same = {key: getattr(letter, key) for key in ("text", "size", "x", "y")}
        assert np.array_equal(drawn, build("tag", **same).artifact(image, rng()))
        middles.append(math.hypot(*(np.mean(np.nonzero(drawn), axis=1) - 256)))
    assert (np.diff(middles) < 0).all()


# --- colour --------------------------------------------------------------------------------------


def test_some_kinds_take_an_image_whole():
    assert set(WHOLE) == {"motion_blur", "elastic", "jpeg"}


@pytest.mark.parametrize("kind", sorted(CORRUPTIONS))
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_colour_keeps_its_shape_and_equal_channels_stay_equal_but_for_noise(kind, channels):
    grey = ndimage.gaussian_filter(grain(64, 48), 1)
    image = np.repeat(grey[..., None], channels, axis=-1)
    before = image.copy()
    drawn = version(at(kind, 3), "artifact", image, "a", 7)
    assert (drawn.shape, drawn.dtype) == (image.shape, np.uint8)
    assert np.array_equal(image, before)
    together = np.ptp(drawn.astype(int), axis=-1).max()
    if kind.endswith("noise"):
        assert (together > 20) == (channels > 1)
    else:
        assert together <= (3 if kind == "jpeg" else 0)  # by way of luminance and colour
    if channels == 1:
        assert np.array_equal(drawn[..., 0], version(at(kind, 3), "artifact", grey, "a", 7))


@pytest.mark.parametrize("kind", sorted(CORRUPTIONS))
def test_a_layer_in_colour_is_the_same_for_any_threads_and_subset(kind, tmp_path):
    native, ids = grain(4, 48, 48, 3), ["a", "b", "c", "d"]
    more = {"resolution": 48} if kind == "poisson_noise" else {}

    def layer(name, rows, threads):
        write_layer(
            at(kind, 4, **more), "artifact", native[rows], [ids[row] for row in rows],
            input_size=32, resize_method="nearest", seed=7, path=tmp_path / name, threads=threads,
        )  # fmt: skip
        return np.array(files.load_array(tmp_path / name))

    whole = layer("whole.npy", [0, 1, 2, 3], 1)
    assert whole.shape == (4, 32, 32, 3)
    assert np.array_equal(whole, layer("threads.npy", [0, 1, 2, 3], 3))
    assert np.array_equal(whole[[3, 1]], layer("part.npy", [3, 1], 1))
