"""Tables that people write, in all their forms, and what is said of each that can't be used."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import write_pngs
from sourcebench import design, files
from sourcebench.datasets import matching
from sourcebench.datasets.base import build
from sourcebench.datasets.origins import retrieve
from sourcebench.datasets.prepare import manifest
from sourcebench.datasets.tasks import candidates
from sourcebench.design import published
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval import tables
from sourcebench.retrieval.folders import index_folder

PLAIN = "image_id,patient_id,findings\na.png,1,Nodule\nb.png,2,No Finding\n"
LABELS = {"from": "metadata", "positive": "Nodule", "negative": "No Finding"}


@pytest.fixture
def mine(tmp_path):
    """Write a table, as text or bytes, and return its metadata."""

    def metadata(content):
        path = tmp_path / "labels.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        spec = {"kind": "table", "origin": "path", "table": str(path), "path": str(tmp_path)}
        return build("mine", spec).metadata()

    return metadata


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\n\n") + "\n , ,\n",
        PLAIN.replace(",", " ,  "),
        PLAIN.replace("\n", ",\n"),  # Excel's empty last column
        PLAIN.replace("a.png", '"a.png"'),
        ",image_id,patient_id,findings\n0,a.png,1,Nodule\n1,b.png,2,No Finding\n",  # pandas' index
    ],
)
def test_the_same_table_in_many_hands(mine, content):
    table = mine(content)
    assert table["image_id"].tolist() == ["a.png", "b.png"]
    assert table["patient_id"].tolist() == ["1", "2"]
    assert table["findings"].tolist() == ["Nodule", "No Finding"]
    assert table["sex"].isna().all()
    assert table.index.tolist() == [0, 1]


def test_cells_are_text_as_it_is_written(mine):
    table = mine(
        'image_id,patient_id,findings,site,note,label\n'
        '1,007,Nodule | Mass,NA,"big, round\nand ""soft""",1\n'
        'None,7,,nan, ,0\n'
    )  # fmt: skip
    assert table["image_id"].tolist() == ["1", "None"]
    assert table["patient_id"].tolist() == ["007", "7"]
    assert table["findings"].tolist()[0] == "Nodule|Mass"
    assert table["findings"].isna().tolist() == [False, True]
    assert table["site"].tolist() == ["NA", "nan"]
    assert table["note"].tolist()[0] == 'big, round\nand "soft"'
    assert table["note"].isna().tolist() == [False, True]
    assert "label" not in table  # the task's own


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"labels\.csv is empty; its first line must be: image_id,patient_id,findings"),
        ("image_id,patient_id,findings\n", "has a header and no rows"),
        (PLAIN.replace(",", ";"), r"separated by semicolons \('image_id;pat.*save it with commas"),
        (PLAIN.replace(",", "\t"), "separated by tabs"),
        (PLAIN.replace("image_id", "Image ID"), r"lacks .*'image_id' \(is it 'Image ID'\?"),
        (PLAIN.replace("findings", "finding"), r"'findings' \(is it 'finding'\? Then rename"),
        (PLAIN.replace("findings", "diagnosis"), "'findings'; it needs .* has: image_id, patient"),
        (PLAIN.replace("patient_id", "image_id"), "has two columns 'image_id'"),
        (PLAIN.replace("Nodule", "Nodulé").encode("latin-1"), r"\(byte 0xe9 in line 2\); save it"),
        (PLAIN.encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive, perhaps an Excel workbook"),
        (PLAIN.encode() + b"\x00", r"is no text file \(byte 0x00 in line 4\)"),
        (PLAIN.replace("Nodule", "Nodule, left"), "Line 2 of .* has 4 cells, but its header has 3"),
        (PLAIN + "c.png,3\n", "Line 4 of .* has 2 cells"),
        (PLAIN.replace("b.png", '"b.png'), r"Line 3 of .*\(unexpected end of data\).*not closed"),
        (PLAIN.replace("b.png", '"b"c.png'), "Line 3 of .* can't be read"),
        (PLAIN + "c.png,,Nodule\n", r"no patient_id in line 4; fill it in"),
        (PLAIN + "\n , 3,\n,4,\n", r"no image_id in lines 5 and 6;"),
        (PLAIN + "c.png,,\n" * 7, r"no patient_id in lines 4, 5, 6, 7, 8 and 2 more"),
        (PLAIN.replace("\na", '\nx.png,0,"two\nlines"\na') + "c.png,,\n", "patient_id in line 6;"),
        (PLAIN + "a.png,1,Mass\n", r"1 image in more than one row, .* in lines 2 and 4; .*'\|'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(mine, content, message):
    with pytest.raises(SourceBenchError, match=message):
        mine(content)


def test_no_table_at_all(tmp_path):
    dataset = build(
        "mine", {"kind": "table", "origin": "download", "table": str(tmp_path / "no.csv")}
    )
    with pytest.raises(
        SourceBenchError, match=r"datasets\.mine\.table: there is no file .*no\.csv"
    ):
        dataset.metadata()
    with pytest.raises(SourceBenchError, match="could not be read: Is a directory"):
        tables.read(tmp_path, ["a"])


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(
    lambda text: text.strip() and text[0] != "\ufeff"
)
each = settings(deadline=None, suppress_health_check=list(HealthCheck))


@each
@given(rows=st.lists(st.tuples(cell, cell), min_size=1))
def test_what_any_program_writes_is_read(tmp_path, rows):
    columns = ("image_id", "patient_id")
    with (tmp_path / "any.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    read = tables.read(tmp_path / "any.csv", columns)
    assert list(zip(*(read[name] for name in columns), strict=True)) == [
        (image.strip(), patient.strip()) for image, patient in rows
    ]


@each
@given(content=st.binary())
def test_no_file_ends_in_a_traceback(tmp_path, content):
    (tmp_path / "any.csv").write_bytes(content)
    with pytest.raises(SourceBenchError, match=r"any\.csv"):
        tables.read(tmp_path / "any.csv", ["a column that no random bytes have"])


def test_ids_stay_text_in_the_projects_own_tables(tmp_path):
    table = pd.DataFrame(
        {
            "image_id": ["007", "NA"], "patient_id": ["1", "None"], "site": ["1", "01"],
            "age": [5, np.nan], "findings": ["NA", None],
        }
    )  # fmt: skip
    files.write_csv(tmp_path / "own.csv", table)
    pd.testing.assert_frame_equal(files.read_table(tmp_path / "own.csv", text=["site"]), table)
    assert files.read_table(tmp_path / "own.csv")["site"].tolist() == [1, 1]


def test_images_of_which_nothing_is_known_are_counted(mine):
    table = mine(PLAIN + "c.png,3,\nd.png,4, \n")
    rows, counts = candidates(table, LABELS, None)
    assert rows["image_id"].tolist() == ["a.png", "b.png"]
    assert (counts["candidates"], counts["without_findings"]) == (2, 2)
    with pytest.raises(SourceBenchError, match=r"labels\.positive is 'Nodule', which .*: none"):
        candidates(mine("image_id,patient_id,findings\na.png,1,\n"), LABELS, None)
    with pytest.raises(SourceBenchError, match=r"No positive image .* and 2 more without findings"):
        candidates(table, LABELS, None, {"b.png", "c.png"})


@pytest.mark.parametrize(
    ("image_id", "file", "how"),
    [
        ("scan_1", "scan_1.png", "with their suffix"),
        ("scan.1", "scan.1.png", "with their suffix"),
        ("images/scan_1.png", "scan_1.png", "without a folder, and no two alike"),
        ("C:\\mine\\scan_1", "scan_1.png", "without a folder"),
        ("Scan_1.png", "scan_1.PNG", "with the same small and capital letters"),
        ("scan_1.dcm", "scan_1.png", "with the suffix that they have"),
    ],
)
def test_names_that_are_nearly_those_of_the_files(image_id, file, how):
    sentence = f"has image_id '{image_id}', but the folder has '{file}': write file names {how}"
    with pytest.raises(SourceBenchError) as caught:
        matching.check(["there.png", "gone.png", image_id], {"there.png", file})
    assert sentence in str(caught.value)


def test_names_of_other_images():
    matching.check(["a.png", "b.png"], {"a.png", "unknown.png"})  # counted, not refused
    matching.check(["a.png", "b.png"], {"a.png"})
    message = "none of the 2 images .* image_id 'a.png', the folder has 'x.png'"
    with pytest.raises(SourceBenchError, match=message):
        matching.check(["a.png", "b.png"], {"y.png", "x.png"})


def test_images_of_one_name(tmp_path):
    write_pngs(tmp_path / "one", ["a.png"])
    write_pngs(tmp_path / "two", ["a.png"])
    assert index_folder(tmp_path).attrs["duplicates"] == 1
    write_pngs(tmp_path / "three", ["a.png"], size=32)
    with pytest.raises(SourceBenchError, match=r"sizes are called a\.png: .*one/a.png and .*three"):
        index_folder(tmp_path)


def test_folders_of_other_formats(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(SourceBenchError, match=r"no \.png file in .* \(but .*a\.jpg, for one\)"):
        index_folder(tmp_path)
    write_pngs(tmp_path, ["b.PNG"])
    assert index_folder(tmp_path)["image_id"].tolist() == ["b.PNG"]


def own_table(patients=40):
    """Two images of each patient; sites in turn, as numbers with a zero in front."""
    rows = [
        (f"{patient}_{i}", f"{patient:03d}", "Nodule" if patient % 2 else "No Finding", site)
        for patient in range(patients)
        for i, site in enumerate(("01", "1"))
    ]
    return pd.DataFrame(rows, columns=["image_id", "patient_id", "findings", "site"])


SITE = ("site", "01", "1")
TASK = {"dataset": "mine", "labels": LABELS, "samples": {"test": 8, "dev": 8, "positive": 0.5}}
OPTIONS = {"seed": 1, "available": None, "published": None}


def test_a_confounder_goes_by_any_column_of_the_table(mine, tmp_path):
    metadata = mine(own_table().to_csv(index=False))
    table, _ = manifest("t", TASK, metadata, carrier=SITE, **OPTIONS)
    sizes = table.groupby(["role", "label", "site"]).size().to_dict()
    assert sizes == {
        ("dev", 0, "1"): 4, ("dev", 1, "1"): 4, ("dev", 1, "01"): 4,
        ("test", 0, "1"): 4, ("test", 0, "01"): 4, ("test", 1, "1"): 4, ("test", 1, "01"): 4,
    }  # fmt: skip
    files.write_csv(tmp_path / "manifest.csv", table)
    read = files.read_table(tmp_path / "manifest.csv", text=["site"])
    made = design.build(read, folds=2, val_fraction=0.5, seed=1, name="t", carrier=("site", "01"))
    design.check(made, "t")
    sites = read.set_index("image_id")["site"]
    for rows in (design.development(made.images, 0.5, 1), made.tests):
        assert (rows["artifact"] == (rows["image_id"].map(sites) == "01")).all()
    assert set(made.images["patient_id"]) <= set(metadata["patient_id"])


@pytest.mark.parametrize(
    ("carrier", "message"),
    [
        (
            ("sites", "01", "1"),
            r"tasks\.t: .*'sites', which .* \(is it 'site'\?\); there are: sex,",
        ),
        (
            ("site", "1", "Bern"),
            "whose site is 'Bern', but there is none .*; site is one of: 01, 1",
        ),
        (("sex", "F", "M"), "whose sex is 'F', .*; sex is empty"),
    ],
)
def test_a_confounder_that_the_table_does_not_know(mine, carrier, message):
    with pytest.raises(SourceBenchError, match=message):
        manifest(
            "t", TASK, mine(own_table().to_csv(index=False)), carrier=carrier, **OPTIONS
        )  # fmt: skip


def test_a_reader_of_ones_own_may_return_numbers():
    numbers = own_table().assign(patient_id=range(80), sex="F", age=1, view="PA")
    table, _ = manifest("t", TASK, numbers, carrier=None, **OPTIONS)
    assert all(isinstance(patient, str) for patient in table["patient_id"])
    numbers.loc[3, "patient_id"] = np.nan
    with pytest.raises(SourceBenchError, match=r"no patient_id in 1 row \(such as row 3"):
        manifest("t", TASK, numbers, carrier=None, **OPTIONS)


def test_a_draw_does_not_hang_on_the_type_of_ids():
    """The published tables number their patients; the draws of 2024 are those of today."""
    table = own_table().assign(sex="F", age=1, view="PA")
    table["patient_id"] = np.arange(80) // 2 + 95  # '100' comes before '95' as text
    whole = {"samples": {"test": 20, "dev": 40}}
    for samples in (TASK, TASK | whole):
        drawn, _ = manifest("t", samples, table, carrier=None, **OPTIONS)
        ordered = drawn.assign(patient_id=drawn["patient_id"].astype(int))
        options = {"folds": 2, "val_fraction": 0.25, "seed": 1, "name": "t"}
        text, number = (design.build(rows, **options).images for rows in (drawn, ordered))
        pd.testing.assert_frame_equal(
            text.drop(columns="patient_id"), number.drop(columns="patient_id")
        )
        _, codes = np.unique(ordered["patient_id"], return_inverse=True)
        assert (design.assign.patient_numbers(drawn["patient_id"]) == codes).all()


def test_published_splits_may_leave_the_attribute_to_the_table(mine):
    metadata = mine(own_table().to_csv(index=False))
    rows = metadata.assign(label=(metadata["findings"] == "Nodule").astype(int), sex=None)
    part = np.repeat(["train", "val", "test"], [40, 20, 20])
    long = rows[["image_id", "patient_id", "label", "sex"]].assign(part=part, fold=1.0, p_art=0.5)
    long.loc[part == "test", ["fold", "p_art"]] = np.nan
    table, _ = manifest("t", TASK, metadata, carrier=SITE, **OPTIONS | {"published": long})
    assert table["site"].tolist() == metadata["site"].sort_index().tolist()
    made = published.build(
        long, seed=1, name="t", carrier=("site", "01"), manifest=table
    )  # fmt: skip
    known = table.set_index("image_id")["site"]
    for rows in (design.development(made.images, 0.5, 1), made.tests):
        assert (rows["artifact"] == (rows["image_id"].map(known) == "01")).all()


def test_ids_that_look_like_numbers_find_their_images(tmp_path):
    """'007' is not 7, from the folder to the arrays."""
    write_pngs(tmp_path / "png", ["007.png", "7.png"])
    (tmp_path / "labels.csv").write_text(
        "image_id,patient_id,findings\n007.png,007,Nodule\n7.png,7,No Finding\n"
    )
    spec = {"kind": "table", "origin": "path", "path": str(tmp_path / "png")}
    dataset = build("mine", spec | {"table": str(tmp_path / "labels.csv")})
    found, _ = retrieve(dataset, dataset.metadata(), tmp_path, 1, io.StringIO())
    assert found["image_id"].tolist() == ["007.png", "7.png"]
    assert dataset.metadata()["patient_id"].nunique() == 2
