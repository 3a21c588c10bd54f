"""Phantoms of skin lesions: colours by closed forms, and pictures that show what they are of."""

import functools
import itertools

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.skin import CLINICS, DIAGNOSES, render
from sourcebench.phantoms.skin.lesion import Lesion, pigment, place
from sourcebench.phantoms.skin.plate import ABSORBS, COVERS, SCATTER, Plate, Sheet, step
from sourcebench.phantoms.skin.vascular import STRUCTURES
from sourcebench.seeds import generator


def draw(name, diagnosis="nv", clinic="modern", patient="p", side=96, **more):
    return render(name, patient=patient, diagnosis=diagnosis, clinic=clinic, side=side, **more)


@pytest.mark.parametrize("diagnosis", DIAGNOSES)
def test_the_same_name_is_the_same_picture_in_colour(diagnosis):
    image = draw("a", diagnosis, width=128)
    assert (image.shape, image.dtype) == ((96, 128, 3), np.uint8)
    assert np.array_equal(image, draw("a", diagnosis, width=128))
    assert not np.array_equal(image, draw("b", diagnosis, width=128))
    skin = np.median(image.reshape(-1, 3), axis=0)
    assert skin[0] > skin[1] > 0.7 * skin[2]  # red above green: RGB, and skin


def test_a_large_picture_is_one_of_the_same_scene():
    small, large = draw("a", side=288), draw("a", side=400)
    assert large.shape == (400, 400, 3)
    shrunk = cv2.resize(large, (288, 288), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small).mean() < 4


def test_unknown_names_are_told():
    with pytest.raises(SourceBenchError, match="Unknown diagnosis of a phantom 'wart'; there are"):
        draw("a", "wart")
    with pytest.raises(SourceBenchError, match="Unknown clinic of a phantom 'mars'"):
        draw("a", clinic="mars")


def test_light_is_lost_as_by_beer_and_lambert_and_covers_mix():
    plate = Plate(4, 6)
    assert plate.colour() == pytest.approx(np.broadcast_to(SCATTER, (4, 6, 3)))
    plate.layers["melanin"] += 0.7
    plate.layers["blood"] += 0.3
    left = SCATTER * 10 ** (
        -np.log10(np.e) * (0.7 * np.array(ABSORBS["melanin"]) + 0.3 * np.array(ABSORBS["blood"]))
    )
    assert plate.colour()[1, 2] == pytest.approx(left, rel=1e-5)
    plate.layers["veil"] += 0.25
    mixed = 0.75 * left + 0.25 * np.array(COVERS["veil"])
    assert plate.colour()[3, 0] == pytest.approx(mixed, rel=1e-5)


def test_a_step_rises_or_falls():
    field = np.array([-1, 0, 0.25, 0.5, 1, 2], np.float32)
    assert step(field, 0, 1) == pytest.approx([0, 0, 3 / 16 - 2 / 64, 0.5, 1, 1])
    assert step(field, 1, 0) == pytest.approx(1 - step(field, 0, 1), abs=1e-6)


def test_sheets_draw_where_they_are_told_at_their_magnification():
    """Areas of discs, lines and outlines in pixels."""
    sheet = Sheet(200, 300, zoom=0.5)
    assert sheet.reach == pytest.approx([3, 2])
    assert (sheet.x[0, 0], sheet.y[-1, 0]) == pytest.approx((-2.99, 1.99))
    disc = sheet.spots(np.array([[1.5, -1.0]]), np.array([0.6]))
    assert disc.sum() == pytest.approx(np.pi * 30**2, rel=0.06)
    rows, columns = np.nonzero(disc > 0.5)
    assert (columns.mean(), rows.mean()) == pytest.approx((224.5, 49.5), abs=0.6)
    line = sheet.lines([np.array([[-2.0, 0.0], [2.0, 0.0]])], [0.08])
    assert line.sum() == pytest.approx(200 * 4, rel=0.5)
    square = sheet.fill(np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]), soft=0.1)
    assert square.sum() == pytest.approx(100**2, rel=0.03)


def test_a_lesion_without_any_irregularity_is_nearly_round():
    plate = Plate(256, 256)
    lesion = Lesion(0.5, elongation=0, asymmetry=0, irregularity=0, softness=0.1)
    place(plate, lesion, generator("round"))
    mask = (plate.mask > 0.5).astype(np.uint8)
    assert mask.sum() == pytest.approx(np.pi * (0.5 * 128) ** 2, rel=0.12)
    ragged = Plate(256, 256)
    place(ragged, Lesion(0.5, irregularity=0.9, softness=0.1), generator("round"))
    assert compactness(mask) < 1.6 < compactness((ragged.mask > 0.5).astype(np.uint8))


def compactness(mask):
    """The perimeter's square to the area's, 1 for a disc."""
    (outline, *_), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return cv2.arcLength(outline, True) ** 2 / (4 * np.pi * cv2.contourArea(outline))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_shows_inside_the_lesion_or_at_its_border(structure):
    def taken(structures):
        plate = Plate(128, 128)
        lesion = Lesion(0.5, melanin=0.3, structures=structures)
        place(plate, lesion, generator("place"))
        pigment(plate, lesion, generator("pigment"))
        for name in structures:
            STRUCTURES.get(name)(plate, lesion, 1.0, generator("structure", name))
        return plate.colour(), np.hypot(plate.x, plate.y)

    (plain, away), (drawn, _) = taken({}), taken({structure: 1.0})
    change = np.abs(drawn - plain).max(2)
    assert (change > 0.04).mean() > 0.004
    assert (change[away > 0.9] < 0.02).all()
    assert np.isfinite(drawn).all()
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_every_structure_is_in_some_diagnosis():
    used = {
        structure
        for diagnosis in DIAGNOSES
        for i in range(60)
        for structure in DIAGNOSES.get(diagnosis)(generator(diagnosis, i)).structures
    }
    assert used == set(STRUCTURES)


def test_images_of_a_patient_are_alike_in_skin():
    def tone(patient, image):
        picture = draw(f"{patient} {image}", patient=patient, clinic="rosendahl", side=64)
        return np.log(np.median(picture[:12].reshape(-1, 3), axis=0))

    tones = np.array([[tone(f"p{i}", k) for k in range(4)] for i in range(12)])
    ratios = tones[..., 1] - tones[..., 0], tones[..., 2] - tones[..., 0]
    for colour in ratios:  # less exposure, which is the image's own
        assert colour.std(axis=1).mean() < 0.75 * colour.mean(axis=1).std()


def test_images_of_a_lesion_are_alike_and_not_the_same():
    def dark(lesion, image):
        picture = draw(f"{lesion} {image}", lesion=lesion, clinic="mskcc", side=64)
        grey = picture.mean(2)
        return (grey < 0.75 * np.median(grey)).mean()

    shares = np.array([[dark(f"l{i}", k) for k in range(3)] for i in range(12)])
    assert shares.std(axis=1).mean() < 0.6 * shares.mean(axis=1).std()
    assert not np.array_equal(draw("x", lesion="l", side=64), draw("y", lesion="l", side=64))


def features(image):
    """Colours of the middle, and how large, long and ragged what is dark is."""
    scaled = image.astype(np.float32) / 255
    grey, cut = scaled.mean(2), len(image) // 8
    middle = scaled[cut:-cut, cut:-cut].reshape(-1, 3)
    dark = (grey < 0.75 * np.median(grey)).astype(np.uint8)
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ragged = max(map(cv2.arcLength, outlines, itertools.repeat(True)), default=0.0)
    blue = (scaled[..., 2] - scaled[..., 0]).max()
    colours = [middle.mean(0), middle.std(0), *np.percentile(middle, [2, 10, 30], axis=0)]
    return np.concatenate([*colours, [dark.mean(), ragged / len(image), blue]])


def auroc(these, those):
    pictures = np.array([features(image) for image in (*these, *those)])
    labels = np.repeat([0, 1], [len(these), len(those)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=500))
    scores = cross_val_predict(model, pictures, labels, cv=5, method="predict_proba")[:, 1]
    return roc_auc_score(labels, scores)


@functools.cache
def several(diagnosis, clinic, count):
    names = [f"{clinic} {diagnosis} {i}" for i in range(count)]
    return [draw(name, diagnosis, clinic, patient=name, side=64) for name in names]


def test_a_melanoma_can_be_told_from_a_naevus_and_not_always():
    assert 0.70 < auroc(several("nv", "modern", 70), several("mel", "modern", 70)) < 0.95


@pytest.mark.parametrize("clinic", ["barcelona", "vienna", "queensland"])
def test_clinics_look_different(clinic):
    assert auroc(several("nv", "mskcc", 30), several("nv", clinic, 30)) > 0.8


def test_every_clinic_is_a_look_of_its_own():
    assert len({CLINICS.get(name) for name in CLINICS}) == len(CLINICS) >= 11
