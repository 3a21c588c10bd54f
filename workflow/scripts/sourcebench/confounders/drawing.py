"""One image of a layer, and what names all that decides it."""

import dataclasses
from typing import Any, Literal

import numpy as np

from sourcebench import seeds
from sourcebench.confounders.base import Confounder, PixelConfounder
from sourcebench.errors import SourceBenchError
from sourcebench.fingerprints import code_of, digest
from sourcebench.imaging import Image, resize

Layer = Literal["artifact", "base"]
"""Images with the artifact, or, where these are others than the task's own, those without it."""


def draw(
    confounder: PixelConfounder,
    layer: Layer,
    image: Image,
    image_id: str,
    *,
    input_size: int,
    resize_method: str,
    seed: int,
) -> Image:
    """Return one image of a layer.

    Both layers go the same way: to the size at which the confounder acts, and from there to that
    of the result. Their random numbers are a stream of the image's own, named by seed, kind and
    `image_id`. It depends neither on the layer nor on the confounder's parameters. Confounders act
    on grey levels: on each channel of an image that has several, with a stream for each.

    Args:
        confounder: what is drawn.
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
    if confounder.resolution is not None:
        image = resize(image, confounder.resolution, resize_method)
    return resize(version(confounder, layer, image, image_id, seed), input_size, resize_method)


def version(
    confounder: PixelConfounder, layer: Layer, image: Image, image_id: str, seed: int
) -> Image:
    """Return an image of the size at which a confounder acts, as it is in a layer.

    Args are those of `draw`; `image` and the result are H×W or H×W×C, uint8.

    Raises:
        SourceBenchError: the confounder made something else than an image of that shape and type.
    """
    if image.ndim == 2:
        return _changed(confounder, layer, image, image_id, seed)
    channels = enumerate(np.moveaxis(image, -1, 0))
    drawn = [_changed(confounder, layer, grey, image_id, seed, c) for c, grey in channels]
    return np.stack(drawn, axis=-1)


def _changed(
    confounder: PixelConfounder,
    layer: Layer,
    image: Image,
    image_id: str,
    seed: int,
    channel: int = 0,
) -> Image:
    """Return one channel of an image; the first has the stream that a grey image has."""
    name = (confounder.kind, image_id, channel) if channel else (confounder.kind, image_id)
    change = confounder.artifact if layer == "artifact" else confounder.base
    made: Any = change(image.copy(), seeds.generator(seed, *name))
    if not (isinstance(made, np.ndarray) and (made.dtype, made.shape) == (np.uint8, image.shape)):
        came = _about(made) if isinstance(made, np.ndarray) else f"a {type(made).__name__}"
        raise SourceBenchError(
            f"Confounder '{confounder.title}' of kind '{confounder.kind}': {layer}() made {came} "
            f"of {_about(image)}, the image {image_id}; it must return an array of the same shape "
            "and type."
        )
    return made


def _about(array: "np.ndarray[Any, Any]") -> str:
    return f"{'×'.join(map(str, array.shape))} of {array.dtype}"


def fingerprint(confounder: Confounder) -> str:
    """Return a digest of all that is a confounder: 32 hexadecimal digits.

    That is its kind, its parameters with their defaults, and the code that draws it, but not its
    name for people, nor what it is drawn into, nor the machine (see `PixelConfounder.engine`).

    Raises:
        SourceBenchError: its class is defined in no file.
    """
    drawn = isinstance(confounder, PixelConfounder)
    code = code_of(confounder, draw) if drawn else code_of(confounder)
    return digest(confounder.kind, dataclasses.asdict(confounder), code)
