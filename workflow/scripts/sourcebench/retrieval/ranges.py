"""Parts of a file over HTTP, read as if it lay here."""

import http.client
import io
import re
import time
import urllib.error
import urllib.request
from typing import Any

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.http import ATTEMPTS, PASSING, TIMEOUT, Pause


def open_remote(url: str, block: int, *, pause: Pause = time.sleep) -> io.BufferedReader:
    """Open a file on a server, of which only what is read comes over the network.

    What is read makes requests of at least `block` bytes, and none for what came with the last one.
    `raw.received` counts the bytes that came.

    Args:
        url: an http or https address whose server sends parts of files.
        block: bytes that are asked for at least.
        pause: called with the seconds to wait before another try.

    Raises:
        SourceBenchError: the server refuses, does not send parts, or stays away; reading raises
            it too, also where the file on the server has changed since it was opened.
    """
    return io.BufferedReader(RemoteFile(url, pause), block)


class RemoteFile(io.RawIOBase):
    """A file on a server; each `readinto` is a request.

    Args:
        url: its address.
        pause: called with the seconds to wait before another try.

    Attributes:
        received: bytes that came over the network.
    """

    def __init__(self, url: str, pause: Pause) -> None:
        super().__init__()
        self.url, self.received = url, 0
        self._pause, self._place = pause, 0
        self._size: int | None = None
        self._version: str | None = None
        self._part(0, 1)

    @property
    def size(self) -> int:
        """The file's bytes."""
        return self._size or 0

    def readable(self) -> bool:
        """Return true: that is what it is for."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the byte that is read next."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a byte, which costs nothing."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise OSError(f"There is no byte {start + offset} of {self.url}.")
        self._place = start + offset
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        """Read as much as fits; return how much that was."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self.size - self._place)
        if wanted <= 0:
            return 0
        view[:wanted] = self._part(self._place, wanted)
        self._place += wanted
        return wanted

    def _part(self, start: int, length: int) -> bytes:
        """Return some bytes, after a few tries if need be."""
        failures = 0
        while True:
            try:
                return self._ask(start, length)
            except urllib.error.HTTPError as error:
                error.close()
                lost = f"HTTP status {error.code}, {error.reason}"
                if error.code not in PASSING and error.code < 500:
                    raise SourceBenchError(
                        f"The server refused {self.url} with {lost}. Check the address; if it is "
                        "right, the file has moved or needs a mirror."
                    ) from error
                cause: Exception = error
            except (OSError, http.client.HTTPException) as error:
                lost, cause = str(getattr(error, "reason", error)) or type(error).__name__, error
            except ValueError as error:
                raise SourceBenchError(
                    f"'{self.url}' cannot be read: give an address with http:// or https://."
                ) from error
            failures += 1
            if failures == ATTEMPTS:
                raise SourceBenchError(
                    f"{self.url} could not be read in {ATTEMPTS} tries (the last time: {lost}). "
                    "Run the same command again to go on."
                ) from cause
            self._pause(2.0**failures)

    def _ask(self, start: int, length: int) -> bytes:
        headers = {
            "User-Agent": "SourceBench",
            "Accept-Encoding": "identity",
            "Range": f"bytes={start}-{start + length - 1}",
        }
        request = urllib.request.Request(self.url, headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            extent = response.headers.get("Content-Range", "")
            match = re.fullmatch(rf"bytes {start}-(\d+)/(\d+)", extent)
            if response.status != http.client.PARTIAL_CONTENT or match is None:
                raise SourceBenchError(
                    f"The server of {self.url} does not send parts of files; get the file as a "
                    "whole, or from a mirror that does."
                )
            version = response.headers.get("ETag") or response.headers.get("Last-Modified")
            found = (int(match[2]), version)
            if self._size is None:
                self._size, self._version = found
            if found != (self._size, self._version):
                raise SourceBenchError(
                    f"The file {self.url} has changed on the server while it was read. Run the "
                    "same command again."
                )
            content: bytes = response.read(length)
        if len(content) < length:
            raise http.client.IncompleteRead(content, length - len(content))
        self.received += length
        return content
