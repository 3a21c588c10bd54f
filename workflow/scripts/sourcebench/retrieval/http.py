"""One file over HTTP, resumed where it stopped."""

import errno
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from sourcebench.errors import SourceBenchError
from sourcebench.files import read_json, write_json

Pause = Callable[[float], None]

CHUNK = 1 << 20  # bytes read at once
TIMEOUT = 60  # seconds without a byte
ATTEMPTS = 5  # tries in a row that bring next to nothing
WORTHWHILE = 1 << 20  # bytes that make a try count as progress, however it ended
PASSING = {408, 425, 429}  # HTTP statuses that, like those from 500 on, may be gone in a moment


class _Lost(Exception):
    """The transfer ended early; another try may go on from there."""


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Turn a full disk (or quota) in the block into a sentence about `path`.

    Raises:
        SourceBenchError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SourceBenchError(
            f"The disk is full: {path} could not be written. Free some space and run the same "
            "command again; it goes on with what has arrived."
        ) from error


def discard(part: Path) -> None:
    """Delete an unfinished download and what is remembered of it."""
    part.unlink(missing_ok=True)
    _memory(part).unlink(missing_ok=True)


def fetch(
    url: str,
    part: Path,
    *,
    size: int | None = None,
    sealed: bool = False,
    label: str | None = None,
    progress: bool = True,
    pause: Pause = time.sleep,
) -> int:
    """Download `url` into `part`, going on with what an earlier call left there.

    `<part>.json` remembers the address, the size and the server's version (ETag or date) of a
    download under way. A server that can't resume, or whose file has changed since, makes the
    download start again; a lost connection is taken up again a few times. Ctrl-C leaves `part` to
    be resumed.

    Args:
        url: an http or https address; redirections are followed.
        part: where the bytes go; its folder exists.
        size: the published size in bytes, if there is one.
        sealed: a published checksum decides about the whole file afterwards. The server's version
            is then ignored, since the machines behind one address may disagree about it.
        label: what to call the download on its progress bar (default: the file's name).
        progress: show a progress bar, on a terminal.
        pause: called with the seconds to wait before another try.

    Returns:
        The bytes that came over the network.

    Raises:
        SourceBenchError: the server refuses or offers another size, the connection stays lost, or
            the disk is full.
    """
    download = _Download(url, part, size, sealed)
    furthest, failures = _held(part), 0
    with tqdm(
        total=size,
        desc=label or part.name,
        unit="B",
        unit_scale=True,
        disable=None if progress else True,
    ) as bar:
        while True:
            try:
                download.receive(bar)
                return download.received
            except _Lost as lost:
                # Further than ever, not just anywhere: a server may start anew at every try.
                failures = 0 if _held(part) - furthest >= WORTHWHILE else failures + 1
                furthest = max(furthest, _held(part))
                if failures == ATTEMPTS:
                    raise SourceBenchError(
                        f"The download of {url} broke off {ATTEMPTS} times (the last time: {lost})."
                        f" The {_held(part):,} bytes that have arrived are kept: run the same "
                        "command again to resume."
                    ) from lost
            pause(2.0**failures)


@dataclass
class _Download:
    """A file under way; `received` counts the bytes that came over the network."""

    url: str
    part: Path
    size: int | None
    sealed: bool
    received: int = 0

    def receive(self, bar: "tqdm[NoReturn]") -> None:
        """Make one try to complete the file."""
        memory = self.recall()
        offset = _held(self.part)
        if offset and offset == memory["size"]:
            return
        version = None if self.sealed else memory["version"]
        with self.open(offset, version) as response:
            start, total = _extent(response)
            served = response.headers.get("ETag") or response.headers.get("Last-Modified")
            changed = None not in (total, memory["size"]) and total != memory["size"]
            changed = changed or (version is not None and served != version)
            if start and (start != offset or changed):
                discard(self.part)
                raise _Lost("the file on the server has changed")
            if self.size is not None and total not in (None, self.size):
                raise SourceBenchError(
                    f"{self.url} offers a file of {total:,} bytes, but {self.size:,} are "
                    "published: it is not the file that is wanted. Check the address, or look for "
                    "a mirror."
                )
            memory = {"url": self.url, "size": total, "version": served}
            if start == 0:
                # Emptied before the memory changes: old bytes never stand under a new version.
                self.part.write_bytes(b"")
                write_json(_memory(self.part), memory)
            _check_room(self.part, (total or 0) - start)
            bar.total, bar.initial = total, start
            bar.n = start
            self.append(response, bar)
        arrived, expected = _held(self.part), self.size if total is None else total
        if expected is not None and arrived < expected:
            raise _Lost(f"the server stopped at {arrived:,} of {expected:,} bytes")
        write_json(_memory(self.part), memory | {"size": arrived})

    def open(self, offset: int, version: str | None) -> Any:
        """Ask the server for the file from `offset` on, if it is still of that version."""
        headers = {"User-Agent": "SourceBench", "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if version and not version.startswith("W/"):  # HTTP allows no weak ETag here
                headers["If-Range"] = version
        try:
            request = urllib.request.Request(self.url, headers=headers)
            return urllib.request.urlopen(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                discard(self.part)
                raise _Lost("the server has a shorter file than had arrived") from error
            if error.code in PASSING or error.code >= 500:
                raise _Lost(f"HTTP status {error.code}, {error.reason}") from error
            raise SourceBenchError(
                f"The server refused {self.url} with HTTP status {error.code} ({error.reason}). "
                "Check the address; if it is right, the file has moved or needs a mirror."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise _Lost(_reason(error)) from error
        except ValueError as error:
            raise SourceBenchError(
                f"'{self.url}' cannot be downloaded: give an address with http:// or https://."
            ) from error

    def append(self, response: Any, bar: "tqdm[NoReturn]") -> None:
        """Write the body of a response at the end of `part`."""
        with room_for(self.part), self.part.open("ab") as file:
            while True:
                try:
                    chunk = response.read1(CHUNK)
                except (OSError, http.client.HTTPException) as error:
                    raise _Lost(_reason(error)) from error
                if not chunk:
                    return
                file.write(chunk)
                self.received += len(chunk)
                bar.update(len(chunk))

    def recall(self) -> dict[str, Any]:
        """Return what is remembered of the download; forget one from another address."""
        try:
            memory = read_json(_memory(self.part))
        except (FileNotFoundError, ValueError):
            memory = {}
        if self.part.exists() and memory.get("url") == self.url:
            return {"size": memory["size"], "version": memory["version"]}
        discard(self.part)
        return {"size": None, "version": None}


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)  # urllib wraps the cause
    return str(reason) or type(error).__name__


def _extent(response: Any) -> tuple[int, int | None]:
    """Return the first byte that a response holds and the size of the whole file."""
    if response.status != http.client.PARTIAL_CONTENT:
        length = response.headers.get("Content-Length")
        return 0, None if length is None else int(length)
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if match is None:
        raise _Lost("the server answered with a range that cannot be read")
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise SourceBenchError(
            f"The disk is too full: the rest of {part} needs {needed / 1e9:.2f} GB and "
            f"{free / 1e9:.2f} GB are free. Free some space and run the same command again."
        )


def _held(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _memory(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")
