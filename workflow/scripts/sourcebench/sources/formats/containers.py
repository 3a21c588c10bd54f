"""What files of weights come in: folders of Hugging Face, several files for one, archives."""

import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.http import CHUNK, room_for
from sourcebench.retrieval.unpack import DAMAGE, is_inside

ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
KERAS = (".h5", ".hdf5")
INDEX = ".index.json"
# A model saved by transformers: whole, or a table of the files that it was cut into.
SNAPSHOT = tuple(
    name + ending for name in ("model.safetensors", "pytorch_model.bin") for ending in ("", INDEX)
)
ARCHIVES = (".tar.gz", ".tgz", ".tar")
SHOWN = 3


def parts(path: Path) -> list[Path]:
    """Return the files that hold what is at a path: itself, or those that its index names.

    Raises:
        SourceBenchError: an index that can't be read, or names files outside its folder or missing.
    """
    if not path.name.endswith(INDEX):
        return [path]
    try:
        names = sorted(set(json.loads(path.read_text())["weight_map"].values()))
        inside = bool(names) and all(is_inside(name) for name in names)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SourceBenchError(
            f"{path} is no index of weights in several files ({type(error).__name__}): it needs a "
            "'weight_map', from tensors to files. Fetch it again."
        ) from error
    if not inside:
        raise SourceBenchError(
            f"{path} names files outside its folder, or none, and was not followed. Fetch it again."
        )
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise SourceBenchError(
            f"{path} names {len(names)} files, of which {missing[0]} is not there. Put all of them "
            "into its folder."
        )
    return [path.parent / name for name in names]


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Yield the file of weights at a path: itself, or the only one in an archive.

    It is unpacked into a folder beside the archive that is gone afterwards. Links, devices and
    paths that lead out of the archive are never followed.

    Raises:
        SourceBenchError: an archive that is broken, or holds no or several files of weights.
    """
    if not path.name.endswith(ARCHIVES):
        yield path
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        try:
            file = _unpacked(path, Path(folder))
        except DAMAGE as error:
            raise SourceBenchError(
                f"{path} is no whole archive ({type(error).__name__}): it is truncated or of "
                "another format. Delete it, and fetch it again."
            ) from error
        yield file


def _unpacked(path: Path, folder: Path) -> Path:
    """Unpack the only file of weights into a folder, and return it."""
    with room_for(folder), tarfile.open(path) as archive:
        members = [
            member
            for member in archive
            if member.isreg()
            and is_inside(member.name)
            and _is_weights(PurePosixPath(member.name).name)
        ]
        if len(members) != 1:
            found = ", ".join(member.name for member in members[:SHOWN]) or "none"
            raise SourceBenchError(
                f"{path} holds {len(members)} files of weights where it should hold one ({found}). "
                "Unpack it, and give the file that is wanted as a source of kind 'file'."
            )
        target = folder / PurePosixPath(members[0].name).name
        content = archive.extractfile(members[0])
        if content is not None:
            with content, target.open("xb") as file:
                shutil.copyfileobj(content, file, CHUNK)
    return target


def _is_weights(name: str) -> bool:
    # What a Mac adds to an archive starts with a dot, and has the same ending.
    return name.endswith((*ENDINGS, *KERAS)) and not name.startswith(".")
