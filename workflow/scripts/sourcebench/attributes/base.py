"""What an attribute is: a column of a dataset's metadata, and two of its values."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from sourcebench.errors import SourceBenchError, nearest
from sourcebench.parameters import parameter
from sourcebench.traits import Trait, Traits


@dataclass(frozen=True)
class Attribute(Trait):
    """Something that some images have by themselves: nothing is drawn, images are sampled by it.

    Args:
        column: the samples' column that goes with the label.
        carrier: its value in the images that have the attribute.
        other: its value in all others.

    Attributes:
        derived: the name of a column that `values` makes, of one that has too many values to
            sample by; "" where those of `column` will do.

    Raises:
        SourceBenchError: `carrier` and `other` are the same, or one of the three is empty.
    """

    noun = "Attribute"
    derived: ClassVar[str] = ""

    column: str = parameter("sex", help="column of the samples that goes with the label")
    carrier: str = parameter("F", help="its value in the confounded images")
    other: str = parameter("M", help="its value in all other images")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.carrier == self.other:
            raise SourceBenchError(
                f"Attribute '{self.kind}': carrier and other are both '{self.carrier}'; "
                "give two different values of the column."
            )

    @property
    def named(self) -> str:
        """The column that has its values: `derived`, or `column`."""
        return self.derived or self.column

    def values(self, column: pd.Series) -> pd.Series:
        """Return its value for every row: text, missing where there is none.

        Args:
            column: of the metadata, by the name `column`.

        Raises:
            SourceBenchError: the column has what no value can be made of.
        """
        return column.astype("str")

    def of(self, table: pd.DataFrame) -> pd.Series:
        """Return its value for every row of a dataset's metadata, or of samples.

        Raises:
            SourceBenchError: there is no such column; or as `values`.
        """
        if self.column not in table:
            columns = [str(name) for name in table]
            raise SourceBenchError(
                f"'{self.kind}' goes by the column '{self.column}', which the dataset's metadata "
                f"does not have{nearest(self.column, columns)}; there are: {', '.join(columns)}."
            )
        return self.values(table[self.column])

    def added(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a dataset's metadata with the column `named`, where that is derived.

        Raises:
            SourceBenchError: as `of`, or the metadata has a column of the derived one's name.
        """
        if not self.derived:
            return table
        if self.derived in table:
            raise SourceBenchError(
                f"'{self.kind}' makes a column '{self.derived}', but the dataset's metadata has "
                f"one; sample by that, as in {{kind: gender, column: {self.derived}, …}}."
            )
        return table.assign(**{self.derived: self.of(table)})


ATTRIBUTES: Traits[Attribute] = Traits("attribute")
