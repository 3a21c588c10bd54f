"""Sizes, balance and leaks of anybody's splits."""

import pandas as pd


def audit(splits: pd.DataFrame) -> pd.DataFrame:
    """Tell sizes, class balance and shared patients of any splits.

    Args:
        splits: long form, as `published.read` and `long_form` return it.

    Returns:
        One row per p_art and fold: images and share of positives (missing where there are more
        than two classes) in train, val and test, the number of patients that two parts share
        (`train_val`, `train_test`, `val_test`), `n_target`, images that are held out for another
        test set, `leaked` (patients of the training or validation set that are also in a test set)
        and `verdict` (a sentence).
    """
    held_out = splits[splits["part"].isin(["test", "target"])]
    two = splits["label"].max() <= 1
    rows = []
    development = splits.drop(held_out.index)
    for (p_art, fold), fold_rows in development.groupby(["p_art", "fold"], dropna=False):
        parts = {
            "train": fold_rows[fold_rows["part"] == "train"],
            "val": fold_rows[fold_rows["part"] == "val"],
        }
        tested = held_out[held_out["p_art"].isna() | (held_out["p_art"] == p_art)]
        parts |= {name: tested[tested["part"] == name] for name in ("test", "target")}
        row: dict[str, object] = {"p_art": p_art, "fold": fold}
        for name, part in parts.items():
            row[f"n_{name}"] = len(part)
            if name == "target":
                continue
            positive = (part["label"] == 1).mean() if len(part) and two else float("nan")
            row[f"positive_{name}"] = round(positive, 3)
        patients = {name: set(part["patient_id"]) for name, part in parts.items()}
        for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
            row[f"{one}_{other}"] = len(patients[one] & patients[other])
        tests = patients["test"] | patients["target"]
        row["leaked"] = len((patients["train"] | patients["val"]) & tests)
        row["verdict"] = _verdict(row)
        rows.append(row)
    return pd.DataFrame(rows)


def _verdict(row: dict[str, object]) -> str:
    problems = []
    if row["leaked"]:
        problems.append(f"{row['leaked']} patients are in development and test")
    if row["train_val"]:
        problems.append(f"{row['train_val']} patients are in train and val")
    return "; ".join(problems) or "patient-disjoint"
