"""The registries of exact networks and of the architectures that studies name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any

from sourcebench.errors import SourceBenchError
from sourcebench.models.initialisation import INITIALISATIONS, Initialisation
from sourcebench.models.stems import COLOURS
from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import nn

NETWORKS: Registry[Callable[..., nn.Module]] = Registry("network")
"""Builders of exact structures, by name. Each returns a network without a classifier, which maps
N×3×H×W normalised floats to N×F pooled features and says F in `num_features` (int). One that can be
built for other images takes the number of their channels as `channels`."""


@dataclass(frozen=True)
class Architecture:
    """What the axis `arch` of an experiment names: a family of networks.

    Sources may supply other exact networks of the family (a Keras ResNet50, a ViT of patch 14).

    Args:
        title: its name for people, as in papers.
        network: its own plain network, from which random runs start: the name of a builder in
            `NETWORKS` as `builder`, and the builder's options. Left out where there is a parent.
        parent: for a network that is made from another's, truncated or with dropout put in, the
            architecture whose weights it takes.
        derive: makes the network from its parent's, which it may alter.
        initialisation: how fresh weights are drawn, a name in `INITIALISATIONS`; with a parent,
            as that one's.
    """

    title: str
    network: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    derive: Callable[[nn.Module], nn.Module] | None = None
    initialisation: str = "keras"


ARCHITECTURES: Registry[Architecture] = Registry("architecture")


def build_network(network: Mapping[str, Any], channels: int = COLOURS) -> nn.Module:
    """Return a network of a structure, to be loaded or initialised (see `fresh_network`).

    Args:
        network: `builder`, a name in `NETWORKS`, and that builder's options.
        channels: of the images that it takes.

    Raises:
        SourceBenchError: there is no such builder, or it builds for three channels only.
    """
    options = dict(network)
    builder = options.pop("builder")
    build = NETWORKS.get(builder)
    if channels == COLOURS:
        return build(**options)
    if "channels" not in signature(build).parameters:
        raise SourceBenchError(
            f"The network '{builder}' is built for images of three channels, and these have "
            f"{channels}; take another architecture, or give its builder a `channels`."
        )
    return build(**options, channels=channels)


def outline(network: Mapping[str, Any]) -> nn.Module:
    """Return a network of names and shapes alone, without memory (on PyTorch's meta device).

    Args:
        network: see `build_network`; errors as there.
    """
    import torch

    with torch.device("meta"):
        return build_network(network)


def weights_arch(arch: str) -> str:
    """Return the architecture whose weights an architecture takes: its parent, or itself.

    Raises:
        SourceBenchError: there is no such architecture.
    """
    return ARCHITECTURES.get(arch).parent or arch


def build_backbone(arch: str, network: Mapping[str, Any] | None = None) -> nn.Module:
    """Return a freshly initialised backbone, truncated if its architecture is.

    A backbone maps N×3×H×W normalised floats to N×F pooled features, and says F in
    `num_features`. Its initial weights follow from PyTorch's global seed (`torch.manual_seed`).

    Args:
        arch: a name in `ARCHITECTURES`.
        network: the exact network of the architecture's (or its parent's) family; None: its own.

    Raises:
        SourceBenchError: there is no such architecture.
    """
    return truncate(arch, fresh_network(arch, network))


def fresh_network(
    arch: str, network: Mapping[str, Any] | None = None, channels: int = COLOURS
) -> nn.Module:
    """Return a freshly initialised network of an architecture, or of its parent, whole.

    Its weights follow from PyTorch's global seed; those of a truncated architecture are the
    parent's up to where it is cut.

    Args:
        arch: a name in `ARCHITECTURES`.
        network: the exact network of the architecture's (or its parent's) family; None: its own.
        channels: of the images that it takes.

    Raises:
        SourceBenchError: there is no such architecture, or it is built for three channels only.
    """
    fresh = build_network(network or network_of(arch), channels)
    initialisation_of(arch).draw(fresh)
    return fresh


def initialisation_of(arch: str) -> Initialisation:
    """Return how an architecture's fresh weights are drawn: as its parent's, or its own way.

    Raises:
        SourceBenchError: there is no such architecture.
    """
    return INITIALISATIONS.get(ARCHITECTURES.get(weights_arch(arch)).initialisation)


def network_of(arch: str) -> Mapping[str, Any]:
    """Return an architecture's own network, or its parent's.

    Raises:
        SourceBenchError: there is no such architecture.
    """
    return ARCHITECTURES.get(weights_arch(arch)).network


def truncate(arch: str, backbone: nn.Module) -> nn.Module:
    """Return what an architecture makes of its parent; one without a parent stays as it is."""
    derive = ARCHITECTURES.get(arch).derive
    return derive(backbone) if derive else backbone
