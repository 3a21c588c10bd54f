"""The figures of *Rethink Transfer Learning* show what the table says, whatever is missing."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from sourcebench.exhibits import that_need
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.models.registry import ARCHITECTURES, Architecture
from synthetic_rethink import DEEP, DENSE, SHALLOW, STYLE, TASKS, TITLES, rethink_runs

NAMES = [name for name in that_need(FIGURES, "runs") if "rethink" in name]


@pytest.fixture(autouse=True)
def truncated(monkeypatch):
    """Enter the truncated networks of these tests."""
    for name in DENSE[:-1]:
        network = Architecture(TITLES[name], parent="dense")
        monkeypatch.setitem(ARCHITECTURES._entries, name, network)


def draw(name, runs, style=STYLE):
    return FIGURES.get(name)(runs, style)


def panels(figure):
    return [axis for axis in figure.axes if axis.axison]


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def marks(axis, colour):
    """Return the markers of a colour from the top downwards: x, y."""
    points = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in axis.lines
        if line.get_marker() not in ("None", None, "") and to_hex(line.get_color()) == colour
    ]
    return sorted(points, key=lambda point: point[1])


def bars(axis, colour):
    """Return the error bars of a colour from the top downwards: their ends."""
    drawn = [
        line
        for line in axis.lines
        if line.get_marker() in ("None", None, "") and to_hex(line.get_color()) == colour
    ]
    return [tuple(line.get_xdata()) for line in sorted(drawn, key=lambda line: line.get_ydata()[0])]


def means(runs, metric, **where):
    for column, value in where.items():
        runs = runs[runs[column] == value]
    return runs.groupby("task")[metric].mean().reindex(list(STYLE.tasks)).dropna().to_numpy()


def test_rethink3_shows_mean_and_sd_of_every_source_by_task():
    runs = rethink_runs(archs=(*SHALLOW, *DEEP))
    figure = draw("rethink3", runs)
    shown = np.array(panels(figure)).reshape(2, 6)
    archs = [arch for arch in TITLES if arch in (*SHALLOW, *DEEP)]
    assert [axis.get_title() for axis in shown[0]] == [TITLES[arch] for arch in archs]
    assert [row[0].get_xlabel() for row in shown] == ["AUROC", "AUPRC"]
    labels = [label.get_text() for label in shown[0, 0].get_yticklabels()]
    assert labels == list(TASKS)
    for row, metric in zip(shown, ("auroc", "auprc_dg"), strict=True):
        for axis, arch in zip(row, archs, strict=True):
            for source, colour in (("imagenet", "#0072b2"), ("random", "#7f7f7f")):
                drawn = [x for x, _ in marks(axis, colour)]
                expected = means(runs, metric, arch=arch, source=source)
                assert drawn == pytest.approx(expected)
    one = runs.query("task == 'No Finding' and arch == 'cbr_tiny' and source == 'imagenet'")
    low, high = bars(shown[0, 3], "#0072b2")[0]
    assert (high - low) / 2 == pytest.approx(np.std(one["auroc"], ddof=1))
    assert "mean ± SD over 3 repeats" in texts(figure)


def test_few_architectures_stand_side_by_side_with_both_metrics():
    figure = draw("rethink3", rethink_runs(tasks=("Edema",), archs=DEEP))
    assert [axis.get_xlabel() for axis in panels(figure)] == ["AUROC", "AUROC", "AUPRC", "AUPRC"]


def test_only_whole_training_sets_full_fine_tuning_and_clean_images_are_compared():
    runs = rethink_runs(tasks=("Edema",), archs=DEEP)
    other = [
        rethink_runs(tasks=("Edema",), archs=DEEP, fractions=(0.1,)),
        runs.assign(transfer="probe", auroc=0.1),
        runs.assign(test_set="ood", auroc=0.1),
        runs.assign(p_art=1.0, auroc=0.1),
        runs.assign(confounder="tag"),  # the same networks, tested once more
    ]
    figures = [draw("rethink3", table) for table in (runs, pd.concat([runs, *other]))]
    first, second = ([marks(axis, "#0072b2") for axis in panels(figure)] for figure in figures)
    assert first == second
    assert "mean ± SD over 3 repeats" in texts(figures[1])


def test_rethink4_shows_curves_over_the_share_of_patients():
    runs = rethink_runs(
        tasks=("Edema", "Fracture"), archs=("dense", "cbr_tiny"), fractions=(0.05, 0.1, 1.0)
    )
    figure = draw("rethink4", runs)
    shown = np.array(panels(figure)).reshape(2, 2, 2)
    assert shown[0, 0, 1].get_title() == "DenseNet121"
    ticks = [label.get_text() for label in shown[0, 1, 0].get_xticklabels()]
    assert ticks == ["5", "10", "100"]
    for task, band in zip(("Edema", "Fracture"), shown, strict=True):
        cells = runs[(runs["task"] == task) & (runs["arch"] == "dense")]
        cells = cells[cells["source"] == "imagenet"]
        for metric, axis in zip(("auroc", "auprc_dg"), band[:, 1], strict=True):
            curve = next(line for line in axis.lines if to_hex(line.get_color()) == "#0072b2")
            expected = cells.groupby("fraction")[metric].mean()
            assert curve.get_ydata() == pytest.approx(expected.to_numpy())
            assert curve.get_xdata() == pytest.approx(expected.index.to_numpy(), rel=0.1)
    chance = [line.get_ydata()[0] for line in shown[0, 1, 0].lines if line.get_linestyle() == "--"]
    assert chance == pytest.approx([TASKS["Edema"][0]])
    assert {"Edema", "Fracture", "% of the training patients"} <= set(texts(figure))


def test_rethink4_leaves_out_tasks_without_smaller_shares():
    runs = pd.concat(
        [
            rethink_runs(tasks=("Edema",), archs=DEEP, fractions=(0.1, 1.0)),
            rethink_runs(tasks=("Fracture",), archs=DEEP),
        ]
    )
    shown = texts(draw("rethink4", runs))
    assert "Edema" in shown
    assert "Fracture" not in shown


def test_rethink5_writes_every_mean_and_the_best_in_bold():
    runs = rethink_runs(tasks=("Edema",))
    figure = draw("rethink5", runs)
    first = panels(figure)[0]
    tuned = runs[runs["source"] == "imagenet"].groupby("arch")["auroc"].mean()
    numbers = [text for text in first.texts if text.get_text()]
    expected = [f"{tuned[arch]:.3f}"[1:] for arch in TITLES]
    assert [text.get_text() for text in numbers] == expected
    bold = [text.get_text() for text in numbers if text.get_fontweight() == "bold"]
    assert bold == [f"{tuned.max():.3f}"[1:]]
    labels = [label.get_text() for label in first.get_yticklabels()]
    assert labels == list(TITLES.values())
    assert not any("Random" in text for text in texts(figure))


def test_rethink6_orders_a_family_by_depth_and_adds_the_best_other():
    runs = rethink_runs(archs=(*SHALLOW, *DENSE))
    figure = draw("rethink6", runs)
    roc, prc = panels(figure)
    tuned = runs[runs["source"] == "imagenet"]
    others = tuned[tuned["arch"].isin(SHALLOW)].groupby("arch")["auroc"].mean()
    assert f"{TITLES[others.idxmax()]} (best other)" in texts(figure)
    assert [x for x, _ in marks(roc, "#7f7f7f")] == pytest.approx(
        means(tuned, "auroc", arch=others.idxmax())
    )
    heights = {}
    for handle in figure.findobj(lambda artist: artist.get_label() in TITLES.values()):
        colour = to_hex(handle.get_color())
        arch = next(name for name, title in TITLES.items() if title == handle.get_label())
        drawn = marks(prc, colour)
        assert [x for x, _ in drawn] == pytest.approx(means(tuned, "auprc_dg", arch=arch))
        heights[arch] = drawn[0][1]
    assert sorted(heights, key=heights.get) == list(DENSE)


def test_rethink6_without_truncated_networks_says_so():
    assert any("truncated" in text for text in texts(draw("rethink6", rethink_runs(archs=DEEP))))


def test_strategies_are_compared_with_random_initialisation():
    runs = rethink_runs(tasks=("Edema",), archs=DEEP, transfers=("probe", "layerwise"))
    figure = draw("rethink_strategies", runs)
    assert {"full", "probe", "layerwise", "random initialisation"} <= set(texts(figure))
    first = panels(figure)[0]
    probe = runs.query("transfer == 'probe' and arch == 'dense'")["auroc"].mean()
    random = runs.query("source == 'random' and arch == 'dense'")["auroc"].mean()
    drawn = [line.get_xdata()[0] for line in first.lines if line.get_marker() not in ("None", "")]
    assert probe in [pytest.approx(x) for x in drawn]
    assert random in [pytest.approx(x) for x in drawn]
    assert any("strategy" in text for text in texts(draw("rethink_strategies", rethink_runs())))


def test_chance_is_the_prevalence_of_each_task_where_it_is_known():
    runs = rethink_runs(tasks=("Edema", "Fracture"), archs=DEEP)
    known = [
        line.get_xdata()[0]
        for line in panels(draw("rethink3", runs))[-1].lines
        if to_hex(line.get_color()) == "#8c8c8c" and np.ptp(line.get_xdata()) == 0
    ]
    assert known == pytest.approx([TASKS["Edema"][0], TASKS["Fracture"][0]])
    assert "chance (AUROC)" in texts(draw("rethink3", runs.drop(columns="prevalence")))


def test_without_davis_and_goadrichs_area_the_average_precision_is_shown_and_named():
    runs = rethink_runs(tasks=("Edema",), archs=DEEP).drop(columns="auprc_dg")
    figure = draw("rethink5", runs)
    assert panels(figure)[1].get_xlabel() == "AUPRC (average precision)"
    assert marks(panels(figure)[1], "#0072b2")[0][0] == pytest.approx(
        means(runs, "auprc", arch="dense", source="imagenet")[0]
    )


def test_one_repeat_has_no_bar_and_says_so():
    runs = rethink_runs(tasks=("Edema",), archs=DEEP, repeats=1)
    figure = draw("rethink3", runs)
    assert "one run each, hence no SD" in texts(figure)
    assert bars(panels(figure)[0], "#0072b2") == []
    mixed = pd.concat([runs, rethink_runs(tasks=("Fracture",), archs=DEEP)])
    assert "mean ± SD over 1–3 repeats; no bar: one run" in texts(draw("rethink3", mixed))


SMALL = rethink_runs(
    tasks=("Edema", "Fracture"),
    archs=("cbr_tiny", "dense_t2", "dense"),
    fractions=(0.1, 1.0),
    transfers=("probe",),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "runs",
    [
        SMALL,
        SMALL.drop(columns=["transfer", "fraction", "repeat", "prevalence"]),
        SMALL.query("source == 'random'"),
        SMALL.query("source != 'random'"),
        SMALL.query(
            "not (arch == 'dense' and task == 'Edema')"
            " and not (arch == 'cbr_tiny' and fraction == 1)"
        ),
        SMALL.query("test_set == 'iid'"),
        SMALL.assign(auroc=np.nan, auprc=np.nan, auprc_dg=np.nan),
        SMALL.query("task == 'Edema' and arch == 'dense_t2'"),
        pd.concat([SMALL, SMALL.query("source == 'imagenet'").assign(source="radimagenet")]),
    ],
    ids=["all", "plain", "random", "sources", "holes", "none", "nan", "one", "three"],
)
def test_odd_tables_are_drawn_all_the_same(name, runs):
    figure = draw(name, runs, StudyStyle())
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    assert texts(figure)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "runs", [SMALL, rethink_runs(tuple(TASKS)[:2], transfers=("probe",))], ids=["few", "many"]
)
def test_everything_lies_on_the_page(name, runs):
    figure = draw(name, runs)
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01


def test_ticks_are_named_as_they_are():
    figure = draw("rethink5", rethink_runs(tasks=("Enlarged Cardiomediastinum",)))
    figure.draw_without_rendering()
    for axis in panels(figure):
        shown = [float(label.get_text()) for label in axis.get_xticklabels()]
        assert shown == pytest.approx(list(axis.get_xticks()))
