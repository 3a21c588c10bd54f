"""The same images at each severity of a corruption, and what networks answer."""

from collections.abc import Sequence

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure, SubFigure

from sourcebench.explorer import Explored
from sourcebench.figures.parts.layout import wrapped
from sourcebench.figures.parts.style import FAINT, INK, RC, StudyStyle
from sourcebench.figures.silent_failures.shown import OUTCOMES, few, none, picture, place, stacked
from sourcebench.figures.silent_failures.top_failures import clipped, sure

IMAGES = 2
"""So many images of each corruption."""

SIDE, TEXT, GAP, NAME, LEFT, TOP = 1.02, 0.38, 0.12, 1.35, 0.15, 0.62
TALL = SIDE + TEXT
LINES = 0.98 * (SIDE + GAP)


@rc_context(RC)
def severity_strips(explored: Sequence[Explored], style: StudyStyle) -> Figure:
    """Draw, for each run and corruption, two images from none of it to the most severe."""
    runs, more = few([each for each in explored if len(each.severities)])
    if not runs:
        return none()
    columns = max(int(_shown(each)["severity"].nunique()) for each in runs)
    width = LEFT + NAME + columns * (SIDE + GAP)
    heights = [TOP - 0.32 + TALL * len(_strips(each)) for each in runs]
    note = (
        "Frames: what becomes of the answer. "
        "Thick: wrong, kept (orange: silent) or rejected (blue). "
        "Thin: right, kept (grey) or rejected (light blue)."
    )
    return stacked(
        runs, style, width, heights, lambda part, run: _draw(part, run, width), note + more
    )


def _shown(explored: Explored) -> pd.DataFrame:
    table = explored.severities
    return table[(table["score"] == next(iter(explored.scores))) & (table["image"] <= IMAGES)]


def _strips(explored: Explored) -> list[tuple[str, int]]:
    rows = _shown(explored).drop_duplicates(["family", "image"])
    return [(str(f), int(i)) for f, i in zip(rows["family"], rows["image"], strict=True)]


def _draw(part: SubFigure, explored: Explored, width: float) -> None:
    table, strips = _shown(explored), _strips(explored)
    height = TOP + TALL * len(strips)
    levels = sorted(table["severity"].unique())
    about = explored.scores[next(iter(explored.scores))]
    part.text(
        LEFT / width, 1 - 0.34 / height, va="top", size=7, color=FAINT,
        s=f"Confidence: {about['title']}; kept from {about['threshold']:.4g} on.",
    )  # fmt: skip
    for column, level in enumerate(levels):
        x = LEFT + NAME + column * (SIDE + GAP) + SIDE / 2
        said = f"severity {level}" if level else "without"
        part.text(x / width, 1 - (TOP - 0.05) / height, said, ha="center", va="bottom", size=7)
    for row, (family, image) in enumerate(strips):
        own = table[(table["family"] == family) & (table["image"] == image)]
        y = TOP + row * TALL
        _name(part, explored, own, (LEFT / width, 1 - y / height), height)
        for each in own.to_dict("records"):
            column = levels.index(each["severity"])
            box = LEFT + NAME + column * (SIDE + GAP), y, SIDE, SIDE
            picture(
                place(part, height, width, box),
                explored.image(each["thumbnail"]),
                OUTCOMES[each["outcome"]][1],
                [
                    clipped(f"called: {explored.class_name(each['called'])}", LINES),
                    f"{about['title']} {sure(each['confidence'])}",
                ],
                thick=each["outcome"] in ("silent", "detected"),
            )


def _name(
    part: SubFigure, explored: Explored, own: pd.DataFrame, at: tuple[float, float], height: float
) -> None:
    """Write the corruption's name beside a strip, and the image's true class."""
    last = explored.embedding.loc[explored.embedding["family"] == own["family"].iloc[0], "set"]
    name = explored.title_of(str(last.iloc[0])).split(", severity")[0]
    title = wrapped(name, NAME - 0.1, 8)
    part.text(*at, title, va="top", size=8, color=INK)
    down = (0.14 * (title.count("\n") + 1) + 0.03) / height
    label = wrapped(f"true: {explored.class_name(int(own['label'].iloc[0]))}", NAME - 0.1, 7)
    part.text(at[0], at[1] - down, label, va="top", size=7, color=FAINT)
