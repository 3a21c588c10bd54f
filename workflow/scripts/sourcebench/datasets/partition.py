"""Random parts of exact sizes that share no patient."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.patients import numbers


def split(
    patients: pd.Series, sizes: Mapping[str, int | None], rng: np.random.Generator
) -> pd.Series:
    """Divide images at random into parts of given sizes, patient by patient.

    Patients come in random order, and each part takes those that still fit into it. A part ends
    exact if patients of one image are left for its last places; otherwise it lacks fewer images
    than any patient left over has.

    *Rethink Transfer Learning* (section 2.3) has CheXpert's images divided into 160,858 for
    training, 17,875 and 44,684, which are three more than the published table has, and says
    nothing of patients. `{"val": 17875, "test": 44684, "train": None}` is exact but for those
    three: 22,581 of CheXpert's patients have one image.

    Args:
        patients: the patient of each image.
        sizes: images of each part, filled in this order; None, for one at most, takes what the
            others leave.
        rng: draws the order of patients.

    Returns:
        The name of each image's part, with the index of `patients`; missing for images that are
        left over.

    Raises:
        SourceBenchError: more images are asked for than there are, or two parts for the rest.
    """
    fixed = {part: size for part, size in sizes.items() if size is not None}
    rest = [part for part in sizes if part not in fixed]
    if sum(fixed.values()) > len(patients) or len(rest) > 1:
        raise SourceBenchError(
            f"{len(patients)} images can't be divided into {dict(sizes)}: the sizes may add up to "
            "that many at most, and one part may take the rest."
        )
    codes = numbers(patients)
    images = np.bincount(codes)
    home = np.full(len(images), None, dtype=object)
    waiting = rng.permutation(len(images)).tolist()
    for part, free in fixed.items():
        left = []
        for patient in waiting:
            if images[patient] <= free:
                free -= images[patient]
                home[patient] = part
            else:
                left.append(patient)
        waiting = left
    home[waiting] = rest[0] if rest else None
    return pd.Series(home[codes], index=patients.index, dtype="str")
