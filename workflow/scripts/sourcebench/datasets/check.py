"""What a dataset is, told before anything is made of it: its table, and its images."""

import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import pandas as pd
from tqdm import tqdm

from sourcebench.datasets.base import Dataset
from sourcebench.errors import SourceBenchError, number
from sourcebench.imaging import channels_of
from sourcebench.retrieval.formats import SUFFIXES, slices_in
from sourcebench.retrieval.formats.base import slice_named
from sourcebench.seeds import generator

Line = tuple[str, str]
"""What it is about, in a word, and what is said of it."""
Shape = tuple[int, int, int]
"""Height and width (px), and channels: 1 if grey."""
SAMPLE = 64
"""So many images are read, or as many as there is time for."""
FEW = 12
"""So many different values are told of, each with its number; the most frequent first."""
FEW_SIZES = 6
"""So many sizes are told of, each with its number."""
NOTHING = "nothing"
"""What is said for an empty text."""
PLACE = re.compile(r"#(\d+)(,\d+)?$")
"""The end of a path that names a slice of its file, or a place in it."""


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
    patients = number(metadata["patient_id"].nunique(), "patient")
    yield "table", f"{number(len(metadata), 'row')} of {patients}; {', '.join(given)}"
    findings = metadata["findings"].dropna().astype(str).str.split("|").explode()
    unknown = int(metadata["findings"].isna().sum())
    yield (
        "findings",
        (counted(findings, "findings") or "none")
        + (f"; nothing is known of {number(unknown, 'image')}" if unknown else ""),
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
        of: how many there were to choose from.
        shapes: of each that could be read, by its name.
        remarked: what was odd about them.
        wrong: why others could not be read, by their names.
    """

    of: int = 0
    shapes: dict[str, Shape] = field(default_factory=dict)
    remarked: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        """How many images were opened."""
        return len(self.shapes) + len(self.wrong)

    def read(self, dataset: Dataset, image_id: str, path: str) -> None:
        """Read an image; several threads may."""
        try:
            image, said = dataset.image(image_id, Path(path))
        except SourceBenchError as error:
            self.wrong[image_id] = str(error)
            return
        height, width = image.shape[:2]
        self.shapes[image_id] = (height, width, channels_of(image))
        self.remarked.extend(said)


def sample(
    dataset: Dataset, found: pd.DataFrame, image_ids: Collection[str], seed: int, seconds: float
) -> Sample:
    """Read some of the images in the user's folder.

    Of a volume that is among them, all slices are looked for that are asked for.

    Args:
        dataset: reads them.
        found: `image_id, path`, as `Dataset.index` returns it.
        image_ids: that the tasks use, or that the table has; the sample is of these, if any is
            there.
        seed: of the sample.
        seconds: so long at most images are read, but for the first, which is read whatever it
            takes.
    """
    found = _on_disk(found, image_ids)
    order = generator(seed, "check", dataset.key).permutation(len(found))[:SAMPLE]
    read = Sample(len(found))
    end = time.monotonic() + seconds
    rows = [(str(name), str(path)) for name, path in found[["image_id", "path"]].to_numpy()]
    for row in order:
        if read.tried and time.monotonic() > end:
            break
        read.read(dataset, *rows[row])
    for name, path in _without_slice([rows[row][1] for row in order[: read.tried]], rows):
        read.read(dataset, name, path)
    return read


def every(
    dataset: Dataset,
    found: pd.DataFrame,
    image_ids: Collection[str],
    threads: int,
    terminal: TextIO,
) -> Sample:
    """Read all images in the user's folder that are asked for, see `sample`."""
    found = _on_disk(found, image_ids)
    read = Sample(len(found))
    with ThreadPoolExecutor(threads) as pool:
        rows = [(str(name), str(path)) for name, path in found[["image_id", "path"]].to_numpy()]
        done = pool.map(lambda row: read.read(dataset, *row), rows)
        for _ in tqdm(done, "Reading images", len(rows), file=terminal, disable=None):
            pass
    read.wrong = {name: read.wrong[name] for name, _ in rows if name in read.wrong}
    return read


def _on_disk(found: pd.DataFrame, image_ids: Collection[str]) -> pd.DataFrame:
    """Return the images that are asked for, or all where none of these is there."""
    found = found.dropna(subset="path")  # of a pool's parts some are still to be had
    known = found[found["image_id"].isin(image_ids)]
    return known if len(known) else found


def _without_slice(
    tried: Sequence[str], rows: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield the rows, not tried yet, that name a slice which a file that was tried doesn't have."""
    depths: dict[Path, int] = {}
    for path in tried:
        file, slice_ = slice_named(Path(path))
        if slice_ is not None and file not in depths:
            try:
                depths[file] = slices_in(Path(path))
            except SourceBenchError:  # it was told when the file was read
                continue
    for name, path in rows if depths else ():
        file, slice_ = slice_named(Path(path))
        if slice_ is not None and slice_ >= depths.get(file, slice_ + 1) and path not in tried:
            yield name, path


def of_images(found: pd.DataFrame, odd: dict[str, int], read: Sample, whose: str) -> Iterator[Line]:
    """Yield what images are in the user's folder, and of those that were read sizes and channels.

    Args:
        found: `image_id, path`, as `Dataset.index` returns it.
        odd: likewise.
        read: see `sample`.
        whose: what is said of those that the sample is of: 'that the tasks use'.
    """
    found = found.dropna(subset="path")
    remarks = "".join(f"; {name} {count:,}" for name, count in odd.items() if count)
    yield "files", f"{len(found):,}: {kinds(found['path'])}{remarks}"
    remarks = f"; odd: {counted(read.remarked)}" if read.remarked else ""
    some = "all " if read.tried == read.of else f"{read.tried:,} of "
    yield "read", f"{some}{read.of:,} {whose}: {_shapes(list(read.shapes.values()))}{remarks}"


def kinds(paths: Iterable[str]) -> str:
    """Return what kinds of files there are: '.jpg (96), .nii.gz (9 slices of 1 file)'.

    Args:
        paths: of images; several may be slices of one file, or places in it.
    """
    images, files, sliced = Counter[str](), dict[str, set[str]](), dict[str, str]()
    for path in paths:
        place = PLACE.search(path)
        file = path[: place.start()] if place else path
        name = Path(file).name.lower()
        ends = [each for each in SUFFIXES if name.endswith(each)]
        suffix = max(ends, key=len, default=Path(name).suffix or "no suffix")
        images[suffix] += 1
        if place:
            files.setdefault(suffix, set()).add(file)
            sliced[suffix] = "image" if place[2] else "slice"
    told = []
    for suffix, count in images.most_common():
        if suffix in sliced:
            within = number(len(files[suffix]), "file")
            told.append(f"{suffix} ({number(count, sliced[suffix])} of {within})")
        else:
            told.append(f"{suffix} ({count:,})")
    return ", ".join(told)


def _shapes(shapes: list[Shape]) -> str:
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
