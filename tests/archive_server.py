"""A local server that misbehaves in the ways that servers do, and archives to put on it.

Tests import from here before pytest can rewrite it as a plugin; it asserts nothing.
PYTEST_DONT_REWRITE
"""

import hashlib
import io
import re
import tarfile
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.archives import Archive, fetch_archives


@dataclass
class Server:
    """What the server has and how it behaves; `requests` are (path, Range header)."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    lengths: bool = True
    version: str | None = '"one"'
    drops: list[int] = field(default_factory=list)  # bytes sent before hanging up, per request
    statuses: list[int] = field(default_factory=list)  # sent instead of an answer, per request
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def asked(self):
        return [path.removeprefix("/") for path, _ in self.requests]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server.site
        site.requests.append((self.path, self.headers.get("Range")))
        if site.statuses:
            self.finish_with(site.statuses.pop(0))
            return
        if self.path.startswith("/moved/"):
            self.finish_with(302, Location=self.path.removeprefix("/moved"))
            return
        content = site.files.get(self.path.removeprefix("/"))
        if content is None:
            self.finish_with(404)
            return
        start, stop = 0, len(content)
        wish = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        guard = self.headers.get("If-Range")
        partial = bool(site.ranges and wish and guard in (None, site.version))
        if partial:
            start = int(wish[1])
            if start >= len(content):
                self.finish_with(416)
                return
            stop = min(stop, int(wish[2]) + 1) if wish[2] else stop
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        if site.lengths:
            self.send_header("Content-Length", str(stop - start))
        if site.version:
            self.send_header("ETag", site.version)
        self.end_headers()
        end = min(stop, start + site.drops.pop(0)) if site.drops else stop
        self.wfile.write(content[start:end])

    def finish_with(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def http():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def site(http):
    http.site = Server(url=f"http://127.0.0.1:{http.server_port}")
    return http.site


def nothing(_seconds):
    """Pause for no time."""


def png(name):
    """Bytes that stand for an image: random, so that gzip cannot shrink them."""
    return b"".join(hashlib.sha256(f"{name}{i}".encode()).digest() for i in range(40))


def entry(name, kind=tarfile.REGTYPE, link="", content=None):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    data = b"" if kind != tarfile.REGTYPE else content or png(name.rpartition("/")[2])
    info.size = len(data)
    return info, data


def pack(*entries, level=9):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=level) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return raw.getvalue()


IDS = [[f"{patient:08d}_{shot:03d}.png" for shot in range(4)] for patient in (1, 2, 3)]


def publish(site, **packed):
    """Put three archives (or those given) on the server and return their descriptions."""
    if not packed:
        names = zip(("a", "b", "c"), IDS, strict=True)
        packed = {key: pack(*(entry(f"images/{name}") for name in ids)) for key, ids in names}
    for key, content in packed.items():
        site.files[f"{key}.tar.gz"] = content
    return [
        Archive(
            f"{key}.tar.gz", f"{site.url}/{key}.tar.gz", len(data), hashlib.md5(data).hexdigest()
        )
        for key, data in packed.items()
    ]


def bare(archive):
    """The archive as if nothing about it had been published."""
    return replace(archive, size=None, md5=None)


def get(archives, wanted, folder, **options):
    return fetch_archives(archives, wanted, folder, progress=False, pause=nothing, **options)


def contents(folder):
    return {path.name: path.read_bytes() for path in (folder / "images").iterdir()}


def leftovers(folder):
    return sorted(path.name for path in (folder / "archives").iterdir())


def half(site, tmp_path, archive):
    """Download 600 bytes of an archive and stop."""
    site.drops = [600, 0, 0, 0, 0]
    with pytest.raises(SourceBenchError, match="to resume"):
        get([archive], IDS[0], tmp_path)
    site.requests.clear()
