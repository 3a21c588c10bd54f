"""What a dataset is, told before anything is made of it: its table, and a sample of its images."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from sourcebench.datasets.base import Dataset
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import channels_of
from sourcebench.seeds import generator

Line = tuple[str, str]
"""What it is about, in a word, and what is said of it."""
SAMPLE = 64
"""So many images are read, or as many as there is time for."""
FEW = 12
"""So many different values are told of, each with its number; the most frequent first."""
FEW_SIZES = 6
"""So many sizes are told of, each with its number."""
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


@dataclass
class Sample:
    """Images of a folder that were read.

    Attributes:
        shapes: height, width and channels (1 if grey) of each.
        remarked: what was odd about them.
        wrong: why others could not be read.
    """

    shapes: list[tuple[int, int, int]] = field(default_factory=list)
    remarked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def sample(
    dataset: Dataset, found: pd.DataFrame, image_ids: pd.Series, seed: int, seconds: float
) -> Sample:
    """Read some of the images in the user's folder.

    Args:
        dataset: reads them.
        found: `image_id, path`, as `Dataset.index` returns it.
        image_ids: of the table; the sample is of these, if any is there.
        seed: of the sample.
        seconds: so long at most images are read, but for the first, which is read whatever it
            takes.
    """
    found = found.dropna(subset="path")  # of a pool's parts some are still to be had
    known = found[found["image_id"].isin(image_ids)]
    found = known if len(known) else found
    order = generator(seed, "check", dataset.key).permutation(len(found))[:SAMPLE]
    read = Sample()
    end = time.monotonic() + seconds
    for row in order:
        if (read.shapes or read.wrong) and time.monotonic() > end:
            break
        try:
            name, path = found[["image_id", "path"]].iloc[row]
            image, said = dataset.image(str(name), Path(str(path)))
        except SourceBenchError as error:
            read.wrong.append(str(error))
            continue
        height, width = image.shape[:2]
        read.shapes.append((height, width, channels_of(image)))
        read.remarked += said
    return read


def of_images(found: pd.DataFrame, odd: dict[str, int], read: Sample) -> Iterator[Line]:
    """Yield what images are in the user's folder, and of a sample their sizes and channels.

    Args:
        found: `image_id, path`, as `Dataset.index` returns it.
        odd: likewise.
        read: see `sample`.
    """
    found = found.dropna(subset="path")
    suffixes = counted(Path(path).suffix or "no suffix" for path in found["path"])
    remarks = "".join(f"; {name} {count:,}" for name, count in odd.items() if count)
    yield "files", f"{len(found):,}: {suffixes}{remarks}"
    remarks = f"; odd: {counted(read.remarked)}" if read.remarked else ""
    yield "read", f"{len(read.shapes)} of them: {_shapes(read.shapes)}{remarks}"
    if read.wrong:
        tried = len(read.wrong) + len(read.shapes)
        yield "unreadable", f"{len(read.wrong)} of {tried} that were tried: {read.wrong[0]}"


def _shapes(shapes: list[tuple[int, int, int]]) -> str:
    """Return sizes and channels with their numbers; of many sizes, how far they reach."""
    if not shapes:
        return "none could be"
    colours = ["grey" if shape[2] == 1 else f"{shape[2]} channels" for shape in shapes]
    sizes = [f"{shape[1]}×{shape[0]} px" for shape in shapes]
    told = [f"{size} {colour}" for size, colour in zip(sizes, colours, strict=True)]
    if len(set(told)) <= FEW_SIZES:
        return counted(told)
    heights, widths, _ = zip(*shapes, strict=True)
    return (
        f"{counted(colours)}; {min(widths)} to {max(widths)} px wide, {min(heights)} to "
        f"{max(heights)} high"
    )
