"""Manifests and arrays from the originals."""

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image as PIL

from conftest import write_pngs
from sourcebench.datasets import arrays as arrays_of
from sourcebench.datasets import prepare
from sourcebench.datasets.nih import tables
from sourcebench.design.published.files import LONG_COLUMNS
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Frame
from sourcebench.retrieval.formats.png import read_png

NIH = tables.metadata()
TASK = {
    "labels": {"from": "metadata", "positive": "Hernia", "negative": "No Finding"},
    "view": "PA",
    "samples": {"test": 6, "dev": 10, "positive": 0.5},
}


def arrays(tmp_path, names, keep_native=True, size=16, odd=()):
    samples = pd.DataFrame({"image_id": names})
    remarks = arrays_of.write_arrays(
        samples,
        {name: str(tmp_path / "png" / name) for name in names},
        lambda _, path: (read_png(path), ("odd",) if path.name in odd else ()),
        size=size,
        method="nearest",
        images=tmp_path / "images.npy",
        native=tmp_path / "native.npy",
        keep_native=keep_native,
        threads=2,
    )
    assert remarks == ({"odd": list(odd)} if odd else {})
    return np.load(tmp_path / "images.npy"), np.load(tmp_path / "native.npy")


def test_row_i_is_image_i(tmp_path):
    names = [f"{i:08d}_000.png" for i in range(7)]
    pixels = write_pngs(tmp_path / "png", names)
    images, native = arrays(tmp_path, names)
    assert images.shape == (7, 16, 16)
    for i, name in enumerate(names):
        assert (native[i] == pixels[name]).all()
        assert (images[i] == pixels[name][2::4, 2::4]).all()


def test_originals_are_kept_only_for_who_reads_them(tmp_path):
    names = ["00000001_000.png"]
    write_pngs(tmp_path / "png", names)
    _, native = arrays(tmp_path, names, keep_native=False)
    assert len(native) == 0


def test_what_was_odd_is_named(tmp_path):
    names = [f"{i:08d}_000.png" for i in range(5)]
    write_pngs(tmp_path / "png", names)
    arrays(tmp_path, names, odd=names[1:3])


def test_a_truncated_image_is_named_and_nothing_is_kept(tmp_path):
    names = [f"{i:08d}_000.png" for i in range(3)]
    write_pngs(tmp_path / "png", names)
    broken = tmp_path / "png" / names[1]
    broken.write_bytes(broken.read_bytes()[:-40])
    with pytest.raises(SourceBenchError, match=names[1]):
        arrays(tmp_path, names)
    assert not list(tmp_path.glob("*.npy"))
    assert not list(tmp_path.glob(".*"))


def test_all_images_that_can_not_be_read_are_named_at_once(tmp_path, capsys):
    names = [f"{i:02d}.png" for i in range(30)]
    write_pngs(tmp_path / "png", names[:29])
    for name in ["00.png", *names[5:27]]:
        (tmp_path / "png" / name).write_bytes(b"")
    with pytest.raises(SourceBenchError) as caught:
        arrays(tmp_path, names)
    said = str(caught.value)
    assert said.startswith("24 of 30 images can't be read: ")
    named = [name for name in names if f"{name}, " in said or f"{name} and 4 more" in said]
    assert named == ["00.png", *names[5:24]]
    assert "The first: " in said
    log = capsys.readouterr().out.splitlines()
    assert [names[29] in line for line in log] == [*[False] * 23, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["png"]


def test_no_image_that_can_be_read(tmp_path):
    with pytest.raises(SourceBenchError, match="2 of 2 images can't be read"):
        arrays(tmp_path, ["a.png", "b.png"])


def test_another_size_is_named(tmp_path):
    write_pngs(tmp_path / "png", ["a.png"])
    write_pngs(tmp_path / "png", ["b.png"], size=32)
    with pytest.raises(SourceBenchError, match=r"b\.png is 32×32 px, but a\.png is 64×64"):
        arrays(tmp_path, ["a.png", "b.png"])


def test_a_manifest_from_what_is_there():
    everything = tables.metadata()
    some = set(everything.loc[everything["patient_id"].astype(int) % 2 == 0, "image_id"]) | {
        "mine.png"
    }
    chosen, counts = prepare.manifest(
        "t", TASK, NIH, seed=1, carrier=None, available=some, published=None
    )
    assert set(chosen["image_id"]) <= some
    assert len(chosen) == 16
    assert counts["without_row"] == 1
    assert 0 < counts["without_image"] < counts["candidates"]


def test_too_few_images_name_the_task():
    with pytest.raises(SourceBenchError, match=r"tasks\.t: No positive image is left"):
        prepare.manifest(
            "t", TASK, NIH, seed=1, carrier=None, available={"00000002_000.png"}, published=None
        )


def published(image_ids, label):
    half = len(image_ids) // 2
    frames = []
    for part, ids in (("test", image_ids[:half]), ("train", image_ids[half:])):
        frames.append(
            pd.DataFrame(
                {"part": part, "image_id": ids, "label": label[: len(ids)], "patient_id": 0}
            ).assign(p_art=np.nan, fold=1, sex=None)
        )
    return pd.concat(frames, ignore_index=True)[LONG_COLUMNS]


def test_published_splits_give_the_manifest():
    ids = list(tables.metadata()["image_id"][:12])
    splits_table = published(ids, [0, 1] * 3)
    chosen, counts = prepare.manifest(
        "t", {}, NIH, seed=1, carrier=None, available=None, published=splits_table
    )
    assert set(chosen["image_id"]) == set(ids)
    assert chosen.set_index("image_id").loc[ids[0], "role"] == "test"
    assert counts["without_image"] == 0
    chosen, counts = prepare.manifest(
        "t", {}, NIH, seed=1, carrier=None, available=set(ids[1:]), published=splits_table
    )
    assert counts["without_image"] == 1
    assert ids[0] not in set(chosen["image_id"])


def test_no_class_of_published_splits_may_be_missing():
    ids = list(tables.metadata()["image_id"][:12])
    table = published(ids, [0, 1, 2] * 2)
    options = {"seed": 1, "carrier": None, "published": table}
    chosen, _ = prepare.manifest("t", {}, NIH, available=set(ids[1:]), **options)
    assert set(chosen["role"] + chosen["label"].astype(str)) == {
        f"{role}{label}" for role in ("dev", "test") for label in range(3)
    }
    with pytest.raises(SourceBenchError, match="a class is empty"):
        prepare.manifest("t", {}, NIH, available=set(ids) - {ids[2], ids[5]}, **options)


def test_published_splits_that_cannot_be_used():
    ids = list(tables.metadata()["image_id"][:12])
    table = published(ids, [0, 1] * 3)
    options = {"seed": 1, "carrier": None, "available": None}
    unknown = table.replace({"image_id": {ids[3]: "mine.png"}})
    with pytest.raises(SourceBenchError, match=r"not in the metadata \(such as mine\.png\)"):
        prepare.manifest("t", {}, NIH, published=unknown, **options)
    twice = table.replace({"image_id": {ids[8]: ids[2]}})
    with pytest.raises(SourceBenchError, match=r"1 image .* development and the test set"):
        prepare.manifest("t", {}, NIH, published=twice, **options)
    with pytest.raises(SourceBenchError, match="a class is empty"):
        prepare.manifest(
            "t", {}, NIH, seed=1, carrier=None, available=set(ids[:6]), published=table
        )


def put(folder, **images):
    for name, image in images.items():
        cv2.imwrite(str(folder / f"{name}.png"), image[..., ::-1] if image.ndim == 3 else image)


def written(folder, names, **options):
    """The arrays of images that lie in a folder, whatever they are, and what was odd."""

    def read(_, path):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        return image[..., ::-1] if image.ndim == 3 else image, ()

    remarks = arrays_of.write_arrays(
        pd.DataFrame({"image_id": names}),
        {name: str(folder / f"{name}.png") for name in names},
        read,
        images=folder / "images.npy",
        native=folder / "native.npy",
        **{"size": 16, "method": "nearest", "keep_native": True} | options,
    )
    return np.load(folder / "images.npy"), np.load(folder / "native.npy"), remarks


@pytest.mark.parametrize("shape", [(64, 80), (80, 64), (64, 64), (16, 12), (1, 9)])
@pytest.mark.parametrize("colour", [(), (3,)])
@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_originals_of_any_size_become_squares_of_one(tmp_path, shape, colour, fit):
    other = np.zeros((7, 9, *colour), np.uint8)
    put(tmp_path, a=np.full((*shape, *colour), 200, np.uint8), b=other)
    images, native, _ = written(tmp_path, ["a", "b"], frame=Frame(fit, 32))
    assert images.shape == (2, 16, 16, *colour)
    assert native.shape == (2, 32, 32, *colour)
    bright = (native[0] > 100).all(axis=2) if colour else native[0] > 100
    if fit != "pad":
        assert bright.all()
        return
    height, width = (round(32 * length / max(shape)) for length in shape)
    assert abs(bright.any(1).sum() - height) <= 2
    assert abs(bright.any(0).sum() - width) <= 2
    assert min(shape) < 2 or np.array_equal(bright, bright[::-1, ::-1])


def test_shrinking_averages_areas(tmp_path):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 200
    put(tmp_path, a=stripes)
    _, native, _ = written(tmp_path, ["a"], frame=Frame("stretch", 32))
    assert (native == 100).all()


@pytest.mark.parametrize(
    ("border", "level"),
    [(0, (0, 0, 0)), (9, (9, 9, 9)), ((1, 2, 3), (1, 2, 3)), ("mean", (110, 20, 200))],
)
def test_a_border_is_a_colour_or_the_mean_of_the_rim(tmp_path, border, level):
    image = np.empty((8, 4, 3), np.uint8)
    image[:] = (110, 20, 200)
    image[1:-1, 1:-1] = 255  # what is inside does not count
    put(tmp_path, a=image)
    _, native, _ = written(tmp_path, ["a"], frame=Frame("pad", 8, border))
    assert (native[0, :, :2] == level).all()
    assert (native[0, :, 6:] == level).all()
    assert (native[0, :, 2:6] == image).all()


def test_channels_are_the_tasks_choice(tmp_path):
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (16, 16), dtype=np.uint8)
    colour = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    put(tmp_path, a=grey, b=colour)
    images, _, odd = written(tmp_path, ["a", "b"], channels=3)
    assert (images[0] == grey[..., None]).all()
    assert (images[1] == colour).all()
    assert odd == {"grey_repeated": ["a"]}
    images, _, odd = written(tmp_path, ["a", "b"], channels=1)
    assert (images[0] == grey).all()
    luma = PIL.fromarray(colour).convert("L")  # another library's BT.601
    assert np.abs(images[1].astype(int) - np.asarray(luma)).max() <= 1
    assert odd == {"made_grey": ["b"]}
    with pytest.raises(SourceBenchError, match=r"a\.png has 1 channels, but the task's.* is 6"):
        written(tmp_path, ["a", "b"], channels=6)
    with pytest.raises(SourceBenchError, match=r"b\.png has 3 channels, but a\.png has 1; set the"):
        written(tmp_path, ["a", "b"])


def test_what_shrinks_on_one_side_and_grows_on_the_other_is_averaged(tmp_path):
    stripes = np.zeros((100, 1600), np.uint8)
    stripes[:, ::8] = 255
    put(tmp_path, a=stripes)
    _, native, _ = written(tmp_path, ["a"], frame=Frame("stretch", 200))
    assert np.abs(native.astype(int) - 32).max() <= 1
