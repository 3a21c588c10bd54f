"""Figures show what the table says, whatever is missing from it."""

from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from sourcebench.evaluation.statistics import compare_sources, epochs_per_source, shortcut_drop
from sourcebench.exhibits import that_need
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.save import save
from sourcebench.figures.parts.style import PALETTE, StudyStyle
from synthetic_runs import NOISE, STYLE, synthetic_runs

NAMES = [name for name in that_need(FIGURES, "runs") if "rethink" not in name]
MANY = {
    (f"task{c // 5}", f"confounder{c}", f"source{s}"): (0.8, 0.1 * s)
    for c in range(8)
    for s in range(3)
}


def draw(name, runs, style=STYLE):
    return FIGURES.get(name)(runs, style)


def panels(figure):
    return [axis for axis in figure.axes if axis.axison]


def texts(figure):
    found = figure.findobj(matplotlib.text.Text)
    return [text.get_text() for text in found if text.get_text()]


def curves(axis):
    """Return the drawn curves of a panel by colour: (x, y)."""
    lines = [line for line in axis.lines if line.get_marker() not in ("None", None, "")]
    return {line.get_color(): (line.get_xdata(), line.get_ydata()) for line in lines}


CT_STYLE = replace(
    STYLE,
    confounders={
        "tag": "Tag", "noise": "Poisson noise",
        "ct_noise": "Projection noise", "xray_noise": "X-ray noise",
    },
    noises=("noise", "ct_noise", "xray_noise"),
    tasks={"cxr_mass": "lung mass, chest X-ray", "ct_nodule": "lung nodule, CT"},
)  # fmt: skip


def test_figure4_has_x_ray_above_ct_and_noise_alone():
    tag = ("cxr_mass", "tag", "imagenet")
    runs = synthetic_runs(published={**NOISE, tag: (0.8, 0.1)})
    figure = draw("figure4", runs, CT_STYLE)
    drawn = panels(figure)
    assert [axis.get_title() for axis in drawn] == [
        "Poisson noise", "Projection noise", "X-ray noise",
    ]  # fmt: skip
    rows = [axis.get_subplotspec().rowspan.start for axis in drawn]
    assert rows == [0, 1, 1]
    ood = runs[(runs["test_set"] == "ood") & (runs["confounder"] == "ct_noise")]
    means = ood[ood["source"] == "imagenet"].groupby("p_art")["auroc"].mean()
    x, y = curves(drawn[1])[PALETTE[0]]
    np.testing.assert_allclose(x, means.index)
    np.testing.assert_allclose(y, means)


def test_figure4_without_noise_says_so():
    assert "noise confounder" in texts(draw("figure4", synthetic_runs()))[0]


def test_figure3_has_the_papers_layout_and_the_tables_means():
    runs = synthetic_runs()
    figure = draw("figure3", runs)
    axes = np.array(panels(figure)).reshape(2, 4)
    assert [axis.get_title() for axis in axes[0]] == list(STYLE.confounders.values())
    assert axes[0, 0].get_ylabel() == "o.o.d. AUROC"
    assert axes[1, 0].get_ylabel() == "i.i.d. AUROC"
    for row, test_set in enumerate(("ood", "iid")):
        for column, confounder in enumerate(STYLE.confounders):
            drawn = curves(axes[row, column])
            assert list(drawn) == [PALETTE[0], PALETTE[1], "#7F7F7F"]
            for source, (x, y) in zip(STYLE.sources, drawn.values(), strict=True):
                chosen = runs[
                    (runs["test_set"] == test_set)
                    & (runs["confounder"] == confounder)
                    & (runs["source"] == source)
                ]
                means = chosen.groupby("p_art")["auroc"].mean()
                assert x == pytest.approx(means.index.to_numpy())
                assert y == pytest.approx(means.to_numpy())
    levels = [line.get_ydata()[0] for line in axes[0, 3].lines if len(line.get_xdata()) == 2]
    assert levels == [0.5, STYLE.references["cxr_atelectasis"]]
    assert {"ImageNet", "RadImageNet", "Random", "chance", "UniChest (2024)"} <= set(texts(figure))
    assert "ResNet50: mean and 95 % confidence interval over 5 folds" in texts(figure)


def test_the_rows_of_figure3_have_one_scale():
    figure = draw("figure3", synthetic_runs())
    figure.draw_without_rendering()
    per_unit = [
        axis.get_window_extent().height / np.ptp(axis.get_ylim()) for axis in panels(figure)
    ]
    assert per_unit == pytest.approx([per_unit[0]] * 8, rel=0.02)


def test_a_single_p_art_is_drawn_as_points_with_intervals():
    figure = draw("figure3", synthetic_runs(p_art=(1,)))
    drawn = curves(panels(figure)[0])
    assert [len(x) for x, _ in drawn.values()] == [1, 1, 1]
    assert len({float(x[0]) for x, _ in drawn.values()}) == 3
    assert len(panels(figure)[0].collections) == 3


def test_architectures_and_further_axes_are_never_averaged():
    runs = synthetic_runs(archs=("resnet50", "densenet121"))
    assert len(panels(draw("figure3", runs))) == 2 * 2 * 4
    assert {"ResNet50", "densenet121"} <= set(texts(draw("figure3", runs)))
    assert len(panels(draw("drop", runs))) == 2
    assert len(panels(draw("permutation", runs))) == 2 * 3
    assert len(panels(draw("epochs", runs))) == 2 * 2
    further = pd.concat([synthetic_runs().assign(rate=rate) for rate in (0.1, 0.2)])
    figure = draw("figure3", further)
    assert len(panels(figure)) == 2 * 8
    assert {"ResNet50, rate 0.1", "ResNet50, rate 0.2"} <= set(texts(figure))


def test_drop_shows_the_tables_means():
    runs = synthetic_runs()
    figure = draw("drop", runs)
    table = shortcut_drop(runs).query("p_art == 1")
    shown = texts(figure)
    for mean in table["drop"]:
        assert f"{mean:.2f}" in shown
    assert any("between" in text and "and 1" in text for text in shown)


def test_permutation_shows_the_tables_tests():
    runs = synthetic_runs()
    figure = draw("permutation", runs)
    titles = [axis.get_title() for axis in panels(figure)]
    assert titles == ["ImageNet − RadImageNet", "ImageNet − Random", "RadImageNet − Random"]
    table = compare_sources(runs[runs["test_set"] == "ood"])
    cell = table.query(
        "confounder == 'tag' and p_art == 1 and source_a == 'imagenet' and source_b == 'random'"
    ).iloc[0]
    first = [text.get_text() for text in panels(figure)[1].texts]
    assert f"−{abs(cell['difference']):.2f}\np .008" in first
    assert any("too few for any" in text for text in texts(figure))


LONG = {
    "imagenet": "ImageNet (torchvision, V1)", "radimagenet": "TorchXRayVision (MIMIC)",
    "random": "BiomedCLIP (PubMed figures)",
}  # fmt: skip


@pytest.mark.parametrize("name", ["permutation", "figure3", "epochs"])
def test_long_titles_do_not_overlap(name):
    wordy = {key: f"{title}, as strong as in the paper" for key, title in STYLE.confounders.items()}
    style = replace(STYLE, sources=LONG, confounders=wordy, archs={"resnet50": "ResNet50 " * 6})
    figure = draw(name, synthetic_runs(p_art=(0, 1), folds=3), style)
    figure.draw_without_rendering()
    titles = [axis.title.get_window_extent() for axis in panels(figure) if axis.get_title()]
    assert len(titles) >= 2
    for i, one in enumerate(titles):
        assert not any(one.overlaps(other) for other in titles[i + 1 :])
    if name == "permutation":
        assert "TorchXRayVision (MIMIC)" in panels(figure)[0].get_title()


def test_the_scale_of_figure3_holds_its_intervals():
    figure = draw("figure3", synthetic_runs(folds=3))
    for axis in panels(figure):
        low, high = axis.get_ylim()
        for band in axis.collections:
            heights = band.get_paths()[0].vertices[:, 1]
            assert low <= heights.min()
            assert heights.max() <= min(high, 1)


def test_permutation_turns_a_pair_that_the_style_orders_otherwise():
    runs = synthetic_runs(p_art=(1,))
    style = StudyStyle(sources={"radimagenet": "R", "imagenet": "I"})
    axis = panels(draw("permutation", runs, style))[0]
    assert axis.get_title() == "R\n− I"  # as the longest title needs two lines
    shown = axis.images[0].get_array()
    there = compare_sources(runs).query(
        "test_set == 'ood' and source_a == 'imagenet' and source_b == 'radimagenet'"
    )
    assert sorted(shown[:, 0]) == pytest.approx(sorted(-there["difference"]))


def test_bold_is_what_survives_holm():
    runs = synthetic_runs(folds=6).query("source != 'random'")
    table = compare_sources(runs[runs["test_set"] == "ood"])
    figure = draw("permutation", runs)
    bold = [text for text in panels(figure)[0].texts if text.get_fontweight() == "bold"]
    bold = [text for text in bold if "p " in text.get_text()]
    assert len(bold) == (table["p_holm"] <= 0.05).sum() > 0


def test_epochs_shows_the_tables_means():
    runs = synthetic_runs()
    shown = texts(draw("epochs", runs))
    for mean in epochs_per_source(runs)["mean"]:
        assert f"{mean:.0f}" in shown


def test_a_source_keeps_its_colour_and_listed_names_come_first():
    runs = synthetic_runs(published=MANY)
    style = StudyStyle(sources={"source2": "Two"}, colours={"source1": "#123456"}).covering(runs)
    assert list(style.sources) == ["source2", "source0", "source1"]
    assert style.colours["source1"] == "#123456"
    part = StudyStyle(sources=style.sources, colours=style.colours).covering(runs.head(30))
    assert part.colours == style.colours


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "runs",
    [
        synthetic_runs(p_art=(0.5,)),
        synthetic_runs(folds=1, p_art=(0, 1)),
        synthetic_runs(p_art=(0, 1)).query("source == 'random' and confounder == 'tag'"),
        synthetic_runs(p_art=(0, 1), folds=3, published=MANY),
        synthetic_runs(archs=("a", "b"), p_art=(0, 1)).query(
            "not (arch == 'a' and confounder == 'tag') and not (source == 'random' and p_art == 1)"
        ),
        synthetic_runs(p_art=(0, 1)).query("test_set == 'clean'"),
        synthetic_runs(p_art=(0, 1)).query("test_set == 'ood'"),
        synthetic_runs(p_art=(0, 1)).assign(auroc=np.nan),
        synthetic_runs(p_art=(0, 0.01, 0.02, 1), folds=2).query("confounder == 'gender'"),
    ],
    ids=["one p", "one fold", "one curve", "many", "holes", "clean", "ood", "nan", "crowded"],
)
def test_odd_tables_are_drawn_all_the_same(name, runs):
    figure = draw(name, runs, StudyStyle())
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    assert texts(figure)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "runs",
    [
        synthetic_runs(),
        synthetic_runs(p_art=(0, 1)).query("confounder == 'tag' and source != 'random'"),
        synthetic_runs(p_art=(0, 1), published=MANY),
    ],
    ids=["paper", "small", "many"],
)
def test_everything_lies_on_the_page(name, runs):
    figure = draw(name, runs)
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01


def test_drawing_leaves_matplotlibs_settings_alone():
    before = dict(matplotlib.rcParams)
    draw("figure3", synthetic_runs(p_art=(0, 1)))
    assert dict(matplotlib.rcParams) == before


def test_saved_figures_are_whole_and_the_same_each_time(tmp_path):
    runs = synthetic_runs(p_art=(0, 1))
    for name in ("a.png", "b.pdf", "c_p0.5"):
        save(draw("drop", runs), tmp_path / name)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.pdf", "a.png", "b.pdf", "b.png", "c_p0.5.pdf", "c_p0.5.png"]
    for suffix in (".png", ".pdf"):
        assert len({path.read_bytes() for path in tmp_path.glob(f"*{suffix}")}) == 1
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()
