"""Splits as *Source Matters* published theirs, in miniature."""

import pandas as pd


def write(path, rows, sex=False):
    """Write a CSV in the reference's layout: rows of (patient, class[, sex])."""
    columns = ["path", "pid", "class"] + (["Patient Gender"] if sex else [])
    table = pd.DataFrame(
        [(f"{row[0]:08d}_{i:03d}.png", *row) for i, row in enumerate(rows)], columns=columns
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path)


def write_published(folder, leaks=0):
    """Two folds of 24 patients, 8 test patients; `leaks` of these stand in training as well."""
    write(folder / "test.csv", [(p, "YES" if p % 2 else "NO") for p in range(100, 108)])
    for fold in (1, 2):
        validation = set(range(fold * 4, fold * 4 + 4))
        train = [p for p in range(24) if p not in validation]
        train[:leaks] = range(100, 100 + leaks)
        for part, patients in (("train", train), ("val", sorted(validation))):
            rows = [(p, "YES" if p % 2 else "NO") for p in patients]
            write(folder / f"{part}_fold{fold}.csv", rows)
