"""How fresh weights are drawn: one home for every network and head that starts at random.

Source Matters trained in Keras, and Keras' defaults are not PyTorch's, nor timm's: timm starts the
last normalisation of each of a ResNet's residual branches at γ = 0. Adam moves a weight by about
its learning rate a step, at 1e-5 by no more than 0.015 in a whole run, so that such a branch would
stay shut, and where a network starts is nearly where it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Initialisation:
    """A way to draw fresh weights.

    Args:
        draw: draws a network's weights anew, in place, from PyTorch's global seed; on the meta
            device it does nothing.
        words: how they are drawn, for people.
    """

    draw: Callable[[nn.Module], None]
    words: str


INITIALISATIONS: Registry[Initialisation] = Registry("initialisation")


def keras_(network: nn.Module) -> None:
    """Start convolutions, dense layers and batch normalisations as Keras does.

    Kernels are uniform in ±√(6 / (fan in + fan out)) (Glorot & Bengio 2010), where a convolution's
    fans are its input channels (those of one group) and its output channels, each times the area
    of its kernel; biases and β are 0, γ is 1, and the running mean and variance are 0 and 1.
    Parameters of other modules stay as they are.
    """
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.conv import _ConvNd

    for module in network.modules():
        if isinstance(module, _ConvNd | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, _BatchNorm):
            module.reset_parameters()


def own_(network: nn.Module) -> None:
    """Leave the weights as the network's builder drew them."""


INITIALISATIONS.register("keras")(
    Initialisation(
        keras_,
        "as in Keras: kernels Glorot uniform, biases 0; batch normalisation with γ 1, β 0, "
        "mean 0, variance 1",
    )
)
INITIALISATIONS.register("own")(
    Initialisation(own_, "as timm draws them for this family: truncated normals, SD 0.02")
)
