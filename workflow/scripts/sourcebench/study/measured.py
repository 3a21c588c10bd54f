"""What a study asks of its networks beside their answers: confidence scores, and latent spaces."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from sourcebench.axes import AXES, Axis
from sourcebench.errors import SourceBenchError
from sourcebench.schemas import known
from sourcebench.training.methods import CROSS_ENTROPY, METHODS, is_plain

if TYPE_CHECKING:
    from sourcebench.evaluation.confidence import Score

PASSES = 50
"""Of dropout: as many as FD-Shifts samples (Jaeger et al., ICLR 2023)."""

Choice: TypeAlias = Mapping[str, Any]


def check_scores(names: Sequence[str], kinds: Collection[str]) -> None:
    """Check that a study has the confidence scores that it names, and networks for them.

    Args:
        names: of `experiment.confidence`.
        kinds: of the methods that its networks are trained by.

    Raises:
        SourceBenchError: there is no such score, or no network that it can be made of.
    """
    if not names:
        return  # the scores' code need not be read
    key, scores = "experiment.confidence", _scores()
    known(key, names, scores)
    for name in names:
        if any(is_made_of(scores[name], kind) for kind in kinds):
            continue
        wanted = scores[name].method or next(filter(is_plain, METHODS.names()))
        raise SourceBenchError(
            f"{key} has '{name}', which needs networks that are trained by '{wanted}', and this "
            f"study has none; define a method `{{kind: {wanted}}}` under `method` and add its name "
            "to experiment.method, or leave the score out."
        )


def check_explored(names: Sequence[str], kinds: Collection[str]) -> None:
    """Check that runs that are explored have a score by which their failures are ranked.

    Args:
        names: of `experiment.confidence`.
        kinds: of the methods that their networks are trained by.

    Raises:
        SourceBenchError: of a kind none has.
    """
    for kind in kinds:
        made = [name for name, score in _scores().items() if _is_of_one(score, kind)]
        if not set(made) & set(names):
            raise SourceBenchError(
                f"experiment.explore has runs that are trained by '{kind}', and no score in "
                f"experiment.confidence is made of one such network; add one of {', '.join(made)}, "
                "or explore others."
            )


def _is_of_one(score: "Score", kind: str) -> bool:
    return is_made_of(score, kind) and not score.of_cell


def is_made_of(score: "Score", kind: str) -> bool:
    """Tell whether a score is made of the networks that a kind of method trains."""
    return score.method == kind or (score.method is None and is_plain(kind))


def measures_of(names: Sequence[str], kind: str = CROSS_ENTROPY.kind) -> list[str]:
    """Return what has to be measured of a network for scores, each once.

    Args:
        names: the scores.
        kind: of the method that trains it.
    """
    if not names:
        return []
    made = [_scores()[name] for name in names]
    wanted = (each for score in made if is_made_of(score, kind) for each in score.measures)
    return list(dict.fromkeys(wanted))


def explored(runs: pd.DataFrame, choices: Sequence[Choice]) -> pd.DataFrame:
    """Return the runs whose latent space is explored, in their order.

    Args:
        runs: see `Study.runs`.
        choices: of `experiment.explore`: axis → value, or a list of values. A run is explored that
            fits all axes of one of them; an axis that the study does not have has its default.

    Raises:
        SourceBenchError: an axis or a value that is not known, or values that no run has together.
    """
    axes = {axis.name: axis for axis in AXES}
    chosen = pd.Series(False, runs.index)
    for number, choice in enumerate(choices):
        key = f"experiment.explore.{number}"
        known(key, choice, axes)
        fits = pd.Series(True, runs.index)
        for name, given in choice.items():
            wanted = [_text(value) for value in (given if isinstance(given, list) else [given])]
            column = _column(runs, axes[name])
            known(f"{key}.{name}", wanted, list(column.unique()))
            fits &= column.isin(wanted)
        if not fits.any():
            values = ", ".join(f"{name} {given}" for name, given in choice.items())
            raise SourceBenchError(
                f"{key} chooses no run: there is none with {values} together; leave one out."
            )
        chosen |= fits
    return runs[chosen].reset_index(drop=True)


def place(run: Mapping[str, Any], axes: Iterable[Any]) -> tuple[str, ...]:
    """Return a run's place on some axes, whatever its values are given as."""
    return tuple(_text(run[name]) for name in axes)


def places(runs: pd.DataFrame) -> set[tuple[str, ...]]:
    """Return the place of each run on its axes."""
    return {tuple(map(_text, row)) for row in runs.itertuples(index=False)}


def _column(runs: pd.DataFrame, axis: Axis) -> "pd.Series[Any]":
    """Return an axis of the runs as text, which a study may be without."""
    values = runs[axis.name] if axis.name in runs else pd.Series(axis.default, runs.index)
    return values.map(_text)


def _text(value: Any) -> str:
    """Return a value of an axis as it stands in paths."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _scores() -> "dict[str, Score]":
    """Return the scores by name. Their code takes its time to import: not for studies without."""
    from sourcebench.evaluation.confidence import SCORES

    return {name: SCORES.get(name) for name in SCORES.names()}
