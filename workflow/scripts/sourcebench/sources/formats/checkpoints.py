"""Checkpoints of PyTorch and safetensors: reading them without running anything in them."""

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sourcebench.errors import SourceBenchError
from sourcebench.sources.formats import pickles
from sourcebench.sources.formats.containers import ENDINGS, INDEX, parts

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model")
LIGHTNING = ".ckpt"


def sha256_of(path: Path) -> str:
    """Return the SHA-256, in hexadecimal, of a file; of an index that of its files, one by one."""
    digest = hashlib.sha256()
    for part in parts(path):
        with part.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()


def read(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint, without executing anything in it.

    Args:
        path: `.safetensors`; `.pth`, `.pt` or `.bin` as `torch.save` writes them: a state dict, or
            a whole network; Lightning's `.ckpt`; either may be wrapped in a dict under one of
            `WRAPPERS`. Or the index of several such files (`.index.json`).

    Raises:
        SourceBenchError: the file is of another format, broken, or holds more than tensors.
    """
    if path.name.endswith(INDEX):
        return {name: tensor for part in parts(path) for name, tensor in read(part).items()}
    if path.suffix not in ENDINGS:
        raise SourceBenchError(
            f"{path} has none of the endings that are read as weights: {', '.join(ENDINGS)}."
        )
    if _is_torchscript(path):
        raise SourceBenchError(
            f"{path} is a TorchScript archive, a program with its weights; save its state_dict: "
            "torch.save(torch.jit.load(path).state_dict(), …)."
        )
    try:
        content: Any = _content(path)
    except pickle.UnpicklingError as error:
        raise SourceBenchError(
            f"{path} was not loaded: it is broken or holds Python objects beside tensors, and "
            f"loading those would execute code from the file ({error}). Save its state_dict alone, "
            "or as .safetensors."
        ) from error
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise SourceBenchError(
            f"{path} can't be read as weights ({type(error).__name__}): it is truncated or of "
            "another format. Fetch it again, or save its state_dict with torch.save."
        ) from error
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    tensors = content if isinstance(content, Mapping) else {}
    if not tensors or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise SourceBenchError(
            f"{path} holds no state dict (names and tensors), neither by itself nor under "
            f"{', '.join(WRAPPERS)}. Save the network's state_dict alone."
        )
    return dict(tensors)


def _content(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        # Beside its weights Lightning keeps what the network was made with: objects of any class.
        return pickles.read(path, anything=path.suffix == LIGHTNING)


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False
