"""Files of weights: a source's backbone for an architecture, written once, loaded by every run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic, write_json
from sourcebench.models import (
    build_network,
    complexity,
    fresh_network,
    network_of,
    outline,
    stems,
    truncate,
    weights_arch,
)
from sourcebench.models.input_size import set_input_size
from sourcebench.sources import KINDS, Order, Supplier
from sourcebench.sources.card import FLOPS_AT, Card
from sourcebench.sources.fitting import require_match
from sourcebench.sources.normalisation import USUAL, Normalisation, triple


def write_weights(
    name: str, entry: Mapping[str, Any], arch: str, path: str | Path, *, seed: int, threads: int
) -> None:
    """Write a source's weights for an architecture, and their card.

    Args:
        name: the source's name in the config.
        entry: the source's entry in the config, `{kind: …, …}`.
        arch: name of the architecture; for a truncated one the weights are its parent's.
        path: the `.safetensors` to write: the backbone's tensors, without a head, and the card as
            metadata. The card is written beside it, too, as `.json`.
        seed: for sources that are pretrained here.
        threads: CPU threads for that.

    Raises:
        SourceBenchError: the entry is wrong, or the source has no weights for the architecture, or
            they can't be had, or they don't fit.
    """
    arch, supplier = weights_arch(arch), KINDS.from_entry(entry, f"sources.{name}")
    _check_arch(name, supplier, arch)
    supply = supplier.supply(Order(name, arch, seed, threads))
    network = dict(supply.network or network_of(arch))
    backbone = outline(network)
    require_match(supply.tensors, backbone, what=f"Source '{name}'", arch=arch)
    card = Card(
        source=name,
        kind=supplier.kind,
        arch=arch,
        network=network,
        origin=supply.origin,
        sha256=supply.sha256,
        licence=supplier.licence or supply.licence,
        citation=supplier.citation or supply.citation,
        gated=supplier.gated,
        mean=supply.normalisation.mean,
        std=supply.normalisation.std,
        input_size=supply.input_size,
        parameters=complexity.parameters(backbone),
        flops=complexity.flops(set_input_size(backbone, FLOPS_AT), FLOPS_AT),
        flops_at=FLOPS_AT,
    )
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in supply.tensors.items()}
    with atomic(path) as temporary:
        # As bytes and not by save_file: a full disk is an OSError then, which `atomic` explains.
        temporary.write_bytes(save(tensors, metadata={"card": json.dumps(card)}))
    write_json(Path(path).with_suffix(".json"), card)


def _check_arch(name: str, supplier: Supplier, arch: str) -> None:
    covered = supplier.covers
    if covered is not None and arch not in covered:
        raise SourceBenchError(
            f"Source '{name}' has no weights for architecture '{arch}'; it has them for: "
            f"{', '.join(covered)}. Add '{arch}' to sources.{name} or take it out of the study."
        )


def load_backbone(
    arch: str,
    path: str | Path | None,
    input_size: int | None = None,
    network: Mapping[str, Any] | None = None,
    normalisation: Normalisation = USUAL,
    channels: int = 1,
) -> tuple[nn.Module, Normalisation]:
    """Return a backbone with its first weights, and the normalisation that belongs to them.

    Args:
        arch: name of the architecture; a truncated one is cut out of its parent's weights.
        path: what `write_weights` wrote; None: random weights, from PyTorch's global seed.
        input_size: side of the images in pixels, to which position embeddings are resampled; None:
            that of the network.
        network: the exact network of random weights; None: the architecture's own. A file of
            weights knows its own.
        normalisation: of the images for random weights; here as well, a file knows its own.
        channels: of the images. Grey ones are replicated, so that the network takes three; with
            others than one and three it takes as many, over which a file's weights are spread (see
            `models.stems`), while random ones are drawn for them.

    Raises:
        SourceBenchError: the file is missing, broken, not written by `write_weights`, or of
            another architecture; or the random network can't be built for so many channels.
    """
    inputs = stems.inputs(channels)
    if path is None:
        backbone = fresh_network(arch, network, inputs)
    else:
        backbone, normalisation = _read(arch, Path(path))
        stems.widen(backbone, inputs)
    if input_size is not None:
        backbone = set_input_size(backbone, input_size)
    return truncate(arch, backbone), normalisation.over(inputs)


def fresh_backbone(
    arch: str,
    path: str | Path | None,
    input_size: int,
    network: Mapping[str, Any] | None = None,
    channels: int = 1,
) -> nn.Module:
    """Return a backbone of the structure that `load_backbone` returns, with fresh weights.

    They follow from PyTorch's global seed.

    Args:
        arch: name of the architecture.
        path: what `write_weights` wrote; None: random weights.
        input_size: side of the images in pixels.
        network: the exact network of random weights; None: the architecture's own.
        channels: of the images, as in `load_backbone`.
    """
    if path is not None:
        with safe_open(path, framework="pt") as file:
            network = json.loads(file.metadata()["card"]).get("network")
    fresh = fresh_network(arch, network, stems.inputs(channels))
    return truncate(arch, set_input_size(fresh, input_size))


def _read(arch: str, path: Path) -> tuple[nn.Module, Normalisation]:
    try:
        with safe_open(path, framework="pt") as file:
            card = json.loads((file.metadata() or {}).get("card", "null"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise SourceBenchError(
            f"The weights {path} can't be read ({error}). Delete the file and run the same "
            "command again."
        ) from error
    if card is None:
        raise SourceBenchError(
            f"The weights {path} carry no card, so that their normalisation is unknown. Give a "
            "checkpoint of your own as a source of kind 'file', with its mean and std."
        )
    if card["arch"] != weights_arch(arch):
        raise SourceBenchError(
            f"The weights {path} are those of architecture '{card['arch']}', not of '{arch}'. "
            "Delete the file and run the same command again."
        )
    backbone = build_network(card.get("network") or network_of(arch))
    require_match(tensors, backbone, what=f"The weights {path}", arch=arch)
    backbone.load_state_dict(tensors, strict=True)
    return backbone, Normalisation(triple(card["mean"]), triple(card["std"]))
