"""Transfer strategies: which weights a network starts with, which are trained, and how fast.

A study names its strategies, each an entry `{kind: …, …}` with the parameters of its kind; a
truncated network is an architecture of its own, not a strategy. Importing this module loads no
PyTorch, so that a config can be checked in no time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sourcebench import parameters
from sourcebench.parameters import parameter
from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import nn

    from sourcebench.models.classifier import Classifier

Groups = list[dict[str, Any]]

# How the networks built here, not by timm, name their parts.
OWN_PARTS = {"stem": r"^stem", "blocks": r"^blocks\.(\d+)"}


@dataclass(frozen=True)
class Strategy:
    """A way to transfer; its parameters are fields declared with `parameters.parameter`.

    Attributes:
        kind: the name it is registered under.
        title: its name for people.

    Raises:
        SourceBenchError: a parameter of the wrong type or out of its range; the message names it,
            what it got and what is allowed.
    """

    kind: ClassVar[str]
    title: ClassVar[str]

    def __post_init__(self) -> None:
        parameters.check(f"Transfer strategy '{self.kind}'", self)

    def describe(self) -> str:
        """Return its name and its parameters: 'Hybrid transfer (keep 0.5)'."""
        values = parameters.describe(self)
        return f"{self.title} ({values})" if values else self.title

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Alter a network with a source's weights to what training starts from.

        Args:
            network: the classifier; it is altered in place.
            fresh: returns a backbone of the same structure with random weights.
        """

    def settle(self, network: Classifier) -> None:
        """Put into evaluation mode what stays in it while the rest is trained."""

    def groups(self, network: Classifier, learning_rate: float) -> Groups:
        """Return what is trained, as an optimiser takes it.

        Args:
            network: the classifier.
            learning_rate: the recipe's.

        Returns:
            Dicts with `params` (parameters) and `lr` (the learning rate of these).
        """
        return [{"params": list(network.parameters()), "lr": learning_rate}]


STRATEGIES: Registry[type[Strategy]] = Registry("transfer strategy")

S = TypeVar("S", bound=Strategy)


def register(kind: str) -> Callable[[type[S]], type[S]]:
    """Return a class decorator that enters a strategy under the name `kind`."""

    def enter(cls: type[S]) -> type[S]:
        cls.kind = kind
        STRATEGIES.register(kind)(cls)
        return cls

    return enter


def build(kind: str, /, **values: Any) -> Strategy:
    """Return the strategy of a kind, its parameters at the values given, else at their defaults.

    Raises:
        SourceBenchError: an unknown kind, an unknown parameter, or a value that is not allowed;
            the message says what is.
    """
    return parameters.make(f"Transfer strategy '{kind}'", STRATEGIES.get(kind), values)


def from_entry(entry: Mapping[str, Any]) -> Strategy:
    """Return the strategy of an entry of `transfer` in the config; errors as in `build`."""
    values = dict(entry)
    return build(values.pop("kind"), **values)


def stages(backbone: nn.Module) -> list[list[str]]:
    """Return the parameters' names stage by stage, from the input to the features.

    For timm's networks these are the stages that timm groups layers by, coarsely: the stem and the
    four stages of a ResNet, the blocks of an Inception or a ViT. A normalisation after the last
    stage may be one of its own. A truncated network has those of its parent that it keeps.

    Args:
        backbone: a network of timm's, or one whose parts are called `stem` and `blocks`.
    """
    from timm.models import group_parameters

    matcher: Any = getattr(backbone, "group_matcher", None)
    return list(group_parameters(backbone, matcher(coarse=True) if matcher else OWN_PARTS).values())


@register("full")
@dataclass(frozen=True)
class Full(Strategy):
    """Everything starts from the source and is fine-tuned (Source Matters, section 2.2)."""

    title = "Full fine-tuning"


@register("frozen")
@dataclass(frozen=True)
class Frozen(Strategy):
    """A linear probe: the backbone stays as the source made it, only the head is trained.

    Batch normalisation keeps the source's statistics. No gradient reaches the backbone, so that a
    step costs about a forward pass. The head has a learning rate of its own: Adam moves a weight by
    about that much a step, and at the 1e-5 that suits a whole network some thousand steps would not
    take a head away from where it was drawn. The default is Adam's own (Kingma & Ba 2015).

    Args:
        learning_rate: of the head, whatever the recipe's is.
    """

    title = "Linear probe"

    learning_rate: float = parameter(1e-3, help="learning rate of the head", low=1e-8, high=1)

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Take the backbone out of the training."""
        network.backbone.requires_grad_(False)

    def settle(self, network: Classifier) -> None:
        """Keep the backbone in evaluation mode."""
        network.backbone.eval()

    def groups(self, network: Classifier, learning_rate: float) -> Groups:
        """Return the head alone, with its own learning rate."""
        return [{"params": list(network.head.parameters()), "lr": self.learning_rate}]


@register("hybrid")
@dataclass(frozen=True)
class Hybrid(Strategy):
    """The bottom starts from the source, the top at random; all is trained.

    Weight transfusion (Raghu et al., NeurIPS 2019, section 5).

    Args:
        keep: share of the stages (see `stages`) that keep the source's weights, from the bottom;
            rounded down to whole stages, but one at least.
    """

    title = "Hybrid transfer"

    keep: float = parameter(0.5, help="share of the stages that keep the weights", low=0, high=1)

    def kept(self, backbone: nn.Module) -> int:
        """Return the number of stages that keep the source's weights."""
        return max(1, int(self.keep * len(stages(backbone)) + 1e-9))

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Put random weights, and fresh statistics of batch normalisation, into the top."""
        import torch

        ordered, kept = stages(network.backbone), self.kept(network.backbone)
        bottom = {name for stage in ordered[:kept] for name in stage}
        # A normalisation's statistics go with its parameters.
        owners = {name.rpartition(".")[0] for stage in ordered[kept:] for name in stage}
        random, tensors = fresh().state_dict(), network.backbone.state_dict()
        with torch.no_grad():
            for name in tensors.keys() - bottom:
                if name.rpartition(".")[0] in owners:
                    tensors[name].copy_(random[name])


@register("layerwise")
@dataclass(frozen=True)
class Layerwise(Strategy):
    """Everything is fine-tuned, the more slowly the nearer it is to the input.

    The head has the recipe's learning rate, each stage (see `stages`) `decay` times that of what
    follows it (Howard & Ruder, ACL 2018, section 3.2; Clark et al., ICLR 2020, Appendix B).

    Args:
        decay: learning rate of a stage over that of the next.
    """

    title = "Layer-wise learning rates"

    decay: float = parameter(0.75, help="learning rate over that of the next stage", low=0, high=1)

    def groups(self, network: Classifier, learning_rate: float) -> Groups:
        """Return a group for each stage, from the input on, and one for the head."""
        own, ordered = dict(network.backbone.named_parameters()), stages(network.backbone)
        rates = [learning_rate * self.decay ** (len(ordered) - i) for i in range(len(ordered))]
        groups: Groups = [
            {"params": [own[name] for name in names], "lr": rate}
            for names, rate in zip(ordered, rates, strict=True)
        ]
        return [*groups, {"params": list(network.head.parameters()), "lr": learning_rate}]


FULL = Full()
