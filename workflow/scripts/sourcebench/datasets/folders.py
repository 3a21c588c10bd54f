"""Looking through folders of the user's."""

import os
from collections.abc import Iterator
from pathlib import Path

from sourcebench.errors import SourceBenchError


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
                    if entry.is_dir():
                        places.append(entry.path)
                    else:
                        yield entry
        except OSError as error:
            raise SourceBenchError(
                f"The folder {place} could not be read: {error.strerror}. Check who may read it."
            ) from error
