"""Whether a table and a folder speak of the same images."""

from collections.abc import Iterable, Iterator

from sourcebench.errors import SourceBenchError

FOLDERS = "with the folders that they have below it, and no others"


def has_folders(image_ids: Iterable[str]) -> bool:
    """Tell whether a table knows its images by paths, and not by their names alone."""
    return any("/" in name or "\\" in name for name in image_ids)


def check(image_ids: Iterable[str], available: set[str]) -> None:
    """Refuse a table that names images otherwise than their files.

    An image may be missing, and a file may be one too many: both are counted elsewhere. But where
    a row without image and an image without row differ only in folders, a suffix or capitals,
    they belong together.

    Args:
        image_ids: of all rows.
        available: names of the images that are there, or their paths.

    Raises:
        SourceBenchError: there are such rows, or no row has an image; the message shows a name
            of the table and one of the folder.
    """
    rows = list(image_ids)
    strays = sorted(available.difference(rows))
    missing = [name for name in rows if name not in available] if strays else []
    whole = {name.casefold(): name for name in strays}
    stems = {_stem(name.casefold()): name for name in strays}
    deeper = {end: name for name in strays for end in _ends(name.casefold())}
    for name in missing:
        plain = name.replace("\\", "/").casefold()
        known = (whole.get(end) or stems.get(end) for end in _ends(plain))
        if file := next(filter(None, known), None):
            how = FOLDERS if "/" in file else "without a folder, and no two alike"
        elif file := deeper.get(plain):
            how = FOLDERS
        elif file := whole.get(plain):
            how = "with the same small and capital letters"
        elif file := stems.get(plain):
            how = "with their suffix"
        elif file := stems.get(_stem(plain)):
            how = "with the suffix that they have"
        else:
            continue
        raise SourceBenchError(
            f"the table has image_id '{name}', but the folder has '{file}': write file names {how}."
        )
    if len(missing) == len(rows):
        raise SourceBenchError(
            f"none of the {len(rows)} images of the table is in the folder: the table has image_id "
            f"'{rows[0]}', the folder has '{strays[0]}'. Write file names, or give another folder."
        )


def _ends(path: str) -> Iterator[str]:
    """Yield a path without its first folder, without its first two, and so on: 'b/c', then 'c'."""
    while "/" in path:
        path = path.partition("/")[2]
        yield path


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)
