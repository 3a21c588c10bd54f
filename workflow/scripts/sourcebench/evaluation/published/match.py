"""Which published numbers a study can be compared with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypedDict

from sourcebench.evaluation.published.files import Paper

Facts = Mapping[str, Any]
ENDS = (0.0, 1.0)
"""Between which p_art a network loses what the paper says it loses."""


@dataclass(frozen=True)
class Setting:
    """What a study is like, in plain values.

    Attributes:
        tasks: task → `dataset` (its kind), `origin` of the images, `splits` (name of published
            ones, or None), `confounders` (names), `p_art`, `archs`, `training` (the recipe's keys),
            and the keys of its entry.
        confounders: confounder → `kind` and parameters.
        sources: source → its architectures.
    """

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

    `means` has triples (p_art, mean, how far it may be off), by p_art: the ends as `stated` has
    them, and between these those of published folds; `splits` is 'published' where the study uses
    the paper's, else 'own'.
    """

    means: list[tuple[float, float, float]]
    stated: str
    splits: str


class Point(Cell):
    """Published folds of a cell at one p_art, and the permutation test against another cell.

    `mean` is over the folds, which may be off by `accuracy`; `than` is the other, None where the
    study has no weights of the source, which is `against`; `t` is above 0 where the other is lower.
    """

    p_art: float
    mean: float
    accuracy: float
    than: Cell | None
    against: str
    t: float
    p: float
    stated: str
    splits: str


class Trend(Cell):
    """A published statement: what a cell loses or scores, beside another.

    `claim` is 'loses less', 'loses as much', 'scores more' or 'scores as much'; `than` is the
    other; `p_art` those whose scores are averaged, or the two that something is lost between;
    `published` is the difference that makes it so, where it is published, else None; `margin` is
    how near 'as much' is.
    """

    claim: str
    than: Cell
    p_art: list[float]
    published: float | None
    margin: float
    stated: str
    splits: str


class Effort(TypedDict):
    """A published statement: networks from a source train longer than those from another.

    `pairs` are cells of the two that differ in nothing else (a source may go by other names for
    other architectures: `source` and `against` are the first), `published` by how many epochs more.
    """

    source: str
    against: str
    pairs: list[tuple[Cell, Cell]]
    published: float
    stated: str


class Published(TypedDict):
    """What of a paper a study can be compared with."""

    curves: list[Curve]
    points: list[Point]
    trends: list[Trend]
    efforts: list[Effort]


def matching(paper: Paper, study: Setting) -> Published:
    """Return what a paper published of what a study does, under the study's names.

    A number counts where the study has its task (as the paper's in what `requires` says, and not
    on phantoms), confounder, architecture and all its p_art, trains as the paper did, and has
    weights of its source: the first of those that `weights` lists.

    Args:
        paper: see `files.read`.
        study: what the study is like.
    """
    points = list(_points(paper, study))
    curves = list(_curves(paper, study, points))
    return {
        "curves": curves,
        "points": points,
        "trends": list(_trends(paper, study, curves)),
        "efforts": list(_efforts(paper, study)),
    }


def _points(paper: Paper, study: Setting) -> Iterator[Point]:
    for entry in paper["folds"]:
        cell = _cell(paper, study, {**paper["of"], **entry})
        if cell and _has(study, cell, [entry["p_art"]]):
            yield {
                **cell,
                "p_art": float(entry["p_art"]),
                "mean": fmean(entry["percent"]) / 100,
                "accuracy": paper["accuracy"][entry["stated"]],
                "than": _cell(paper, study, {**paper["of"], **entry, **entry["than"]}),
                "against": entry["than"]["source"],
                "t": entry["t"],
                "p": entry["p"],
                "stated": entry["stated"],
                "splits": _splits(study, cell),
            }


def _curves(paper: Paper, study: Setting, points: Sequence[Point]) -> Iterator[Curve]:
    """Yield the curves of which the study has the ends, with those points that lie between."""
    for entry in paper["figures"]:
        cell = _cell(paper, study, entry)
        if cell and _has(study, cell, entry["means"]):
            ends = [(p, mean, entry["accuracy"][p]) for p, mean in entry["means"].items()]
            between = [
                (point["p_art"], point["mean"], point["accuracy"])
                for point in points
                if _key(point) == _key(cell) and min(ends)[0] < point["p_art"] < max(ends)[0]
            ]
            yield {
                **cell,
                "means": sorted([*ends, *between]),
                "stated": entry["stated"],
                "splits": _splits(study, cell),
            }


def _trends(paper: Paper, study: Setting, curves: Sequence[Curve]) -> Iterator[Trend]:
    """Yield the trends of which the study has both cells."""
    losses = {_key(curve): _loss(curve) for curve in curves}
    for entry in paper["trends"]:
        cell = _cell(paper, study, {**paper["of"], **entry})
        than = _cell(paper, study, {**paper["of"], **entry, **entry["than"]})
        p_art = [float(each) for each in entry.get("p_art", ENDS)]
        if cell and than and _has(study, cell, p_art):
            yield {
                **cell,
                "claim": entry["claim"],
                "than": than,
                "p_art": p_art,
                "published": _difference(entry, losses.get(_key(than)), losses.get(_key(cell))),
                "margin": paper["margin"].get(entry["claim"], 0.0),
                "stated": entry["stated"],
                "splits": _splits(study, cell),
            }


def _difference(entry: Facts, other: float | None, own: float | None) -> float | None:
    """Return by how much a trend's sides are published to differ: as it says, or from curves."""
    if not entry["claim"].startswith("loses") or other is None or own is None:
        by: float | None = entry.get("by")
        return by
    return other - own


def _efforts(paper: Paper, study: Setting) -> Iterator[Effort]:
    """Yield what is said of epochs, where the study has something of which both sources have."""
    told = [*paper["figures"], *paper["trends"]]
    targets = list(dict.fromkeys((entry["task"], entry["confounder"]) for entry in told))
    for entry in paper["epochs"]:
        pairs = []
        for task, confounder in targets:
            for arch in entry["archs"]:
                of = {"task": task, "confounder": confounder, "arch": arch}
                of |= {"test_set": "", "metric": "epochs"}
                sources = (entry["source"], entry["than"]["source"])
                one, other = (_cell(paper, study, {**of, "source": each}) for each in sources)
                if one and other:
                    pairs.append((one, other))
        if pairs:
            yield {
                "source": pairs[0][0]["source"],
                "against": pairs[0][1]["source"],
                "pairs": pairs,
                "published": entry["by"],
                "stated": entry["stated"],
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
        ([needed["training"]], task["training"]),
    )
    if not all(any(_agrees(one, facts) for one in several) for several, facts in pairs):
        return None
    for source in paper["weights"][entry["source"]]:
        if arch in study.sources.get(source, ()) and arch in task["archs"]:
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


def _has(study: Setting, cell: Cell, p_art: Sequence[float] | Facts) -> bool:
    return set(p_art) <= set(study.tasks[cell["task"]]["p_art"])


def _splits(study: Setting, cell: Cell) -> str:
    return "own" if study.tasks[cell["task"]]["splits"] is None else "published"


def _key(cell: Cell) -> tuple[str, ...]:
    where: dict[str, Any] = {**cell}
    return tuple(where[name] for name in Cell.__annotations__)


def _loss(curve: Curve) -> float:
    """Return what a published cell loses from its first p_art to its last."""
    return curve["means"][0][1] - curve["means"][-1][1]
