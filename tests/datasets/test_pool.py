"""Several datasets as one."""

import io
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from sourcebench.datasets.base import build
from sourcebench.datasets.origins import retrieve
from sourcebench.datasets.prepare import manifest
from sourcebench.errors import SourceBenchError

LABELS = {"from": "metadata", "positive": "Mass", "negative": "No Finding"}


@pytest.fixture
def entry(tmp_path):
    """Two clinics' folders and tables, with the same names in both, and phantoms of NIH's."""
    parts = {"nih": {"kind": "nih_cxr14", "origin": "phantoms"}}
    for level, name in ((40, "bern"), (80, "genf")):
        (tmp_path / name).mkdir()
        rows = []
        for i in range(12):
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), np.full((32, 32), level + i, np.uint8))
            rows.append((f"{i}.png", str(i // 2), ("Mass", "No Finding")[i % 2], name.upper()))
        table = pd.DataFrame(rows, columns=["image_id", "patient_id", "findings", "device"])
        if name == "genf":
            table["domain"] = ["one", "other"] * 6
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        parts[name] = {
            "kind": "table", "origin": "path", "path": str(tmp_path / name),
            "table": str(tmp_path / f"{name}.csv"),
        }  # fmt: skip
    return {"kind": "pool", "parts": parts}


def test_ids_are_those_of_the_part_and_the_domain_is_said(entry):
    pool = build("all", entry)
    table = pool.metadata()
    assert table["image_id"].is_unique
    ours = table[table["image_id"].str.startswith("genf/")]
    assert list(ours["patient_id"].unique()) == [f"genf/{i}" for i in range(6)]
    assert set(ours["domain"]) == {"one", "other"}
    assert set(table["domain"]) == {"nih", "bern", "one", "other"}
    assert set(ours["device"]) == {"GENF"}
    assert table.loc[table["domain"] == "nih", "device"].isna().all()
    assert len(table) == 112_120 + 24


def test_what_is_there_is_what_can_be_had(entry, tmp_path):
    (tmp_path / "bern" / "3.png").unlink()
    found, odd = build("all", entry).index(None, tmp_path / "cache", 1, io.StringIO())
    assert len(found) == 112_120 + 23
    assert odd == {"duplicates": 0}
    assert "bern/3.png" not in set(found["image_id"])
    path = found.set_index("image_id")["path"]
    assert path["bern/2.png"] == str(tmp_path / "bern" / "2.png")


def test_images_of_every_origin_are_got_and_read(entry, tmp_path):
    pool = build("all", entry)
    table = pool.metadata()
    some = ["nih/00000001_000.png", "bern/3.png", "genf/3.png"]
    wanted = table[table["image_id"].isin(some)]
    place = tmp_path / "resources" / "all"
    looked = pool.index(None, place, 1, io.StringIO())
    for found in (None, looked):
        index, _ = retrieve(pool, wanted, place, 1, io.StringIO(), found)
        assert list(index["image_id"]) == sorted(some)
        paths = index.set_index("image_id")["path"].map(Path)
        image, _ = pool.image("bern/3.png", paths["bern/3.png"])
        assert (image == 43).all()
        image, _ = pool.image("genf/3.png", paths["genf/3.png"])
        assert (image == 83).all()
        image, _ = pool.image("nih/00000001_000.png", paths["nih/00000001_000.png"])
        assert image.shape == (1024, 1024)
    drawn = tmp_path / "resources" / "phantoms" / "all" / "nih" / "images"
    assert [each.name for each in drawn.iterdir()] == ["00000001_000.png"]


def test_a_task_is_drawn_from_all_parts(entry, tmp_path):
    task = {
        "dataset": "all", "labels": LABELS, "samples": {"test": 8, "dev": 12, "positive": 0.5},
    }  # fmt: skip
    entry["parts"].pop("nih")
    pool = build("all", entry)
    available = set(pool.index(None, tmp_path, 1, io.StringIO())[0]["image_id"])
    chosen, counts = manifest(
        "t", task, pool.metadata(), seed=1, carrier=None, available=available, published=None
    )
    assert set(chosen["image_id"].str.partition("/")[0]) == {"bern", "genf"}
    assert counts["without_row"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bern": {"kind": "tables"}}, r"datasets\.all\.parts\.bern\.kind has 'tables'"),
        ({"bern": {"kind": "table", "origin": "phantoms"}}, r"parts\.bern lacks the key 'table'"),
        ({"bern": {"kind": "nih_cxr14", "origin": "web"}}, r"parts\.bern\.origin is 'web'"),
        ({"bern": {"origin": "path"}}, r"datasets\.all\.parts\.bern lacks the key 'kind'"),
    ],
)
def test_a_part_that_is_wrong_is_named(entry, change, message):
    with pytest.raises(SourceBenchError, match=message):
        build("all", {**entry, "parts": entry["parts"] | change})
