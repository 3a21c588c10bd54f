"""Figures of explored runs say what the tables say, whatever is in them."""

import numpy as np
import pytest

from drawn import texts
from sourcebench.exhibits import that_need
from sourcebench.explorer import Explored
from sourcebench.figures import FIGURES, Contents, called_for
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.figures.silent_failures.latent_space import CLASSES
from sourcebench.figures.silent_failures.shown import RUNS
from sourcebench.figures.silent_failures.top_failures import sure
from synthetic_explored import explored

NAMES = that_need(FIGURES, "explored")
STYLE = StudyStyle(sources={"random": "Random"}, tasks={"shapes": "Shapes"})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explored")
    explored(folder / "a", folder / "few", count=24)
    explored(folder / "b", folder / "many", count=36, classes=9, channels=6, source="imagenet")
    return {name: Explored.read(folder / name) for name in ("few", "many")}


def test_they_are_drawn_where_runs_are_explored():
    assert NAMES == ["concepts", "latent_space", "severity_strips", "top_failures"]
    assert set(called_for(Contents(explored=True))) - set(called_for(Contents())) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_run_has_its_part_and_everything_lies_on_the_page(name, runs):
    figure = FIGURES.get(name)(list(runs.values()), STYLE)
    figure.draw_without_rendering()
    shown = texts(figure)
    assert "Shapes, Random, resnet50" in shown
    assert "Shapes, imagenet, resnet50" in shown
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_can_be_shown_it_says_so(name, runs):
    one = runs["few"]
    empty = Explored(
        one.folder, one.record, one.embedding.head(0), one.concepts.head(0), one.failures.head(0),
        one.severities.head(0),
    )  # fmt: skip
    for given in ([], [empty]):
        assert texts(FIGURES.get(name)(given, STYLE)) == [
            "Needs runs whose latent space is kept (experiment.explore)."
        ]


def test_of_many_runs_the_first_are_shown_and_the_others_counted(runs):
    figure = FIGURES.get("severity_strips")([runs["few"]] * (RUNS + 2), STYLE)
    assert sum(text == "Shapes, Random, resnet50" for text in texts(figure)) == RUNS
    assert any("2 more runs were explored." in text for text in texts(figure))


def test_counts_of_the_latent_space_are_those_of_the_points(runs):
    for run, classes in ((runs["few"], 2), (runs["many"], CLASSES + 1)):
        legends = [
            [text.get_text() for text in axis.get_legend().get_texts()]
            for axis in FIGURES.get("latent_space")([run], STYLE).findobj(
                lambda each: hasattr(each, "get_legend") and each.get_legend()
            )
        ]
        assert len(legends) == 3
        assert len(legends[0]) == classes
        for legend in legends:
            counts = [int(text.rsplit("n = ", 1)[1].rstrip(")")) for text in legend]
            assert sum(counts) == len(run.points.drop_duplicates(["image_id", "layer"]))
        silent = (run.embedding["msr_outcome"] == "silent").sum()
        assert f"wrong, kept: silent (n = {silent})" in legends[2]


def test_failures_are_shown_with_what_they_are_called(runs):
    run = runs["few"]
    shown = texts(FIGURES.get("top_failures")([run], STYLE))
    worst = run.failures[run.failures["test_set"] == "bright_3"].iloc[0]
    expected = [
        f"true: class {worst['label']}", f"called: class {worst['called']}",
        f"MSR {sure(worst['confidence'])}",
    ]  # fmt: skip
    assert "\n".join(expected) in shown
    rows = run.embedding[run.embedding["set"] == "bright_3"]
    wrong = rows[rows["called"] != rows["label"]]
    silent = wrong["msr_kept"].sum()
    assert f"24 images,\n{len(wrong)} wrong,\n{silent} of them silent" in shown
    assert not any("severity 1" in text for text in shown)


def test_concepts_say_the_size_and_the_failures_of_each_cluster(runs):
    run = runs["few"]
    shown = texts(FIGURES.get("concepts")([run], STYLE))
    for row in run.concepts[run.concepts["concept"] == "class"].itertuples():
        assert f"{row.size} · {row.failures / row.size:.0%}" in shown


def test_strips_go_from_none_to_the_most(runs):
    shown = texts(FIGURES.get("severity_strips")([runs["few"]], STYLE))
    levels = [text for text in shown if text.startswith("severity") or text == "without"]
    assert levels == ["without", "severity 1", "severity 2", "severity 3"]


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (0.5, "0.500"),
        (1.0, "1.000"),
        (0.9994, "0.999"),
        (1 - 3e-12, "1 − 3·10⁻¹²"),
        (-7.25, "-7.250"),
    ],
)
def test_confidences_near_1_are_told_from_it(confidence, text):
    assert sure(confidence) == text
    assert np.isfinite(confidence)
