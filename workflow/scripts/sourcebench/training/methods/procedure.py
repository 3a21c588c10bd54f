"""How a method trains that is more than a loss: epochs it tells apart, state, further stages.

Most methods are a loss, and stay in `base.py`'s few lines; `procedure_of` gives them this form too.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sourcebench.seeds import seed_of
from sourcebench.training.methods.base import METHODS, Method, Reduction

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sourcebench.models.classifier import Classifier
    from sourcebench.training.companion import Companion

NEARLY = 1e-9
"""What a share of epochs may be off a whole number by rounding."""


@dataclass(frozen=True)
class Plan:
    """What a method is told of the training that it is asked for.

    Attributes:
        classes: K, how many classes the network tells apart.
        epochs: most epochs of the first stage, of this method.
        groups: how many training images are in each group (2K): group 2k are those of class k
            without the artifact, group 2k + 1 those with it.
        seed: the run's.
    """

    classes: int = 2
    epochs: int = 0
    groups: tuple[int, ...] = ()
    seed: int = 0

    def generator(self) -> torch.Generator:
        """Return a generator, on the CPU, of the method's own random numbers.

        Whatever is drawn from it, order, augmentation and dropout are those of other methods.
        """
        import torch

        return torch.Generator().manual_seed(seed_of(self.seed, "method"))


class Objective:
    """What is minimised in the training of one network; it may keep state from step to step.

    Args:
        procedure: whose loss it is, of the same form in every epoch unless a subclass differs.

    Attributes:
        first: the first epoch, from 1 on, that may be the best and that patience counts from.
    """

    first: int = 1

    def __init__(self, procedure: Procedure) -> None:
        self.procedure = procedure

    def epoch_begins(self, epoch: int) -> None:
        """Be told which epoch is next, from 1 on."""

    def training(self, outputs: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the loss of a batch; it is asked once for each step.

        Args:
            outputs: N×`outputs(K)`, float32.
            labels: N, int64, in [0, K).
            groups: N, int64, in [0, 2K), see `Plan.groups`.

        Returns:
            One number, float32.
        """
        return self.procedure.loss(outputs, labels)

    def validation(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of the whole validation set, which `monitor: loss` watches."""
        return self.procedure.loss(outputs, labels)


class Stage(ABC):
    """Further training of a network that is trained, or of what stands beside it.

    Attributes:
        epochs: how many; of these the one is kept that `training.choose` says: that with the
            smallest loss of the validation set, or the last.
    """

    epochs: int

    @abstractmethod
    def begin(self) -> None:
        """Alter the modules to what this stage starts from."""

    @abstractmethod
    def settle(self) -> None:
        """Put each module into training or evaluation mode, before every epoch of training."""

    @abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """Return what takes the steps, over the parameters that are trained."""

    @abstractmethod
    def loss(self, images: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the mean loss of a batch: N×C×H×W normalised images, labels and groups (N)."""


class Procedure(ABC):
    """How a method trains. A method that is more than a loss is one, too, and says what differs.

    Attributes:
        plain: whether networks are trained for their classes alone, so that any confidence score
            of a softmax may be made of them.
        begins_as: the kind of method whose trained network its further stages start from, bit for
            bit; None where that is one of its own.
    """

    plain: ClassVar[bool] = False
    begins_as: ClassVar[str | None] = None

    @abstractmethod
    def loss(self, outputs: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Return the loss of some images, see `Method.loss`."""

    def first_epochs(self, epochs: int) -> int:
        """Return how many epochs of a recipe's the first stage has at most."""
        return epochs

    def objective(self, plan: Plan) -> Objective:
        """Return what is minimised in the first stage; each network has its own."""
        return Objective(self)

    def companion(self, network: Classifier) -> Companion | None:
        """Return a new network beside the classifier, which further stages train; or None."""
        return None

    def stages(self, network: Classifier, companion: Companion | None, epochs: int) -> list[Stage]:
        """Return the stages after the first.

        Args:
            network: as the first stage left it.
            companion: its companion, if it has one.
            epochs: of the recipe.
        """
        return []

    def confidence(self, outputs: Tensor) -> Tensor | None:
        """Return how confident the network is of its answers, or None if it does not say.

        Args:
            outputs: N×`outputs(K)`, float32.

        Returns:
            N, float64, in [0, 1].
        """
        return None

    def remark(self, classes: int) -> str | None:
        """Return what is worth saying of it before it trains a network of K classes, if anything.

        Returns:
            The end of a sentence that begins with the method's name.
        """
        return None


class LossAlone(Procedure):
    """The procedure of a method that is a loss, and no more.

    Args:
        method: whose.
    """

    def __init__(self, method: Method) -> None:
        self.method = method

    def loss(self, outputs: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Return the method's loss."""
        return self.method.loss(outputs, labels, reduction)


def procedure_of(method: Method) -> Procedure:
    """Return how a method trains."""
    return method if isinstance(method, Procedure) else LossAlone(method)


def is_plain(kind: str) -> bool:
    """Tell whether a kind of method trains networks for their classes alone.

    One that is a loss does if it wants no further outputs.

    Raises:
        SourceBenchError: there is no such kind.
    """
    method = METHODS.get(kind)
    if issubclass(method, Procedure):
        return method.plain
    return method.outputs is Method.outputs


def epochs_of(share: float, epochs: int) -> int:
    """Return a share of some epochs, rounded up: any share above 0 is an epoch at least."""
    return math.ceil(share * epochs - NEARLY)
