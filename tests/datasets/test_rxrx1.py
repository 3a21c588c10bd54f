"""RxRx1: its table, its six files a site, phantoms in their place, and the download in parts."""

import io
import zipfile

import cv2
import numpy as np
import pytest

from archive_server import http, nothing, site
from sourcebench.datasets.base import METADATA_COLUMNS, build
from sourcebench.datasets.rxrx1 import tables
from sourcebench.datasets.rxrx1.download import IMAGES, TABLE, fetch_sites, fetch_table
from sourcebench.datasets.rxrx1.mirror import mirror
from sourcebench.datasets.rxrx1.sites import beside, file_name, known_by
from sourcebench.errors import SourceBenchError

__all__ = ["http", "site"]

FIRST = "HUVEC-01_1_B02_1"


def rxrx1(**entry):
    return build("cells", {"kind": "rxrx1", "origin": "phantoms", **entry})


def put(folder, image_id=FIRST, channels=range(1, 7), shape=(8, 10)):
    """Write a site's files; channel k has the grey level 10 k."""
    for channel in channels:
        path = folder / file_name(image_id, channel)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full(shape, 10 * channel, np.uint8))
    return folder / file_name(image_id, 1)


def found(folder):
    return rxrx1().index(folder, folder, 1, io.StringIO())


def test_the_invented_table_has_the_published_ones_counts():
    table = tables.invented()
    assert list(table) == list(tables.COLUMNS)
    assert len(table) == table["site_id"].nunique() == 125_510
    experiments = table.drop_duplicates("experiment")
    assert experiments["cell_type"].value_counts().to_dict() == {
        "HUVEC": 24, "HEPG2": 11, "RPE": 11, "U2OS": 5,
    }  # fmt: skip
    assert (experiments["dataset"] == "train").sum() == 33
    assert table["sirna"].nunique() == table["sirna_id"].nunique() == 1139
    wells = table.drop_duplicates("well_id")
    assert (wells.groupby(["experiment", "plate"]).size() <= 308).all()
    assert len(wells) > 51 * 4 * 308 - 10  # a well is gone only where both of its sites are
    assert set(wells.loc[wells["well"] == "B02", "sirna"]) == {"EMPTY"}
    treated = wells[wells["well_type"] == "treatment"]
    assert treated["sirna"].nunique() == 1108
    assert not treated.duplicated(["experiment", "sirna"]).any()
    controls = wells[wells["well_type"] == "positive_control"]
    assert controls["sirna"].nunique() == 30
    assert not controls.duplicated(["experiment", "plate", "sirna"]).any()


def test_metadata_is_that_of_sites_and_wells_are_what_is_drawn():
    table = rxrx1(sirnas=4).metadata()
    assert list(table)[: len(METADATA_COLUMNS)] == METADATA_COLUMNS
    assert set(table["findings"]) == {"s0000", "s0001", "s0002", "s0003"}
    assert 400 <= len(table) <= 4 * 51 * 2
    row = table.iloc[0]
    assert row["image_id"] == f"{row['patient_id']}_{row['site']}"
    assert row["patient_id"] == f"{row['domain']}_{row['plate']}_{row['well']}"
    assert row["domain"].startswith(f"{row['cell_type']}-")
    one = rxrx1(sirnas=4, sites=1).metadata()
    assert one["patient_id"].is_unique
    assert set(one["patient_id"]) <= set(table["patient_id"])
    assert rxrx1().metadata()["findings"].nunique() == 1139


@pytest.mark.parametrize("place", ["images", "."])
def test_the_published_table_is_found_beside_the_images(tmp_path, place):
    tables.invented().iloc[:50].to_csv(tmp_path / "metadata.csv", index=False)
    (tmp_path / "images").mkdir()
    dataset = rxrx1(origin="path", path=str(tmp_path / place))
    assert dataset.metadata()["image_id"].tolist() == tables.invented()["site_id"][:50].tolist()
    before = dataset.fingerprint()
    tables.invented().iloc[:49].to_csv(tmp_path / "metadata.csv", index=False)
    assert dataset.fingerprint() != before


def test_a_table_that_is_missing_or_another_is_a_sentence(tmp_path):
    with pytest.raises(SourceBenchError, match=r"datasets\.cells\.table: there is no file .*meta"):
        rxrx1(origin="path", path=str(tmp_path)).metadata()
    (tmp_path / "metadata.csv").write_text("site_id,well_id\na,b\n")
    with pytest.raises(SourceBenchError, match="lacks the column 'cell_type'"):
        rxrx1(origin="path", path=str(tmp_path)).metadata()
    some = tables.invented().iloc[:5]
    some.assign(plate="Plate1").to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(SourceBenchError, match="a plate that is no number in lines 2, 3, 4, 5 and"):
        rxrx1(table=str(tmp_path / "metadata.csv")).metadata()
    some.assign(site_id="a").to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(SourceBenchError, match="4 sites twice, such as a"):
        rxrx1(table=str(tmp_path / "metadata.csv")).metadata()
    some.to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(SourceBenchError, match=r"first 9 siRNAs are wanted, but .* has 3"):
        rxrx1(table=str(tmp_path / "metadata.csv"), sirnas=9).metadata()


def test_a_site_is_read_from_six_files_in_order(tmp_path):
    image, odd = rxrx1().read(put(tmp_path))
    assert image.shape == (8, 10, 6)
    assert image[0, 0].tolist() == [10, 20, 30, 40, 50, 60]
    assert odd == ()


def test_a_missing_channel_and_one_of_another_size_are_sentences(tmp_path):
    path = put(tmp_path, channels=[1, 2, 4, 5])
    with pytest.raises(
        SourceBenchError, match=r"B02_s1 lacks 2 of its 6 channels: B02_s1_w3\.png, B02_s1_w6\.png"
    ):
        rxrx1().read(path)
    put(tmp_path, channels=[3, 6], shape=(8, 9))
    with pytest.raises(SourceBenchError, match=r"w3\.png is 9×8 px, but B02_s1_w1\.png is 10×8 px"):
        rxrx1().read(path)


def test_sites_are_found_by_the_ends_of_their_paths(tmp_path):
    path = put(tmp_path / "rxrx1" / "images")
    put(tmp_path / "rxrx1" / "images", "U2OS-05_4_O23_2")
    put(tmp_path / "again")
    put(tmp_path / "rxrx1" / "images", "RPE-01_2_C03_1", channels=range(2, 7))
    (tmp_path / "rxrx1" / "images" / "HUVEC-01" / "Plate1" / "overview.png").write_bytes(b"")
    table, counts = found(tmp_path)
    assert set(table["image_id"]) == {FIRST, "U2OS-05_4_O23_2"}
    assert counts == {"duplicates": 1, "incomplete": 1}
    assert table.set_index("image_id").loc[FIRST, "path"] in {
        str(path), str(tmp_path / "again" / file_name(FIRST, 1)),
    }  # fmt: skip


def test_a_folder_without_sites_is_a_sentence(tmp_path):
    put(tmp_path, channels=[1, 2])
    with pytest.raises(SourceBenchError, match=r"no site of RxRx1 in .*: no six files such as"):
        found(tmp_path)
    with pytest.raises(SourceBenchError, match="is not a folder"):
        found(tmp_path / "none")


def test_names_go_both_ways():
    for image_id in tables.invented()["site_id"].sample(50, random_state=1):
        for channel in (1, 6):
            assert known_by(f"any/{file_name(image_id, channel)}") == (image_id, channel)
    assert known_by("HUVEC-01/Plate1/B02_s1_w7.png") is None
    assert known_by("B02_s1_w1.png") is None
    for wrong in ("B02_1", "../x_1_B02_1", "a/b_1_B02_1"):
        with pytest.raises(SourceBenchError, match="is no site of RxRx1's"):
            file_name(wrong, 1)


def test_the_mirror_lies_as_rxrx1_does_and_draws_what_is_missing(tmp_path):
    wanted = rxrx1(sirnas=4).metadata().iloc[:2]
    assert mirror(wanted, tmp_path, 1) == 2
    assert len(list(tmp_path.rglob("*.*"))) == 12  # nothing half-written stays
    table, counts = found(tmp_path)
    assert set(table["image_id"]) == set(wanted["image_id"])
    assert counts == {"duplicates": 0, "incomplete": 0}
    image, _ = rxrx1().read(tmp_path / file_name(wanted["image_id"].iloc[0], 1))
    assert image.shape == (512, 512, 6)
    assert mirror(wanted, tmp_path, 1) == 0
    lost = beside(tmp_path / file_name(wanted["image_id"].iloc[1], 1))[3]
    before = lost.read_bytes()
    lost.unlink()
    assert mirror(wanted, tmp_path, 1) == 1
    assert lost.read_bytes() == before


@pytest.fixture
def server(site, tmp_path):
    """Put RxRx1's two archives, in miniature, on a server."""
    ids = tables.invented()["site_id"][:4]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as pack:
        for image_id in ids:
            put(tmp_path / "there", image_id, shape=(40, 40))
            for channel in range(1, 7):
                name = file_name(image_id, channel)
                pack.write(tmp_path / "there" / name, f"rxrx1/images/{name}")
    site.files[IMAGES] = archive.getvalue()
    table = io.BytesIO()
    with zipfile.ZipFile(table, "w") as pack:
        pack.writestr("rxrx1/metadata.csv", tables.invented()[:4].to_csv(index=False))
    site.files[TABLE] = table.getvalue()
    return site


def test_the_table_comes_from_the_server(server):
    assert fetch_table(server.url, pause=nothing).equals(tables.invented()[:4])
    dataset = rxrx1(origin="download", url=server.url)
    assert dataset.metadata()["image_id"].tolist() == tables.invented()["site_id"][:4].tolist()
    server.files[TABLE] = b"no zip"
    with pytest.raises(SourceBenchError, match="is no sound zip"):
        fetch_table(server.url, pause=nothing)


def test_only_wanted_sites_are_fetched_and_none_twice(server, tmp_path):
    dataset = rxrx1(origin="download", url=server.url)
    wanted = dataset.metadata().iloc[[1, 3]]
    images = dataset.download(wanted, tmp_path / "got", io.StringIO())
    for image_id in wanted["image_id"]:
        one, other = (
            dataset.read(f / file_name(image_id, 1)) for f in (images, tmp_path / "there")
        )
        np.testing.assert_array_equal(one[0], other[0])
    assert len(list(images.rglob("*.png"))) == 12
    asked = len(server.requests)
    again = fetch_sites(list(wanted["image_id"]), images, url=server.url, pause=nothing)
    assert (again.wanted, again.present, again.extracted, again.received) == (2, 2, 0, 0)
    assert len(server.requests) == asked


def test_what_the_archive_lacks_or_has_damaged_is_a_sentence(server, tmp_path):
    with pytest.raises(
        SourceBenchError, match=r"lacks 6 of 6 wanted files, such as RPE-09/Plate1/"
    ):
        fetch_sites(["RPE-09_1_B02_1"], tmp_path / "a", url=server.url, pause=nothing)
    content = server.files[IMAGES]
    place = content.index(b"IDAT") + 6
    server.files[IMAGES] = content[:place] + b"\xff\xff" + content[place + 2 :]
    first = [tables.invented()["site_id"][0]]
    with pytest.raises(SourceBenchError, match="is no sound zip"):
        fetch_sites(first, tmp_path / "b", url=server.url, pause=nothing)
    assert list((tmp_path / "b").rglob("*.png")) == []
