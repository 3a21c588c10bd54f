"""Looking through folders of the user's: what lies there, and which of it are images."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sourcebench.errors import SourceBenchError, nearest

FEW = 5
"""So many folders are named where one is missing."""


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


def index_folder(
    path: Path, suffixes: tuple[str, ...] = (".png",), *, by_path: bool = False
) -> pd.DataFrame:
    """List the images under a folder, however it is laid out.

    NIH's layouts (`images/`, `images_001/images/`) and a flat one all do. Folders are searched
    recursively, also through links; hidden files such as the `._*` that macOS leaves are not
    images. Of copies (files of the same name and size) the first in the sorted order of the paths
    is taken.

    Args:
        path: a folder.
        suffixes: of the images' names, in small letters; capitals will do as well.
        by_path: whether images are known by their paths below the folder ('a/1.png', whatever the
            system separates folders by), so that no two are of one name.

    Returns:
        `image_id` (file name, or its path) and `path` (str), sorted by image_id.
        `attrs["duplicates"]` is the number of files left out because another has their name.

    Raises:
        SourceBenchError: no such folder, one that can't be read, no image in it, or two images of
            one name.
    """
    if not path.exists():
        raise SourceBenchError(f"The image folder {path} does not exist{missing(path)}.")
    if not path.is_dir():
        raise SourceBenchError(f"{path} is not a folder. Give the folder that holds the images.")
    files, other = [], None
    for entry in walk(path):
        if not entry.name.startswith("."):
            if entry.name.lower().endswith(suffixes):
                files.append(entry.path)
            else:
                other = other or entry.path
    if not files:
        raise SourceBenchError(
            f"There is no {' or '.join(suffixes)} file in {path} or below it"
            f"{f' (but {other}, for one)' if other else ''}. Give the folder that holds the "
            "images (unpack archives first)."
        )
    files.sort()
    if by_path:
        names = [Path(file).relative_to(path).as_posix() for file in files]
    else:
        names = [file.rpartition(os.sep)[2] for file in files]
    found = pd.DataFrame({"image_id": names, "path": files})
    twins = found[found["image_id"].duplicated(keep=False)]
    for name, paths in twins.groupby("image_id")["path"]:
        sizes = {Path(file).stat().st_size: file for file in reversed(paths.tolist())}
        if len(sizes) > 1:
            one, other = sorted(sizes.values())[:2]
            raise SourceBenchError(
                f"Two images of other sizes are called {name}: {one} and {other}. Images are known "
                "by their names: rename one, or give a narrower folder."
            )
    table = found.drop_duplicates("image_id").sort_values("image_id", ignore_index=True)
    table.attrs["duplicates"] = len(found) - len(table)
    return table


def missing(path: Path) -> str:
    """Return what to say of a path that leads nowhere: how far it leads, and what is near.

    Nothing of a path that leads somewhere.
    """
    if path.exists():
        return ""
    there = path.absolute()
    while not there.parent.is_dir():
        there = there.parent
    try:
        folders = sorted(each.name for each in there.parent.iterdir() if each.is_dir())
    except OSError:  # that one can't be looked into
        folders = []
    if hint := nearest(there.name, folders):
        return f": there is no '{there.name}' in {there.parent}{hint}"
    some = f"; there are: {', '.join(folders[:FEW])}" if folders else ", nor any folder"
    more = ", …" if len(folders) > FEW else ""
    return f": there is no '{there.name}' in {there.parent}{some}{more}"


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
