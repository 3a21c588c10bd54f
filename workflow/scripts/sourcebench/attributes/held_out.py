"""What is held out of training: images of a clinic, or of a kind of lesion, for testing alone.

*Understanding Silent Failures* (Bungert et al. 2023, section 2) calls a change of where images come
from an acquisition shift, and one of what is to be seen on them a manifestation shift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sourcebench.classes import word
from sourcebench.errors import SourceBenchError, nearest
from sourcebench.parameters import WrongParameter, parameter
from sourcebench.traits import Taxon, Trait, Traits

VALUES: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "items": {"type": ["string", "number"]},
    "description": "a list of values of the column",
}


@dataclass(frozen=True)
class HeldOut(Trait):
    """A shift to images that differ by themselves.

    Images whose column has one of the values, or lies above or below a limit, are the target.

    Args:
        column: of the dataset's metadata.
        values: of the column, as text or numbers.
        above: a number: images over it are the target.
        below: a number: images under it are, too.

    Raises:
        SourceBenchError: neither values nor a limit is given, or both.
    """

    noun = "Held-out shift"

    column: str = parameter("domain", help="column of the metadata that tells the target's images")
    values: Sequence[str | float] | None = parameter(
        None, help="its values in images that are held out", schema=VALUES
    )
    above: float | None = parameter(None, help="images with a larger number there are held out")
    below: float | None = parameter(None, help="images with a smaller number there are held out")

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.values is None) == (self.above is None and self.below is None):
            raise WrongParameter(
                f"{self.noun} '{self.kind}'",
                "",
                "says which images are held out either by 'values' or by 'above' and 'below'; it "
                f"has {'neither' if self.values is None else 'both'}.",
            )

    def among(self, metadata: pd.DataFrame) -> pd.Series:
        """Tell which images are the target's: true, false, or missing where the cell is empty.

        Args:
            metadata: of the dataset.

        Raises:
            SourceBenchError: there is no such column, a value of it that is no number where there
                is a limit, or a value that no image has.
        """
        if self.column not in metadata:
            raise SourceBenchError(
                f"column is '{self.column}', which the dataset's metadata does not have"
                f"{nearest(self.column, map(str, metadata))}; there are: "
                f"{', '.join(map(str, metadata))}."
            )
        given = metadata[self.column]
        if self.values is None:
            target = self._beyond(given)
        else:
            text = given.map(word, na_action="ignore")
            wanted = [word(value) for value in self.values]
            there = sorted(text.dropna().unique())
            for value in wanted:
                if value not in there:
                    listed = ", ".join(there[:10]) + (", …" if len(there) > 10 else "")
                    raise SourceBenchError(
                        f"values has '{value}', but no image has it as its {self.column}"
                        f"{nearest(value, there)}; there are: {listed or 'none at all'}."
                    )
            target = text.isin(wanted)
        return target.astype("boolean").mask(given.isna())

    def _beyond(self, given: pd.Series) -> pd.Series:
        numbers = pd.to_numeric(given, errors="coerce")
        if (wrong := numbers.isna() & given.notna()).any():
            raise SourceBenchError(
                f"column is '{self.column}', which has '{given[wrong].iloc[0]}', but 'above' and "
                "'below' are for numbers; give 'values' instead."
            )
        over = numbers > self.above if self.above is not None else numbers.isna()
        under = numbers < self.below if self.below is not None else numbers.isna()
        return over | under


HELD_OUT: Traits[HeldOut] = Traits("held-out shift")


@HELD_OUT.register("acquisition")
@dataclass(frozen=True)
class Acquisition(HeldOut):
    """Images from elsewhere: another dataset, clinic, device or view (acquisition shift)."""

    title = "Other site"
    taxon = Taxon("environment", "imaging")


@HELD_OUT.register("manifestation")
@dataclass(frozen=True)
class Manifestation(HeldOut):
    """Images of another kind of the same disease, or of none (manifestation shift)."""

    title = "Other manifestation"
    taxon = Taxon("patient", "anatomical")


@HELD_OUT.register("unclear")
@dataclass(frozen=True)
class Unclear(HeldOut):
    """Images of which nobody can say on which side of another shift they are.

    Such as lesions that as many readers call the one as the other: neither a network is trained on
    them, nor do they count as that shift's target; they are a test set of their own.
    """

    title = "Unclear"
    taxon = Taxon("patient", "anatomical")
