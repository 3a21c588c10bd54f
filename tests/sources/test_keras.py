"""Keras' weights: the converted network computes what Keras computes, and bad files are refused."""

import os
import shutil
import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from conftest import merged
from sourcebench.errors import SourceBenchError
from sourcebench.models import build_network
from sourcebench.sources import KINDS
from sourcebench.sources.formats.keras_h5 import convert, read

NETWORKS = {
    "resnet50": "ResNet50",
    "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
    "densenet121": "DenseNet121",
}
TIMMS_OWN = {arch: {"builder": "timm", "name": arch} for arch in NETWORKS}


def draw(variable, rng):
    """Values for a variable, away from what it starts with, that keep activations near 1."""
    kind, shape = variable.path.rpartition("/")[2], variable.shape
    if kind == "kernel":
        return rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)
    low, high = {"gamma": (0.5, 1.3), "moving_variance": (0.5, 2)}.get(kind, (-0.5, 0.5))
    return rng.uniform(low, high, shape)


@pytest.fixture(scope="module")
def networks(keras, tmp_path_factory):
    """Each network in Keras, with random weights and statistics, and saved as Keras 2 did."""
    folder = tmp_path_factory.mktemp("keras")
    made = {}
    for seed, (arch, name) in enumerate(NETWORKS.items()):
        rng = np.random.default_rng(seed)
        model = getattr(keras.applications, name)(
            weights=None, include_top=False, pooling="avg", input_shape=(None, None, 3)
        )
        for variable in model.weights:
            variable.assign(draw(variable, rng).astype(np.float32))
        path = folder / f"{arch}.h5"
        model.save(path)
        made[arch] = SimpleNamespace(model=model, path=path)
    return made


def load(network, tensors):
    backbone = build_network(network).eval()
    backbone.load_state_dict(tensors)
    return backbone


def relative_difference(backbone, model, size):
    """The largest difference between the features, over the largest feature."""
    rng = np.random.default_rng(size)
    # Coarse noise: pooled features of fine noise would hardly depend on the image.
    images = rng.normal(0, 1, (2, 5, 5, 3)).repeat(size // 5 + 1, 1).repeat(size // 5 + 1, 2)
    images = images[:, :size, :size].astype(np.float32)
    with torch.no_grad():
        theirs = model(images).numpy()
        ours = backbone(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    assert ours.shape == theirs.shape == (2, backbone.num_features)
    assert np.abs(theirs[0] - theirs[1]).max() > 1e-3 * np.abs(theirs).max()
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("arch", NETWORKS)
def test_the_converted_network_computes_what_keras_computes(networks, arch):
    keras_network = networks[arch]
    tensors, network = convert(keras_network.path, arch)
    backbone = load(network, tensors)
    for size in (75, 128):
        assert relative_difference(backbone, keras_network.model, size) < 5e-6
    theirs = {layer.epsilon for layer in keras_network.model.layers if hasattr(layer, "epsilon")}
    ours = {norm.eps for norm in backbone.modules() if isinstance(norm, nn.BatchNorm2d)}
    assert ours == theirs


@pytest.mark.parametrize("arch", ["resnet50", "inception_v3"])
def test_timms_own_network_would_compute_something_else(networks, arch):
    tensors, network = convert(networks[arch].path, arch)
    assert network != TIMMS_OWN[arch]
    assert relative_difference(load(TIMMS_OWN[arch], tensors), networks[arch].model, 139) > 1e-2


def test_numbers_go_on_counting_through_a_session(networks):
    # The fixture made InceptionV3 first, so that a file's own numbers start anywhere.
    assert "conv2d_94" in read(networks["inception_resnet_v2"].path)
    assert "conv2d" not in read(networks["inception_resnet_v2"].path)


def write_as_keras_2(path, model, *, under="/", as_text=bytes.decode, dtype="float32", parts=1):
    """Write weights as tf.keras 2 did: names with ':0', slashes in DenseNet's first layers."""
    with h5py.File(path, "w") as file:
        group = file.require_group(under)
        names = []
        for layer in model.layers:
            name = (
                layer.name.replace("conv1_", "conv1/") if "block" not in layer.name else layer.name
            )
            names.append(as_text(name.encode()))
            weights = {
                f"{name}/{variable.path.rpartition('/')[2]}:0": variable.numpy()
                for variable in layer.weights
            }
            own = group.create_group(name)
            own.attrs["weight_names"] = [as_text(weight.encode()) for weight in weights]
            for weight, array in weights.items():
                own.create_dataset(weight, data=array.astype(dtype))
        if parts == 1:
            group.attrs["layer_names"] = names
        for part in range(parts if parts > 1 else 0):
            group.attrs[f"layer_names{part}"] = names[part::parts]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"under": "model_weights", "as_text": bytes},
        {"dtype": "float64", "parts": 3},
        {"dtype": "float16"},
    ],
)
def test_keras_2_files_are_read_in_all_their_forms(networks, tmp_path, options):
    write_as_keras_2(tmp_path / "two.hdf5", networks["densenet121"].model, **options)
    tensors, _ = convert(tmp_path / "two.hdf5", "densenet121")
    expected, _ = convert(networks["densenet121"].path, "densenet121")
    assert list(tensors) == list(expected)
    for name, tensor in expected.items():
        if options.get("dtype") == "float16" and tensor.is_floating_point():
            tensor = tensor.half().float()
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


@pytest.mark.parametrize("arch", ["resnet50", "inception_v3"])
def test_keras_3_files_of_weights_are_read_as_well(networks, tmp_path, arch):
    networks[arch].model.save_weights(tmp_path / "three.weights.h5")
    tensors, _ = convert(tmp_path / "three.weights.h5", arch)
    expected, _ = convert(networks[arch].path, arch)
    assert all(torch.equal(tensors[name], tensor) for name, tensor in expected.items())


def test_keras_is_not_needed(networks, monkeypatch):
    for package in ("keras", "tensorflow"):
        monkeypatch.setitem(sys.modules, package, None)  # importing it fails
    assert convert(networks["densenet121"].path, "densenet121")[1]["builder"] == "keras_densenet121"


def test_code_in_a_file_is_not_executed(keras, tmp_path):
    executed, path = tmp_path / "executed", tmp_path / "lambda.h5"

    def touch(images, file=str(executed)):
        os.close(os.open(file, os.O_CREAT))
        return images

    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Lambda(touch)]
    keras.Sequential(layers).save(path)
    executed.unlink()
    assert [list(arrays) for arrays in read(path).values()] == [["kernel", "bias"]]
    with pytest.raises(SourceBenchError, match="does not hold the 106 layers"):
        convert(path, "resnet50")
    assert not executed.exists()


@pytest.fixture
def damaged(networks, tmp_path):
    """A copy of DenseNet121's file, for a test to damage."""
    return shutil.copy(networks["densenet121"].path, tmp_path / "weights.h5")


def refusal(path, arch="densenet121"):
    with pytest.raises(SourceBenchError) as error:
        convert(path, arch)
    message = str(error.value)
    assert "weights.h5" in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("content", ["empty", "half", "text", "no layers"])
def test_a_broken_file_is_one_sentence(damaged, content):
    whole = damaged.read_bytes()
    if content == "no layers":
        h5py.File(damaged, "w").close()
    else:
        half = whole[: len(whole) // 2]
        damaged.write_bytes({"empty": b"", "half": half, "text": b"<html>\n" * 99}[content])
    assert "truncated or of another format" in refusal(damaged)
    damaged.unlink()
    assert "it is missing" in refusal(damaged)


def test_another_network_is_refused(damaged):
    message = refusal(damaged, "inception_v3")
    assert "does not hold the 188 layers of Keras' 'inception_v3' without its top" in message
    assert "Missing: 188 (conv2d, batch_normalization, conv2d_1, …)" in message
    assert "unexpected: 241 (conv1_conv, conv1_bn, conv2_block1_0_bn, …)" in message
    with pytest.raises(SourceBenchError, match=r"'tiny_resnet'.*; there are: resnet50, inception"):
        convert(damaged, "tiny_resnet")


def test_a_missing_layer_is_named(damaged):
    with h5py.File(damaged, "r+") as file:
        group = file["model_weights"]
        names = group.attrs["layer_names"]
        group.attrs["layer_names"] = [name for name in names if name != "conv4_block7_1_bn"]
    assert "Missing: 1 (conv4_block7_1_bn); unexpected: none." in refusal(damaged)


def test_another_shape_is_named(damaged):
    with h5py.File(damaged, "r+") as file:
        layer = file["model_weights/conv1_conv"]
        del layer["conv1_conv/kernel"]
        layer["conv1_conv/kernel"] = np.zeros((7, 7, 1, 64), np.float32)
    assert "features.conv0.weight (64×1×7×7 instead of 64×3×7×7)" in refusal(damaged)


def test_a_classifier_is_named(networks, keras, tmp_path):
    model = networks["densenet121"].model
    top = keras.layers.Dense(5, name="predictions")(model.output)
    keras.Model(model.input, top).save(tmp_path / "weights.h5")
    message = refusal(tmp_path / "weights.h5")
    assert "a classifier beside the network ('predictions')" in message
    assert "include_top=False" in message


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5"])
def test_a_network_in_a_network_is_named(networks, keras, tmp_path, suffix):
    model = networks["densenet121"].model
    whole = keras.Sequential([keras.Input((64, 64, 3)), model])
    path = tmp_path / f"weights.h5{suffix}"
    (whole.save if suffix == ".h5" else whole.save_weights)(path)
    assert "holds a network within the network" in refusal(path)


def external_file(layer, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64 * 4))
    return layer.create_dataset("new", (64,), "f4", external=[(tmp_path / "secret", 0, 64 * 4)])


def virtual(layer, tmp_path):
    layout = h5py.VirtualLayout((64,), "f4")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "data", (64,))
    return layer.create_virtual_dataset("new", layout)


def linked(layer, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["data"] = np.zeros(64, np.float32)
    layer["new"] = h5py.ExternalLink(tmp_path / "other.h5", "/data")


def objects(layer, tmp_path):
    layer["new"] = ["text"] * 64


def enormous(layer, tmp_path):
    layer.create_dataset("new", (2**40,), "f4", chunks=(2**20,))


@pytest.mark.parametrize("put", [external_file, virtual, linked, objects, enormous])
def test_what_is_no_plain_array_of_the_file_is_not_loaded(damaged, tmp_path, put):
    with h5py.File(damaged, "r+") as file:
        layer = file["model_weights/conv1_bn"]
        put(layer, tmp_path)
        layer.attrs["weight_names"] = ["gamma", "beta", "new"]
        layer["gamma"] = layer["beta"] = np.zeros(64, np.float32)
    assert "was not loaded" in refusal(damaged)


def test_radimagenets_files_are_fed_as_their_code_does(keras):
    """Keras' ImageDataGenerator calls `preprocess_input` (caffe), then multiplies by 1/255."""
    entry = merged({})["sources"]["radimagenet_keras"]
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    generator = keras.src.legacy.preprocessing.image.ImageDataGenerator(
        rescale=1 / 255, preprocessing_function=keras.applications.imagenet_utils.preprocess_input
    )
    bgr = generator.standardize(np.repeat(grey[0, ..., None], 3, -1).astype(np.float32))
    grey = torch.from_numpy(grey)[..., None]
    ours = KINDS.from_entry(entry).normalisation(grey)[0].permute(1, 2, 0)
    np.testing.assert_allclose(ours.numpy(), bgr[..., ::-1], atol=1e-6)
