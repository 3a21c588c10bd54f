"""Figure 2: what the artifacts look like."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sourcebench import seeds
from sourcebench.confounders import PixelConfounder
from sourcebench.imaging import Image, resize

Box = tuple[float, float, float]

BLACK, WHITE = 1.0, 99.0
"""Percentiles of a zoom that are shown black and white."""

MARK = "#ff3b30"
PANEL, GAP, ABOVE, BELOW, BAR = 2.4, 0.12, 0.34, 0.28, 0.8
"""Inches: a panel's side, between panels, a row's heading and captions, the colour bar's room."""


@dataclass(frozen=True)
class Example:
    """What a row shows.

    Attributes:
        name: the confounder's name in the config.
        confounder: the confounder.
        original: H×W, uint8, an original image of the task.
        task: the task's title.
    """

    name: str
    confounder: PixelConfounder
    original: Image
    task: str = ""


def artifact_panel(
    examples: Sequence[Example],
    *,
    box: Box = (0.3, 0.4, 0.125),
    seed: int = 0,
) -> Figure:
    """Draw each confounder's artifact: whole, zoomed without and with it, and their difference.

    After Source Matters, Fig. 2, which shows zooms of stronger artifacts than those used in its
    experiments; here they are as strong as the confounders passed, and the difference makes the
    imperceptible ones visible. Both zooms of a row have one contrast, stretched to the zoom's own
    grey levels.

    Args:
        examples: what to show, a row each.
        box: what the zoom shows: left, top and side as shares of the image's side. A confounder
            that changes but a small part of the image is zoomed on that part instead, and an
            arrow points to it.
        seed: the study's seed.

    Returns:
        A figure of a row for each example.
    """
    rows, columns = len(examples), 4
    width = columns * PANEL + (columns + 1) * GAP + BAR
    height = rows * (ABOVE + PANEL + BELOW)
    figure = Figure(figsize=(width, height))
    axes = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={
            "left": GAP / width,
            "right": 1 - (GAP + BAR) / width,
            "top": 1 - ABOVE / height,
            "bottom": BELOW / height,
            "wspace": GAP / PANEL,
            "hspace": (ABOVE + BELOW) / PANEL,
        },
    )
    for example, row in zip(examples, axes, strict=True):
        _draw_row(row, example.confounder, example.original, box, seed)
        _write_heading(row[0], example)
    return figure


def _draw_row(
    row: npt.NDArray[np.object_],
    confounder: PixelConfounder,
    original: Image,
    box: Box,
    seed: int,
) -> None:
    image = resize(original, confounder.resolution or len(original))
    without, with_ = (
        draw(image, seeds.generator(seed, confounder.kind, layer, "figure 2"))
        for draw, layer in ((confounder.base, "base"), (confounder.artifact, "artifact"))
    )
    spot = _spot(without != with_)
    left, top, side = (round(share * len(image)) for share in spot or box)
    crop = np.s_[top : top + side, left : left + side]
    black, white = np.percentile(without[crop], (BLACK, WHITE))

    whole, zoom_without, zoom_with, last = row
    size = f"{side}×{side} of {len(image)}×{len(image)} px"
    _show(whole, with_, 0, 255, "with the artifact")
    _show(zoom_without, without[crop], black, white, f"without: {size}")
    _show(zoom_with, with_[crop], black, white, f"with: grey levels {black:.0f} to {white:.0f}")
    _show_difference(last, np.subtract(with_[crop], without[crop], dtype=np.int16))
    whole.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor=MARK, linewidth=1.2))
    if spot:
        corner, far = (left + side, top + side), 0.16 * len(image)
        arrow = {"arrowstyle": "-|>", "color": MARK, "linewidth": 1.6}
        whole.annotate("", corner, (corner[0] + far, corner[1] + far), arrowprops=arrow)


def _show(axis: Axes, image: Image, black: float, white: float, caption: str) -> None:
    axis.imshow(image, cmap="gray", vmin=black, vmax=white, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.set_xlabel(caption, fontsize=8.5)


def _show_difference(axis: Axes, difference: npt.NDArray[np.int16]) -> None:
    """Show a signed difference around a white zero, with a colour bar in grey levels."""
    limit = max(1.0, float(np.ceil(np.percentile(np.abs(difference), 99.5))))
    drawn = axis.imshow(difference, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.set_xlabel(f"with − without: s.d. {difference.std():.1f} grey levels", fontsize=8.5)
    bar = axis.figure.colorbar(
        drawn,
        cax=axis.inset_axes((1.04, 0, 0.05, 1)),
        extend="both" if np.abs(difference).max() > limit else "neither",
    )
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.0f}", "0", f"+{limit:.0f}"], fontsize=8)
    bar.set_label("grey levels", fontsize=8, labelpad=0)


def _write_heading(axis: Axes, example: Example) -> None:
    """Write title, task, place in MICCAT and parameters over a row, from its first panel on."""
    confounder = example.confounder
    title = confounder.title + ("" if example.name == confounder.kind else f" ({example.name})")
    about = [example.task, str(confounder.taxon), confounder.describe()]
    written = axis.annotate(title, (0, 1), (0, 6), "axes fraction", "offset points", weight="bold")
    axis.annotate(
        "   ·   ".join(text for text in about if text),
        (1, 1),
        (8, 6),
        xycoords=(written, "axes fraction"),
        textcoords="offset points",
        fontsize=9,
    )


def _spot(changed: npt.NDArray[np.bool_]) -> Box | None:
    """Return a square around all changes as shares of the side, if it is a small one."""
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    extent = max(np.ptp(rows), np.ptp(columns)) / len(changed)
    if extent > 0.25:
        return None
    side = float(np.clip(1.6 * extent, 0.05, 1))
    left, top = (
        float(np.clip((ends[0] + ends[-1] + 1) / 2 / len(changed) - side / 2, 0, 1 - side))
        for ends in (columns, rows)
    )
    return left, top, side
