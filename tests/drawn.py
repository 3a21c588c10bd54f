"""What is in a figure that was drawn."""

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

from sourcebench.figures import FIGURES
from synthetic_runs import STYLE


def draw(name, given, style=STYLE):
    """Draw a figure of tables, or of their runs, as it needs."""
    wanted = (
        given["runs"] if FIGURES.get(name).needs == "runs" and isinstance(given, dict) else given
    )
    return FIGURES.get(name)(wanted, style)


def panels(figure):
    return [axis for axis in figure.axes if axis.axison]


def texts(figure):
    found = figure.findobj(matplotlib.text.Text)
    return [text.get_text() for text in found if text.get_text()]


def lines_of(axis):
    return [line for line in axis.lines if line.get_marker() not in ("None", None, "")]


def curves(axis):
    """Return the drawn curves of a panel by colour: (x, y)."""
    return {line.get_color(): (line.get_xdata(), line.get_ydata()) for line in lines_of(axis)}


def bars(axis):
    """Return the ends of a panel's horizontal intervals, from the top downwards, by colour."""
    drawn = [
        line for line in axis.lines if line not in lines_of(axis) and line.get_xdata() is not None
    ]
    level = [line for line in drawn if len(line.get_ydata()) == 2 and np.ptp(line.get_ydata()) == 0]
    inside = [line for line in level if line.get_transform() == axis.transData]
    return [(to_hex(line.get_color()), tuple(line.get_xdata())) for line in inside]


def auroc(tables, **where):
    """The rows of summary.csv of the AUROC in one cell, by p_art."""
    table = tables["summary"].query("metric == 'auroc'")
    for name, value in where.items():
        table = table[table[name] == value]
    return table.sort_values("p_art")


def cell_texts(axis):
    return [text for text in axis.texts if "p " in text.get_text()]
