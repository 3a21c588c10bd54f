"""The tables of a study of made-up networks, and parts of them: what figures are drawn from."""

import tempfile
from functools import cache

import pandas as pd

from sourcebench.evaluation.costs import shortcut_drop
from sourcebench.evaluation.encoded_used_paid import encoded_used_paid
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.leaderboard import leaderboard
from sourcebench.evaluation.runs_table import runs_table
from sourcebench.evaluation.statistics import compare_sources, epochs_per_source, summary
from synthetic_predictions import write_study

MADE = {
    "runs": runs_table,
    "summary": lambda evidence: summary(evidence, ["auroc", "auc_keras"]),
    "drop": shortcut_drop,
    "comparisons": compare_sources,
    "encoded_used_paid": encoded_used_paid,
    "leaderboard": leaderboard,
}
# o.o.d. AUROC of each source at p_art = 0 and 1, as read off the paper's figures
ENDS = {"imagenet": (0.86, 0.02), "radimagenet": (0.84, 0.43), "random": (0.68, 0.69)}
UNSKILLED = {"imagenet": (0.69, 0.11), "radimagenet": (0.71, 0.17), "random": (0.5, 0.45)}
TARGETS = {
    ("cxr_mass", "tag"): ENDS,
    ("cxr_mass", "denoise"): ENDS,
    ("cxr_mass", "noise"): ENDS,
    ("cxr_atelectasis", "gender"): UNSKILLED,
}
SOURCES = ("source", "source_a", "source_b")


@cache
def made(ends, p_art, folds, repeats):
    """The tables of one task and confounder; `ends` are pairs of a source and its two AUROCs."""
    with tempfile.TemporaryDirectory() as folder:
        folders = write_study(folder, dict(ends), p_art=p_art, folds=folds, repeats=repeats)
        further = ("repeat",) if repeats else ()
        evidence = Evidence.of(folders, "tag", further, draws=50)
    tables = {name: make(evidence) for name, make in MADE.items()}
    return {**tables, "epochs": epochs_per_source(tables["runs"])}


def synthetic_tables(targets=TARGETS, p_art=(0, 0.5, 1), folds=3, repeats=None):
    """The tables of a study: (task, confounder) → source → its o.o.d. AUROC at p_art = 0 and 1.

    Targets with the same AUROCs have the same networks under other names.
    """
    parts = {
        target: made(tuple(ends.items()), p_art, folds, repeats) for target, ends in targets.items()
    }
    named = {
        (task, confounder): {
            name: table.assign(task=task).assign(
                **({"confounder": confounder} if "confounder" in table else {})
            )
            for name, table in part.items()
        }
        for (task, confounder), part in parts.items()
    }
    names = next(iter(named.values()))
    return {
        name: pd.concat([part[name] for part in named.values()], ignore_index=True)
        for name in names
    }


def with_archs(tables, *archs):
    """The same tables for several architectures."""
    return {
        name: pd.concat([table.assign(arch=arch) for arch in archs], ignore_index=True)
        for name, table in tables.items()
    }


def only(tables, **wanted):
    """The rows that have these values: column → a value or several; of the tables that have it."""
    kept = dict(tables)
    for column, values in wanted.items():
        values = values if isinstance(values, (list, tuple)) else [values]
        for name, table in kept.items():
            columns = SOURCES if column == "source" else [column]
            for each in columns:
                if each in table:
                    table = table[table[each].isin(values)]
            kept[name] = table
    return kept
