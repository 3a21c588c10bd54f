"""Kinds of one's own from outside the repository: in files that a config names, and in packages."""

import sys
import tomllib
from contextlib import contextmanager

import pandas as pd
import pytest
import yaml

from conftest import ROOT, merged, write_pngs
from planner import jobs_of, snakemake
from snippets import snippets
from sourcebench import plugins
from sourcebench.artifacts import ARTIFACTS
from sourcebench.errors import SourceBenchError
from sourcebench.figures import FIGURES
from sourcebench.study import Study

MINE = '''"""Everything of somebody's own, in one file."""

from dataclasses import dataclass
from pathlib import Path

from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.datasets.base import KINDS as DATASETS
from sourcebench.datasets.table import TableDataset
from sourcebench.evaluation.metrics import METRICS
from sourcebench.figures import FIGURES
from sourcebench.parameters import parameter
from sourcebench.sources.base import KINDS as SOURCES
from sourcebench.sources.base import Supplier, Supply
from sourcebench.sources.normalisation import USUAL
from sourcebench.training.transfer.base import TRANSFERS, Transfer
from sourcebench.traits import Taxon

BRIGHT = 255


@ARTIFACTS.register("frame")
@dataclass(frozen=True)
class Frame(Artifact):
    """A bright frame."""

    title = "Frame"
    taxon = Taxon("environment", "external")

    width: int = parameter(3, unit="px", help="of the frame", low=1, high=9)

    def artifact(self, image, rng):
        framed = image.copy()
        framed[: self.width] = BRIGHT
        return framed


@DATASETS.register("upside_down")
@dataclass(frozen=True)
class UpsideDown(TableDataset):
    """As a table, but upside down."""

    def read(self, path):
        image, odd = super().read(path)
        return image[::-1].copy(), odd


@SOURCES.register("small")
@dataclass(frozen=True)
class Small(Supplier):
    """Small weights."""

    def supply(self, order):
        from sourcebench.models import build_backbone

        tensors = build_backbone(order.arch).state_dict()
        return Supply({name: each * 0.9 for name, each in tensors.items()}, USUAL, {})


@TRANSFERS.register("gentle")
@dataclass(frozen=True)
class Gentle(Transfer):
    """Everything is fine-tuned, more slowly."""

    title = "Gentle"

    share: float = parameter(0.5, help="of the learning rate", low=0, high=1)

    def groups(self, network, learning_rate):
        return super().groups(network, self.share * learning_rate)


@METRICS.register("margin")
def margin(labels, logits):
    return float(abs(logits).mean() > 0.1)


def spread(runs, style):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().hist(runs["auroc"])
    return figure


FIGURES.read(Path(__file__).with_name("spread.rst"))
'''
CAPTION = """{#
title: How far the runs differ
category: Robustness
needs: runs
drawn: on request
code: of_mine.spread
#}
The AUROC of all runs.
"""
TASK = {
    "title": "Mine", "dataset": "mine", "input_size": 32, "batch_size": 8, "monitor": "loss",
    "labels": {"from": "metadata", "positive": "Mass", "negative": "No Finding"}, "view": None,
    "samples": {"test": 8, "dev": 16, "positive": 0.5}, "val_fraction": 0.25,
    "confounders": ["frame"],
}  # fmt: skip
STUDY = {
    "study": "mine",
    "plugins": ["kinds/of_mine.py"],
    "datasets": {
        "mine": {"kind": "upside_down", "origin": "path", "path": "images", "table": "mine.csv"}
    },
    "tasks": {"mine": TASK},
    "confounders": {"frame": {"kind": "frame", "width": 2}},
    "sources": {"small": {"kind": "small"}},
    "transfer": {"gentle": {"kind": "gentle", "share": 0.1}},
    "experiment": {
        "tasks": ["mine"], "sources": ["small"], "archs": ["tiny_resnet"], "p_art": [1],
        "folds": 1, "audit": [], "transfer": ["gentle"], "figures": ["spread"],
    },
    "training": {"epochs": 1, "accelerator": "cpu", "threads": 1, "learning_rate": 0.001},
}  # fmt: skip
FIGURE = "results/mine/figures/spread.png"


def run(folder, *arguments, study=STUDY):
    """Run the workflow of this repository in a folder of somebody's own."""
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return snakemake(
        folder, "--snakefile", str(ROOT / "Snakefile"), "--cores", "2",
        "--configfile", "study.yaml", "--workflow-profile", str(ROOT / "profiles" / "default"),
        *arguments, "--", FIGURE,
    )  # fmt: skip


def write(folder):
    """What a study of one's own consists of: images, their table, and kinds beside them."""
    names = [f"{number:03d}.png" for number in range(30)]
    write_pngs(folder / "images", names, size=40)
    findings = ["Mass", "No Finding"] * 15
    table = {"image_id": names, "patient_id": names, "findings": findings}
    pd.DataFrame(table).to_csv(folder / "mine.csv", index=False)
    (folder / "kinds").mkdir()
    (folder / "kinds" / "of_mine.py").write_text(MINE)
    (folder / "kinds" / "spread.rst").write_text(CAPTION)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study of kinds of one's own, run to its figure."""
    folder = tmp_path_factory.mktemp("plugins")
    write(folder)
    status, said = run(folder)
    assert status == 0, said
    return folder


def planned(folder, study=STUDY):
    """What the workflow would run: rule → number of jobs."""
    status, said = run(folder, "--dry-run", study=study)
    assert status == 0, said
    return jobs_of(said)


def test_a_study_of_kinds_of_ones_own_runs_to_its_figure(finished):
    assert (finished / FIGURE).stat().st_size > 1000
    (weights,) = (finished / "resources" / "weights" / "small").glob("*.safetensors")
    assert weights.stat().st_size > 1000
    assert (
        pd.read_csv(finished / "results" / "mine" / "tables" / "runs.csv")["margin"]
        .isin([0, 1])
        .all()
    )


@contextmanager
def edited(path, old, new):
    """Change a file for a while."""
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        yield
    finally:
        path.write_text(before)


AFTER = {"evidence": 1, "tables": 1, "statistics": 1, "figure": 1}
TRAINED = {"finetune": 1, **AFTER}


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("BRIGHT\n        return", "254\n        return", {"confound": 1, **TRAINED}),
        ("self.share *", "2 * self.share *", TRAINED),
        ("each * 0.9", "each * 0.8", {"weights": 1, **TRAINED}),
        ("> 0.1", "> 0.2", AFTER),
        ('hist(runs["auroc"])', 'hist(runs["auprc"])', {"figure": 1}),
        ("A bright frame.", "A white frame.", {}),
    ],
    ids=["artifact", "transfer", "source", "metric", "figure", "docstring"],
)
def test_an_edited_kind_runs_again_what_it_decides(finished, old, new, again):
    """And nothing else, though all of them are in one file; the figure's digest is of the file."""
    with edited(finished / "kinds" / "of_mine.py", old, new):
        assert planned(finished) == again


def test_an_edited_reader_runs_everything_again(finished):
    with edited(finished / "kinds" / "of_mine.py", "[::-1]", "[:, ::-1]"):
        plan = planned(finished)
    assert {"manifest": 1, "prepare": 1, "confound": 1, **TRAINED}.items() <= plan.items()
    assert "weights" not in plan


def test_a_plugin_that_is_not_used_runs_nothing_again(finished):
    """A package, named by its whole path."""
    other = finished.parent / "others_kinds"
    other.mkdir(exist_ok=True)
    (other / "__init__.py").write_text("from others_kinds import late\n")
    (other / "late.py").write_text(MINE[: MINE.index("@DATASETS")].replace('"frame"', '"late"'))
    assert planned(finished, {**STUDY, "plugins": [str(other), *STUDY["plugins"]]}) == {}


def test_jobs_of_a_module_know_them(tmp_path):
    """From the module's config; the user's own may have other plugins, or none."""
    write(tmp_path)
    (tmp_path / "project.yaml").write_text(yaml.safe_dump({"benchmark": STUDY}))
    (tmp_path / "Snakefile").write_text(
        'configfile: "project.yaml"\n\n'
        f'module them:\n    snakefile: "{ROOT / "workflow" / "Snakefile"}"\n'
        '    config: config["benchmark"]\n\nuse rule * from them as their_*\n'
    )
    found = "results/mine/raw/mine/available.csv"
    status, said = snakemake(tmp_path, "--cores", "1", "--workflow-profile", "none", "--", found)
    assert status == 0, said
    assert len(pd.read_csv(tmp_path / found)) == 30


FRAME = MINE[: MINE.index("@DATASETS")]


def test_a_file_is_imported_once_and_finds_what_lies_beside_it(forgotten, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside_it.py").write_text("BRIGHT = 7\n")
    (tmp_path / "frames_a.py").write_text(
        FRAME.replace("BRIGHT = 255", "from beside_it import BRIGHT")
    )
    for _ in range(2):
        plugins.load(["frames_a.py", str(tmp_path / "frames_a.py")])
    assert sys.modules[ARTIFACTS.get("frame").__module__].BRIGHT == 7


def test_a_figure_is_its_caption_and_the_code_beside_it(forgotten, tmp_path):
    (tmp_path / "spread.rst").write_text(CAPTION.replace("code: of_mine.spread\n", ""))
    (tmp_path / "spread.py").write_text("def spread(runs, style):\n    return [runs, style]\n")
    for _ in range(2):
        plugins.load([str(tmp_path / "spread.rst")])
    figure = FIGURES.get("spread")
    assert figure(1, style=2) == [1, 2]
    assert figure.path == tmp_path / "spread.py"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone_kinds.py", None, "plugins has 'gone_kinds.py', but there is no /"),
        ("kinds.txt", "", r"must be a file of Python \(.py\), the folder of a package"),
        ("folder_of/kinds.txt", "", r"plugins has 'folder_of'; it must be a file of Python"),
        (
            "twice_kinds.py", FRAME.replace('"frame"', '"tag"'),
            r"The plugin 'twice_kinds.py' can't be imported: line \d+: the name 'tag' is that of "
            "another artifact; choose another",
        ),
        (
            "both_kinds.py", FRAME.replace('"frame"', '"gender"'),
            "line \\d+: the name 'gender' is that of an attribute; choose another",
        ),
        (
            "lacking_kinds.py", "import os\nimport of_nobody\n",
            "'lacking_kinds.py' can't be imported: line 2: ModuleNotFoundError: No module named "
            "'of_nobody'",
        ),
        (
            "plain_kinds.py", FRAME.replace("@dataclass(frozen=True)\n", ""),
            "line \\d+: the class Frame declares width and needs @dataclass.frozen=True.",
        ),
        ("odd_kinds.py", "x = = 1\n", "SyntaxError: invalid syntax .odd_kinds.py, line 1"),
        ("random.py", "", "its name, random, is that of another module .*rename it"),
        ("alone.rst", CAPTION.replace("of_mine.", "of_mine_too."), "there is no /.*of_mine_too.py"),
        ("bare.rst", "Text.", "must begin with a declaration"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_sentence(forgotten, tmp_path, monkeypatch, name, content, sentence):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    with pytest.raises(SourceBenchError, match=sentence):
        Study.of(merged({"plugins": [name.split("/")[0]]}))


def test_the_key_is_checked_before_anything_is_imported():
    with pytest.raises(SourceBenchError, match=r"plugins is 'my_kinds.py'; it must be a list"):
        Study.of(merged({"plugins": "my_kinds.py"}))


@pytest.fixture
def installed(forgotten, tmp_path, monkeypatch):
    """Installs a package whose module registers kinds, and returns a function that does so."""

    def install(module):
        monkeypatch.syspath_prepend(str(tmp_path))
        facts = tmp_path / "more_kinds-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: more-kinds\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text("[sourcebench.kinds]\nframes = more_frames\n")
        (tmp_path / "more_frames.py").write_text(module)

    return install


def test_kinds_of_an_installed_package(installed):
    installed(FRAME)
    study = Study.of(merged({"confounders": {"frame": {"kind": "frame", "width": 4}}}))
    assert study.confounders["frame"].title == "Frame"


def test_an_installed_package_that_is_broken_is_named(installed):
    installed("import of_nobody")
    sentence = "'more_frames' of the installed package 'more-kinds' can't be imported: .*of_nobody"
    with pytest.raises(SourceBenchError, match=sentence):
        Study.of(merged({}))


def test_the_docs_name_the_group_of_entry_points():
    (block,) = snippets(ROOT / "config" / "README.md", "toml")
    assert list(tomllib.loads(block.text)["project"]["entry-points"]) == [plugins.GROUP]
