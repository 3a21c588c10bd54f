"""Which source pays more for a shortcut, and whether the evidence can tell."""

from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.layout import message
from sourcebench.figures.parts.pairs import LEVEL, Pairs, pairs_grid, tests
from sourcebench.figures.parts.style import RC, StudyStyle


@rc_context(RC)
def differences(tables: Tables, style: StudyStyle) -> Figure:
    """Draw by how much the shortcut's price differs between sources.

    One panel per pair of sources and architecture, see `pairs_grid`. A cell has the difference of
    what the two lose of their o.o.d. AUROC since p_art = 0, and its p, in bold where that is at
    most 0.05 after Holm's adjustment.
    """
    table = tables["comparisons"]
    if not table.empty:
        table = table[table["of"] == "drop"].dropna(subset="difference")
    if table.empty:
        return message("Needs two sources with runs at p_art = 0 and at a higher p_art.")
    note = (
        "difference of the drops of o.o.d. AUROC since $p_{\\mathrm{art}}$ = 0, "
        "in the colour of the source that pays more;\n"
        f"below it its p, bold where p ≤ {LEVEL:g} after Holm's adjustment "
        f"for a confounder's {tests(table, 'p')}"
    )
    return pairs_grid(Pairs(table, "p", "p_holm", note), style.covering(tables["runs"]))
