"""The workflow on a tiny study, and when things go wrong.

As a user runs it, each job a Python of its own, in the download, which takes every step, but for
the search of one's own images, and in what Ctrl-C ends, which has that. Elsewhere without the
start of Pythons (planner.py).
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator

import planner
from archive_server import entry, pack
from conftest import ROOT
from published_files import write_published
from sourcebench.design import TEST_SETS
from sourcebench.evaluation.tables import TABLES
from sourcebench.files import read_json

pytest_plugins = ["archive_server"]

SUMMARY = ROOT / "workflow/scripts/sourcebench/evaluation/summary.schema.yaml"
TINY = ROOT / "tests" / "tiny.yaml"
RUN = "task~cxr_mass/confounder~tag/source~random/arch~tiny_resnet/p_art~1/fold~1"


def words(folder, *arguments, config=TINY):
    return [
        "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--cores", "2",
        "--configfile", str(config),
        "--workflow-profile", str(ROOT / "profiles" / "default"), *arguments,
    ]  # fmt: skip


def command(*arguments, **options):
    return [sys.executable, "-m", "snakemake", *words(*arguments, **options)]


def snakemake(folder, *arguments, config=TINY, check=True):
    """Run the workflow in a folder, and return what it said."""
    status, said = planner.snakemake(folder, *words(folder, *arguments, config=config))
    assert (status == 0) == check, said
    return said


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The tiny study, run to its end."""
    folder = tmp_path_factory.mktemp("tiny")
    shutil.copytree(ROOT / "config", folder / "config")
    write_published(folder / "theirs", leaks=3)
    said = snakemake(folder)
    return folder, said


def test_everything_is_made(study):
    folder, _ = study
    results = folder / "results" / "tiny"
    assert {path.stem for path in (results / "tables").iterdir()} == set(TABLES.names())
    for figure in ("figure2", "figure3", "figure4", "drop", "permutation", "epochs"):
        for suffix in (".png", ".pdf"):
            assert (results / "figures" / figure).with_suffix(suffix).stat().st_size > 5000
    drawn = results / "data" / "ct_nodule" / "ct_noise"
    assert read_json(drawn / "artifact.json")["engine"].startswith("PyTorch on ")
    assert "Computed by PyTorch on" in next(results.glob("logs/confound/ct_nodule/*")).read_text()
    # For confounders that come later; of gender none is drawn, and its task keeps none.
    sizes = {path.parent.name: path.stat().st_size for path in results.rglob("native.npy")}
    assert min(sizes["cxr_mass"], sizes["ct_nodule"]) > 1e6 > sizes["cxr_atelectasis"]
    assert not list(folder.rglob(".*.part*"))


def test_the_summary_is_as_its_schema_says_and_its_answers_are_heard(study):
    folder, said = study
    found = read_json(folder / "results" / "tiny" / "summary.json")
    assert not list(Draft202012Validator(yaml.safe_load(SUMMARY.read_text())).iter_errors(found))
    assert found["answers"]
    for answer in found["answers"]:
        assert answer["sentence"] in said


def test_the_table_of_runs_is_complete(study):
    folder, _ = study
    runs = pd.read_csv(folder / "results" / "tiny" / "tables" / "runs.csv")
    # (2 confounders × 2 p_art, 2 at 1 alone) × 2 sources × 2 folds × test sets
    assert len(runs) == (2 * 2 + 2) * 2 * 2 * len(TEST_SETS)
    assert runs["auroc"].between(0, 1).all()
    parts = {task: runs[runs["task"] == task] for task in runs["task"].unique()}
    assert {task: set(part["confounder"]) for task, part in parts.items()} == {
        "cxr_mass": {"tag", "noise_levels"},
        "ct_nodule": {"ct_noise"},
        "cxr_atelectasis": {"gender"},
    }
    assert {task: set(part["n"]) for task, part in parts.items()} == {
        "cxr_mass": {8}, "ct_nodule": {8}, "cxr_atelectasis": {4},
    }  # fmt: skip
    # With p_art = 0 and no artifact, i.i.d. and clean are the same images.
    zero = runs[runs["p_art"] == 0].pivot_table(
        index=["task", "confounder", "source", "fold"], columns="test_set", values="brier"
    )
    np.testing.assert_array_equal(zero["iid"], zero["clean"])


def test_the_audit_finds_their_leaks_and_none_of_ours(study):
    folder, _ = study
    audit = pd.read_csv(folder / "results" / "tiny" / "tables" / "split_audit.csv")
    theirs = audit["splits"] == "theirs"
    assert set(audit.loc[theirs, "leaked"]) == {3}
    assert set(audit.loc[~theirs, "verdict"]) == {"patient-disjoint"}
    assert {"cxr_mass/tag", "cxr_atelectasis/gender"} <= set(audit["splits"])


def test_running_again_does_nothing(study):
    folder, _ = study
    assert "Nothing to be done" in snakemake(folder)


def test_the_same_config_gives_the_same_predictions(study):
    folder, _ = study
    path = folder / "results" / "tiny" / "runs" / RUN / "predictions.parquet"
    before = path.read_bytes()
    snakemake(folder, "--forcerun", "finetune", "--", str(path.relative_to(folder)))
    assert path.read_bytes() == before


def test_the_terminal_is_for_people(study):
    """Which network is trained, how far it is; and the epochs in a log of the run's own."""
    folder, said = study
    assert "Fine-tuning tiny_resnet from random on cxr_mass with tag, p_art 1, fold 1" in said
    assert "steps (100%) done" in said
    assert "val_auroc" not in said
    log = (folder / "results" / "tiny" / "runs" / RUN / "log.txt").read_text()
    assert log.count("val_auroc") == 2


def test_the_report_holds_everything(study):
    folder, _ = study
    snakemake(folder, "--report", "report.html")
    report = (folder / "report.html").read_text()
    for table in ("split_audit.csv", "runs.csv", "figure3.png", "figure2.png", "table1.csv"):
        assert table in report
    assert "take shortcuts" in report
    for exhibit in map(TABLES.get, TABLES.names()):
        assert exhibit.title in report, exhibit.name


def overlay(folder, **changes):
    """A config in a folder: the tiny one, changed."""
    shutil.copytree(ROOT / "config", folder / "config")
    config = yaml.safe_load(TINY.read_text())
    config["experiment"] |= {"audit": [], "figures": ["drop"]}
    for key, value in changes.items():
        config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_wrong_value_stops_before_any_job(tmp_path):
    config = overlay(tmp_path, experiment={"p_art": [0, 1.2]})
    said = snakemake(tmp_path, config=config, check=False)
    assert "experiment.p_art.1 is 1.2; it must be at least 0 and at most 1" in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()


@pytest.fixture
def own_copy(study, tmp_path):
    """A user's folder: the phantoms in NIH's layout, less two, and one of the user's own."""
    folder, _ = study
    images = tmp_path / "nih" / "images_001" / "images"
    shutil.copytree(folder / "resources" / "phantoms" / "nih_cxr14" / "images", images)
    mass = pd.read_csv(folder / "results" / "tiny" / "data" / "cxr_mass" / "manifest.csv")
    for name in mass["image_id"][:2]:
        (images / name).unlink()
    shutil.copy(images / mass["image_id"][2], images / "mine.png")
    config = overlay(
        tmp_path,
        datasets={"nih_cxr14": {"origin": "path", "path": str(tmp_path / "nih")}},
        experiment={
            "tasks": ["cxr_mass"], "sources": ["random"], "archs": ["tiny_resnet"],
            "p_art": [1], "folds": 1, "audit": [],
        },
        tasks={
            "cxr_mass": {
                "samples": {"test": 6, "dev": 16, "positive": 0.5}, "val_fraction": 0.2,
                "input_size": 32, "batch_size": 8, "confounders": ["tag"],
            }
        },
    )  # fmt: skip
    return tmp_path, images, config


def test_ones_own_copy_damaged_then_mended(own_copy):
    """Real input: what is missing is counted, what is damaged is named, running again finishes."""
    folder, images, config = own_copy
    results = folder / "results" / "tiny"
    snakemake(folder, "--until", "manifest", config=config)
    manifest = pd.read_csv(results / "data" / "cxr_mass" / "manifest.csv")
    counts = yaml.safe_load((results / "data" / "cxr_mass" / "counts.json").read_text())
    assert counts["without_row"] == 1  # mine.png
    assert counts["without_image"] >= 2

    victim = images / manifest["image_id"][3]
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    said = snakemake(folder, config=config, check=False)
    sentence = next(line for line in said.splitlines() if victim.name in line)
    assert sentence.startswith("Error: ")
    assert not (results / "data" / "cxr_mass" / "images.npy").exists()
    assert not list(results.rglob(".*.part*"))

    victim.write_bytes(whole)
    snakemake(folder, config=config)
    assert len(pd.read_csv(results / "tables" / "runs.csv")) == len(TEST_SETS)


def as_published(design):
    """A design's first fold as the files that the reference publishes: name → bytes."""
    parts = {"test.csv": design["role"] == "test"}
    parts |= {f"{part}_fold1.csv": design["fold_1"] == part for part in ("train", "val")}
    files = {}
    for name, rows in parts.items():
        label = design["label"].map({1: "YES", 0: "NO"})
        columns = {"path": design["image_id"], "pid": design["patient_id"], "class": label}
        files[name] = pd.DataFrame(columns)[rows].to_csv().encode()
    return files


def test_a_download_with_published_splits(study, site, tmp_path):
    """From archives on a server to a tested network, on somebody's splits; nothing is left over."""
    folder, _ = study
    images = folder / "resources" / "phantoms" / "nih_cxr14" / "images"
    design = pd.read_csv(folder / "results" / "tiny" / "design" / "cxr_mass" / "tag.csv")
    halves = np.array_split(design["image_id"], 2)
    for number in range(1, 13):
        names = halves[number - 1] if number <= 2 else []
        content = [entry(f"images/{name}", content=(images / name).read_bytes()) for name in names]
        site.files[f"images_{number:03d}.tar.gz"] = pack(*content)
    published = as_published(design)
    site.files |= {f"splits/{name}": content for name, content in published.items()}
    joined = b"".join(published[name] for name in sorted(published))
    config = overlay(
        tmp_path,
        datasets={"nih_cxr14": {"origin": "download", "url": site.url, "checksums": False}},
        experiment={
            "tasks": ["cxr_mass"], "sources": ["few_leaves"], "archs": ["tiny_resnet"],
            "p_art": [1], "folds": 1, "audit": ["theirs_by_url"], "figures": ["drop", "figure2"],
        },
        tasks={
            "cxr_mass": {
                "splits": "theirs_by_url", "input_size": 32, "batch_size": 8,
                "confounders": ["tag"],
            }
        },
        splits={
            "theirs_by_url": {
                "url": f"{site.url}/splits", "sha256": hashlib.sha256(joined).hexdigest(),
                "folds": 1, "positive": "YES",
            }
        },
    )  # fmt: skip
    done = subprocess.run(
        command(tmp_path, config=config), capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    steps = set(re.findall(r"^rule (\w+):", rules, re.M))
    others = {"check", "index_local", "nifti", "explore", "explored_figure"}
    assert steps - set(re.findall(r"^(\w+) +\d+$", said, re.M)) == others
    fetched = tmp_path / "resources" / "nih_cxr14"
    assert {path.name for path in (fetched / "images").iterdir()} == set(design["image_id"])
    assert not list((fetched / "archives").iterdir())
    assert "images_003.tar.gz" not in site.asked()  # all was there after two
    ours = pd.read_csv(tmp_path / "results" / "tiny" / "design" / "cxr_mass" / "tag.csv")
    same = ours.set_index("image_id")["fold_1"].reindex(design["image_id"])
    assert same.fillna("").tolist() == design["fold_1"].fillna("").tolist()
    runs = pd.read_csv(tmp_path / "results" / "tiny" / "tables" / "runs.csv")
    assert runs["auroc"].notna().all()

    site.requests.clear()
    shutil.rmtree(tmp_path / "results")
    snakemake(tmp_path, "--until", "prepare", config=config)
    assert not site.requests


def test_transfer_fraction_and_repeat_are_axes(tmp_path):
    """The rethink study in miniature: no confounder, a truncated network, every further axis."""
    task = {
        "title": "Cardiomegaly", "dataset": "chexpert", "view": "PA",
        "labels": {"from": "chexpert", "positive": "Cardiomegaly"},
        "samples": {"test": 12, "dev": 40, "positive": 0.5}, "val_fraction": 0.2,
        "input_size": 32, "fit": "pad", "batch_size": 8, "monitor": "auroc", "confounders": [],
        "fraction": [0.5],
    }  # fmt: skip
    config = overlay(
        tmp_path,
        datasets={"chexpert": {"origin": "phantoms"}},
        tasks={"cardiomegaly": task},
        experiment={
            "tasks": ["cardiomegaly"], "sources": ["few_leaves"], "archs": ["tiny_resnet_t1"],
            "p_art": [0], "folds": 1, "repeats": 2, "transfer": ["full", "probe"], "audit": [],
            "figures": ["rethink4", "rethink_strategies"],
        },
    )  # fmt: skip
    snakemake(tmp_path, config=config)
    results = tmp_path / "results" / "tiny"
    runs = pd.read_csv(results / "tables" / "runs.csv")
    assert len(runs) == 2 * 2
    assert set(runs["test_set"]) == {"clean"}
    assert set(runs["confounder"]) == {"none"}
    assert set(zip(runs["transfer"], runs["fraction"], runs["repeat"], strict=True)) == {
        (transfer, 0.5, repeat) for transfer in ("full", "probe") for repeat in (1, 2)
    }  # fmt: skip
    records = [yaml.safe_load(path.read_text()) for path in results.rglob("run.json")]
    assert {(each["fraction"], each["n_train"], each["n_val"]) for each in records} == {
        (0.5, 16, 8)
    }
    assert {each["transfer_entry"]["kind"] for each in records} == {"full", "frozen"}
    (weights,) = {each["weights"] for each in records}  # of the parent, and once
    assert re.fullmatch(r"resources/weights/few_leaves/tiny_resnet-[0-9a-f]+.safetensors", weights)
    for name in ("rethink4.png", "rethink_strategies.pdf"):
        assert (results / "figures" / name).stat().st_size > 5000
    page = (results / "tables" / "sources.html").read_text()
    assert "tiny Res-T1" in page


def test_methods_of_training_are_an_axis(tmp_path):
    """The network of cross-entropy is trained once: ConfidNet's answers are its own."""
    task = {
        "samples": {"test": 8, "dev": 20, "positive": 0.5}, "val_fraction": 0.2, "input_size": 32,
        "batch_size": 8, "confounders": ["tag"],
    }  # fmt: skip
    config = overlay(
        tmp_path,
        tasks={"cxr_mass": task},
        method={"gamblers": {"kind": "deep_gamblers", "reward": 1.5, "pretrain": 0.5}},
        experiment={
            "tasks": ["cxr_mass"], "sources": ["random"], "p_art": [1], "folds": 1, "audit": [],
            "method": ["confidnet", "cross_entropy", "gamblers"], "figures": ["drop"],
        },
        training={"keep_checkpoints": "none"},
    )  # fmt: skip
    snakemake(tmp_path, config=config)
    results = tmp_path / "results" / "tiny"
    runs = pd.read_csv(results / "tables" / "runs.csv")
    assert set(runs["method"]) == {"confidnet", "cross_entropy", "gamblers"}
    folders = {path.name.split("~")[1]: path for path in results.rglob("method~*")}
    said = {name: pd.read_parquet(each / "predictions.parquet") for name, each in folders.items()}
    logits = {name: each.filter(like="logit_") for name, each in said.items()}
    assert logits["confidnet"].equals(logits["cross_entropy"])
    assert not logits["gamblers"].equals(logits["cross_entropy"])
    having = {name for name, each in said.items() if "confidence" in each}
    assert having == {"confidnet", "gamblers"}
    kept = {name for name, each in folders.items() if (each / "checkpoint.safetensors").exists()}
    assert kept == {"cross_entropy"}
    log = (folders["confidnet"] / "log.txt").read_text()
    assert log.count("train_loss") == 2  # an epoch of each further stage, none of its network
    assert "nothing" in snakemake(tmp_path, "-n", config=config).lower()


def heed_ctrl_c():
    """Undo what pytest's workers do: they ignore Ctrl-C, and so would all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_leaves_nothing_half_done(own_copy):
    folder, _, config = own_copy
    with subprocess.Popen(
        command(folder, config=config), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, preexec_fn=heed_ctrl_c,
    ) as process:  # fmt: skip
        # Not before the job runs: Snakemake loses a Ctrl-C that comes while it prepares one.
        log = folder / "results" / "tiny" / "runs" / RUN / "log.txt"
        while not log.exists() and process.poll() is None:
            threading.Event().wait(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        rest = process.stdout.read()
        process.wait(120)
    assert process.returncode != 0, rest
    assert not list((folder / "results").rglob("predictions.parquet"))
    assert not list((folder / "results").rglob(".*.part*"))
    predictions = log.with_name("predictions.parquet")
    snakemake(folder, "--", str(predictions.relative_to(folder)), config=config)
    assert predictions.exists()
