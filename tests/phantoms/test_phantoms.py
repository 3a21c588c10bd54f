"""Phantom radiographs: deterministic, anatomical, and laid out as NIH lays out its own."""

import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from sourcebench.datasets.nih.mirror import write_images
from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.canvas import Canvas, smooth
from sourcebench.phantoms.radiograph import Box, render
from sourcebench.phantoms.radiograph.findings import FINDINGS

NIH_FINDINGS = {
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema"),
    *("Fibrosis", "Hernia", "Infiltration", "Mass", "Nodule", "Pleural_Thickening"),
    *("Pneumonia", "Pneumothorax"),
}


def xray(image_id="00000003_000.png", sex="M", age=50, view="PA", findings=(), boxes=(), side=256):
    """Render with defaults, as floats."""
    image = render(
        image_id,
        patient=image_id.split("_")[0],
        sex=sex,
        age=age,
        view=view,
        findings=findings,
        boxes=boxes,
        side=side,
    )
    return image.astype(np.float32)


def patients(n, start=1):
    return [f"{number:08d}_000.png" for number in range(start, start + n)]


def auroc(positive, negative):
    """Share of pairs in the right order: the definition."""
    return np.mean(np.subtract.outer(np.array(positive), np.array(negative)) > 0)


def test_full_size_is_nihs_format():
    image = render("1_0", patient="1", sex="F", age=40, view="PA", findings=frozenset())
    assert image.shape == (1024, 1024)
    assert image.dtype == np.uint8
    assert image.min() < 20
    assert image.max() > 190
    assert 60 < np.median(image) < 220


def test_same_arguments_same_pixels_and_another_id_other_pixels():
    findings = frozenset(NIH_FINDINGS)
    first, again = (xray(findings=findings) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, xray(findings=sorted(findings, reverse=True)))
    assert not np.array_equal(xray(), xray("00000003_001.png"))


def test_lungs_are_darker_than_heart_and_abdomen_and_air_is_darkest():
    mean = np.mean([xray(name) for name in patients(8)], axis=0)
    lung = mean[90:110, 75:90].mean()
    heart, abdomen, air = (
        mean[150:165, 125:145].mean(),
        mean[225:240, 90:160].mean(),
        mean[:12, :12].mean(),
    )
    assert air < lung - 20
    assert lung < heart - 60
    assert lung < abdomen - 60


def test_follow_ups_of_a_patient_look_alike():
    def fine(image):
        return gaussian_filter(image, 1) - gaussian_filter(image, 6)

    def likeness(a, b):  # of a lung's ribs and vessels, wherever the other pose has put them
        lung, around = a[80:150, 60:105], b[50:180, 35:130]
        return cv2.matchTemplate(around, lung, cv2.TM_CCOEFF_NORMED).max()

    firsts = [fine(xray(f"{patient:08d}_000.png")) for patient in range(1, 9)]
    seconds = [fine(xray(f"{patient:08d}_005.png")) for patient in range(1, 9)]
    same = [likeness(a, b) for a, b in zip(firsts, seconds, strict=True)]
    other = [likeness(a, b) for a, b in zip(firsts, seconds[1:] + seconds[:1], strict=True)]
    assert np.mean(same) > np.mean(other) + 0.1


def test_the_registry_holds_nihs_findings():
    assert set(FINDINGS.names()) >= NIH_FINDINGS


@pytest.mark.parametrize("finding", sorted(NIH_FINDINGS))
def test_every_finding_shows_within_the_body_and_leaves_the_air_alone(finding):
    difference = np.abs(xray(findings=[finding], side=512) - xray(side=512))
    assert np.percentile(gaussian_filter(difference, 2), 99.5) > 4
    assert difference[:20, :20].max() <= 2


@pytest.mark.parametrize(
    ("finding", "box"),
    [("Mass", Box("Mass", 250, 400, 120, 110)), ("Nodule", Box("Nodule", 640, 300, 60, 60))],
)
def test_a_boxed_finding_is_bright_in_its_box_and_nowhere_else(finding, box):
    change = xray(findings=[finding], boxes=[box], side=1024) - xray(side=1024)
    inside = np.zeros(change.shape, bool)
    inside[int(box.y) : int(box.y + box.h), int(box.x) : int(box.x + box.w)] = True
    near = cv2.dilate(inside.astype(np.uint8), np.ones((81, 81))).astype(bool)
    assert change[inside].mean() > 8
    assert np.abs(change[~near]).mean() < 1
    assert np.mean(np.abs(change[~near]) > 4) < 0.001


def test_boxes_of_other_findings_are_ignored():
    stray = Box("Mass", 250, 400, 120, 110)
    assert np.array_equal(xray(boxes=[stray]), xray())


def test_cardiomegaly_widens_the_heart():
    change = np.mean([xray(p, findings=["Cardiomegaly"]) - xray(p) for p in patients(6)], axis=0)
    beside_heart, upper_lung = change[150:175, 170:190].mean(), change[60:80, 80:100].mean()
    assert beside_heart > 8
    assert abs(upper_lung) < 2


def test_atelectasis_raises_a_diaphragm():
    change = np.mean([xray(p, findings=["Atelectasis"]) - xray(p) for p in patients(10)], axis=0)
    assert change[165:185, 70:100].mean() > 3
    assert change[165:185, 70:100].mean() > change[60:80, 70:100].mean() + 3


def test_effusion_brightens_a_lung_from_below():
    for name in patients(8):
        change = gaussian_filter(xray(name, findings=["Effusion"]) - xray(name), 2)
        assert change[130:220].max() > 12
        assert np.abs(change[40:80]).mean() < 2


def test_a_simple_measure_tells_big_hearts_from_others():
    def width(image):
        return image[150:175, 170:190].mean() / image[210:240, 100:150].mean()

    ill = [width(xray(name, findings=["Cardiomegaly"])) for name in patients(14)]
    well = [width(xray(name)) for name in patients(14, start=100)]
    assert auroc(ill, well) > 0.75


def test_sex_shows_over_the_lower_lungs_and_not_in_the_mean_alone():
    women = np.stack([xray(p, sex="F") for p in patients(12)])
    men = np.stack([xray(p, sex="M") for p in patients(12)])
    ratio = [
        i[:, 140:165, 60:90].mean((1, 2)) / i[:, 75:100, 75:100].mean((1, 2)) for i in (women, men)
    ]
    assert auroc(*ratio) > 0.75
    assert 0.1 < auroc(women.mean((1, 2)), men.mean((1, 2))) < 0.9


def test_age_shows_at_the_aortic_knob():
    change = np.mean([xray(p, age=85) - xray(p, age=20) for p in patients(6)], axis=0)
    knob = change[75:100, 136:156].mean()
    assert knob > 4
    assert np.abs(change).mean() < knob


def test_ap_enlarges_the_heart_and_lifts_the_diaphragm():
    pa, ap = (np.mean([xray(p, view=v) for p in patients(12)], axis=0) for v in ("PA", "AP"))
    assert (ap - pa)[160:180, 75:100].mean() > 10


def test_grain_reaches_the_pixel_so_that_a_low_pass_filter_leaves_a_trace():
    image = xray(side=1024)
    spectrum = np.fft.fftshift(np.abs(np.fft.fft2(image)))
    rows, columns = np.ogrid[-512:512, -512:512]
    fine = spectrum[np.hypot(rows, columns) > 400]
    per_pixel = np.sqrt(np.mean(fine**2)) / 1024
    assert 0.5 < per_pixel < 3


@pytest.mark.parametrize(
    ("wrong", "word"),
    [({"sex": "X"}, "sex 'X'"), ({"view": "LL"}, "view 'LL'"), ({"findings": ["Flu"]}, "Flu")],
)
def test_what_cannot_be_drawn_is_named(wrong, word):
    with pytest.raises(SourceBenchError, match=word):
        xray(**wrong)


def test_canvas_poses_points_there_and_back():
    canvas = Canvas(64, turn=0.1, scale=0.9, shift=(0.05, -0.02))
    disc = smooth([(0.2, 0.1), (0.3, 0.2), (0.2, 0.3), (0.1, 0.2), (0.2, 0.1)])
    mask = canvas.fill(disc)
    centre = np.array([np.average(canvas.x, weights=mask), np.average(canvas.y, weights=mask)])
    assert np.allclose(centre, (0.2, 0.2), atol=0.01)
    rows, columns = np.nonzero(mask > 0.5)
    middle = np.array([[columns.mean() + 0.5, rows.mean() + 0.5]]) * 2 / 64 - 1
    assert np.allclose(canvas.to_body(middle), (0.2, 0.2), atol=0.01)


@pytest.fixture
def rows():
    return pd.DataFrame(
        {
            "image_id": ["00000001_000.png", "00000001_001.png", "00000002_000.png"],
            "sex": ["M", "M", "F"],
            "age": [58, 59, 80],
            "view": ["PA", "AP", "PA"],
            "findings": ["Cardiomegaly|Infiltration", "No Finding", None],
        }
    )


def test_mirror_writes_what_render_draws(rows, tmp_path):
    boxes = pd.DataFrame(
        [["00000001_000.png", "Infiltrate", 300.0, 400.0, 150.0, 150.0]],
        columns=["image_id", "finding", "x", "y", "w", "h"],
    )
    assert write_images(rows, tmp_path / "images", boxes=boxes) == 3
    files = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert files == list(rows["image_id"])
    stored = cv2.imread(str(tmp_path / "images" / files[0]), cv2.IMREAD_UNCHANGED)
    assert stored.shape == (1024, 1024)
    assert stored.dtype == np.uint8
    drawn = render(
        files[0],
        patient=files[0].split("_")[0],
        sex="M",
        age=58,
        view="PA",
        findings=["Cardiomegaly", "Infiltration"],
        boxes=[Box("Infiltration", 300, 400, 150, 150)],
    )
    assert np.array_equal(stored, drawn)


def test_mirror_draws_only_what_is_missing(rows, tmp_path):
    (tmp_path / "00000001_000.png").write_bytes(b"already here")
    assert write_images(rows, tmp_path) == 2
    assert (tmp_path / "00000001_000.png").read_bytes() == b"already here"
    assert write_images(rows, tmp_path) == 0


def test_mirror_in_parallel_writes_the_same_bytes(rows, tmp_path):
    write_images(rows, tmp_path / "one")
    assert write_images(rows, tmp_path / "two", processes=2) == 3
    for name in rows["image_id"]:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_mirror_in_parallel_survives_opencvs_own_threads(rows, tmp_path):
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:  # a running pool of threads, which a fork would break
        cv2.GaussianBlur(np.zeros((2048, 2048), np.float32), (0, 0), 3)
        assert write_images(rows, tmp_path, processes=2) == 3
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("processes", [1, 2])
def test_mirror_names_what_it_cannot_draw_and_leaves_nothing_half_written(
    rows, tmp_path, processes
):
    rows.loc[:, "findings"] = "Flu"
    with pytest.raises(SourceBenchError, match="Unknown finding 'Flu'"):
        write_images(rows, tmp_path, processes=processes)
    assert list(tmp_path.iterdir()) == []


def test_mirror_names_missing_columns(rows, tmp_path):
    with pytest.raises(SourceBenchError, match="age"):
        write_images(rows.drop(columns="age"), tmp_path)
