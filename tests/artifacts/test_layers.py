"""A layer that is interrupted, as often as may be: it goes on, and ends as if it had not been."""

import errno
import io
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sourcebench import files, seeds
from sourcebench.artifacts import ARTIFACTS, Artifact, apply, draft, drawing, write_layer
from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon

COUNT, SIDE = 12, 16
IDS = [f"image_{row}" for row in range(COUNT)]
IMAGES = seeds.generator("layers").integers(0, 200, (COUNT, SIDE, SIDE), dtype=np.uint8)
IMAGES[:, 0, 0] = np.arange(COUNT)  # by which they are known


@dataclass(frozen=True)
class Grain(Artifact):
    """Adds grain; remembers which images it drew, and stops at one."""

    kind = "grain"
    title = "Grain"
    taxon = Taxon("environment", "imaging")
    has_base: ClassVar[bool] = True

    drawn: ClassVar[list[int]] = []
    bare: ClassVar[list[int]] = []  # those drawn without
    stop: ClassVar[int | None] = None
    how: ClassVar[BaseException] = KeyboardInterrupt()

    strength: int = parameter(20, help="of the grain", low=1, high=50)

    def artifact(self, image, rng):
        row = int(image[0, 0])
        if row == self.stop:
            raise self.how
        self.drawn.append(row)
        return image + rng.integers(0, self.strength, image.shape, dtype=np.uint8)

    def base(self, image, rng):
        self.bare.append(int(image[0, 0]))
        return image + rng.integers(self.strength, 2 * self.strength, image.shape, dtype=np.uint8)


def write(path, native=IMAGES, ids=IDS, *, strength=20, layer="artifact", **more):
    options = {"input_size": SIDE, "resize_method": "nearest", "seed": 1} | more
    write_layer(Grain(strength), layer, native, ids, path=path, **options)
    return np.array(files.load_array(path))


def interrupted(path, monkeypatch, at, how=None, **options):
    monkeypatch.setattr(Grain, "stop", at)
    monkeypatch.setattr(Grain, "how", how or KeyboardInterrupt())
    with pytest.raises(type(Grain.how)):
        write(path, **options)
    monkeypatch.setattr(Grain, "stop", None)


@pytest.fixture
def slow(monkeypatch):
    """Every image takes so long that it is recorded at once."""
    monkeypatch.setattr(draft, "PAUSE", 0.0)
    monkeypatch.setattr(Grain, "drawn", [])
    monkeypatch.setattr(Grain, "bare", [])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write(tmp_path_factory.mktemp("whole") / "artifact.npy")


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("how", [KeyboardInterrupt(), RuntimeError("a cosmic ray")])
def test_what_was_drawn_before_an_interruption_is_not_drawn_again(
    tmp_path, monkeypatch, whole, how
):
    path = tmp_path / "artifact.npy"
    interrupted(path, monkeypatch, 7, how)
    assert not path.exists()
    Grain.drawn.clear()
    assert np.array_equal(write(path), whole)
    assert Grain.drawn == list(range(7, COUNT))
    assert list(tmp_path.iterdir()) == [path]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stops=st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(1, 3)), max_size=4))
@pytest.mark.usefixtures("slow")
def test_the_result_does_not_depend_on_interruptions_and_threads(
    tmp_path_factory, monkeypatch, whole, stops
):
    path = tmp_path_factory.mktemp("layer") / "artifact.npy"
    done = 0
    for stop, threads in stops:
        if stop >= done:  # else it is drawn already, and nothing stops
            interrupted(path, monkeypatch, stop, threads=threads)
            done = stop
    assert np.array_equal(write(path, threads=2), whole)
    assert list(path.parent.iterdir()) == [path]


KILLED = """
import os, signal, sys

sys.path[:0] = {paths!r}
from test_layers import Path, draft, write

write_json = draft.files.write_json


def kill(path, content):
    if {after}:
        write_json(path, content)
    if content["done"] == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    if not {after}:
        write_json(path, content)


draft.files.write_json, draft.PAUSE = kill, 0.0
write(Path({path!r}))
"""


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(("after", "done"), [(True, 8), (False, 7)])
def test_a_killed_job_goes_on_where_it_stopped(tmp_path, whole, after, done):
    """SIGKILL, right before or after image 8 of 12 goes on record, in a process of its own."""
    path = tmp_path / "artifact.npy"
    paths = [str(Path(__file__).parent), str(Path(files.__file__).parents[1])]
    code = KILLED.format(paths=paths, path=str(path), after=after)
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()

    assert np.array_equal(write(path), whole)
    assert Grain.drawn == list(range(done, COUNT))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("slow")
def test_rows_are_on_the_disk_before_the_record_of_them(tmp_path, monkeypatch, whole):
    records = []

    def write_json(path, content):
        rows = np.load(tmp_path / ".artifact.draft.npy")
        assert np.array_equal(rows[: content["done"]], whole[: content["done"]])
        records.append(content["done"])

    monkeypatch.setattr(draft.files, "write_json", write_json)
    write(tmp_path / "artifact.npy")
    assert records == list(range(1, COUNT + 1))


def test_work_that_is_quick_is_not_recorded_nor_its_originals_digested(tmp_path, monkeypatch):
    monkeypatch.setattr(apply, "_digest", lambda *_: pytest.fail("digested"))
    write(tmp_path / "artifact.npy")
    interrupted(tmp_path / "other.npy", monkeypatch, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["artifact.npy"]


OTHER = IMAGES.copy()
OTHER[0, 3, 5] += 1


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    "change",
    [
        {"strength": 21},
        {"seed": 2},
        {"layer": "base"},
        {"ids": [*IDS[1:], "image_12"]},
        {"native": OTHER},
        {"native": IMAGES[:9], "ids": IDS[:9]},
        {"input_size": 8},
        {"resize_method": "antialiased"},
    ],
    ids=lambda change: ", ".join(change),
)
def test_whatever_decides_the_result_begins_the_work_anew(tmp_path, monkeypatch, change):
    path = tmp_path / "artifact.npy"
    interrupted(path, monkeypatch, 7)
    Grain.drawn.clear()
    changed = write(path, **change)
    drawn = Grain.bare if change.get("layer") == "base" else Grain.drawn
    assert len(drawn) == len(change.get("ids", IDS))
    assert np.array_equal(changed, write(tmp_path / "b" / "artifact.npy", **change))


@pytest.mark.usefixtures("slow")
def test_another_engine_begins_the_work_anew(tmp_path, monkeypatch, whole):
    interrupted(tmp_path / "artifact.npy", monkeypatch, 7)
    Grain.drawn.clear()
    monkeypatch.setattr(Grain, "engine", "gpu")
    assert np.array_equal(write(tmp_path / "artifact.npy"), whole)
    assert len(Grain.drawn) == COUNT


@pytest.mark.usefixtures("slow")
def test_an_edited_artifact_begins_the_work_anew(tmp_path, monkeypatch, whole):
    interrupted(tmp_path / "artifact.npy", monkeypatch, 7)
    Grain.drawn.clear()
    monkeypatch.setattr(drawing, "code_of", lambda *_: "edited")
    assert np.array_equal(write(tmp_path / "artifact.npy"), whole)
    assert len(Grain.drawn) == COUNT


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    "damage",
    [
        lambda record, rows: record.write_text('{"done": '),
        lambda record, rows: record.write_text("[7]"),
        lambda record, rows: record.write_text(
            json.dumps(json.loads(record.read_text()) | {"done": 99})
        ),
        lambda record, rows: rows.write_bytes(rows.read_bytes()[:300]),
        lambda record, rows: rows.write_bytes(b""),
        lambda record, rows: rows.unlink(),
        lambda record, rows: record.unlink(),
    ],
)
def test_a_damaged_draft_is_begun_anew(tmp_path, monkeypatch, whole, damage):
    interrupted(tmp_path / "artifact.npy", monkeypatch, 7)
    damage(tmp_path / ".artifact.draft.json", tmp_path / ".artifact.draft.npy")
    Grain.drawn.clear()
    assert np.array_equal(write(tmp_path / "artifact.npy"), whole)
    assert len(Grain.drawn) == COUNT
    assert [path.name for path in tmp_path.iterdir()] == ["artifact.npy"]


def test_a_full_disk_is_a_sentence_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "posix_fallocate", full)
    with pytest.raises(SourceBenchError, match=r"The disk is full: .*artifact\..*npy could not be"):
        write(tmp_path / "artifact.npy")
    assert list(tmp_path.iterdir()) == []


def test_a_base_that_is_drawn_is_compared_no_longer_than_it_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(Grain, "bare", [])
    write(tmp_path / "artifact.npy")
    assert Grain.bare == [0]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.usefixtures("slow")
def test_a_terminal_gets_a_bar_that_goes_on_and_a_log_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(apply, "PAUSE", 0.0)
    interrupted(tmp_path / "artifact.npy", monkeypatch, 7)
    capsys.readouterr()
    terminal = Terminal()
    write(tmp_path / "artifact.npy", terminal=terminal)
    assert "Grain (artifact):  58%" in terminal.getvalue()
    assert "12/12" in terminal.getvalue()
    assert "7 of 12 images were drawn before; going on." in capsys.readouterr().out
    quiet = io.StringIO()
    write(tmp_path / "b.npy", terminal=quiet)
    assert quiet.getvalue() == ""


def test_a_layer_of_some_images_has_the_rows_of_the_layer_of_all(tmp_path):
    rng = np.random.default_rng(1)
    native = rng.integers(0, 256, (7, 32, 32), dtype=np.uint8)
    names = [f"{i}.png" for i in range(7)]
    artifact = ARTIFACTS.build("gaussian_noise", sd=20)
    for name, rows in (("all", None), ("some", [1, 4, 6])):
        write_layer(
            artifact, "artifact", native, names, rows=rows, input_size=16,
            resize_method="nearest", seed=1, path=tmp_path / f"{name}.npy",
        )  # fmt: skip
    every, some = (np.load(tmp_path / f"{name}.npy") for name in ("all", "some"))
    assert some.shape == (3, 16, 16)
    assert np.array_equal(some, every[[1, 4, 6]])
