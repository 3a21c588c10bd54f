"""Subgroups: in what groups a task's images fall, by a column or by an attribute of the config."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sourcebench.attributes.base import ATTRIBUTES
from sourcebench.errors import SourceBenchError, nearest

MOST = 20
"""So many values a column may have; more are no groups but numbers or names."""


def groups(
    samples: pd.DataFrame, wanted: Mapping[str, Mapping[str, Any] | None], key: str
) -> pd.DataFrame:
    """Return the groups of a task's images.

    Args:
        samples: a manifest.
        wanted: names of its columns → None; names of attributes → their entries in the config.
        key: of the config, where these stand, for messages.

    Returns:
        A column of text for each, indexed by `image_id`; "" where nothing is known.

    Raises:
        SourceBenchError: there is no such column, or it has more than `MOST` values.
    """
    found = {}
    for name, entry in wanted.items():
        if entry:
            column = ATTRIBUTES.from_entry(entry, f"confounders.{name}").of(samples)
        elif name in samples:
            column = samples[name]
        else:
            columns = [str(each) for each in samples]
            raise SourceBenchError(
                f"{key} has '{name}', which is no column of the dataset's metadata"
                f"{nearest(name, columns)}, nor an attribute among the confounders; there are: "
                f"{', '.join(columns)}."
            )
        if (count := column.nunique()) > MOST:
            raise SourceBenchError(
                f"{key} has '{name}', a column of {count} values, which are no groups; name one of "
                f"at most {MOST}, or an attribute that makes groups of it, such as age_group."
            )
        found[name] = column.astype("str").fillna("").to_numpy()
    return pd.DataFrame(found, index=pd.Index(samples["image_id"], name="image_id"))
