"""Figures of confidence scores show what is there, and all of it can be read."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from drawn import draw, lines_of, panels, texts
from sourcebench.evaluation.silent_failures import silent_failures
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.figures.silent_failures.confidence_table import percent, shades_of
from sourcebench.figures.silent_failures.scores import baseline, called_in, looks_of, named, title
from synthetic_failures import (
    CORRUPTIONS,
    MEAN_RANKS,
    NINE,
    PAPER,
    SIXTEEN,
    TITLES,
    axes_of,
    confidence,
    confounded,
    curves,
    more,
    row,
)
from synthetic_failures import test_of as one_of

OF_SCORES = [
    name for name in FIGURES.names() if FIGURES.get(name).drawn.startswith("with confidence")
]
STYLE = StudyStyle(
    tasks=TITLES,
    sources={"imagenet": "ImageNet", "radimagenet": "RadImageNet", "random": "Random"},
    confounders={"tag": "Tag", "gender": "Patient gender"},
    archs={"resnet50": "ResNet50"},
    scores=SIXTEEN,
)
TWO = CORRUPTIONS[:2]
ONE = {cell: values for cell, values in PAPER.items() if cell[0] == "derm"}
SMALL = {cell: values for cell, values in PAPER.items() if cell[0] in ("derm", "nodules")}


def tables_of(table):
    return {
        "confidence": table,
        "silent_failures": silent_failures(table),
        "risk_coverage": curves(table),
    }


@cache
def made(name):
    """Tables that tests share, and must leave as they are."""
    return tables_of(
        {
            "small": lambda: confidence(SMALL, repeats=2, opposed=True, families=TWO),
            "sixteen": lambda: confidence(more(ONE, 16), SIXTEEN, repeats=1, families=TWO),
            "confounded": lambda: confounded(p_art=(0, 0.5, 1), repeats=2),
        }[name]()
    )


def one_shift(*aurcs, score="dg_res", family="clinic", task="t", **axes):
    """Rows of msr, with an AURC of 0.2, and of another score under one shift, by repeat."""
    test = one_of(family, "acquisition", family, 0)
    return pd.DataFrame(
        [
            row(axes_of(task, name, i + 1, **axes), test, name, aurc)
            for i, other in enumerate(aurcs)
            for name, aurc in (("msr", 0.2), (score, other))
        ]
    )


def scores(table, wanted):
    return table[table["score"].isin(wanted)]


ODD = {
    "empty": lambda: confidence(ONE, repeats=1, families=TWO)[:0],
    "one score": lambda: scores(confidence(ONE, repeats=1, families=TWO), ["pe"]),
    "one test set": lambda: one_shift(0.3),
    "iid": lambda: confidence({("derm", "iid"): PAPER["derm", "iid"]}, repeats=1),
    "nan": lambda: confidence({("derm", "iid"): [np.nan] * 9}, repeats=1),
    "no failure": lambda: confidence({("derm", "acquisition"): [0] * 9}, repeats=2),
    "all fail": lambda: confidence({("derm", "corruption"): [100] * 9}, repeats=2),
    "no methods": lambda: confidence(ONE, repeats=1, families=TWO).drop(columns="method"),
    "one p_art": lambda: confounded(NINE[:2], p_art=(0.5,), repeats=1),
    "further": lambda: pd.concat(
        [one_shift(0.3, fraction=share) for share in (0.1, 1.0)]
    ),
    "archs": lambda: pd.concat([one_shift(0.3, task=t, arch=t) for t in "ab"]),
    "strange": lambda: one_shift(0.3, score="unheard_of").assign(shift="weather"),
}  # fmt: skip


@cache
def strange(odd):
    return tables_of(ODD[odd]())


@pytest.mark.parametrize("name", OF_SCORES)
@pytest.mark.parametrize("odd", ODD)
def test_odd_tables_are_drawn_all_the_same(name, odd):
    figure = draw(name, strange(odd), StudyStyle())
    assert isinstance(figure, Figure)
    assert texts(figure)
    if odd in ("empty", "nan"):
        assert "Needs" in " ".join(texts(figure))


@pytest.mark.parametrize("name", OF_SCORES)
@pytest.mark.parametrize("shape", ["small", "sixteen", "confounded"])
def test_everything_lies_on_the_page(name, shape):
    figure = draw(name, made(shape), STYLE)
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01


def test_the_table_shows_the_papers_numbers_and_mean_ranks():
    figure = draw("confidence_table", tables_of(confidence(repeats=1, families=TWO)), STYLE)
    shown = texts(figure)
    for text in (".544", "1.46", "5.80", "61.9", "49.3", "Dermoscopy", "man.", "mean\nrank"):
        assert text in shown
    for rank in MEAN_RANKS:
        assert f"{rank:.1f}" in shown
    (axis,) = panels(figure)
    bold = [t.get_text() for t in axis.texts if t.get_fontweight() == "bold"]
    assert [text for text in bold if text[0] in ".0123456789"] == [
        "14.4", "17.9", "22.1", *[".544"] * 5, ".893", ".787", "45.5", "7.46", "54.3", "31.8",
        "3.97", "7.13", "7.13", "11.5", "11.5", "3.0",
    ]  # fmt: skip


def luminance(colour):
    """Relative luminance (WCAG 2.1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


def test_numbers_can_be_read_on_every_colour():
    (axis,) = panels(draw("confidence_table", made("small"), STYLE))
    cells = [patch for patch in axis.patches if isinstance(patch, Rectangle)]
    assert len(cells) == 9 * len(SMALL)
    for patch in cells:
        assert (luminance(patch.get_facecolor()[:3]) + 0.05) / 0.05 >= 7


def test_scores_that_hardly_differ_have_hardly_a_colour():
    assert shades_of(pd.Series([10, 10.1, 9.9])).abs().max() == pytest.approx(0.1)
    assert shades_of(pd.Series([10, 30, 9])).tolist() == [0, 1, -0.05]
    assert shades_of(pd.Series([0.0, 0.0])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.153, "15.3"), (0.00544, ".544"), (0.058, "5.80"), (1, "100"), (0, "0"), (0.0999951, "10.0"),
     (0.000123, ".0123"), (0.0000001, "<.001"), (0.99951, "100"), (0.00999951, "1.00")],
)  # fmt: skip
def test_percent_has_three_digits(share, text):
    assert percent(share) == text


def test_scores_have_their_titles_their_order_and_looks_of_their_own():
    table = named(made("sixteen")["silent_failures"], STYLE)
    names = called_in(table)
    assert names[:2] == ["MSR", "PE"]
    assert len(names) == 16
    looks = looks_of(table)
    assert len({(look["color"], str(look["linestyle"])) for look in looks.values()}) == 16
    turned = named(made("sixteen")["silent_failures"], StudyStyle(scores=("pe", "msr")))
    assert called_in(turned)[:2] == ["PE", "MSR"]
    two = pd.concat([one_shift(0.3), one_shift(0.3).replace({"method": "cross_entropy"}, "dro_x")])
    assert called_in(named(two, STYLE))[:2] == ["MSR, cross entropy", "MSR, dro x"]
    assert baseline(named(two, STYLE)) == "MSR, cross entropy"
    assert baseline(named(scores(two, ["dg_res"]), STYLE)) is None


def dots(figure, name):
    """The dots of a score in `opposites`: (ratio, whether it is filled)."""
    (axis,) = [axis for axis in panels(figure) if axis.get_title() == name]
    return [
        (float(line.get_xdata()[0]), line.get_markerfacecolor() != "white")
        for line in lines_of(axis)
    ], axis


def test_opposites_are_ratios_to_msr_and_shown_where_a_score_is_better_and_worse():
    table = pd.concat([
        one_shift(0.1, 0.11, 0.1, family="a"), one_shift(0.4, 0.41, 0.4, family="b"),
        one_shift(0.1, 0.4, 0.2, family="c"),
    ])  # fmt: skip
    found, axis = dots(draw("opposites", tables_of(table), STYLE), title("dg_res"))
    means = [np.exp(np.log(np.array(v) / 0.2).mean()) for v in
             ([0.1, 0.11, 0.1], [0.4, 0.41, 0.4], [0.1, 0.4, 0.2])]  # fmt: skip
    assert [ratio for ratio, _ in found] == pytest.approx(means)
    assert [filled for _, filled in found] == [True, True, False]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["t: a", "t: b", "t: c"]
    assert len(axis.patches) == 1  # grey
    unclear = pd.concat([one_shift(0.1, 0.11, family="a"), one_shift(0.1, 0.5, family="c")])
    assert not dots(draw("opposites", tables_of(unclear), STYLE), title("dg_res"))[1].patches


def test_an_ensemble_is_set_against_the_mean_of_the_networks():
    table = pd.concat([one_shift(0.3, 0.3), one_shift(0.1, score="ensemble_msr")])
    table.loc[table["score"] == "ensemble_msr", ["fold", "repeat"]] = 0
    found, _ = dots(
        draw("opposites", tables_of(table.drop_duplicates()), STYLE), title("ensemble_msr")
    )
    assert found[0][0] == pytest.approx(0.5)


def test_ranks_are_those_of_the_table_the_best_on_top():
    tables = made("small")
    figure = draw("score_ranks", tables, STYLE)
    means = tables["silent_failures"].groupby("score")["rank"].mean()
    labels = [label.get_text() for label in panels(figure)[0].get_yticklabels()]
    assert sorted(labels) == sorted(title(name) for name in means.index)
    shown = [text.get_text() for text in panels(figure)[-1].texts[1:]]
    assert shown == [f"{mean:.1f}" for mean in means.sort_values()]


def test_severity_starts_at_the_iid_test_set():
    figure = draw("severity_curves", made("small"), STYLE)
    assert len(panels(figure)) == 2 * 2
    for axis, task in ((panels(figure)[0], "derm"), (panels(figure)[2], "nodules")):
        line = lines_of(axis)[0]
        assert list(line.get_xdata()) == [0, 1, 2, 3, 4, 5]
        assert line.get_ydata()[0] == pytest.approx(PAPER[task, "iid"][0])
        ends = [y for each in axis.lines for y in each.get_ydata()]
        assert axis.get_ylim()[0] <= min(ends) <= max(ends) <= axis.get_ylim()[1]


def test_curves_have_the_area_of_the_table():
    tables = made("small")
    axis = panels(draw("risk_coverage", tables, STYLE))[0]
    line = next(line for line in axis.lines if line.get_color() == "#262626")
    area = np.trapezoid(line.get_ydata(), line.get_xdata()) / 100
    assert area == pytest.approx(PAPER["derm", "iid"][0], abs=0.05)


def test_a_shortcut_over_p_art_by_source():
    tables = made("confounded")
    figure = draw("aurc_over_p_art", tables, STYLE)
    assert len(panels(figure)) == 3 * 2
    ood, iid, silent = panels(figure)[::2]
    table = tables["silent_failures"]
    wanted = table[(table["score"] == "msr") & (table["source"] == "radimagenet")]
    wanted = wanted[wanted["task"] == "cxr_mass"].sort_values("p_art")
    cells = (
        (ood, "confounder", "aurc"),
        (iid, "iid", "aurc"),
        (silent, "confounder", "silent_share"),
    )
    for axis, shift, value in cells:
        drawn = [line.get_ydata() for line in lines_of(axis) if line.get_marker() == "s"]
        expected = 100 * wanted.loc[wanted["shift"] == shift, value]
        assert any(np.allclose(each, expected) for each in drawn)
        assert len(axis.lines) == 3 * 9
    alone = draw("aurc_over_p_art", tables_of(confidence(ONE, repeats=1, families=TWO)), STYLE)
    assert "Needs" in texts(alone)[0]
