"""A step runs again for what decides its result and for nothing else: every key of a config.

The workflow is read, not planned: what Snakemake compares of a step (its inputs' names and its
parameters, digests among them) is looked at before and after a key changes.
"""

import copy
import os
import re

import pandas as pd
import pytest
from snakemake.api import SnakemakeApi
from snakemake.common.configfile import load_configfile
from snakemake.iocontainers import InputFiles, OutputFiles, Wildcards
from snakemake.parser import parse
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from conftest import ROOT, write_pngs
from sourcebench.study.schema import schema

STUDY = {
    "study": "small",
    "seed": 1,
    "plugins": [],
    "datasets": {
        "mine": {
            "kind": "table", "origin": "path", "path": "images", "table": "mine.csv",
            "columns": {"site": "clinic"},
        },
        "nih_cxr14": {
            "kind": "nih_cxr14", "origin": "phantoms", "path": None, "url": None,
            "checksums": True, "keep_archives": False, "keep_all_images": False,
        },
    },
    "tasks": {
        "drawn": {
            "title": "Drawn", "dataset": "mine", "view": None,
            "labels": {"from": "metadata", "positive": "Mass", "negative": "No Finding"},
            "samples": {"test": 8, "dev": 16, "positive": 0.5}, "val_fraction": 0.25,
            "input_size": 32, "resize": "nearest", "channels": 1, "fit": "pad",
            "native_size": 64, "border": 0, "batch_size": 8, "monitor": "loss",
            "confounders": ["tag", "noise"], "shifts": ["soft"], "reference": 0.9, "subgroups": [],
            "p_art": [0, 1], "transfer": ["full"], "fraction": [1], "archs": ["tiny_resnet"],
            "method": ["cross_entropy", "gamblers"], "group": "Mine",
            "training": {"epochs": 1, "clip": None, "augmentation": {"flip": 0}},
        },
        "published": {
            "title": "Published", "dataset": "nih_cxr14", "splits": "theirs", "input_size": 32,
            "batch_size": 8, "monitor": "loss", "confounders": ["gender"],
        },
        "classed": {
            "title": "Classes", "dataset": "mine",
            "labels": {
                "from": "classes", "column": "kind",
                "classes": {"benign": ["nv", "bkl"], "malignant": ["mel"]},
            },
            "samples": {"test": 8, "dev": 16, "balanced": True}, "val_fraction": 0.25,
            "input_size": 32,
            "batch_size": 8, "monitor": "loss", "confounders": ["tag"], "confounded": "benign",
        },
    },
    "confounders": {
        "tag": {"kind": "tag", "title": "Tag", "text": "R", "size": 64, "x": 200, "y": 200},
        "noise": {"kind": "poisson_noise", "n0": 2e7, "resolution": 32},
        "gender": {"kind": "gender", "column": "sex", "carrier": "F", "other": "M"},
    },
    "shifts": {"soft": {"kind": "denoise", "title": "Soft", "diameter": 100, "levels": [{}]}},
    "sources": {
        "model": {
            "kind": "file", "path": "model.pth", "mean": 0.5, "std": 0.5, "title": "A model",
            "archs": ["tiny_resnet"], "licence": "MIT", "citation": "Me", "gated": False,
            "note": "Mine.", "help": "Look.", "range": [0, 1], "channels": "RGB",
            "input_size": 96, "rename": {"old": "new."},
        },
        "leaves": {
            "kind": "insilico", "generator": "dead_leaves", "images": 64, "size": 32,
            "epochs": 1, "batch_size": 16, "lr": 0.001, "weight_decay": 0.1, "validation": 0.1,
        },
        "random": {
            "kind": "random", "mean": [0.5, 0.4, 0.3], "std": 0.25, "range": [0, 1],
            "channels": "RGB",
        },
    },
    "transfer": {
        "full": {"kind": "layerwise", "decay": 0.75},
        "probe": {"kind": "frozen", "learning_rate": 0.001},
    },
    "method": {
        "gamblers": {"kind": "deep_gamblers", "reward": 2, "pretrain": 0.5},
        "hints": {"kind": "devries", "budget": 0.3, "weight": 0.1, "epochs": 0.5},
        "beside": {
            "kind": "confidnet", "head": 0.5, "encoder": 0.5,
            "head_learning_rate": 0.001, "encoder_learning_rate": 0.0001,
        },
    },
    "experiment": {
        "tasks": ["drawn", "published", "classed"], "sources": ["model", "leaves", "random"],
        "archs": ["tiny_resnet"], "p_art": [0, 1], "folds": 2, "transfer": ["full", "probe"],
        "fraction": [1], "repeats": 1, "method": ["cross_entropy", "hints", "beside"],
        "figures": ["drop", "figure2"], "audit": ["theirs", "web"],
        "confidence": ["msr"], "dropout_passes": 50, "explore": [], "coverage": 0.95,
    },
    "training": {
        "epochs": 1, "patience": 1, "learning_rate": 0.001, "dropout": 0.5,
        "batch_norm_momentum": 0.1, "optimiser": "keras_adam", "weight_decay": 0,
        "schedule": "constant", "clip": None, "choose": "best",
        "augmentation": {"rotation": 10, "shift": 0.1, "shear": 0.1, "zoom": 0.1, "flip": 0},
        "precision": "fp32", "accelerator": "cpu", "threads": 1, "keep_checkpoints": "shared",
    },
    "splits": {
        "theirs": {"path": "theirs", "positive": "YES", "leaks": "refuse"},
        "web": {
            "url": "https://example.org", "sha256": 64 * "0", "folds": 2, "p_art": [0, 1],
            "positive": "YES",
        },
    },
}  # fmt: skip


UNUSED = """
from dataclasses import dataclass

from sourcebench.training.transfer.base import TRANSFERS, Transfer


@TRANSFERS.register("unused")
@dataclass(frozen=True)
class Unused(Transfer):
    title = "Unused"
"""
"""A plugin whose kind no entry names."""

NETWORKS = {"finetune"}
LAYERS = {"confound", "artifact_figure", *NETWORKS}
IMAGES = {"prepare", *LAYERS}
MANIFEST = {"manifest", "design", *IMAGES}
SAMPLED = MANIFEST - {"confound", "artifact_figure"}  # of a task into whose images nothing is drawn
WEIGHTS = {"weights", "sources", *NETWORKS}
RUNS = {"finetune", "evidence"}  # networks that are new
TITLES = {"table1", "figure", "summary"}
# What collects the steps, and so has the names of all that lies before them among its inputs.
COLLECTED = {"counts", "artifact_figure", "evidence", "split_audit", "table1"}

KEYS = {
    "seed": (2, MANIFEST | WEIGHTS),
    "plugins": (["unused.py"], set()),
    "datasets.mine.origin": ("download", MANIFEST | COLLECTED | {"retrieve"}),
    "datasets.mine.path": ("others", {"index_local", "retrieve"}),
    "datasets.mine.table": ("others.csv", MANIFEST | {"index_local", "retrieve"}),
    "datasets.mine.columns.site": ("place", MANIFEST | {"index_local", "retrieve"}),
    "datasets.nih_cxr14.origin": ("download", SAMPLED | {"retrieve"}),
    "datasets.nih_cxr14.path": ("images", set()),
    "datasets.nih_cxr14.url": ("https://example.org", set()),
    "datasets.nih_cxr14.checksums": (False, set()),
    "datasets.nih_cxr14.keep_archives": (True, set()),
    "datasets.nih_cxr14.keep_all_images": (True, set()),
    "tasks.drawn.title": ("Other", TITLES | {"artifact_figure"}),
    "tasks.drawn.dataset": ("nih_cxr14", MANIFEST | COLLECTED | {"retrieve"}),
    "tasks.drawn.view": ("PA", MANIFEST),
    "tasks.drawn.labels.positive": ("Nodule", MANIFEST),
    "tasks.drawn.labels.negative": ("Nodule", MANIFEST),
    "tasks.drawn.samples.test": (6, MANIFEST),
    "tasks.drawn.samples.dev": (12, MANIFEST),
    "tasks.drawn.samples.positive": (0.4, MANIFEST),
    "tasks.drawn.val_fraction": (0.2, {"design", *NETWORKS}),
    "tasks.drawn.input_size": (48, IMAGES | {"table1", "evidence"}),
    "tasks.drawn.resize": ("antialiased", IMAGES),
    "tasks.drawn.channels": (3, IMAGES),
    "tasks.drawn.fit": ("crop", IMAGES),
    "tasks.drawn.native_size": (48, IMAGES),
    "tasks.drawn.border": ("mean", IMAGES),
    "tasks.drawn.batch_size": (4, NETWORKS | {"table1"}),
    "tasks.drawn.monitor": ("auroc", NETWORKS),
    "tasks.drawn.confounders": (
        ["tag"],
        {"finetune", "tables", "artifact_figure", "split_audit"} | TITLES,
    ),
    "tasks.drawn.shifts": ([], {"design", "artifact_figure", "evidence", *NETWORKS}),
    "tasks.drawn.subgroups": (["sex", "gender"], {"evidence"}),
    "tasks.drawn.group": ("Others", {"statistics"}),
    "tasks.drawn.reference": (0.8, {"figure"}),
    "tasks.drawn.p_art": ([0, 0.5], RUNS | {"split_audit", "table1"}),
    "tasks.drawn.transfer": (["probe"], RUNS),
    "tasks.drawn.fraction": ([0.5], RUNS),
    "tasks.drawn.method": (["hints"], RUNS),
    "tasks.drawn.archs": (["tiny_resnet_t1"], RUNS | {"sources", "figure", "summary"}),
    "tasks.drawn.training.epochs": (2, NETWORKS),
    "tasks.drawn.training.clip": (1, NETWORKS),
    "tasks.drawn.training.augmentation.flip": (0.5, NETWORKS),
    "tasks.published.title": ("Other", TITLES),
    "tasks.published.dataset": ("mine", SAMPLED | COLLECTED | {"retrieve"}),
    "tasks.published.splits": ("web", SAMPLED | COLLECTED),
    "tasks.published.input_size": (48, {"prepare", "table1", *NETWORKS}),
    "tasks.published.batch_size": (4, NETWORKS | {"table1"}),
    "tasks.published.monitor": ("auroc", NETWORKS),
    "tasks.published.confounders": (
        ["tag"],
        MANIFEST | TITLES | {"evidence", "tables", "split_audit"},
    ),
    "tasks.classed.title": ("Other", TITLES | {"artifact_figure"}),
    "tasks.classed.dataset": ("nih_cxr14", MANIFEST | COLLECTED | {"retrieve"}),
    "tasks.classed.labels.column": ("other", MANIFEST),
    "tasks.classed.labels.classes.benign": (["nv"], MANIFEST),
    "tasks.classed.labels.classes.malignant": (["mel", "bcc"], MANIFEST),
    "tasks.classed.samples.test": (6, MANIFEST),
    "tasks.classed.samples.dev": (12, MANIFEST),
    "tasks.classed.samples.balanced": (False, MANIFEST),
    "tasks.classed.val_fraction": (0.2, {"design", *NETWORKS}),
    "tasks.classed.input_size": (48, IMAGES | {"table1"}),
    "tasks.classed.batch_size": (4, NETWORKS | {"table1"}),
    "tasks.classed.monitor": ("auroc", NETWORKS),
    "tasks.classed.confounders": (
        ["noise"],
        {"finetune", "confound", "design", "table1", "tables"} | COLLECTED - {"counts"},
    ),
    "tasks.classed.confounded": ("malignant", {"design", *NETWORKS}),
    "shifts.soft.title": ("Softer", {"artifact_figure"}),
    "shifts.soft.diameter": (200, LAYERS),
    "shifts.soft.levels": ([{}, {"diameter": 50}], {"design", "evidence", *LAYERS}),
    "confounders.tag.title": ("Letter", TITLES | {"artifact_figure"}),
    "confounders.tag.text": ("L", LAYERS),
    "confounders.tag.size": (32, LAYERS),
    "confounders.tag.x": (100, LAYERS),
    "confounders.tag.y": (100, LAYERS),
    "confounders.noise.n0": (1e7, LAYERS),
    "confounders.noise.resolution": (64, LAYERS | {"evidence"}),
    "confounders.gender.column": ("view", SAMPLED),
    "confounders.gender.carrier": ("X", SAMPLED),
    "confounders.gender.other": ("X", SAMPLED),
    "sources.model.path": ("other.pth", WEIGHTS),
    "sources.model.mean": (0.4, WEIGHTS),
    "sources.model.std": (0.4, WEIGHTS),
    "sources.model.title": ("Another", {"sources", "figure", "summary"}),
    "sources.model.archs": (["tiny_resnet", "resnet18"], set()),
    "sources.model.licence": ("GPL", {"sources"}),
    "sources.model.citation": ("You", {"sources"}),
    "sources.model.gated": (True, {"sources"}),
    "sources.model.note": ("Yours.", {"sources"}),
    "sources.model.help": ("Ask.", set()),
    "sources.model.range": ([0, 255], WEIGHTS),
    "sources.model.channels": ("BGR", WEIGHTS),
    "sources.model.input_size": (48, WEIGHTS),
    "sources.model.rename.old": ("newer.", WEIGHTS),
    "sources.leaves.generator": ("phantom_radiology", WEIGHTS),
    "sources.leaves.images": (32, WEIGHTS),
    "sources.leaves.size": (48, WEIGHTS),
    "sources.leaves.epochs": (2, WEIGHTS),
    "sources.leaves.batch_size": (8, WEIGHTS),
    "sources.leaves.lr": (0.01, WEIGHTS),
    "sources.leaves.weight_decay": (0.2, WEIGHTS),
    "sources.leaves.validation": (0.2, WEIGHTS),
    "sources.random.mean": (0.4, {"sources", *NETWORKS}),
    "sources.random.std": (0.4, {"sources", *NETWORKS}),
    "sources.random.range": ([0, 255], {"sources", *NETWORKS}),
    "sources.random.channels": ("BGR", {"sources", *NETWORKS}),
    "transfer.full.decay": (0.5, NETWORKS),
    "transfer.probe.learning_rate": (0.01, NETWORKS),
    "method.gamblers.reward": (1.5, NETWORKS),
    "method.gamblers.pretrain": (0.2, NETWORKS),
    "method.hints.budget": (0.4, NETWORKS),
    "method.hints.weight": (0.2, NETWORKS),
    "method.hints.epochs": (1, NETWORKS),
    "method.beside.head": (0.2, NETWORKS),
    "method.beside.encoder": (0.2, NETWORKS),
    "method.beside.head_learning_rate": (0.01, NETWORKS),
    "method.beside.encoder_learning_rate": (0.01, NETWORKS),
    "experiment.tasks": (["drawn"], TITLES | COLLECTED - {"evidence"} | {"tables", "retrieve"}),
    "experiment.sources": (["model"], {"evidence", "sources", "figure", "summary"}),
    "experiment.archs": (
        ["tiny_resnet", "tiny_resnet_t1"],
        RUNS | {"sources", "figure", "summary"},
    ),
    "experiment.p_art": ([0, 0.5], RUNS | {"split_audit", "table1"}),
    "experiment.folds": (1, {"design", "finetune", "evidence"}),
    "experiment.transfer": (["probe"], {"evidence"}),
    "experiment.fraction": ([0.5], RUNS),
    "experiment.repeats": (2, RUNS),
    "experiment.method": (["cross_entropy", "hints"], {"evidence"}),
    "experiment.figures": (["epochs"], {"figure"}),
    "experiment.audit": (["theirs"], {"split_audit"}),
    "experiment.confidence": (
        ["pe"],
        {"evidence", "figure"},
    ),  # nothing more is measured, see below
    "experiment.coverage": (0.9, {"evidence"}),
    "experiment.dropout_passes": (10, set()),
    "experiment.explore": (
        [{"source": "random", "method": "cross_entropy"}],
        {"finetune"},
    ),
    "training.epochs": (2, NETWORKS),
    "training.patience": (2, NETWORKS),
    "training.learning_rate": (0.01, NETWORKS),
    "training.dropout": (0.4, NETWORKS),
    "training.batch_norm_momentum": (0.2, NETWORKS),
    "training.optimiser": ("adam", NETWORKS),
    "training.weight_decay": (1e-5, NETWORKS),
    "training.schedule": ("cosine", NETWORKS),
    "training.clip": (1, NETWORKS),
    "training.choose": ("last", NETWORKS),
    "training.augmentation.flip": (0.5, NETWORKS),
    "training.augmentation.rotation": (5, NETWORKS),
    "training.augmentation.shift": (0.2, NETWORKS),
    "training.augmentation.shear": (0.2, NETWORKS),
    "training.augmentation.zoom": (0.2, NETWORKS),
    "training.precision": ("bf16", NETWORKS),
    "training.accelerator": ("auto", set()),
    "training.threads": (2, set()),
    "training.keep_checkpoints": ("all", set()),
    "splits.theirs.path": ("ours", SAMPLED | {"published_splits"}),
    "splits.theirs.positive": ("NO", SAMPLED | {"published_splits"}),
    "splits.theirs.leaks": ("accept", {"design"}),
    "splits.web.url": ("https://example.com", {"published_splits"}),
    "splits.web.sha256": (64 * "1", {"published_splits"}),
    "splits.web.folds": (3, {"published_splits"}),
    "splits.web.p_art": ([0], {"published_splits"}),
    "splits.web.positive": ("NO", {"published_splits"}),
}
"""Key → another value, and the rules that run again for it; those that only follow them do, too."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """What the study names on the disk: images, tables, splits, checkpoints."""
    folder = tmp_path_factory.mktemp("decides")
    for name in ("images", "others"):
        write_pngs(folder / name, ["1.png"])
        os.utime(folder / name / "1.png", (0, 0))  # the same files, elsewhere
    for name in ("mine.csv", "others.csv"):
        pd.DataFrame({"image_id": ["1.png"], "patient_id": [name], "findings": [""]}).to_csv(
            folder / name, index=False
        )
    for name in ("theirs", "ours"):
        (folder / name).mkdir()
        (folder / name / "test.csv").write_text(f"path,pid,class\n{name},1,YES\n")
    (folder / "unused.py").write_text(UNUSED)
    for name in ("model.pth", "other.pth"):
        (folder / name).write_bytes(name.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def read_once():
    """Snakemake reads each file of the workflow once: only the study differs from plan to plan."""
    known = {}

    def parsed(path, workflow, linemap, rulecount=0):
        place = path.get_path_or_uri(secret_free=True), rulecount
        if place not in known:
            known[place] = *parse(path, workflow, linemap, rulecount=rulecount), dict(linemap)
        code, count, lines = known[place]
        linemap.update(lines)
        return code, count

    def loaded(path):
        if path not in known:
            known[path] = load_configfile(path)
        return copy.deepcopy(known[path])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("snakemake.workflow.parse", parsed)
        patch.setattr("snakemake.common.configfile.load_configfile", loaded)
        yield


@pytest.fixture(scope="module")
def before(desk, read_once):
    """What is compared of the study as it is."""
    return compared(desk, STUDY)


def compared(folder, config):
    """What Snakemake compares of a study's jobs: rule → job → its inputs and parameters."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=config),
            snakefile=ROOT / "Snakefile",
            workdir=folder,
        )._workflow
        return {
            rule: {repr(job): _facts(workflow.get_rule(rule), job) for job in jobs}
            for rule, jobs in _jobs(workflow.globals).items()
        }


def _jobs(known):
    """The wildcards of every job of a study, by rule."""
    study, tasks = known["study"], [{"task": name} for name in known["TASKS"]]
    datasets = {task.dataset.name: task.dataset for task in study.tasks.values()}
    splits = {*study.audit, *(task.splits.name for task in study.tasks.values() if task.splits)}
    weights = re.compile(r"weights/(?P<source>\w+)/(?P<arch>\w+)-(?P<weights>\w+)")
    return {
        "index_local": [{"dataset": name} for name, each in datasets.items() if each.path],
        "retrieve": [{"dataset": name} for name in datasets],
        "published_splits": [{"splits": name} for name in sorted(splits)],
        "manifest": tasks,
        "prepare": tasks,
        "design": [{"task": task, "confounder": name} for task, name in known["DESIGNS"]],
        "confound": [
            {"task": task, "confounder": name, "layer": "artifact"}
            for task, names in known["DRAWN_INTO"].items()
            for name in names
        ],
        "weights": [weights.search(path).groupdict() for path in known["source_cards"](None)],
        "finetune": study.runs.astype(str).to_dict("records"),
        "artifact_figure": [{"figure": "figure2"}],
        "figure": [{"figure": name} for name in study.figures if name != "figure2"],
        "evidence": [{"task": task, "confounder": name} for task, name in known["DESIGNS"]],
        **{rule: [{}] for rule in ONCE},
    }


ONCE = (
    "tables",
    "statistics",
    "published",
    "summary",
    "table1",
    "counts",
    "split_audit",
    "sources",
)
"""Steps that there is one of."""

SETTLED = {"manifest", "prepare", "design", "confound", "finetune"}
"""Steps that take their inputs for ancient once their digest is the one they ran with."""


def _facts(rule, job):
    """What of a job is compared: its parameters, and its inputs where they may be newer."""
    job = Wildcards(fromdict=job)
    _, params = rule.expand_params(job, InputFiles(), OutputFiles(), None)
    inputs = [] if rule.name in SETTLED else [_given(each, job) for each in rule.input]
    return [*map(repr, params), *inputs]


def _given(item, job):
    """What a rule says of an input: a path, or what its function answers."""
    flagged = getattr(getattr(item, "_file", item), "callable", None)
    ask = flagged or (item if callable(item) else None)
    return str(ask(job) if ask else item)


def rerun(before, after):
    """The rules of which a job is new, or runs again."""
    return {
        rule
        for rule, jobs in after.items()
        if any(before[rule].get(job) != facts for job, facts in jobs.items())
    }


def leaves(part, path=()):
    """The keys of a config, down to what is no table."""
    if not isinstance(part, dict):
        return {".".join(path): part}
    return {key: value for name in part for key, value in leaves(part[name], (*path, name)).items()}


def test_every_key_has_an_answer():
    """But for kinds, to which the other keys belong; and for the study's name, another study."""
    there = {key for key in leaves(STUDY) if not re.search(r"(^study|\.kind|\.from)$", key)}
    assert there == set(KEYS)
    shape = schema()["properties"]
    assert set(shape) == set(STUDY)
    for part in ("experiment", "training"):
        assert set(shape[part]["properties"]) == set(STUDY[part])
    tasks = [set(task) for task in STUDY["tasks"].values()]
    assert set(shape["tasks"]["additionalProperties"]["properties"]) == set.union(*tasks)


def test_a_study_that_stays_the_same_runs_nothing_again(desk, before):
    assert compared(desk, STUDY) == before


@pytest.mark.parametrize("part", [part for part in STUDY if part != "study"])
def test_what_runs_again_for_each_key(part, desk, before, forgotten):
    wrong = {}
    for key, (value, expected) in KEYS.items():
        *path, last = key.split(".")
        if [*path, last][0] != part:
            continue
        place = config = copy.deepcopy(STUDY)
        for name in path:
            place = place[name]
        assert place[last] != value
        place[last] = value
        found = rerun(before, compared(desk, config))
        if found != expected:
            wrong[key] = f"{sorted(found - expected)} too many, {sorted(expected - found)} missing"
    assert wrong == {}, "\n".join(f"{key}: {said}" for key, said in wrong.items())
