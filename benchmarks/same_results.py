"""Are the results of two copies of the project the same, bit for bit?

    git worktree add ../before main && make -C ../before demo  # then the same here
    python benchmarks/same_results.py ../before/results/demo results/demo

Compares what every network answered (`predictions.parquet`), its epochs, and every table, cell by
cell and without a tolerance; not what tells when or how fast something was computed. Ends with 1
where anything differs, or is on one side only.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

PATTERNS = ("runs/**/predictions.parquet", "runs/**/history.csv", "tables/*.csv")
PASSING = {"seconds", "hours"}
"""Columns of times, which no two runs share."""


def files(results: Path) -> set[Path]:
    """The results that are compared, by their paths in the study."""
    return {path.relative_to(results) for each in PATTERNS for path in results.glob(each)}


def read(path: Path) -> pd.DataFrame:
    """A table without the columns of times; of a CSV the text, so that every digit counts."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    table = pd.read_csv(path, dtype=str)
    table = table.drop(columns=list(PASSING & set(table.columns)))
    return table.replace(r'"seconds\w*": [0-9.]+', "", regex=True)  # of pretraining, in its card


def difference(before: Path, after: Path) -> str | None:
    """What two tables differ in, in a sentence; None where they are the same."""
    one, other = read(before), read(after)
    if list(one.columns) != list(other.columns):
        return f"columns {sorted(set(one.columns) ^ set(other.columns)) or 'in another order'}"
    if len(one) != len(other):
        return f"{len(one)} rows before, {len(other)} after"
    if not (one.dtypes == other.dtypes).all():
        return f"types of columns {list(one.columns[one.dtypes != other.dtypes])}"
    unlike = (one != other) & ~(one.isna() & other.isna())
    if unlike.to_numpy().any():
        cells = {name: int(count) for name, count in unlike.sum().items() if count}
        return f"cells, by column: {cells}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path, help="results/<study> of one side")
    parser.add_argument("after", type=Path, help="and of the other")
    chosen = parser.parse_args()
    sides = files(chosen.before), files(chosen.after)
    if not sides[0] or not sides[1]:
        empty = chosen.before if not sides[0] else chosen.after
        print(f"There are no results in {empty}. Give a folder results/<study>.")
        return 1
    found = [f"{path}: on one side only" for path in sorted(sides[0] ^ sides[1])]
    for path in sorted(sides[0] & sides[1]):
        if what := difference(chosen.before / path, chosen.after / path):
            found.append(f"{path}: {what}")
    print(*found, sep="\n", end="\n" * bool(found))
    both = sides[0] & sides[1]
    networks = sum(path.suffix == ".parquet" for path in both)
    verdict = f"{len(found)} files differ" if found else "all the same, bit for bit"
    print(f"{networks} networks and {len(both)} files compared: {verdict}.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
