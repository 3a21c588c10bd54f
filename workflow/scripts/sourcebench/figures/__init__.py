"""Figures of a study: a file of code and its caption each, in the folder of what they are about.

`figure4.py` has the function `figure4`; the caption beside it, `figure4.rst`, declares it (see
`exhibits`). What it `needs` says what the function is called with:

- runs: `(runs, style) → Figure`. `runs` is the table of all runs (runs.csv), `style` says what to
  call things (`parts.style.StudyStyle`). A figure shows what is there: missing cells stay empty,
  and where nothing can be shown it says so.
- artifacts: `(examples, seed) → Figure`. `examples` are original images and the confounders to be
  drawn into them (`parts.examples.Example`).
"""

from collections.abc import Callable, Collection, Mapping

from sourcebench.confounders import Confounder, PixelConfounder
from sourcebench.exhibits import exhibits

NEEDS = ("runs", "artifacts")


def _is_noise(confounder: Confounder) -> bool:
    return isinstance(confounder, PixelConfounder) and confounder.is_noise


OCCASIONS: Mapping[str, Callable[[Collection[Confounder]], bool]] = {
    "always": lambda _: True,
    "with confounders": bool,
    "with artifacts": lambda there: any(isinstance(each, PixelConfounder) for each in there),
    "with noise": lambda there: any(map(_is_noise, there)),
    "on request": lambda _: False,
}
"""When a figure is drawn in a study that asks for none by name, by the study's confounders."""

FIGURES = exhibits("figure", "figures/*/*.rst", needs=NEEDS, drawn=OCCASIONS)
PAGES = exhibits("page", "figures/*.rst")


def called_for(confounders: Collection[Confounder]) -> list[str]:
    """Return the figures of a study that asks for none by name: those its confounders call for."""
    return [name for name in FIGURES.names() if OCCASIONS[FIGURES.get(name).drawn](confounders)]
