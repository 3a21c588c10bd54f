"""Body site: where on the patient it was taken."""

from dataclasses import dataclass

from sourcebench.attributes.base import ATTRIBUTES, Attribute
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ATTRIBUTES.register("body_site")
@dataclass(frozen=True)
class BodySite(Attribute):
    """The part of the body that an image shows goes with the label.

    An anatomical attribute in MICCAT: skin of the face looks other than that of the back, whatever
    grows on it. The words that it goes by at first are those of the ISIC Archive.
    """

    title = "Body site"
    taxon = Taxon("patient", "anatomical")

    column: str = parameter("body_site", help="column of the samples that goes with the label")
    carrier: str = parameter("head/neck", help="its value in the confounded images")
    other: str = parameter("torso", help="its value in all other images")
