"""Gender: the confounded images are of women."""

from dataclasses import dataclass

from sourcebench.confounders.base import SamplingConfounder, Taxon, register


@register("gender")
@dataclass(frozen=True)
class Gender(SamplingConfounder):
    """Patient gender goes with the label (Source Matters, sections 2.1 and 2.2).

    A demographic attribute in MICCAT; the paper takes it as a stand-in for the many anatomical
    confounders that metadata do not name. The parameters are those of `SamplingConfounder`: by
    default the confounded images are those of `sex` 'F', all others of 'M'.
    """

    title = "Gender"
    taxon = Taxon("patient", "demographic")
