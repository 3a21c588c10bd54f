"""The order of patients, on which draws depend."""

import numpy as np
import numpy.typing as npt
import pandas as pd


def numbers(patients: pd.Series) -> npt.NDArray[np.intp]:
    """Number patients from 0 on, in the order of their ids, and return the number in each row.

    Ids are text, but where all of them are whole numbers they count as such ('9' before '10'), as
    in the published tables; a draw then doesn't depend on how a table was read.

    Args:
        patients: an id per row, none missing.
    """
    codes, unique = pd.factorize(patients.astype("str"))
    ids: list[str] = unique.tolist()
    length = max(map(len, ids), default=0) if all(map(str.isdecimal, ids)) else 0
    order = sorted(range(len(ids)), key=lambda code: (ids[code].zfill(length), ids[code]))
    number = np.empty(len(ids), np.intp)
    number[order] = np.arange(len(ids))
    return number[codes]
