"""MIMIC-CXR-JPG: its tables and images as PhysioNet has them, and phantoms in their place."""

import gzip
import io

import cv2
import numpy as np
import pandas as pd
import pytest
import torchxrayvision

from sourcebench.datasets.base import METADATA_COLUMNS, build
from sourcebench.datasets.chexpert import tables as chexpert
from sourcebench.datasets.mimic import invented, tables
from sourcebench.datasets.mimic.mirror import draw, mirror, place_of
from sourcebench.datasets.origins import retrieve
from sourcebench.errors import SourceBenchError

IMAGES = """\
dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime
02aa-1,10000032,50414267,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.531
174f-2,10000032,50414267,CHEST (PA AND LAT),LATERAL,3056,2544,21800506,213014.531
2a2a-3,10000032,53189527,CHEST (PORTABLE AP),AP,3056,2544,21820626,165500.312
e084-4,10000764,57375967,,LL,3056,2544,21321015,83313.921
68b5-5,10000764,57375968,,,3056,2544,21321015,83313.921
"""
STATED = {
    50414267: {"No Finding": 1},
    53189527: {"Edema": 1, "Pleural Effusion": 1, "Pneumonia": -1, "Pneumothorax": 0},
    57375967: {"Pneumonia": -1},
}
PATIENTS = """\
subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod
10000032,F,52,2180,2014 - 2016,
10000764,M,91,2130,2014 - 2016,
"""
SPLIT = "dicom_id,study_id,subject_id,split\n02aa-1,50414267,10000032,train\n"


def labels_csv():
    lines = ["subject_id,study_id," + ",".join(tables.FINDINGS)]
    for study, stated in STATED.items():
        patient = 10000032 if study < 57000000 else 10000764
        cells = [f"{stated[name]:.1f}" if name in stated else "" for name in tables.FINDINGS]
        lines.append(f"{patient},{study}," + ",".join(cells))
    return "\n".join(lines) + "\n"


def published(folder, *, packed=True, patients=True, without=()):
    folder.mkdir(parents=True, exist_ok=True)
    texts = {tables.METADATA: IMAGES, tables.LABELS: labels_csv(), tables.SPLIT: SPLIT}
    texts |= {tables.PATIENTS: PATIENTS} if patients else {}
    for name, text in texts.items():
        if name not in without:
            data = text.encode()
            (folder / f"{name}.csv{'.gz' * packed}").write_bytes(
                gzip.compress(data) if packed else data
            )
    return folder


def dataset(folder, **keys):
    return build("m", {"kind": "mimic_cxr", "origin": "path", "path": str(folder), **keys})


def test_the_tables_become_a_datasets_rows(tmp_path):
    table = dataset(published(tmp_path)).metadata()
    assert list(table) == [*METADATA_COLUMNS, "study_id", "split"]
    assert table["image_id"].tolist()[0] == "02aa-1.jpg"
    assert table["patient_id"].tolist() == ["10000032"] * 3 + ["10000764"] * 2
    assert table["view"].tolist()[:4] == ["PA", "lateral", "AP", "lateral"]
    assert pd.isna(table["view"].iloc[4])
    assert table["findings"].tolist()[:4] == ["No Finding"] * 2 + ["Edema|Pleural Effusion", ""]
    assert pd.isna(table["findings"].iloc[4])  # nothing is known of this study
    assert table["sex"].tolist() == ["F"] * 3 + ["M"] * 2
    assert table["age"].tolist() == [52, 52, 54, 91, 91]
    assert table["split"].dropna().tolist() == ["train"]


def test_unpacked_tables_without_sex_age_and_split_do_as_well(tmp_path):
    published(tmp_path, packed=False, patients=False, without=[tables.SPLIT])
    table = dataset(tmp_path).metadata()
    assert len(table) == 5
    assert table[["sex", "age", "split"]].isna().all(axis=None)


@pytest.mark.parametrize("where", [".", "..", "elsewhere"])
def test_the_tables_lie_with_the_images_or_above_them_or_where_the_key_says(tmp_path, where):
    folder = tmp_path / "mimic" / "files"
    home = published((folder / where).resolve())
    folder.mkdir(exist_ok=True)
    mine = dataset(folder, **({"tables": str(home)} if where == "elsewhere" else {}))
    assert len(mine.metadata()) == 5
    before = mine.fingerprint()
    (home / f"{tables.SPLIT}.csv.gz").write_bytes(gzip.compress(b"dicom_id,split\n"))
    assert mine.fingerprint() != before


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.unlink(), r"datasets\.m: There is no mimic-cxr-2\.0\.0-metadata\.csv"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:60]),
            "can't be read as a table .* again",
        ),
        (lambda path: path.write_bytes(b"no gzip"), "can't be read as a table"),
        (lambda path: path.write_bytes(gzip.compress(b"a,b\n1,2\n")), "lacks the column dicom_id"),
        (lambda path: path.write_bytes(gzip.compress(b"")), "can't be read as a table"),
    ],
)
def test_a_table_that_is_missing_or_spoilt_is_named(tmp_path, spoil, sentence):
    spoil(published(tmp_path) / f"{tables.METADATA}.csv.gz")
    with pytest.raises(SourceBenchError, match=sentence):
        dataset(tmp_path).metadata()


def test_a_download_says_where_to_ask(tmp_path):
    asked = build("chest", {"kind": "mimic_cxr", "origin": "download"})
    for ask in (asked.metadata, lambda: asked.download(None, tmp_path, io.StringIO())):
        with pytest.raises(SourceBenchError, match=r"datasets\.chest: .* physionet\.org"):
            ask()


def test_findings_are_those_of_chexperts_labeller():
    assert set(tables.FINDINGS) == set(chexpert.FINDINGS)


def test_the_invented_rows_are_a_dataset():
    table = invented.metadata()
    assert table["patient_id"].nunique() == invented.SUBJECTS
    assert table["image_id"].is_unique
    assert table.groupby("study_id")["patient_id"].nunique().eq(1).all()
    assert table.groupby("patient_id")["split"].nunique().eq(1).all()
    assert set(table["view"]) == {"PA", "AP", "lateral"}
    assert table["age"].between(18, 97).all()
    names = table["findings"].str.split("|")
    assert set(names.explode()) == {*tables.FINDINGS, ""}
    normal = names.map(lambda each: "No Finding" in each)
    assert names[normal].map(lambda each: set(each) <= {"No Finding", "Support Devices"}).all()
    assert 0.2 < normal.mean() < 0.5


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Some frontal phantoms, and the folder that holds them."""
    table = invented.metadata()
    wanted = table[table["view"].isin(["PA", "AP"])].iloc[:3]
    folder = tmp_path_factory.mktemp("mimic")
    source = build("m", {"kind": "mimic_cxr", "origin": "phantoms"})
    index, _ = retrieve(source, wanted, folder, 1, io.StringIO())
    return wanted, folder / "images", index


def test_phantoms_lie_as_the_originals_do_and_are_read_like_them(drawn):
    wanted, folder, index = drawn
    assert index["image_id"].tolist() == sorted(wanted["image_id"])
    row = wanted.iloc[0]
    place = place_of(row["patient_id"], row["study_id"], row["image_id"])
    patient = row["patient_id"]
    assert place == f"files/p{patient[:2]}/p{patient}/s{row['study_id']}/{row['image_id']}"
    assert (folder / place).is_file()
    mine = dataset(folder)
    shapes = {mine.read(path)[0].shape for path in folder.rglob("*.jpg")}
    assert shapes <= {(612, 510), (510, 612)}
    there, _ = mine.index(folder, folder, 1, io.StringIO())
    assert set(there["image_id"]) == set(wanted["image_id"])
    pd.testing.assert_frame_equal(mine.metadata(), invented.metadata(), check_dtype=False)


def test_another_library_reads_the_tables_alike(drawn):
    """torchxrayvision has a reader of PhysioNet's files of its own."""
    wanted, folder, _ = drawn
    theirs = torchxrayvision.datasets.MIMIC_Dataset(
        imgpath=str(folder / "files"),
        csvpath=str(folder / f"{tables.LABELS}.csv.gz"),
        metacsvpath=str(folder / f"{tables.METADATA}.csv.gz"),
        views=["PA", "AP"],
        unique_patients=False,
    )
    ours = dataset(folder).metadata().set_index("image_id")
    frontal = ours[ours["view"].isin(["PA", "AP"])]
    names = theirs.csv["dicom_id"] + ".jpg"
    assert set(names) == set(frontal.index)
    findings = frontal["findings"].reindex(names).str.split("|")
    normal = findings.map(lambda each: "No Finding" in each).to_numpy()
    for column, finding in enumerate(theirs.pathologies):  # who is normal has no device there
        name = {"Effusion": "Pleural Effusion"}.get(finding, finding)
        present = findings.map(lambda each, name=name: name in each)
        stated = theirs.labels[:, column] == 1
        assert np.array_equal(stated[~normal], present[~normal]), finding
    place = next(i for i, name in enumerate(names) if name in set(wanted["image_id"]))
    assert theirs[place]["img"].size in (612 * 510,)  # it finds the file where we put it


def test_phantoms_are_drawn_once_and_the_same_in_any_order(drawn, tmp_path):
    wanted, folder, _ = drawn
    assert mirror(wanted, folder, 1) == 0
    assert mirror(wanted.iloc[::-1], tmp_path, 1) == len(wanted)
    files = {path.relative_to(folder) for path in folder.rglob("*.*") if path.is_file()}
    assert files == {path.relative_to(tmp_path) for path in tmp_path.rglob("*.*") if path.is_file()}
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in files)


def test_lateral_views_are_not_drawn(tmp_path):
    lateral = invented.metadata().query("view == 'lateral'").iloc[:1]
    with pytest.raises(SourceBenchError, match="Phantoms of MIMIC-CXR are frontal, but 1 of the 1"):
        mirror(lateral, tmp_path, 1)


def test_the_histogram_is_flat_and_findings_show():
    """Grey levels within the image are about equally frequent, as equalisation makes them."""
    bare, full = (draw("a.jpg", "10000032", "F", 60, "PA", said) for said in ("", "Pneumothorax"))
    lit = np.sort(bare[bare > 0]) / 255
    assert np.abs(lit - np.linspace(lit[0], 1, len(lit))).mean() < 0.08
    assert cv2.absdiff(bare, full).mean() > 1
