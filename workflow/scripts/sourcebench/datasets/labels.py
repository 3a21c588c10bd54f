"""Where labels come from: a registry, and the metadata's own findings.

Labels that one dataset alone has stand in its folder.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.kinds import Kind, Kinds
from sourcebench.parameters import parameter


@dataclass(frozen=True)
class LabelSource(Kind):
    """Where labels come from, as a task's `labels` in the config describe it."""

    noun = "Label source"

    @abstractmethod
    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a dataset's metadata that have a label.

        With the columns `label` (0 to K − 1; of two classes 1 is the positive one) and, where a
        positive and a negative belong together, `pair`; columns of its own go on to the manifest.

        Args:
            table: the metadata, see `Dataset.metadata`.

        Raises:
            SourceBenchError: the metadata is not what these labels are for.
        """


class LabelSources(Kinds[LabelSource]):
    """A registry of label sources, whose entries name their kind by `from`.

    Keys of other sources may stand in an entry, since a config that is laid over another and
    changes `from` keeps the rest. They count for nothing.
    """

    named_by = "from"

    def taken(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry without the keys that other sources alone take.

        Raises:
            SourceBenchError: there is no such source.
        """
        own = {field.name for field in fields(self.get(entry[self.named_by]))}
        every = {field.name for kind in self.names() for field in fields(self.get(kind))}
        return {key: value for key, value in entry.items() if key not in every - own}

    def from_entry(self, entry: Mapping[str, Any], where: str = "") -> LabelSource:
        """Return what a task's `labels` describe.

        Args:
            entry: `from`, and its parameters.
            where: the entry's key, such as 'tasks.cxr_mass.labels', for messages.

        Raises:
            SourceBenchError: as `build`.
        """
        return super().from_entry(self.taken(entry), where)


LABELS = LabelSources("label source")


@LABELS.register("metadata")
@dataclass(frozen=True)
class MetadataLabels(LabelSource):
    """The metadata's findings; images with neither finding, or with none, are left out.

    Args:
        positive: the finding of the positive class; an image with both is positive.
        negative: that of the negative class.
    """

    positive: str = parameter(
        help="the finding of the positive class; an image with both is positive"
    )
    negative: str = parameter(help="the finding of the negative class")

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that have one of the findings, labelled.

        Raises:
            SourceBenchError: one of them is no finding of the metadata.
        """
        findings = table["findings"].fillna("").str.split("|")
        known = set(findings.explode()) - {""}
        for key in ("positive", "negative"):
            if getattr(self, key) not in known:
                raise SourceBenchError(
                    f"labels.{key} is '{getattr(self, key)}', which is no finding of the metadata; "
                    f"there are: {', '.join(sorted(known)) or 'none'}."
                )
        label = pd.Series(np.nan, index=table.index)
        label[findings.map(lambda names: self.negative in names)] = 0
        label[findings.map(lambda names: self.positive in names)] = 1
        return labelled(table, label)


def labelled(table: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    """Return the rows that have a label, with it.

    Args:
        table: a dataset's metadata.
        label: 1, 0 or missing, one per row.
    """
    return table.assign(label=label)[label.notna()].astype({"label": int})
