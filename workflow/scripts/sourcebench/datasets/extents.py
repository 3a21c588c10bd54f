"""About how much a dataset is, for planning what memory its steps take.

The kinds' own code decides which images a task has, and an edit of it runs studies again. So what
is only estimated stands in files beside it.
"""

from collections.abc import Callable
from typing import NamedTuple

from sourcebench.datasets.base import Dataset
from sourcebench.registry import Registry

MANY_IMAGES = 20_000
"""What a dataset is taken to have that does not say how many images it has."""

SOME_CLASSES = 10
"""What its findings are taken to name where neither the task nor the dataset says how many."""


class Extent(NamedTuple):
    """About how much there is of a dataset.

    Attributes:
        images: how many.
        channels: of its originals.
        classes: how many its findings name.
    """

    images: int = MANY_IMAGES
    channels: int = 1
    classes: int = SOME_CLASSES


EXTENTS: Registry[Callable[[Dataset], Extent]] = Registry("extent")
"""Kind of dataset → function of a dataset of it, which must be quick: every start asks it."""


def extent(dataset: Dataset) -> Extent:
    """Return about how much a dataset is; of several as one all their images.

    A kind that does not say is taken for `MANY_IMAGES` grey images.
    """
    if members := [extent(each) for each in dataset.members.values()]:
        images, channels, classes = zip(*members, strict=True)
        return Extent(sum(images), max(channels), max(classes))
    return EXTENTS.get(dataset.kind)(dataset) if dataset.kind in EXTENTS else Extent()
