"""Images out of a `.tar.gz`, safely."""

import gzip
import shutil
import tarfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sourcebench.retrieval.http import CHUNK, room_for

DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError)


@dataclass
class Unpacked:
    """What was found in an archive.

    Attributes:
        held: file names of all images in it.
        new: those that were extracted.
        refused: number of entries named like a chosen image, but unsafe to extract.
    """

    held: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    refused: int = 0


def unpack(path: Path, images: Path, choice: set[str] | None, there: set[str]) -> Unpacked:
    """Extract chosen images that are not there yet, all or none.

    Only regular files with a `.png` name at a path inside the archive are images, and only their
    file name decides where they go: links, devices, absolute paths and `..` are never followed.
    The archive is read to its end, and with it gzip's checksum; only then do images move to their
    place. If a name comes twice, the first counts.

    Args:
        path: the archive; a temporary folder is made beside it, on the file system of `images`.
        images: the folder for the images.
        choice: file names to extract; None for all.
        there: file names not to extract again.

    Raises:
        SourceBenchError: the disk is full.
        DAMAGE: any of these, if the archive is truncated, corrupt or no `.tar.gz`.
    """
    result = Unpacked()
    staging = path.with_name(f"{path.name}.images")
    shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
    staging.mkdir()
    try:
        with (
            room_for(staging),
            gzip.open(path) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for member in tar:
                name = PurePosixPath(member.name).name
                if not _is_image(name) or name in result.held:
                    continue
                chosen = (choice is None or name in choice) and name not in there
                if not _is_safe(member):
                    result.refused += chosen
                    continue
                result.held.add(name)
                content = tar.extractfile(member) if chosen else None
                if content is not None:
                    with (staging / name).open("xb") as file:
                        shutil.copyfileobj(content, file, CHUNK)
                    result.new.add(name)
            while stream.read(CHUNK):  # tar stops at its own end; the checksum comes after it
                continue
        for name in result.new:
            (staging / name).replace(images / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return result


def is_inside(name: str) -> bool:
    """Whether a relative path stays in the folder that it is relative to, on any system."""
    path = PurePosixPath(name)
    return bool(path.parts) and not (path.is_absolute() or ".." in path.parts or "\\" in name)


def _is_safe(member: tarfile.TarInfo) -> bool:
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
    return plain and is_inside(member.name)


def _is_image(name: str) -> bool:
    return name.endswith(".png") and not name.startswith(".")
