"""Nodules that LIDC-IDRI's readers marked."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sourcebench.datasets.labels import label_source

# pylidc is imported in the function: the Snakefile reads this module.

MM: dict[str, Any] = {"type": "number", "minimum": 0, "description": "mm"}


@label_source(
    "nodules",
    {
        "readers": {"type": "integer", "minimum": 1, "maximum": 4},
        "min_diameter": MM,
        "min_distance": MM,
        "max_distance": MM,
        "inside": {"type": "integer", "minimum": 16, "maximum": 512, "description": "px"},
        "extent": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number", "minimum": 0, "maximum": 1},
            "description": "two shares of the scan's height, from feet to head",
        },
    },
)
def nodule_labels(table: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Label LIDC's slices: pairs of one through a nodule and one nearby without any.

    `spec` is that of `lidc.pairs.nodule_pairs`.
    """
    from sourcebench.datasets.lidc.pairs import nodule_pairs

    return nodule_pairs(table, spec)
