"""Confounders against independent implementations of their formulas, and what they promise."""

import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.ft2font import FT2Font

from sourcebench import files, fingerprints, imaging, seeds
from sourcebench.artifacts import ARTIFACTS, Artifact, drawing, fingerprint, write_layer
from sourcebench.attributes import ATTRIBUTES, Attribute
from sourcebench.errors import SourceBenchError
from sourcebench.traits import Taxon

KINDS = ARTIFACTS.names()
build = ARTIFACTS.build
SETTINGS = settings(max_examples=25, deadline=None)
IMAGES = st.integers(8, 48).flatmap(lambda side: arrays(np.uint8, (side, side)))


def rng(*name):
    return seeds.generator("test", *name)


def radiograph(side, seed=0):
    """Something smooth with grain on it, from 30 to 220."""
    draws = rng("radiograph", seed)
    y, x = np.mgrid[:side, :side] / side
    smooth = 125 + 60 * np.sin(5 * x + seed) * np.cos(7 * y) + draws.normal(0, 8, (side, side))
    return np.clip(smooth, 30, 220).astype(np.uint8)


# --- the taxonomy and the registry ---------------------------------------------------------------


def test_what_the_paper_confounds_with_is_registered_at_its_place_in_miccat():
    kinds = {registry: registry.names() for registry in (ARTIFACTS, ATTRIBUTES)}
    places = {name: str(of.get(name).taxon) for of, names in kinds.items() for name in names}
    assert (
        places.items()
        >= {
            "tag": "environment / external",
            "denoise": "environment / imaging",
            "poisson_noise": "environment / imaging",
            "noise_levels": "environment / imaging",
            "gender": "patient / demographic",
        }.items()
    )
    assert all(of.get(name).kind == name for of, names in kinds.items() for name in names)
    assert all(of.get(name).title for of, names in kinds.items() for name in names)


@pytest.mark.parametrize(
    ("level", "family"),
    [("patient", "imaging"), ("environment", "demographic"), ("hospital", "imaging"), ("", "")],
)
def test_a_place_that_miccat_does_not_have_is_refused(level, family):
    with pytest.raises(SourceBenchError, match=f"no place '{level} / {family}'.*demographic, anat"):
        Taxon(level, family)


def test_importing_artifacts_does_not_import_torch():
    library = Path(seeds.__file__).parents[1]
    code = "import sys, sourcebench.artifacts; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=library, check=True)


# --- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("tags", {}, "Unknown artifact 'tags' .is it 'tag'.*; there are: .*tag"),
        (
            "tag",
            {"colour": 1},
            r"key 'colour', which is .*: text, size \(px\), x \(px\), y",
        ),
        ("tag", {"kind": "x"}, "has the key 'kind'"),
        ("tag", {"size": "big"}, "size is 'big'; it must be a number from 1 to 1024 px"),
        ("tag", {"x": -1}, "x is -1; it must be a number from 0 to 1024 px"),
        ("tag", {"text": " "}, "text is ' '; it must be text, and not empty"),
        ("tag", {"text": None}, "text is nothing; it must be text"),
        ("denoise", {"radius": 0}, "radius is 0; it must be a number from 1 to 724 px, or .inf"),
        ("denoise", {"radius": True}, "radius is true"),
        ("denoise", {"radius": float("nan")}, "radius is nan"),
        ("denoise", {"radius": 9, "diameter": 3}, "radius is 9 px and diameter is 3 px; give one"),
        ("poisson_noise", {"resolution": 51.5}, "51.5; it must be a whole number from 1 to 1024"),
        (
            "poisson_noise",
            {"n0": [1]},
            r"n0 is \[1\]; it must be a number from 1 to 1e15 photons, or .inf",
        ),
        ("noise_levels", {"n0": 1.5e7}, "n0 and n0_artifact are both"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_said(kind, parameters, message):
    with pytest.raises(SourceBenchError, match=message):
        build(kind, **parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"carrier": "M"}, "Attribute 'gender': carrier and other are both 'M'"),
        ({"column": ""}, "column is ''; it must be text"),
        (
            {"sex": "F"},
            "'gender' has the key 'sex', .*: column, carrier, other",
        ),
    ],
)
def test_what_is_wrong_with_an_attribute_is_said(parameters, message):
    with pytest.raises(SourceBenchError, match=message):
        ATTRIBUTES.build("gender", **parameters)


def test_numbers_may_be_text_since_yaml_reads_them_so():
    assert build("poisson_noise", n0="2e7", resolution="256") == build(
        "poisson_noise", n0=2e7, resolution=256
    )


@pytest.mark.parametrize(
    ("kind", "parameters", "text"),
    [
        ("tag", {}, "text R, size 64 px, x 200 px, y 200 px"),
        ("denoise", {}, "diameter 500 px"),
        ("denoise", {"radius": 500}, "radius 500 px"),
        ("poisson_noise", {}, "n0 2e7 photons, resolution 512 px"),
        ("noise_levels", {}, "n0 2e7 photons, n0_artifact 1.5e7 photons, resolution 512 px"),
    ],
)
def test_a_confounder_describes_its_parameters_with_units(kind, parameters, text):
    assert build(kind, **parameters).describe() == text


def test_gender_is_a_matter_of_sampling():
    gender = ATTRIBUTES.build("gender")
    assert isinstance(gender, Attribute)
    assert (gender.column, gender.carrier, gender.other) == ("sex", "F", "M")


# --- fingerprints --------------------------------------------------------------------------------


def test_defaults_are_part_of_a_fingerprint_and_names_are_not():
    assert fingerprint(build("denoise")) == fingerprint(build("denoise", diameter="500"))
    assert fingerprint(build("denoise")) == fingerprint(build("denoise", title="Smooth"))
    assert fingerprint(build("denoise")) != fingerprint(build("denoise", diameter=501))
    assert fingerprint(build("denoise")) != fingerprint(build("denoise", radius=250))


@pytest.mark.parametrize("kind", ARTIFACTS.names())
@pytest.mark.parametrize("edited", ["own", "drawing"])
def test_an_edit_of_what_draws_a_confounder_changes_its_fingerprint(kind, edited, monkeypatch):
    own = sys.modules[ARTIFACTS.get(kind).__module__]
    path = Path((own if edited == "own" else drawing).__file__)
    before, read = fingerprint(build(kind)), fingerprints._read

    def read_edited(part):
        code, imports = read(part)
        return ("edited" if part[0] == path else code), imports

    fingerprints._code_of.cache_clear()
    monkeypatch.setattr(fingerprints, "_read", read_edited)
    changed = fingerprint(build(kind)) != before
    fingerprints._code_of.cache_clear()
    assert changed == (edited == "own" or kind in KINDS)


# --- what every pixel confounder promises --------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@SETTINGS
@given(image=IMAGES)
def test_shape_and_type_stay_and_so_does_the_original(kind, image):
    before = image.copy()
    confounder = build(kind)
    for draw in (confounder.artifact, confounder.base):
        drawn = draw(image, rng(kind))
        assert drawn.shape == image.shape
        assert drawn.dtype == np.uint8
    assert np.array_equal(image, before)


@pytest.mark.parametrize("kind", KINDS)
@SETTINGS
@given(image=IMAGES)
def test_the_same_stream_draws_the_same_artifact(kind, image):
    confounder = build(kind)
    first, second = (confounder.artifact(image, rng(kind)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_confounder_with_a_base_alters_images_without_the_artifact(kind):
    confounder, image = build(kind), radiograph(64)
    assert np.array_equal(confounder.base(image, rng(kind)), image) != confounder.has_base
    assert not np.array_equal(confounder.artifact(radiograph(256), rng(kind)), radiograph(256))


# --- tag -----------------------------------------------------------------------------------------


def bounding_box(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def matplotlib_letter(size):
    """The letter as matplotlib draws it: an array from 0 to 255."""
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    font = FT2Font(str(path))
    font.set_size(size, 72)  # at 72 dpi a point is a pixel
    font.set_text("R")
    font.draw_glyphs_to_bitmap()
    letter = np.asarray(font.get_image())
    left, top, right, bottom = bounding_box(letter > 64)
    return letter[top:bottom, left:right].astype(float)


def test_the_tag_is_the_letter_that_matplotlib_draws():
    drawn = build("tag").artifact(np.zeros((1024, 1024), np.uint8), rng())
    left, top, right, bottom = bounding_box(drawn > 64)
    ours, theirs = drawn[top:bottom, left:right].astype(float), matplotlib_letter(64)
    assert drawn.max() == 255
    assert abs(ours.shape[0] - theirs.shape[0]) <= 1
    assert abs(ours.shape[1] - theirs.shape[1]) <= 1
    height, width = np.minimum(ours.shape, theirs.shape)
    assert np.corrcoef(ours[:height, :width].flat, theirs[:height, :width].flat)[0, 1] > 0.95


@pytest.mark.parametrize("side", [1024, 362])
def test_the_tag_stands_where_the_fonts_own_measures_put_it(side):
    font = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    font.set_size(64, 72)
    glyph = font.load_char(ord("R"))
    em = 64 / font.units_per_EM  # px per font unit on 1024²
    left = 200 + glyph.horiBearingX / 64
    top = 200 + font.ascender * em - glyph.horiBearingY / 64
    expected = np.array([left, top, left + glyph.width / 64, top + glyph.height / 64]) * side / 1024

    image = np.full((side, side), 90, np.uint8)
    changed = build("tag").artifact(image, rng()) != image
    assert np.abs(np.array(bounding_box(changed)) - expected).max() <= 1.5


def test_nothing_but_the_letter_changes_and_it_only_brightens():
    image = radiograph(1024)
    drawn = build("tag").artifact(image, rng())
    outside = np.ones(image.shape, bool)
    outside[200:280, 200:260] = False
    assert np.array_equal(drawn[outside], image[outside])
    assert np.all(drawn >= image)


# --- denoise -------------------------------------------------------------------------------------


def low_pass_by_the_book(image, radius):
    """Eq. 1 pixel by pixel on the centred DFT; `radius` in px of that DFT."""
    side = len(image)
    spectrum = np.fft.fftshift(np.fft.fft2(image.astype(np.float64)))
    for u in range(side):
        for v in range(side):
            if math.hypot(u - side // 2, v - side // 2) > radius:
                spectrum[u, v] = 0
    filtered = np.real(np.fft.ifft2(np.fft.ifftshift(spectrum)))
    return np.clip(filtered, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [64, 128, 181])
@pytest.mark.parametrize(
    ("parameters", "radius"), [({}, 250), ({"radius": 500}, 500), ({"diameter": 100}, 50)]
)
def test_denoising_is_equation_1(side, parameters, radius):
    noisy = rng("noisy", side).integers(0, 256, (side, side), dtype=np.uint8)
    for image in (noisy, radiograph(side)):
        ours = build("denoise", **parameters).artifact(image, rng()).astype(int)
        theirs = low_pass_by_the_book(image, radius * side / 1024).astype(int)
        assert np.abs(ours - theirs).max() <= 1
        assert (ours != theirs).mean() < 1e-3


def test_denoising_leaves_a_wave_inside_the_circle_and_removes_one_outside():
    x = np.arange(256)
    inside, outside = (100 + 50 * np.sin(2 * np.pi * cycles * x / 256) for cycles in (60, 65))
    inside, outside = (np.tile(wave, (256, 1)).astype(np.uint8) for wave in (inside, outside))
    filtered = build("denoise", radius=62 * 4)  # 62 cycles per 256 px
    draws = rng()
    assert filtered.artifact(inside, draws).std() > 34
    assert filtered.artifact(outside, draws).std() < 2


@SETTINGS
@given(grey=st.integers(0, 255), side=st.integers(2, 64))
def test_denoising_leaves_a_flat_image_as_it_is(grey, side):
    image = np.full((side, side), grey, np.uint8)
    assert np.array_equal(build("denoise").artifact(image, rng()), image)


@SETTINGS
@given(seed=st.integers(0, 99), radius=st.floats(100, 700))
def test_denoising_twice_is_denoising_once_up_to_rounding(seed, radius):
    denoise = build("denoise", radius=radius)
    once = denoise.artifact(radiograph(96, seed), rng()).astype(int)
    twice = denoise.artifact(once.astype(np.uint8), rng()).astype(int)
    # Truncation takes half a grey level off the mean each time, and has a standard deviation of
    # 0.29 grey levels, of which the filter keeps some.
    assert np.abs(twice - once).max() <= 3
    assert abs((twice - once).mean() + 0.5) < 0.2


# --- noise ---------------------------------------------------------------------------------------


def noise_by_the_book(image, n0, draws):
    """Eq. 2 pixel by pixel, in plain floats, from the same draws."""
    fractions = [draws.random() for _ in range(image.size)]
    expected = []
    for grey, fraction in zip(image.flat, fractions, strict=True):
        hounsfield = (int(grey) + fraction) / 255 * 2000 - 1200
        mu = hounsfield * (0.1837 - 0.1662) / 1000 + 0.1837
        expected.append(n0 * math.exp(-mu))
    drawn = []
    for mean in expected:
        mu = -math.log(draws.poisson(mean) / n0)
        hounsfield = min(max((mu - 0.1837) * 1000 / (0.1837 - 0.1662), -1200), 800)
        drawn.append(int((hounsfield + 1200) / 2000 * 255))
    return np.array(drawn).reshape(image.shape)


@pytest.mark.parametrize("n0", [1e5, 2e7])
def test_noise_is_the_papers_formula_draw_by_draw(n0):
    image = rng("grey").integers(0, 256, (48, 48), dtype=np.uint8)
    ours = build("poisson_noise", n0=n0).artifact(image, rng("noise"))
    theirs = noise_by_the_book(image, n0, rng("noise"))
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert (ours != theirs).mean() < 1e-3


def noise_deviation(grey, n0):
    """Standard deviation of the noise in grey levels, by propagation of error.

    A count of mean n has the deviation √n, so mu = -log(count / N0) has 1/√n; on top comes
    rounding a number at a random fraction, of variance E[f(1 - f)] = 1/6.
    """
    mu = ((grey + 0.5) / 255 * 2000 - 1200) * 0.0175 / 1000 + 0.1837
    of_mu = 1 / math.sqrt(n0 * math.exp(-mu))
    return math.sqrt((of_mu * 1000 / 0.0175 * 255 / 2000) ** 2 + 1 / 6)


@pytest.mark.parametrize("n0", [2e7, 1e7, 1e6])
@pytest.mark.parametrize("grey", [60, 128, 190])
def test_noise_has_the_deviation_that_photon_statistics_give_and_no_bias(grey, n0):
    image = np.full((400, 400), grey, np.uint8)
    added = build("poisson_noise", n0=n0).artifact(image, rng(grey, n0)).astype(float) - grey
    deviation = noise_deviation(grey, n0)
    assert added.std() == pytest.approx(deviation, rel=0.01)
    assert abs(added.mean()) < 4 * deviation / 400
    neighbours = np.corrcoef(added[:, 1:].ravel(), added[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.01  # independent from pixel to pixel


@pytest.mark.parametrize(("n0", "grey_levels"), [(2e7, 1.8), (1e7, 2.5)])
def test_noise_is_as_strong_as_published(n0, grey_levels):
    image = radiograph(512)
    added = build("poisson_noise", n0=n0).artifact(image, rng(n0)).astype(float) - image
    assert added.std() == pytest.approx(grey_levels, abs=0.1)


def test_a_handful_of_photons_is_still_an_image():
    image = radiograph(32)
    drawn = build("poisson_noise", n0=1).artifact(image, rng())
    assert set(np.unique(drawn)) == {0, 255}


@pytest.mark.parametrize("parameters", [{}, {"n0": 1e7, "n0_artifact": 2e7}])
def test_noise_levels_are_two_doses(parameters):
    levels, image = build("noise_levels", **parameters), np.full((400, 400), 128, np.uint8)
    assert levels.base(image, rng(1)).std() == pytest.approx(
        noise_deviation(128, parameters.get("n0", 2e7)), rel=0.01
    )
    assert levels.artifact(image, rng(2)).std() == pytest.approx(
        noise_deviation(128, parameters.get("n0_artifact", 1.5e7)), rel=0.01
    )


# --- layers --------------------------------------------------------------------------------------

IDS = [f"{number:08d}_000.png" for number in range(6)]
LAYERS = [(kind, "artifact") for kind in KINDS] + [("noise_levels", "base")]


def originals():
    return np.stack([radiograph(96, number) for number in range(len(IDS))])


def small(kind):
    """A confounder of a kind that acts at a size fit for small originals."""
    noisy = kind in ("poisson_noise", "noise_levels")
    return build(kind, **({"resolution": 48} if noisy else {}))


def layer(path, kind, which, native, ids, **more):
    options = {"input_size": 32, "resize_method": "nearest", "seed": 7} | more
    write_layer(small(kind), which, native, ids, path=path, **options)
    return np.array(files.load_array(path))


@pytest.mark.parametrize(("kind", "which"), LAYERS)
@pytest.mark.parametrize("method", ["nearest", "antialiased"])
def test_a_layer_holds_what_each_image_gets_by_itself(tmp_path, kind, which, method):
    native, confounder = originals(), small(kind)
    written = layer(tmp_path / "a.npy", kind, which, native, IDS, resize_method=method)
    assert written.dtype == np.uint8
    for image_id, original, image in zip(IDS, native, written, strict=True):
        if confounder.resolution is not None:
            original = imaging.resize(original, confounder.resolution, method)
        drawn = getattr(confounder, which)(original, seeds.generator(7, kind, image_id))
        assert np.array_equal(image, imaging.resize(drawn, 32, method))


@pytest.mark.parametrize(("kind", "which"), LAYERS)
def test_a_layer_does_not_depend_on_threads_order_or_subset(tmp_path, kind, which):
    native = originals()
    whole = layer(tmp_path / "whole.npy", kind, which, native, IDS)
    threaded = layer(tmp_path / "threaded.npy", kind, which, native, IDS, threads=3)
    some = [4, 1, 5]
    part = layer(tmp_path / "part.npy", kind, which, native[some], [IDS[row] for row in some])
    assert np.array_equal(whole, threaded)
    assert np.array_equal(whole[some], part)


@pytest.mark.parametrize("which", ["artifact", "base"])
def test_each_image_and_each_layer_has_noise_of_its_own(tmp_path, which):
    flat = np.full((2, 96, 96), 128, np.uint8)
    first, second = layer(tmp_path / "a.npy", "noise_levels", which, flat, IDS[:2])
    other_layer = layer(
        tmp_path / "b.npy", "noise_levels", {"artifact": "base"}.get(which, "artifact"), flat[:1],
        IDS[:1],
    )[0]  # fmt: skip
    other_seed = layer(tmp_path / "c.npy", "noise_levels", which, flat[:1], IDS[:1], seed=8)[0]
    for other in (second, other_layer, other_seed):
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.15


def test_the_noise_survives_nearest_resizing_whole(tmp_path):
    flat = np.full((1, 96, 96), 128, np.uint8)
    noisy = layer(tmp_path / "a.npy", "poisson_noise", "artifact", flat, IDS[:1])
    assert noisy.std() == pytest.approx(noise_deviation(128, 2e7), rel=0.15)


@pytest.mark.parametrize(
    ("kind", "which", "ids", "message"),
    [
        ("tag", "artifact", IDS[:5], "6 originals for 5 rows"),
        ("tag", "base", IDS, "'tag' leaves images without the artifact as they are"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(tmp_path, kind, which, ids, message):
    with pytest.raises(SourceBenchError, match=message):
        layer(tmp_path / "a.npy", kind, which, originals(), ids)
    assert list(tmp_path.iterdir()) == []


@dataclass(frozen=True)
class Unlucky(Artifact):
    kind = "unlucky"
    title = "Unlucky"
    taxon = Taxon("environment", "external")

    def artifact(self, image, rng):
        raise RuntimeError(f"no luck with {image.shape}")


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_thread_is_raised_and_leaves_nothing_behind(tmp_path, threads):
    with pytest.raises(RuntimeError, match=r"no luck with \(96, 96\)"):
        write_layer(
            Unlucky(),
            "artifact",
            originals(),
            IDS,
            input_size=32,
            resize_method="nearest",
            seed=7,
            path=tmp_path / "a.npy",
            threads=threads,
        )
    assert list(tmp_path.iterdir()) == []
