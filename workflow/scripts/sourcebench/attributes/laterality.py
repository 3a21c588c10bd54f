"""Laterality: left or right."""

from dataclasses import dataclass

from sourcebench.attributes.base import ATTRIBUTES, Attribute
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ATTRIBUTES.register("laterality")
@dataclass(frozen=True)
class Laterality(Attribute):
    """The side of the body that an image shows goes with the label.

    An anatomical attribute in MICCAT, as of breasts, knees or eyes: left ones are mirrored right
    ones. The words that it goes by at first are those of DICOM's Laterality, (0020,0060).
    """

    title = "Laterality"
    taxon = Taxon("patient", "anatomical")

    column: str = parameter("laterality", help="column of the samples that goes with the label")
    carrier: str = parameter("L", help="its value in the confounded images")
    other: str = parameter("R", help="its value in all other images")
