"""Fitting somebody's tensors to an architecture, or refusing them."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sourcebench.errors import SourceBenchError
from sourcebench.models.stems import first_convolution
from sourcebench.sources.formats import layouts

HEADS = ("fc.", "classifier.", "head.", "last_linear.", "classif.", "logits.", "AuxLogits.")
SHOWN = 3


def fit(
    found: Mapping[str, Tensor],
    backbone: nn.Module,
    rename: Mapping[str, str | None],
    *,
    what: str,
    arch: str,
    channels: str = "RGB",
) -> dict[str, Tensor]:
    """Return a checkpoint's tensors under a backbone's names, or refuse it.

    Prefixes are renamed, known layouts translated (see `layouts`), then a prefix that the
    backbone's tensors share in the checkpoint (`module.`, `encoder.`, …) is dropped if more names
    match without it, and with it what stands beside the backbone (a text tower), then heads.

    Args:
        found: the checkpoint's tensors.
        backbone: what they have to fit.
        rename: old prefix → new one, or None to drop the tensor; of those that match a name the
            first is applied.
        what: the checkpoint, for messages.
        arch: the architecture, for messages.
        channels: what the checkpoint's first convolution takes, see `take_rgb`.

    Raises:
        SourceBenchError: tensors are missing, unexpected or of another shape.
    """
    wanted = backbone.state_dict()
    renamed = {_renamed(name, rename): tensor for name, tensor in found.items()}
    named = {name: tensor for name, tensor in renamed.items() if name is not None}
    tensors = _unprefix(layouts.translate(named, backbone), wanted)
    tensors = layouts.filtered_by_timm(tensors, backbone)
    tensors = {
        name: tensor
        for name, tensor in tensors.items()
        if name in wanted or not name.startswith(HEADS)
    }
    # Batch normalisation learnt to count its batches in PyTorch 0.4.1, and no output depends on it.
    counters = {
        name: torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in wanted.items()
        if name.endswith("num_batches_tracked")
    }
    tensors = take_rgb(counters | tensors, backbone, channels, what=what)
    require_match(tensors, backbone, what=what, arch=arch)
    return {name: tensors[name].to(wanted[name].dtype) for name in wanted}


def take_rgb(
    tensors: dict[str, Tensor], backbone: nn.Module, channels: str, *, what: str
) -> dict[str, Tensor]:
    """Return tensors of which the first convolution takes RGB images, the function kept.

    Args:
        tensors: under the backbone's names.
        backbone: which says what convolution is the first.
        channels: what it took: 'RGB'; 'BGR', which is turned; or 'grey', one channel, of which
            three that are equal each get a third.
        what: the checkpoint, for messages.

    Raises:
        SourceBenchError: it did not take that many channels.
    """
    stem = first_convolution(backbone)
    name = f"{stem[0]}.weight" if stem else ""
    if channels == "RGB" or name not in tensors:
        return tensors
    weight = tensors[name]
    if weight.shape[1] != {"BGR": 3, "grey": 1}[channels]:
        raise SourceBenchError(
            f"{what} has a first convolution for {weight.shape[1]} channels, not for {channels} "
            "images. Correct the source's `channels`: RGB, BGR or grey."
        )
    taken = weight.flip(1) if channels == "BGR" else weight.expand(-1, 3, -1, -1) / 3
    return tensors | {name: taken}


def require_match(
    tensors: Mapping[str, Tensor], backbone: nn.Module, *, what: str, arch: str
) -> None:
    """Make sure that tensors are those of a backbone, by name and shape.

    Raises:
        SourceBenchError: they are not; the message counts and shows the differences.
    """
    wanted = backbone.state_dict()
    shapes = [
        f"{name} ({_shape(tensors[name])} instead of {_shape(wanted[name])})"
        for name in wanted
        if name in tensors and tensors[name].shape != wanted[name].shape
    ]
    differences = {
        "missing": [name for name in wanted if name not in tensors],
        "unexpected": [name for name in tensors if name not in wanted],
        "of another shape": shapes,
    }
    if any(differences.values()):
        lists = "; ".join(
            f"{len(names)} {how}: {', '.join(names[:SHOWN])}{', …' if len(names) > SHOWN else ''}"
            for how, names in differences.items()
            if names
        )
        raise SourceBenchError(
            f"{what} does not fit architecture '{arch}' ({len(wanted)} tensors). {lists}. Give "
            "the checkpoint of this architecture, or map its names with the source's `rename`."
        )


def _renamed(name: str, rename: Mapping[str, str | None]) -> str | None:
    for old, new in rename.items():
        if name.startswith(old):
            return None if new is None else new + name.removeprefix(old)
    return name


def _unprefix(tensors: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop the prefix without which the most names match, if it makes most of them match."""
    first = next(iter(wanted))
    prefixes = [name.removesuffix(first) for name in tensors if name.endswith(f".{first}")]

    def matches(prefix: str) -> int:
        return sum(prefix + name in tensors for name in wanted)

    best = max(["", *prefixes], key=matches)
    if matches(best) <= len(wanted) / 2:
        return tensors
    return {
        name.removeprefix(best): tensor for name, tensor in tensors.items() if name.startswith(best)
    }


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "scalar"
