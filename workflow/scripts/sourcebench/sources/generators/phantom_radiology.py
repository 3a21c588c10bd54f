"""Procedural CT, MR and ultrasound slices, with and without a lesion; no X-rays.

A stand-in for RadImageNet (Mei et al. 2022) where its weights can't be had: the same three
modalities, labels of the same sort (modality, organ, finding), and, as there, no radiographs and no
letters. Anatomy is ellipses on a grid bent anew for each image; what makes the modalities is drawn
as it arises (reconstruction noise in CT, bias field and Rician noise in MR, speckle, attenuation
and shadows in ultrasound).
"""

import numpy as np

from sourcebench.sources.generators.base import GENERATORS, Generator, Grey
from sourcebench.sources.generators.radiology import ct, mr, ultrasound

SLICES = {
    "CT chest": ct.chest,
    "CT abdomen": ct.abdomen,
    "MR brain": mr.brain,
    "MR knee": mr.knee,
    "MR spine": mr.spine,
    "ultrasound liver": ultrasound.liver,
    "ultrasound thyroid": ultrasound.thyroid,
}
FINDINGS = ("normal", "lesion")


def draw(rng: np.random.Generator, label: int, size: int) -> Grey:
    """Return a slice of a class.

    Args:
        rng: where all randomness comes from.
        label: index into `CLASSES`.
        size: side in pixels.

    Returns:
        size×size, uint8.
    """
    organ, finding = divmod(label, len(FINDINGS))
    return list(SLICES.values())[organ](rng, size, lesion=finding == 1)


CLASSES = tuple(f"{organ}, {finding}" for organ in SLICES for finding in FINDINGS)

GENERATORS.register("phantom_radiology")(
    Generator(
        CLASSES,
        draw,
        "Classes after Mei et al., RadImageNet, Radiology: Artificial Intelligence 2022",
    )
)
