"""What runs again when something changes: what depends on it, all of that, and nothing else."""

import os
import re
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from planner import copied, snakemake
from sourcebench.models import build_backbone

RING = '''"""A ring, as somebody's own confounder."""

from dataclasses import dataclass

from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("ring")
@dataclass(frozen=True)
class Ring(Artifact):
    """A bright frame."""

    title = "Ring"
    taxon = Taxon("environment", "external")

    width: int = parameter(3, unit="px", help="of the frame", low=1, high=9)

    def artifact(self, image, rng):
        ring = image.copy()
        ring[: self.width] = 255
        return ring
'''
READER = '''"""A dataset of somebody's own."""

from sourcebench.datasets.base import KINDS
from sourcebench.datasets.table import TableDataset


@KINDS.register("mine")
class Mine(TableDataset):
    """As a table, but upside down."""

    def read(self, path):
        image, odd = super().read(path)
        return image[::-1].copy(), odd
'''
TASK = {
    "title": "Mine", "dataset": "mine", "input_size": 32, "batch_size": 8, "monitor": "loss",
    "labels": {"from": "metadata", "positive": "Mass", "negative": "No Finding"}, "view": None,
    "samples": {"test": 8, "dev": 16, "positive": 0.5}, "val_fraction": 0.25,
    "confounders": ["tag", "ring"],
}  # fmt: skip
MODEL = {"kind": "file", "path": "model.pth", "mean": 0.5, "std": 0.5}
STUDY = {
    "study": "mine",
    "datasets": {"mine": {"kind": "mine", "origin": "path", "path": "images", "table": "mine.csv"}},
    "tasks": {"mine": TASK},
    "confounders": {"ring": {"kind": "ring"}, "low": {"kind": "denoise", "diameter": 200}},
    "sources": {"model": MODEL},
    "experiment": {
        "tasks": ["mine"], "sources": ["model", "random"], "archs": ["tiny_resnet"],
        "p_art": [0, 1], "folds": 1, "audit": [], "figures": ["drop", "figure2"],
    },
    "training": {"epochs": 1, "accelerator": "cpu", "threads": 1, "learning_rate": 0.001},
}  # fmt: skip


def run(folder, *arguments, study=STUDY):
    """Run the workflow in a study's folder, from a copy of the project beside it."""
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    house = folder.parent / "house"
    return snakemake(
        folder, "--snakefile", str(house / "Snakefile"), "--cores", "2",
        "--configfile", "study.yaml", "--workflow-profile", str(house / "profiles" / "default"),
        *arguments,
    )  # fmt: skip


def planned(folder, study=STUDY, *arguments):
    """What the workflow would run: rule → number of jobs."""
    status, said = run(folder, "--dry-run", *arguments, study=study)
    assert status == 0, said
    if "Nothing to be done" in said:
        return {}
    stats = said.split("Job stats:")[1].split("Reasons:")[0]
    counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", stats, re.M)}
    assert counts.pop("all", 1) == 1  # none with --until
    del counts["total"]
    return counts


def write_images(folder, numbers):
    """Write small grey images, and return the rows of their table."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in numbers:
        name = f"{number:03d}.png"
        Image.fromarray(rng.integers(0, 200, (40, 40), dtype=np.uint8)).save(folder / name)
        finding = "Mass" if number % 2 else "No Finding"
        rows.append({"image_id": name, "patient_id": f"p{number}", "findings": finding})
    return pd.DataFrame(rows)


def house(folder):
    """A copy of the project, with a confounder and a kind of dataset of somebody's own."""
    library = copied(folder / "house")
    (library / "artifacts" / "ring.py").write_text(RING)
    (library / "datasets" / "mine").mkdir()
    (library / "datasets" / "mine" / "__init__.py").write_text(READER)
    return library


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study with data, weights, a confounder and a reader of one's own, run to its end."""
    folder = tmp_path_factory.mktemp("reruns")
    house(folder)
    desk = folder / "desk"
    desk.mkdir()
    write_images(desk / "images", range(30)).to_csv(desk / "mine.csv", index=False)
    torch.manual_seed(0)
    torch.save(build_backbone("tiny_resnet").state_dict(), desk / "model.pth")
    status, said = run(desk)
    assert status == 0, said
    return desk


@contextmanager
def other(path, content):
    """Change a file for a while; its times come back with its bytes."""
    before, times = path.read_bytes(), path.stat()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@contextmanager
def hidden(path):
    """Take a file or folder away for a while."""
    aside = path.with_name(f".hidden {path.name}")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


def altered(part, **changes):
    """The study with one part of it changed: 'tasks.mine', title='X'."""
    study = yaml.safe_load(yaml.safe_dump(STUDY))
    place = study
    for key in part.split("."):
        place = place.setdefault(key, {})
    place.update(changes)
    return study


def test_a_finished_study_has_nothing_to_do(finished):
    assert planned(finished) == {}


TABLES = {"tables": 1, "statistics": 1, "published": 1, "summary": 1, "figure": 1}
DRAWN = {"evidence": 2, **TABLES}
"""What the results of two confounders go through."""


def test_an_edited_label(finished):
    table = pd.read_csv(finished / "mine.csv")
    table.loc[0, "findings"] = "Mass"
    with other(finished / "mine.csv", table.to_csv(index=False).encode()):
        plan = planned(finished)
    assert plan["finetune"] == 6
    assert plan["manifest"] == plan["prepare"] == plan["index_local"] == 1
    assert plan["design"] == plan["confound"] == 2


def test_a_changed_original(finished):
    image = finished / "images" / "004.png"
    with other(image, (finished / "images" / "006.png").read_bytes()):
        assert planned(finished)["finetune"] == 6


def test_a_deleted_original(finished):
    with hidden(finished / "images" / "004.png"):
        assert planned(finished)["finetune"] == 6


def test_an_overwritten_checkpoint(finished):
    """Only the networks that start from it, from new weights; the random ones stay."""
    torch.manual_seed(1)
    torch.save(build_backbone("tiny_resnet").state_dict(), finished / "new.pth")
    with other(finished / "model.pth", (finished / "new.pth").read_bytes()):
        assert planned(finished) == {"finetune": 3, "weights": 1, "sources": 1, **DRAWN}


def code(finished, *parts):
    return finished.parent.joinpath("house", "workflow", "scripts", "sourcebench", *parts)


RING_AGAIN = {"confound": 1, "finetune": 4, "artifact_figure": 1, **DRAWN}


@pytest.mark.parametrize(
    ("old", "new"),
    [("= 255", "= 250"), ("parameter(3", "parameter(4")],
    ids=["function", "default"],
)
def test_an_edited_artifact(finished, old, new):
    """Its own networks, and those of p_art = 0, which are tested on it; not the tag's."""
    path = code(finished, "artifacts", "ring.py")
    with other(path, RING.replace(old, new).encode()):
        assert planned(finished) == RING_AGAIN


def test_an_edited_comment_is_no_change(finished):
    path = code(finished, "artifacts", "ring.py")
    with other(path, RING.replace("A bright frame.", "A frame.").encode() + b"\n# Done.\n"):
        assert planned(finished) == {}


def test_an_edited_reader(finished):
    path = code(finished, "datasets", "mine", "__init__.py")
    with other(path, READER.replace("[::-1]", "[:, ::-1]").encode()):
        plan = planned(finished)
    assert (plan["finetune"], plan["prepare"], plan["confound"]) == (6, 1, 2)


@pytest.mark.parametrize(
    "parts",
    [
        ("models", "architectures", "tiny.py"),
        ("training", "transfer", "full.py"),
        ("training", "methods", "cross_entropy.py"),
    ],
)
def test_an_edited_architecture_transfer_or_method(finished, parts):
    """Its networks are trained again, on the images that are there."""
    path = code(finished, *parts)
    with other(path, path.read_bytes() + b"\nWIDER = True\n"):
        plan = planned(finished)
    assert (plan["finetune"], plan.get("confound"), plan.get("design")) == (6, None, None)


@pytest.mark.parametrize(
    ("parts", "again"),
    [
        (("evaluation", "metrics", "calibration.py"), DRAWN),
        (("evaluation", "intervals.py"), DRAWN),
        (("figures", "source_matters", "drop.py"), {"figure": 1}),
        (("figures", "source_matters", "figure2.py"), {"artifact_figure": 1}),
    ],
    ids=lambda each: each[-1] if isinstance(each, tuple) else None,
)
def test_an_edited_metric_statistic_or_figure(finished, parts, again):
    """Tables and figures are made again; no network is."""
    path = code(finished, *parts)
    with other(path, path.read_bytes() + b"\nWIDER = True\n"):
        plan = planned(finished)
    assert again.items() <= plan.items()
    assert not {"finetune", "confound", "design", "manifest"} & plan.keys()


def test_one_more_architecture(finished):
    """A truncated one takes the weights of the whole, which are there."""
    plan = planned(finished, altered("experiment", archs=["tiny_resnet", "tiny_resnet_t1"]))
    assert plan == {"finetune": 6, "sources": 1, **DRAWN}


def test_titles_and_threads_train_nothing(finished):
    assert planned(finished, altered("training", threads=2)) == {}
    assert planned(finished, altered("training", keep_checkpoints="all")) == {}
    titled = planned(finished, altered("tasks.mine", title="Another name"))
    assert titled == {"table1": 1, "artifact_figure": 1, "figure": 1, "summary": 1}
    named = planned(finished, altered("sources.model", title="A model", citation="Me"))
    assert named == {"sources": 1, "figure": 1, "summary": 1}


def test_what_is_not_chosen_decides_nothing(finished):
    assert planned(finished, altered("confounders.low", diameter=100)) == {}
    assert planned(finished, altered("sources", unused={**MODEL, "path": "other.pth"})) == {}


def test_one_more_confounder(finished):
    """Its own networks, and new predictions of those of p_art = 0; the others stay."""
    plan = planned(finished, altered("tasks.mine", confounders=["tag", "ring", "low"]))
    assert plan["finetune"] == 2 + 2
    assert plan["confound"] == plan["design"] == 1
    assert "prepare" not in plan
    assert "weights" not in plan


def test_one_more_task_on_the_same_images(finished):
    study = altered("experiment", tasks=["mine", "again"])
    study["tasks"]["again"] = {**TASK, "title": "Again", "confounders": ["tag"]}
    plan = planned(finished, study)
    assert (plan["finetune"], plan["prepare"], plan["confound"]) == (4, 1, 1)


def also(study, task):
    """A study with one more task on the same images."""
    study["experiment"]["tasks"] = ["mine", task]
    study["tasks"][task] = {**TASK, "title": "Also", "confounders": ["tag"]}
    return study


def test_one_change_hides_no_other(finished):
    """Whatever runs for another reason, and whatever is new on the way for it."""
    plan = planned(finished, also(altered("training", learning_rate=0.01), "again"))
    assert (plan["finetune"], plan["prepare"], plan["confound"]) == (6 + 4, 1, 1)
    table = pd.read_csv(finished / "mine.csv")
    table.loc[0, "findings"] = "Mass"
    with other(finished / "mine.csv", table.to_csv(index=False).encode()):
        plan = planned(finished, also(altered("training", threads=2), "again"))
    assert (plan["finetune"], plan["prepare"], plan["confound"]) == (6 + 4, 2, 2 + 1)
    study = altered("tasks.mine", title="Another name", confounders=["tag", "ring", "low"])
    plan = planned(finished, {**study, "training": {**study["training"], "threads": 2}})
    assert (plan["finetune"], plan["confound"], plan.get("prepare")) == (4, 1, None)
    with hidden(next((finished / "results" / "mine" / "runs").rglob("p_art~1/*"))):
        assert planned(finished, also(altered("training"), "again"))["finetune"] == 1 + 4


def test_what_is_taken_away_is_gone_from_the_tables(finished):
    """No run but those of p_art = 0, which are tested on fewer, is made again."""
    plan = planned(finished, altered("tasks.mine", confounders=["tag"]))
    images = {"artifact_figure": 1, "split_audit": 1, "table1": 1}
    assert plan == {"finetune": 2, "evidence": 1, **images, **TABLES}
    plan = planned(finished, altered("experiment", p_art=[1]))
    assert plan == {"split_audit": 1, "table1": 1, **DRAWN}
    plan = planned(finished, altered("experiment", sources=["random"]))
    assert plan == {"sources": 1, **DRAWN}


def test_a_second_study_shares_the_weights_alone(finished):
    plan = planned(finished, {**STUDY, "study": "second"})
    assert (plan["finetune"], plan["prepare"], plan.get("weights")) == (6, 1, None)


def test_one_more_p_art(finished):
    plan = planned(finished, altered("experiment", p_art=[0, 0.5, 1]))
    assert plan == {"finetune": 4, "split_audit": 1, "table1": 1, **DRAWN}


def test_a_retitled_confounder_is_drawn_anew(finished):
    plan = planned(finished, altered("confounders.ring", title="Frame"))
    assert plan == {"table1": 1, "artifact_figure": 1, "figure": 1, "summary": 1}


def test_a_forced_step_takes_what_follows_with_it_and_nothing_before(finished):
    """As after a study has grown: the index is newer than all that was made of it before."""
    index = finished / "results" / "mine" / "raw" / "mine" / "index.csv"
    with other(index, index.read_bytes() + b"\n"):
        assert planned(finished, STUDY, "--forcerun", "statistics").get("finetune") is None
        plan = planned(finished, STUDY, "--forcerun", "finetune")
        assert (plan["finetune"], plan.get("confound"), plan.get("prepare")) == (6, None, None)
        plan = planned(finished, STUDY, "--forcerun", "results/mine/data/mine/images.npy")
        assert (plan["finetune"], plan["confound"], plan["prepare"]) == (6, 2, 1)
    plan = planned(finished, STUDY, "--forceall")
    assert (plan["finetune"], plan["weights"], plan["index_local"]) == (6, 1, 1)


def test_a_deleted_figure_is_drawn_and_no_more(finished):
    with hidden(finished / "results" / "mine" / "figures" / "figure2.png"):
        assert planned(finished) == {"artifact_figure": 1}


def test_a_deleted_run_is_made_again(finished):
    path = next((finished / "results" / "mine" / "runs").rglob("run.json")).parent
    with hidden(path):
        assert planned(finished) == {"finetune": 1, "evidence": 1, **TABLES}


def test_new_files_on_the_way_are_no_new_results(finished):
    """An array that was deleted to free space is made again for a new run, and trains nothing."""
    with hidden(finished / "results" / "mine" / "data" / "mine" / "native.npy"):
        assert planned(finished) == {}
        plan = planned(finished, altered("tasks.mine", confounders=["tag", "ring", "low"]))
    assert (plan["prepare"], plan["finetune"]) == (1, 4)


@pytest.mark.parametrize(
    ("part", "change", "again"),
    [
        ("training", {"learning_rate": 0.01}, 6),
        ("tasks.mine", {"batch_size": 4}, 6),
        ("tasks.mine", {"resize": "antialiased"}, 6),
        ("tasks.mine", {"val_fraction": 0.3}, 6),
        ("confounders.ring", {"width": 5}, 4),
        ("sources.model", {"mean": 0.4}, 3),
    ],
)
def test_what_decides_a_result_runs_it_again(finished, part, change, again):
    assert planned(finished, altered(part, **change))["finetune"] == again


def test_two_studies_may_mean_two_things_by_one_source(finished):
    """The other's weights lie beside these, and neither makes the other's again."""
    theirs = altered("sources.model", std=0.25)
    theirs["study"] = "theirs"
    status, said = run(finished, "--until", "weights", study=theirs)
    assert status == 0, said
    assert len(list((finished / "resources" / "weights" / "model").glob("*.safetensors"))) == 2
    assert planned(finished) == {}


def test_too_few_images_then_more(tmp_path):
    """The user does what the sentence says, and it helps."""
    house(tmp_path)
    desk = tmp_path / "desk"
    desk.mkdir()
    table = write_images(desk / "images", range(30))
    table.to_csv(desk / "mine.csv", index=False)
    for name in table["image_id"][20:]:
        (desk / "images" / name).rename(desk / name)
    status, said = run(desk, "--until", "manifest")
    assert status != 0
    assert "more images" in said
    for name in table["image_id"][20:]:
        (desk / name).rename(desk / "images" / name)
    status, said = run(desk, "--until", "manifest")
    assert status == 0, said
