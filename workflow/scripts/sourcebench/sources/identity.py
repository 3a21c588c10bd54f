"""What weights are the same: a short name for all that decides them."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from sourcebench.fingerprints import digest
from sourcebench.sources.base import KINDS, Entry

LENGTH = 10  # hexadecimal digits: among a thousand weights two agree once in two million times


def weights_id(entry: Entry, arch: str, seed: int, fingerprint: Any = None) -> str:
    """Return a name of an architecture's weights: another one exactly if they may be others.

    Two studies whose sources are the same share weights, whatever they call them; two that mean
    different sources by one name do not.

    Args:
        entry: the source's entry in the config; what only tells about it (`ABOUT`), and what
            it says of other architectures, does not count.
        arch: the architecture; for a truncated one its parent.
        seed: the study's; it counts where the weights are trained here.
        fingerprint: what `Kind.fingerprint` says.

    Returns:
        `LENGTH` hexadecimal digits.
    """
    kind = KINDS.get(entry["kind"])
    facts = {
        "version": kind.version,
        "entry": kind.deciding(entry, arch),
        "arch": arch,
        "seed": seed if kind.trains else None,
        "fingerprint": fingerprint,
    }
    # In an order of its own, since that of a config's keys means nothing.
    return digest(json.dumps(facts, sort_keys=True))[:LENGTH]


def content_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or 'missing'. A file is read once in a process."""
    try:
        found = path.stat()
    except OSError:
        return "missing"
    return _content_of(path, found.st_size, found.st_mtime_ns)


@cache
def _content_of(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
