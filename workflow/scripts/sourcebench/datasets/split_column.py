"""Who is in which part of a task, as a column of the user's table says."""

import pandas as pd

from sourcebench.datasets import sampling
from sourcebench.datasets.tasks import require_column
from sourcebench.errors import SourceBenchError, number

SHOWN = 5
"""So many words that say no part are told of, each with so many of its images."""

PARTS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What a table may call the parts, in small or capital letters."""


def by_column(labelled: pd.DataFrame, column: str) -> pd.DataFrame:
    """Divide a dataset as a column of its table says, instead of at random.

    Args:
        labelled: candidates with `label`, as `candidates` returns them.
        column: its cells say who is in which part, see `PARTS`; where one is empty, the image is
            left out.

    Returns:
        The manifest, as `sampling.select` returns it; the column says 'train', 'val' or 'test'.

    Raises:
        SourceBenchError: there is no such column, another word in it, or a part without an image
            of some class; there need be no 'val'.
    """
    require_column(labelled, column, "samples.column")
    said = labelled[column].dropna().astype(str)
    parts = said.str.casefold().map(PARTS)
    if parts.isna().any():
        wrong = said[parts.isna()]
        raise SourceBenchError(
            f"samples.column is '{column}', which has {_in_words(wrong, labelled['image_id'])}; "
            f"its words are {', '.join(PARTS)}, or nothing for an image that is left out."
        )
    chosen = labelled.loc[parts.index].assign(**{column: parts})
    classes = set(range(1 + max([1, *labelled["label"]])))
    for part in ("train", "test", *parts[parts == "val"].unique()):
        if empty := sorted(classes - set(chosen.loc[parts == part, "label"])):
            raise SourceBenchError(
                f"samples.column is '{column}', which says '{part}' of no image of class "
                f"{empty[0]} that has a label, the view and a file; every part needs all classes."
            )
    return sampling.in_order(chosen.assign(role=parts.where(parts == "test", "dev")))


def _in_words(wrong: pd.Series, image_ids: pd.Series) -> str:
    """Return words that say no part, each with how many rows have it and the images of some."""
    told = []
    for word, rows in list(wrong.groupby(wrong, sort=False))[:SHOWN]:
        images = image_ids[rows.index]
        more = ", …" if len(images) > SHOWN else ""
        named = ", ".join(images[:SHOWN])
        told.append(f"'{word}' in {number(len(images), 'row')} ({named}{more})")
    kinds = wrong.nunique()
    others = f", and {number(kinds - SHOWN, 'other word')}" if kinds > SHOWN else ""
    return ", ".join(told) + others
