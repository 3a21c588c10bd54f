"""What figures and tables show of a study: its names and their order, and what papers published."""

from typing import TYPE_CHECKING, Any

from sourcebench.evaluation.published import PAPERS, Published, Setting, matching, read
from sourcebench.figures import Contents, called_for
from sourcebench.models import ARCHITECTURES
from sourcebench.parameters import deciding

if TYPE_CHECKING:
    from sourcebench.study.study import Study
    from sourcebench.study.uses import Confounder


def confounders(study: "Study") -> "dict[str, Confounder]":
    """Return the confounders of its tasks, in the order of figures."""
    return {n: each for task in study.tasks.values() for n, each in task.confounders.items()}


def figures(study: "Study") -> list[str]:
    """Return the figures asked for, or those that what the study has calls for."""
    if study.asked is not None:
        return list(study.asked)
    shifts = {n: each for task in study.tasks.values() for n, each in task.shifts.items()}
    contents = Contents(
        [each.trait for each in confounders(study).values()],
        [each.trait for each in shifts.values()],
        study.confidence,
        bool(study.explore),
    )
    return called_for(contents)


def style(study: "Study") -> dict[str, Any]:
    """Return the names and the order in which figures show a study's parts.

    These are the fields of `figures.parts.style.StudyStyle`, which takes a second to import.
    """
    tasks, named = study.tasks.values(), confounders(study)
    return {
        "sources": {each.name: each.title for each in study.sources.values()},
        "confounders": {name: each.title for name, each in named.items()},
        "noises": [name for name, each in named.items() if each.is_noise],
        "tasks": {each.name: each.title for each in tasks},
        "archs": {
            name: ARCHITECTURES.get(name).title
            for task in study.tasks
            for name in study.archs_of(task)
        },
        "references": {t.name: t.reference for t in tasks if t.reference is not None},
        "scores": study.confidence,
        "published": study.published["curves"],
    }


def published(study: "Study") -> Published:
    """Return what *Source Matters* published of what a study does too, see `matching`."""
    tasks = {
        task.name: {
            "dataset": task.dataset.built.kind,
            "origin": task.dataset.origin,
            "splits": task.splits.name if task.splits else None,
            "labels": dict(task.labels),
            "samples": dict(task.samples),
            "input_size": task.input_size,
            "confounders": list(task.confounders),
            "p_art": study.shares(task.name),
            "archs": study.archs_of(task.name),
            "training": task.training.recipe,
        }
        for task in study.tasks.values()
    }
    setting = Setting(
        tasks=tasks,
        confounders={
            name: {"kind": each.trait.kind, **deciding(each.trait)}
            for name, each in confounders(study).items()
        },
        sources={each.name: each.archs for each in study.sources.values()},
    )
    return matching(read(PAPERS["source_matters"]), setting)


def targets(study: "Study") -> dict[str, dict[str, Any]]:
    """Return what Table 1 says of each task beside its design, see `tables.table1.Target`."""
    return {
        task.name: {
            "task": task.title,
            "confounders": [each.title for each in task.confounders.values()],
            "p_art": study.shares(task.name),
            "image_size": task.input_size,
            "batch_size": task.batch_size,
        }
        for task in study.tasks.values()
    }
