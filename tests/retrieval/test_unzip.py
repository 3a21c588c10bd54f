"""Images out of zips: what is wanted, whole, and nothing that means harm."""

import hashlib
import io
import zipfile

import pytest

from archive_server import nothing, png
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.archives import Archive, fetch_archives

pytest_plugins = ["archive_server"]

NAMES = [f"ISIC_{i:07d}.jpg" for i in range(4)]


def zipped(*members, link=None, method=zipfile.ZIP_STORED):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as archive:
        for member in members:
            info = zipfile.ZipInfo(member)
            info.compress_type = method
            if member == link:
                info.external_attr = 0o120777 << 16
            archive.writestr(info, png(member.rpartition("/")[2]))
    return raw.getvalue()


def publish(site, data, md5=True):
    site.files["a.zip"] = data
    checksum = hashlib.md5(data).hexdigest() if md5 else None
    return [Archive("a.zip", f"{site.url}/a.zip", len(data), checksum)]


def get(archives, wanted, folder, **more):
    return fetch_archives(archives, wanted, folder, progress=False, pause=nothing, **more)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_is_wanted_is_extracted_and_the_archive_is_gone(site, tmp_path, method):
    archives = publish(
        site, zipped(*(f"train/{name}" for name in NAMES), "train/read.me", method=method)
    )
    report = get(archives, NAMES[1:3], tmp_path)
    assert (report.extracted, report.refused) == (2, 0)
    there = {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()}
    assert there == {name: png(name) for name in NAMES[1:3]}
    assert list((tmp_path / "archives").iterdir()) == []
    assert get(archives, NAMES[1:3], tmp_path).read == ()


def test_all_images_may_stay_and_the_archive_too(site, tmp_path):
    archives = publish(site, zipped(*NAMES, f"__MACOSX/._{NAMES[0]}"))
    get(archives, NAMES[:1], tmp_path, keep_archives=True, keep_all_images=True)
    assert {path.name for path in (tmp_path / "images").iterdir()} == set(NAMES)
    assert (tmp_path / "archives" / "a.zip").is_file()


@pytest.mark.parametrize("how", ["truncated", "altered", "no zip"])
def test_a_damaged_archive_is_named_and_leaves_no_image(site, tmp_path, how):
    data = zipped(*NAMES)
    middle = len(data) // 2
    data = {
        "truncated": data[:-30],
        "altered": data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :],
        "no zip": b"<html>Please sign in</html>",
    }[how]
    with pytest.raises(SourceBenchError, match=r"a\.zip\.part is damaged or no \.zip .* deleted"):
        get(publish(site, data, md5=False), NAMES, tmp_path)
    assert list((tmp_path / "images").iterdir()) == []
    assert list((tmp_path / "archives").iterdir()) == []


@pytest.mark.parametrize("place", ["../{}", "/{}", "a/../../{}"])
def test_paths_that_leave_the_archive_are_refused(site, tmp_path, place):
    archives = publish(site, zipped(place.format(NAMES[0]), NAMES[1]))
    with pytest.raises(SourceBenchError, match="1 of 2 wanted images are in none"):
        get(archives, NAMES[:2], tmp_path / "in")
    assert not list(tmp_path.glob("*.jpg"))
    assert [path.name for path in (tmp_path / "in" / "images").iterdir()] == [NAMES[1]]


def test_links_are_refused(site, tmp_path):
    archives = publish(site, zipped(NAMES[0], NAMES[1], link=NAMES[0]))
    with pytest.raises(SourceBenchError, match=rf"none of the 1 archives: {NAMES[0]}"):
        get(archives, NAMES[:2], tmp_path)
