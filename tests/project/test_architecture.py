"""The page on the architecture tells of the tree as it is."""

import re

import pytest

from conftest import ROOT
from sourcebench.datasets.base import KINDS
from test_environment import LIBRARY, ROOMS

PAGE = (ROOT / "docs" / "architecture.md").read_text()


def table(heading):
    """The first cells of the table below a line."""
    body = PAGE.split(heading, 1)[1].split("\n\n", 2)[1]
    return [row.split("|")[1].strip() for row in body.splitlines()[2:]]


def test_the_rooms_are_those_there_are_in_the_order_of_their_imports():
    rooms = [cell.strip("`") for cell in table("sees to it):")]
    assert rooms == ROOMS
    there = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert there == set(rooms)


@pytest.mark.parametrize(
    "place", sorted(set(re.findall(r"in a file of `([\w/]+)/?`|file in `([\w/]+)/`", PAGE)))
)
def test_places_are_there(place):
    assert (LIBRARY / "".join(place)).is_dir()


def test_files_and_doors_are_there():
    for name in re.findall(r"`((?:study|sourcebench|rules|tests)/[\w/]+\.\w+)`", PAGE):
        roots = (LIBRARY, LIBRARY.parent, ROOT / "workflow", ROOT)
        assert any((root / name).is_file() for root in roots), name
    steps = re.findall(r"(?m)^\d\. `(\w+)`", PAGE)
    assert len(steps) == 7
    for step in steps:
        assert (ROOT / "workflow" / "scripts" / f"{step}.py").is_file()


def test_a_dataset_is_a_folder():
    folders = {path.parent.name for path in (LIBRARY / "datasets").glob("*/__init__.py")}
    homes = {
        type(kind).__module__ if not isinstance(kind, type) else kind.__module__
        for kind in map(KINDS.get, KINDS.names())
    }
    assert {home.split(".")[2] for home in homes} <= folders


def test_tests_are_in_folders_like_the_rooms():
    folders = {path.parent.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders == {*ROOMS, "beside", "project", "workflow"} - {"attributes"}
    assert not list((ROOT / "tests").glob("test_*.py"))
