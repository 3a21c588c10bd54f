"""Files of weights: a source's backbone for an architecture, written once, loaded by every run."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic, write_json
from sourcebench.models import build_backbone
from sourcebench.sources import KINDS, Card, Normalisation, Order, Specification
from sourcebench.sources.base import Tensors, check_arch, triple
from sourcebench.sources.checkpoints import require_match
from sourcebench.training.pretraining import Recipe, pretrain


def write_weights(
    name: str, spec: Specification, arch: str, path: str | Path, *, seed: int, threads: int
) -> None:
    """Write a source's weights for an architecture, and their card.

    Args:
        name: the source's name in the config.
        spec: the source's specification in the config, `{kind: …, …}`.
        arch: name of the architecture.
        path: the `.safetensors` to write: the backbone's tensors, without a head, and the card as
            metadata. The card is written beside it, too, as `.json`.
        seed: for sources that are pretrained here.
        threads: CPU threads for that.

    Raises:
        SourceBenchError: the source has no weights for the architecture, or they can't be had, or
            they don't fit.
    """
    check_arch(name, spec, arch)

    def pretrain_on(spec: Specification, arch: str) -> tuple[Tensors, dict[str, Any]]:
        return pretrain(spec["generator"], arch, Recipe.of(spec), seed=seed, threads=threads)

    backbone = build_backbone(arch)
    supply = KINDS.get(spec["kind"]).supply(Order(name, spec, arch, backbone, pretrain_on))
    require_match(supply.tensors, backbone, what=f"Source '{name}'", arch=arch)
    card = Card(
        source=name,
        kind=spec["kind"],
        arch=arch,
        origin=supply.origin,
        sha256=supply.sha256,
        licence=spec.get("licence", supply.licence),
        citation=spec.get("citation", supply.citation),
        mean=supply.normalisation.mean,
        std=supply.normalisation.std,
        parameters=sum(parameter.numel() for parameter in backbone.parameters()),
    )
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in supply.tensors.items()}
    with atomic(path) as temporary:
        # As bytes and not by save_file: a full disk is an OSError then, which `atomic` explains.
        temporary.write_bytes(save(tensors, metadata={"card": json.dumps(card)}))
    write_json(Path(path).with_suffix(".json"), card)


def load_backbone(arch: str, path: str | Path | None) -> tuple[nn.Module, Normalisation]:
    """Return a backbone with its first weights, and the normalisation that belongs to them.

    Args:
        arch: name of the architecture.
        path: what `write_weights` wrote; None: random weights, from PyTorch's global seed.

    Raises:
        SourceBenchError: the file is missing, broken, not written by `write_weights`, or of
            another architecture.
    """
    backbone = build_backbone(arch)
    if path is None:
        return backbone, Normalisation()
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
    require_match(tensors, backbone, what=f"The weights {path}", arch=arch)
    backbone.load_state_dict(tensors, strict=True)
    return backbone, Normalisation(triple(card["mean"]), triple(card["std"]))
