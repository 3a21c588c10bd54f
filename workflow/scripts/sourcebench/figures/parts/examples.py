"""Images to show confounders on."""

from dataclasses import dataclass

from sourcebench.confounders import PixelConfounder
from sourcebench.imaging import Image


@dataclass(frozen=True)
class Example:
    """A confounder, and an image to show its artifact on.

    Attributes:
        name: the confounder's name in the config.
        confounder: the confounder.
        original: H×W, uint8, an original image of the task.
        task: the task's title.
    """

    name: str
    confounder: PixelConfounder
    original: Image
    task: str = ""
