"""Curves are those of the table, with its intervals."""

from dataclasses import replace

import numpy as np
import pytest

from drawn import auroc, curves, draw, panels, texts
from sourcebench.figures.parts.skill import NOTE, washed
from sourcebench.figures.parts.style import PALETTE
from synthetic_runs import STYLE
from synthetic_tables import ENDS, UNSKILLED, only, synthetic_tables

CT_STYLE = replace(
    STYLE,
    confounders={
        "tag": "Tag", "noise": "Poisson noise",
        "ct_noise": "Projection noise", "xray_noise": "X-ray noise",
    },
    noises=("noise", "ct_noise", "xray_noise"),
    tasks={"cxr_mass": "lung mass, chest X-ray", "ct_nodule": "lung nodule, CT"},
)  # fmt: skip
NOISES = {
    ("cxr_mass", "tag"): ENDS,
    ("cxr_mass", "noise"): ENDS,
    ("ct_nodule", "ct_noise"): UNSKILLED,
    ("ct_nodule", "xray_noise"): ENDS,
}


def test_figure4_has_x_ray_above_ct_and_noise_alone():
    tables = synthetic_tables(NOISES)
    figure = draw("figure4", tables, CT_STYLE)
    drawn = panels(figure)
    assert [axis.get_title() for axis in drawn] == [
        "Poisson noise", "Projection noise", "X-ray noise",
    ]  # fmt: skip
    rows = [axis.get_subplotspec().rowspan.start for axis in drawn]
    assert rows == [0, 1, 1]
    means = auroc(tables, test_set="ood", confounder="ct_noise", source="imagenet")
    x, y = curves(drawn[1])[PALETTE[0]]
    np.testing.assert_allclose(x, means["p_art"])
    np.testing.assert_allclose(y, means["mean"])


def test_figure4_without_noise_says_so():
    assert "noise confounder" in texts(draw("figure4", synthetic_tables()))[0]


def test_figure3_has_the_papers_layout_and_the_tables_means_and_intervals():
    tables = synthetic_tables()
    figure = draw("figure3", tables)
    axes = np.array(panels(figure)).reshape(2, 4)
    assert [axis.get_title() for axis in axes[0]] == list(STYLE.confounders.values())
    assert axes[0, 0].get_ylabel() == "o.o.d. AUROC"
    assert axes[1, 0].get_ylabel() == "i.i.d. AUROC"
    for row, test_set in enumerate(("ood", "iid")):
        for column, confounder in enumerate(STYLE.confounders):
            axis = axes[row, column]
            grey = washed("#7F7F7F") if confounder == "gender" else "#7F7F7F"
            assert list(curves(axis)) == [PALETTE[0], PALETTE[1], grey]
            bands = [band.get_paths()[0].vertices[:, 1] for band in axis.collections]
            sources = zip(STYLE.sources, curves(axis).values(), bands, strict=True)
            for source, (x, y), band in sources:
                rows = auroc(tables, test_set=test_set, confounder=confounder, source=source)
                assert x == pytest.approx(rows["p_art"].to_numpy())
                assert y == pytest.approx(rows["mean"].to_numpy())
                assert band.min() == pytest.approx(rows["low"].min())
                assert band.max() == pytest.approx(rows["high"].max())
    levels = [line.get_ydata()[0] for line in axes[0, 3].lines if len(line.get_xdata()) == 2]
    assert levels == [0.5, STYLE.references["cxr_atelectasis"]]
    assert {"ImageNet", "RadImageNet", "Random", "chance", "UniChest (2024)"} <= set(texts(figure))
    over = "ResNet50: mean over 3 folds; 95 % interval over patients and folds"
    assert f"{over}\n{NOTE}" in texts(figure)


def test_the_rows_of_figure3_have_one_scale():
    figure = draw("figure3", synthetic_tables())
    figure.draw_without_rendering()
    per_unit = [
        axis.get_window_extent().height / np.ptp(axis.get_ylim()) for axis in panels(figure)
    ]
    assert per_unit == pytest.approx([per_unit[0]] * 8, rel=0.02)


def test_a_single_p_art_is_drawn_as_points_with_intervals():
    figure = draw("figure3", only(synthetic_tables(), p_art=1))
    drawn = curves(panels(figure)[0])
    assert [len(x) for x, _ in drawn.values()] == [1, 1, 1]
    assert len({float(x[0]) for x, _ in drawn.values()}) == 3
    assert len(panels(figure)[0].collections) == 3


def test_the_scale_of_figure3_holds_its_intervals():
    figure = draw("figure3", synthetic_tables())
    for axis in panels(figure):
        low, high = axis.get_ylim()
        for band in axis.collections:
            heights = band.get_paths()[0].vertices[:, 1]
            assert low <= heights.min()
            assert heights.max() <= min(high, 1)
