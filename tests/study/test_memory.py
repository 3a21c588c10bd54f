"""What memory a task's steps are said to take, by what its dataset is."""

import numpy as np
import pandas as pd
import pytest
import torch

from conftest import merged
from sourcebench.datasets.base import build
from sourcebench.datasets.extents import EXTENTS, MANY_IMAGES, Extent, extent
from sourcebench.machine import SAID, evidence_mb, predictions_mb
from sourcebench.study import Study
from sourcebench.study.memory import evidence_memory, run_memory
from sourcebench.training.predictions import Answers

PHANTOMS = {"origin": "phantoms"}


def task(samples, dataset, labels=None, **entry):
    """A task of a study, with its own dataset."""
    usual = {"from": "metadata", "positive": "Mass", "negative": "No Finding"}
    config = merged({"training": {"accelerator": "cpu"}, "datasets": {"mine": dataset}})
    config["tasks"]["cxr_mass"] |= {
        "dataset": "mine", "samples": samples, "labels": labels or usual, **entry,
    }  # fmt: skip
    config["experiment"] |= {"tasks": ["cxr_mass"]}
    return Study.of(config).tasks["cxr_mass"]


def cells(samples, dataset=None, **entry):
    rxrx1 = {"kind": "rxrx1", **PHANTOMS, **(dataset or {})}
    usual = {"input_size": 224, "batch_size": 70, "confounders": [], "val_fraction": 0.1}
    return task(samples, rxrx1, {"from": "classes"}, **usual, **entry)


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "nih_cxr14"}, {"kind": "ham10000"}, {"kind": "isic2020"}, {"kind": "derm7pt"},
        {"kind": "ph2"}, {"kind": "mimic_cxr"}, {"kind": "rxrx1"}, {"kind": "rxrx1", "sites": 1},
        {"kind": "rxrx1", "sirnas": 40}, {"kind": "rxrx1", "sirnas": 1120, "sites": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_dataset_has_about_as_many_images_as_its_table_has_rows(entry):
    dataset = build("mine", {**PHANTOMS, **entry})
    there = dataset.metadata()
    said = extent(dataset)
    assert said.images == pytest.approx(len(there), rel=0.1)
    if entry["kind"] == "rxrx1":
        assert (said.channels, said.classes) == (6, there["findings"].nunique())


def test_those_of_which_the_tables_take_long():
    sizes = {"chexpert": 223_414, "lidc_idri": 243_945, "lidc_nodules": 13_235}
    for kind, rows in sizes.items():  # counted once, by their metadata
        assert extent(build("mine", {"kind": kind, **PHANTOMS})).images == pytest.approx(rows, 0.01)
    mine = build("mine", {"kind": "lidc_nodules", "slices": 1, **PHANTOMS})
    assert extent(mine).images == pytest.approx(2647, rel=0.01)


def test_a_pool_has_what_its_parts_have_and_a_table_its_lines(tmp_path):
    table = tmp_path / "mine.csv"
    pd.DataFrame({"image_id": range(30), "patient_id": 0, "findings": ""}).to_csv(table)
    own = {"kind": "table", "origin": "path", "path": str(tmp_path), "table": str(table)}
    assert extent(build("own", own)).images == 30
    assert extent(build("own", {**own, "table": "nowhere.csv"})).images == MANY_IMAGES
    parts = {"a": own, "b": {"kind": "ham10000", **PHANTOMS}}
    pool = extent(build("all", {"kind": "pool", "parts": parts}))
    assert pool[:2] == (30 + 10_015, 3)


def test_a_kind_that_does_not_say_is_taken_for_many_grey_images(monkeypatch):
    monkeypatch.setattr(EXTENTS, "_entries", {})
    assert extent(build("mine", {"kind": "rxrx1", **PHANTOMS})) == Extent(20_000, 1)


@pytest.mark.parametrize(
    ("name", "cpu", "card"),
    [("cxr_mass", 22245, 4274), ("ct_nodule", 12163, 4679), ("cxr_atelectasis", 11691, 4205)],
)
def test_grey_tasks_of_some_hundred_images_take_what_they_always_took(name, cpu, card):
    chosen = Study.of(merged({})).tasks[name]
    assert run_memory(chosen, card=False) == cpu
    assert run_memory(chosen, card=True) == card


def test_shares_of_a_large_dataset_take_what_its_images_take():
    """RxRx1's images, twice, at 224 px: 125,510 × 6 × 224² × 2 B = 75.6 GB; and their logits."""
    pixels = 2 * 125_510 * 6 * 224**2 / 1e6
    logits = 2.3 * 0.2 * 125_510 * 1139 * 4 / 1e6
    held = run_memory(cells({"test": 0.2, "dev": 0.8}), card=True)
    assert held == pytest.approx(4100 + pixels + logits, rel=0.002)
    grey = run_memory(cells({"test": 0.2, "dev": 0.8}, channels=1), card=True)
    assert held - grey == pytest.approx(pixels * 5 / 6, rel=0.002)
    few = run_memory(cells({"test": 0.2, "dev": 0.8}, {"sites": 1}), card=True)
    assert few - 4100 == pytest.approx((held - 4100) / 2, rel=0.01)


def test_a_column_that_says_who_is_in_which_part_divides_all_images():
    column = run_memory(cells({"column": "cell_type"}), card=True)
    assert column == run_memory(cells({"test": 0.2, "dev": 0.8}), card=True)


def test_evidence_takes_what_the_predictions_of_all_runs_take():
    chosen = cells({"test": 0.2, "dev": 0.8})
    rows = 20 * 0.2 * 125_510
    logits = 1.5 * rows * 1139 * 4 / 1e6
    held = evidence_memory(chosen, 20, validated=False)
    assert held == pytest.approx(2000 + logits * (1 + SAID / (4 * 1139)), rel=0.002)
    more = evidence_memory(chosen, 20, validated=True)
    assert (more - 2000) / (held - 2000) == pytest.approx(1.4, rel=0.001)  # a tenth of the 0.8
    usual = Study.of(merged({})).tasks["cxr_mass"]
    assert 2000 <= evidence_memory(usual, 50, validated=False) < 2100


def test_rows_are_not_more_than_what_is_said_of_them():
    """The table itself, measured: K logits of float32 and the rest of a prediction."""
    rows, classes = 4000, 50
    names = np.array([f"HUVEC-01_1_B02_{i}" for i in range(rows)])
    table = Answers(torch.randn(rows, classes), torch.zeros(0, 1), {}).table.assign(
        image_id=names, patient_id=names, test_set="gaussian_noise_3", label=1, artifact=False
    )
    size = table.memory_usage(deep=True).sum() / 1e6
    assert size == pytest.approx((evidence_mb(rows, classes) - 2000) / 1.5, abs=1)
    assert size < predictions_mb(rows, classes) * 1.5
