"""A trained network, kept beside its run, so that what is added later is tested on it untrained."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from sourcebench.files import atomic


@dataclass(frozen=True)
class Effort:
    """What training a network took.

    Args:
        history: a dict for each epoch, see `module.History`.
        best_epoch: the epoch of its weights, from 1 on; 0 without training.
        seconds: from the start of the job until it was trained.
        further: likewise, the epochs of the stages after the first, which go on counting.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    further: list[dict[str, float]] = field(default_factory=list)


COMPANION = "companion."
"""What the names of a companion's tensors begin with."""


def write(
    path: Path,
    network: nn.Module,
    effort: Effort,
    trained_by: str,
    companion: nn.Module | None = None,
) -> None:
    """Keep a network, and its companion if it has one.

    Args:
        path: the `.safetensors` to write: the network's tensors, and the rest as metadata.
        network: as it was trained.
        effort: what that took.
        trained_by: a digest of all that decided it.
        companion: what was trained beside it.
    """
    states = network.state_dict()
    if companion is not None:
        states |= {COMPANION + name: each for name, each in companion.state_dict().items()}
    tensors = {name: each.cpu().contiguous() for name, each in states.items()}
    metadata = {"trained_by": trained_by, "effort": json.dumps(asdict(effort))}
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, metadata=metadata))


def load(
    path: Path, network: nn.Module, trained_by: str, companion: nn.Module | None = None
) -> Effort | None:
    """Put a kept network's tensors into a network of its structure, and its companion's into one.

    Returns:
        What its training took; None if nothing is kept there, or something that other data, another
        recipe or other code decided. Then the network is as it was.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, Any] = file.metadata() or {}
            if not trained_by or metadata.get("trained_by") != trained_by:
                return None
            states = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            beside = {name for name in states if name.startswith(COMPANION)}
            if companion is not None:
                companion.load_state_dict({n[len(COMPANION) :]: states[n] for n in beside})
            network.load_state_dict({n: states[n] for n in states.keys() - beside})
    except (OSError, SafetensorError):
        return None  # it can be trained again
    return Effort(**json.loads(metadata["effort"]))
