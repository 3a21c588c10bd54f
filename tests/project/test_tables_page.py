"""The page about tables names the columns that the tables have."""

import re

import pandas as pd
import pytest

from conftest import ROOT
from sourcebench import axes
from sourcebench.datasets.lidc.headers import Headers, Oddities
from sourcebench.datasets.rxrx1.dataset import ODD
from sourcebench.datasets.tasks import candidates
from sourcebench.design.audit import audit
from sourcebench.design.ranges import of_artifact
from sourcebench.evaluation.aggregate import columns, measured
from sourcebench.evaluation.asked import Asked
from sourcebench.evaluation.confidence import SCORES
from sourcebench.evaluation.confidence_table import confidence
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.published.table import COLUMNS as PUBLISHED
from sourcebench.evaluation.risk_coverage import risk_coverage
from sourcebench.evaluation.sources_table import flat, sources_table
from sourcebench.evaluation.subgroups import subgroups
from sourcebench.evaluation.tables import TABLES
from sourcebench.evaluation.tables.table1 import Target, table1
from sourcebench.exhibits import that_need
from sourcebench.retrieval.formats import REMARKS
from sourcebench.retrieval.formats.ct import REMARKS as OF_SLICES
from sourcebench.study.sources import Source
from synthetic_confidence import TEST_SETS, write_confident
from synthetic_failures import confidence as made_up
from synthetic_predictions import write_study
from synthetic_runs import synthetic_runs

AXES = set(columns())
FURTHER = {axis.name for axis in axes.FURTHER}


def documented(section):
    """The columns in the first cells of a section's table."""
    text = (ROOT / "docs" / "tables.md").read_text()
    (part,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    cells = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    names = [name for cell in cells for name in re.findall("`([^`]+)`", cell)]
    assert len(names) == len(set(names))
    return set(names)


@pytest.fixture(scope="module")
def runs():
    table = synthetic_runs(p_art=(0, 1), folds=2)
    return table.assign(transfer="full", fraction=1.0, repeat=1, method="cross_entropy")


def test_the_axes(runs):
    assert documented("Axes") == AXES | FURTHER == set(runs.columns) - set(measured())
    assert documented("`runs.csv`") == set(measured())


def test_tables_made_of_confidence():
    (name,) = that_need(TABLES, "confidence")
    found = set(TABLES.get(name)(made_up(repeats=1)))
    assert documented(f"`{name}.csv`") == found - AXES - FURTHER - {"method"}


@pytest.mark.parametrize("name", that_need(TABLES, "runs"))
def test_tables_made_of_runs(name, runs):
    assert documented(f"`{name}.csv`") == set(TABLES.get(name)(runs)) - AXES - FURTHER


def test_every_table_has_its_section():
    page = (ROOT / "docs" / "tables.md").read_text()
    assert set(re.findall(r"(?m)^## `(\w+)\.csv`$", page)) == {*TABLES.names(), "published"}


def test_subgroups(tmp_path):
    folders = write_study(tmp_path, {"random": (0.8, 0.8)}, p_art=(0,), folds=1)
    table = subgroups(Evidence.of(folders, "tag", draws=20))
    assert documented("`subgroups.csv`") == {*table, "balanced_accuracy"} - AXES - FURTHER


def test_confidence_and_its_curves(tmp_path):
    folders = write_confident(tmp_path, p_art=(0,), folds=1)
    evidence = Evidence.of(folders, "tag", draws=20, asked=Asked.of(["msr"], 0.95, TEST_SETS))
    for name, make in {"confidence": confidence, "risk_coverage": risk_coverage}.items():
        assert documented(f"`{name}.csv`") == set(make(evidence)) - AXES - FURTHER


def test_the_page_names_the_scores_that_are_probabilities():
    text = (ROOT / "docs" / "tables.md").read_text()
    (listed,) = re.findall(r"probability of a right answer alone \((.*?)\)", text)
    probable = {name for name in SCORES if SCORES.get(name).probability}
    assert set(re.findall("`([^`]+)`", listed)) == probable


def test_published_numbers():
    assert documented("`published.csv`") == set(PUBLISHED) - AXES


RANKED = pd.DataFrame(
    {"image_id": list("abcd"), "patient_id": list("abcd"), "label": [0, 1, 0, 1],
     "role": ["test", "test", "dev", "dev"], "rank": [None, 0.5, None, 0.5], "share": None,
     "fold_1": ["", "", "train", "val"]}
)  # fmt: skip


def test_table1_and_the_audit():
    made = of_artifact(RANKED, "tag", [])
    assert documented("`table1.csv`") == set(table1([Target("t", [], made, (0,), 8, 2)]))
    long = RANKED.assign(part=["test", "test", "train", "val"], p_art=None, fold=1)
    assert documented("`split_audit.csv`") == {"splits", *audit(long)}


def test_sources():
    source = Source.of("random", {"kind": "random"}, {"experiment.archs": ["tiny_resnet"]})
    table = sources_table({"random": source.described}, {"random": ["tiny_resnet"]}, [])
    assert documented("`sources.csv`") == set(flat(table))


def test_counts():
    metadata = pd.DataFrame({"image_id": list("ab"), "patient_id": list("ab"), "view": "PA"})
    labels = {"from": "metadata", "positive": "Mass", "negative": "No Finding"}
    metadata["findings"] = ["Mass", "No Finding"]
    _, counts = candidates(metadata, labels, None)
    each = {"from": "classes", "classes": {"mass": ["Mass"], "none": ["No Finding"]}}
    counts |= candidates(metadata, each, None)[1]
    of_folders = {*Headers(pd.DataFrame(), 0, 0, 0, 0, ()).counts(), *Oddities().counts()}
    held_out = {"target", "test_of_target_patients", "held_out_unknown"}
    of_images = {"made_grey", "grey_repeated", *ODD, *OF_SLICES, *REMARKS}
    expected = {"task", "chosen", "without_part", "in_no_part", "several_classes"}
    expected |= {*counts, *held_out, *of_folders, *of_images}
    assert documented("`counts.csv`") == expected
