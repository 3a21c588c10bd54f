"""What a user types, planned: every config under every profile, from any directory."""

import re

import pytest
import yaml

from conftest import ROOT
from planner import snakemake

PROFILES = [path.parent for path in sorted(ROOT.glob("profiles/*/config.yaml"))]
STUDIES = {
    "source_matters": ["config/config.yaml"],
    "demo": ["config/demo.yaml"],
    "rethink": ["config/rethink.yaml"],
    "rethink_demo": ["config/rethink_demo.yaml"],
    "silent_failures": ["config/silent_failures.yaml"],
    "shifts_demo": ["config/shifts_demo.yaml"],
    "slurm_trial": ["config/demo.yaml", "tests/slurm/config.yaml"],
}


def plan(folder, *arguments):
    """Plan a study from a folder that has nothing, and return what Snakemake said."""
    words = ["--snakefile", str(ROOT / "Snakefile"), *arguments, "--dry-run", "--quiet", "host"]
    status, said = snakemake(folder, *words)
    assert status == 0, said
    return said


FEWER = {"source_matters": "folds: 1", "rethink": "repeats: 1", "silent_failures": "repeats: 1"}
"""The same rules, groups and kinds of run as in all of them, planned in half the time."""


def test_every_config_stands_here():
    configs = {f"config/{path.name}" for path in (ROOT / "config").glob("*.yaml")}
    assert configs == {path for paths in STUDIES.values() for path in paths if "tests" not in path}
    assert {path.name for path in PROFILES} == {"default", "slurm"}


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
@pytest.mark.parametrize("study", STUDIES)
def test_every_config_is_planned_under_every_profile(tmp_path, study, profile):
    fewer = tmp_path / "fewer.yaml"
    fewer.write_text(f"experiment: {{{FEWER.get(study, '')}}}\n")
    configs = [*(str(ROOT / path) for path in STUDIES[study]), str(fewer)]
    said = plan(
        tmp_path, "--forceall", "--workflow-profile", str(profile), "--configfile", *configs
    )
    assert "finetune" in said
    assert not (tmp_path / "results").exists()


def test_the_default_config_is_found_from_anywhere(tmp_path):
    """No copy of config/ beside it, neither by --directory nor in a directory of one's own."""
    config = tmp_path / "mine.yaml"
    changes = {"tasks": ["cxr_mass"], "archs": ["resnet50"], "p_art": [1], "folds": 1, "audit": []}
    config.write_text(yaml.safe_dump({"study": "x", "experiment": changes}))
    desk = tmp_path / "desk"
    desk.mkdir()
    for folder, directory in ((desk, []), (tmp_path, ["--directory", str(desk)])):
        said = plan(folder, *directory, "--configfile", str(config))
        assert re.search(r"^finetune +12$", said, re.MULTILINE)


THREE = """
study: three
experiment:
  {tasks: [three], sources: [random], archs: [tiny_resnet], p_art: [0, 1], folds: 2, audit: []}
datasets: {nih_cxr14: {origin: phantoms}}
tasks:
  three:
    title: Mass, nodule or neither
    dataset: nih_cxr14
    view: PA
    labels:
      {from: classes, classes: {none: [No Finding], nodule: [Nodule], mass: [Mass]}}
    samples: {test: 12, dev: 24, balanced: true}
    val_fraction: 0.25
    input_size: 32
    batch_size: 8
    monitor: auroc
    confounders: [tag]
    confounded: mass
"""


def test_a_task_of_three_classes_is_planned(tmp_path):
    config = tmp_path / "three.yaml"
    config.write_text(THREE)
    said = plan(tmp_path, "--configfile", str(config))
    assert re.search(r"^finetune +4$", said, re.MULTILINE)
