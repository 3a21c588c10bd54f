"""What an attribute is: a column of a dataset's metadata, and two of its values."""

from dataclasses import dataclass

from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter
from sourcebench.traits import Trait, Traits


@dataclass(frozen=True)
class Attribute(Trait):
    """Something that some images have by themselves: nothing is drawn, images are sampled by it.

    Args:
        column: the samples' column that goes with the label.
        carrier: its value in the images that have the attribute.
        other: its value in all others.

    Raises:
        SourceBenchError: `carrier` and `other` are the same, or one of the three is empty.
    """

    noun = "Attribute"

    column: str = parameter("sex", help="column of the samples that goes with the label")
    carrier: str = parameter("F", help="its value in the confounded images")
    other: str = parameter("M", help="its value in all other images")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.carrier == self.other:
            raise SourceBenchError(
                f"Attribute '{self.kind}': carrier and other are both '{self.carrier}'; "
                "give two different values of the column."
            )


ATTRIBUTES: Traits[Attribute] = Traits("attribute")
