"""Series from a server that behaves as NBIA's does, and as it does on a bad day."""

import hashlib
import io
import threading
import zipfile
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_server import Handler, Server, nothing
from lidc_files import OTHER_SERIES, PATIENT, SERIES, encoded, put, slice_of, uid
from sourcebench.datasets.lidc import nbia
from sourcebench.datasets.lidc.headers import index, match
from sourcebench.datasets.lidc.nbia import fetch_series
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval import http

pytest_plugins = ["archive_server"]

ZS = [1.0, 2.5, 4.0, 5.5]


def wanted(*zs, series=SERIES, patient=PATIENT):
    return pd.DataFrame(
        {
            "image_id": [f"{patient}_{series[-1]}_z{z:+.2f}" for z in zs],
            "patient_id": patient,
            "series_uid": series,
            "z": zs,
        }
    )


def of(series=SERIES, zs=ZS):
    """The files of a series, named as the server does: by number alone."""
    return {
        f"{i:08d}.dcm": encoded(slice_of(z, series=series, instance=i))
        for i, z in enumerate(zs, start=1)
    }


def hashes(files):
    lines = [f"{name},{hashlib.md5(data).hexdigest()}" for name, data in files.items()]
    return "\n".join(["Filename,MD5Hash", *lines, ""]).encode()


def packed(files, listed=True):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in files.items():
            pack.writestr(name, data)
        if listed:
            pack.writestr("md5hashes.csv", hashes(files) if listed is True else listed)
    return raw.getvalue()


def command(series=SERIES, checksums=True):
    return f"getImage{'WithMD5Hash' * checksums}?SeriesInstanceUID={series}"


def offer(site, content=None, series=SERIES, checksums=True):
    """Put a series on the server, which never tells a length nor resumes."""
    site.lengths, site.ranges, site.version = False, False, None
    site.files[command(series, checksums)] = packed(of(series)) if content is None else content


def get(site, rows, folder, **options):
    return fetch_series(rows, folder, url=f"{site.url}/", pause=nothing, **options)


def found(folder):
    """What lies in the folder: series, z and the file's place in the layout."""
    table = index(folder, None).table
    return sorted(zip(table["series_uid"], table["z"], strict=True))


def leftovers(folder):
    return sorted(path.name for path in (folder / "archives").iterdir())


def test_keeps_the_wanted_slices_of_the_series_in_need(site, tmp_path):
    offer(site)
    offer(site, series=OTHER_SERIES)
    rows = pd.concat([wanted(2.5, 5.5), wanted(1.0, series=OTHER_SERIES)])
    report = get(site, rows, tmp_path)
    assert found(tmp_path) == [(SERIES, 2.5), (SERIES, 5.5), (OTHER_SERIES, 1.0)]
    paths = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.dcm"))
    assert paths == [
        f"{PATIENT}/{SERIES}/00000002.dcm",
        f"{PATIENT}/{SERIES}/00000004.dcm",
        f"{PATIENT}/{OTHER_SERIES}/00000001.dcm",
    ]
    assert (report.wanted, report.present, report.extracted) == (3, 0, 3)
    assert report.series == (SERIES, OTHER_SERIES)
    assert str(report).startswith("Of 3 wanted slices 0 were there; 3 were taken from 2 series")
    assert report.received == sum(len(data) for data in site.files.values())
    assert leftovers(tmp_path) == []


def test_what_is_there_is_not_asked_for_again(site, tmp_path):
    offer(site)
    get(site, wanted(2.5), tmp_path)
    site.requests.clear()
    report = get(site, wanted(2.5), tmp_path)
    assert (site.requests, report.present, report.received) == ([], 1, 0)
    get(site, wanted(2.5, 4.0), tmp_path)
    assert found(tmp_path) == [(SERIES, 2.5), (SERIES, 4.0)]


def test_all_slices_on_request(site, tmp_path):
    offer(site)
    assert get(site, wanted(2.5), tmp_path, keep_all_images=True).extracted == 4
    assert found(tmp_path) == [(SERIES, z) for z in ZS]


def test_a_server_without_checksums(site, tmp_path):
    offer(site, packed(of() | {"LICENSE": b"CC BY 3.0"}, listed=False), checksums=False)
    get(site, wanted(1.0), tmp_path, checksums=False)
    assert site.asked() == [command(checksums=False)]
    assert found(tmp_path) == [(SERIES, 1.0)]


def test_another_numbering_overwrites_no_other_slice(site, tmp_path):
    offer(site)
    get(site, wanted(2.5), tmp_path)
    files = of()
    names = list(files)
    turned = dict(zip(names, reversed(files.values()), strict=True))
    turned[names[1]], turned[names[0]] = files[names[2]], files[names[1]]
    offer(site, packed(turned))
    get(site, wanted(2.5, 4.0), tmp_path)
    assert found(tmp_path) == [(SERIES, 2.5), (SERIES, 4.0)]
    assert (tmp_path / PATIENT / SERIES / f"{uid(SERIES, 4.0, 3)}.dcm").exists()


def test_progress_is_shown_on_the_terminal(site, tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    offer(site)
    terminal = Terminal()
    get(site, wanted(1.0), tmp_path, terminal=terminal)
    assert "LIDC-IDRI" in terminal.getvalue()
    assert "GB" in terminal.getvalue()


@contextmanager
def chunked(content, cuts):
    """A server that sends chunks of 1000 bytes, as NBIA's; `cuts`: chunks before it hangs up."""

    class Chunked(Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.server.site.requests.append((self.path, self.headers.get("Range")))
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            chunks = [content[i : i + 1000] for i in range(0, len(content), 1000)]
            cut = cuts.pop(0) if cuts else None
            for chunk in chunks[:cut]:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if cut is None:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Chunked) as server:
        server.site = Server(url=f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()


def test_a_chunked_stream_that_is_cut_is_asked_for_again(tmp_path):
    with chunked(packed(of()), cuts=[1, 0, 2]) as server:
        get(server, wanted(2.5), tmp_path)
        assert len(server.requests) == 4
    assert found(tmp_path) == [(SERIES, 2.5)]


def test_a_stream_that_stays_cut_is_a_sentence_and_a_later_call_succeeds(tmp_path):
    with chunked(packed(of()), cuts=[1] * 5) as server:
        with pytest.raises(SourceBenchError, match="broke off 5 times"):
            get(server, wanted(2.5), tmp_path)
        assert not (tmp_path / PATIENT).exists()
        get(server, wanted(2.5), tmp_path)
    assert found(tmp_path) == [(SERIES, 2.5)]


def test_an_interrupted_call_goes_on_with_the_series_it_was_at(site, tmp_path, monkeypatch):
    offer(site)
    offer(site, series=OTHER_SERIES)
    rows = pd.concat([wanted(2.5), wanted(1.0, series=OTHER_SERIES)])

    def interrupt(url, *args, **options):
        if OTHER_SERIES in url:
            raise KeyboardInterrupt
        return http.fetch(url, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(nbia, "fetch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            get(site, rows, tmp_path)
    assert found(tmp_path) == [(SERIES, 2.5)]
    site.requests.clear()
    get(site, rows, tmp_path)
    assert site.asked() == [command(OTHER_SERIES)]


def test_a_download_that_had_arrived_is_not_repeated(site, tmp_path, monkeypatch):
    offer(site)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(nbia, "_extract", interrupt)
        with pytest.raises(KeyboardInterrupt):
            get(site, wanted(2.5), tmp_path)
    assert get(site, wanted(2.5), tmp_path).received == 0
    assert site.asked() == [command()]
    assert found(tmp_path) == [(SERIES, 2.5)]
    assert leftovers(tmp_path) == []


def test_what_a_killed_process_left_counts_for_nothing(site, tmp_path):
    offer(site)
    staging = tmp_path / "archives" / f"{SERIES}.zip.part.images"
    put(staging / "00000002.dcm", slice_of(2.5))
    (tmp_path / "archives" / "9.zip.part").write_bytes(b"of a series that nobody wants now")
    get(site, wanted(2.5), tmp_path)
    assert (tmp_path / PATIENT / SERIES / "00000002.dcm").exists()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("status", [400, 404, 403])
def test_refusals_are_told(site, tmp_path, status):
    offer(site)
    site.statuses = [status]
    with pytest.raises(SourceBenchError, match=rf"{SERIES} with HTTP status {status}"):
        get(site, wanted(1.0), tmp_path)


def altered(name, data):
    files = of()
    listed = hashes(files)
    return packed(files | {name: data}, listed)


def without(name):
    files = of()
    return packed({key: data for key, data in files.items() if key != name}, hashes(files))


UNSOUND = {
    "nothing": (b"", "unknown to the server, which sent nothing"),
    "an empty zip": (packed({}, listed=False), "unknown to the server, which sent an empty zip"),
    "a list of nothing": (packed({}), "unknown to the server"),
    "a page": (b"<html>Down for maintenance</html>", "damaged zip, or none"),
    "half": (packed(of())[:1500], "damaged zip, or none"),
    "an ended stream": (packed(of(), listed=False), "without md5hashes.csv.*incomplete"),
    "an altered slice": (altered("00000002.dcm", encoded(slice_of(9.0))), "another MD5 checksum"),
    "a lost slice": (without("00000003.dcm"), "lacks 1 of its 4 files: 00000003.dcm"),
    "an unlisted slice": (altered("9.dcm", encoded(slice_of(9.0))), "doesn't list: 9.dcm"),
    "another series": (packed(of(OTHER_SERIES)), "4 files that are not of it"),
    "a damaged slice": (packed(of() | {"9.dcm": b"DICM"}), "1 files that are not of it: 9.dcm"),
    "too few slices": (packed(of(zs=[4.0])), r"has 1 slices, but not 1 of the 1 .*z = 2.5 mm"),
}


@pytest.mark.parametrize("how", UNSOUND)
def test_an_unsound_series_is_told_and_stops_no_other(site, tmp_path, how):
    content, sentence = UNSOUND[how]
    offer(site, content)
    offer(site, series=OTHER_SERIES)
    rows = pd.concat([wanted(2.5), wanted(1.0, series=OTHER_SERIES)])
    with pytest.raises(SourceBenchError, match=rf"1 of 2 series .*\n.*{SERIES} .*{sentence}"):
        get(site, rows, tmp_path)
    assert found(tmp_path) == [(OTHER_SERIES, 1.0)]
    assert leftovers(tmp_path) == []
    offer(site)
    get(site, rows, tmp_path)
    assert found(tmp_path) == [(SERIES, 2.5), (OTHER_SERIES, 1.0)]


@pytest.mark.parametrize("name", ["../../evil.dcm", "/evil.dcm", "a\\..\\evil.dcm"])
def test_nothing_is_written_outside(site, tmp_path, name):
    offer(site, packed(of() | {name: encoded(slice_of(9.0))}))
    with pytest.raises(SourceBenchError, match="unsafe file name"):
        get(site, wanted(2.5), tmp_path / "data")
    assert not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path / "data" / PATIENT).exists()


@pytest.mark.parametrize("names", [{"patient": "../x"}, {"series": ".."}, {"patient": "a/b"}])
def test_names_in_the_table_stay_in_the_folder(site, tmp_path, names):
    with pytest.raises(SourceBenchError, match="can't be the name of a folder"):
        get(site, wanted(1.0, **names), tmp_path)
    assert site.requests == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_anywhere_leaves_the_right_slice_or_none(tmp_path_factory, data):
    """Whatever happens to a zip's bytes, no wrong slice comes out of it."""
    whole = packed(of())
    content = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damage")
    archive, target = folder / f"{SERIES}.zip.part", folder / PATIENT / SERIES
    archive.write_bytes(content[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    try:
        nbia._extract(archive, target, wanted(2.5), False, True)
    except nbia._Unsound:
        kept = None
    else:
        kept = {path.name: path.read_bytes() for path in target.iterdir()}
    assert kept in (None, {"00000002.dcm": of()["00000002.dcm"]})
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        {archive.name} | ({PATIENT} if kept else set())
    )


def test_a_full_disk_is_told(site, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    offer(site)
    with monkeypatch.context() as patch:
        patch.setattr(nbia, "_unzip", full)
        with pytest.raises(SourceBenchError, match="disk is full"):
            get(site, wanted(2.5), tmp_path)
    get(site, wanted(2.5), tmp_path)
    assert found(tmp_path) == [(SERIES, 2.5)]


def test_what_was_fetched_is_what_the_index_finds(site, tmp_path):
    offer(site)
    rows = wanted(*np.array(ZS) + 0.01)
    get(site, rows, tmp_path)
    chosen, odd = match(rows, index(tmp_path, None))
    assert chosen["image_id"].tolist() == rows["image_id"].tolist()
    assert odd.counts() == {"missing": 0, "copies": 0, "rivals": 0}
