"""Looking through folders of the user's."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sourcebench.errors import SourceBenchError


def walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield all files under a folder, also through links; a link back to a parent ends there.

    Raises:
        SourceBenchError: a folder can't be read.
    """
    seen: set[str] = set()
    places = [str(folder)] if folder.exists() else []
    while places:
        place = places.pop()
        real = os.path.realpath(place)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(place) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    # A link that leads to itself is no folder to Path, and an error to the entry.
                    is_folder = Path(entry).is_dir if entry.is_symlink() else entry.is_dir
                    if is_folder():
                        places.append(entry.path)
                    else:
                        yield entry
        except OSError as error:
            raise SourceBenchError(
                f"The folder {place} could not be read: {error.strerror}. Check who may read it."
            ) from error


def fingerprint(path: Path, suffixes: tuple[str, ...] = ()) -> str:
    """Return a digest of what lies in a folder, cheap enough to be asked before every run.

    It stands for the names (relative to the folder), sizes and modification times (ns) of all files
    below it, also through links, or for size and time of a single file. No file is opened, so a
    change that keeps both goes unseen. Hidden files don't count: no dataset takes them for images,
    and `.DS_Store` changes when somebody looks into the folder. A million files take 5 s on a local
    disk.

    Args:
        path: the folder, or a single file.
        suffixes: in small letters, of the names that count; of all, if none are given.

    Returns:
        32 hexadecimal digits, or 'missing' if there is no such folder or file.

    Raises:
        SourceBenchError: a folder can't be read.
    """
    if not path.exists():
        return "missing"
    digest = hashlib.blake2b(digest_size=16)
    if path.is_file():
        digest.update(_state(path))
        return digest.hexdigest()
    for entry in walk(path):
        counts = not suffixes or entry.name.lower().endswith(suffixes)
        if counts and not entry.name.startswith("."):
            digest.update(os.fsencode(entry.path[len(str(path)) :]) + _state(entry))
    return digest.hexdigest()


def _state(file: os.DirEntry[str] | Path) -> bytes:
    """Return size and time of a file, between zeros; neither for a link to nowhere."""
    try:
        status = file.stat()
    except OSError:
        return b"\0\0"
    return b"\0%d %d\0" % (status.st_size, status.st_mtime_ns)
