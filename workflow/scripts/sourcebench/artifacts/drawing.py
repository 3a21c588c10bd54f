"""One image of a layer, and what names all that decides it."""

import dataclasses
from typing import Any, Literal

import numpy as np

from sourcebench import seeds
from sourcebench.artifacts.base import Artifact
from sourcebench.errors import SourceBenchError
from sourcebench.fingerprints import code_of, digest
from sourcebench.imaging import Image, resize

Layer = Literal["artifact", "base"]
"""Images with the artifact, or, where these are others than the task's own, those without it."""


def draw(
    artifact: Artifact,
    layer: Layer,
    image: Image,
    image_id: str,
    *,
    input_size: int,
    resize_method: str,
    seed: int,
) -> Image:
    """Return one image of a layer.

    Both layers go the same way: to the size at which the artifact acts, and from there to that
    of the result. Their random numbers are a stream of the image's own, named by seed, kind and
    `image_id`. It depends neither on the layer nor on the artifact's parameters. Artifacts act on
    grey levels: on each channel of an image that has several, with a stream for each, or on all
    of them at once, with one stream (see `Artifact.channelwise`).

    Args:
        artifact: what is drawn.
        layer: 'artifact' or 'base'.
        image: the original, H×W or H×W×C, uint8.
        image_id: its name.
        input_size: side of the result in px.
        resize_method: how the image gets each size, see `imaging.resize`.
        seed: the study's seed.

    Returns:
        input_size × input_size, or input_size × input_size × C, uint8.

    Raises:
        SourceBenchError: as `version`.
    """
    if artifact.resolution is not None:
        image = resize(image, artifact.resolution, resize_method)
    return resize(version(artifact, layer, image, image_id, seed), input_size, resize_method)


def version(artifact: Artifact, layer: Layer, image: Image, image_id: str, seed: int) -> Image:
    """Return an image of the size at which an artifact acts, as it is in a layer.

    Args are those of `draw`; `image` and the result are H×W or H×W×C, uint8.

    Raises:
        SourceBenchError: the artifact made something else than an image of that shape and type.
    """
    if image.ndim == 2 or not artifact.channelwise:
        return _changed(artifact, layer, image, image_id, seed)
    channels = enumerate(np.moveaxis(image, -1, 0))
    drawn = [_changed(artifact, layer, grey, image_id, seed, c) for c, grey in channels]
    return np.stack(drawn, axis=-1)


def _changed(
    artifact: Artifact, layer: Layer, image: Image, image_id: str, seed: int, channel: int = 0
) -> Image:
    """Return an image, or one channel; the first has the stream that a grey image has."""
    name = (artifact.kind, image_id, channel) if channel else (artifact.kind, image_id)
    change = artifact.artifact if layer == "artifact" else artifact.base
    made: Any = change(image.copy(), seeds.generator(seed, *name))
    if not (isinstance(made, np.ndarray) and (made.dtype, made.shape) == (np.uint8, image.shape)):
        came = _about(made) if isinstance(made, np.ndarray) else f"a {type(made).__name__}"
        raise SourceBenchError(
            f"Artifact '{artifact.title}' of kind '{artifact.kind}': {layer}() made {came} "
            f"of {_about(image)}, the image {image_id}; it must return an array of the same shape "
            "and type."
        )
    return made


def _about(array: "np.ndarray[Any, Any]") -> str:
    return f"{'×'.join(map(str, array.shape))} of {array.dtype}"


def fingerprint(artifact: Artifact) -> str:
    """Return a digest of all that is an artifact: 32 hexadecimal digits.

    That is its kind, its parameters with their defaults, and the code that draws it, but not its
    name for people, nor what it is drawn into, nor the machine (see `Artifact.engine`).

    Raises:
        SourceBenchError: its class is defined in no file.
    """
    return digest(artifact.kind, dataclasses.asdict(artifact), code_of(artifact, draw))
