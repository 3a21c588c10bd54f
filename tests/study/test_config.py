"""A wrong config stops with a sentence that names the key, what it got and what is allowed."""

import copy
import re
from dataclasses import replace

import pytest
import yaml
from snakemake.utils import update_config

from conftest import ROOT, merged
from sourcebench.axes import USUAL
from sourcebench.design import TEST_SETS
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.asked import Asked
from sourcebench.study import Dependencies, Study

DEFAULT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
OVERLAYS = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))


def changed(key, value):
    """The default config with one value set, or removed."""
    config = copy.deepcopy(DEFAULT) | {"shifts": {"soft": {"kind": "denoise", "diameter": 200}}}
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
    assert len(Study.of(config).runs)


GRAIN = {"kind": "gaussian_noise"}


CLASSES = {
    "from": "classes",
    "classes": {"mass": ["Mass"], "nodule": ["Nodule"], "none": ["No Finding"], "old": None},
}
CLASSED = DEFAULT["tasks"]["cxr_mass"] | {
    "labels": CLASSES,
    "samples": {"test": 8, "dev": 16, "positive": None},
}

WRONG = [
    ("experiment.p_art", [0, 1.2], r"experiment\.p_art\.1 is 1\.2.* at least 0 and at most 1"),
    ("experiment.p_art", 0.5, r"experiment\.p_art is 0\.5; it must be a list"),
    ("experiment.p_art", [0, 0], "without repetitions"),
    ("experiment.coverage", 0, r"experiment\.coverage is 0; .* over 0 and up to 1"),
    ("experiment.folds", 0, r"experiment\.folds is 0; .* at least 1 and at most 20"),
    ("experiment.folds", "five", r"experiment\.folds is 'five'; it must be a whole number"),
    ("experiment.sources", ["imagnet"], r"experiment\.sources has 'imagnet'.*imagenet, imagenet_k"),
    ("experiment.archs", ["vgg"], r"experiment\.archs has 'vgg'.*resnet50"),
    ("experiment.tasks", ["cxr"], r"experiment\.tasks has 'cxr'.*cxr_mass, ct_nodule"),
    ("experiment.audit", ["theirs"], r"experiment\.audit has 'theirs'.*published_mass"),
    ("experiment.task", ["cxr_mass"], r"experiment has the key 'task'.* allowed are: tasks"),
    ("seed", None, r"the config lacks the key 'seed'; it needs: study, seed"),
    ("study", "my study", r"study is 'my study'.*letters, digits and _"),
    ("datasets.nih_cxr14.origin", "web", r"origin is 'web'; .* 'download' or 'phantoms' or 'path'"),
    ("datasets.nih_cxr14.origin", "path", r"nih_cxr14\.path is nothing, but .* must be a folder"),
    ("datasets.nih_cxr14.path", 3, r"datasets\.nih_cxr14\.path is 3; it must be text"),
    ("datasets.nih_cxr14.checksums", "no", r"checksums is 'no'; it must be true or false"),
    ("datasets.lidc_idri.window", [0], r"window is \[0\]; it must be .*two numbers in HU"),
    ("datasets.lidc_idri.window", [0, "x"], r"lidc_idri\.window\.1 is 'x'; it must be a number"),
    ("datasets.lidc_idri.crop", 600, r"crop is 600; it must be a whole number from 16 to 512 px"),
    ("tasks.cxr_mass.view", 3, r"view is 3; it must be a view or a list"),
    ("tasks.cxr_mass.dataset", "mimic", r"cxr_mass\.dataset has 'mimic'.*nih_cxr14"),
    ("datasets.nih_cxr14.kind", "mimic", r"datasets\.nih_cxr14\.kind has 'mimic'.*nih_cxr14"),
    ("datasets.nih_cxr14.folder", "x", r"datasets\.nih_cxr14 has the key 'folder'.*origin"),
    ("tasks.cxr_mass.samples", None, r"tasks\.cxr_mass needs one of: labels \+ samples"),
    ("tasks.cxr_mass.labels.from", "web", r"labels\.from has 'web'.*metadata.*expert"),
    ("tasks.cxr_atelectasis.labels.negative", None, "lacks the key 'negative'; it needs"),
    (
        "tasks.cxr_mass.labels.positive",
        "Mass",
        r"cxr_mass\.labels\.positive is 'Mass'; .* 'Fracture'",
    ),
    ("tasks.ct_nodule.labels.readers", 5, r"ct_nodule\.labels\.readers is 5; .* from 1 to 4"),
    ("tasks.ct_nodule.labels.extent", [0.1], r"labels\.extent is \[0\.1\]; .*two shares"),
    (
        "tasks.ct_nodule.labels.min_distance",
        50,
        r"labels\.min_distance is 50 mm and max_distance 40",
    ),
    ("tasks.cxr_mass.labels", CLASSES, r"mass\.samples\.positive .* has 3; leave it out \(or null"),
    (
        "tasks.cxr_mass",
        CLASSED | {"confounded": "mas"},
        r"cxr_mass\.confounded has 'mas'.*\(is it 'mass'\?\); allowed are: mass, nodule, none",
    ),
    ("tasks.cxr_mass.samples.balanced", True, r"mass\.samples has 'positive' and 'balanced: true'"),
    (
        "tasks.cxr_mass.labels",
        {"from": "classes", "classes": {"a": ["Mass"]}},
        r"mass\.labels\.classes has to name two classes or more; it has only 'a'",
    ),
    (
        "tasks.cxr_mass.labels",
        {"from": "classes", "classes": {"a": ["Mass"], "b": ["Nodule", "Mass"]}},
        r"mass\.labels\.classes has 'Mass' in 'a' and in 'b'; keep one",
    ),
    (
        "tasks.cxr_mass.labels",
        {"from": "classes", "classes": {"a": "Mass", "b": ["Nodule"]}},
        r"labels\.classes\.a is 'Mass'; it must be a list",
    ),
    ("tasks.cxr_mass.val_fraction", 0.3, r"val_fraction is 0\.3, .* at most 0\.2"),
    ("tasks.cxr_mass.confounders", ["tag", "smoke"], r"confounders has 'smoke'.*tag, denoise"),
    ("tasks.cxr_mass.confounders", ["tag", "gender"], "must be the task's only one"),
    ("tasks.cxr_mass.splits", "mine", r"tasks\.cxr_mass\.splits has 'mine'.*published_mass"),
    ("confounders.tag.colour", "red", r"confounders\.tag has the key 'colour'"),
    ("confounders.tag.size", "big", r"confounders\.tag\.size is 'big'"),
    ("confounders.tag.kind", "sticker", r"confounders\.tag\.kind has 'sticker'.*tag.*gender"),
    ("confounders.none", {"kind": "tag"}, "this name is taken"),
    ("shifts.soft.kind", "gender", r"shifts\.soft\.kind is 'gender', an attribute, .*denoise"),
    ("shifts.soft.levels", [{"kind": "tag"}], r"levels\.0 has the key 'kind', but .*'denoise'"),
    ("shifts.soft.levels", [], r"shifts\.soft\.levels is \[\]; it must be a list .* at least 1"),
    ("shifts.soft.levels", [3], r"shifts\.soft\.levels\.0 is 3, but the kind 'denoise' has no sev"),
    ("shifts.soft.levels", ["3"], r"levels\.0 is '3'; .* \(a table of parameters, or a severity's"),
    ("shifts.grain", GRAIN | {"levels": [1, 6]}, r"grain\.levels\.1 is 6; .* number from 1 to 5"),
    (
        "shifts.grain",
        GRAIN | {"levels": [0]},
        r"grain\.levels\.0 is 0; .* from 1 to 5",
    ),
    ("shifts.grain", GRAIN | {"levels": [2, 2]}, r"shifts\.grain\.levels has 2 twice"),
    ("shifts.grain", GRAIN | {"levels": [2, {"sd": 9}]}, r"grain\.levels has both numbers"),
    ("shifts.grain", GRAIN | {"sd": 9, "levels": [2]}, r"has the key 'sd', which the severities"),
    (
        "shifts.grain",
        GRAIN | {"levels": [{"sd": -1}]},
        r"grain\.levels\.0\.sd is -1; it must",
    ),
    ("shifts.soft.radius", 9, r"shifts\.soft: Artifact 'denoise': radius is 9 px and diameter"),
    ("shifts.ood", {"kind": "tag"}, r"shifts\.ood: the name 'ood' is taken"),
    ("shifts.tag", {"kind": "tag"}, r"shifts\.tag: the name 'tag' is taken"),
    ("shifts.far", {"kind": "acquisition"}, r"shifts\.far says which .* 'below'; it has neither"),
    (
        "shifts.far",
        {"kind": "manifestation", "values": ["a"], "above": 2},
        r"shifts\.far says .* it has both",
    ),
    ("shifts.far", {"kind": "acquisition", "values": []}, r"shifts\.far\.values is \[\]; .* list"),
    ("tasks.cxr_mass.samples.test", 0.2, r"samples\.test is 0\.2, a share .* 'positive' draws"),
    ("tasks.cxr_mass.samples.dev", 1.5, r"samples\.dev is 1\.5; it must be a number of images or"),
    ("tasks.cxr_mass.border", 0, r"cxr_mass\.border is for .* needs tasks\.cxr_mass\.fit, one of"),
    ("tasks.cxr_mass.fit", "squeeze", r"cxr_mass\.fit is 'squeeze'; it must be one of: pad, crop"),
    ("tasks.cxr_mass.channels", 0, r"cxr_mass\.channels is 0; it must be at least 1"),
    ("tasks.cxr_mass.shifts", ["blur"], r"tasks\.cxr_mass\.shifts has 'blur'.*are: soft"),
    ("sources.imagenet.kind", "disk", r"sources\.imagenet\.kind has 'disk'"),
    ("sources.radimagenet.mean", None, r"sources\.radimagenet lacks the key 'mean'"),
    ("sources.imagenet.tag", "resnet50", r"sources\.imagenet has the key 'tag'.*tags"),
    ("sources.radimagenet.archs", ["resnet"], r"sources\.radimagenet\.archs has 'resnet'"),
    (
        "sources.random.networks",
        {"resnet50": {"builder": "keras"}},
        r"builder has 'keras'.*keras_resn",
    ),
    (
        "sources.random.networks",
        {"resnet50": {"builder": "keras_resnet50", "channels": 1}},
        r"networks\.resnet50 has 'channels', which is not known",
    ),
    (
        "sources.random.networks",
        {"vgg": {"builder": "timm"}},
        r"random\.networks has 'vgg'.*resnet50",
    ),
    ("training.precision", "fp16", r"training\.precision is 'fp16'; .*auto, bf16, fp32"),
    ("training.learning_rate", 0, r"learning_rate is 0; it must be over 0 and at most 1"),
    ("training.augmentation.mirror", True, r"augmentation has the key 'mirror'"),
    ("sources.radimagenet.mean", "half", r"mean is 'half'; it must be a number or a list of 3"),
    ("sources.radimagenet.std", 0, r"std is 0; it must be a number over 0 or a list of 3 of them"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_wrong_values(key, value, message):
    with pytest.raises(SourceBenchError, match=message) as caught:
        Study.of(changed(key, value))
    assert "\n" not in str(caught.value)


CBR = {"cbr_tiny": {"builder": "cbr", "kernel": 5, "width": [4]}}
MISSPELT = [
    ("trainig", {}, "the config has the key 'trainig'", "training"),
    ("experiment.repeat", 3, "experiment has the key 'repeat'", "repeats"),
    ("training.epoch", 3, "training has the key 'epoch'", "epochs"),
    ("training.augmentation.rotate", 3, "training.augmentation has the key 'rotate'", "rotation"),
    ("datasets.nih_cxr14.checksum", True, "nih_cxr14 has the key 'checksum'", "checksums"),
    ("datasets.nih_cxr14.kind", "nih_cxr", "kind has 'nih_cxr'", "nih_cxr14"),
    ("tasks.cxr_mass.batchsize", 3, "tasks.cxr_mass has the key 'batchsize'", "batch_size"),
    ("tasks.cxr_mass.samples.tests", 3, "cxr_mass.samples has the key 'tests'", "test"),
    ("tasks.cxr_mass.labels.sett", "x", "cxr_mass.labels has the key 'sett'", "set"),
    ("tasks.cxr_mass.confounders", ["tags"], "cxr_mass.confounders has 'tags'", "tag"),
    ("confounders.tag.sizes", 3, "confounders.tag has the key 'sizes'", "size"),
    ("confounders.tag.kind", "tags", "confounders.tag.kind has 'tags'", "tag"),
    ("shifts.soft.kind", "denois", "shifts.soft.kind has 'denois'", "denoise"),
    (
        "shifts.soft.levels",
        [{"diametre": 3}],
        "shifts.soft.levels.0 has .*'diametre'",
        "diameter",
    ),
    ("tasks.cxr_mass.shifts", ["sof"], "tasks.cxr_mass.shifts has 'sof'", "soft"),
    ("sources.imagenet.titel", "x", "sources.imagenet has the key 'titel'", "title"),
    (
        "sources.imagenet.tags",
        {"resnet5O": "x"},
        "sources.imagenet.tags has 'resnet5O'",
        "resnet50",
    ),
    ("sources.random.networks", CBR, "random.networks.cbr_tiny has 'width'", "widths"),
    ("experiment.method", ["devry"], "experiment.method has 'devry'", "devries"),
    ("tasks.cxr_mass.method", ["devry"], "tasks.cxr_mass.method has 'devry'", "devries"),
    ("method.devries.kind", "devris", "method.devries.kind has 'devris'", "devries"),
    ("method.devries.budgets", 0.3, "method.devries has the key 'budgets'", "budget"),
    ("transfer.half.keeps", 0.3, "transfer.half has the key 'keeps'", "keep"),
    ("splits.published_mass.fold", 3, "splits.published_mass has the key 'fold'", "folds"),
]


@pytest.mark.parametrize(("key", "value", "message", "near"), MISSPELT)
def test_the_nearest_known_key_is_suggested_at_every_level(key, value, message, near):
    with pytest.raises(SourceBenchError, match=rf"{message}.*\(is it '{near}'\?\).*: .*{near}"):
        Study.of(changed(key, value))


def test_nothing_is_suggested_for_what_is_like_nothing():
    with pytest.raises(SourceBenchError, match=r"'zzz', which is not known; allowed are"):
        Study.of(changed("training.zzz", 1))


def test_a_source_without_any_of_the_architectures():
    config = changed("experiment.archs", ["vit_base"])
    with pytest.raises(SourceBenchError, match="'radimagenet' has weights"):
        Study.of(config)


KERAS = {arch: {"builder": f"keras_{arch}"} for arch in ("resnet50", "inception_v3", "densenet121")}


def test_a_method_that_is_paid_too_much_is_remarked_upon():
    config = changed("method.deep_gamblers.reward", 10)
    assert Study.of(config).remarks == []  # nobody asks for it
    config["experiment"]["method"] = ["cross_entropy", "deep_gamblers"]
    (said,) = Study.of(config).remarks
    assert said.startswith("The method 'deep_gamblers' has a reward of 10 with 2 classes")
    assert said.endswith("(tasks: cxr_mass, ct_nodule, cxr_atelectasis)")
    config["method"]["deep_gamblers"]["reward"] = 2
    assert Study.of(config).remarks == []


def test_where_a_method_begins():
    """The network of cross-entropy is kept where another goes on from it, whatever it is called."""
    config = changed("experiment.method", ["usual", "confidnet"])
    config["method"]["usual"] = {"kind": "cross_entropy"}
    config["training"]["keep_checkpoints"] = "none"
    config["tasks"]["ct_nodule"]["method"] = ["confidnet", "devries"]
    study = Study.of(config)
    assert study.begun_by("cxr_mass", "confidnet") == "usual"
    assert study.begun_by("cxr_mass", "usual") is study.begun_by("cxr_mass", None) is None
    assert study.begun_by("ct_nodule", "confidnet") is None  # it trains one of its own
    assert study.keeps_checkpoint("cxr_mass", "tag", "usual")
    assert not study.keeps_checkpoint("cxr_mass", "tag", "confidnet")
    assert not study.keeps_checkpoint("ct_nodule", "tag", "devries")
    assert list(study.runs.columns)[-1] == "method"
    by = Dependencies(study).network
    place = "cxr_mass", "tag", "imagenet", "resnet50", None
    assert by(*place, "usual") == by(*place, None) == by(*place) != by(*place, "confidnet")


def test_sources_of_different_structures_are_remarked_upon():
    assert Study.of(DEFAULT).remarks == []
    config = changed("experiment.sources", ["imagenet", "radimagenet_keras", "random"])
    said = Study.of(config).remarks
    # Of InceptionResNetV2 Keras' structure is timm's.
    assert [sentence.split()[0] for sentence in said] == list(KERAS)
    assert "resnet50 from imagenet, random; keras_resnet50 from radimagenet_keras" in said[0]
    assert "imagenet_keras" in said[0]
    config["experiment"]["sources"][0] = "imagenet_keras"
    assert len(Study.of(config).remarks) == 3
    config["sources"]["random"]["networks"] = KERAS
    assert Study.of(config).remarks == []
    config = changed("experiment.sources", ["imagenet", "dinov2", "random"])
    config["experiment"]["archs"] = ["vit_small"]
    assert "vit_small_patch14_dinov2 from dinov2" in Study.of(config).remarks[0]


def test_the_experiment_is_the_papers_grid():
    study = Study.of(DEFAULT)
    table = study.runs
    assert list(table.columns) == [axis.name for axis in USUAL]
    assert not table.duplicated().any()
    # Three sources of four architectures, less RadImageNet's InceptionResNetV2, which only Keras
    # has: 11 networks a cell.
    # tag, denoise and noise share p_art = 0; noise_levels and gender have their own.
    # On CT, all four share it.
    cells = (1 + 3 * 5 + 6) + 6 + (1 + 4 * 5)
    assert len(table) == 11 * cells * 5
    assert str(len(table)) in (ROOT / "README.md").read_text().replace(",", "")
    shared = table[table["confounder"] == "none"]
    assert set(shared["p_art"]) == {"0"}
    assert set(shared["task"]) == {"cxr_mass", "ct_nodule"}
    assert study.tasks["cxr_mass"].tested("none") == ["tag", "denoise", "noise"]


def test_noise_of_a_size_of_its_own_has_clean_images_of_its_own():
    """And so a network of p_art = 0, in this task alone: the other has its size."""
    config = changed("confounders.noise.resolution", 362)
    config["tasks"]["ct_nodule"]["confounders"] = ["tag", "noise"]
    study = Study.of(config)
    mass, nodule = study.tasks["cxr_mass"], study.tasks["ct_nodule"]
    assert (mass.has_base("noise"), nodule.has_base("noise")) == (True, False)
    assert mass.tested("none") == ["tag", "denoise"]
    assert nodule.tested("none") == ["tag", "noise"]
    table = study.runs
    clean = table[(table["p_art"] == "0") & (table["task"] != "cxr_atelectasis")]
    assert set(zip(clean["task"], clean["confounder"], strict=True)) == {
        ("cxr_mass", "none"), ("cxr_mass", "noise"), ("cxr_mass", "noise_levels"),
        ("ct_nodule", "none"),
    }  # fmt: skip


def test_further_axes_are_further_columns():
    config = changed("experiment.fraction", [0.05, 1])
    config["experiment"]["repeats"] = 3
    config["tasks"]["cxr_atelectasis"]["confounders"] = []
    config["experiment"]["tasks"] = ["cxr_atelectasis"]
    study = Study.of(config)
    table = study.runs
    assert list(table.columns) == [*(axis.name for axis in USUAL), "fraction", "repeat"]
    assert set(table["fraction"]) == {"0.05", "1"}
    assert set(table["repeat"]) == {1, 2, 3}
    # Without a confounder there is nothing to vary: p_art 0 alone.
    assert set(zip(table["confounder"], table["p_art"], strict=True)) == {("none", "0")}
    assert len(table) == 11 * 5 * 2 * 3
    assert study.tasks["cxr_atelectasis"].tested("none") == ["none"]


def test_an_architecture_a_source_lacks_is_left_out():
    config = changed("experiment.archs", ["resnet50", "vit_base"])
    table = Study.of(config).runs
    assert set(table.loc[table["source"] == "radimagenet", "arch"]) == {"resnet50"}
    assert set(table.loc[table["source"] == "imagenet", "arch"]) == {"resnet50", "vit_base"}


def test_a_truncated_architecture_takes_its_parents_weights():
    config = changed("experiment.archs", ["resnet50_t1", "resnet50", "densenet121_t2"])
    source = Study.of(config).sources["radimagenet"]
    assert list(source.archs) == config["experiment"]["archs"]
    assert source.weights == ("resnet50", "densenet121")


def test_who_asks_for_a_card():
    study = Study.of(DEFAULT)
    assert study.confounders["ct_noise"].cards("auto") == 1
    assert study.confounders["ct_noise"].cards("cpu") == 0
    assert study.confounders["tag"].cards("auto") == 0
    study = Study.of(changed("confounders.ct_noise.accelerator", "cpu"))
    assert study.confounders["ct_noise"].cards("auto") == 0
    assert (
        study.training.cards,
        Study.of(changed("training.accelerator", "cpu")).training.cards,
    ) == (1, 0)


def test_a_seed_fetches_nothing_again():
    config = changed("experiment.sources", ["imagenet", "dead_leaves"])
    sources = Study.of(config).sources
    assert (sources["imagenet"].seed(7), sources["dead_leaves"].seed(7)) == (0, 7)


def test_defaults_are_filled_in():
    config = changed("tasks.cxr_mass.resize", None)
    for key in ("threads", "keep_checkpoints"):
        del config["training"][key]
    study = Study.of(config)
    assert (study.tasks["cxr_mass"].resize, study.tasks["ct_nodule"].view) == ("nearest", None)
    assert (study.training.threads, study.training.keep_checkpoints) == (4, "shared")
    assert study.sources["random"].title == "Random"


def test_a_shift_is_a_test_set_of_the_tasks_that_name_it():
    config = changed("shifts.soft.levels", [{"diameter": 400}, {"diameter": 100, "title": "Much"}])
    config["shifts"]["letter"] = {"kind": "tag", "text": "L"}
    config["tasks"]["cxr_mass"]["shifts"] = ["letter", "soft"]
    study, plain = Study.of(config), Study.of(DEFAULT)
    task = study.tasks["cxr_mass"]
    assert task.shifted == [("soft_1", "soft", 1), ("soft_2", "soft", 2), ("letter", "letter", 1)]
    assert task.layers == [*plain.tasks["cxr_mass"].layers, "soft_1", "soft_2", "letter"]
    assert study.tasks["ct_nodule"].shifted == []
    assert study.uses["soft_2"].artifact.diameter == 100
    assert (study.uses["soft_1"].title, study.uses["soft_2"].title) == ("Denoising", "Much")
    assert study.runs.equals(plain.runs)  # it trains nothing
    assert (study.style, study.figures) == (plain.style, plain.figures)


def test_what_each_test_set_is():
    config = changed("shifts.soft.levels", [{"diameter": 400}, {"diameter": 100}])
    config["shifts"]["men"] = {"kind": "acquisition", "column": "gender", "values": ["M"]}
    task = config["tasks"]["cxr_mass"]
    task["shifts"] = ["soft", "men"]
    shifted = {
        "soft_1": ("corruption", "soft", 1),
        "soft_2": ("corruption", "soft", 2),
        "men": ("acquisition", "men", 0),
    }
    confounded = {name: ("confounder", name, 0) for name in ("ood", "clean", "artifact")}
    study = Study.of(config)
    assert study.tasks["cxr_mass"].test_sets == {"iid": ("iid", "iid", 0), **confounded, **shifted}
    task["confounders"] = []
    alone = Study.of(config)
    assert alone.tasks["cxr_mass"].test_sets == {"clean": ("iid", "clean", 0), **shifted}
    assert alone.scoring("cxr_mass") == {}
    asked = Asked.of(**replace(study, confidence=["msr"], coverage=0.9).scoring("cxr_mass"))
    assert (asked.scores, asked.coverage) == (["msr"], 0.9)
    assert asked.shifted("soft_2") == ("corruption", "soft", 2)
    assert set(asked.test_sets) == {*TEST_SETS, *shifted}


@pytest.mark.parametrize(
    ("entry", "severities"),
    [
        ({}, [1, 2, 3, 4, 5]),  # of a kind that has them, all
        ({"title": "Grain"}, [1, 2, 3, 4, 5]),
        ({"levels": [1, 3, 5]}, [1, 3, 5]),
        ({"levels": [5, 2], "resolution": 64}, [5, 2]),
    ],
)
def test_a_shift_has_the_severities_of_its_kind(entry, severities):
    config = changed("shifts.grain", GRAIN | entry)
    config["tasks"]["cxr_mass"]["shifts"] = ["grain"]
    study = Study.of(config)
    shifted = study.tasks["cxr_mass"].shifted
    assert shifted == [(f"grain_{number}", "grain", number) for number in severities]
    deviations = {1: 10.2, 2: 20.4, 3: 30.6, 4: 45.9, 5: 66.3}
    for name, _, number in shifted:
        use = study.uses[name]
        assert use.artifact.sd == deviations[number]
        assert use.artifact.resolution == entry.get("resolution")
        assert use.title == entry.get("title", "Gaussian noise")


@pytest.mark.parametrize(
    ("entry", "shifted"),
    [
        ({"sd": 9}, [("grain", "grain", 1)]),
        ({"levels": [{"sd": 9}, {"sd": 12}]}, [("grain_1", "grain", 1), ("grain_2", "grain", 2)]),
    ],
)
def test_parameters_of_ones_own_are_no_severities(entry, shifted):
    config = changed("shifts.grain", GRAIN | entry)
    config["tasks"]["cxr_mass"]["shifts"] = ["grain"]
    study = Study.of(config)
    assert study.tasks["cxr_mass"].shifted == shifted
    assert study.uses[shifted[0][0]].artifact.sd == 9


def test_the_confounded_class_decides_the_design_and_no_more():
    plain = changed("tasks.cxr_mass", CLASSED)
    named = changed("tasks.cxr_mass", CLASSED | {"confounded": "nodule"})
    assert Study.of(plain).tasks["cxr_mass"].samples == {"test": 8, "dev": 16}
    assert Study.of(named).tasks["cxr_mass"].confounded == "nodule"
    one, other = (Dependencies(Study.of(config)) for config in (plain, named))
    assert one.manifest("cxr_mass") == other.manifest("cxr_mass")
    assert one.layer("cxr_mass", "tag") == other.layer("cxr_mass", "tag")
    assert one.design("cxr_mass") != other.design("cxr_mass")


def test_a_sampled_attribute_goes_with_the_class_that_is_drawn_with_it():
    entry = DEFAULT["tasks"]["cxr_atelectasis"] | {
        "labels": {"from": "classes", "classes": {"ill": ["Atelectasis"], "well": ["No Finding"]}}
    }
    plain, named = (
        Study.of(changed("tasks.cxr_atelectasis", entry | more))
        for more in ({}, {"confounded": "ill"})
    )
    assert named.tasks["cxr_atelectasis"].sampling["confounded"] == "ill"
    one, other = (Dependencies(study).manifest("cxr_atelectasis") for study in (plain, named))
    assert one != other


def test_published_splits_say_themselves_who_is_confounded():
    entry = {**DEFAULT["tasks"]["cxr_mass"], "splits": "published_mass", "confounded": "YES"}
    with pytest.raises(SourceBenchError, match=r"cxr_mass\.confounded is 'YES', but of published"):
        Study.of(changed("tasks.cxr_mass", entry))


def test_labels_of_another_source_decide_nothing():
    """A config that is laid over another and changes 'from' keeps the rest."""
    config = changed("tasks.cxr_mass.labels.uncertain", "zeros")
    study, plain = Study.of(config), Study.of(DEFAULT)
    assert study.tasks["cxr_mass"].labels == plain.tasks["cxr_mass"].labels


@pytest.mark.parametrize(
    ("key", "value", "counts"),
    [
        ("datasets.lidc_idri.crop", None, False),  # the default was written out
        ("datasets.lidc_idri.window", None, False),
        ("datasets.lidc_idri.window", [-1000, 800], True),
        ("datasets.lidc_idri.url", "https://example.org", False),
        ("datasets.lidc_idri.keep_all_images", True, False),
        ("tasks.ct_nodule.labels.min_diameter", None, False),
        ("tasks.ct_nodule.labels.min_diameter", 4, True),
        ("tasks.ct_nodule.labels.extent", [0.17, 0.91], False),
        ("tasks.ct_nodule.labels.extent", [0, 1], True),
    ],
)
def test_a_default_decides_the_same_whether_it_is_written_out_or_not(key, value, counts):
    before = Dependencies(Study.of(DEFAULT)).manifest("ct_nodule")
    after = Dependencies(Study.of(changed(key, value))).manifest("ct_nodule")
    assert (after != before) == counts


@pytest.mark.parametrize("entry", [{}, {"kind": "table"}, {"kind": "disk", "path": 3}])
def test_a_dataset_that_no_task_uses_may_be_unfinished(entry):
    config = changed("datasets.spare", {"kind": "table", "origin": "download"} | entry)
    assert Study.of(config).datasets["spare"].name == "spare"
    config["tasks"]["cxr_mass"]["dataset"] = "spare"
    with pytest.raises(
        SourceBenchError, match=r"datasets\.spare(\.kind has 'disk'| lacks .*table)"
    ):
        Study.of(config)


@pytest.mark.parametrize(
    ("path", "instead"),
    [
        ("imges", r"and there is no such folder \(is it '.*/images'\?\)"),
        ("elsewhere/far", "and there is no such folder"),
        ("table.csv", "which is a file"),
    ],
)
def test_a_folder_that_is_none_is_told_with_what_is_there(tmp_path, path, instead):
    (tmp_path / "images").mkdir()
    (tmp_path / "table.csv").touch()
    own = {"origin": "path", "path": str(tmp_path / path)}
    with pytest.raises(SourceBenchError) as said:
        Study.of(merged({"datasets": {"nih_cxr14": own}}))
    assert re.search(
        rf"nih_cxr14\.path is '.*', {instead}; with origin 'path' it must", str(said.value)
    )
