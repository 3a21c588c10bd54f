"""Plugins: kinds of one's own from outside the library.

Importing a plugin registers its kinds. The study does so before it checks its config, and every job
at its start.
"""

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from sourcebench.errors import SourceBenchError
from sourcebench.modules import FOLDERS, import_name

GROUP = "sourcebench.kinds"
"""The group of entry points by which an installed package names modules that register kinds."""


def load(places: Iterable[str]) -> None:
    """Import the plugins of installed packages, and those that a config names.

    A file is imported once in a process, however often it is named.

    Args:
        places: files of Python, folders of packages, or captions, each of which declares a figure
            (see `exhibits`). Relative paths count from the working directory.

    Raises:
        SourceBenchError: a plugin is not there, or can't be imported; the message names it and the
            reason, such as a name that another kind has already.
    """
    for point in entry_points(group=GROUP):
        package = point.dist.name if point.dist else "?"
        with _explained(f"The plugin '{point.value}' of the installed package '{package}'"):
            point.load()
    for place in places:
        _load(place)


def _load(place: str) -> None:
    path = Path(place).expanduser().resolve()
    if not path.exists():
        raise SourceBenchError(
            f"plugins has '{place}', but there is no {path}; correct the path, which counts from "
            "the working directory if it is relative."
        )
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file() or file.suffix not in (".py", ".rst"):
        raise SourceBenchError(
            f"plugins has '{place}'; it must be a file of Python (.py), the folder of a package "
            "(with an __init__.py), or the caption of a figure (.rst)."
        )
    with _explained(f"The plugin '{place}'", file):
        _enter(file)


def _enter(file: Path) -> None:
    folder, parts = import_name(file)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # at its end: nothing there hides a module of others
    if folder not in FOLDERS:
        FOLDERS.append(folder)
    if file.suffix == ".rst":
        from sourcebench.figures import FIGURES  # takes its time, which jobs without one save

        FIGURES.read(file)
        return
    name = ".".join(parts)
    spec = find_spec(name)
    found = (spec.origin if spec else None) or "no file"
    if Path(found).resolve() != file:
        raise SourceBenchError(f"its name, {name}, is that of another module ({found}); rename it.")
    import_module(name)


@contextmanager
def _explained(what: str, file: Path | None = None) -> Iterator[None]:
    """Say in a sentence why a plugin can't be imported, and in which of its lines that is."""
    try:
        yield
    except Exception as error:  # whatever somebody's code raises
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(file)]
        where = f"line {lines[-1]}: " if lines else ""
        kind = "" if isinstance(error, SourceBenchError) else f"{type(error).__name__}: "
        raise SourceBenchError(f"{what} can't be imported: {where}{kind}{error}") from error
