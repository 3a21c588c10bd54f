"""Shared by the figures of confidence scores: what they are called, their looks, what is shown."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sourcebench.axes import USUAL
from sourcebench.evaluation.confidence import SCORES
from sourcebench.evaluation.silent_failures import axes_of, told_apart
from sourcebench.figures.parts.layout import legend_on_top, text_width
from sourcebench.figures.parts.style import INK, PALETTE, StudyStyle

BASELINE = "msr"
SHIFTS = {
    "iid": "i.i.d.",
    "confounder": "o.o.d.",
    "corruption": "corruption",
    "acquisition": "acquisition",
    "manifestation": "manifestation",
    "unclear": "unclear",
}
"""Kinds of test sets, in display order; others follow under their own names."""

NEEDED = "Needs a study with confidence scores (experiment.confidence)."
COLOURS = tuple(colour for colour in PALETTE if colour != "#000000")
DASHES: Sequence[Any] = (
    "-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (8, 1.5)), (0, (4, 1, 1, 1, 1, 1)),
)  # fmt: skip
"""Scores next to each other differ in them too: one whose line hides another's lets it through."""


Looks = Mapping[str, Mapping[str, Any]]
"""The title of a score → how its line is drawn."""


@dataclass(frozen=True)
class Panel:
    """What is drawn together: the rows of one source, and of one value of each further axis.

    Attributes:
        label: what sets it apart from the other panels; "" for the only one.
        rows: of a table.
    """

    label: str
    rows: pd.DataFrame


def named(table: pd.DataFrame, style: StudyStyle) -> pd.DataFrame:
    """Return the table with `called`: the title of each row's score, in the order of figures.

    A score that one column has of several methods of training stands once for each, with the
    method's name.

    Returns:
        The table; `called` is a categorical whose categories, all of which there are, are in the
        order of the config.
    """
    methods, titles = told_apart(table), table["score"].map(title)
    called = titles.where(methods == "", titles + ", " + methods.str.replace("_", " "))
    order = [*dict.fromkeys([*style.scores, *SCORES, *table["score"]])]
    first = table.assign(called=called, place=table["score"].map(order.index))
    ordered = first.sort_values("place", kind="stable")["called"].unique()
    return table.assign(called=pd.Categorical(called, categories=list(ordered)))


def title(score: str) -> str:
    """Return a score's name for people."""
    return SCORES.get(score).title if score in SCORES else score


def called_in(table: pd.DataFrame) -> list[str]:
    """Return the titles of the scores of a `named` table, in the order of figures."""
    return [str(name) for name in table["called"].cat.categories]


def baseline(table: pd.DataFrame) -> str | None:
    """Return the title of what scores of a `named` table are set against; None if it is not there.

    Of several methods of training it is the first one's.
    """
    titles = set(table.loc[table["score"] == BASELINE, "called"])
    return next((name for name in called_in(table) if name in titles), None)


def looks_of(table: pd.DataFrame) -> Looks:
    """Return how the lines of the scores of a `named` table are drawn: the baseline black, below.

    Where a line lies on it, the baseline is its black edge.
    """
    base = baseline(table)
    looks: dict[str, dict[str, Any]] = {}
    for name in called_in(table):
        i = len(looks.keys() - {base})
        dash = DASHES[(i % 2 + 2 * (i // len(COLOURS))) % len(DASHES)]
        colour = COLOURS[i % len(COLOURS)]
        look = {"color": colour, "linestyle": dash, "linewidth": 1.2, "zorder": 3}
        thick = {"color": INK, "linestyle": "-", "linewidth": 2.4, "zorder": 2}
        looks[name] = thick if name == base else look
    return looks


def scores_legend(figure: Figure, looks: Looks, title: str, *notes: str) -> None:
    """Put the legend of the scores on top, in as many columns as the longest title allows."""
    handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
    inches = 0.6 + max(text_width(name, 8) for name in looks)
    columns = max(1, min(len(looks), int((figure.get_figwidth() - 0.2) / inches)))
    legend_on_top(figure, handles, title, *notes, columns=columns)


def panels_of(table: pd.DataFrame, style: StudyStyle) -> list[Panel]:
    """Split rows by what must not be averaged: the source, and each further axis but the method.

    Architectures are columns: a benchmark may have one of its own for each task.
    """
    panels = []
    for source in style.sources_in(table):
        for extras, rows in variants_of(table, table[table["source"] == source]):
            label = [style.sources[source]] if table["source"].nunique() > 1 else []
            panels.append(Panel(", ".join([*label, *extras]), rows))
    return panels


def variants_of(
    table: pd.DataFrame, rows: pd.DataFrame
) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """Yield the rows of each value of the further axes: those that vary in the table, the rows."""
    usual = [axis.name for axis in USUAL]
    further = [name for name in axes_of(table) if name not in (*usual, "method")]
    for values, part in rows.groupby(further) if further else [((), rows)]:
        yield (
            [
                f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                for name, value in zip(further, values, strict=True)
                if table[name].nunique() > 1
            ],
            part,
        )


def highest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the highest p_art of each task and confounder."""
    most = table.groupby(["task", "confounder"])["p_art"].transform("max")
    return table[table["p_art"] == most]


def share_note(table: pd.DataFrame) -> list[str]:
    """Return the line that says of which p_art rows are, where there is a confounder."""
    shares = sorted({f"{each:g}" for each in table["p_art"] if each > 0})
    return [f"$p_{{\\mathrm{{art}}}}$ = {', '.join(shares)} with a confounder"] if shares else []


def targets_of(
    table: pd.DataFrame, style: StudyStyle
) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """Yield what stands in a column of panels: a task with a confounder and an architecture.

    Yields:
        Its (title, what else sets it apart), and its rows.
    """
    archs = [name for name in style.archs if (table["arch"] == name).any()]
    for task, confounder in style.targets_in(table):
        here = table[(table["task"] == task) & (table["confounder"] == confounder)]
        for arch in archs:
            rows = here[here["arch"] == arch]
            if rows.empty:
                continue
            extra = [] if confounder == "none" else [style.confounders[confounder]]
            extra += [style.archs[arch]] if len(archs) > 1 else []
            yield (style.tasks[task], ", ".join(extra)), rows


def kinds_in(shifts: Collection[str] | pd.Series) -> list[str]:
    """Return the kinds of shift that there are, in display order."""
    there = [*dict.fromkeys(shifts)]
    return [kind for kind in [*SHIFTS, *(n for n in there if n not in SHIFTS)] if kind in there]


def kind_title(kind: str) -> str:
    """Return what a kind of shift is called."""
    return SHIFTS.get(kind, kind)


def over(table: pd.DataFrame) -> str:
    """Return how many networks the means of rows of silent_failures.csv are of: "3 networks"."""
    low, high = int(table["runs"].min()), int(table["runs"].max())
    count = str(high) if low == high else f"{low}–{high}"
    return f"{count} network{'s' if high > 1 else ''}"
