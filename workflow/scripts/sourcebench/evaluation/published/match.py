"""Which published numbers a study can be compared with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from sourcebench.evaluation.published.files import Paper

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """What a study is like, in plain values.

    Attributes:
        training: the recipe's keys.
        tasks: task → `dataset` (its kind), `origin` of the images, `splits` (name of published
            ones, or None), `confounders` (names), `p_art`, and the keys of its entry.
        confounders: confounder → `kind` and parameters.
        sources: source → its architectures.
    """

    training: Facts
    tasks: Mapping[str, Facts]
    confounders: Mapping[str, Facts]
    sources: Mapping[str, Sequence[str]]


class Cell(TypedDict):
    """A cell of the experiment but for p_art, by the study's names, and a metric of it."""

    task: str
    confounder: str
    source: str
    arch: str
    test_set: str
    metric: str


class Curve(Cell):
    """Published means of a cell.

    `means` has pairs (p_art, mean), by p_art; `stated` says where; `accuracy` is how far a mean may
    be off; `splits` is 'published' where the study uses the paper's, else 'own'.
    """

    means: list[tuple[float, float]]
    stated: str
    accuracy: float
    splits: str


class Trend(Cell):
    """A published statement: the cell loses less than another, or as much.

    `than` is the other; `published` how much less, where both curves are published, else None;
    `margin` is how near 'as much' is.
    """

    loses: str
    than: Cell
    published: float | None
    margin: float
    stated: str
    splits: str


class Published(TypedDict):
    """What of a paper a study can be compared with."""

    curves: list[Curve]
    trends: list[Trend]


def matching(paper: Paper, study: Setting) -> Published:
    """Return what a paper published of what a study does, under the study's names.

    A number counts where the study has its task (as the paper's in what `requires` says, and not
    on phantoms), confounder, architecture and all its p_art, trains as the paper did, and has
    weights of its source: the first of those that `weights` lists.

    Args:
        paper: see `files.read`.
        study: what the study is like.
    """
    if not _agrees(paper["requires"]["training"], study.training):
        return {"curves": [], "trends": []}
    curves = list(_curves(paper, study))
    return {"curves": curves, "trends": list(_trends(paper, study, curves))}


def _curves(paper: Paper, study: Setting) -> Iterator[Curve]:
    for entry in paper["figures"]:
        cell = _cell(paper, study, entry)
        if cell and set(entry["means"]) <= set(study.tasks[cell["task"]]["p_art"]):
            yield {
                **cell,
                "means": sorted(entry["means"].items()),
                "stated": entry["stated"],
                "accuracy": paper["accuracy"][entry["stated"]],
                "splits": _splits(study, cell),
            }


def _trends(paper: Paper, study: Setting, curves: Sequence[Curve]) -> Iterator[Trend]:
    """Yield the trends of which the study has both cells."""
    losses = {_key(curve): _loss(curve) for curve in curves}
    for entry in paper["trends"]:
        cell = _cell(paper, study, {**entry, **paper["of"]})
        than = _cell(paper, study, {**entry, **paper["of"], **entry["than"]})
        if cell and than and {0, 1} <= set(study.tasks[cell["task"]]["p_art"]):
            other, own = losses.get(_key(than)), losses.get(_key(cell))
            yield {
                **cell,
                "loses": entry["loses"],
                "than": than,
                "published": None if other is None or own is None else other - own,
                "margin": paper["margin"],
                "stated": "text",
                "splits": _splits(study, cell),
            }


def _cell(paper: Paper, study: Setting, entry: Facts) -> Cell | None:
    """Return the study's cell that a published one is compared with; None if it has none."""
    name, confounder, arch = entry["task"], entry["confounder"], entry["arch"]
    task = study.tasks.get(name)
    if task is None or task["origin"] == "phantoms" or confounder not in task["confounders"]:
        return None
    needed = paper["requires"]
    pairs = (
        (needed["tasks"][name], task),
        (needed["confounders"][confounder], study.confounders[confounder]),
    )
    if not all(any(_agrees(one, facts) for one in several) for several, facts in pairs):
        return None
    for source in paper["weights"][entry["source"]]:
        if arch in study.sources.get(source, ()):
            return {
                "task": name,
                "confounder": confounder,
                "source": source,
                "arch": arch,
                "test_set": entry["test_set"],
                "metric": entry["metric"],
            }
    return None


def _agrees(needed: Any, there: Any) -> bool:
    """Tell whether a value is what is needed: a table in all the keys that are needed."""
    if isinstance(needed, Mapping) and isinstance(there, Mapping):
        return all(key in there and _agrees(value, there[key]) for key, value in needed.items())
    return bool(needed == there)


def _splits(study: Setting, cell: Cell) -> str:
    return "own" if study.tasks[cell["task"]]["splits"] is None else "published"


def _key(cell: Cell) -> tuple[str, ...]:
    where: dict[str, Any] = {**cell}
    return tuple(where[name] for name in Cell.__annotations__)


def _loss(curve: Curve) -> float:
    """Return what a published cell loses from its first p_art to its last."""
    return curve["means"][0][1] - curve["means"][-1][1]
