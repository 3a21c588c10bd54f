"""What a measure is: what it is told of a trained network, and which columns it makes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias

from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from sourcebench.models.classifier import Classifier

Columns: TypeAlias = "dict[str, Tensor]"
"""Names of columns → their values for a batch of B images (B, float64 or int64)."""

Instrument: TypeAlias = "Callable[[Tensor, Tensor], Columns]"
"""What a measure makes for one network: `(features, images) → columns`, of B×F float32 features, as
the head takes them, and the B×C×H×W normalised images that they are of. It is called in inference
mode, in the precision of the training, with the network in evaluation mode."""


class Learned(NamedTuple):
    """The images that a network was trained on, as it sees them: without augmentation.

    Attributes:
        features: n×F, float32, on the network's device.
        labels: n, int64, there too.
    """

    features: Tensor
    labels: Tensor


@dataclass(frozen=True, eq=False)
class Subject:
    """A trained network.

    Attributes:
        network: the network.
        classes: K, how many it tells apart; its head may have further outputs.
        passes: T, how many times dropout is sampled.
        seed: the run's.
        learned: returns what it was trained on, which takes a pass over these images.
    """

    network: Classifier
    classes: int
    passes: int
    seed: int
    learned: Callable[[], Learned]


class Measure(ABC):
    """Something that is measured of a trained network.

    Attributes:
        columns: their names in the predictions.
        sampled: whether it is an average over T passes, so that their number decides it.
    """

    columns: ClassVar[tuple[str, ...]]
    sampled: ClassVar[bool] = False

    @abstractmethod
    def of(self, subject: Subject) -> Instrument:
        """Return what measures one network, fitted to what that was trained on if need be."""


MEASURES: Registry[Measure] = Registry("measure")
"""The measures by name; each is made once and has no state."""


def wide(values: Tensor) -> Tensor:
    """Return float64 values, on the same device unless that is Apple's card, which knows none."""
    return (values.cpu() if values.device.type == "mps" else values).double()
