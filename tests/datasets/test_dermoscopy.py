"""Four datasets of dermoscopic images: tables, files as the originals have them, and downloads."""

import hashlib
import io
import zipfile

import cv2
import numpy as np
import pandas as pd
import pytest

from sourcebench.datasets import dermoscopy, ham10000, isic2020
from sourcebench.datasets.base import KINDS, METADATA_COLUMNS, build
from sourcebench.datasets.derm7pt import mirror as derm7pt_mirror
from sourcebench.datasets.derm7pt import tables as derm7pt_tables
from sourcebench.datasets.dermoscopy import Dermoscopy
from sourcebench.datasets.ham10000 import tables as ham_tables
from sourcebench.datasets.isic2020 import mirror as isic_mirror
from sourcebench.datasets.isic2020 import tables as isic_tables
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.datasets.ph2 import tables as ph2_tables
from sourcebench.errors import SourceBenchError

pytest_plugins = ["archive_server"]

LAID = {
    "ham10000": r"HAM10000_images_part_[12]/ISIC_00\d{5}\.jpg",
    "isic2020": r"train/ISIC_\d{7}\.jpg",
    "derm7pt": r"release_v0/images/[A-Z]{2}L/[A-Z][a-z]{2}\d+\.jpg",
    "ph2": r"PH2Dataset/PH2 Dataset images/(IMD\d+)/\1_Dermoscopic_Image/\1\.bmp",
}
TABLES = {
    "ham10000": {"HAM10000_metadata.csv"},
    "isic2020": {
        "ISIC_2020_Training_GroundTruth_v2.csv", "challenge-2020-training_metadata.csv",
    },
    "derm7pt": {"release_v0/meta/meta.csv"},
    "ph2": {"PH2Dataset/PH2_dataset.txt"},
}  # fmt: skip


def dataset(kind, **entry):
    return build("skin", {"kind": kind, "origin": "phantoms", **entry})


def found(kind, folder):
    return dataset(kind).index(folder, folder, 1, io.StringIO())[0]


def some(kind, count=2):
    return dataset(kind).metadata().sample(count, random_state=3)


@pytest.mark.parametrize("kind", LAID)
def test_phantoms_lie_as_the_originals_do_and_are_found_and_read(tmp_path, kind):
    wanted = some(kind)
    assert MIRRORS.get(kind)(wanted, tmp_path, 1) == len(wanted)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    images = {path for path in files if path.suffix in KINDS.get(kind).suffixes}
    names = pd.Series([str(path.relative_to(tmp_path)) for path in images])
    assert names.str.fullmatch(LAID[kind]).all()
    assert {str(path.relative_to(tmp_path)) for path in set(files) - images} == TABLES[kind]
    index = found(kind, tmp_path)
    assert set(index["image_id"]) == set(wanted["image_id"])
    for path in images:
        image, remarks = dataset(kind).read(path)
        assert (image.ndim, image.shape[2], image.dtype, remarks) == (3, 3, np.uint8, ())
        assert image[..., 0].mean() > image[..., 2].mean()  # skin is red rather than blue


@pytest.mark.parametrize("kind", LAID)
def test_a_folder_as_the_original_is_has_the_table_of_the_phantoms(tmp_path, kind):
    MIRRORS.get(kind)(dataset(kind).metadata()[:0], tmp_path, 1)
    own = build("mine", {"kind": kind, "origin": "path", "path": str(tmp_path)})
    pd.testing.assert_frame_equal(own.metadata(), dataset(kind).metadata())
    state = own.fingerprint()
    table = next(tmp_path.rglob(own.table_names[0]))
    table.write_text(table.read_text() + "\n\n")
    assert own.fingerprint() != state


@pytest.mark.parametrize("kind", LAID)
def test_metadata_has_every_datasets_columns_and_whole_ids(kind):
    table = dataset(kind).metadata()
    assert list(table)[:7] == [*METADATA_COLUMNS, "domain"]
    assert table["image_id"].is_unique
    assert table[["image_id", "patient_id", "findings", "domain"]].notna().all(axis=None)
    assert set(table["sex"].dropna()) <= {"M", "F"}
    assert not set(table) & {"label", "role", "pair", "class"}


@pytest.mark.parametrize("kind", LAID)
def test_the_mirror_draws_what_is_missing_and_the_same_in_parallel(tmp_path, kind):
    wanted = some(kind)
    MIRRORS.get(kind)(wanted, tmp_path / "one", 1)
    first = next((tmp_path / "one").rglob(wanted["image_id"].iloc[0]))
    there = tmp_path / "two" / first.relative_to(tmp_path / "one")
    there.parent.mkdir(parents=True)
    there.write_bytes(b"already here")
    assert MIRRORS.get(kind)(wanted, tmp_path / "two", 2) == 1
    assert there.read_bytes() == b"already here"
    other = next((tmp_path / "one").rglob(wanted["image_id"].iloc[1]))
    assert (tmp_path / "two" / other.relative_to(tmp_path / "one")).read_bytes() == (
        other.read_bytes()
    )


def test_ham10000_has_the_published_counts():
    """Tschandl et al. 2018, Table 1 and the text below it."""
    table = dataset("ham10000").metadata()
    assert table["findings"].value_counts().to_dict() == {
        "nv": 6705, "mel": 1113, "bkl": 1099, "bcc": 514, "akiec": 327, "vasc": 142, "df": 115,
    }  # fmt: skip
    assert table["domain"].value_counts().to_dict() == {
        "vidir_molemax": 3954, "vidir_modern": 3363, "rosendahl": 2259, "vienna_dias": 439,
    }  # fmt: skip
    assert (table["image_id"].iloc[0], table["image_id"].iloc[-1]) == (
        "ISIC_0024306.jpg",
        "ISIC_0034320.jpg",
    )
    lesions = table.groupby("patient_id")
    assert len(lesions) == 7470
    assert lesions[["findings", "domain", "age"]].nunique().max(axis=None) == 1
    of = table.drop_duplicates("patient_id")["findings"].value_counts().to_dict()
    assert of == ham_tables.LESIONS


def test_isic2020_has_the_published_counts_and_patients_of_one_clinic():
    table = dataset("isic2020").metadata()
    assert (len(table), table["patient_id"].nunique()) == (33126, 2056)
    melanoma = table["findings"] == "melanoma|malignant"
    assert melanoma.sum() == 584 == table["findings"].str.endswith("|malignant").sum()
    assert table.loc[melanoma, "patient_id"].nunique() == 428  # 20.8 % of 2,056
    assert table.groupby("patient_id")["domain"].nunique().max() == 1
    assert set(table["domain"]) == {"MSKCC", "HCB", "Queensland", "Vienna", "Sydney"}
    assert set(isic_mirror.LOOKS) == set(table["domain"])
    assert set(isic_mirror.DRAWN) == set(isic_tables.DIAGNOSES)


def test_derm7pt_and_ph2_have_the_published_counts():
    table = dataset("derm7pt").metadata()
    assert len(table) == 1011
    assert table["findings"].nunique() == 20 == len(derm7pt_mirror.DRAWN)
    melanoma = table["findings"].str.startswith("melanoma")
    assert melanoma.sum() == 252  # 248, and 4 metastases
    assert table["findings"].str.endswith("nevus").sum() == 575
    score = table["seven_point_score"].astype(int)
    assert score[melanoma].mean() > score[~melanoma].mean() + 1
    assert dataset("ph2").metadata()["findings"].value_counts().to_dict() == {
        "Common Nevus": 80, "Atypical Nevus": 80, "Melanoma": 40,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("attribution", "clinic"),
    [
        ("MSKCC", "MSKCC"),
        ("Memorial Sloan Kettering Cancer Center", "MSKCC"),
        ("Department of Dermatology, Hospital Clínic de Barcelona", "HCB"),
        ("ViDIR group, Department of Dermatology, Medical University of Vienna", "Vienna"),
        ("The University of Queensland Diamantina Institute, The University of Queensland, "
         "Dermatology Research Centre", "Queensland"),
        ("Pascale Guitera", "Sydney"),
        ("Somewhere else", "Somewhere else"),
    ],
)  # fmt: skip
def test_clinics_are_known_by_either_wording_of_the_archive(attribution, clinic):
    assert isic_tables.clinic(attribution) == clinic


def isic_row(name):
    return dict(
        zip(
            isic_tables.COLUMNS,
            (name, "IP_1", "IL_1", "", "", "", "unknown", "benign", "0"),
            strict=True,
        )
    )


def test_isic2020_goes_without_clinics_or_takes_them_from_the_archives_metadata(tmp_path):
    pd.DataFrame([isic_row("ISIC_1"), isic_row("ISIC_2")]).to_csv(
        tmp_path / "ISIC_2020_Training_GroundTruth_v2.csv", index=False
    )
    entry = {"kind": "isic2020", "origin": "path", "path": str(tmp_path)}
    plain = build("mine", entry)
    assert plain.metadata()["domain"].isna().all()
    assert plain.metadata()["findings"].tolist() == ["unknown|benign"] * 2
    clinics = "isic_id,attribution\nISIC_2,Pascale Guitera\nISIC_9,MSKCC\n"
    (tmp_path / "elsewhere.csv").write_text(clinics)
    told = build("mine", entry | {"clinics": str(tmp_path / "elsewhere.csv")})
    assert told.metadata()["domain"].fillna("?").tolist() == ["?", "Sydney"]
    state = plain.fingerprint()
    (tmp_path / "challenge-2020-training_metadata_2022-06-29.csv").write_text(clinics)
    assert plain.metadata()["domain"].fillna("?").tolist() == ["?", "Sydney"]
    assert plain.fingerprint() != state


PH2 = """\
|| Name   || Histological Diagnosis || Clinical Diagnosis || Asymmetry | Pigment Network | \
Dots/Globules | Streaks | Regression Areas | Blue-Whitish Veil ||           Colors ||
|| IMD003 ||                        ||                  0 ||         0 |               T | \
            A |       A |                A |                 A ||                4 ||
|| IMD058 ||               Melanoma ||                  2 ||         2 |              AT | \
           AT |       P |                P |                 P ||          3  4  5 ||

 LEGENDS:
   Clinical Diagnosis
      0 - Common Nevus
"""


def test_ph2s_table_is_read_as_it_comes(tmp_path):
    path = tmp_path / "PH2_dataset.txt"
    path.write_text(PH2)
    table = ph2_tables.read(path)
    assert table.iloc[0].tolist() == ["IMD003", "", "0", "0", "T", "A", "A", "A", "A", "4"]
    assert table.iloc[1].tolist() == [
        "IMD058", "Melanoma", "2", "2", "AT", "AT", "P", "P", "P", "3  4  5",
    ]  # fmt: skip
    kept = build("mine", {"kind": "ph2", "origin": "path", "path": str(tmp_path)}).metadata()
    assert kept["findings"].tolist() == ["Common Nevus", "Melanoma"]
    assert kept["blue_whitish_veil"].tolist() == ["A", "P"]
    path.write_text(PH2.replace("|       A |", "|"))
    with pytest.raises(SourceBenchError, match=r"Line 2 of .*PH2_dataset\.txt is not as PH2 has"):
        ph2_tables.read(path)
    path.write_text("Name,Diagnosis\n")
    with pytest.raises(SourceBenchError, match=r"no line such as '\|\| IMD003"):
        ph2_tables.read(path)


def test_ph2s_masks_are_no_images(tmp_path):
    pixels = np.zeros((8, 8, 3), np.uint8)
    for name in ("IMD003_lesion", "IMD003_R1_Label4"):
        cv2.imwrite(str(tmp_path / f"{name}.bmp"), pixels)
    with pytest.raises(SourceBenchError, match=r"no image such as IMD003\.bmp"):
        found("ph2", tmp_path)
    cv2.imwrite(str(tmp_path / "IMD003.bmp"), pixels)
    assert found("ph2", tmp_path)["image_id"].tolist() == ["IMD003.bmp"]


def test_derm7pts_images_are_known_by_their_folder_and_name(tmp_path):
    for place in ("release_v0/images/NEL", "copy/NEL", "release_v0/images/FAL"):
        (tmp_path / place).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / place / "Nel026.jpg"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "copy" / "NEL" / "._Nel026.jpg").touch()
    index, counts = dataset("derm7pt").index(tmp_path, tmp_path, 1, io.StringIO())
    assert index["image_id"].tolist() == ["FAL/Nel026.jpg", "NEL/Nel026.jpg"]
    assert index["path"].iloc[1] == str(tmp_path / "copy/NEL/Nel026.jpg")
    assert counts == {"duplicates": 1}
    (tmp_path / "empty").mkdir()
    for folder, why in (("empty", r"no image such as NEL/Nel026\.jpg"), ("gone", "does not exist")):
        with pytest.raises(SourceBenchError, match=why):
            found("derm7pt", tmp_path / folder)


def test_colours_come_in_the_order_red_green_blue(tmp_path):
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :3], pixels[:, 3:] = (0, 0, 200), (200, 0, 0)  # OpenCV's order is blue first
    cv2.imwrite(str(tmp_path / "IMD001.bmp"), pixels)
    image, _ = dataset("ph2").read(tmp_path / "IMD001.bmp")
    assert image[0, 0].tolist() == [200, 0, 0]
    assert image[0, 5].tolist() == [0, 0, 200]
    (tmp_path / "IMD002.bmp").write_bytes((tmp_path / "IMD001.bmp").read_bytes()[:70])
    with pytest.raises(SourceBenchError, match=r"IMD002\.bmp is truncated or damaged"):
        dataset("ph2").read(tmp_path / "IMD002.bmp")


@pytest.mark.parametrize(("kind", "where"), [("derm7pt", "derm.cs.sfu.ca"), ("ph2", "fc.up.pt")])
def test_what_no_program_may_fetch_says_where_to_ask(tmp_path, kind, where):
    walled = build("skin", {"kind": kind, "origin": "download"})
    for asked in (walled.metadata, lambda: walled.download(some(kind), tmp_path, io.StringIO())):
        with pytest.raises(SourceBenchError, match=rf"datasets\.skin: .*{where}.* set origin to"):
            asked()


def test_a_table_that_is_missing_or_wrong_is_named(tmp_path):
    mine = build("mine", {"kind": "ham10000", "origin": "path", "path": str(tmp_path)})
    with pytest.raises(SourceBenchError, match=r"datasets\.mine\.path: there is no HAM10000_meta"):
        mine.metadata()
    (tmp_path / "HAM10000_metadata").write_text("image_id,lesion_id\nISIC_1,HAM_1\n")
    with pytest.raises(SourceBenchError, match="lacks the column 'dx'"):
        mine.metadata()
    with pytest.raises(SourceBenchError, match="table is given, but phantoms have a table of thei"):
        dataset("ham10000", table="mine.csv")


def test_ham10000_is_fetched_table_and_images(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = ham_tables.invented()[:3]
    text = rows.to_csv(index=False).encode()
    site.files["table"] = text
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name in rows["image_id"]:
            archive.writestr(f"{name}.jpg", cv2.imencode(".jpg", np.zeros((8, 8, 3)))[1].tobytes())
    site.files["one"] = raw.getvalue()
    module = ham10000.dataset
    one = module.ARCHIVES[0].__class__("HAM10000_images_part_1.zip", f"{site.url}/one")
    monkeypatch.setattr(module, "ARCHIVES", (one,))
    monkeypatch.setattr(module, "TABLE", (f"{site.url}/table", "0" * 32))
    real = build("skin", {"kind": "ham10000", "origin": "download"})
    with pytest.raises(SourceBenchError, match="not the published 0000"):
        real.metadata()
    monkeypatch.setattr(module, "TABLE", (f"{site.url}/table", hashlib.md5(text).hexdigest()))
    table = real.metadata()
    assert table["image_id"].tolist() == [f"{name}.jpg" for name in rows["image_id"]]
    asked = len(site.requests)
    pd.testing.assert_frame_equal(real.metadata(), table)
    assert len(site.requests) == asked  # it is kept
    folder = real.download(table[:2], tmp_path / "raw", io.StringIO())
    assert found("ham10000", folder)["image_id"].tolist() == table["image_id"][:2].tolist()


def test_addresses_are_those_that_were_published():
    urls = [archive.url for archive in (*ham10000.dataset.ARCHIVES, *isic2020.dataset.ARCHIVES)]
    assert all(url.startswith("https://") for url in urls)
    assert sum(archive.size for archive in ham10000.dataset.ARCHIVES) == 2_770_088_655
    assert all(len(archive.md5) == 32 for archive in ham10000.dataset.ARCHIVES)
    assert issubclass(KINDS.get("isic2020"), Dermoscopy)
    assert not dermoscopy.FETCHED.is_absolute()


def test_criteria_of_derm7pt_are_its_own_words():
    table = derm7pt_tables.invented()
    assert tuple(table) == derm7pt_tables.COLUMNS
    assert set(table["vascular_structures"]) <= {
        "absent", "arborizing", "comma", "hairpin", "within regression", "wreath", "dotted",
        "linear irregular",
    }  # fmt: skip
    assert table["derm"].is_unique
