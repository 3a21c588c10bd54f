"""Published curves stand in panels of their own, in the metric that they were published in."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import merged
from drawn import draw as draw_tables
from drawn import panels, texts
from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.published import PAPERS, read
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.study import Study
from synthetic_runs import NOISE, PUBLISHED, synthetic_runs

STYLE = StudyStyle(**Study.of(merged({})).style)
CT = {
    (task, "ct_xray_noise" if confounder == "xray_noise" else confounder, source): means
    for (task, confounder, source), means in NOISE.items()
}

# AUC of ImageNet's folds between the ends, as the paper's repository has them
FOLDS = {
    confounder: {
        each["p_art"]: np.array(each["percent"]) / 100
        for each in read(PAPERS["source_matters"])["folds"]
        if each["confounder"] == confounder and 0 < each["p_art"] < 1
    }
    for confounder in ("tag", "denoise", "noise", "gender")
}


def runs_of(published, **how):
    """Runs whose Keras AUC is another than their AUROC."""
    runs = synthetic_runs(published=published, p_art=(0, 0.5, 1), folds=2, **how)
    return runs.assign(auc_keras=0.9 * runs["auroc"] + 0.05)


def draw(name, runs, style=STYLE):
    """Draw a figure of these runs and of the means of their cells."""
    keys = [name for name in axes(runs) if name != "fold"]
    long = runs.melt(keys, ["auroc", "auc_keras"], "metric", "mean")
    cells = long.groupby([*keys, "metric"], as_index=False)["mean"].mean()
    bounds = {"low": cells["mean"] - 0.05, "high": cells["mean"] + 0.05}
    cells = cells.assign(folds=2, repeats=1, skilled="yes", **bounds)
    return draw_tables(name, {"runs": runs, "summary": cells}, style)


def dashed(axis):
    """The published curves of a panel: colour → (p_art, means)."""
    hollow = [line for line in axis.lines if line.get_markerfacecolor() == "white"]
    return {line.get_color(): (line.get_xdata(), line.get_ydata()) for line in hollow}


def solid(axis):
    lines = [line for line in axis.lines if line.get_linestyle() == "-" and len(line.get_xdata())]
    return {line.get_color(): (line.get_xdata(), line.get_ydata()) for line in lines}


def test_figure3_has_a_row_of_published_curves():
    runs = runs_of(PUBLISHED)
    figure = draw("figure3", runs)
    axes = np.array(panels(figure)).reshape(3, 4)
    labels = [row[0].get_ylabel() for row in axes]
    assert labels == ["o.o.d. AUROC", "i.i.d. AUROC", "o.o.d. Keras AUC"]
    assert not any(dashed(axis) for axis in axes[:2].flat)
    colours = STYLE.covering(runs).colours
    for axis, confounder in zip(axes[2], ("tag", "denoise", "noise", "gender"), strict=True):
        published, own = dashed(axis), solid(axis)
        for source in ("imagenet", "radimagenet", "random"):
            (means,) = (m for (_, c, s), m in PUBLISHED.items() if (c, s) == (confounder, source))
            shares, values = published[colours[source]]
            assert ((shares[0], shares[-1]), (values[0], values[-1])) == ((0, 1), means)
            folds = FOLDS[confounder] if source == "imagenet" else {}
            between = dict(zip(shares[1:-1], values[1:-1], strict=True))
            assert between == pytest.approx({p: np.mean(each) for p, each in folds.items()})
            cell = (runs["confounder"] == confounder) & (runs["source"] == source)
            ours = runs[cell & (runs["test_set"] == "ood")].groupby("p_art")["auc_keras"].mean()
            np.testing.assert_allclose(own[colours[source]][1], ours)
    assert "published (Keras AUC)" in texts(figure)


def test_figure4_has_a_row_below_each_task():
    figure = draw("figure4", runs_of(CT))
    drawn = panels(figure)
    visible = [axis.yaxis.label for axis in drawn if axis.yaxis.label.get_visible()]
    labels = [label.get_text() for label in visible if label.get_text()]
    assert labels == ["o.o.d. AUROC", "o.o.d. Keras AUC"] * 2
    assert [len(dashed(axis)) for axis in drawn] == [0, 3, 0, 0, 3, 3]
    assert "published (Keras AUC)" in texts(figure)


@pytest.mark.parametrize("name", ["figure3", "figure4"])
def test_without_published_curves_nothing_is_added(name):
    with_them = draw(name, runs_of(CT))
    without = draw(name, runs_of(CT), replace(STYLE, published=()))
    other = draw(name, runs_of(CT, archs=("densenet121",)))
    assert len(panels(without)) == len(panels(other)) == (6 if name == "figure3" else 3)
    assert len(panels(with_them)) > len(panels(without))
    assert not any("published" in text for text in [*texts(without), *texts(other)])


def test_only_what_is_the_papers_is_compared():
    """Another architecture, and a confounder of which nothing is published, have no such panel."""
    some = {**PUBLISHED, ("cxr_mass", "noise_levels", "imagenet"): (0.8, 0.5)}
    figure = draw("figure3", runs_of(some, archs=("resnet50", "densenet121")))
    assert len(panels(figure)) == 2 * 2 * 5 + 4
    assert sum(bool(dashed(axis)) for axis in panels(figure)) == 4
    probe = draw("figure3", runs_of(PUBLISHED).assign(transfer="probe"))
    assert len(panels(probe)) == 2 * 4


@pytest.mark.parametrize("name", ["figure3", "figure4"])
def test_everything_lies_on_the_page_and_no_titles_overlap(name):
    figure = draw(name, runs_of({**PUBLISHED, **CT}))
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01
    titles = [axis.title.get_window_extent() for axis in panels(figure) if axis.get_title()]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[i + 1 :])


def test_the_rows_of_figure3_have_one_scale():
    figure = draw("figure3", runs_of(PUBLISHED))
    figure.draw_without_rendering()
    scales = [axis.get_window_extent().height / np.ptp(axis.get_ylim()) for axis in panels(figure)]
    assert scales == pytest.approx([scales[0]] * 12, rel=0.02)
