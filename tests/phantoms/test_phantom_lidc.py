"""Phantom CT slices: real headers, a body of plausible Hounsfield units, nodules as drawn."""

import warnings

import cv2
import numpy as np
import pydicom
import pytest

from sourcebench.datasets.lidc import annotations, mirror
from sourcebench.datasets.lidc.masks import contour_mask
from sourcebench.datasets.lidc.mirror_dicom import FORMS, PADDING, form_of, store
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.thorax import Section, Series, Thorax
from sourcebench.phantoms.thorax.pose import Lesion, depths, fit
from sourcebench.seeds import generator

SCANS = (1, 2, 3)


@pytest.fixture(scope="module", autouse=True)
def _few_nodules():
    """Take each annotation for a nodule of its own: grouping those of all scans takes 10 s."""
    known = annotations.nodules

    def ungrouped():
        drawn = annotations.contours(SCANS).drop_duplicates("annotation_id")
        table = drawn[["scan_id", "annotation_id"]].reset_index(drop=True)
        return table.assign(
            nodule=table.groupby("scan_id").cumcount(),
            readers=1,
            annotation_ids=[(number,) for number in table["annotation_id"]],
            malignancy=3.0,
        )

    annotations.nodules = ungrouped
    yield
    annotations.nodules = known


@pytest.fixture(scope="module")
def wanted():
    """Two slices with a contour and one without, of each of two scans."""
    table = annotations.slices()
    table = table[table["scan_id"].isin(SCANS[:2])]
    drawn = annotations.contours(SCANS[:2]).groupby("scan_id")["z"]
    picked = []
    for scan, z in drawn:
        slices = table[table["scan_id"] == scan]
        picked += slices[slices["z"].isin(sorted(set(z))[:2])].index.tolist()
        picked.append(slices[~slices["z"].isin(z)].index[len(slices) // 2])
    return table.loc[picked]


@pytest.fixture(scope="module")
def written(wanted, tmp_path_factory):
    """The folder of a mirror."""
    folder = tmp_path_factory.mktemp("mirror")
    assert MIRRORS.get("lidc_idri")(wanted, folder, 1) == len(wanted)
    return folder


@pytest.fixture(scope="module")
def chest():
    """A chest of 320 mm without nodules."""
    return Thorax(Series("1.2.3", top=0, bottom=-320, spacing=0.7, thickness=2.5, contrast=False))


def at(thorax, level):
    """The z of a level of the lungs: 0 is the apex, 1 the lowest recess."""
    pose = thorax.pose
    return pose.apex - level * (pose.apex - pose.base)


def around(thorax, hu, x, y, half=4):
    """Return the pixels around a point of the standard thorax."""
    column, row = thorax.pose.mm(np.array([[x, y]]))[0] / thorax.series.spacing + 255.5
    return hu[round(row) - half : round(row) + half, round(column) - half : round(column) + half]


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_headers_are_those_of_the_database(wanted, written):
    geometry = annotations.scan_geometry().set_index("scan_id")
    seen = set()
    for path in files(written):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            header = pydicom.dcmread(path)
            pixels = header.pixel_array
        row = wanted[
            (wanted["series_uid"] == header.SeriesInstanceUID)
            & np.isclose(wanted["z"], float(header.ImagePositionPatient[2]))
        ].iloc[0]
        known = geometry.loc[row["scan_id"]]
        assert path.parent == written / row["patient_id"] / row["series_uid"]
        assert header.PatientID == row["patient_id"]
        assert header.StudyInstanceUID == known["study_uid"]
        assert header.PixelSpacing == [known["pixel_spacing"]] * 2
        assert header.SliceThickness == known["slice_thickness"]
        assert header.Modality == "CT"
        middle = float(header.ImagePositionPatient[0]) + 255.5 * known["pixel_spacing"]
        assert abs(middle) < 0.01
        assert pixels.shape == (512, 512)
        whole = annotations.slices().query("scan_id == @row.scan_id")["z"]
        assert header.InstanceNumber == 1 + (whole > row["z"]).sum()
        assert path.name == f"1-{header.InstanceNumber:03d}.dcm"
        seen.add(str(header.SOPInstanceUID))
    assert len(seen) == len(wanted)
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in seen)


def test_the_same_bytes_again_and_in_parallel(wanted, written, tmp_path):
    assert mirror.mirror(wanted.iloc[::-1], tmp_path, 2) == len(wanted)
    first, again = ([path.read_bytes() for path in files(folder)] for folder in (written, tmp_path))
    assert first == again


def test_only_what_is_missing_is_written(wanted, tmp_path):
    rows = wanted.iloc[:3]
    assert mirror.mirror(rows.iloc[:1], tmp_path, 1) == 1
    (there,) = files(tmp_path)
    there.write_bytes(b"already here")
    assert mirror.mirror(rows, tmp_path, 1) == 2
    assert there.read_bytes() == b"already here"
    assert mirror.mirror(rows, tmp_path, 1) == 0


def test_an_interrupted_run_leaves_whole_files_and_resumes(wanted, written, tmp_path, monkeypatch):
    encode, calls = mirror.encode, []

    def stop_at_the_second(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return encode(*args, **options)

    monkeypatch.setattr(mirror, "encode", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        mirror.mirror(wanted.iloc[:3], tmp_path, 1)
    assert len(files(tmp_path)) == 1
    assert mirror.mirror(wanted.iloc[:3], tmp_path, 1) == 2
    for path in files(tmp_path):
        assert path.read_bytes() == (written / path.relative_to(tmp_path)).read_bytes()


def test_z_may_have_been_through_a_text_file(wanted, tmp_path):
    rows = wanted.iloc[:1].assign(z=wanted["z"].iloc[0] + 1e-9)
    assert mirror.mirror(rows, tmp_path, 1) == 1
    assert mirror.mirror(wanted.iloc[:1], tmp_path, 1) == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"z": 99999.0}, "no slice at z"),
        ({"scan_id": 5000}, "no scan 5000"),
        ({"series_uid": "1.2.3"}, "series 1.2.3"),
    ],
)
def test_what_the_database_does_not_have_is_named(wanted, tmp_path, change, word):
    with pytest.raises(SourceBenchError, match=word):
        mirror.mirror(wanted.iloc[:1].assign(**change), tmp_path, 1)
    assert not files(tmp_path)


def test_missing_columns_are_named(wanted, tmp_path):
    with pytest.raises(SourceBenchError, match="scan_id"):
        mirror.mirror(wanted.drop(columns="scan_id"), tmp_path, 1)


def test_tissues_have_their_hounsfield_units(chest):
    hu = chest.render(at(chest, 0.62))
    assert abs(hu[2:8, 2:8].mean() + 1000) < 15
    assert -930 < np.median(around(chest, hu, -0.60, 0.20, 20)) < -750
    assert 20 < np.median(around(chest, hu, 0.15, -0.20)) < 80  # heart
    ring = around(chest, hu, 0, 0.45, 30)  # a vertebra
    assert np.percentile(ring, 95) > 180
    assert ring.max() < 1200
    below = chest.render(at(chest, 1.02))
    assert 30 < np.median(around(chest, below, -0.45, -0.05)) < 90  # liver


def test_lungs_grow_from_the_apex_and_end_at_the_diaphragm(chest):
    pixel = chest.series.spacing**2 / 100  # cm²

    def lung(level):
        hu = chest.render(at(chest, level))
        inside = np.abs(chest.pose.mm(np.zeros((1, 2)))[0]) + chest.pose.wide
        half = int(inside.max() / chest.series.spacing)
        middle = hu[256 - half : 256 + half, 256 - half : 256 + half]
        return ((middle > -950) & (middle < -600)).sum() * pixel

    areas = [lung(level) for level in (0.04, 0.2, 0.5, 0.85, 1.05)]
    assert areas[0] < areas[1] < areas[2] > areas[3] > areas[4]
    assert areas[2] > 250


def test_contrast_agent_brightens_the_aorta():
    plain, enhanced = (
        Thorax(Series("1.2.3", 0, -320, 0.7, 2.5, contrast=contrast)) for contrast in (False, True)
    )
    for chest, low, high in ((plain, 20, 70), (enhanced, 110, 260)):
        aorta = around(chest, chest.render(at(chest, 0.5)), 0.16, 0.33, 3)
        assert low < np.median(aorta) < high


def test_neighbouring_slices_are_more_alike_than_distant_ones(chest):
    first, near, far = (chest.render(at(chest, level)) for level in (0.30, 0.31, 0.60))

    def likeness(a, b):
        return np.corrcoef(a.ravel(), b.ravel())[0, 1]

    assert likeness(first, near) > 0.98
    assert likeness(first, near) > likeness(first, far) + 0.02


def test_noise_is_grainy_and_not_white(chest):
    z = at(chest, 0.3)
    noise = chest.render(z) - chest.render(z + 1e-3)  # the same body, other noise
    patch = noise[200:312, 100:400]
    assert 12 < patch.std() < 75
    beside = np.corrcoef(patch[:, 1:].ravel(), patch[:, :-1].ravel())[0, 1]
    apart = np.corrcoef(patch[:, 12:].ravel(), patch[:, :-12].ravel())[0, 1]
    assert beside > 0.2
    assert abs(apart) < 0.1


@pytest.mark.parametrize("scan_id", SCANS)
def test_nodules_are_where_they_were_drawn_and_nowhere_else(scan_id):
    drawn = annotations.contours([scan_id])
    z = float(drawn["z"].value_counts().index[0])
    thorax = Thorax(mirror.read_series(scan_id, [z]))
    change = thorax.render(z) - thorax.render(z, nodules=False)
    here = drawn[drawn["z"] == z]
    mask = contour_mask(here["points"].tolist(), here["inclusion"].tolist())
    assert change[mask].mean() > 100
    near = cv2.dilate(mask.astype(np.uint8), np.ones((17, 17))).astype(bool)
    assert np.abs(change[~near]).max() < 60  # a body's noise depends on all tissue, a little
    assert np.abs(change[~near]).mean() < 0.5


def test_the_share_of_readers_is_the_share_of_contrast():
    share = np.full((20, 20), 0.5, np.float32)
    sections = {-150.0: [Section(246, 130, share, 40.0)]}
    thorax = Thorax(Series("1.2.3", 0, -320, 0.7, 2.5, contrast=False, sections=sections))
    bare, full = thorax.render(-150.0, nodules=False), thorax.render(-150.0)
    inner = np.s_[250:262, 134:146]
    assert full[inner].mean() == pytest.approx((bare[inner].mean() + 40) / 2, abs=25)


def test_lungs_are_fitted_to_the_nodules():
    lesions = [
        Lesion(x, y, z, 5.0) for x, y, z in ((-115, 40, -150), (100, 70, -170), (60, 90, -90))
    ]
    rng = generator("fitted")
    pose = fit(rng, top=0, bottom=-320, field=350, lesions=lesions)
    free = fit(generator("fitted"), top=0, bottom=-320, field=350, lesions=[])
    assert depths(pose, lesions).min() > max(0, depths(free, lesions).min())


def test_a_stray_nodule_gets_lung_on_the_slices_around_too():
    middle = Lesion(0.0, -20.0, -150.0, 6.0)  # in the middle of the mediastinum
    series = Series("1.2.3", 0, -320, 0.7, 2.5, contrast=False, lesions=[middle])
    thorax = Thorax(series)
    column, row = np.array([middle.x, middle.y]) / 0.7 + 255.5
    place = np.s_[round(row) - 4 : round(row) + 5, round(column) - 4 : round(column) + 5]
    on, beside, far = (np.median(thorax.render(z)[place]) for z in (-150.0, -175.0, -230.0))
    assert on < -600
    assert beside < -600
    assert far > -300


def test_signed_and_unsigned_scanners_store_the_same_tissue():
    hu = np.linspace(-1000, 900, 512 * 512, dtype=np.float32).reshape(512, 512)
    for form in FORMS:
        stored = store(hu, form)
        assert stored.dtype.kind == ("i" if form.signed else "u")
        middle = np.s_[150:362, 150:362]
        assert np.abs(stored[middle].astype(float) + form.intercept - hu[middle]).max() <= 0.5
        assert (stored[0, 0] == PADDING) == form.padded
    assert {form_of(scan).maker for scan in range(1, 60)} == {form.maker for form in FORMS}


def test_stored_files_read_back_as_hounsfield_units(wanted, written):
    row = wanted.iloc[0]
    series = mirror.read_series(row["scan_id"], [row["z"]])
    drawn = Thorax(series).render(row["z"])
    (path,) = (
        path
        for path in written.glob(f"*/{row['series_uid']}/*.dcm")
        if float(pydicom.dcmread(path).SliceLocation) == row["z"]
    )
    header = pydicom.dcmread(path)
    hu = header.pixel_array * float(header.RescaleSlope) + float(header.RescaleIntercept)
    middle = np.s_[75:437, 75:437]
    assert np.abs(hu[middle] - np.clip(drawn[middle], -1024, None)).max() <= 0.51
