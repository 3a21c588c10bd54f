"""Figures show what is there, whatever is missing, and look alike."""

from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from drawn import draw, lines_of, panels, texts
from sourcebench.evaluation.statistics import epochs_per_source
from sourcebench.exhibits import that_need
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.save import save
from sourcebench.figures.parts.skill import DAGGER, NOTE, washed
from sourcebench.figures.parts.style import PALETTE, StudyStyle
from synthetic_runs import STYLE
from synthetic_tables import ENDS, UNSKILLED, only, synthetic_tables, with_archs

OF_TABLES = [
    name
    for name in that_need(FIGURES, "tables")
    if not FIGURES.get(name).drawn.startswith("with confidence")
]
MANY = {(f"task{c // 4}", f"confounder{c}"): ENDS if c % 2 else UNSKILLED for c in range(7)}


def test_architectures_and_further_axes_are_never_averaged():
    tables = with_archs(synthetic_tables(), "resnet50", "densenet121")
    assert len(panels(draw("figure3", tables))) == 2 * 2 * 4
    assert {"ResNet50", "densenet121"} <= set(texts(draw("figure3", tables)))
    assert len(panels(draw("drop", tables))) == 2
    assert len(panels(draw("leaderboard", tables))) == 2
    assert len(panels(draw("encoded_used_paid", tables))) == 2 * 3
    assert len(panels(draw("permutation", tables))) == 2 * 3
    assert len(panels(draw("differences", tables))) == 2 * 3
    assert len(panels(draw("epochs", tables))) == 2 * 2
    further = {
        name: pd.concat([table.assign(fraction=share) for share in (0.1, 0.2)])
        for name, table in synthetic_tables().items()
    }
    for name, count in (("figure3", 2 * 8), ("drop", 2), ("differences", 2 * 3)):
        figure = draw(name, further)
        assert len(panels(figure)) == count
        assert {"ResNet50, fraction 0.1", "ResNet50, fraction 0.2"} <= set(texts(figure))


LONG = {
    "imagenet": "ImageNet (torchvision, V1)", "radimagenet": "TorchXRayVision (MIMIC)",
    "random": "BiomedCLIP (PubMed figures)",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["permutation", "differences", "figure3", "encoded_used_paid", "epochs"]
)
def test_long_titles_do_not_overlap(name):
    wordy = {key: f"{title}, as strong as in the paper" for key, title in STYLE.confounders.items()}
    style = replace(STYLE, sources=LONG, confounders=wordy, archs={"resnet50": "ResNet50 " * 3})
    figure = draw(name, synthetic_tables(), style)
    figure.draw_without_rendering()
    titles = [axis.title.get_window_extent() for axis in panels(figure) if axis.get_title()]
    assert len(titles) >= 2
    for i, one in enumerate(titles):
        assert not any(one.overlaps(other) for other in titles[i + 1 :])
    if name == "permutation":
        assert "TorchXRayVision (MIMIC)" in panels(figure)[0].get_title()


@pytest.mark.parametrize("name", ["figure3", "figure4", "drop", "encoded_used_paid", "leaderboard"])
def test_a_source_without_skill_is_pale_and_has_a_dagger(name):
    style = replace(STYLE, noises=("noise", "gender"))
    for confounder, expected in (("gender", True), ("noise", False)):
        figure = draw(name, only(synthetic_tables(), confounder=confounder), style)
        colours = {to_hex(line.get_color()) for axis in panels(figure) for line in lines_of(axis)}
        assert (washed("#7F7F7F") in colours) == expected
        assert ("#7f7f7f" in colours) != expected
        shown = texts(figure)
        assert any(NOTE in text for text in shown) == expected
        assert any(DAGGER in text.replace(NOTE, "") for text in shown) == expected


def test_epochs_shows_the_tables_means():
    runs = synthetic_tables()["runs"]
    runs = runs.assign(epochs=30 + runs["source"].str.len() * 5 + runs["fold"])
    shown = texts(draw("epochs", runs))
    for mean in epochs_per_source(runs)["mean"]:
        assert f"{mean:.0f}" in shown


def test_a_source_keeps_its_colour_and_listed_names_come_first():
    runs = synthetic_tables()["runs"]
    names = {name: f"source{i}" for i, name in enumerate(STYLE.sources)}
    runs = runs.assign(source=runs["source"].map(names))
    style = StudyStyle(sources={"source2": "Two"}, colours={"source1": "#123456"}).covering(runs)
    assert list(style.sources) == ["source2", "source0", "source1"]
    assert style.colours["source1"] == "#123456"
    part = StudyStyle(sources=style.sources, colours=style.colours).covering(runs.head(9))
    assert part.colours == style.colours


def test_a_source_has_one_colour_in_figures_of_all_tables():
    tables = synthetic_tables()
    tables["drop"] = tables["drop"].query("source != 'imagenet'")
    colours = {to_hex(line.get_color()) for line in lines_of(panels(draw("drop", tables))[0])}
    assert PALETTE[1].lower() in colours
    assert PALETTE[0].lower() not in colours


def holes():
    tables = with_archs(synthetic_tables(), "a", "b")
    return {
        name: table[~((table["arch"] == "a") & (table.get("confounder", "") == "tag"))]
        for name, table in tables.items()
    }


def undefined():
    tables = synthetic_tables()
    results = {
        "summary": ["mean", "low", "high"], "drop": ["drop", "low", "high"],
        "comparisons": ["difference", "p", "p_permutation"], "runs": ["auroc"],
        "encoded_used_paid": ["encoded", "used", "paid"], "leaderboard": ["value", "low", "high"],
    }  # fmt: skip
    return {
        name: table.assign(**dict.fromkeys(results.get(name, []), np.nan))
        for name, table in tables.items()
    }


def empty():
    """The tables of a study without confounders."""
    tables = only(synthetic_tables(), p_art=0, test_set="clean")
    made = ("drop", "comparisons", "encoded_used_paid", "leaderboard")
    return {**tables, **{name: pd.DataFrame() for name in made}}


ODD = {
    "one p": lambda: only(synthetic_tables(), p_art=0.5),
    "one fold": lambda: synthetic_tables({("cxr_mass", "tag"): ENDS}, (0, 1), 1),
    "one curve": lambda: only(synthetic_tables(), source="random", confounder="tag"),
    "many": lambda: synthetic_tables(MANY),
    "holes": holes,
    "clean": lambda: only(synthetic_tables(), test_set="clean"),
    "ood": lambda: only(synthetic_tables(), test_set="ood"),
    "nan": undefined,
    "empty": empty,
}


@pytest.mark.parametrize("name", [*OF_TABLES, "epochs"])
@pytest.mark.parametrize("odd", ODD)
def test_odd_tables_are_drawn_all_the_same(name, odd):
    figure = draw(name, ODD[odd](), StudyStyle())
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    assert texts(figure)


@pytest.mark.parametrize("name", [*OF_TABLES, "epochs"])
@pytest.mark.parametrize(
    "tables",
    [
        synthetic_tables,
        lambda: only(synthetic_tables(), confounder="gender", source=["imagenet", "random"]),
        lambda: with_archs(synthetic_tables(MANY), "resnet50", "b"),
    ],
    ids=["paper", "small", "many"],
)
def test_everything_lies_on_the_page(name, tables):
    figure = draw(name, tables())
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01


def test_drawing_leaves_matplotlibs_settings_alone():
    before = dict(matplotlib.rcParams)
    draw("figure3", only(synthetic_tables(), confounder="tag"))
    assert dict(matplotlib.rcParams) == before


def test_saved_figures_are_whole_and_the_same_each_time(tmp_path):
    tables = only(synthetic_tables(), confounder="tag")
    for name in ("a.png", "b.pdf", "c_p0.5"):
        save(draw("drop", tables), tmp_path / name)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.pdf", "a.png", "b.pdf", "b.png", "c_p0.5.pdf", "c_p0.5.png"]
    for suffix in (".png", ".pdf"):
        assert len({path.read_bytes() for path in tmp_path.glob(f"*{suffix}")}) == 1
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()
