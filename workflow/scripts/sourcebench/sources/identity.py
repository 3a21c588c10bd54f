"""What weights are the same: a short name for all that decides them."""

import hashlib
import json
from functools import cache
from pathlib import Path

from sourcebench.fingerprints import code_of, digest, is_ours
from sourcebench.sources.base import Supplier

LENGTH = 10  # hexadecimal digits: among a thousand weights two agree once in two million times


def weights_id(supplier: Supplier, arch: str, seed: int) -> str:
    """Return a name of an architecture's weights: another one exactly if they may be others.

    Two studies whose sources are the same share weights, whatever they call them; two that mean
    different sources by one name do not.

    Args:
        supplier: what the source's entry describes; what only tells about it, and what it
            says of other architectures, does not count.
        arch: the architecture; for a truncated one its parent.
        seed: the study's; it counts where the weights are trained here.

    Returns:
        `LENGTH` hexadecimal digits.
    """
    facts = {
        "kind": supplier.kind,
        "version": supplier.version,
        "entry": supplier.deciding(arch),
        "arch": arch,
        "seed": seed if supplier.trains else None,
        "fingerprint": supplier.fingerprint(arch),
    }
    if not is_ours(type(supplier)):  # nobody thinks of the version of a kind of their own
        facts["code"] = code_of(type(supplier))
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
