"""The tour of the page on datasets, as a reader takes it: from a folder of images to a figure."""

import shlex

import pandas as pd
import pytest

import planner
from conftest import ROOT
from snippets import commands, snippets

PAGE = ROOT / "docs" / "adding-a-dataset.md"
CHECK, CHECK_ALL, RUN = commands(PAGE)[:3]


def block(language):
    """The text of the page's first block of a language."""
    return snippets(PAGE, language)[0].text


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A clone of the project, as good as, with the images and the config of the tour."""
    folder = tmp_path_factory.mktemp("tour")
    for part in ("Snakefile", "workflow", "config", "profiles"):
        (folder / part).symlink_to(ROOT / part)
    (folder / "my_study.yaml").write_text(block("yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(block("python"), "draw.py", "exec"), {"__name__": "draw"})
    return folder


def typed(folder, line):
    """Run a command of the page; return its exit status and what it said."""
    program, *words = shlex.split(line)
    assert program == "snakemake"
    return planner.snakemake(folder, *words)


def test_the_table_is_as_shown(desk):
    head, *rows = (desk / "my" / "images.csv").read_text().splitlines()
    shown = block("csv").splitlines()
    assert shown[0] == head
    assert set(shown[1:]) <= set(rows)
    assert not list(desk.glob("results/**/*"))


def test_the_check_says_what_is_shown(desk):
    status, said = typed(desk, CHECK)
    assert status == 0, said
    assert block("text") in said


def test_every_image_can_be_read(desk):
    status, said = typed(desk, CHECK_ALL)
    assert status == 0, said
    assert "can't be read" not in said


def test_the_run_draws_the_figures(desk):
    status, said = typed(desk, RUN)
    assert status == 0, said
    results = desk / "results" / "my_study"
    for name in ("figure2", "figure3"):
        assert (results / "figures" / f"{name}.png").stat().st_size > 5000
    tables = results / "tables"
    means = pd.read_csv(tables / "summary.csv").query("metric == 'auroc'")
    means = means.set_index(["test_set", "p_art"])["mean"]
    assert {"blurred_3", "basel"} < set(means.index.get_level_values("test_set"))
    assert means["ood", 0] > means["ood", 1] + 0.2
    counts = pd.read_csv(tables / "counts.csv").iloc[0]
    assert counts["made_grey"] == 48
    assert counts["target"] == 48
