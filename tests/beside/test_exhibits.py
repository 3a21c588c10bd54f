"""Figures and tables declare themselves: one more is its code and its caption."""

import re

import pytest
import yaml

from conftest import ROOT, merged
from planner import snakemake
from snippets import snippets
from sourcebench import exhibits
from sourcebench.artifacts import ARTIFACTS
from sourcebench.attributes import ATTRIBUTES
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.tables import TABLES
from sourcebench.exhibits import that_need
from sourcebench.figures import FIGURES, PAGES, Contents, called_for
from sourcebench.study import Study
from synthetic_failures import confidence
from synthetic_runs import synthetic_runs

CATEGORIES = {
    "Data", "Evidence", "Robustness", "Silent failures", "Sources", "Training", "Transfer",
}  # fmt: skip
HEAD = "{#\ntitle: Mine: all of it\ncategory: Data\nneeds: runs\n#}\nWhat it shows.\n"
ALL = [registry.get(name) for registry in (FIGURES, TABLES, PAGES) for name in registry.names()]


@pytest.mark.parametrize("exhibit", ALL, ids=lambda each: f"{each.kind} {each.name}")
def test_the_report_knows_where_each_stands(exhibit):
    assert exhibit.category in CATEGORIES
    assert "#}" not in exhibit.caption
    if exhibit.kind == "figure":
        code = (exhibits.LIBRARY / exhibit.file).with_suffix(".py").read_text()
        assert f"def {exhibit.name}(" in code


def test_titles_are_told_apart():
    labels = [tuple(each.labels.values()) for each in ALL]
    assert len(set(labels)) == len(labels)


def build(*names):
    return [ARTIFACTS.build(name) for name in names]


def shown(*confounders_and_shifts, **more):
    """The names of the figures of a study with such contents."""
    return called_for(Contents(*confounders_and_shifts, **more))


def test_a_study_is_shown_in_the_figures_that_its_confounders_call_for():
    assert shown() == ["epochs"]
    sampled = ATTRIBUTES.build("gender")
    assert set(shown([sampled])) == {
        "differences", "drop", "encoded_used_paid", "epochs", "figure3", "leaderboard",
        "permutation",
    }  # fmt: skip
    assert set(shown([sampled, *build("tag")])) - set(shown([sampled])) == {"figure2"}
    noise = set(shown(build("poisson_noise")))
    assert noise - set(shown(build("tag"))) == {"figure4"}
    assert set(shown([sampled], build("poisson_noise"))) - set(shown([sampled])) == {"figure2"}


def test_confidence_scores_call_for_figures_of_their_own():
    of_scores = {
        "confidence_table", "opposites", "risk_coverage", "score_ranks", "severity_curves",
    }  # fmt: skip
    assert set(shown(scores=["msr"])) - set(shown()) == of_scores
    tag = build("tag")
    more = set(shown(tag, scores=["msr"])) - set(shown(tag))
    assert more == of_scores | {"aurc_over_p_art"}


def test_a_figure_that_there_is_not_ends_with_the_nearest():
    config = merged({"experiment": {"figures": ["figure3", "fgure4"]}})
    with pytest.raises(SourceBenchError) as said:
        Study.of(config)
    assert str(said.value).startswith(
        "experiment.figures has 'fgure4', which is not known (is it 'figure4'?); allowed are: "
    )
    for name in FIGURES.names():
        assert name in str(said.value)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of a single caption."""
    monkeypatch.setattr(exhibits, "LIBRARY", tmp_path)
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "__init__.py").touch()
    return tmp_path / "shown" / "mine.rst"


def read():
    return exhibits.exhibits("thing", "shown/*.rst", needs=("runs", "images"))


def test_a_declaration_is_the_head_of_its_caption(library):
    library.write_text(HEAD)
    mine = read().get("mine")
    assert mine.title == "Mine: all of it"
    assert mine.labels == {"shows": "Mine: all of it", "as": "thing"}
    assert (mine.file, mine.caption) == ("shown/mine.rst", "What it shows.\n")
    assert exhibits.that_need(read(), "runs") == ["mine"]
    assert exhibits.that_need(read(), "images") == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{#", "", "shown/mine.rst must begin with a declaration between lines of '{#' and '#}'"),
        ("What it shows.", "", "and go on with the caption"),
        ("title: Mine: all of it", "", "lacks the key 'title'; it needs: title, category, needs"),
        ("title: Mine: all of it", "title:", "lacks the key 'title'"),
        ("needs: runs", "need: runs", "lacks the key 'needs'"),
        ("needs: runs", "needs: runs\ndrawn: always", "has the key 'drawn', which is not known"),
        ("needs: runs", "needs: run", "needs is 'run'; it must be one of: runs, images"),
    ],
)
def test_a_wrong_declaration_is_named(library, old, new, sentence):
    library.write_text(HEAD.replace(old, new))
    with pytest.raises(SourceBenchError, match=re.escape(sentence)):
        read()


def test_a_folder_that_is_no_package_is_named(library):
    library.write_text(HEAD)
    (library.parent / "__init__.py").unlink()
    with pytest.raises(SourceBenchError, match=r"shown/mine\.rst declares a thing in a folder"):
        read()


def test_two_of_one_name_are_an_error(library):
    other = library.parents[1] / "more" / "mine.rst"
    other.parent.mkdir()
    (other.parent / "__init__.py").touch()
    for path in (library, other):
        path.write_text(HEAD)
    with pytest.raises(SourceBenchError, match="the name 'mine' is that of another thing"):
        exhibits.exhibits("thing", "*/*.rst", needs=("runs",))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the figure of the docs, and the tables of a study, all those of its runs."""
    folder = tmp_path_factory.mktemp("desk")
    for each in snippets(ROOT / "docs" / "adding-a-figure.md", "python", "rst"):
        (folder / each.file).write_text(each.text)
    tables = folder / "results" / "tiny" / "tables"
    tables.mkdir(parents=True)
    for name in that_need(TABLES, "predictions"):
        rows = confidence()[:0] if name == "confidence" else synthetic_runs()
        rows.to_csv(tables / f"{name}.csv", index=False)
    return folder


def run(folder, *arguments):
    """Run the workflow in a folder on the tiny study, and return what it said."""
    config = yaml.safe_load((ROOT / "tests" / "tiny.yaml").read_text())
    config["experiment"]["audit"] = []
    (overlay,) = snippets(ROOT / "docs" / "adding-a-figure.md", "yaml")
    config["plugins"] = yaml.safe_load(overlay.text)["plugins"]
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    status, said = snakemake(
        folder, "--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--configfile",
        "tiny.yaml", "--workflow-profile", "none", *arguments,
    )  # fmt: skip
    assert status == 0, said
    return said


def test_the_figure_of_the_docs_is_planned_with_the_others(desk):
    assert "Drawing calibration" in run(desk, "--dry-run")


def test_the_figure_of_the_docs_is_drawn_and_stands_in_the_report(desk):
    """Beside a table, whose caption Snakemake reads from its file."""
    figure, table = "results/tiny/figures/calibration.png", "results/tiny/tables/epochs.csv"
    wanted = ("--allowed-rules", "figure", "statistics", "--", figure, table)
    run(desk, *wanted)
    assert (desk / figure).stat().st_size > 5000
    run(desk, "--report", "report.html", *wanted)
    report = (desk / "report.html").read_text()
    for text in ("Calibration: o.o.d. error by source", "eight in ten are"):
        assert text in report
    for text in (TABLES.get("epochs").title, "which epoch was kept"):
        assert text in report
    assert "category: Robustness" not in report  # a declaration is no part of its caption
