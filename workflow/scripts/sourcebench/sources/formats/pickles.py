"""Networks that were pickled whole: their tensors, read without running anything in the file.

Some weights (TorchXRayVision's) are not a state dict but the network's Python object, which
`torch.load` only reads by running what the file says. Here nothing that a file names is looked up:
the few names that tensors need are stood for by functions of this module, classes of well-known
packages and of the script that saved the file by inert shells that keep what they are given, and
any other name is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

PACKAGES = ("torch", "torchvision", "torchxrayvision", "timm", "numpy", "argparse", "__main__")
STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
LEGACY_HEADER = 3  # pickles before the object in PyTorch's format of before 1.6


class Shell:
    """What stands for an object of a class that is not looked up; attributes are kept.

    Whatever else a file does with it (calls it, fills it like a list or a dict) has no effect.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                vars(self).update(part)

    def __call__(self, *_: Any, **__: Any) -> Shell:
        """Return this shell, whatever is asked of it."""
        return self

    def __setitem__(self, *_: Any) -> None:
        pass

    append = extend = add = __call__


class _Ordered(dict[Any, Any]):
    """An OrderedDict's content; takes attributes, since state dicts have some."""


@dataclass(frozen=True)
class _Stored:
    """A tensor's place in the file: a storage's key, its type, and the view on it."""

    key: str
    dtype: torch.dtype
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, anything: bool = False) -> None:
        super().__init__(file)
        self.anything = anything
        self.types: dict[str, torch.dtype] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name."""
        if (module, name) in STANDS_FOR:
            stand_in = STANDS_FOR[module, name]
            # Anew each time: a file may set attributes on what it is handed.
            return lambda *arguments: stand_in(*arguments)
        if module in ("torch", "torch.cuda") and name in STORAGES:
            return STORAGES[name]
        if self.anything or module.partition(".")[0] in PACKAGES:
            return type(name, (Shell,), {})
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """Return a storage's key, type and start; of a class that came with its source, it."""
        if pid[0] == "module":
            return pid[1]
        kind, dtype, key, _, _, *view = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError("it refers to something beside tensors")
        self.types[str(key)] = dtype
        return str(key), dtype, int(view[0][1]) if view and view[0] else 0


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Stored:
    key, dtype, start = storage
    return _Stored(key, dtype, start + int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _first(value: Any, *_: Any) -> Any:
    return value


STANDS_FOR: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch._utils", "_rebuild_parameter_with_state"): _first,
    ("collections", "OrderedDict"): _Ordered,
    ("_codecs", "encode"): _first,  # the bytes of NumPy's numbers
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
}


def read(path: Path, *, anything: bool = False) -> Any:
    """Return a pickled file's content: dicts, tensors, and for each network its state dict.

    Args:
        path: a file as `torch.save` writes it, in today's format (a zip archive) or in that of
            PyTorch before 1.6.
        anything: let shells stand for any name, not for those of known packages alone. That is no
            less safe; what it takes away is the word that a file would have run something.

    Raises:
        pickle.UnpicklingError: the file is broken, or asks for more than networks are made of.
    """
    try:
        if zipfile.is_zipfile(path):
            content, storages = _read_zip(path, anything)
        else:
            with path.open("rb") as file:
                content, storages = _read_legacy(file, anything)
        return _resolve(content, storages)
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a file can make an unpickler stumble in any way
        raise pickle.UnpicklingError(f"it is broken ({type(error).__name__})") from error


def _read_zip(path: Path, anything: bool) -> tuple[Any, dict[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        folder = index.removesuffix("data.pkl") + "data/"
        names = [name for name in archive.namelist() if name.startswith(folder)]
        storages = {name.removeprefix(folder): archive.read(name) for name in names}
        return _Unpickler(io.BytesIO(archive.read(index)), anything).load(), storages


def _read_legacy(file: BinaryIO, anything: bool) -> tuple[Any, dict[str, bytes]]:
    for _ in range(LEGACY_HEADER):
        _Unpickler(file).load()
    unpickler = _Unpickler(file, anything)
    content = unpickler.load()
    storages = {}
    for key in _Unpickler(file).load():
        count = int.from_bytes(_exactly(file, 8), "little")
        storages[key] = _exactly(file, count * unpickler.types[key].itemsize)
    return content, storages


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise pickle.UnpicklingError("its end is missing")
    return data


def _resolve(content: Any, storages: Mapping[str, bytes]) -> Any:
    if isinstance(content, Shell):
        content = dict(_state(content, ""))
    if isinstance(content, Mapping):
        return {key: _resolve(value, storages) for key, value in content.items()}
    if isinstance(content, _Stored):
        return _view(content, storages[content.key])
    return content


def _state(module: Shell, prefix: str) -> list[tuple[str, _Stored]]:
    """Return a network's parameters and buffers by name, as its `state_dict` would."""
    fields = vars(module)
    left_out = fields.get("_non_persistent_buffers_set", ())
    own = {**fields.get("_parameters", {}), **fields.get("_buffers", {})}
    found = [
        (prefix + name, value)
        for name, value in own.items()
        if isinstance(value, _Stored) and name not in left_out
    ]
    for name, child in fields.get("_modules", {}).items():
        if isinstance(child, Shell):
            found += _state(child, f"{prefix}{name}.")
    return found


def _view(stored: _Stored, storage: bytes) -> Tensor:
    if not math.prod(stored.size):  # of no bytes PyTorch makes no buffer
        return torch.empty(stored.size, dtype=stored.dtype)
    flat = torch.frombuffer(bytearray(storage), dtype=stored.dtype)
    return flat.as_strided(stored.size, stored.stride, stored.offset).clone()
