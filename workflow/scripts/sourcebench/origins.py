"""Where original images come from: a download, phantoms, or the user's own folder."""

from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from sourcebench.datasets import download, local, tables
from sourcebench.datasets.prepare import index
from sourcebench.phantoms.nih import write_images
from sourcebench.registry import Registry

Origin = Callable[[pd.DataFrame, Path, Mapping[str, Any], int, TextIO], pd.DataFrame]
ORIGINS: Registry[Origin] = Registry("origin")
"""Each takes the wanted rows (`image_id, …`), a folder, the dataset's part of the config, a number
of processes and the terminal; it returns the `image_id` and `path` of every wanted image."""


@ORIGINS.register("download")
def from_archives(
    wanted: pd.DataFrame, folder: Path, spec: Mapping[str, Any], _: int, terminal: TextIO
) -> pd.DataFrame:
    """Download NIH's archives, one at a time, and keep the wanted images."""
    with redirect_stderr(terminal):
        report = download.fetch_archives(
            download.nih_archives(spec.get("url"), checksums=spec.get("checksums", True)),
            list(wanted["image_id"]),
            folder,
            keep_archives=spec.get("keep_archives", False),
            keep_all_images=spec.get("keep_all_images", False),
            progress=terminal.isatty(),
        )
    print(report)
    return index(wanted["image_id"], folder / "images")


@ORIGINS.register("phantoms")
def from_phantoms(
    wanted: pd.DataFrame, folder: Path, _: Mapping[str, Any], processes: int, terminal: TextIO
) -> pd.DataFrame:
    """Draw a phantom for each wanted image, in the layout of the download."""
    images = folder / "images"
    drawn = wanted.assign(findings=tables.merged_findings(wanted["image_id"]))
    new = write_images(drawn, images, processes, boxes=tables.nih_boxes())
    print(f"Drew {new} phantoms, {len(wanted) - new} were there.", file=terminal)
    return index(wanted["image_id"], images)


@ORIGINS.register("path")
def from_folder(
    wanted: pd.DataFrame, _: Path, spec: Mapping[str, Any], __: int, ___: TextIO
) -> pd.DataFrame:
    """Find the wanted images in the user's folder."""
    found = local.index_folder(Path(spec["path"]))
    return found[found["image_id"].isin(wanted["image_id"])]
