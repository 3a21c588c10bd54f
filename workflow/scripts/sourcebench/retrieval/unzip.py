"""Images out of a `.zip`, safely."""

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from sourcebench.retrieval.http import CHUNK, room_for
from sourcebench.retrieval.unpack import Unpacked, is_inside

DAMAGE = (zipfile.BadZipFile, NotImplementedError, EOFError)


def unzip(path: Path, images: Path, choice: set[str] | None, there: set[str]) -> Unpacked:
    """Extract chosen JPEG images that are not there yet, all or none.

    As `unpack.unpack` does, but for what a `.zip` is: its list of contents is at its end, so that
    only the chosen images are read, and each has a checksum of its own.

    Args:
        path: the archive; a temporary folder is made beside it, on the file system of `images`.
        images: the folder for the images.
        choice: file names to extract; None for all.
        there: file names not to extract again.

    Raises:
        SourceBenchError: the disk is full.
        DAMAGE: any of these, if the archive is truncated, corrupt, encrypted or no `.zip`.
    """
    result = Unpacked()
    staging = path.with_name(f"{path.name}.images")
    shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
    staging.mkdir()
    try:
        with room_for(staging), zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename).name
                if member.is_dir() or not _is_image(name) or name in result.held:
                    continue
                chosen = (choice is None or name in choice) and name not in there
                if not _is_safe(member):
                    result.refused += chosen
                    continue
                result.held.add(name)
                if chosen:
                    with archive.open(member) as content, (staging / name).open("xb") as file:
                        shutil.copyfileobj(content, file, CHUNK)
                    result.new.add(name)
        for name in result.new:
            (staging / name).replace(images / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return result


def _is_safe(member: zipfile.ZipInfo) -> bool:
    link = (member.external_attr >> 16) & 0o170000 == 0o120000
    return not link and not member.flag_bits & 1 and is_inside(member.filename)


def _is_image(name: str) -> bool:
    return name.lower().endswith(".jpg") and not name.startswith(".")
