"""One image of a layer, and what names all that decides it."""

import dataclasses
from typing import Literal

from sourcebench import seeds
from sourcebench.confounders.base import Confounder, PixelConfounder
from sourcebench.fingerprints import code_of, digest
from sourcebench.imaging import Image, resize

Layer = Literal["artifact", "base"]
"""Images with the artifact, or, where these are altered as well, those without it."""


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

    Its random numbers are a stream of its own, named by seed, kind, layer and `image_id`. They do
    not depend on the confounder's parameters: two doses are compared on the same draws.

    Args:
        confounder: what is drawn.
        layer: 'artifact' or 'base'.
        image: the original, H×W, uint8.
        image_id: its name.
        input_size: side of the result in px.
        resize_method: how the result gets that side, see `imaging.resize`. The size at
            which the confounder acts is always reached by 'nearest': a resize that averages (the
            reference has a bilinear one there) would smooth the images that carry the artifact,
            and so be a confounder of its own.
        seed: the study's seed.

    Returns:
        input_size × input_size, uint8.
    """
    rng = seeds.generator(seed, confounder.kind, layer, image_id)
    if confounder.resolution is not None:
        image = resize(image, confounder.resolution, "nearest")
    drawn = confounder.artifact(image, rng) if layer == "artifact" else confounder.base(image, rng)
    return resize(drawn, input_size, resize_method)


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
