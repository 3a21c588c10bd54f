"""A wrong config stops with a sentence that names the key, what it got and what is allowed."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from conftest import ROOT
from sourcebench import config as border
from sourcebench import experiment
from sourcebench.errors import SourceBenchError

DEFAULT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
OVERLAYS = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))


def changed(key, value):
    """The default config with one value set, or removed."""
    config = copy.deepcopy(DEFAULT)
    *path, last = key.split(".")
    place = config
    for part in path:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return config


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_shipped_configs_are_right(name):
    config = copy.deepcopy(DEFAULT)
    update_config(config, yaml.safe_load((ROOT / "config" / name).read_text()))
    border.check(config)


WRONG = [
    ("experiment.p_art", [0, 1.2], r"experiment\.p_art\.1 is 1\.2.* at least 0 and at most 1"),
    ("experiment.p_art", 0.5, r"experiment\.p_art is 0\.5; it must be of type array"),
    ("experiment.p_art", [0, 0], "without repetitions"),
    ("experiment.folds", 0, r"experiment\.folds is 0; .* at least 1 and at most 20"),
    ("experiment.folds", "five", r"experiment\.folds is 'five'; it must be of type integer"),
    ("experiment.sources", ["imagnet"], r"experiment\.sources has 'imagnet'.*imagenet, rad"),
    ("experiment.archs", ["vgg"], r"experiment\.archs has 'vgg'.*resnet50"),
    ("experiment.tasks", ["cxr"], r"experiment\.tasks has 'cxr'.*cxr_mass, cxr_atelectasis"),
    ("experiment.audit", ["theirs"], r"experiment\.audit has 'theirs'.*published_mass"),
    ("experiment.task", ["cxr_mass"], r"experiment has the key 'task'.* allowed are: tasks"),
    ("seed", None, r"the config lacks the key 'seed'; it needs: study, seed"),
    ("study", "my study", r"study is 'my study'.*letters, digits and _"),
    ("datasets.nih_cxr14.origin", "web", r"origin is 'web'; .* download, phantoms, path"),
    ("datasets.nih_cxr14.origin", "path", r"nih_cxr14\.path is None"),
    ("tasks.cxr_mass.view", 3, r"view is 3; it must be of type string or nothing"),
    ("tasks.cxr_mass.dataset", "mimic", r"cxr_mass\.dataset has 'mimic'.*nih_cxr14"),
    ("datasets.nih_cxr14.kind", "mimic", r"datasets\.nih_cxr14\.kind has 'mimic'.*nih_cxr14"),
    ("datasets.nih_cxr14.folder", "x", r"datasets\.nih_cxr14 has the key 'folder'.*origin"),
    ("tasks.cxr_mass.samples", None, r"tasks\.cxr_mass needs one of: labels \+ samples"),
    ("tasks.cxr_mass.labels.from", "web", r"labels\.from has 'web'.*metadata, expert"),
    ("tasks.cxr_atelectasis.labels.negative", None, r"has no 'negative'"),
    ("tasks.cxr_mass.val_fraction", 0.3, r"val_fraction is 0\.3, .* at most 0\.2"),
    ("tasks.cxr_mass.confounders", ["tag", "smoke"], r"confounders has 'smoke'.*tag, denoise"),
    ("tasks.cxr_mass.confounders", ["tag", "gender"], "must be the task's only one"),
    ("tasks.cxr_mass.splits", "mine", r"tasks\.cxr_mass\.splits has 'mine'.*published_mass"),
    ("confounders.tag.colour", "red", r"confounders\.tag: .*no parameter 'colour'"),
    ("confounders.tag.size", "big", r"confounders\.tag: .*size is 'big'"),
    ("confounders.tag.kind", "sticker", r"confounders\.tag: Unknown confounder 'sticker'"),
    ("confounders.none", {"kind": "tag"}, "this name is taken"),
    ("sources.imagenet.kind", "hub", r"sources\.imagenet\.kind has 'hub'"),
    ("sources.radimagenet.mean", None, r"sources\.radimagenet lacks the key 'mean'"),
    ("sources.imagenet.tag", "resnet50", r"sources\.imagenet has the key 'tag'.*tags"),
    ("sources.radimagenet.archs", ["resnet"], r"sources\.radimagenet\.archs has 'resnet'"),
    ("training.precision", "fp16", r"training\.precision is 'fp16'; .*auto, bf16, fp32"),
    ("training.learning_rate", 0, r"learning_rate is 0; it must be over 0 and at most 1"),
    ("training.augmentation.flip", True, r"augmentation has the key 'flip'"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_wrong_values(key, value, message):
    with pytest.raises(SourceBenchError, match=message) as caught:
        border.check(changed(key, value))
    assert "\n" not in str(caught.value)


def test_a_source_without_any_of_the_architectures():
    config = changed("experiment.archs", ["inception_resnet_v2"])
    with pytest.raises(SourceBenchError, match="'radimagenet' has weights"):
        border.check(config)


def test_the_experiment_is_the_papers_grid():
    table = experiment.table(DEFAULT)
    assert list(table.columns) == experiment.AXES
    assert not table.duplicated().any()
    # imagenet and random have four architectures, radimagenet three: 11 networks a cell.
    # tag, denoise and noise share p_art = 0; noise_levels and gender have their own.
    cells = 1 + 3 * 5 + 6 + 6
    assert len(table) == 11 * cells * 5
    shared = table[table["confounder"] == "none"]
    assert set(shared["p_art"]) == {"0"}
    assert set(shared["task"]) == {"cxr_mass"}
    assert experiment.tested_confounders(DEFAULT, "cxr_mass", "none") == [
        "tag", "denoise", "noise",
    ]  # fmt: skip


def test_an_architecture_a_source_lacks_is_left_out():
    table = experiment.table(DEFAULT)
    rad = table[table["source"] == "radimagenet"]
    assert "inception_resnet_v2" not in set(rad["arch"])
    assert "inception_resnet_v2" in set(table.loc[table["source"] == "imagenet", "arch"])
