"""What a dataset is, told before anything is made of it: its table, and a sample of its images."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from sourcebench.datasets.base import Dataset
from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator

Line = tuple[str, str]
"""What it is about, in a word, and what is said of it."""
SAMPLE = 64
"""So many images are read, or as many as there is time for."""
FEW = 12
"""So many different values are told of, each with its number; the most frequent first."""
NOTHING = "nothing"
"""What is said for an empty text."""


def counted(values: Iterable[object], noun: str = "values") -> str:
    """Return values with their numbers: 'Bern (20), Rome (18)'; of too many, how many there are."""
    numbers = Counter(str(value) or NOTHING for value in values).most_common()
    told = ", ".join(f"{value} ({count:,})" for value, count in numbers[:FEW])
    return told + (f" and {len(numbers) - FEW:,} more {noun}" if len(numbers) > FEW else "")


def of_table(metadata: pd.DataFrame) -> Iterator[Line]:
    """Yield what a dataset's metadata has: rows, patients, findings, and columns of few values.

    Args:
        metadata: see `Dataset.metadata`.
    """
    given = [str(name) for name in metadata if metadata[name].notna().any()]
    patients = metadata["patient_id"].nunique()
    yield "table", f"{len(metadata):,} rows of {patients:,} patients; {', '.join(given)}"
    findings = metadata["findings"].dropna().astype(str).str.split("|").explode()
    unknown = int(metadata["findings"].isna().sum())
    yield (
        "findings",
        (counted(findings, "findings") or "none")
        + (f"; nothing is known of {unknown:,} images" if unknown else ""),
    )
    for name in given:
        values = metadata[name].dropna()
        if name not in ("image_id", "patient_id", "findings") and values.nunique() <= FEW:
            empty = len(metadata) - len(values)
            yield name, counted(values) + (f"; empty {empty:,}" if empty else "")


def of_images(
    dataset: Dataset,
    found: pd.DataFrame,
    odd: dict[str, int],
    image_ids: pd.Series,
    seed: int,
    seconds: float,
) -> Iterator[Line]:
    """Yield what images are in the user's folder, and of a sample their sizes and channels.

    Args:
        dataset: reads them.
        found: `image_id, path`, as `Dataset.index` returns it.
        odd: likewise.
        image_ids: of the table; the sample is of these, if any is there.
        seed: of the sample.
        seconds: so long at most images are read, but for the first, which is read whatever it
            takes.
    """
    found = found.dropna(subset="path")  # of a pool's parts some are still to be had
    suffixes = counted(Path(path).suffix or "no suffix" for path in found["path"])
    remarks = "".join(f"; {name} {count:,}" for name, count in odd.items() if count)
    yield "files", f"{len(found):,}: {suffixes}{remarks}"
    known = found[found["image_id"].isin(image_ids)]
    found = known if len(known) else found
    order = generator(seed, "check", dataset.key).permutation(len(found))[:SAMPLE]
    shapes: list[str] = []
    remarked: list[str] = []
    wrong: list[str] = []
    end = time.monotonic() + seconds
    for row in order:
        if (shapes or wrong) and time.monotonic() > end:
            break
        try:
            name, path = found[["image_id", "path"]].iloc[row]
            image, said = dataset.image(str(name), Path(str(path)))
        except SourceBenchError as error:
            wrong.append(str(error))
            continue
        height, width, *channels = image.shape
        colours = f"{channels[0]} channels" if channels else "grey"
        shapes.append(f"{width}×{height} px {colours}")
        remarked += said
    read = counted(shapes, "sizes") or "none could be"
    yield (
        "read",
        f"{len(shapes)} of them: {read}" + (f"; odd: {counted(remarked)}" if remarked else ""),
    )
    if wrong:
        yield (
            "unreadable",
            f"{len(wrong)} of {len(wrong) + len(shapes)} that were tried: {wrong[0]}",
        )
