"""The index of DICOM headers, and which file is which slice."""

import io
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from lidc_files import OTHER_SERIES, SERIES, encoded, put, series, slice_of, uid
from sourcebench.datasets.lidc import headers
from sourcebench.datasets.lidc.headers import Headers, index, match
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats.dicom import NO_INSTANCE


def wanted(*zs, series_uid=SERIES):
    return pd.DataFrame(
        {"image_id": [f"{series_uid[-1]}z{z:+.2f}" for z in zs], "series_uid": series_uid, "z": zs}
    )


def test_finds_slices_in_any_layout_by_their_headers(tmp_path):
    put(tmp_path / "LIDC-IDRI-0001" / "01-01-2000-30178" / "3000566" / "1-01.dcm", slice_of(1.5))
    put(tmp_path / "flat", slice_of(-3.25, instance=2))
    put(tmp_path / "a folder" / "2.DCM", slice_of(7.0, series=OTHER_SERIES, instance=9))
    found = index(tmp_path, None)
    columns = ["series_uid", "z", "instance", "rows", "columns"]
    assert found.table[columns].values.tolist() == [
        [SERIES, -3.25, 2, 16, 16],
        [SERIES, 1.5, 1, 16, 16],
        [OTHER_SERIES, 7.0, 9, 16, 16],
    ]
    assert found.table["sop_uid"].tolist()[0] == uid(SERIES, -3.25, 2)
    assert found.table["path"].tolist()[0] == str(tmp_path / "flat")


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_reads_headers_of_every_encoding(tmp_path, syntax):
    dataset = slice_of(2.0, syntax=syntax)
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
    put(tmp_path / "a", dataset)
    assert index(tmp_path, None).table["z"].tolist() == [2.0]


def test_only_the_header_is_read(tmp_path):
    whole = encoded(slice_of(2.0))
    description = whole.index(b"\x28\x00\x30\x00")  # PixelSpacing comes after Columns
    (tmp_path / "a").write_bytes(whole[: description + 8])
    assert index(tmp_path, None).table["z"].tolist() == [2.0]


def test_z_falls_back_to_the_slice_location(tmp_path):
    put(tmp_path / "a", slice_of(4.0, without=["ImagePositionPatient"], SliceLocation=5.5))
    put(tmp_path / "b", slice_of(6.0, without=["SliceLocation", "InstanceNumber"]))
    table = index(tmp_path, None).table
    assert table["z"].tolist() == [5.5, 6.0]
    assert table["instance"].tolist() == [1, NO_INSTANCE]


def directory():
    dataset = slice_of(without=["PixelData", "Rows", "Columns", "ImagePositionPatient"])
    dataset.SOPClassUID = "1.2.840.10008.1.3.10"
    small = Dataset()
    small.file_meta, small.FileSetID = dataset.file_meta, "LIDC"
    small.SOPClassUID, small.SOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    return small


def test_what_is_no_slice_is_counted(tmp_path):
    put(tmp_path / "good", slice_of(1.0))
    put(tmp_path / "._good", slice_of(1.0))
    (tmp_path / ".DS_Store").write_bytes(b"")
    for name in ("069.xml", "metadata.csv", "LICENSE", "empty"):
        (tmp_path / name).write_bytes(b"<?xml?>" * (name != "empty"))
    put(tmp_path / "DICOMDIR", directory())
    put(tmp_path / "radiograph.dcm", slice_of(without=["ImagePositionPatient", "SliceLocation"]))
    put(tmp_path / "report.dcm", slice_of(without=["Rows", "Columns", "PixelData"]))
    found = index(tmp_path, None)
    assert found.counts() == {
        "slices": 1,
        "hidden": 2,
        "other": 4,
        "positionless": 3,
        "unreadable": 0,
    }


def test_damaged_headers_are_named(tmp_path):
    put(tmp_path / "good", slice_of(1.0))
    cut = len(encoded(slice_of(2.0))) - 400
    put(tmp_path / "cut", slice_of(2.0), cut=cut)
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "broken").write_bytes(bytes(128) + b"DICM" + b"\xff" * 300)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    put(tmp_path / "homeless", slice_of(3.0, SeriesInstanceUID=None))
    found = index(tmp_path, None)
    assert found.table["z"].tolist() == [1.0]
    told = dict(
        line.removeprefix(f"{tmp_path}{os.sep}").split(": ", 1) for line in found.unreadable
    )
    assert list(told) == ["broken", "cut", "empty.dcm", "gone", "homeless"]
    assert told["cut"] == "its header is truncated"
    assert told["empty.dcm"] == "it is no DICOM file"
    assert told["homeless"] == "it doesn't say its SeriesInstanceUID"
    assert "cut: its header is truncated" in str(found)


@given(data=st.data())
def test_no_damage_stops_the_index(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    put(folder / "good", slice_of(1.0))
    content = bytearray(encoded(slice_of(2.0)))
    end = data.draw(st.integers(0, 900))
    for place in data.draw(st.lists(st.integers(0, 900), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    (folder / "bad").write_bytes(content[:end])
    found = index(folder, None)
    assert str(folder / "good") in set(found.table["path"])
    assert sum(found.counts().values()) == 2


def test_a_name_that_is_no_utf8_is_named(tmp_path):
    put(tmp_path / "good", slice_of(1.0))
    put(tmp_path / os.fsdecode(b"Schl\xfcssel"), slice_of(2.0))
    found = index(tmp_path, tmp_path / "cache.parquet")
    assert found.table["z"].tolist() == [1.0]
    assert found.unreadable == (f"{tmp_path}/Schl\\xfcssel: its name is no UTF-8",)


def test_links_are_followed_once(tmp_path):
    put(tmp_path / "elsewhere" / "a", slice_of(1.0))
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "back").symlink_to(folder)
    put(tmp_path / "other", slice_of(2.0))
    (folder / "b").symlink_to(tmp_path / "other")
    assert index(folder, None).table["path"].tolist() == [
        str(folder / "linked" / "a"),
        str(folder / "b"),
    ]


def test_an_index_without_slices_is_an_error(tmp_path):
    with pytest.raises(SourceBenchError, match="does not exist"):
        index(tmp_path / "none", None)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceBenchError, match="not a folder"):
        index(tmp_path / "file", None)
    with pytest.raises(SourceBenchError, match=r"no CT slice.*1 other files"):
        index(tmp_path, None)


def test_the_second_call_opens_only_what_is_new_or_changed(tmp_path, monkeypatch):
    data, cache = tmp_path / "data", tmp_path / "cache.parquet"
    paths = series(data, [1.0, 2.0, 3.0])
    (data / "notes.txt").write_text("notes")
    first = index(data, cache)
    assert first.read == 4
    again = index(data, cache)
    assert again.read == 0
    pd.testing.assert_frame_equal(again.table, first.table)
    assert again.other == 1

    paths[0].unlink()
    put(paths[1], slice_of(20.0, instance=2, PatientName="longer than before"))
    put(data / "new", slice_of(5.0))
    third = index(data, cache)
    assert third.read == 2
    assert third.table["z"].tolist() == [3.0, 5.0, 20.0]
    pd.testing.assert_frame_equal(third.table, index(data, None).table)
    assert index(data, cache).read == 0


def test_a_file_mended_in_place_is_read_again(tmp_path):
    data, cache = tmp_path / "data", tmp_path / "cache.parquet"
    put(data / "good", slice_of(1.0))
    put(data / "bad", slice_of(2.0), cut=len(encoded(slice_of(2.0))) - 400)
    assert len(index(data, cache).unreadable) == 1
    assert index(data, cache).read == 1
    put(data / "bad", slice_of(2.0))
    assert index(data, cache).table["z"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("damage", [b"", b"no parquet", None])
def test_a_damaged_cache_is_made_again_with_a_note(tmp_path, damage):
    data, cache = tmp_path / "data", tmp_path / "cache.parquet"
    series(data, [1.0])
    if damage is None:
        pd.DataFrame({"unlike": [1]}).to_parquet(cache)
    else:
        cache.write_bytes(damage)
    terminal = io.StringIO()
    assert index(data, cache, terminal=terminal).read == 1
    assert "cache.parquet is damaged" in terminal.getvalue()
    assert index(data, cache).read == 0


def test_processes_find_the_same(tmp_path, monkeypatch):
    series(tmp_path, np.arange(30.0))
    one = index(tmp_path, None)
    monkeypatch.setattr(headers, "WORTH_PROCESSES", 2)
    pd.testing.assert_frame_equal(index(tmp_path, None, processes=2).table, one.table)


def test_matches_by_series_and_height(tmp_path):
    series(tmp_path, [1.0, 2.0, 3.0])
    series(tmp_path, [1.0, 2.5], OTHER_SERIES)
    found = index(tmp_path, None)
    slices = pd.concat([wanted(2.04, 1.0), wanted(2.5, 1.04, series_uid=OTHER_SERIES)])
    chosen, odd = match(slices, found)
    assert chosen["image_id"].tolist() == slices["image_id"].tolist()
    table = found.table.set_index("path").loc[chosen["path"]]
    assert table["z"].tolist() == [2.0, 1.0, 2.5, 1.0]
    assert table["series_uid"].tolist() == slices["series_uid"].tolist()
    assert odd.counts() == {"missing": 0, "copies": 0, "rivals": 0}
    assert str(odd) == "Each slice has one file."


def test_slices_without_a_file_are_named(tmp_path):
    series(tmp_path, [1.0, 2.0])
    chosen, odd = match(wanted(1.0, 2.06, 1.94, 9.0), index(tmp_path, None))
    assert chosen["image_id"].tolist() == ["1z+1.00"]
    assert odd.missing == ("1z+1.94", "1z+2.06", "1z+9.00")
    assert "no file: 3 (1z+1.94, 1z+2.06, 1z+9.00)" in str(odd)


def test_the_tolerance_includes_its_end(tmp_path):
    series(tmp_path, [100.0])
    chosen, _ = match(wanted(100.05), index(tmp_path, None))
    assert len(chosen) == 1


def test_of_several_files_the_lowest_instance_then_the_first_path_counts(tmp_path):
    put(tmp_path / "c", slice_of(1.0, instance=3))
    put(tmp_path / "b", slice_of(1.0, instance=10))
    put(tmp_path / "z" / "copy", slice_of(2.0, instance=4))
    put(tmp_path / "y" / "copy", slice_of(2.0, instance=4))
    put(tmp_path / "d", slice_of(3.0))
    chosen, odd = match(wanted(1.0, 2.0, 3.0), index(tmp_path, None))
    assert chosen["path"].tolist() == [str(tmp_path / name) for name in ("c", "y/copy", "d")]
    assert odd.rivals == ("1z+1.00",)
    assert odd.copies == ("1z+2.00",)


def test_no_file_stands_for_two_slices(tmp_path):
    series(tmp_path, [1.0])
    chosen, odd = match(wanted(0.96, 1.03), index(tmp_path, None))
    assert chosen["image_id"].tolist() == ["1z+1.03"]
    assert odd.missing == ("1z+0.96",)


@given(
    files=st.lists(st.tuples(st.sampled_from("12"), st.integers(0, 40)), unique=True),
    slices=st.lists(st.tuples(st.sampled_from("12"), st.integers(0, 40)), unique=True, min_size=1),
)
def test_matching_agrees_with_a_plain_search(files, slices):
    files = [(name, z / 2) for name, z in files]
    slices = [(name, z / 2 + 0.01) for name, z in slices]
    table = pd.DataFrame(
        [(f"p{i}", name, z, f"s{i}", i, 16, 16) for i, (name, z) in enumerate(files)],
        columns=list(headers.COLUMNS),
    ).astype({"path": "str", "series_uid": "str", "sop_uid": "str", "z": float})
    rows = pd.DataFrame(slices, columns=["series_uid", "z"])
    rows.insert(0, "image_id", [f"i{i}" for i in range(len(rows))])
    chosen, odd = match(rows, Headers(table, 0, 0, 0, 0, ()))
    plain = {
        f"i{k}": f"p{i}"
        for k, (name, z) in enumerate(slices)
        for i, (other, height) in enumerate(files)
        if name == other and abs(z - height) <= 0.05
    }
    assert dict(zip(chosen["image_id"], chosen["path"], strict=True)) == plain
    assert set(odd.missing) == set(rows["image_id"]) - set(plain)
