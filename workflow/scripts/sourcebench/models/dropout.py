"""Dropout that drops at test time too, wherever a network has it."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn, random
from torch.nn import functional
from torch.overrides import TorchFunctionMode

DROPOUTS = frozenset(
    {
        functional.dropout,
        functional.dropout1d,
        functional.dropout2d,
        functional.dropout3d,
        functional.alpha_dropout,
        functional.feature_alpha_dropout,
    }
)
"""What every dropout of PyTorch's and timm's ends in, be it a module or not: DenseNet's layers drop
features without one (Huang et al., CVPR 2017, section 4.2; timm's `drop_rate`)."""


class Dropping(TorchFunctionMode):
    """While it is entered, every dropout drops as in training; nothing else is in training mode.

    Batch normalisation keeps its statistics, and stochastic depth takes every path, since no
    module's mode is touched. Attention that is computed by one function of PyTorch's has its
    weights' dropout inside, and does without here; that of our architectures is 0.

    Attributes:
        drawn: how many dropouts with a probability over 0 were passed.
    """

    drawn = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of PyTorch's; a dropout is told that it trains."""
        given = dict(kwargs or {})
        if func in DROPOUTS:
            self.drawn += int(given["p"] > 0)
            given["training"] = True
        return func(*args, **given)


def drops(network: nn.Module, images: Tensor) -> bool:
    """Tell whether a network has a dropout that can drop, by running an image through it.

    Args:
        network: in evaluation mode.
        images: N×C×H×W, one or more, as it takes them; the first is run.
    """
    cards = [images.device] if images.is_cuda else []
    with random.fork_rng(devices=cards), Dropping() as dropping:
        network(images[:1])
    return bool(dropping.drawn)
