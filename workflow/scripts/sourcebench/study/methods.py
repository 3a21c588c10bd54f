"""What of a study's methods begins as which, and what they say of its tasks."""

from collections.abc import Mapping, Sequence

from sourcebench.study.entries import Entry
from sourcebench.training.methods import METHODS, procedure_of


def begun_by(names: Sequence[str], entries: Mapping[str, Entry], name: str) -> str | None:
    """Return the method from whose networks one goes on, or None.

    It is a task's first of the kind that the method begins as; where a task has none, a method
    that begins as another does so by itself.

    Args:
        names: the task's methods.
        entries: of all methods.
        name: the method that may go on from another.
    """
    kind = procedure_of(METHODS.from_entry(entries[name])).begins_as
    return next((each for each in names if kind and entries[each]["kind"] == kind), None)


def remarks(
    classes: Mapping[str, int | None],
    methods: Mapping[str, Sequence[str]],
    entries: Mapping[str, Entry],
) -> list[str]:
    """Return what methods say of the tasks that they are to learn, a sentence each.

    Args:
        classes: task → how many classes it has, if its config says so.
        methods: task → the names of its methods.
        entries: of all methods.
    """
    found: dict[str, list[str]] = {}
    for task, count in classes.items():
        for name in methods[task]:
            method = procedure_of(METHODS.from_entry(entries[name]))
            if count and (said := method.remark(count)):
                found.setdefault(f"The method '{name}' {said}", []).append(task)
    return [f"{said} (tasks: {', '.join(tasks)})" for said, tasks in found.items()]
