"""The study of shifts: what its config says of the data is what their tables say."""

from itertools import chain

import pytest
import yaml

from conftest import ROOT, merged
from sourcebench.attributes import HELD_OUT
from sourcebench.datasets import held_out
from sourcebench.datasets.base import build
from sourcebench.datasets.nih.tables import metadata as nih
from sourcebench.datasets.rxrx1.tables import EXPERIMENTS
from sourcebench.datasets.tasks import candidates
from sourcebench.study import Study
from sourcebench.training.runs import Recipe

CONFIG = merged(yaml.safe_load((ROOT / "config" / "silent_failures.yaml").read_text()))
TASKS, SHIFTS = CONFIG["tasks"], CONFIG["shifts"]


def phantoms(name):
    """The metadata of a dataset of the study, with phantoms in the place of what has to be got."""
    entry = CONFIG["datasets"][name]
    if "parts" in entry:
        parts = {part: {**each, "origin": "phantoms"} for part, each in entry["parts"].items()}
        return build(name, {**entry, "parts": parts}).metadata()
    return build(name, {**entry, "origin": "phantoms"}).metadata()


@pytest.mark.parametrize("name", ["silent_failures", "shifts_demo"])
def test_the_studies_have_four_tasks_and_what_is_shifted(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    study = Study.of(merged(config))
    tasks = config["experiment"]["tasks"]
    assert set(study.runs["task"]) == set(tasks)
    assert {task.split("_")[0] for task in tasks} == {"dermoscopy", "chest", "cells", "nodules"}
    for task in tasks:
        drawn = set(study.tasks[task].shifts)
        apart = set(study.tasks[task].sampling.get("apart", {}))
        assert bool(drawn - apart) == task.endswith("_all") == (not apart)


# The paper's section 3 and its published code: network, batch size, epochs, learning rate, weight
# decay, dropout before the head.
SETTINGS = {
    "dermoscopy": ("efficientnet_b4", 16, 20, 3e-5, 0, 0.2),
    "chest": ("densenet121_dropout", 96, 40, 5e-4, 1e-5, 0),
    "cells": ("densenet161_dropout", 70, 120, 1.5e-4, 1e-5, 0),
    "nodules": ("densenet161_dropout", 512, 45, 1.5e-4, 0.1, 0),
}


def test_the_tasks_are_trained_as_the_paper_trained_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = Study.of(CONFIG)
    for name, task in study.tasks.items():
        of = {"batch_size": task.batch_size, "monitor": task.monitor}
        recipe = Recipe.of(task.training.recipe, of, 1)
        (arch,) = study.archs_of(name)
        said = (arch, recipe.batch_size, recipe.epochs, recipe.learning_rate, recipe.weight_decay)
        assert (*said, recipe.dropout) == SETTINGS[name.split("_")[0]]
        assert recipe.descent.optimiser == "adam"
        assert (recipe.schedule, recipe.clip, recipe.choose) == ("cosine", 1, "last")
        assert (recipe.augmentation.flip, recipe.augmentation.shear) == (0.5, 0)
    assert len(study.runs) == 13 * 2 * 3 * 4  # tasks, sources, repeats, methods


def test_every_word_for_a_lesion_is_benign_or_malignant():
    table, counts = candidates(phantoms("dermoscopy"), TASKS["dermoscopy_all"]["labels"], None)
    part = table["image_id"].str.partition("/")[0]
    assert part.value_counts().to_dict() == {
        "isic2020": 33126, "ham10000": 10015, "derm7pt": 1011, "ph2": 200
    }  # fmt: skip
    assert counts["several_classes"] == 0
    # What the four papers count: melanomas, basal cell carcinomas, and HAM10000's akiec.
    assert table.groupby(part)["label"].sum().to_dict() == {
        "isic2020": 584, "ham10000": 1113 + 514 + 327, "derm7pt": 252 + 42, "ph2": 40
    }  # fmt: skip


def test_the_keratoses_are_both_benign_and_malignant():
    task = TASKS["dermoscopy_manifestation"]
    apart = {name: HELD_OUT.from_entry(SHIFTS[name]).among for name in task["shifts"]}
    marked, unknown = held_out.mark(phantoms("ham10000"), apart)
    table, _ = candidates(marked, task["labels"], None)
    away = table[held_out.COLUMN] != ""
    assert table[away]["label"].value_counts().to_dict() == {0: 1099, 1: 327}
    assert unknown == {"held_out_unknown": 0}


def test_chest_xrays_have_one_of_eight_findings():
    table, _ = candidates(phantoms("chest"), TASKS["chest_all"]["labels"], ["PA", "AP"])
    eight = {word for words in TASKS["chest_all"]["labels"]["classes"].values() for word in words}
    one = nih()["findings"].map(lambda said: len(eight & set(said.split("|"))) == 1)
    assert set(table.loc[table["domain"] == "nih", "image_id"]) == set(
        "nih/" + nih().loc[one, "image_id"]
    )
    assert set(table["domain"]) == {"nih", "chexpert", "mimic"}
    assert sorted(set(table["label"])) == list(range(8))


def test_the_experiments_that_are_held_out_are_rxrx1s():
    drawn = [SHIFTS[name]["values"] for name in ("experiments_1", "experiments_2")]
    assert [len(each) for each in drawn] == [11, 10]
    every = {f"{cell}-{n:02d}" for cell, most in EXPERIMENTS.items() for n in range(1, most + 1)}
    joined = set(chain(*drawn))
    assert joined <= every
    assert len(joined) == 21
