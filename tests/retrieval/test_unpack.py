"""Archives that are damaged or mean harm."""

import gzip
import shutil
import tarfile

import pytest

from archive_server import (
    IDS,
    bare,
    contents,
    entry,
    get,
    leftovers,
    pack,
    png,
    publish,
)
from sourcebench.errors import SourceBenchError
from sourcebench.files import read_json

pytest_plugins = ["archive_server"]


def damaged(how):
    sound = pack(*(entry(f"images/{name}") for name in IDS[0]))
    if how == "truncated":
        return sound[:-200]
    if how == "without its checksum":
        return sound[:-8]
    if how == "wrong checksum":
        return sound[:-8] + bytes(4) + sound[-4:]
    if how == "no tar":
        return gzip.compress(b"<html>" * 1000)
    return b"<html>Please sign in</html>"


DAMAGES = ["truncated", "without its checksum", "wrong checksum", "no tar", "no gzip"]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_archive_gives_no_image(site, tmp_path, how):
    archive = bare(publish(site, a=damaged(how))[0])
    with pytest.raises(SourceBenchError, match=r"a\.tar\.gz\.part is damaged.*it was deleted"):
        get([archive], IDS[0], tmp_path)
    assert contents(tmp_path) == {}
    assert leftovers(tmp_path) == []
    publish(site)
    get([archive], IDS[0], tmp_path)
    assert len(contents(tmp_path)) == 4


def test_a_damaged_archive_of_the_users_is_left_to_them(site, tmp_path):
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "a.tar.gz").write_bytes(damaged("truncated"))
    with pytest.raises(SourceBenchError, match="delete it and run again"):
        get(publish(site), IDS[0], tmp_path)
    assert leftovers(tmp_path) == ["a.tar.gz"]


SECRET = "secret.png"
MALICIOUS = {
    "parent": entry(f"images/../../../{SECRET}"),
    "absolute": None,  # made in the test, with its folder
    "backslash": entry(f"images\\..\\{SECRET}"),
    "symlink": entry(f"images/{SECRET}", tarfile.SYMTYPE, "../../outside.txt"),
    "hardlink": entry(f"images/{SECRET}", tarfile.LNKTYPE, "../../outside.txt"),
    "character device": entry(f"images/{SECRET}", tarfile.CHRTYPE),
    "block device": entry(f"images/{SECRET}", tarfile.BLKTYPE),
    "fifo": entry(f"images/{SECRET}", tarfile.FIFOTYPE),
    "folder": entry(f"images/{SECRET}", tarfile.DIRTYPE),
}


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("kind", MALICIOUS)
def test_malicious_entries_are_not_extracted(site, tmp_path, kind, everything):
    folder = tmp_path / "data"
    (tmp_path / "outside.txt").write_text("mine")
    bad = MALICIOUS[kind] or entry(f"{tmp_path}/absolute/{SECRET}")
    good = entry(f"images/{IDS[0][0]}")
    archive = publish(site, a=pack(bad, good))[0]
    wanted = [IDS[0][0]] if everything else [IDS[0][0], SECRET]
    if everything:
        assert get([archive], wanted, folder, keep_all_images=True).refused == 1
    else:
        with pytest.raises(SourceBenchError, match=f"1 of 2 .*{SECRET}"):
            get([archive], wanted, folder)
    assert contents(folder) == {IDS[0][0]: png(IDS[0][0])}
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside == {"data", "outside.txt"}
    assert (tmp_path / "outside.txt").read_text() == "mine"
    assert not list(tmp_path.rglob(SECRET))


def test_a_link_followed_by_a_file_through_it_stays_inside(site, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    link = entry("images", tarfile.SYMTYPE, str(out))
    archive = publish(site, a=pack(link, entry(f"images/{IDS[0][0]}")))[0]
    get([archive], [IDS[0][0]], tmp_path / "data")
    assert list(out.iterdir()) == []
    assert len(contents(tmp_path / "data")) == 1


def test_hidden_files_and_other_kinds_are_no_images(site, tmp_path):
    entries = [entry("images/._x.png"), entry("images/x.txt"), entry("x.png"), entry("y/x.png")]
    archive = publish(site, a=pack(*entries))[0]
    get([archive], ["x.png"], tmp_path, keep_all_images=True)
    assert set(contents(tmp_path)) == {"x.png"}
    assert read_json(tmp_path / "archives.json")["a.tar.gz"]["images"] == ["x.png"]


def test_a_disk_that_fills_up_while_extracting_leaves_no_image(site, tmp_path, monkeypatch):
    archives = publish(site)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        with pytest.raises(SourceBenchError, match="disk is full"):
            get(archives, IDS[0], tmp_path)
    assert contents(tmp_path) == {}
    site.requests.clear()
    get(archives, IDS[0], tmp_path)
    assert site.requests == []
