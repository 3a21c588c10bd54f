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
"""

from collections.abc import Callable, Collection, Mapping

from sourcebench.artifacts import Artifact
from sourcebench.exhibits import exhibits
from sourcebench.traits import Trait

NEEDS = ("tables", "runs", "artifacts")


Occasion = Callable[[Collection[Trait], Collection[Trait]], bool]


def _has_noise(confounders: Collection[Trait], _: Collection[Trait]) -> bool:
    return any(isinstance(each, Artifact) and each.is_noise for each in confounders)


def _has_artifacts(confounders: Collection[Trait], shifts: Collection[Trait]) -> bool:
    return any(isinstance(each, Artifact) for each in [*confounders, *shifts])


OCCASIONS: Mapping[str, Occasion] = {
    "always": lambda _, __: True,
    "with confounders": lambda confounders, _: bool(confounders),
    "with artifacts": _has_artifacts,
    "with noise": _has_noise,
    "on request": lambda _, __: False,
}
"""When a figure is drawn in a study that asks for none by name, by its confounders and shifts."""

WITH_SCORES: Mapping[str, Occasion] = {
    "with confidence": lambda _, __: True,
    "with confidence and confounders": lambda confounders, _: bool(confounders),
}
"""Likewise, in a study that has confidence scores; in others such a figure is not drawn."""

FIGURES = exhibits("figure", "figures/*/*.rst", needs=NEEDS, drawn=[*OCCASIONS, *WITH_SCORES])
PAGES = exhibits("page", "figures/*.rst")


def called_for(
    confounders: Collection[Trait], shifts: Collection[Trait] = (), scores: Collection[str] = ()
) -> list[str]:
    """Return the figures of a study that asks for none by name: those its artifacts call for.

    Args:
        confounders: the artifacts and attributes that are its confounders.
        shifts: the artifacts that are drawn into test images alone.
        scores: its confidence scores.
    """
    occasions = {**OCCASIONS, **(WITH_SCORES if scores else {})}
    drawn = {name: FIGURES.get(name).drawn for name in FIGURES.names()}
    return [
        name
        for name, when in drawn.items()
        if when in occasions and occasions[when](confounders, shifts)
    ]
