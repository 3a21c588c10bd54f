"""Figure 2: what the artifacts look like."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sourcebench.artifacts import Artifact
from sourcebench.artifacts.drawing import version
from sourcebench.figures.parts.examples import Example
from sourcebench.figures.parts.layout import message
from sourcebench.imaging import Image, resize

BLACK, WHITE = 1.0, 99.0
"""Percentiles of both zooms that are shown black and white."""

ZOOM, FEWEST = 0.125, 32
"""Side of a zoom, as a share of the image's, but no fewer px than these where there are as many."""

SMALL = 0.25
"""Share of the image's side: an artifact that extends no further is zoomed on as a whole."""

STRONG = 95.0
"""Percentile of the changes: one that is stronger draws the zoom no more than this."""

MARK = "#ff3b30"
PANEL, GAP, ABOVE, BELOW, BAR = 2.4, 0.12, 0.34, 0.28, 0.8
"""Inches: a panel's side, between panels, a row's heading and captions, the colour bar's room."""


@dataclass(frozen=True)
class Zoom:
    """A square part of an image, in px.

    Attributes:
        left, top, side: where it is.
        whole: whether all that the artifact changes is in it.
    """

    left: int
    top: int
    side: int
    whole: bool = False


def figure2(examples: Sequence[Example], seed: int = 0) -> Figure:
    """Draw each artifact: whole, zoomed without and with it, and their difference.

    After Source Matters, Fig. 2, which shows zooms of stronger artifacts than those used in its
    experiments; here they are as strong as the ones passed, and the difference makes the
    imperceptible ones visible. Both zooms of a row have one contrast, stretched to their own
    grey levels. They show where the artifact changes most, or all that it changes if that is a
    small part of the image, and then an arrow points to it.

    Args:
        examples: what to show, a row each.
        seed: the study's seed.

    Returns:
        A figure of a row for each example.
    """
    if not examples:
        return message("Needs a confounder that is drawn into images.")
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
        _draw_row(row, example.artifact, example.original, seed)
        _write_heading(row[0], example)
    return figure


def _draw_row(row: npt.NDArray[np.object_], artifact: Artifact, original: Image, seed: int) -> None:
    image = original
    if artifact.resolution is not None:
        image = resize(original, artifact.resolution)
    without = _grey(version(artifact, "base", image, "figure 2", seed))
    with_ = _grey(version(artifact, "artifact", image, "figure 2", seed))
    difference = np.subtract(with_, without, dtype=np.int16)
    zoom = zoom_on(difference)
    crop = np.s_[zoom.top : zoom.top + zoom.side, zoom.left : zoom.left + zoom.side]
    black, white = np.percentile((without[crop], with_[crop]), (BLACK, WHITE))
    white = max(white, black + 1)  # in a flat part there is nothing to stretch

    whole, zoom_without, zoom_with, last = row
    height, width = without.shape
    size = f"{zoom.side}×{zoom.side} of {width}×{height} px"
    _show(whole, with_, 0, 255, "with the artifact")
    _show(zoom_without, without[crop], black, white, f"without: {size}")
    _show(zoom_with, with_[crop], black, white, f"with: grey levels {black:.0f} to {white:.0f}")
    _show_difference(last, difference[crop])
    square = (zoom.left, zoom.top), zoom.side, zoom.side
    whole.add_patch(Rectangle(*square, fill=False, edgecolor=MARK, linewidth=1.2))
    if zoom.whole:
        _point_to(whole, zoom, width, height)


def _grey(image: Image) -> Image:
    """Return an image as grey levels: of several channels their mean."""
    return image if image.ndim == 2 else image.mean(-1).astype(np.uint8)


def zoom_on(difference: npt.NDArray[np.int16]) -> Zoom:
    """Return the part of an image in which an artifact shows best.

    Args:
        difference: image with the artifact minus without it, H×W.

    Returns:
        A square around all changes, if they extend over no more than `SMALL`; else one of side
        `ZOOM` with the largest sum of absolute differences, of which those beyond the percentile
        `STRONG` count as much as that: one half its side away from the borders, if it has at least
        half the largest sum. All lie within the image. Where nothing changes it is the centre.
    """
    height, width = difference.shape
    shorter = min(height, width)
    side = min(max(round(ZOOM * shorter), FEWEST), shorter)
    rows, columns = (np.flatnonzero(difference.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return Zoom((width - side) // 2, (height - side) // 2, side)
    extent = 1 + max(int(np.ptp(rows)), int(np.ptp(columns)))
    if extent <= SMALL * shorter:
        side = round(max(1.6 * extent, 0.05 * shorter))
        left, top = (
            int(np.clip((ends[0] + ends[-1] + 1 - side) // 2, 0, length - side))
            for ends, length in ((columns, width), (rows, height))
        )
        return Zoom(left, top, side, whole=True)
    amount = np.abs(difference)
    amount = np.minimum(amount, int(np.percentile(amount[amount > 0], STRONG)))
    upto = np.pad(amount.cumsum(0, np.int64).cumsum(1), ((1, 0), (1, 0)))
    changed = upto[side:, side:] - upto[:-side, side:] - upto[side:, :-side] + upto[:-side, :-side]
    # Filters leave their strongest traces along the borders; what is typical is further in.
    away = side // 2
    inner = changed[away:-away, away:-away]
    margin = away if inner.size and 2 * inner.max() >= changed.max() else 0
    where = inner if margin else changed
    top, left = (int(at) + margin for at in np.unravel_index(where.argmax(), where.shape))
    return Zoom(left, top, side)


def _point_to(axis: Axes, zoom: Zoom, width: int, height: int) -> None:
    """Draw an arrow to a corner of a zoom, from where the image has the most room."""
    far = 0.16 * min(width, height)
    ends = []
    for start, length in ((zoom.left, width), (zoom.top, height)):
        after = start + zoom.side / 2 < length / 2
        corner = start + (zoom.side if after else 0)
        ends.append((corner, corner + (far if after else -far)))
    tip, tail = zip(*ends, strict=True)
    arrow = {"arrowstyle": "-|>", "color": MARK, "linewidth": 1.6}
    axis.annotate("", tip, tail, arrowprops=arrow)


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
    artifact = example.artifact
    title = artifact.title + ("" if example.name == artifact.kind else f" ({example.name})")
    about = [example.task, str(artifact.taxon), artifact.describe()]
    written = axis.annotate(title, (0, 1), (0, 6), "axes fraction", "offset points", weight="bold")
    axis.annotate(
        "   ·   ".join(text for text in about if text),
        (1, 1),
        (8, 6),
        xycoords=(written, "axes fraction"),
        textcoords="offset points",
        fontsize=9,
    )
