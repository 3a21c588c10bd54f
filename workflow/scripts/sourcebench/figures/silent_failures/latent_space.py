"""The latent space of explored runs: which images lie together, and where failures are."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure, SubFigure

from sourcebench.explorer import Explored
from sourcebench.explorer.embedding import POINT, Floats, view
from sourcebench.figures.parts.layout import wrapped
from sourcebench.figures.parts.style import FAINT, PALETTE, RC, StudyStyle
from sourcebench.figures.silent_failures.shown import OUTCOMES, SHIFTS, few, none, place, stacked

SIDE, GAP, LEFT = 2.75, 0.2, 0.15
TOP = 0.62
WIDTH = LEFT + 3 * (SIDE + GAP)
CLASSES = 6
"""So many classes have colours: those that fail most often."""

GREY = "#C4C4C4"
NOTE = (
    "Each dot is a test image, with or without an artifact, at its place in one t-SNE of all of "
    "them in three dimensions, seen from where they spread most. Near dots had like features; "
    "axes, distances between clusters and their sizes mean nothing."
)


@rc_context(RC)
def latent_space(explored: Sequence[Explored], style: StudyStyle) -> Figure:
    """Draw each run's images by their class, their shift, and what becomes of their answers."""
    runs, more = few([each for each in explored if len(each.points)])
    if not runs:
        return none()
    heights = [TOP - 0.32 + SIDE + _key(each) for each in runs]
    return stacked(runs, style, WIDTH, heights, _draw, NOTE + more)


def _draw(part: SubFigure, explored: Explored) -> None:
    rows = explored.points
    points = rows.drop_duplicates(POINT)
    seen = pd.DataFrame(
        view(points[["x", "y", "z"]].to_numpy(np.float64)), points.index, ["right", "up"]
    )
    limits = _square(seen.to_numpy())
    size = float(np.clip(5000 / len(points), 2, 10))
    height = TOP + SIDE + _key(explored)
    titles = ("by true class", "by shift", f"by what becomes of the answer ({_score(explored)})")
    for column, (title, layers) in enumerate(
        zip(titles, (_classes(explored), _shifts(rows), _outcomes(explored)), strict=True)
    ):
        axis = place(part, height, WIDTH, (LEFT + column * (SIDE + GAP), TOP, SIDE, SIDE))
        for name, colour, marker, chosen in layers:
            here = seen.loc[points.index[points.index.isin(chosen)]]
            scale = 1.0 if marker == "o" else 2.2
            axis.scatter(
                here["right"], here["up"], s=size * scale, color=colour, marker=marker, alpha=0.75,
                linewidths=0.25 if marker == "X" else 0, edgecolors="white",
                label=f"{name} (n = {len(here)})", rasterized=True,
            )  # fmt: skip
        _finish(axis, title, limits)


def _key(explored: Explored) -> float:
    """Return the height of the longest legend, inches."""
    classes = explored.points["label"].nunique()
    return 0.25 + 0.135 * max(len(OUTCOMES), min(classes, CLASSES + 1))


def _finish(axis: Axes, title: str, limits: tuple[Floats, Floats]) -> None:
    axis.set(xticks=[], yticks=[], xlim=limits[0], ylim=limits[1])
    axis.set_title(wrapped(title, SIDE, 8), size=8, pad=4, loc="left")
    for spine in axis.spines.values():
        spine.set(visible=True, color=FAINT, linewidth=0.4)
    legend = axis.legend(
        loc="upper left", bbox_to_anchor=(-0.03, -0.02), frameon=False, fontsize=6.5,
        handletextpad=0.2, labelspacing=0.25, borderaxespad=0.2,
    )  # fmt: skip
    for handle in legend.findobj(PathCollection):
        handle.set_sizes([18])


Layer = tuple[str, str, str, pd.Index]
"""A name, colour and marker, and the rows that have them."""


def _classes(explored: Explored) -> list[Layer]:
    points = explored.points.drop_duplicates(POINT)
    failed = (points["label"] != points["called"]).groupby(points["label"]).sum()
    chosen = sorted(failed.sort_values(ascending=False, kind="stable").index[:CLASSES])
    others = points.index[~points["label"].isin(chosen)]
    rest = [(f"{failed.size - len(chosen)} others", GREY, "o", others)] if len(others) else []
    return rest + [
        (explored.class_name(label), PALETTE[i], "o", points.index[points["label"] == label])
        for i, label in enumerate(chosen)
    ]


def _shifts(rows: pd.DataFrame) -> list[Layer]:
    """Return the kinds of shift; a point of several test sets is of that which is named first."""
    order = {kind: place for place, kind in enumerate([*SHIFTS, *rows["shift"].unique()])}
    ranked = rows.assign(rank=rows["shift"].map(lambda kind: list(order).index(kind)))
    ranked = ranked.sort_values("rank", kind="stable").drop_duplicates(POINT)
    first = rows.drop_duplicates(POINT).reset_index(names="row")[[*POINT, "row"]]
    kinds = first.merge(ranked[[*POINT, "shift"]], on=POINT).set_index("row")["shift"]
    found = []
    for kind in dict.fromkeys([*SHIFTS, *kinds]):
        name, colour = SHIFTS.get(kind, (kind, PALETTE[3]))
        if (kinds == kind).any():
            found.append((name, colour, "o", kinds.index[kinds == kind]))
    return sorted(found, key=lambda layer: -len(layer[3]))  # the fewest on top


def _outcomes(explored: Explored) -> list[Layer]:
    score = next(iter(explored.scores))
    points = explored.points.drop_duplicates(POINT)
    said = points[f"{score}_outcome"]
    return [
        (name, colour, marker, points.index[said == outcome])
        for outcome, (name, colour, marker) in OUTCOMES.items()
    ]


def _score(explored: Explored) -> str:
    name = next(iter(explored.scores))
    kept = 100 * float(explored.record["coverage"])
    title = explored.scores[name]["title"]
    return f"{title}, kept as sure as {kept:g} % of the validation images"


def _square(seen: Floats) -> tuple[Floats, Floats]:
    """Return the limits of both axes, of one length."""
    low, high = seen.min(0), seen.max(0)
    half = 0.53 * max(float((high - low).max()), 1e-9)
    middle = (low + high) / 2
    x, y = (np.array([m - half, m + half]) for m in middle)
    return x, y
