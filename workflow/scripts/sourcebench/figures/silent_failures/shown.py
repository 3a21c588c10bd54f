"""Shared by the figures of explored runs: what runs, shifts and outcomes look like."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from sourcebench.axes import AXES
from sourcebench.explorer import Explored
from sourcebench.figures.parts.layout import message, wrapped
from sourcebench.figures.parts.style import FAINT, INK, StudyStyle
from sourcebench.imaging import Image

NEEDED = "Needs runs whose latent space is kept (experiment.explore)."
RUNS = 6
"""So many runs are shown."""

OUTCOMES = {
    "passed": ("right, kept", "#C4C4C4", "o"),
    "false alarm": ("right, rejected: false alarm", "#56B4E9", "o"),
    "detected": ("wrong, rejected: detected", "#0072B2", "^"),
    "silent": ("wrong, kept: silent", "#D55E00", "X"),
}
"""What becomes of an answer: its name, colour and marker, in the order of `answers.OUTCOMES`."""

SHIFTS = {
    "iid": ("i.i.d.", "#4D4D4D"),
    "confounder": ("test sets of the confounder", "#0072B2"),
    "corruption": ("corruption", "#E69F00"),
    "acquisition": ("acquisition", "#009E73"),
    "manifestation": ("manifestation", "#D55E00"),
    "unclear": ("unclear", "#CC79A7"),
}
"""Kinds of shift: name and colour."""

SIZE, LABEL = 1.05, 0.36
"""Inches: the side of an image, and what is written under it."""


def run_title(explored: Explored, style: StudyStyle, others: Sequence[Explored]) -> str:
    """Return what a run is called: its task, source, and whatever sets it apart from others."""
    run = explored.run
    names = {
        "task": style.tasks, "confounder": style.confounders, "source": style.sources,
        "arch": style.archs,
    }  # fmt: skip
    parts = []
    for axis in AXES:
        if axis.name not in run:
            continue
        value = run[axis.name]
        differs = len({str(each.run.get(axis.name)) for each in others}) > 1
        if axis.name in ("task", "source", "arch"):
            parts.append(names[axis.name].get(value, value))
        elif axis.name in names:
            parts += [names[axis.name].get(value, value)] if value != "none" else []
        elif differs or (axis.name == "p_art" and float(value)):
            parts.append(f"{axis.name} {value}")
    return ", ".join(map(str, parts))


Draw = Callable[[SubFigure, Explored], None]


def stacked(
    explored: Sequence[Explored],
    style: StudyStyle,
    width: float,
    heights: Sequence[float],
    draw: Draw,
    note: str,
) -> Figure:
    """Return a figure of a part for each run, one below the other, under the runs' titles.

    Args:
        explored: the runs that are shown.
        style: of the study.
        width: of the figure, inches.
        heights: of the parts, inches, without their titles.
        draw: draws a part.
        note: what stands under all, in small print.
    """
    title, foot = 0.32, 0.14 * (wrapped(note, width - 0.3, 7).count("\n") + 1) + 0.12
    tall = [each + title for each in heights]
    figure = Figure(figsize=(width, sum(tall) + foot))
    parts = figure.subfigures(len(tall) + 1, 1, height_ratios=[*tall, foot], squeeze=False)[:, 0]
    for part, run in zip(parts, explored, strict=False):
        height = tall[list(explored).index(run)]
        part.text(
            0.15 / width, 1 - 0.12 / height, run_title(run, style, explored),
            va="top", weight="bold", size=9, color=INK,
        )  # fmt: skip
        draw(part, run)
    small: dict[str, Any] = {"size": 7, "color": FAINT, "va": "top"}
    parts[-1].text(0.15 / width, 1, wrapped(note, width - 0.3, 7), **small)
    return figure


def few(explored: Sequence[Explored]) -> tuple[list[Explored], str]:
    """Return the runs that are shown, and a note where others are not."""
    rest = len(explored) - RUNS
    return list(explored[:RUNS]), f" {rest} more runs were explored." if rest > 0 else ""


def place(part: SubFigure, height: float, width: float, box: tuple[float, ...]) -> Axes:
    """Return new axes in a part: left, top, width and height in inches from its upper left corner.

    Args:
        part: of a figure.
        height: of the part, inches.
        width: likewise.
        box: where the axes are.
    """
    left, top, wide, tall = box
    return part.add_axes((left / width, 1 - (top + tall) / height, wide / width, tall / height))


def picture(axis: Axes, image: Image, colour: str, lines: Sequence[str], *, thick: bool) -> None:
    """Show an image in a frame, with lines of text under it."""
    axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(visible=True, color=colour, linewidth=2.2 if thick else 0.8)
    axis.set_xlabel("\n".join(lines), fontsize=6.5, labelpad=3, linespacing=1.15)


def none() -> Figure:
    """Return a page that says that no run was explored."""
    return message(NEEDED)
