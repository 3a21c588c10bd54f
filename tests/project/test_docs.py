"""What the documentation shows works: its examples are run, its graph and its keys are compared."""

import importlib.util
import io
import itertools
import re
import shutil
from dataclasses import make_dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import torch
import yaml
from snakemake.utils import update_config

from conftest import ROOT, merged
from planner import snakemake
from sourcebench.artifacts import ARTIFACTS
from sourcebench.attributes import ATTRIBUTES
from sourcebench.datasets.base import build
from sourcebench.datasets.tasks import candidates
from sourcebench.design.trial import Trial, report
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.confidence import SCORES, Tested
from sourcebench.kinds import Kind, Kinds
from sourcebench.models import build_backbone
from sourcebench.parameters import parameter
from sourcebench.sources import weights_id
from sourcebench.sources.weights import load_backbone, write_weights
from sourcebench.study import Study
from sourcebench.study.schema import schema as config_schema


def blocks(name, language):
    """The fenced blocks of a language in a document."""
    text = (ROOT / name).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_confounder_of_the_docs(forgotten, tmp_path, monkeypatch):
    (code,) = blocks("docs/adding-a-confounder.md", "python")
    overlay, _ = blocks("docs/adding-a-confounder.md", "yaml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vignette.py").write_text(code)
    study = Study.of(merged(yaml.safe_load(overlay)))
    vignette = study.confounders["dark_corners"].trait
    image = np.full((65, 65), 200, np.uint8)
    darker = vignette.artifact(image, np.random.default_rng(0))
    assert darker[32, 32] == 200
    assert darker[0, 0] == 160
    faint = type(vignette)(**vignette.vanishing)
    assert np.array_equal(faint.artifact(image, np.random.default_rng(0)), image)
    assert "dark_corners" in set(study.runs["confounder"])


def test_the_corruptions_of_the_docs():
    _, overlay = blocks("docs/adding-a-confounder.md", "yaml")
    study = Study.of(merged(yaml.safe_load(overlay)))
    names = {f"grain_{number}" for number in range(1, 6)} | {"soft_1", "soft_2"}
    assert set(study.tasks["cxr_mass"].shifts) == names | {"moved_1", "moved_3", "moved_5"}
    text = (ROOT / "docs" / "adding-a-confounder.md").read_text()
    (listed,) = re.findall(r"\*\*Corruptions\*\* are.*?have five severities", text, re.DOTALL)
    graded = [name for name in ARTIFACTS.names() if ARTIFACTS.get(name).severities]
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(graded)


def test_a_sampling_confounder_without_code():
    view = ATTRIBUTES.build("gender", column="view", carrier="AP", other="PA")
    assert (view.column, view.carrier) == ("view", "AP")


def test_the_rethink_study_says_how_rare_its_rare_finding_is():
    (said,) = re.findall(r"here it is one to (\d+)", (ROOT / "config" / "rethink.yaml").read_text())
    config = merged(yaml.safe_load((ROOT / "config" / "rethink.yaml").read_text()))
    labels = config["tasks"]["nih_pneumonia"]["labels"]
    metadata = build("nih_cxr14", config["datasets"]["nih_cxr14"]).metadata()
    table, _ = candidates(metadata, labels, None, None)
    assert round((table["label"] == 0).sum() / (table["label"] == 1).sum()) == int(said)


def test_the_sources_of_the_docs(tmp_path, monkeypatch):
    for overlay in blocks("docs/adding-a-source.md", "yaml"):
        config = merged(yaml.safe_load(overlay))
        study = Study.of(config)
        assert study.remarks == [] or "dinov2" in overlay
        assert study.name != "source_matters"  # it would mix with the paper's
        assert set(study.runs["source"]) == set(study.sources)
        if "mine" in config["sources"]:
            mine = config
    config = mine
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resources" / "mine").mkdir(parents=True)
    torch.manual_seed(0)
    backbone = build_backbone("tiny_resnet")
    state = {f"module.trunk.{name}": value for name, value in backbone.state_dict().items()}
    state = {name.removeprefix("module."): value for name, value in state.items()}
    torch.save({"state_dict": state}, tmp_path / "resources" / "mine" / "tiny_resnet.pth")
    path = tmp_path / "weights.safetensors"
    write_weights("mine", config["sources"]["mine"], "tiny_resnet", path, seed=1, threads=1)
    loaded, normalisation = load_backbone("tiny_resnet", path)
    for name, value in backbone.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert normalisation.std == (0.25, 0.25, 0.25)


def test_the_kind_of_source_of_the_docs(forgotten, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("docs/adding-a-source.md", "python")
    (entry,) = re.findall(r"`({kind: lab_run.*})`", (ROOT / "docs/adding-a-source.md").read_text())
    Path("lab_run.py").write_text(code)
    entry = yaml.safe_load(entry)
    config = merged({"plugins": ["lab_run.py"], "sources": {"lab": entry}})
    config["experiment"] |= {"sources": ["lab"], "archs": ["tiny_resnet"]}
    supplier = Study.of(config).sources["lab"].supplier
    before = weights_id(supplier, "tiny_resnet", 1)
    torch.manual_seed(0)
    state = build_backbone("tiny_resnet").state_dict()
    Path("runs/0012").mkdir(parents=True)
    torch.save(state, "runs/0012/tiny_resnet-best.pth")
    assert weights_id(supplier, "tiny_resnet", 1) != before
    write_weights("lab", entry, "tiny_resnet", tmp_path / "w.safetensors", seed=1, threads=1)
    loaded, normalisation = load_backbone("tiny_resnet", tmp_path / "w.safetensors")
    assert all(torch.equal(loaded.state_dict()[name], state[name]) for name in state)
    assert normalisation.mean == (0.5, 0.5, 0.5)
    assert "folder" not in supplier.deciding("tiny_resnet")
    config["sources"]["lab"] = entry | {"run": 0}
    with pytest.raises(
        SourceBenchError, match=r"sources\.lab\.run is 0; it must be a whole number"
    ):
        Study.of(config)
    with pytest.raises(
        SourceBenchError, match=r"sources\.lab: run 13 has no runs/0013/tiny_resnet"
    ):
        write_weights("lab", entry | {"run": 13}, "tiny_resnet", "w", seed=1, threads=1)


def example(number):
    """A Python example of the page on datasets, run."""
    code = blocks("docs/adding-a-dataset.md", "python")[number]
    exec(compile(code, "example.py", "exec"), {"__name__": "example"})


@pytest.fixture
def own_study(tmp_path, monkeypatch):
    """The practice images of the page on datasets; and its configs, laid over the paper's."""
    monkeypatch.chdir(tmp_path)
    example(0)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    base, *overlays = map(yaml.safe_load, blocks("docs/adding-a-dataset.md", "yaml"))
    configs = [merged(base)]
    for overlay in overlays:
        configs.append(merged(base))
        update_config(configs[-1], overlay)
    return configs


def test_the_studies_of_the_docs_pass_their_check(own_study):
    for config in own_study:
        trials = [Trial(**each) for each in Study.of(config).trials]
        said, refused = report(trials, 1, io.StringIO())
        assert not refused, said
        assert "PROBLEM" not in said
    assert "fold 1       train (48), val (24)" in said
    assert "test, old    old (18), young (6)" in said


def test_the_dataset_of_the_docs(forgotten):
    example(3)
    dataset = build("two", {"kind": "two_patients", "origin": "download"})
    assert list(dataset.metadata()["patient_id"]) == ["1", "2"]


def test_arrays_as_in_the_docs(forgotten, tmp_path):
    example(1)
    dataset = build("mine", {"kind": "array_table", "origin": "download", "table": "-"})
    values = np.arange(64).reshape(8, 8) / 63
    np.save(tmp_path / "a.npy", values)
    np.save(tmp_path / "b.npy", 2 * values)
    found, _ = dataset.index(tmp_path, tmp_path, 1, io.StringIO())
    assert found["image_id"].tolist() == ["a.npy", "b.npy"]
    image, odd = dataset.read(tmp_path / "a.npy")
    np.testing.assert_array_equal(image, np.round(values * 255))
    assert (image.dtype, odd) == (np.uint8, ())
    with pytest.raises(SourceBenchError, match=r"b\.npy is no image of fractions"):
        dataset.read(tmp_path / "b.npy")


def test_dicoms_as_in_the_docs(forgotten, tmp_path):
    example(2)
    dataset = build("mine", {"kind": "dicom_table", "origin": "download", "table": "-"})
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8)
    (tmp_path / "notes.txt").write_text("no DICOM")
    for name in ("MONOCHROME1", "MONOCHROME2"):
        file = pydicom.Dataset()
        file.file_meta = pydicom.dataset.FileMetaDataset()
        file.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        file.SOPClassUID, file.SOPInstanceUID = pydicom.uid.generate_uid(), f"1.2.{name[-1]}"
        file.Rows, file.Columns, file.SamplesPerPixel, file.PixelRepresentation = 8, 8, 1, 0
        file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
        file.PhotometricInterpretation, file.PixelData = name, pixels.tobytes()
        file.save_as(tmp_path / name, enforce_file_format=True)
    found, odd = dataset.index(tmp_path, tmp_path, 1, io.StringIO())
    assert dict(found.itertuples(index=False)) == {
        "1.2.1": str(tmp_path / "MONOCHROME1"),
        "1.2.2": str(tmp_path / "MONOCHROME2"),
    }
    assert odd == {"no_dicom": 1}
    image, _ = dataset.read(tmp_path / "MONOCHROME2")
    np.testing.assert_array_equal(image, np.round(pixels / 63 * 255))
    np.testing.assert_array_equal(dataset.read(tmp_path / "MONOCHROME1")[0], 255 - image)


def test_labels_as_in_the_docs(forgotten):
    example(4)
    ages = {"image_id": list("abc"), "age": ["61", "60", None], "view": "PA", "findings": ""}
    table, counts = candidates(pd.DataFrame(ages), {"from": "older", "than": 60}, "PA")
    assert dict(zip(table["image_id"], table["label"], strict=True)) == {"a": 1, "b": 0}
    assert counts["candidates"] == 2


def test_the_imbalanced_table_of_the_docs(tmp_path):
    (rows,) = blocks("docs/rethink.md", "csv")
    (overlay,) = [each for each in blocks("docs/rethink.md", "yaml") if "covid:" in each]
    (tmp_path / "images.csv").write_text(rows)
    spec = yaml.safe_load(overlay)
    table = build(
        "covid", {"kind": "table", "origin": "download", "table": str(tmp_path / "images.csv")}
    ).metadata()
    labelled, _ = candidates(table, spec["tasks"]["covid"]["labels"], None)
    assert labelled["label"].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("study", ["rethink", "rethink_demo"])
def test_the_rethink_studies_can_be_planned(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = merged(yaml.safe_load((ROOT / "config" / f"{study}.yaml").read_text()))
    table = Study.of(config).runs
    assert set(table["confounder"]) == {"none"}
    assert set(table["repeat"]) == {1, 2, 3}
    shallow = table[(table["source"] == "imagenet") & table["arch"].str.startswith("cbr")]
    assert shallow.empty


def edges(text):
    """Every arrow of a mermaid graph, chains taken apart."""
    found = set()
    for line in text.splitlines():
        names = [name.strip() for name in line.split("-->")]
        found |= set(itertools.pairwise(names))
    return found


def test_the_graph_in_the_readme_is_the_workflows():
    status, said = snakemake(
        ROOT, "--rulegraph", "mermaid-js", "--forceall", "--configfile", "config/demo.yaml",
        "--workflow-profile", "none",
    )  # fmt: skip
    assert status == 0, said
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", said))
    ours = {(names[a], names[b]) for a, b in edges(said)}
    (shown,) = blocks("README.md", "mermaid")
    assert edges(shown) == reduced({edge for edge in ours if edge[1] != "all"})


def reduced(arrows):
    """The arrows that no path of several others implies."""

    def reached(start):
        ends = {end for begin, end in arrows if begin == start}
        return ends.union(*map(reached, ends))

    return {
        (begin, end)
        for begin, end in arrows
        if not any(end in reached(other) for start, other in arrows if start == begin)
    }


def test_every_key_is_explained():
    """Those of kinds stand in tables that derive, see the tests of these."""
    explained = (ROOT / "config" / "README.md").read_text()
    schema = config_schema()
    keys = set(schema["properties"]) | set(schema["properties"]["experiment"]["properties"])
    keys |= set(schema["properties"]["training"]["properties"])
    task = schema["properties"]["tasks"]["additionalProperties"]["properties"]
    keys |= set(task) - {"labels", "samples"}
    keys |= {f"samples.{key}" for key in task["samples"]["properties"]}
    keys |= set(schema["$defs"]["splits"]["properties"])
    for key in keys:
        assert re.search(rf"[`.]{re.escape(key)}`", explained) or f"## {key}" in explained, key


@pytest.fixture(scope="module")
def keys():
    """The script that writes the tables of keys."""
    spec = importlib.util.spec_from_file_location("keys", ROOT / "docs" / "keys.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_tables_of_keys_are_what_the_kinds_declare(keys):
    page = keys.PAGE.read_text()
    assert keys.written(page) == page, "config/README.md tells of other keys; run: make docs"
    assert [name for _, name, _ in keys.PLACE.findall(page)] == list(keys.TABLES)
    assert keys.written(page.replace("| `tag` |", "| `tga` |")) == page


def test_a_key_stands_once_where_it_means_the_same(keys):
    kinds = Kinds("shape")
    size = parameter(2, unit="px", help="its side", low=1)
    for name in ("ring", "bar"):
        fields = [("size", int, size), (f"of_{name}", str | None, parameter(None, help="a | b"))]
        made = make_dataclass(name, fields, bases=(Kind,), frozen=True)
        made.__doc__ = f"A {name}\nof light.\n\nMore."
        kinds.register(name)(made)
    assert keys.described(kinds).splitlines() == [
        "| kind | what it is |",
        "| --- | --- |",
        "| `ring` | A ring of light. |",
        "| `bar` | A bar of light. |",
        "",
        "| kind | key | what it is | allowed | default |",
        "| --- | --- | --- | --- | --- |",
        "| every | `size` | its side | a whole number of at least 1 px | 2 |",
        r"| `ring` | `of_ring` | a \| b | text, and not empty | – |",
        r"| `bar` | `of_bar` | a \| b | text, and not empty | – |",
    ]


def test_the_score_of_the_docs(forgotten, tmp_path, monkeypatch):
    (code,) = blocks("docs/silent-failures.md", "python")
    overlay = blocks("docs/silent-failures.md", "yaml")[-1]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runner_up.py").write_text(code)
    study = Study.of(merged(yaml.safe_load(overlay)))
    assert study.confidence == ["msr", "runner_up"]
    logits = pd.DataFrame({"label": [0, 1], "logit_0": [0.0, 2.0], "logit_1": [0.0, 0.0]})
    scored = SCORES.get("runner_up").of(Tested(logits))
    assert list(scored.called) == [0, 0]
    assert np.allclose(scored.confidences, [0, np.tanh(1)])  # of two classes: 2 p − 1


def test_all_scores_stand_in_the_docs():
    text = (ROOT / "docs" / "silent-failures.md").read_text()
    table = text[text.index("## The scores") : text.index("## Reading")]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\|([^|]*)\|", table)))) - {
        "confidence"
    } == set(SCORES.names())
