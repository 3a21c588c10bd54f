"""The table of a study's runs."""

from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from sourcebench.axes import AXES, USUAL
from sourcebench.design import NONE

if TYPE_CHECKING:
    from sourcebench.study.study import Study


def runs_of(study: "Study") -> pd.DataFrame:
    """Return a row per run, see `Study.runs`."""
    text = {axis.name: axis.text for axis in AXES}
    rows = []
    for task in study.tasks.values():
        further = [
            [text[name](value) for value in task.own.get(name, values)]
            for name, values in study.further.items()
        ]
        for confounder, source, p_art in product(
            task.designs, study.sources.values(), study.shares(task.name)
        ):
            name = NONE if p_art == 0 and task.shares_zero(confounder) else confounder
            start = (task.name, name, source.name)
            archs = [arch for arch in study.archs_of(task.name) if arch in source.archs]
            for arch, fold, values in product(archs, range(1, study.folds + 1), product(*further)):
                rows.append((*start, arch, text["p_art"](p_art), fold, *values))
    columns = [*(axis.name for axis in USUAL), *study.further]
    return pd.DataFrame(rows, columns=columns).drop_duplicates(ignore_index=True)
