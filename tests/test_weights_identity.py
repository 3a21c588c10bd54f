"""What weights are the same, and what is noticed of files that change on disk."""

import copy
import hashlib
import os

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from sourcebench.sources import GENERATORS, KINDS, weights_id
from sourcebench.sources.base import ABOUT

SOURCES = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["sources"]
FILE = {"kind": "file", "path": "mine.pth", "mean": 0.5, "std": 0.25}
LEAVES = {"kind": "insilico", "generator": "dead_leaves", "images": 99, "size": 96, "epochs": 1}
TIMM = {"kind": "timm", "tags": {"resnet50": "resnet50.tv_in1k", "vit_base": "vit_base.x"}}


def name_of(entry, arch="resnet50", seed=1):
    return weights_id(entry, arch, seed, KINDS.get(entry["kind"]).fingerprint(entry, arch))


@given(st.sampled_from([FILE, LEAVES, TIMM]), st.randoms())
def test_the_order_of_keys_and_what_tells_about_a_source_mean_nothing(entry, random):
    told = {key: f"other words: {random.random()}" for key in ABOUT}
    keys = list(entry | told)
    random.shuffle(keys)
    assert name_of({key: (entry | told)[key] for key in keys}) == name_of(entry)


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
    monkeypatch.setattr(type(KINDS.get("insilico")), "version", 99)
    assert name_of(LEAVES) != before


@pytest.mark.parametrize("source", SOURCES)
def test_another_architecture_of_a_source_changes_nothing(source):
    """Growing a study by an architecture fetches none of the others again."""
    entry = SOURCES[source]
    kind, grown = KINDS.get(entry["kind"]), copy.deepcopy(SOURCES[source])
    for key in kind.by_arch:
        if isinstance(grown.get(key), dict):
            grown[key]["some_other_network"] = "another"
    for arch in kind.archs(entry) or ("resnet50",):
        assert weights_id(grown, arch, 1) == weights_id(entry, arch, 1)


def test_a_file_is_told_by_what_is_in_it(tmp_path):
    """Whatever its times say, and wherever it lies."""
    path = tmp_path / "mine.pth"
    entry = FILE | {"path": str(tmp_path / "{arch}.pth")}
    kind = KINDS.get("file")
    assert kind.fingerprint(entry, "mine") == "missing"
    path.write_bytes(b"one")
    assert kind.fingerprint(entry, "mine") == [hashlib.sha256(b"one").hexdigest()]
    first, times = weights_id(entry, "mine", 1, kind.fingerprint(entry, "mine")), path.stat()
    os.utime(path, ns=(1, 1))
    (tmp_path / "moved").mkdir()
    moved = entry | {"path": str(path.rename(tmp_path / "moved" / "other.pth"))}
    assert weights_id(moved, "mine", 1, kind.fingerprint(moved, "mine")) == first
    path.write_bytes(b"other")
    os.utime(path, ns=(times.st_mtime_ns,) * 2)
    assert weights_id(entry, "mine", 1, kind.fingerprint(entry, "mine")) != first
    # One in the entry is checked when the file is read.
    assert kind.fingerprint(entry | {"sha256": {"mine": "0" * 64}}, "mine") is None


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
    assert KINDS.get("timm").fingerprint(TIMM, "resnet50") is None


def test_a_generator_is_told_by_its_code():
    names = {name_of(LEAVES | {"generator": generator}) for generator in GENERATORS.names()}
    prints = {KINDS.get("insilico").fingerprint(LEAVES, arch) for arch in ("resnet50", "vit_base")}
    assert len(names) == len(GENERATORS.names())
    assert len(prints) == 1
