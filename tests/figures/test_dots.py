"""Dots are the numbers of the tables, with their intervals."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from drawn import bars, draw, lines_of, panels, texts
from sourcebench.figures.parts.skill import DAGGER, washed
from sourcebench.figures.parts.style import PALETTE
from synthetic_tables import ENDS, only, synthetic_tables


@pytest.mark.parametrize(
    ("folds", "repeats", "said"),
    [
        (3, None, "mean over 3 folds; 95 % interval over patients and folds"),
        (1, None, "one fold; 95 % interval over patients"),
        (1, 3, "mean over 3 repeats of one fold; 95 % interval over patients and repeats"),
    ],
)
def test_the_legend_says_what_an_interval_is_over(folds, repeats, said):
    targets = {("cxr_mass", "tag"): ENDS}
    p_art = (0, 0.5, 1) if folds > 1 else (0, 1)
    figure = draw("drop", synthetic_tables(targets, p_art, folds, repeats))
    assert f"{said}; dots: {'repeats' if repeats else 'folds'}" in texts(figure)


def test_drop_shows_the_tables_means_and_intervals_and_every_fold():
    tables = synthetic_tables()
    axis = panels(draw("drop", tables))[0]
    table = tables["drop"].query("p_art == 1")
    shown = [text.get_text() for text in axis.texts]
    for row in table.to_dict("records"):
        mark = f" {DAGGER}" if row["skilled"] == "no" else ""
        assert f"{row['drop']:.2f}".replace("-", "−") + mark in shown
    ends = [ends for _, ends in bars(axis)]
    expected = sorted(zip(table["low"], table["high"], strict=True))
    np.testing.assert_allclose(sorted(ends), expected)
    dots = [group.get_offsets()[:, 0] for group in axis.collections]
    assert [len(each) for each in dots] == [3] * 12
    # a mean of drops is the drop of the means
    assert sorted(map(np.mean, dots)) == pytest.approx(sorted(table["drop"]))


QUESTIONS = ("encoded", "used", "paid")


def test_encoded_used_paid_shows_the_tables_answers():
    tables = synthetic_tables()
    table = tables["encoded_used_paid"]
    top = table.query("p_art == 1")
    for axis, name in zip(panels(draw("encoded_used_paid", tables)), QUESTIONS, strict=True):
        assert axis.get_title() == f"{name.capitalize()}?"
        marks = {True: [], False: []}
        for line in lines_of(axis):
            hollow = to_hex(line.get_markerfacecolor()) == "#ffffff"
            marks[hollow].append(line.get_xdata()[0])
        assert sorted(marks[False]) == pytest.approx(sorted(top[name]))
        before = table.query("p_art == 0")["encoded"] if name == "encoded" else []
        assert sorted(marks[True]) == pytest.approx(sorted(before))
        ends = sorted(ends for _, ends in bars(axis))
        columns = (top[f"{name}_low"], top[f"{name}_high"])
        np.testing.assert_allclose(ends, sorted(zip(*columns, strict=True)))
        low, high = axis.get_xlim()
        assert low <= min(np.ravel(ends))
        assert max(np.ravel(ends)) <= high


def test_encoded_used_paid_marks_attributes():
    tables = synthetic_tables()
    groups = tables["encoded_used_paid"]["confounder"] == "gender"
    contrast = np.where(groups, "matched groups", "paired images")
    table = tables["encoded_used_paid"].assign(contrast=contrast)
    figure = draw("encoded_used_paid", {**tables, "encoded_used_paid": table})
    names = [label.get_text() for label in panels(figure)[0].get_yticklabels()]
    assert ["‡" in name for name in names] == [False, False, False, True]
    assert names[3].startswith("Patient gender‡\n")
    assert any("‡ an attribute" in text for text in texts(figure))


def test_leaderboard_has_the_best_on_top_and_how_sure_it_is():
    tables = synthetic_tables()
    axis = panels(draw("leaderboard", tables))[0]
    table = tables["leaderboard"].query("score == 'area' and confounder == 'tag'")
    table = table.sort_values("rank")
    drawn = sorted(lines_of(axis), key=lambda line: line.get_ydata()[0])[:3]
    assert [line.get_xdata()[0] for line in drawn] == pytest.approx(list(table["value"]))
    colours = {"imagenet": PALETTE[0], "radimagenet": PALETTE[1], "random": "#7F7F7F"}
    assert [line.get_color() for line in drawn] == [colours[name] for name in table["source"]]
    shown = [text.get_text() for text in axis.texts]
    for row in table.to_dict("records"):
        low, high = row["rank_low"], row["rank_high"]
        span = f"{low:g}–{high:g}" if low < high else f"{low:g}"
        assert f"{row['rank']:g} [{span}]" in shown
        assert f"{row['value']:.2f}" in shown


def test_a_source_without_skill_is_last_without_a_rank_though_its_curve_is_highest():
    tables = only(synthetic_tables(), confounder="gender")
    axis = panels(draw("leaderboard", tables))[0]
    drawn = sorted(lines_of(axis), key=lambda line: line.get_ydata()[0])
    assert drawn[-1].get_xdata()[0] == max(line.get_xdata()[0] for line in drawn)
    assert drawn[-1].get_color() == washed("#7F7F7F")
    shown = [text.get_text() for text in axis.texts]
    assert sum("[" in text for text in shown) == 2
    assert shown.count(DAGGER) == 1
