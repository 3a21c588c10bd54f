"""What a generator of images is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sourcebench.registry import Registry

Grey = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Generator:
    """A procedural data set of grey images.

    Args:
        classes: names of the classes; a label is an index into them.
        draw: `(rng, label, size)` → size×size, uint8.
        citation: what the images are modelled on.
    """

    classes: tuple[str, ...]
    draw: Callable[[np.random.Generator, int, int], Grey]
    citation: str | None = None

    def generate(self, rng: np.random.Generator, size: int) -> tuple[Grey, int]:
        """Return one image (size×size, uint8) of a random class, and its label."""
        label = int(rng.integers(len(self.classes)))
        return self.draw(rng, label, size), label


GENERATORS: Registry[Generator] = Registry("generator of images")
