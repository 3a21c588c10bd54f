"""Severity strips: images that fail most silently, at each severity."""

import pandas as pd

from sourcebench.explorer.severities import strips


def rows_of(last, *, levels=(1, 2), labels=(0, 1, 0, 1)):
    """Images a, b, …: right without the corruption; `last` (called, confidence) at its worst."""
    found = []
    for severity in (0, *levels):
        for name, label, (called, sure) in zip("abcd", labels, last, strict=True):
            worst = severity == max(levels)
            found.append({
                "confounder": "none", "test_set": f"dark_{severity}" if severity else "clean",
                "family": "dark" if severity else "clean", "severity": severity,
                "image_id": name, "layer": "none", "label": label,
                "s": sure if worst else 0.6, "s_called": called if worst else label,
                "s_kept": True, "s_outcome": "passed",
            })  # fmt: skip
    return pd.DataFrame(found)


def images(found):
    return found.drop_duplicates("image")["image_id"].to_list()


def test_the_surest_failures_come_first_and_classes_take_turns():
    found = strips(rows_of([(1, 0.7), (0, 0.8), (1, 0.9), (0, 0.75)]), ["s"])
    assert images(found) == ["c", "b", "d"]
    assert found["severity"].to_list() == [0, 1, 2] * 3
    assert found.loc[found["image"] == 1, "confidence"].to_list() == [0.6, 0.6, 0.9]


def test_without_failures_those_whose_confidence_changes_most():
    found = strips(rows_of([(0, 0.61), (1, 0.9), (0, 0.2), (1, 0.5)]), ["s"], 2)
    assert images(found) == ["c", "b"]


def test_a_failure_goes_before_any_change():
    found = strips(rows_of([(0, 0.0), (1, 0.0), (0, 0.0), (0, 0.61)]), ["s"], 1)
    assert images(found) == ["d"]


def test_without_corruptions_or_clean_images_there_are_none():
    rows = rows_of([(1, 0.7)] * 4)
    for part in (rows[rows["severity"] == 0], rows[rows["severity"] > 0], rows.head(0)):
        assert strips(part, ["s"]).empty
    assert strips(rows, []).empty
