"""Small published files, kept only if they are those that a checksum names."""

import hashlib
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import quote

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.http import Pause, fetch
from sourcebench.retrieval.unpack import is_inside


def fetch_folder(
    url: str, names: Collection[str], sha256: str, folder: Path, *, pause: Pause = time.sleep
) -> list[Path]:
    """Download small published files, such as the CSVs of published splits.

    Files that are there and agree with the checksum are not downloaded again; none is put in
    `folder` before all agree.

    Args:
        url: address that the names are relative to.
        names: the files, relative paths with "/".
        sha256: SHA-256 (hexadecimal) of all files' bytes, joined in the sorted order of the names.
        folder: where they go.
        pause: called with the seconds to wait before another try.

    Returns:
        The files' paths, in sorted order of the names.

    Raises:
        SourceBenchError: a name leaves the folder, a download fails, or the checksum is another.
    """
    names = sorted(set(names))
    for name in names:
        if not is_inside(name):
            raise SourceBenchError(
                f"The file name '{name}' of {url} must be relative, without '..'."
            )
    paths = [folder / name for name in names]
    if all(path.is_file() for path in paths) and _sha256(paths) == sha256.lower():
        return paths
    arriving = folder.with_name(f".{folder.name}.part")
    arrived = [arriving / name for name in names]
    for name, path in zip(names, arrived, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        fetch(f"{url.rstrip('/')}/{quote(name)}", path, progress=False, pause=pause)
    got = _sha256(arrived)
    if got != sha256.lower():
        shutil.rmtree(arriving)
        raise SourceBenchError(
            f"The {len(names)} files from {url} have the checksum {got}, not {sha256}; they were "
            "not kept. Check the address (it should name one fixed version) and the checksum."
        )
    for source, path in zip(arrived, paths, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        source.replace(path)
    shutil.rmtree(arriving)
    return paths


def _sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
