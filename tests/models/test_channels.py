"""Images of several channels, from their files to a network's first convolution."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sourcebench import files, imaging
from sourcebench.artifacts import ARTIFACTS, write_layer
from sourcebench.artifacts.drawing import version
from sourcebench.datasets import arrays
from sourcebench.errors import SourceBenchError
from sourcebench.models import (
    ARCHITECTURES,
    NETWORKS,
    build_network,
    fresh_network,
    stems,
    truncate,
)
from sourcebench.models.input_size import set_input_size
from sourcebench.seeds import generator
from sourcebench.sources import Normalisation
from sourcebench.sources.weights import fresh_backbone, load_backbone, write_weights
from sourcebench.training.augmentation import Augmentation, warp
from sourcebench.training.data import Layers

SIDE = 96


def colours(*shape):
    return generator("channels", *shape).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("method", ["nearest", "antialiased"])
@pytest.mark.parametrize("size", [16, 33, 40, 64])
def test_channels_are_resized_alike(size, method):
    image = colours(40, 40, 6)
    resized = imaging.resize(image, size, method)
    each = [imaging.resize(np.ascontiguousarray(image[..., c]), size, method) for c in range(6)]
    assert (resized == np.stack(each, -1)).all()


@pytest.mark.parametrize("shape", [(), (3,), (6,)])
def test_layers_read_one_shape_whatever_the_files_have(tmp_path, shape):
    images, letter = colours(5, 8, 8, *shape), colours(5, 8, 8, *shape) // 2
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "letter.npy", letter)
    ids = pd.Series(list("abcde"))
    files.write_csv(tmp_path / "samples.csv", pd.DataFrame({"image_id": ids}))
    layers = Layers(
        tmp_path / "samples.csv", tmp_path / "images.npy", {"tag": tmp_path / "letter.npy"}
    )
    rows = pd.DataFrame({"image_id": ids[::-1], "layer": ["tag", "none", "tag", "none", "none"]})
    read = layers.read(rows["image_id"], rows["layer"]).numpy()
    channels = shape[0] if shape else 1
    assert (layers.side, layers.channels, read.shape) == (8, channels, (5, 8, 8, channels))
    expected = np.where([[True], [False], [True], [False], [False]], letter[::-1].reshape(5, -1),
                        images[::-1].reshape(5, -1))  # fmt: skip
    assert (read.reshape(5, -1) == expected).all()


def test_a_layer_of_the_test_images_alone_is_read_by_their_names(tmp_path):
    images, drawn = colours(5, 8, 8), colours(2, 8, 8)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "dark.npy", drawn)
    roles = ["dev", "test", "target", "test", "dev"]
    table = pd.DataFrame({"image_id": list("abcde"), "role": roles})
    files.write_csv(tmp_path / "samples.csv", table)
    layers = Layers(
        tmp_path / "samples.csv", tmp_path / "images.npy", {"dark": tmp_path / "dark.npy"}
    )
    asked = pd.DataFrame({"image_id": list("dbde"), "layer": ["dark", "dark", "none", "none"]})
    read = layers.read(asked["image_id"], asked["layer"]).numpy()[..., 0]
    assert (read == np.stack([drawn[1], drawn[0], images[3], images[4]])).all()


def written_arrays(folder, images):
    pixels = dict(zip(map(str, range(len(images))), images, strict=True))
    arrays.write_arrays(
        pd.DataFrame({"image_id": list(pixels)}),
        {name: name for name in pixels},
        lambda _, path: (pixels[path.name], ()),
        size=16, method="nearest", images=folder / "images.npy", native=folder / "native.npy",
        keep_native=True, threads=2,
    )  # fmt: skip
    return np.load(folder / "images.npy"), np.load(folder / "native.npy")


def test_prepared_arrays_keep_the_channels(tmp_path):
    originals = list(colours(3, 64, 64, 6))
    images, native = written_arrays(tmp_path, originals)
    assert (native == originals).all()
    assert (images == np.stack(originals)[:, 2::4, 2::4]).all()
    with pytest.raises(SourceBenchError, match="1 has 1 channels, but 0 has 6"):
        written_arrays(tmp_path, [originals[0], originals[1][..., 0]])


@pytest.mark.parametrize("kind", ["tag", "denoise", "poisson_noise"])
def test_an_artifact_acts_on_every_channel(tmp_path, kind):
    """On grey levels, as on a grey image; noise is drawn for each channel anew."""
    artifact, native = ARTIFACTS.build(kind), colours(2, 64, 64, 3)
    layers = {}
    for name, images in {"all": native, "first": native[..., 0]}.items():
        path = tmp_path / f"{name}.npy"
        options = {"input_size": 32, "resize_method": "nearest", "seed": 7}
        write_layer(artifact, "artifact", images, ["a", "b"], path=path, **options)
        layers[name] = files.load_array(path)
    assert layers["all"].shape == (2, 32, 32, 3)
    assert (layers["all"][..., 0] == layers["first"]).all()
    same = version(artifact, "artifact", np.repeat(native[0, ..., :1], 3, -1), "a", 7)
    assert (same[..., 0] == same[..., 1]).all() == (kind != "poisson_noise")


def test_channels_are_warped_alike():
    images = torch.from_numpy(colours(4, 24, 24, 6)).float()
    theta = Augmentation().draw(4, torch.Generator().manual_seed(1))
    warped = warp(images, theta)
    assert warped.shape == images.shape
    for channel in range(6):
        one = warp(images[..., channel : channel + 1].contiguous(), theta)
        torch.testing.assert_close(warped[..., channel : channel + 1], one)
    seen = Normalisation((0.5,) * 6, (0.25,) * 6)(warped)
    assert seen.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(seen, (warped / 255 - 0.5).permute(0, 3, 1, 2) / 0.25)


@given(st.integers(1, 40))
def test_every_colour_is_given_away_once(channels):
    shares = np.array(stems.shares(channels))
    np.testing.assert_allclose(shares.sum(0), 1)
    np.testing.assert_allclose(shares.sum(1), 3 / channels)
    assert (shares >= 0).all()
    assert np.array_equal(shares, np.eye(3)) == (channels == 3)


def test_the_shares_are_those_of_neighbouring_bands():
    assert stems.shares(6) == [[0.5, 0, 0]] * 2 + [[0, 0.5, 0]] * 2 + [[0, 0, 0.5]] * 2
    assert stems.shares(2) == [[1, 0.5, 0], [0, 0.5, 1]]
    assert stems.shares(1) == [[1, 1, 1]]


@pytest.fixture(scope="module")
def leaves(tmp_path_factory):
    """A file of weights for the tiny network, with another normalisation for every colour."""
    torch.manual_seed(3)
    network = fresh_network("tiny_resnet")
    folder = tmp_path_factory.mktemp("leaves")
    torch.save(network.state_dict(), folder / "tiny.pth")
    entry = {"kind": "file", "path": str(folder / "tiny.pth"), "archs": ["tiny_resnet"],
             "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}  # fmt: skip
    path = folder / "tiny.safetensors"
    write_weights("leaves", entry, "tiny_resnet", path, seed=1, threads=1)
    return path


@torch.no_grad()
@pytest.mark.parametrize("channels", [3, 6, 9])
def test_equal_channels_are_to_a_pretrained_network_what_grey_is(leaves, channels):
    """Exactly so where no channel takes two colours, whose means differ."""
    grey = torch.from_numpy(colours(2, SIDE, SIDE, 1))
    backbone, normalisation = load_backbone("tiny_resnet", leaves)
    expected = backbone.eval()(normalisation(grey))
    wider, own = load_backbone("tiny_resnet", leaves, channels=channels)
    assert len(own.mean) == wider.stem[0].in_channels == channels
    seen = wider.eval()(own(grey.expand(-1, -1, -1, channels)))
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_a_channel_between_colours_has_the_mean_of_their_means(leaves, channels):
    backbone, normalisation = load_backbone("tiny_resnet", leaves, channels=channels)
    three, colour = load_backbone("tiny_resnet", leaves)
    torch.testing.assert_close(backbone.stem[0].weight.sum(1), three.stem[0].weight.sum(1))
    assert min(colour.mean) <= min(normalisation.mean) < max(normalisation.mean) <= 0.5
    if channels == 2:
        assert normalisation.mean == pytest.approx(((0.5 + 0.2) / 1.5, (0.2 + 0.3) / 1.5))


def test_grey_and_three_channels_take_the_network_as_it_is(leaves):
    (one, grey), (three, colour) = (
        load_backbone("tiny_resnet", leaves, channels=channels) for channels in (1, 3)
    )
    assert grey == colour == Normalisation((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    for a, b in zip(one.parameters(), three.parameters(), strict=True):
        assert torch.equal(a, b)


def test_random_weights_are_drawn_for_the_channels_there_are():
    """As Keras would draw them: the more inputs, the smaller."""
    torch.manual_seed(1)
    backbone, normalisation = load_backbone("cbr_tiny", None, SIDE, channels=6)
    weight = backbone.blocks[0][0].weight
    assert weight.shape[1] == 6
    limit = (6 / ((6 + 32) * 25)) ** 0.5
    assert 0.98 * limit < weight.abs().max() <= limit
    assert normalisation == Normalisation((0.5,) * 6, (0.25,) * 6)
    fresh = fresh_backbone("cbr_tiny", None, SIDE, channels=6)
    assert fresh.blocks[0][0].weight.shape == weight.shape


@pytest.mark.parametrize("arch", ARCHITECTURES.names())
def test_every_architecture_takes_six_channels(arch):
    """Both ways: built for them, and with the filters of three spread; on the meta device."""
    image = torch.empty(2, 6, SIDE, SIDE, device="meta")
    with torch.device("meta"):
        built = fresh_network(arch, channels=6)
        spread = fresh_network(arch)
        stems.widen(spread, 6)
    shapes = [{name: t.shape for name, t in each.state_dict().items()} for each in (built, spread)]
    assert shapes[0] == shapes[1]
    backbone = truncate(arch, set_input_size(spread, SIDE).to("meta")).eval()
    assert backbone(image).shape == (2, backbone.num_features)


@pytest.mark.parametrize("builder", [name for name in NETWORKS.names() if "keras" in name])
def test_the_networks_of_keras_take_six_channels(builder):
    with torch.device("meta"):
        network = build_network({"builder": builder}, channels=6).eval()
    assert network(torch.empty(1, 6, SIDE, SIDE, device="meta")).shape[0] == 1


def test_a_builder_of_ones_own_may_know_three_channels_only(monkeypatch):
    mine = {"mine": lambda width=4: torch.nn.Conv2d(3, width, 3)}
    monkeypatch.setattr(NETWORKS, "_entries", mine)
    assert build_network({"builder": "mine", "width": 8}).out_channels == 8
    with pytest.raises(SourceBenchError, match=r"'mine' is built for images of three.* 6"):
        build_network({"builder": "mine"}, channels=6)


def test_networks_that_say_their_channels_are_taken_if_these_are_three():
    """timm's hub has repositories that do, and so have cards of weights made from them."""
    said = {"builder": "timm", "name": "resnet18", "in_chans": 3}
    assert build_network(said, 6).conv1.in_channels == 6
    with pytest.raises(SourceBenchError, match=r"images of 1 channels \(in_chans\); only"):
        build_network({**said, "in_chans": 1})


def test_weights_without_filters_for_three_colours_are_not_spread():
    with pytest.raises(SourceBenchError, match="whose first convolution takes three"):
        stems.widen(torch.nn.Conv2d(1, 2, 3), 6)
