"""The images that both frameworks train on: phantoms, a table's, or two folders of classes."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench import design, files
from sourcebench.datasets import prepare
from sourcebench.datasets.base import build
from sourcebench.datasets.origins import retrieve
from sourcebench.design.ranges import of_artifact
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import resize
from sourcebench.retrieval.folders import index_folder
from sourcebench.retrieval.formats.png import read_png
from sourcebench.seeds import generator
from sourcebench.training.data import Layers

PARTS = ("train", "val", "test")
SHARES = {"test": 0.25, "val": 0.2}  # of class folders, which bring no split


@dataclass(frozen=True)
class Images:
    """A task's images, in the files that a run reads.

    Attributes:
        folder: holds `images.npy` (N×S×S, uint8) and `samples.csv`.
        design: as `sourcebench.design` makes it, of one fold.
    """

    folder: Path
    design: design.Design

    @property
    def layers(self) -> Layers:
        """The arrays as a run takes them."""
        return Layers(self.folder / "samples.csv", self.folder / "images.npy", {})

    def part(self, name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the images (N×S×S, uint8) and labels (N, 0 or 1) of train, val or test."""
        images = self.design.images
        of = images["fold_1"].where(images["role"] == "dev", "test")
        here = (of == name).to_numpy()
        pixels = files.load_array(self.folder / "images.npy")[here]
        return np.asarray(pixels), images.loc[here, "label"].to_numpy(np.int64)


def phantoms(folder: Path, finding: str, side: int, sizes: dict[str, int], seed: int) -> Images:
    """Draw phantoms for real rows of NIH's metadata, a finding against none, half of each.

    Args:
        folder: for the files; phantoms that lie there are not drawn again.
        finding: one of NIH's fourteen.
        side: of the images, px.
        sizes: number of images in train, val and test; patients are in one of them only.
        seed: of the choice.
    """
    development = sizes["train"] + sizes["val"]
    task = {
        "dataset": "nih_cxr14",
        "labels": {"from": "metadata", "positive": finding, "negative": "No Finding"},
        "view": "PA",
        "samples": {"test": sizes["test"], "dev": development, "positive": 0.5},
    }
    dataset = build("nih_cxr14", {"kind": "nih_cxr14", "origin": "phantoms"})
    samples, _ = prepare.manifest(
        "twin",
        task,
        dataset.metadata(),
        seed=seed,
        carrier=None,
        available=None,
        published=None,
    )
    index, _ = retrieve(dataset, samples, folder, 1, sys.stderr)
    made = design.build(
        samples, folds=1, val_fraction=sizes["val"] / development, seed=seed, name="twin"
    )
    return _write(folder, samples, made, dict(index.itertuples(index=False)), side)


def found(path: Path, folder: Path, side: int, seed: int) -> Images:
    """Take anybody's grey PNGs: a CSV, or a folder with one folder of images per class.

    Args:
        path: a CSV with the columns `image` (path, relative to the CSV), `label` and `split`
            (train, val or test); or a folder that holds two folders. Of two labels the second in
            the order of the alphabet is the positive class.
        folder: for the files.
        side: of the images, px; resized by the nearest neighbour, as the reference does.
        seed: of the split of class folders: a quarter for test and a fifth for validation, image
            by image, since whose they are is not known.

    Raises:
        SourceBenchError: columns, classes or images are missing; the message says which.
    """
    table = _table(path) if path.suffix == ".csv" else _classes(path, seed)
    labels = sorted(table["label"].astype(str).unique())
    if len(labels) != 2:
        raise SourceBenchError(f"{path} has the classes {labels}; the twin needs exactly two.")
    for part in PARTS:
        if table.loc[table["split"] == part, "label"].nunique() < 2:
            raise SourceBenchError(
                f"{path}: the part '{part}' lacks a class; each of {', '.join(PARTS)} needs images "
                "of both."
            )
    samples = pd.DataFrame(
        {
            "image_id": table["image"],
            "patient_id": table["image"],
            "label": (table["label"].astype(str) == labels[1]).astype(int),
            "role": np.where(table["split"] == "test", "test", "dev"),
        }
    )
    rows = samples.assign(
        rank=np.nan, share=np.nan, fold_1=table["split"].where(table["split"] != "test", "")
    )
    base = path.parent if path.suffix == ".csv" else path
    paths = {image: str(base / image) for image in table["image"]}
    return _write(folder, samples, of_artifact(rows, design.NONE, []), paths, side)


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise SourceBenchError(f"There is no file {path}. Check the path.")
    table = pd.read_csv(path, dtype=str)
    missing = [column for column in ("image", "label", "split") if column not in table]
    if missing:
        raise SourceBenchError(
            f"{path} lacks the column(s) {', '.join(missing)}; it needs image, label and split "
            "(train, val or test)."
        )
    return table[table["split"].isin(PARTS)].reset_index(drop=True)


def _classes(path: Path, seed: int) -> pd.DataFrame:
    parts = []
    for label in sorted(entry.name for entry in path.glob("*") if entry.is_dir()):
        names = [str(Path(p).relative_to(path)) for p in index_folder(path / label)["path"]]
        order = generator(seed, "twin", label).permutation(len(names))
        split = np.full(len(names), "train", dtype="<U5")
        first = 0
        for part, share in SHARES.items():
            count = round(share * len(names))
            split[order[first : first + count]] = part
            first += count
        parts.append(pd.DataFrame({"image": names, "label": label, "split": split}))
    if not parts:
        raise SourceBenchError(
            f"{path} is neither a CSV nor a folder that holds a folder of images per class."
        )
    return pd.concat(parts, ignore_index=True)


def _write(
    folder: Path, samples: pd.DataFrame, made: design.Design, paths: dict[str, str], side: int
) -> Images:
    pixels = [resize(read_png(Path(paths[image])), side) for image in samples["image_id"]]
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", np.stack(pixels))
    files.write_csv(folder / "samples.csv", samples)
    return Images(folder, made)
