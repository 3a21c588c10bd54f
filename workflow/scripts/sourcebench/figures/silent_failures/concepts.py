"""What concepts look like to a network: the images nearest to the centres of their clusters."""

from collections.abc import Sequence

import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure, SubFigure

from sourcebench.explorer import Explored
from sourcebench.figures.parts.layout import text_width
from sourcebench.figures.parts.style import FAINT, RC, StudyStyle
from sourcebench.figures.silent_failures.shown import few, none, picture, place, stacked

KINDS = {"class": "Classes", "shift": "Test sets", "class×shift": "Classes in test sets"}
SHOWN = 4
"""So many concepts of each kind: those that fail most."""

SIDE, TEXT, GAP, APART, HEAD = 0.62, 0.17, 0.08, 0.3, 0.5
BLOCK = 3 * (SIDE + GAP) + APART
TALL = 3 * (SIDE + TEXT) + HEAD + 0.1
LEFT, TOP = 0.15, 0.34
WIDTH = LEFT + SHOWN * BLOCK
SHADES = colormaps["YlOrBr"]
NOTE = (
    "Under each image: points in its cluster, and the share of them that are called wrongly, by "
    "which its frame is coloured, from pale yellow (none) to dark brown (all)."
)


@rc_context(RC)
def concepts(explored: Sequence[Explored], style: StudyStyle) -> Figure:
    """Draw, for each run, up to four concepts of each kind, each by the images of its clusters."""
    runs, more = few([each for each in explored if len(each.concepts)])
    if not runs:
        return none()
    heights = [TOP - 0.32 + TALL * each.concepts["concept"].nunique() for each in runs]
    return stacked(runs, style, WIDTH, heights, _draw, NOTE + more)


def _draw(part: SubFigure, explored: Explored) -> None:
    table = explored.concepts
    kinds = [kind for kind in KINDS if (table["concept"] == kind).any()]
    height = TOP + TALL * len(kinds)
    for row, kind in enumerate(kinds):
        own = table[table["concept"] == kind]
        chosen = _worst(own)
        top = TOP + row * TALL
        of = own["name"].nunique()
        which = f": {len(chosen)} of {of}, which fail most" if of > len(chosen) else ""
        left = LEFT / WIDTH
        part.text(
            left, 1 - (top + 0.02) / height, KINDS[kind] + which, va="top", size=8, color=FAINT
        )
        for column, name in enumerate(chosen):
            clusters = own[own["name"] == name]
            x, y = LEFT + column * BLOCK, top + HEAD
            share = clusters["failures"].sum() / clusters["size"].sum()
            title = _fitting(
                _name(explored, clusters.iloc[0]), BLOCK - APART - 0.05,
                f" (n = {clusters['size'].sum()}, {share:.0%} wrong)",
            )  # fmt: skip
            part.text(x / WIDTH, 1 - (y - 0.06) / height, title, va="bottom", size=7)
            for number, cluster in enumerate(clusters.to_dict("records")):
                down, right = divmod(number, 3)
                box = x + right * (SIDE + GAP), y + down * (SIDE + TEXT), SIDE, SIDE
                share = cluster["failures"] / cluster["size"]
                picture(
                    place(part, height, WIDTH, box),
                    explored.image(cluster["thumbnail"]),
                    to_hex(SHADES(Normalize(0, 1)(share))),
                    [f"{cluster['size']} · {share:.0%}"],
                    thick=True,
                )


def _worst(own: pd.DataFrame) -> list[str]:
    """Return the concepts that fail most, in the order of the table."""
    sums = own.groupby("name", sort=False)[["failures", "size"]].sum()
    worst = (sums["failures"] / sums["size"]).sort_values(ascending=False, kind="stable")
    return [name for name in sums.index if name in set(worst.index[:SHOWN])]


def _name(explored: Explored, row: "pd.Series[str]") -> str:
    label = explored.class_name(row["label"]) if row["label"] != "" else ""
    test_set = explored.title_of(row["test_set"]) if row["test_set"] != "" else ""
    return ", ".join(filter(None, [label, test_set]))


def _fitting(name: str, inches: float, further: str) -> str:
    """Return a title of two lines, where a name that is too long is cut."""
    while len(name) > 4 and text_width(name, 7) > inches:
        name = f"{name[:-2].rstrip(' …')}…"
    return f"{name}\n{further.strip()}"
