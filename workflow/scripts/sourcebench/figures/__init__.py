"""Figures of a study: a file of code and its caption each, in the folder of what they are about.

`figure4.py` has the function `figure4`; the caption beside it, `figure4.rst`, declares it (see
`exhibits`). What it `needs` says what the function is called with:

- tables: `(tables, style) → Figure`. `tables[name]` is the study's table of that name, read when it
  is asked for (`evaluation.aggregate.Tables`), `style` says what to call things
  (`parts.style.StudyStyle`). So means, intervals and tests are those of the tables. A figure shows
  what is there: missing cells stay empty, and where nothing can be shown it says so.
- runs: `(runs, style) → Figure`. `runs` is the table of all runs (runs.csv), for figures of the
  runs themselves.
- artifacts: `(examples, seed) → Figure`. `examples` are original images and the artifacts to be
  drawn into them (`parts.examples.Example`).
- explored: `(explored, style) → Figure`. `explored` are the runs whose latent space was kept
  (`explorer.Explored`). Such figures are drawn where there are some, unless on request.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from sourcebench.artifacts import Artifact
from sourcebench.exhibits import exhibits
from sourcebench.traits import Trait

NEEDS = ("tables", "runs", "artifacts", "explored")


class Contents(NamedTuple):
    """What a study has, by which it is decided what is drawn of it.

    Attributes:
        confounders: the artifacts and attributes that are its confounders.
        shifts: the artifacts that are drawn into test images alone.
        scores: its confidence scores.
        explored: whether the latent space of any of its runs is explored.
    """

    confounders: Collection[Trait] = ()
    shifts: Collection[Trait] = ()
    scores: Collection[str] = ()
    explored: bool = False


def _has_noise(study: Contents) -> bool:
    return any(isinstance(each, Artifact) and each.is_noise for each in study.confounders)


def _has_artifacts(study: Contents) -> bool:
    return any(isinstance(each, Artifact) for each in [*study.confounders, *study.shifts])


OCCASIONS: Mapping[str, Callable[[Contents], bool]] = {
    "always": lambda _: True,
    "with confounders": lambda study: bool(study.confounders),
    "with artifacts": _has_artifacts,
    "with noise": _has_noise,
    "with confidence": lambda study: bool(study.scores),
    "with confidence and confounders": lambda study: bool(study.scores and study.confounders),
    "with explored runs": lambda study: study.explored,
    "on request": lambda _: False,
}
"""When a figure is drawn in a study that asks for none by name."""

FIGURES = exhibits("figure", "figures/*/*.rst", needs=NEEDS, drawn=OCCASIONS)
PAGES = exhibits("page", "figures/*.rst")


def called_for(study: Contents) -> list[str]:
    """Return the figures of a study that asks for none by name: those its contents call for."""
    drawn = {name: FIGURES.get(name).drawn for name in FIGURES.names()}
    return [name for name, when in drawn.items() if OCCASIONS[when](study)]
