"""What a task has of its own: how its networks are trained, and which they are."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from conftest import ROOT
from sourcebench.errors import SourceBenchError
from sourcebench.study import Dependencies, Study
from sourcebench.training.runs import Recipe

DEFAULT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
LATER = {"optimiser": "keras_adam", "weight_decay": 0, "schedule": "constant", "clip": None,
         "choose": "best"}  # fmt: skip
OTHERS = {"optimiser": "adam", "weight_decay": 1e-5, "schedule": "cosine", "clip": 1,
          "choose": "last"}  # fmt: skip


def study(**changes):
    """The default study, with changes laid over it."""
    config = copy.deepcopy(DEFAULT)
    update_config(config, copy.deepcopy(changes))
    return Study.of(config)


def digests(made):
    """What decides the networks of a study, task by task."""
    decided = Dependencies(made)
    return {
        task: decided.network(task, next(iter(made.tasks[task].confounders)), "random", arch, None)
        for task in made.tasks
        for arch in made.archs_of(task)[:1]
    }


def test_what_is_said_as_it_was_before_decides_nothing_new():
    usual = digests(study())
    assert digests(study(training={**LATER, "augmentation": {"flip": 0}})) == usual
    own = {"epochs": 200, "augmentation": {"zoom": 0.1}, **LATER}
    assert digests(study(tasks={"cxr_mass": {"training": own}})) == usual


@pytest.mark.parametrize("key", OTHERS)
def test_what_is_said_otherwise_decides_the_networks(key):
    usual, all_of_them = digests(study()), digests(study(training={key: OTHERS[key]}))
    assert set(usual.values()).isdisjoint(all_of_them.values())
    own = digests(study(tasks={"cxr_mass": {"training": {key: OTHERS[key]}}}))
    assert own == {**usual, "cxr_mass": all_of_them["cxr_mass"]}


def test_a_task_changes_what_it_names_key_by_key():
    own = {"epochs": 20, "augmentation": {"rotation": 15, "flip": 0.5}, **OTHERS}
    made = study(training={"clip": 2}, tasks={"cxr_mass": {"training": own}})
    tasks = {
        name: Recipe.of(each.training.recipe, {"batch_size": 8, "monitor": "loss"}, 1)
        for name, each in made.tasks.items()
    }
    mass, other = tasks["cxr_mass"], tasks["cxr_atelectasis"]
    assert (mass.epochs, mass.patience, mass.clip, mass.choose) == (20, 30, 1, "last")
    assert (mass.augmentation.rotation, mass.augmentation.zoom) == (15, 0.1)
    assert (mass.augmentation.flip, other.augmentation.flip) == (0.5, 0)
    assert (other.epochs, other.clip, other.optimiser) == (200, 2, "keras_adam")
    assert mass.descent.weight_decay == 1e-5


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"precision": "bf16"}, r"tasks\.cxr_mass\.training has the key 'precision'"),
        ({"keep_checkpoints": "all"}, "training has the key 'keep_checkpoints'"),
        ({"epochs": 1.5}, r"tasks\.cxr_mass\.training\.epochs is 1\.5"),
        ({"augmentation": {"flip": 2}}, r"augmentation\.flip is 2"),
        ({"optimiser": "sgd"}, r"training\.optimiser is 'sgd'.*keras_adam.*adam"),
        ({"clip": 0}, r"training\.clip is 0; it must be over 0"),
        ({"schedule": "step"}, r"training\.schedule is 'step'"),
        ({"choose": "first"}, r"training\.choose is 'first'.*best.*last"),
    ],
)
def test_a_tasks_training_is_checked_as_the_studys(own, message):
    with pytest.raises(SourceBenchError, match=message):
        study(tasks={"cxr_mass": {"training": own}})


def test_a_task_may_have_architectures_of_its_own():
    own = {"archs": ["densenet161_dropout", "efficientnet_b4"]}
    made = study(tasks={"cxr_mass": own}, experiment={"sources": ["imagenet", "random"]})
    table = made.runs
    of = table.groupby("task")["arch"].agg(set)
    assert of["cxr_mass"] == set(own["archs"])
    assert of["cxr_atelectasis"] == set(DEFAULT["experiment"]["archs"])
    assert set(made.sources["imagenet"].weights) >= {"densenet161", "efficientnet_b4"}
    assert set(made.style["archs"]) == of["cxr_mass"] | of["cxr_atelectasis"]
    usual = len(study(experiment={"sources": ["imagenet", "random"]}).runs)
    assert usual - len(table) == (table["task"] == "cxr_mass").sum()  # two of four are left
    assert not {"cxr_mass"} & {curve["task"] for curve in made.published["curves"]}


def test_sources_need_weights_for_every_task():
    own = {"archs": ["efficientnet_b4"]}
    with pytest.raises(
        SourceBenchError, match=r"^tasks\.cxr_mass\.archs is .*'radimagenet' has weights"
    ):
        study(tasks={"cxr_mass": own})
    with pytest.raises(SourceBenchError, match=r"tasks\.cxr_mass\.archs has 'vgg'"):
        study(tasks={"cxr_mass": {"archs": ["vgg"]}})
    every = {name: {"archs": ["resnet50"]} for name in DEFAULT["experiment"]["tasks"]}
    made = study(tasks=every, experiment={"archs": ["vit_base"]})  # chosen by no task
    assert set(made.runs["arch"]) == {"resnet50"}


def test_what_a_paper_published_is_of_tasks_trained_as_it_did():
    curves = {curve["task"] for curve in study().published["curves"]}
    own = {"training": {"choose": "last"}}
    assert "cxr_mass" in curves
    assert curves - {"cxr_mass"} == {
        curve["task"] for curve in study(tasks={"cxr_mass": own}).published["curves"]
    }
