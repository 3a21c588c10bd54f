"""Gender: of the patient."""

from dataclasses import dataclass

from sourcebench.attributes.base import ATTRIBUTES, Attribute
from sourcebench.traits import Taxon


@ATTRIBUTES.register("gender")
@dataclass(frozen=True)
class Gender(Attribute):
    """Patient gender goes with the label (Source Matters, sections 2.1 and 2.2).

    A demographic attribute in MICCAT; the paper takes it as a stand-in for the many anatomical
    confounders that metadata do not name. The parameters are those of `Attribute`: by default the
    confounded images are those of `sex` 'F', all others of 'M'.
    """

    title = "Gender"
    taxon = Taxon("patient", "demographic")
