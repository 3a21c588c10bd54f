"""Which archives are fetched, what of them is kept, and small published files."""

import hashlib
import re
import shutil

import pytest

from archive_server import IDS, contents, entry, get, leftovers, nothing, pack, png, publish
from sourcebench.datasets.nih.archives import archives as nih_archives
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval import http
from sourcebench.retrieval.archives import Archive
from sourcebench.retrieval.small_files import fetch_folder

pytest_plugins = ["archive_server"]


def test_only_wanted_images_of_the_needed_archives(site, tmp_path):
    archives = publish(site)
    wanted = [IDS[0][1], IDS[1][0], IDS[1][3]]
    report = get(archives, wanted, tmp_path)
    assert contents(tmp_path) == {name: png(name) for name in wanted}
    assert site.asked() == ["a.tar.gz", "b.tar.gz"]
    assert leftovers(tmp_path) == []
    assert (report.wanted, report.present, report.extracted) == (3, 0, 3)
    assert report.read == ("a.tar.gz", "b.tar.gz")
    assert report.received == len(site.files["a.tar.gz"]) + len(site.files["b.tar.gz"])


def test_second_call_asks_nothing_and_a_second_study_only_what_it_needs(site, tmp_path):
    archives = publish(site)
    get(archives, [IDS[2][0]], tmp_path)
    site.requests.clear()
    assert get(archives, [IDS[2][0]], tmp_path).present == 1
    assert site.requests == []
    get(archives, [IDS[2][0], IDS[1][2]], tmp_path)
    assert site.asked() == ["b.tar.gz"]


def test_an_archive_from_elsewhere_is_not_the_one_in_the_ledger(site, tmp_path):
    archives = publish(site)
    get(archives, [IDS[0][0]], tmp_path)
    site.files["mirror/a.tar.gz"] = data = pack(entry("images/new.png"))
    mirror = Archive("a.tar.gz", f"{site.url}/mirror/a.tar.gz", len(data))
    get([mirror], ["new.png"], tmp_path)
    assert contents(tmp_path)["new.png"] == png("new.png")


def test_no_more_than_one_archive_at_a_time(site, tmp_path, monkeypatch):
    archives = publish(site)
    counts = []

    def counted(*arguments, **options):
        counts.append(len(list((tmp_path / "archives").iterdir())))
        return http.fetch(*arguments, **options)

    monkeypatch.setattr("sourcebench.retrieval.archives.fetch", counted)
    get(archives, [ids[0] for ids in IDS], tmp_path)
    assert counts == [0, 0, 0]


def test_everything_is_kept_if_asked(site, tmp_path):
    archives = publish(site)
    report = get(archives, [], tmp_path, keep_archives=True, keep_all_images=True)
    assert set(contents(tmp_path)) == {name for ids in IDS for name in ids}
    assert leftovers(tmp_path) == ["a.tar.gz", "b.tar.gz", "c.tar.gz"]
    assert report.extracted == 12
    shutil.rmtree(tmp_path / "images")
    site.requests.clear()
    get(archives, [IDS[1][1]], tmp_path)  # from the kept archives, which stay
    assert site.requests == []
    assert leftovers(tmp_path) == ["a.tar.gz", "b.tar.gz", "c.tar.gz"]


def test_stopped_after_the_download_reads_it_without_asking_again(site, tmp_path, monkeypatch):
    archives = publish(site)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sourcebench.retrieval.archives.unpack", stop)
        with pytest.raises(KeyboardInterrupt):
            get(archives, IDS[0], tmp_path)
    site.requests.clear()
    get(archives, IDS[0], tmp_path)
    assert site.requests == []
    assert leftovers(tmp_path) == []


def test_wrong_bytes_are_deleted(site, tmp_path):
    archive = publish(site)[0]
    wrong = bytearray(site.files["a.tar.gz"])
    wrong[len(wrong) // 2] ^= 1
    site.files["a.tar.gz"] = bytes(wrong)
    with pytest.raises(SourceBenchError, match=rf"not with the published.*{archive.md5}.*deleted"):
        get([archive], IDS[0], tmp_path)
    assert leftovers(tmp_path) == []
    assert contents(tmp_path) == {}


def test_wanted_images_that_no_archive_has(site, tmp_path):
    wanted = [*IDS[0], *(f"9999999{i}_000.png" for i in range(5))]
    with pytest.raises(
        SourceBenchError, match=r"5 of 9 .*none of the 3.*99999990_000\.png.*\.\.\."
    ):
        get(publish(site), wanted, tmp_path)
    assert len(contents(tmp_path)) == 4
    site.requests.clear()
    with pytest.raises(SourceBenchError, match="5 of 9"):
        get(publish(site), wanted, tmp_path)  # known by now, without a download
    assert site.requests == []


def test_a_damaged_ledger_says_what_to_do(site, tmp_path):
    for text in ("{", "[]", '{"a.tar.gz": {}}'):
        (tmp_path / "archives.json").write_text(text)
        with pytest.raises(SourceBenchError, match=r"archives\.json is damaged"):
            get(publish(site), IDS[0], tmp_path)


def test_nih_has_twelve_archives():
    archives = nih_archives()
    assert [archive.name for archive in archives] == [
        f"images_{i:03d}.tar.gz" for i in range(1, 13)
    ]
    for archive in archives:
        assert re.fullmatch(r"https://nihcc\.box\.com/shared/static/[a-z0-9]{32}\.gz", archive.url)
        assert re.fullmatch(r"[0-9a-f]{32}", archive.md5)
    assert len({archive.url for archive in archives} | {archive.md5 for archive in archives}) == 24
    assert sum(archive.size for archive in archives) == pytest.approx(42 * 2**30, rel=0.01)


def test_nih_mirror(site, tmp_path):
    for archive in nih_archives(f"{site.url}/mirror/"):
        assert archive.url == f"{site.url}/mirror/{archive.name}"
        assert archive.md5
    archives = nih_archives(f"{site.url}/mirror", checksums=False)
    for archive, ids in zip(archives, IDS, strict=False):
        site.files[f"mirror/{archive.name}"] = pack(*(entry(f"images/{name}") for name in ids))
    get(archives, [IDS[2][3]], tmp_path)
    assert set(contents(tmp_path)) == {IDS[2][3]}


SPLITS = {"gender/F 0/val.csv": b"path,pid\n1,2\n", "test.csv": b"path\n", "train.csv": b"pid\n"}
SPLITS_SHA256 = hashlib.sha256(b"".join(SPLITS[name] for name in sorted(SPLITS))).hexdigest()


def splits(site, folder, sha256=SPLITS_SHA256, names=tuple(SPLITS)):
    return fetch_folder(f"{site.url}/v1/", names, sha256, folder, pause=nothing)


@pytest.fixture
def published(site):
    site.files = {f"v1/{name.replace(' ', '%20')}": data for name, data in SPLITS.items()}
    return site


def test_small_files_arrive_together(published, tmp_path):
    published.drops = [3, 20, 2]
    paths = splits(published, tmp_path / "splits")
    assert [path.read_bytes() for path in paths] == [SPLITS[name] for name in sorted(SPLITS)]
    assert [path.name for path in tmp_path.iterdir()] == ["splits"]
    published.requests.clear()
    assert splits(published, tmp_path / "splits") == paths
    assert published.requests == []


def test_small_files_that_changed_here_are_fetched_again(published, tmp_path):
    paths = splits(published, tmp_path / "splits")
    paths[0].write_bytes(b"edited")
    splits(published, tmp_path / "splits")
    assert paths[0].read_bytes() == SPLITS["gender/F 0/val.csv"]


def test_another_checksum_names_both(published, tmp_path):
    with pytest.raises(SourceBenchError, match=f"{SPLITS_SHA256}, not {'0' * 64}"):
        splits(published, tmp_path / "splits", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_small_file_that_is_not_there(published, tmp_path):
    with pytest.raises(SourceBenchError, match=r"v1/val_fold9\.csv with HTTP status 404"):
        splits(published, tmp_path / "splits", names=["test.csv", "val_fold9.csv"])
    assert not (tmp_path / "splits").exists()


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "..\\x.csv", ""])
def test_small_files_stay_in_their_folder(published, tmp_path, name):
    with pytest.raises(SourceBenchError, match="must be relative"):
        splits(published, tmp_path / "splits", names=[name])
    assert published.requests == []
