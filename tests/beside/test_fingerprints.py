"""Digests of code: what changes them, and what does not."""

import importlib.util
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from sourcebench import fingerprints, imaging, seeds
from sourcebench.artifacts.denoise import Denoise
from sourcebench.artifacts.noise import PoissonNoise
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.errors import SourceBenchError
from sourcebench.fingerprints import code_of, digest

PLAIN = """
def grey(image):
    return image + 1
"""
GUARDED = """
def grey(image):
    if image < 0:
        raise ValueError("dark")
    return image + 1
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module and returns it, as a new process would find it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(source, name="users_own"):
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        for step in ("_code_of", "_reach", "_read", "_parse"):
            getattr(fingerprints, step).cache_clear()
        spec = importlib.util.spec_from_file_location(name, path)
        made = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, made)
        spec.loader.exec_module(made)
        return made

    return write


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\n" + PLAIN,
        '"""A docstring."""\n' + PLAIN,
        PLAIN.replace("    return", '    """Return it brighter."""\n    return'),
        PLAIN.replace("image + 1", "(\n        image\n        + 1\n    )"),
        GUARDED.replace("dark", "much too dark"),
    ],
    ids=["comment", "docstring", "function's docstring", "layout", "an error's words"],
)
def test_comments_docstrings_and_layout_do_not_count(module, same):
    before = code_of(module(GUARDED if "raise" in same else PLAIN))
    assert code_of(module(same)) == before


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("+ 1", "+ 2"),
        PLAIN.replace("+ 1", "+ 1.0"),
        PLAIN.replace("+", "-"),
        PLAIN.replace("(image)", "(image, by=1)"),
        PLAIN + "grey = abs\n",
        PLAIN.replace("return", "yield"),
    ],
)
def test_an_edit_counts(module, other):
    assert code_of(module(PLAIN)) != code_of(module(other))


def test_a_class_a_function_and_an_instance_are_their_files():
    assert code_of(Denoise) == code_of(sys.modules[Denoise.__module__]) == code_of(Denoise())
    assert code_of(seeds.generator) == code_of(seeds)
    assert code_of(seeds, imaging) == code_of(imaging, seeds) != code_of(seeds)


def test_a_file_elsewhere_brings_what_lies_beside_it(module):
    uses = "import numpy\nfrom helper import step\n" + PLAIN.replace("1", "step")
    module("step = 1\n", "helper")
    before = code_of(module(uses))
    module("step = 2\n", "helper")
    assert code_of(module(uses)) != before


def reached(*definitions):
    """The files that a digest covers."""
    starts = map(fingerprints._start, definitions)
    return {path for start in starts for path, _ in fingerprints._reach(start)}


def files_of(*definitions):
    """The library's files that a digest covers."""
    return {path.relative_to(fingerprints.LIBRARY).as_posix() for path in reached(*definitions)}


def test_what_an_artifact_computes_with_counts_and_no_other_artifact():
    assert files_of(PoissonNoise) == {
        "artifacts/noise.py", "artifacts/base.py", "imaging.py",
    }  # fmt: skip


def test_a_name_from_a_package_is_followed_to_where_it_is_from(module):
    users = module("from sourcebench.artifacts import Artifact\n")
    library = {path for path in reached(users) if fingerprints.LIBRARY in path.parents}
    assert {path.name for path in library} == {"base.py", "imaging.py"}


def test_an_edit_far_down_counts_and_the_machinery_does_not(module, monkeypatch, tmp_path):
    library = tmp_path / "sourcebench"
    (library / "far").mkdir(parents=True)
    (library / "far" / "__init__.py").write_text("from sourcebench.far.down import deep\n")
    (library / "near.py").write_text("from sourcebench.far import deep\n")
    (library / "errors.py").write_text("words = 1\n")
    monkeypatch.setattr(fingerprints, "LIBRARY", library)
    users = "from sourcebench import errors, near\n"
    codes = []
    for deep, words in ((1, 1), (2, 1), (2, 2)):
        (library / "far" / "down.py").write_text(f"deep = {deep}\n")
        (library / "errors.py").write_text(f"words = {words}\n")
        monkeypatch.setitem(sys.modules, "sourcebench", type(sys)("sourcebench"))
        for name in ("errors", "near"):
            setattr(sys.modules["sourcebench"], name, None)
        codes.append(code_of(module(users)))
    first, second, third = codes
    assert first != second
    assert second == third


def test_what_is_defined_in_no_file_is_refused():
    made = type("Made", (), {"__module__": "nowhere"})
    with pytest.raises(SourceBenchError, match=r"nowhere\.Made.* is defined in no file"):
        code_of(made)


def test_a_digest_is_the_same_in_another_process_and_loads_nothing_heavy():
    code = (
        "import sys; from sourcebench import fingerprints, imaging;"
        "print(fingerprints.code_of(imaging)); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "workflow" / "scripts",
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip() == code_of(imaging)


@given(st.lists(st.text()), st.lists(st.text()))
def test_facts_are_told_apart_however_they_are_split(some, others):
    assert (digest(*some) == digest(*others)) == (some == others)


@pytest.mark.parametrize("kind", ["nih_cxr14", "chexpert", "mimic_cxr"])
def test_what_a_package_discovers_counts_where_it_is_imported(kind):
    """How a finding is drawn decides the phantoms."""
    found = {path.name for path in reached(MIRRORS.get(kind))}
    assert {"airspace.py", "focal.py", "pleura.py"} <= found


SEVERAL = """
import os
import numpy as np
from artist import paint

SIDE = 3

def frame(image):
    return np.pad(image, SIDE)

class Ring:
    def draw(self, image):
        return frame(image)

class Tag(Ring):
    def draw(self, image):
        return paint(image)
"""


@pytest.fixture
def plugin(module):
    """Writes a file of one's own that defines many things; returns the digest of one of them."""
    module("def paint(image):\n    return image\n", "artist")

    def digest_of(name, old="", new=""):
        return code_of(getattr(module(SEVERAL.replace(old, new)), name))

    return digest_of


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("return frame(image)", "return frame(image) + 1", ["Ring", "Tag"]),
        ("return paint(image)", "return paint(image) + 1", ["Tag"]),
        ("np.pad(", "np.roll(", ["frame", "Ring", "Tag"]),
        ("SIDE = 3", "SIDE = 4", ["frame", "Ring", "Tag"]),
        ("import os", "import sys", ["frame", "Ring", "Tag"]),
        ("from artist import paint", "from artist import paint as draw", ["frame", "Ring", "Tag"]),
    ],
)
def test_of_a_file_of_ones_own_what_a_definition_needs_counts(plugin, old, new, changed):
    """An import that nobody names may do anything, and counts for all of them."""
    names = ["frame", "Ring", "Tag"]
    assert [name for name in names if plugin(name, old, new) != plugin(name)] == changed


@pytest.mark.parametrize(
    "inside",
    [
        "from shapes.tools.lines import step",
        "import shapes.tools.lines",
        "from .tools.lines import step",
        "from .tools import lines",
        "from shapes.tools import step",
    ],
)
def test_a_package_of_ones_own_is_followed(tmp_path, inside):
    tools = tmp_path / "shapes" / "tools"
    tools.mkdir(parents=True)
    (tmp_path / "shapes" / "__init__.py").write_text("")
    (tools / "__init__.py").write_text("from .lines import step\n")
    (tools / "lines.py").write_text("from ..base import width\nstep = width\n")
    (tmp_path / "shapes" / "base.py").write_text("width = 1\n")
    (tmp_path / "shapes" / "ring.py").write_text(inside)
    found = fingerprints._reach((tmp_path / "shapes" / "ring.py", ""))
    assert {"ring.py", "lines.py", "base.py"} <= {path.name for path, _ in found}


def test_a_plugin_from_another_folder_is_followed(tmp_path, monkeypatch):
    for folder, module in (("theirs", "BASE = 1\n"), ("mine", "from of_theirs import BASE\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"of_{folder}.py").write_text(module)
    monkeypatch.setattr(fingerprints, "FOLDERS", [tmp_path / "theirs", tmp_path / "mine"])
    found = fingerprints._reach((tmp_path / "mine" / "of_mine.py", ""))
    assert {path.name for path, _ in found} == {"of_mine.py", "of_theirs.py"}
