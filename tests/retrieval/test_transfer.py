"""Downloads that are interrupted, refused, or changed under way."""

import json
import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_server import IDS, bare, contents, entry, get, half, nothing, pack, png, publish
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval import http
from sourcebench.retrieval.archives import Archive, fetch_archives

pytest_plugins = ["archive_server"]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("lengths", [True, False])
def test_resumes_after_dropped_connections(site, tmp_path, ranges, lengths):
    site.ranges, site.lengths = ranges, lengths
    site.drops = [100, 700, 1]
    archives = publish(site)
    get(archives, IDS[0], tmp_path)
    assert contents(tmp_path) == {name: png(name) for name in IDS[0]}
    starts = [wish for _, wish in site.requests]
    assert starts[:3] == [None, "bytes=100-", "bytes=800-" if ranges else "bytes=700-"]


def test_resumes_through_a_redirection(site, tmp_path):
    site.drops = [300]
    archive = publish(site)[0]
    get([replace(archive, url=f"{site.url}/moved/a.tar.gz")], IDS[0], tmp_path)
    assert site.requests[-1] == ("/a.tar.gz", "bytes=300-")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), ranges=st.booleans())
def test_wherever_the_connection_drops_the_file_is_the_same(site, tmp_path, data, ranges):
    site.files["file"] = content = png("x") + b"end"
    size = len(content)
    site.ranges = ranges
    site.drops = data.draw(st.lists(st.integers(0, size), max_size=4))
    part = tmp_path / "file.part"
    http.discard(part)
    http.fetch(f"{site.url}/file", part, size=size, progress=False, pause=nothing)
    assert part.read_bytes() == content


def test_gives_up_with_a_sentence_and_resumes_in_the_next_call(site, tmp_path):
    archives = publish(site)
    site.drops = [100] * 5
    waits = []
    with pytest.raises(SourceBenchError, match=r"broke off 5 times.*500 bytes.*to resume"):
        fetch_archives(archives, IDS[0], tmp_path, progress=False, pause=waits.append)
    assert waits == [2, 4, 8, 16]
    report = get(archives, IDS[0], tmp_path)
    assert site.requests[-1][1] == "bytes=500-"
    assert report.received == len(site.files["a.tar.gz"]) - 500


def test_ctrl_c_leaves_what_a_later_call_resumes(site, tmp_path, monkeypatch):
    archives = publish(site)
    monkeypatch.setattr(http, "CHUNK", 1000)

    class Interrupted(http.tqdm):
        def update(self, n=1):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(http, "tqdm", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            get(archives, IDS[0], tmp_path)
    assert contents(tmp_path) == {}
    held = (tmp_path / "archives" / "a.tar.gz.part").stat().st_size
    assert 0 < held <= 1000
    get(archives, IDS[0], tmp_path)
    assert site.requests[-1][1] == f"bytes={held}-"
    assert len(contents(tmp_path)) == 4


@pytest.mark.parametrize("version", ['"two"', None])
def test_a_file_that_changed_on_the_server_is_started_again(site, tmp_path, version):
    archive = bare(publish(site)[0])
    half(site, tmp_path, archive)
    changed = pack(*(entry(f"images/{name}", content=png(name)[::-1]) for name in IDS[0]))
    site.files["a.tar.gz"], site.version = changed + bytes(8), version
    get([archive], IDS[0], tmp_path)
    assert contents(tmp_path) == {name: png(name)[::-1] for name in IDS[0]}


def test_a_published_checksum_outweighs_a_changed_version(site, tmp_path):
    archive = publish(site)[0]
    half(site, tmp_path, archive)
    site.version = '"another machine of the same server"'
    get([archive], IDS[0], tmp_path)
    assert [wish for _, wish in site.requests] == ["bytes=600-"]


def test_a_file_that_became_shorter_is_started_again(site, tmp_path):
    archive = bare(publish(site)[0])
    half(site, tmp_path, archive)
    site.files["a.tar.gz"] = pack(entry("images/s.png", content=b"short"))
    get([archive], ["s.png"], tmp_path)
    assert contents(tmp_path) == {"s.png": b"short"}


def test_a_part_from_another_address_is_not_continued(site, tmp_path):
    archive = publish(site)[0]
    half(site, tmp_path, archive)
    site.files["other"] = site.files["a.tar.gz"]
    get([replace(archive, url=f"{site.url}/other")], IDS[0], tmp_path)
    assert site.requests == [("/other", None)]


def test_passing_server_errors_are_tried_again(site, tmp_path):
    archives = publish(site)
    site.statuses = [503, 429, 500]
    get(archives, IDS[0], tmp_path)
    assert len(site.requests) == 4


@pytest.mark.parametrize("status", [403, 404, 410])
def test_refusals_are_final(site, tmp_path, status):
    archives = publish(site)
    site.statuses = [status]
    with pytest.raises(SourceBenchError, match=rf"a\.tar\.gz with HTTP status {status}"):
        get(archives, IDS[0], tmp_path)
    assert len(site.requests) == 1


def test_nobody_listens(tmp_path):
    archive = Archive("a.tar.gz", "http://127.0.0.1:1/a.tar.gz")
    with pytest.raises(SourceBenchError, match=r"broke off 5 times.*refused"):
        get([archive], IDS[0], tmp_path)
    with pytest.raises(SourceBenchError, match="http://"):
        get([replace(archive, url="a.tar.gz")], IDS[0], tmp_path)


def test_another_size_than_published_is_refused_before_the_download(site, tmp_path):
    archive = publish(site)[0]
    with pytest.raises(SourceBenchError, match="it is not the file that is wanted"):
        get([replace(archive, size=10_000_000)], IDS[0], tmp_path)


def test_a_full_disk_is_told_before_the_download(site, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SourceBenchError, match="disk is too full"):
        get(publish(site), IDS[0], tmp_path)


def test_a_disk_that_fills_up_while_downloading_keeps_what_arrived(site, tmp_path, monkeypatch):
    class Full(http.tqdm):
        def update(self, n=1):
            raise OSError(28, "No space left on device")

    archives = publish(site)
    with monkeypatch.context() as patch:
        patch.setattr(http, "tqdm", Full)
        with pytest.raises(SourceBenchError, match="disk is full"):
            get(archives, IDS[0], tmp_path)
    get(archives, IDS[0], tmp_path)
    assert len(contents(tmp_path)) == 4


def test_a_forgotten_memory_starts_the_download_again(site, tmp_path):
    archive = publish(site)[0]
    half(site, tmp_path, archive)
    memory = tmp_path / "archives" / "a.tar.gz.part.json"
    assert json.loads(memory.read_text())["url"] == archive.url
    memory.unlink()
    get([archive], IDS[0], tmp_path)
    assert site.requests == [("/a.tar.gz", None)]
