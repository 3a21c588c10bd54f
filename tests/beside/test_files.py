"""Outputs appear whole or not at all."""

import errno

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from PIL import Image

from sourcebench import files, imaging
from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry
from sourcebench.seeds import generator, seed_of


def test_a_failed_write_leaves_nothing(tmp_path):
    path = tmp_path / "deep" / "table.csv"
    with pytest.raises(KeyboardInterrupt), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []


def test_a_failed_write_keeps_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(ValueError, match="no"), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise ValueError("no")
    assert path.read_text() == "old"


def test_a_full_disk_is_one_sentence(tmp_path):
    with (
        pytest.raises(SourceBenchError, match=r"The disk is full: .*big\.npy could not be"),
        files.atomic(tmp_path / "big.npy") as temporary,
    ):
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_disk(tmp_path, monkeypatch):
    """A file that may not grow stands for a disk that is full."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with (
        pytest.raises(SourceBenchError, match="The disk is full"),
        files.new_array(tmp_path / "images.npy", (10, 4, 4)),
    ):
        pytest.fail("the space was not reserved beforehand")
    assert list(tmp_path.iterdir()) == []


def test_arrays_come_back(tmp_path):
    with files.new_array(tmp_path / "images.npy", (3, 4, 5)) as array:
        array[1] = 7
    back = files.load_array(tmp_path / "images.npy")
    assert back.shape == (3, 4, 5)
    assert back.sum() == 7 * 20
    with files.new_array(tmp_path / "none.npy", (0, 4, 5)):
        pass
    assert files.load_array(tmp_path / "none.npy").shape == (0, 4, 5)


def test_tables_and_json_come_back(tmp_path):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    files.write_csv(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "t.csv"), table)
    files.write_json(tmp_path / "t.json", {"a": [1, None]})
    assert files.read_json(tmp_path / "t.json") == {"a": [1, None]}


@given(st.integers(4, 200), st.integers(4, 200))
@example(1024, 512)
@example(1024, 362)
@example(1024, 256)
@example(1024, 128)
def test_nearest_is_pils(height, size):
    """PIL's nearest is what Keras' load_img resizes with, and so the reference.

    Where a new pixel's centre falls between two old ones, PIL's choice is its rounding error.
    """
    shrinks_evenly = height % size == 0
    assume(shrinks_evenly or all((2 * i + 1) * height % (2 * size) for i in range(size)))
    image = generator("resize", height).integers(0, 256, (height, height), dtype=np.uint8)
    expected = Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST)
    assert (imaging.resize(image, size) == np.asarray(expected)).all()


def test_antialiased_averages():
    image = generator("resize").integers(0, 256, (64, 64), dtype=np.uint8)
    small = imaging.resize(image, 16, "antialiased")
    blocks = image.reshape(16, 4, 16, 4).mean((1, 3))
    assert np.abs(small - blocks).max() <= 0.51
    large = imaging.resize(image, 128, "antialiased")
    assert (large == cv2.resize(image, (128, 128), interpolation=cv2.INTER_LINEAR)).all()


def test_names_make_seeds():
    assert seed_of("a", 1) == seed_of("a", 1)
    assert len({seed_of("a", 1), seed_of("a1"), seed_of("a", 2), seed_of(1, "a")}) == 4
    assert 0 <= seed_of("x") < 2**63
    assert generator("x").integers(100) == generator("x").integers(100)


def test_registries():
    registry: Registry[int] = Registry("thing")
    registry.register("one")(1)
    registry.register("two")(2)
    assert registry.names() == ["one", "two"]
    assert registry.get("two") == 2
    with pytest.raises(SourceBenchError, match="Unknown thing 'three'; there are: one, two"):
        registry.get("three")
    with pytest.raises(SourceBenchError, match="the name 'one' is that of another thing"):
        registry.register("one")(3)
