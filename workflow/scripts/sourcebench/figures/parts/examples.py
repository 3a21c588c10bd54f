"""Images to show artifacts on."""

from dataclasses import dataclass

from sourcebench.artifacts import Artifact
from sourcebench.imaging import Image


@dataclass(frozen=True)
class Example:
    """An artifact, and an image to show it on.

    Attributes:
        name: its name in the config, as a confounder or a shift.
        artifact: what is drawn.
        original: H×W or H×W×C, uint8, an original image of the task.
        task: the task's title.
    """

    name: str
    artifact: Artifact
    original: Image
    task: str = ""
