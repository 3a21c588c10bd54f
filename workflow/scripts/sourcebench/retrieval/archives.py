"""Images out of archives on a server, one archive at a time."""

import hashlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from sourcebench.errors import SourceBenchError
from sourcebench.files import read_json, write_json
from sourcebench.retrieval.http import Pause, discard, fetch
from sourcebench.retrieval.unpack import DAMAGE, Unpacked, unpack
from sourcebench.retrieval.unzip import DAMAGE as ZIP_DAMAGE
from sourcebench.retrieval.unzip import unzip


@dataclass(frozen=True)
class Archive:
    """A `.tar.gz` of PNG images on a server, or a `.zip` of JPEG images.

    Attributes:
        name: file name, unique among the archives of a folder ("images_001.tar.gz"); its end says
            which of the two it is.
        url: where it is.
        size: published size in bytes, if any.
        md5: published MD5 checksum (hexadecimal), if any.
    """

    name: str
    url: str
    size: int | None = None
    md5: str | None = None


@dataclass(frozen=True)
class FetchReport:
    """What `fetch_archives` did.

    Attributes:
        wanted: number of images asked for.
        present: how many of them were in the folder before.
        extracted: images added to the folder.
        read: names of the archives that were read, in order.
        received: bytes that came over the network.
        refused: entries named like a wanted image but unsafe to extract (links, devices, paths
            that leave the archive).
    """

    wanted: int
    present: int
    extracted: int
    read: tuple[str, ...]
    received: int
    refused: int


def fetch_archives(
    archives: Sequence[Archive],
    wanted: Collection[str],
    folder: Path,
    *,
    keep_archives: bool = False,
    keep_all_images: bool = False,
    progress: bool = True,
    pause: Pause = time.sleep,
) -> FetchReport:
    """Get the wanted images into `<folder>/images/`, one archive at a time.

    Each archive is downloaded to `<folder>/archives/` (resumed where an earlier call stopped),
    verified (size, published checksum, its own), extracted and deleted; then comes the next,
    until every wanted image is there. `<folder>/archives.json` remembers which archive holds which
    images, so that a later call downloads only archives it needs. An image appears in `images/`
    only when its whole archive has proved sound. A complete archive that already lies in
    `archives/` under its own name is used, and never deleted.

    Args:
        archives: in the order to try them.
        wanted: image file names ("00000001_000.png").
        folder: where everything goes.
        keep_archives: keep the archives that were downloaded.
        keep_all_images: extract every image, from every archive, not only the wanted ones.
        progress: show a bar per archive, on a terminal.
        pause: called with the seconds to wait before another try.

    Raises:
        SourceBenchError: a download fails for good, an archive is damaged, the disk is full, or a
            wanted image is in none of the archives.
    """
    wanted = set(wanted)
    images, store = folder / "images", folder / "archives"
    images.mkdir(parents=True, exist_ok=True)
    store.mkdir(exist_ok=True)
    results: dict[str, Unpacked] = {}
    received = 0
    with FileLock(folder / ".lock"):  # two studies may want images of the same folder
        ledger = _read_ledger(folder, archives)
        there = {path.name for path in images.iterdir()}
        present = len(wanted & there)
        for archive in archives:
            own, part = store / archive.name, store / f"{archive.name}.part"
            every = there if keep_all_images else None
            if not _needed(archive, ledger, wanted - there, every):
                discard(part)  # left by a call that was stopped between extracting and deleting
                continue
            if not own.exists():
                received += _obtain(archive, part, progress, pause)
            choice = None if keep_all_images else wanted
            result = _unpack(archive, own if own.exists() else part, images, choice, there)
            if keep_archives and not own.exists():
                part.replace(own)
            ledger[archive.name] = {"url": archive.url, "images": sorted(result.held)}
            write_json(folder / "archives.json", ledger)
            discard(part)
            results[archive.name] = result
            there |= result.new
    missing = sorted(wanted - there)
    if missing:
        some = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise SourceBenchError(
            f"{len(missing)} of {len(wanted)} wanted images are in none of the {len(archives)} "
            f"archives: {some}. Check the table that names them."
        )
    return FetchReport(
        wanted=len(wanted),
        present=present,
        extracted=sum(len(result.new) for result in results.values()),
        read=tuple(results),
        received=received,
        refused=sum(result.refused for result in results.values()),
    )


def _read_ledger(folder: Path, archives: Sequence[Archive]) -> dict[str, Any]:
    """Return what is known of these archives: name → address and sorted image names."""
    path = folder / "archives.json"
    if not path.exists():
        return {}
    try:
        known = read_json(path)
        urls = {archive.name: archive.url for archive in archives}
        return {name: entry for name, entry in known.items() if urls.get(name) == entry["url"]}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise SourceBenchError(
            f"{path} is damaged. Delete it and run again; the archives will be read anew."
        ) from error


def _needed(
    archive: Archive, ledger: dict[str, Any], missing: set[str], all_there: set[str] | None
) -> bool:
    """Whether an archive holds, or may hold, images that are still to be extracted.

    `all_there` names the images in the folder if every image is to be kept, else it is None.
    """
    if archive.name in ledger:
        held = set(ledger[archive.name]["images"])
        return bool(held & missing) or (all_there is not None and not held <= all_there)
    elsewhere = {image for entry in ledger.values() for image in entry["images"]}
    return all_there is not None or not missing <= elsewhere


def _obtain(archive: Archive, part: Path, progress: bool, pause: Pause) -> int:
    """Download an archive and compare it with what is published of it; return bytes received."""
    received = fetch(
        archive.url,
        part,
        size=archive.size,
        sealed=archive.md5 is not None,
        label=archive.name,
        progress=progress,
        pause=pause,
    )
    size, md5 = part.stat().st_size, None
    if archive.md5 is not None:
        with part.open("rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if archive.size not in (None, size) or (archive.md5 or "").lower() != (md5 or ""):
        discard(part)
        raise SourceBenchError(
            f"{archive.name} from {archive.url} arrived with size {size} and MD5 {md5}, not with "
            f"the published size {archive.size} and MD5 {archive.md5}; it was deleted. Run again "
            "to download it anew; if that doesn't help, the server has another file there."
        )
    return received


def _unpack(
    archive: Archive, path: Path, images: Path, choice: set[str] | None, there: set[str]
) -> Unpacked:
    """Unpack an archive; one of ours that is damaged is deleted."""
    kind = ".zip" if archive.name.endswith(".zip") else ".tar.gz"
    try:
        return (unzip if kind == ".zip" else unpack)(path, images, choice, there)
    except (*DAMAGE, *ZIP_DAMAGE) as error:
        ours = path.suffix == ".part"
        if ours:
            discard(path)
        what = "it was deleted. Run again" if ours else "delete it and run again"
        raise SourceBenchError(
            f"{path} is damaged or no {kind} ({error}); {what} to download it anew."
        ) from error
