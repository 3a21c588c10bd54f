"""About how much memory the steps of a task take, by what the study says before any has run."""

from sourcebench.datasets.extents import extent
from sourcebench.machine import evidence_mb, predictions_mb, training_mb
from sourcebench.study.tasks import Task

USUAL_IMAGES = 1000
"""What a part is taken to have where splits that somebody published say it."""

PARTS = {"test": 0.2, "dev": 0.8}
"""What shares of a dataset parts are taken to have where a column says who is in which."""


def run_memory(task: Task, *, card: bool) -> int:
    """Return about how much memory a run on a task takes, MB.

    Args:
        task: the images of whose development set are held, and the answers for all its test sets.
        card: whether the network is on a graphics card.
    """
    images = sum(_sizes(task).values()) * (task.channels or extent(task.dataset.built).channels)
    held = training_mb(images, task.input_size, task.batch_size, card=card)
    return held + predictions_mb(_tested(task), _classes(task))


def evidence_memory(task: Task, runs: int, *, validated: bool) -> int:
    """Return about how much memory it takes to tell of a task's runs under one confounder, MB.

    Args:
        task: which.
        runs: how many were tested under the confounder.
        validated: whether what networks say of the images that they validate on counts too.
    """
    share = PARTS["test"] if task.val_fraction is None else task.val_fraction
    held = share * _sizes(task)["dev"] if validated else 0
    return evidence_mb(runs * (_tested(task) + held), _classes(task))


def _classes(task: Task) -> int:
    return task.classes or extent(task.dataset.built).classes


def _sizes(task: Task) -> dict[str, float]:
    """Return about how many images a task tests on in one set, and develops on."""
    given = PARTS if task.split else task.samples
    whole = extent(task.dataset.built).images
    sizes = {part: given.get(part, USUAL_IMAGES) for part in PARTS}
    return {part: size if size >= 1 else size * whole for part, size in sizes.items()}


def _tested(task: Task) -> float:
    """Return about how many images all test sets under a confounder have together."""
    usual = _sizes(task)["test"]
    apart = task.samples.get("target", usual)
    return sum(apart if name in task.targets else usual for name in task.test_sets)
