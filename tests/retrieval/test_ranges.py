"""Parts of a file over HTTP: the bytes that a file here would give, and no more of them."""

import io

import numpy as np
import pytest

from archive_server import http, nothing, site
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.http import ATTEMPTS
from sourcebench.retrieval.ranges import open_remote

__all__ = ["http", "site"]

CONTENT = np.random.default_rng(1).bytes(10_000)


@pytest.fixture
def address(site):
    site.files["a.bin"] = CONTENT
    return f"{site.url}/a.bin"


def test_reads_and_seeks_are_those_of_a_file(address):
    rng = np.random.default_rng(2)
    here = io.BytesIO(CONTENT)
    with open_remote(address, 512, pause=nothing) as there:
        for _ in range(200):
            way = int(rng.integers(3))
            offset = int(rng.integers(0, 11_000)) if way == 0 else int(rng.integers(-900, 900))
            if way == 2:
                offset = -abs(offset)
            if way != 1 or here.tell() + offset >= 0:
                assert here.seek(offset, way) == there.seek(offset, way)
            size = int(rng.integers(0, 3000))
            assert here.read(size) == there.read(size)


def test_only_what_is_read_comes(site, address):
    with open_remote(address, 100, pause=nothing) as there:
        there.seek(5000)
        there.read(10)
        there.read(60)
        assert there.raw.received == 1 + 100
    assert [part for _, part in site.requests] == ["bytes=0-0", "bytes=5000-5099"]


def test_a_lost_connection_is_taken_up_again(site, address):
    with open_remote(address, 4000, pause=nothing) as there:
        site.drops, site.statuses = [7], [503]
        assert there.read(3000) == CONTENT[:3000]
    site.statuses = [500] * ATTEMPTS
    with pytest.raises(SourceBenchError, match=f"could not be read in {ATTEMPTS} tries .*500"):
        open_remote(address, 10, pause=nothing)


def test_servers_that_will_not_do_are_named(site, address):
    with pytest.raises(SourceBenchError, match=r"refused .*none\.bin with HTTP status 404"):
        open_remote(f"{site.url}/none.bin", 10, pause=nothing)
    with pytest.raises(SourceBenchError, match="give an address with http"):
        open_remote("a.bin", 10, pause=nothing)
    with open_remote(address, 10, pause=nothing) as there:
        site.files["a.bin"] = CONTENT[:-1]
        with pytest.raises(SourceBenchError, match="has changed on the server"):
            there.read(10)
    site.ranges = False
    with pytest.raises(SourceBenchError, match="does not send parts of files"):
        open_remote(address, 10, pause=nothing)
