"""What weights are the same, and what is noticed of files that change on disk."""

import copy
import hashlib
import os
from dataclasses import asdict

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from sourcebench.sources import GENERATORS, KINDS, weights_id

SOURCES = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["sources"]
FILE = {"kind": "file", "path": "mine.pth", "mean": 0.5, "std": 0.25}
LEAVES = {"kind": "insilico", "generator": "dead_leaves", "images": 99, "size": 96, "epochs": 1}
TOLD = {
    "title": "Mine", "archs": ["resnet50"], "licence": "MIT", "citation": "Me", "gated": True,
    "note": "Of mine.",
}  # fmt: skip
TIMM = {"kind": "timm", "tags": {"resnet50": "resnet50.tv_in1k", "vit_base": "vit_base.x"}}


def name_of(entry, arch="resnet50", seed=1):
    return weights_id(KINDS.from_entry(entry), arch, seed)


@given(st.sampled_from([FILE, LEAVES, TIMM]), st.randoms())
def test_the_order_of_keys_and_what_tells_about_a_source_mean_nothing(entry, random):
    told = TOLD | ({"help": "Ask me."} if entry is FILE else {})
    keys = list(entry | told)
    random.shuffle(keys)
    assert name_of({key: (entry | told)[key] for key in keys}) == name_of(entry)


def test_a_default_may_be_written_down():
    for entry in (FILE, LEAVES):
        whole = {"kind": entry["kind"]} | asdict(KINDS.from_entry(entry))
        assert len(whole) > len(entry) + 6
        assert name_of(whole) == name_of(entry)
    assert name_of(LEAVES | {"lr": "1e-3", "epochs": 1.0}) == name_of(LEAVES)


def test_what_decides_the_weights_names_them_anew():
    known = {name_of(entry, arch) for entry in (FILE, TIMM) for arch in ("resnet50", "vit_base")}
    known |= {name_of(FILE | {"mean": 0.4}), name_of(FILE | {"rename": {"a.": "b."}})}
    known |= {name_of(LEAVES), name_of(LEAVES | {"epochs": 2}), name_of(LEAVES, seed=2)}
    assert len(known) == 9
    assert {len(name) for name in known} == {10}


def test_a_seed_counts_where_weights_are_trained_alone():
    assert name_of(FILE, seed=1) == name_of(FILE, seed=2)
    assert name_of(LEAVES, seed=1) != name_of(LEAVES, seed=2)


def test_a_later_version_of_a_kind_makes_other_weights(monkeypatch):
    before = name_of(LEAVES)
    monkeypatch.setattr(KINDS.get("insilico"), "version", 99)
    assert name_of(LEAVES) != before


@pytest.mark.parametrize("source", SOURCES)
def test_another_architecture_of_a_source_changes_nothing(source):
    """Growing a study by an architecture fetches none of the others again."""
    entry = SOURCES[source]
    supplier, grown = KINDS.from_entry(entry), copy.deepcopy(entry)
    for key, table in supplier.tables.items():
        grown[key]["some_other_network"] = next(iter(table.values()))
    for arch in supplier.covers or ("resnet50",):
        assert name_of(grown, arch) == name_of(entry, arch)


def test_a_file_is_told_by_what_is_in_it(tmp_path):
    """Whatever its times say, and wherever it lies."""
    path = tmp_path / "mine.pth"
    entry = FILE | {"path": str(tmp_path / "{arch}.pth")}
    file = KINDS.from_entry(entry)
    assert file.fingerprint("mine") == "missing"
    path.write_bytes(b"one")
    assert file.fingerprint("mine") == [hashlib.sha256(b"one").hexdigest()]
    first, times = name_of(entry, "mine"), path.stat()
    os.utime(path, ns=(1, 1))
    (tmp_path / "moved").mkdir()
    moved = entry | {"path": str(path.rename(tmp_path / "moved" / "other.pth"))}
    assert name_of(moved, "mine") == first
    path.write_bytes(b"other")
    os.utime(path, ns=(times.st_mtime_ns,) * 2)
    assert name_of(entry, "mine") != first
    # One in the entry is checked when the file is read.
    sealed = KINDS.from_entry(entry | {"sha256": {"mine": "0" * 64}})
    assert sealed.fingerprint("mine") is None


def test_of_a_folders_files_the_one_that_is_taken_counts(tmp_path):
    entry = FILE | {"path": str(tmp_path), "files": {"resnet50": ["a.pt", "b.h5"]}}
    (tmp_path / "b.h5").write_bytes(b"b")
    second = name_of(entry)
    (tmp_path / "other.pt").write_bytes(b"o")
    assert name_of(entry) == second
    (tmp_path / "a.pt").write_bytes(b"a")
    assert name_of(entry) != second


def test_a_copy_of_a_repository_is_told_by_its_files(tmp_path):
    entry = {"kind": "timm", "tags": {"resnet50": f"local-dir:{tmp_path}"}}
    nothing = name_of(entry)
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert name_of(entry) != nothing
    assert KINDS.from_entry(TIMM).fingerprint("resnet50") is None


def test_a_generator_is_told_by_its_code():
    names = {name_of(LEAVES | {"generator": generator}) for generator in GENERATORS.names()}
    leaves = KINDS.from_entry(LEAVES)
    prints = {leaves.fingerprint(arch) for arch in ("resnet50", "vit_base")}
    assert len(names) == len(GENERATORS.names())
    assert len(prints) == 1
