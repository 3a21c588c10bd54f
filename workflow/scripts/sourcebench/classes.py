"""The names of a task's classes, where its labels have some: a column `class` beside `label`."""

import pandas as pd

from sourcebench.errors import SourceBenchError, nearest

SHOWN = 20
"""So many names are listed where another is asked for."""


def names(rows: pd.DataFrame) -> list[str]:
    """Return the names of the classes in the order of their labels; [] where they have none.

    Args:
        rows: with `label` and, where classes have names, `class`. A column `class` that does not
            go with the labels, one name each, is the user's own and means something else.
    """
    if "class" not in rows:
        return []
    pairs = rows[["label", "class"]].drop_duplicates().sort_values("label")
    if pairs["label"].duplicated().any() or pairs["class"].duplicated().any():
        return []
    return pairs["class"].astype("str").to_list()


def number(rows: pd.DataFrame, name: str) -> int:
    """Return the label of the class that a task calls `confounded`.

    Args:
        rows: as for `names`, with images of every class.
        name: of the class.

    Raises:
        SourceBenchError: the labels have no names, or no such one.
    """
    known = names(rows)
    if name in known:
        return int(rows.loc[rows["class"].astype("str") == name, "label"].iloc[0])
    if not known:
        raise SourceBenchError(
            f"confounded is '{name}', but these labels give their classes no names; "
            "labels with 'from: classes' do."
        )
    more = f", … ({len(known)} in all)" if len(known) > SHOWN else ""
    raise SourceBenchError(
        f"confounded is '{name}', which is no class of the task{nearest(name, known)}; there are: "
        f"{', '.join(known[:SHOWN])}{more}."
    )


def word(value: object) -> str:
    """Return a value of a config or of a table's cell as text: 3.0, 3 and '3' are the same."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
