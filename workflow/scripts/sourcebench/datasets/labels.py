"""Where labels come from: a registry, and the metadata's own findings.

Labels that one dataset alone has stand in its folder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry

Labeller = Callable[[pd.DataFrame, Mapping[str, Any]], pd.DataFrame]


@dataclass(frozen=True)
class LabelSource:
    """Where labels come from.

    Args:
        rows: takes a dataset's metadata and a task's `labels`, and returns the rows that have a
            label, with the columns `label` (0|1) and, where a positive and a negative belong
            together, `pair`; columns of its own go on to the manifest.
        properties: JSON schemas of the keys of `labels` beside `from`.
        required: those of them that must be there.
    """

    rows: Labeller
    properties: Mapping[str, Any]
    required: tuple[str, ...]

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of `labels` from this source.

        Keys of other sources may stand there, since a config that is laid over another and changes
        `from` keeps the rest.
        """
        others: dict[str, Any] = {
            key: {} for name in LABELS.names() for key in LABELS.get(name).properties
        }
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["from", *self.required],
            "properties": {"from": STRING, **others, **self.properties},
        }


STRING = {"type": "string"}
LABELS: Registry[LabelSource] = Registry("label source")


def label_source(
    name: str, properties: Mapping[str, Any], required: tuple[str, ...] = ()
) -> Callable[[Labeller], Labeller]:
    """Return a decorator that enters a labeller under a name; arguments as in `LabelSource`."""

    def enter(rows: Labeller) -> Labeller:
        LABELS.register(name)(LabelSource(rows, properties, required))
        return rows

    return enter


@label_source("metadata", {"positive": STRING, "negative": STRING}, ("positive", "negative"))
def metadata_labels(table: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Label by the metadata's findings; images with neither finding, or with none, are left out.

    `spec`: `positive` and `negative` name findings; an image with both is positive.
    """
    findings = table["findings"].fillna("").str.split("|")
    known = set(findings.explode()) - {""}
    for key in ("positive", "negative"):
        if spec[key] not in known:
            raise SourceBenchError(
                f"labels.{key} is '{spec[key]}', which is no finding of the metadata; "
                f"there are: {', '.join(sorted(known)) or 'none'}."
            )
    label = pd.Series(np.nan, index=table.index)
    label[findings.map(lambda names: spec["negative"] in names)] = 0
    label[findings.map(lambda names: spec["positive"] in names)] = 1
    return labelled(table, label)


def labelled(table: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    """Return the rows that have a label, with it.

    Args:
        table: a dataset's metadata.
        label: 1, 0 or missing, one per row.
    """
    return table.assign(label=label)[label.notna()].astype({"label": int})
