"""A mirror of the NIH CXR14 download: phantom radiographs under the real file names."""

from pathlib import Path

import cv2
import pandas as pd

from sourcebench.datasets.mirrors import MIRRORS, write_missing
from sourcebench.datasets.nih import tables
from sourcebench.files import atomic
from sourcebench.phantoms.radiograph import Box, render

COLUMNS = ("image_id", "sex", "age", "view", "findings")

_ALIASES = {"Infiltrate": "Infiltration"}
"""NIH's box list spells one finding differently from its metadata."""

_Job = tuple[str, str, int, str, frozenset[str], tuple[Box, ...]]


@MIRRORS.register("nih_cxr14")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write phantoms of the wanted images, with all that their real labels say.

    Findings are those of the metadata as the experts corrected them; where NIH published a
    bounding box, the finding is drawn there.
    """
    findings = tables.merged_findings(wanted["image_id"])
    return write_images(wanted.assign(findings=findings), folder, processes, boxes=tables.boxes())


def write_images(
    rows: pd.DataFrame,
    folder: Path,
    processes: int = 1,
    boxes: pd.DataFrame | None = None,
) -> int:
    """Write one 1024×1024 8-bit grey PNG per row, as the download would leave them.

    Images that are already there are left alone, so that running again after an interruption only
    draws what is missing. Each file appears whole or not at all.

    Args:
        rows: columns `image_id` ('00000001_000.png'), `sex` (M|F), `age` (years), `view` (PA|AP),
            `findings` (names joined by '|'; 'No Finding' or nothing for none).
        folder: where the files go; made if missing.
        processes: how many to draw in parallel.
        boxes: NIH's bounding boxes: columns `image_id`, `finding`, `x`, `y`, `w`, `h` in pixels.

    Returns:
        How many images were written.

    Raises:
        SourceBenchError: a column is missing, or a row names a sex, view or finding that can't be
            drawn, or the disk is full.
    """
    marked = _boxes_by_image(boxes)

    def plan(wanted: pd.DataFrame) -> list[_Job]:
        return [
            (str(name), str(sex), int(age), str(view), _names(findings), marked.get(str(name), ()))
            for name, sex, age, view, findings in wanted.itertuples(index=False)
            if not (folder / str(name)).exists()
        ]

    return len(write_missing(rows, COLUMNS, folder, plan, _write, processes))


def _names(joined: object) -> frozenset[str]:
    """Split 'Mass|Nodule'; 'No Finding', '' and a missing value are the empty set."""
    text = joined if isinstance(joined, str) else ""
    return frozenset(text.split("|")) - {"", "No Finding"}


def _boxes_by_image(boxes: pd.DataFrame | None) -> dict[str, tuple[Box, ...]]:
    found: dict[str, tuple[Box, ...]] = {}
    if boxes is None:
        return found
    columns = boxes.loc[:, ["image_id", "finding", "x", "y", "w", "h"]]
    for name, finding, x, y, w, h in columns.itertuples(index=False):
        box = Box(_ALIASES.get(finding, finding), float(x), float(y), float(w), float(h))
        found[name] = (*found.get(name, ()), box)
    return found


def _write(folder: Path, job: _Job) -> None:
    image_id, sex, age, view, findings, boxes = job
    image = render(
        image_id,
        patient=image_id.split("_")[0],
        sex=sex,
        age=age,
        view=view,
        findings=findings,
        boxes=boxes,
    )
    # Grain hardly compresses: the lowest level is several times faster and as small.
    _, encoded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    with atomic(folder / image_id) as temporary:
        temporary.write_bytes(encoded.tobytes())
