"""The paper's test of which source is better: its permutation test over folds."""

from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.curves import aurocs, cells_on
from sourcebench.figures.parts.layout import means_over, message
from sourcebench.figures.parts.pairs import Pairs, pairs_grid, tests
from sourcebench.figures.parts.style import RC, StudyStyle


@rc_context(RC)
def permutation(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the permutation tests between sources on the o.o.d. test set (paper §3).

    One panel per pair of sources and architecture, see `pairs_grid`. A cell has the difference of
    the mean AUROCs and the p of the permutation test. None is bold: the paper's p is not corrected,
    and Holm's correction in the table is of another p.
    """
    table = tables["comparisons"]
    if not table.empty:
        chosen = (table["of"] == "auroc") & (table["test_set"] == "ood")
        table = table[chosen].dropna(subset="difference")
    if table.empty:
        return message("A comparison needs runs of two sources on the o.o.d. test set.")
    over = means_over(aurocs(cells_on(tables, "ood")))
    floor = table["p_smallest"].min()
    cannot = f"cannot go under {floor:.2g}, and " if floor == floor else ""
    note = (
        "difference of mean o.o.d. AUROC, in the colour of the better source;\n"
        f"below it p of the permutation test over {over}:\n"
        f"it {cannot}is not corrected for a confounder's {tests(table, 'p_permutation')}"
    )
    return pairs_grid(Pairs(table, "p_permutation", "", note), style.covering(tables["runs"]))
