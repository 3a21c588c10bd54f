"""Getting originals: what is wanted is found, what is missing is said."""

import io

import pandas as pd
import pytest

from conftest import write_pngs
from sourcebench.datasets.base import build
from sourcebench.datasets.origins import retrieve
from sourcebench.errors import SourceBenchError


def test_the_users_folder_is_searched(tmp_path):
    write_pngs(tmp_path / "mine" / "deep", ["a.png", "b.png", "c.png"])
    write_pngs(tmp_path / "mine" / "twice", ["a.png"])
    spec = {"kind": "nih_cxr14", "origin": "path", "path": str(tmp_path / "mine")}
    dataset = build("nih", spec)

    def found(*names):
        wanted = pd.DataFrame({"image_id": names})
        return retrieve(dataset, wanted, tmp_path / "cache", 1, io.StringIO())

    index, odd = found("c.png", "a.png")
    assert list(index["image_id"]) == ["a.png", "c.png"]
    assert index["path"][0].endswith("deep/a.png")
    assert odd == {"duplicates": 1}
    with pytest.raises(SourceBenchError, match=r"1 of 2 images are missing .* \(such as z\.png\)"):
        found("a.png", "z.png")


def test_a_folder_that_was_searched_is_not_searched_again(tmp_path):
    """What was found counts, though the folder is gone by now."""
    dataset = build("nih", {"kind": "nih_cxr14", "origin": "path", "path": str(tmp_path / "gone")})
    table = pd.DataFrame({"image_id": ["b.png", "a.png", "c.png"], "path": ["2", "1", "3"]})

    def chosen(*names):
        wanted = pd.DataFrame({"image_id": names})
        return retrieve(
            dataset, wanted, tmp_path, 1, io.StringIO(), found=(table, {"duplicates": 7})
        )

    index, odd = chosen("a.png", "b.png")
    assert index.values.tolist() == [["a.png", "1"], ["b.png", "2"]]
    assert odd == {"duplicates": 7}
    with pytest.raises(SourceBenchError, match=r"1 of 1 images are missing .* \(such as z\.png\)"):
        chosen("z.png")


def test_a_dataset_without_a_download_says_so(tmp_path):
    table = tmp_path / "table.csv"
    pd.DataFrame({"image_id": ["a"], "patient_id": [1], "findings": ["x"]}).to_csv(table)
    dataset = build("mine", {"kind": "table", "origin": "download", "table": str(table)})
    with pytest.raises(SourceBenchError, match="there is no download for a dataset of kind"):
        retrieve(dataset, dataset.metadata(), tmp_path, 1, io.StringIO())
