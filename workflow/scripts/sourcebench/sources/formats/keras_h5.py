"""Keras' files of weights (HDF5): reading them with h5py alone, converting them to PyTorch.

Keras is never imported, and nothing of a file but its names and arrays is looked at: the model's
configuration beside them, which may hold code, is left alone.

Three layouts are read: Keras 2's of `save_weights` (layers at the root) and of `save` (layers under
`model_weights`), and Keras 3's `.weights.h5`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import torch

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import Tensors
from sourcebench.sources.fitting import require_match
from sourcebench.sources.formats.keras_layers import FAMILIES, Places

Arrays = dict[str, npt.NDArray[np.float32]]
Layers = dict[str, Arrays]
Datasets = list[tuple[str, Any]]

CONVOLUTION = ("kernel", "bias")
NORMALISATION = ("gamma", "beta", "moving_mean", "moving_variance")
PYTORCH = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
LARGEST = 2**30  # bytes that one array may have; of these networks' the largest has 13 million
NOTHING = np.zeros(0, np.float32)
SHOWN = 3


def read(path: Path) -> Layers:
    """Read the arrays of a Keras file.

    Args:
        path: the file, in one of the layouts above.

    Returns:
        Layer → its arrays by name (`kernel`, `bias`, `gamma`, `beta`, `moving_mean`,
        `moving_variance`), as float32; of the layers that have any. Layer names have `_` for `/`.

    Raises:
        SourceBenchError: the file is missing, broken or not of Keras, or holds anything but plain
            floats where weights should be, or a network within the network.
    """
    try:
        with h5py.File(path, "r") as file:
            return {
                layer.replace("/", "_"): {name: _array(file, data) for name, data in datasets}
                for layer, datasets in _layers(file)
                if datasets
            }
    except (OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise SourceBenchError(
            f"{path} can't be read as weights of Keras ({type(error).__name__}): it is missing, "
            "truncated or of another format. Fetch it again, or save it with Keras' save_weights."
        ) from error


def convert(path: Path, arch: str) -> tuple[Tensors, dict[str, Any]]:
    """Convert a Keras file of one of `keras.applications`' networks, saved without its top.

    Args:
        path: the file.
        arch: a name in `FAMILIES`.

    Returns:
        The backbone's tensors, float32 (and counters of batches, 0), and the exact network that
        computes with them what Keras computed: a builder in `NETWORKS` and its options.

    Raises:
        SourceBenchError: see `read`; or no Keras files of such an architecture are known, or the
            file holds another network, or this one with its classifier.
    """
    import timm

    family = FAMILIES.get(arch)
    with torch.device("meta"):  # no more than its names and shapes
        backbone = timm.create_model(arch, pretrained=False, num_classes=0)
    wanted = backbone.state_dict()
    modules = [name.removesuffix(".weight") for name in wanted if name.endswith(".weight")]
    places = family.places(modules)
    layers = _renumbered(read(path))
    _require_layers(layers, places, path, arch)
    _fold_biases(layers)
    tensors: Tensors = {
        name: torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in wanted.items()
        if name.endswith("num_batches_tracked")
    }
    for layer, module in places.items():
        arrays = layers[layer]
        if "moving_mean" in arrays:  # a normalisation without a scale leaves gamma out
            arrays = {"gamma": np.ones_like(arrays["moving_mean"])} | arrays
        for name, array in arrays.items():
            tensors[f"{module}.{PYTORCH.get(name, name)}"] = _tensor(array)
    require_match(tensors, backbone, what=str(path), arch=arch)
    return {name: tensors[name] for name in wanted}, dict(family.network)


def _layers(file: h5py.File) -> Iterator[tuple[str, Datasets]]:
    """Yield each layer's name and its datasets, with Keras' names of them."""
    if "layers" in file:
        yield from _layers_of_keras_3(file["layers"])
        return
    group = file.get("model_weights", file)
    for layer in _texts(group, "layer_names"):
        paths = _texts(group[layer], "weight_names")  # such as conv1_conv/kernel:0
        names = [path.rpartition("/")[2].partition(":")[0] for path in paths]
        if len(set(names)) < len(names):
            raise _nested(file, layer)
        yield layer, [(name, group[layer][path]) for name, path in zip(names, paths, strict=True)]


def _layers_of_keras_3(group: h5py.Group) -> Iterator[tuple[str, Datasets]]:
    """Yield the same of a `.weights.h5`, which numbers a layer's arrays and notes its name."""
    for key, layer in group.items():
        if "layers" in layer:
            raise _nested(group.file, key)
        arrays = layer["vars"]
        datasets = [arrays[str(number)] for number in range(len(arrays))]
        if datasets:
            names: tuple[str, ...] = CONVOLUTION
            if datasets[0].ndim == 1:  # the scale, gamma, comes first and may be left out
                names = NORMALISATION[-len(datasets) :]
            numbers = map(str, range(len(names), len(datasets)))
            yield _text(arrays.attrs["name"]), list(zip((*names, *numbers), datasets, strict=False))


def _texts(group: h5py.Group, attribute: str) -> list[str]:
    """Return a list of texts from an attribute, or, if it was too long for one, from several."""
    if attribute in group.attrs:
        return [_text(text) for text in group.attrs[attribute]]
    parts: list[Any] = []
    while (part := f"{attribute}{len(parts)}") in group.attrs:
        parts.append(group.attrs[part])
    if not parts:
        raise KeyError(attribute)
    return [_text(text) for part in parts for text in part]


def _text(text: str | bytes) -> str:
    return text.decode() if isinstance(text, bytes) else text


def _nested(file: h5py.File, layer: str) -> SourceBenchError:
    return SourceBenchError(
        f"{file.filename} holds a network within the network, '{layer}'. Save that one by itself: "
        f"model.get_layer('{layer}').save_weights(…)."
    )


def _array(file: h5py.File, dataset: Any) -> npt.NDArray[np.float32]:
    """Return a dataset's values, if it is plain floats of this file."""
    plain = (
        isinstance(dataset, h5py.Dataset)
        and dataset.dtype.kind == "f"
        and not dataset.external
        and not dataset.is_virtual
        and dataset.file.filename == file.filename
        and dataset.nbytes <= LARGEST
    )
    if not plain:
        raise SourceBenchError(
            f"{file.filename} was not loaded: {dataset.name} is no plain array of floats, or not "
            "in this file. Save the weights with Keras' save_weights."
        )
    return np.asarray(dataset[()], dtype=np.float32)


def _renumbered(layers: Layers) -> Layers:
    """Number unnamed layers as a fresh session does.

    Keras goes on counting through a session: the first convolution of a file may be `conv2d_188`.
    """
    renamed = {}
    for kind in ("conv2d", "batch_normalization"):
        matches = [re.fullmatch(rf"{kind}(?:_(\d+))?", layer) for layer in layers]
        unnamed = sorted((int(match[1] or 0), match[0]) for match in matches if match)
        for number, (_, layer) in enumerate(unnamed):
            renamed[layer] = f"{kind}_{number}" if number else kind
    return {renamed.get(layer, layer): arrays for layer, arrays in layers.items()}


def _require_layers(layers: Layers, places: Places, path: Path, arch: str) -> None:
    """Make sure that a file's layers are those of an architecture.

    Raises:
        SourceBenchError: they are not, or a classifier is among them.
    """
    missing = [layer for layer in places if layer not in layers]
    unexpected = [layer for layer in layers if layer not in places]
    tops = [layer for layer in unexpected if layers[layer].get("kernel", NOTHING).ndim == 2]
    if tops and not missing:
        raise SourceBenchError(
            f"{path} holds a classifier beside the network ('{tops[0]}'). Save the network "
            "without its top (include_top=False)."
        )
    if missing or unexpected:
        raise SourceBenchError(
            f"{path} does not hold the {len(places)} layers of Keras' '{arch}' without its top. "
            f"Missing: {_listed(missing)}; unexpected: {_listed(unexpected)}. Give the file of "
            "this architecture."
        )


def _listed(layers: list[str]) -> str:
    if not layers:
        return "none"
    return f"{len(layers)} ({', '.join(layers[:SHOWN])}{', …' if len(layers) > SHOWN else ''})"


def _fold_biases(layers: Layers) -> None:
    """Take convolutions' biases into the normalisations that follow them, and subtract a mean."""
    for layer, arrays in layers.items():
        following = layers.get(layer.removesuffix("_conv") + "_bn", {})
        bias, mean = arrays.get("bias", NOTHING), following.get("moving_mean", NOTHING)
        if bias.shape == mean.shape != NOTHING.shape:
            following["moving_mean"] = mean - arrays.pop("bias")


def _tensor(array: npt.NDArray[np.float32]) -> torch.Tensor:
    """Return an array as PyTorch holds it: kernels as output×input×H×W instead of H×W×I×O."""
    if array.ndim == 4:
        array = array.transpose(3, 2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(array))
