"""Figures of a study: functions `(runs, style) -> Figure`, registered in `FIGURES`.

`runs` is the table of all runs (runs.csv), `style` says what to call things. A figure shows what
is there: missing cells stay empty, and where nothing can be shown it says so.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.figures.style import RC, StudyStyle
from sourcebench.files import atomic
from sourcebench.registry import Registry, discover

__all__ = ["FIGURES", "StudyStyle", "save"]

FIGURES: Registry[Callable[[pd.DataFrame, StudyStyle], Figure]] = Registry("figure")


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG (200 dpi) and as PDF beside it, the same bytes each time.

    Args:
        figure: what to write.
        path: of either file; the other differs in the suffix.
    """
    path = Path(path)
    stem = path.stem if path.suffix in (".png", ".pdf") else path.name
    undated = {".png": {"Software": None}, ".pdf": {"CreationDate": None}}
    for suffix, metadata in undated.items():
        with atomic(path.with_name(stem + suffix)) as temporary, rc_context(RC):
            figure.savefig(temporary, dpi=200, metadata=metadata)


discover(__name__, __path__)
