"""Where files of Python are imported from."""

from pathlib import Path

FOLDERS: list[Path] = []
"""Where the plugins are imported from that are loaded, and may import one another from."""


def import_name(path: Path) -> tuple[Path, list[str]]:
    """Return the folder that a file is imported from, and the parts of the name it has there.

    Args:
        path: a file of Python, or one beside it with another suffix; in a package or not.

    Returns:
        The folder, which has to be on Python's path, and the names of the packages and the module:
        for `shapes/rings/thin.py` in the packages `shapes` and `rings`, these are shapes, rings and
        thin; for `shapes/__init__.py` it is shapes alone.
    """
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        folder, parts = folder.parent, [folder.name, *parts]
    return folder, parts[:-1] if parts[-1] == "__init__" else parts
