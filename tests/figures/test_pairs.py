"""Figures of pairs of sources show the tests of the table that they say they show."""

import pytest

from drawn import cell_texts, draw, panels, texts
from sourcebench.figures.parts.skill import DAGGER, NOTE
from sourcebench.figures.parts.style import StudyStyle
from synthetic_tables import only, synthetic_tables


def test_permutation_shows_the_papers_tests_and_none_in_bold():
    tables = synthetic_tables()
    figure = draw("permutation", tables)
    titles = [axis.get_title().replace("\n", " ") for axis in panels(figure)]
    assert titles == ["ImageNet − RadImageNet", "ImageNet − Random", "RadImageNet − Random"]
    cell = tables["comparisons"].query(
        "confounder == 'tag' and p_art == 1 and source_a == 'imagenet' and source_b == 'random' "
        "and of == 'auroc' and test_set == 'ood'"
    ).iloc[0]  # fmt: skip
    assert cell["p_permutation"] == pytest.approx(2 / 20)  # 3 folds against 3: 20 ways, two-sided
    first = [text.get_text() for text in cell_texts(panels(figure)[1])]
    assert f"−{abs(cell['difference']):.2f}\np .100" in first
    every = [text for axis in panels(figure) for text in cell_texts(axis)]
    assert len(every) == 4 * 3 * 3
    assert not [text for text in every if text.get_fontweight() == "bold"]
    assert any("not corrected for a confounder's 9 tests" in text for text in texts(figure))


def test_differences_shows_the_tables_tests_of_drops():
    tables = synthetic_tables()
    figure = draw("differences", tables)
    table = tables["comparisons"].query("of == 'drop'")
    for axis, other in zip(panels(figure)[:2], ("radimagenet", "random"), strict=True):
        cells = table[(table["source_a"] == "imagenet") & (table["source_b"] == other)]
        shown = axis.images[0].get_array()
        assert shown.shape == (4, 2)
        assert sorted(shown.ravel()) == pytest.approx(sorted(cells["difference"]))
    everything = [text for axis in panels(figure) for text in cell_texts(axis)]
    bold = [text for text in everything if text.get_fontweight() == "bold"]
    sure = table.query("p_holm <= 0.05 and skilled == 'yes'")
    assert len(bold) == len(sure) > 0
    assert len(sure) < len(table)
    assert any("a confounder's 6 tests" in text for text in texts(figure))


def test_a_p_near_0_is_not_called_0():
    tables = synthetic_tables()
    table = tables["comparisons"].assign(p=[1e-9, 1.0] * (len(tables["comparisons"]) // 2))
    shown = texts(draw("differences", {**tables, "comparisons": table}))
    assert any(text.endswith("p <.001") for text in shown)
    assert any(text.endswith("p 1") for text in shown)
    assert not any(text.endswith("p .000") for text in shown)


@pytest.mark.parametrize(("name", "of"), [("permutation", "auroc"), ("differences", "drop")])
def test_a_pair_that_the_style_orders_otherwise_is_turned(name, of):
    tables = only(synthetic_tables(), p_art=1)
    style = StudyStyle(sources={"radimagenet": "R", "imagenet": "I"})
    axis = panels(draw(name, tables, style))[0]
    assert axis.get_title() == "R\n− I"  # as the longest title needs two lines
    there = tables["comparisons"].query(
        "test_set == 'ood' and of == @of and source_a == 'imagenet' and source_b == 'radimagenet'"
    )
    assert sorted(axis.images[0].get_array()[:, 0]) == pytest.approx(sorted(-there["difference"]))


@pytest.mark.parametrize("name", ["permutation", "differences"])
def test_a_pair_without_skill_is_hatched_and_never_bold(name):
    tables = only(synthetic_tables(), confounder=["tag", "gender"])
    assert (tables["comparisons"].query("skilled == 'no' and of == 'drop'")["p_holm"] < 0.05).any()
    figure = draw(name, tables)
    hatched = [[patch for patch in axis.patches if patch.get_hatch()] for axis in panels(figure)]
    marked = [
        [text for text in cell_texts(axis) if DAGGER in text.get_text()] for axis in panels(figure)
    ]
    shares = 3 if name == "permutation" else 2
    assert list(map(len, hatched)) == list(map(len, marked)) == [0, shares, shares]
    assert {patch.get_y() for patches in hatched for patch in patches} == {0.5}  # gender's line
    assert not any(text.get_fontweight() == "bold" for each in marked for text in each)
    assert any(NOTE in text for text in texts(figure))
