"""The workflow as a module of somebody's own, in a directory of theirs."""

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from conftest import ROOT
from planner import jobs_of, snakemake
from sourcebench.design import TEST_SETS

WORKFLOW = ROOT / "workflow" / "Snakefile"
STUDY = {
    "study": "mine",
    "datasets": {
        "mine": {"kind": "table", "origin": "path", "path": "images", "table": "mine.csv"},
    },
    "tasks": {
        "mine": {
            "title": "Mine", "dataset": "mine", "input_size": 32, "batch_size": 8,
            "monitor": "loss", "view": None, "val_fraction": 0.25, "confounders": ["tag"],
            "labels": {"from": "metadata", "positive": "Mass", "negative": "No Finding"},
            "samples": {"test": 8, "dev": 16, "positive": 0.5},
        }
    },
    "experiment": {
        "tasks": ["mine"], "sources": ["random"], "archs": ["tiny_resnet"], "p_art": [1],
        "folds": 1, "audit": [], "figures": ["drop"],
    },
    "training": {"epochs": 1, "accelerator": "cpu", "threads": 1, "learning_rate": 0.001},
}  # fmt: skip
MODULE = f'''
module sourcebench:
    snakefile: "{WORKFLOW}"
    config: config["benchmark"]
'''
POSTER = f"""
configfile: "project.yaml"

rule poster:
    input: "results/mine/figures/drop.png"
    output: "poster.png"
    shell: "cp {{input}} {{output}}"
{MODULE}
use rule * from sourcebench as bench_*
"""
"""The user's own rule stands first, and is what they get."""

PLAIN = f"""
configfile: "project.yaml"
{MODULE}
use rule * from sourcebench
"""


def run(folder, *arguments, snakefile=POSTER, profile="none"):
    """Run a Snakefile of the user's in their folder; return what was said."""
    (folder / "Snakefile").write_text(snakefile)
    status, said = snakemake(folder, "--cores", "2", "--workflow-profile", profile, *arguments)
    assert status == 0, said
    return said


def planned(folder, *arguments, **options):
    """What would be run: rule → number of jobs."""
    said = run(folder, "--dry-run", *arguments, **options)
    return jobs_of(said)


def configure(folder, **changes):
    """Write the project's config: the study, and what is changed of its experiment."""
    study = {**STUDY, "experiment": {**STUDY["experiment"], **changes}}
    project = {"benchmark": study, "of": "the user's own"}
    (folder / "project.yaml").write_text(yaml.safe_dump(project))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with images of its own, whose Snakefile has run to its poster."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(30):
        name = f"{number:03d}.png"
        pixels = rng.integers(0, 200, (40, 40), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / name)
        finding = "Mass" if number % 2 else "No Finding"
        rows.append({"image_id": name, "patient_id": f"p{number}", "findings": finding})
    pd.DataFrame(rows).to_csv(folder / "mine.csv", index=False)
    configure(folder)
    run(folder)
    return folder


def test_a_study_runs_to_a_figure(project):
    assert (project / "poster.png").stat().st_size > 5000
    assert len(pd.read_csv(project / "results" / "mine" / "tables" / "runs.csv")) == len(TEST_SETS)
    assert not (project / "config").exists()  # what the study leaves out is found in its place


@pytest.mark.parametrize("profile", ["none", str(ROOT / "profiles" / "default")])
def test_a_finished_study_has_nothing_to_do(project, profile):
    assert planned(project, profile=profile) == {}


def test_a_grown_study_trains_what_is_new(project):
    configure(project, p_art=[0, 1])
    plan = planned(project)
    configure(project)
    names = {"evidence": 1, "tables": 1, "statistics": 1, "figure": 1, "finetune": 1}
    assert plan == {"poster": 1, **{f"bench_{name}": count for name, count in names.items()}}


def test_a_forced_step_is_known_by_its_new_name(project):
    """What lies before it is left alone, and what follows is not taken for settled."""
    plan = planned(project, "--forcerun", "bench_confound")
    assert (plan["bench_confound"], plan["bench_finetune"]) == (1, 1)
    assert not {"bench_prepare", "bench_design", "bench_manifest"} & set(plan)
    plan = planned(project, "--forcerun", "results/mine/data/mine/images.npy")
    assert (plan["bench_prepare"], plan["bench_confound"], plan["bench_finetune"]) == (1, 1, 1)


CHANGED = """
use rule finetune from sourcebench as bench_finetune with:
    threads: 2
"""


def test_a_rule_may_be_changed(project):
    """Snakemake reads the workflow once more for it, now with the other rules' old names."""
    snakefile = POSTER + CHANGED
    assert planned(project, snakefile=snakefile) == {}
    plan = planned(project, "--forcerun", "bench_confound", snakefile=snakefile)
    assert (plan["bench_confound"], plan["bench_finetune"]) == (1, 1)
    assert "bench_prepare" not in plan


def test_under_its_own_names_it_is_the_whole_study(project):
    plan = planned(project, snakefile=PLAIN)
    assert plan.pop("all") == 1
    assert {"table1", "sources", "counts"} <= set(plan)
    assert not {"finetune", "confound", "prepare", "evidence", "figure"} & set(plan)


def test_without_a_config_it_is_the_papers_study_or_the_command_lines(tmp_path):
    snakefile = f'module them:\n    snakefile: "{WORKFLOW}"\n\nuse rule * from them as their_*\n'
    study = tmp_path / "study.yaml"
    changes = {"experiment": {"archs": ["resnet50"], "tasks": ["cxr_mass"], "folds": 1}}
    study.write_text(yaml.safe_dump({"study": "theirs", **changes}))
    plan = planned(tmp_path, "--configfile", str(study), snakefile=snakefile)
    assert (plan["their_prepare"], plan["their_all"]) == (1, 1)


def test_a_wrong_config_ends_in_a_sentence(project):
    configure(project, p_art=[2])
    (project / "Snakefile").write_text(PLAIN)
    status, said = snakemake(project, "--dry-run")
    configure(project)
    assert status != 0
    assert "experiment.p_art.0 is 2; it must be at least 0 and at most 1" in said
    assert "Traceback" not in said


def test_a_prefix_is_refused(tmp_path):
    (tmp_path / "Snakefile").write_text(
        f'module them:\n    snakefile: "{WORKFLOW}"\n    prefix: "theirs"\n\n'
        "use rule * from them as their_*\n"
    )
    status, said = snakemake(tmp_path, "--dry-run")
    assert status != 0
    assert "can't move its folders by 'prefix' or 'replace_prefix'" in said
