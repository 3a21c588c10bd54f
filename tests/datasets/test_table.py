"""Tables of the user's own: columns by other names, and images by their paths."""

import io
from pathlib import Path

import pandas as pd
import pytest

from conftest import write_pngs
from sourcebench.datasets import matching
from sourcebench.datasets.base import build
from sourcebench.datasets.origins import retrieve
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.folders import index_folder

COLUMNS = {"image_id": "file", "patient_id": "subject", "findings": "diagnosis"}
THEIRS = "file,subject,diagnosis,Site\na.png,1,Nodule,Bern\nb.png,2,No Finding,Rome\n"


@pytest.fixture
def mine(tmp_path):
    """A dataset of a table, and of a folder that may have images."""

    def dataset(text, **entry):
        (tmp_path / "mine.csv").write_text(text)
        (tmp_path / "images").mkdir(exist_ok=True)
        place = {"table": str(tmp_path / "mine.csv"), "path": str(tmp_path / "images")}
        return build("mine", {"kind": "table", "origin": "path", **place, **entry})

    return dataset


def test_columns_by_other_names(mine):
    table = mine(THEIRS, columns=COLUMNS | {"domain": "Site"}).metadata()
    assert list(table) == ["image_id", "patient_id", "sex", "age", "view", "findings", "domain"]
    plain = mine(
        THEIRS.replace("file,subject,diagnosis,Site", "image_id,patient_id,findings,domain")
    )
    pd.testing.assert_frame_equal(table, plain.metadata())


def test_a_column_takes_the_place_of_another(mine):
    """The table has a column of the name that another is to have here; or two change names."""
    text = THEIRS.replace("file", "image_id").replace("subject", "patient_id")
    text = text.replace("Site", "findings")
    table = mine(text, columns={"findings": "diagnosis"}).metadata()
    assert table["findings"].tolist() == ["Nodule", "No Finding"]
    assert "diagnosis" not in table
    swapped = mine(
        "image_id,patient_id,findings\na.png,x,1\n",
        columns={"patient_id": "findings", "findings": "patient_id"},
    ).metadata()
    assert swapped.loc[0, ["patient_id", "findings"]].tolist() == ["1", "x"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (COLUMNS | {"site": "Sites"}, r"'Sites' \(is it 'Site'\? Then .*, or correct datasets\.mine"
         r"\.columns\); it needs file, subject, diagnosis, Sites and has"),
        ({"image_id": "file"}, r"lacks the column 'patient_id'; it needs file, patient_id"),
        (COLUMNS | {"site": "file"}, r"datasets\.mine\.columns has 'file' for image_id and site;"),
        ({"site": "findings"}, r"columns has 'findings' for findings and site;"),
        (COLUMNS | {"label": "Site"}, r"columns\.label is a column that tasks fill in; .*_of_mine"),
        (COLUMNS | {"site": 3}, r"datasets\.mine\.columns\.site is 3; it must be text"),
        (["file"], r"datasets\.mine\.columns is \['file'\]; it must be a table"),
    ],
)  # fmt: skip
def test_columns_that_can_not_be(mine, columns, message):
    with pytest.raises(SourceBenchError, match=message):
        mine(THEIRS, columns=columns).metadata()


PATHS = ["a/007/1.png", "a/008/1.png", "b/007/1.png", "b/007/2.png"]


def by_paths(paths):
    lines = [f"{path},{i},{('Nodule', 'None')[i % 2]}" for i, path in enumerate(paths)]
    return "\n".join(["image_id,patient_id,findings", *lines]) + "\n"


@pytest.mark.parametrize("written", [str, lambda path: path.replace("/", "\\"), "./{}".format])
def test_images_by_their_paths(mine, tmp_path, written):
    pixels = {}
    for number, path in enumerate(PATHS):
        file = tmp_path / "images" / path
        pixels[path] = write_pngs(file.parent, [file.name], size=16 + number)[file.name]
    dataset = mine(by_paths(map(written, PATHS)))
    table = dataset.metadata()
    assert table["image_id"].tolist() == PATHS
    found, odd = retrieve(dataset, table, tmp_path, 1, io.StringIO())
    assert odd == {"duplicates": 0}
    for image_id, path in zip(found["image_id"], found["path"], strict=True):
        assert (dataset.read(Path(path))[0] == pixels[image_id]).all()
    with pytest.raises(SourceBenchError, match=r"are called 1\.png"):  # as of other tables
        mine(by_paths(["1.png", "2.png"])).index(tmp_path / "images", tmp_path, 1, io.StringIO())


def test_a_bare_name_beside_paths_is_a_path(mine, tmp_path):
    write_pngs(tmp_path / "images", ["1.png"])
    write_pngs(tmp_path / "images" / "a", ["1.png"])
    found, _ = mine(by_paths(["1.png", "a/1.png"])).index(
        tmp_path / "images", tmp_path, 1, io.StringIO()
    )
    assert found["image_id"].tolist() == ["1.png", "a/1.png"]


@pytest.mark.parametrize("place", ["", ".", "deep/images/"])
def test_paths_begin_below_the_folder(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    write_pngs(tmp_path / place / "x", ["1.png"])
    folder = Path(place) if place else tmp_path
    assert index_folder(folder, by_path=True)["image_id"].tolist() == ["x/1.png"]


def test_one_image_in_two_lines(mine):
    with pytest.raises(
        SourceBenchError, match=r"1 image in more than one row, such as a/1\.png in lines 2 and 3"
    ):
        mine(by_paths(["a/1.png", "a\\1.png"])).metadata()


def test_one_name_in_several_folders_is_not_one_image(mine, tmp_path):
    write_pngs(tmp_path / "images" / "a", ["1.png"])
    write_pngs(tmp_path / "images" / "b", ["1.png", "2.png"])
    paths = r"1\.png in lines 2 and 3\. The table's names have no folders, .* a/1\.png and b/1\.png"
    with pytest.raises(SourceBenchError, match=paths):
        mine(by_paths(["1.png", "1.png"])).metadata()
    with pytest.raises(SourceBenchError, match="in lines 2 and 3; give one row per image"):
        mine(by_paths(["2.png", "2.png"])).metadata()


@pytest.mark.parametrize(
    ("image_id", "file", "how"),
    [
        ("images/a/1.png", "a/1.png", matching.FOLDERS),  # a folder too many
        ("/data/images/a/1.png", "a/1.png", matching.FOLDERS),
        ("a/1.png", "images/a/1.png", matching.FOLDERS),  # one too few
        ("1.png", "images/a/1.png", matching.FOLDERS),
        ("A/1.png", "a/1.png", "with the same small and capital letters"),
        ("a/1", "a/1.png", "with their suffix"),
        ("a/1.jpg", "a/1.png", "with the suffix that they have"),
        ("a.b/1", "a.b/1.png", "with their suffix"),
    ],
)  # fmt: skip
def test_paths_that_are_nearly_those_of_the_files(image_id, file, how):
    with pytest.raises(SourceBenchError) as caught:
        matching.check(["x/there.png", image_id], {"x/there.png", file})
    assert f"image_id '{image_id}', but the folder has '{file}': write" in str(caught.value)
    assert how in str(caught.value)


def test_images_of_one_name_in_other_folders_are_others():
    """One is missing, and another one too many: both are counted, neither is refused."""
    matching.check(["a/1.png", "b/1.png"], {"a/1.png", "c/1.png"})
    matching.check(["a.1/x.png", "b/1.png"], {"a.2/x.png", "b/1.png"})
