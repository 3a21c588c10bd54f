"""What weights come in: archives, folders of Hugging Face, Lightning's checkpoints, TorchScript."""

import argparse
import functools
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
import pytorch_lightning as lightning
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from archive_server import entry as member
from archive_server import pack
from conftest import merged
from sourcebench.errors import SourceBenchError
from sourcebench.models import build_backbone
from sourcebench.sources.formats import checkpoints
from sourcebench.sources.weights import load_backbone, write_weights

pytest_plugins = ["archive_server"]

ARCH = "tiny_resnet"
ENTRY = {"kind": "file", "mean": 0.5, "std": 0.25}
RADIOLOGYNET = merged({})["sources"]["radiologynet"]


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(3)
    return build_backbone(ARCH).state_dict()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert(entry, arch=ARCH):
    write_weights("mine", entry, arch, "weights.safetensors", seed=1, threads=1)
    return json.loads(Path("weights.json").read_text())


def assert_loads(state, arch=ARCH):
    loaded = load_backbone(arch, "weights.safetensors")[0].state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())


def saved(content, **options):
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def radiologynet(arch):
    """A checkpoint as RadiologyNET's code makes it, and torchvision's network within it."""
    options = {"init_weights": False} if arch == "inception_v3" else {}
    network = getattr(torchvision.models, arch)(weights=None, **options)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, 0, 0.2)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    whole = nn.Module()
    if arch == "densenet121":  # under two names
        whole.features, whole.classifier = network.features, network.classifier
    whole.model = network
    content = {"epoch": 7, "model_state": whole.state_dict(), "optimizer_state": {"state": {}}}
    last = [name for name, _ in network.named_children()][-1]
    setattr(network, last, nn.Identity())
    return content, network.eval()


@pytest.mark.parametrize("arch", ["resnet18", "inception_v3", "densenet121"])
@torch.no_grad()
def test_radiologynet_from_its_archive(here, site, arch):
    torch.manual_seed(1)
    content, network = radiologynet(arch)
    name = RADIOLOGYNET["urls"][arch].rpartition("/")[2]
    archive = pack(
        member(name.removesuffix(".tar.gz"), kind=tarfile.DIRTYPE),
        member("weights/notes.txt", content=b"trained on many images"),
        member("weights/._network.pth", content=b"of a Mac"),
        member("weights/network.pth", content=saved(content)),
        level=0,
    )
    site.files[name] = archive
    entry = {**RADIOLOGYNET, "urls": {arch: f"{site.url}/{name}"}}
    card = convert(entry, arch)
    backbone, normalisation = load_backbone(arch, "weights.safetensors")
    assert normalisation.mean == (0.485, 0.456, 0.406)
    images = nn.functional.interpolate(torch.randn(2, 3, 5, 5), 107)
    theirs = network(images)
    theirs = getattr(theirs, "logits", theirs)
    assert (backbone.eval()(images) - theirs).abs().max() < 1e-5 * theirs.abs().max()
    assert card["sha256"] == hashlib.sha256(archive).hexdigest()
    assert [path.name for path in Path("resources/downloads/mine").iterdir()] == [name]


def test_an_archive_of_none_or_several_files_of_weights_is_refused(here, state):
    content = saved(state)
    one, two = (member(f"{name}.pth", content=content) for name in ("one", "two"))
    link = member("linked.pth", kind=tarfile.SYMTYPE, link="/etc/passwd")
    outside = member("../../outside.pth", content=content)
    entry = ENTRY | {"path": "mine.tar.gz"}
    for entries, found in [
        ((one, two), r"2 files of weights.*\(one\.pth, two\.pth\)"),
        ((link, outside), r"0 files of weights.*\(none\)"),
    ]:
        Path("mine.tar.gz").write_bytes(pack(*entries))
        with pytest.raises(SourceBenchError, match=found):
            convert(entry)
    Path("mine.tar.gz").write_bytes(pack(link, outside, one))
    convert(entry)
    assert_loads(state)
    assert sorted(path.name for path in here.rglob("*.pth")) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>moved</html>", "truncated", gzip.compress(b"x")],
    ids=["empty", "page", "truncated", "no tar"],  # gzip's bytes hold the time of the collection
)
def test_a_broken_archive_is_one_sentence(here, state, content):
    whole = pack(member("one.pth", content=saved(state)))
    content = whole[: len(whole) // 2] if content == "truncated" else content
    Path("mine.tar.gz").write_bytes(content)
    with pytest.raises(SourceBenchError, match=r"mine\.tar\.gz (is no whole archive|holds 0)"):
        convert(ENTRY | {"path": "mine.tar.gz"})
    assert [path.name for path in here.iterdir()] == ["mine.tar.gz"]


def test_a_url_without_a_checksum_is_taken_and_its_own_is_told(here, site, state, capsys):
    content = saved(state)
    site.files["tiny.pth"] = content
    entry = ENTRY | {"kind": "url", "urls": {ARCH: f"{site.url}/tiny.pth"}}
    card = convert(entry)
    assert_loads(state)
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["sha256"] in capsys.readouterr().out
    convert(entry)
    assert len(site.requests) == 1
    with pytest.raises(SourceBenchError, match=r"tiny\.pth is not the file"):
        convert(entry | {"sha256": {ARCH: "0" * 64}})


def sharded(state, folder, stem, save):
    """Cut a state into two files and an index, as `save_pretrained` does."""
    ending = ".safetensors" if save is save_file else ".bin"
    names, where = list(state), {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"{stem}-{number:05d}-of-00002{ending}"
        save({name: state[name] for name in part}, folder / file)
        where |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 1}, "weight_map": where}
    (folder / f"{stem}{ending}.index.json").write_text(json.dumps(index))
    return sorted(set(where.values()))


@pytest.mark.parametrize(
    ("stem", "save"), [("model", save_file), ("pytorch_model", torch.save)], ids=["safe", "bin"]
)
def test_a_folder_of_hugging_face(here, state, stem, save):
    folder = here / "saved"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    entry = ENTRY | {"path": "saved"}
    with pytest.raises(SourceBenchError, match=r"looked for .*saved/model\.safetensors or .*Put"):
        convert(entry)
    files = sharded(state, folder, stem, save)
    card = convert(entry)
    assert_loads(state)
    assert card["origin"]["path"].endswith(".index.json")
    joined = b"".join((folder / file).read_bytes() for file in files)
    assert card["sha256"] == hashlib.sha256(joined).hexdigest()
    (folder / files[1]).unlink()
    with pytest.raises(SourceBenchError, match=rf"names 2 files, of which {files[1]} is not there"):
        convert(entry)
    save_file({name: tensor + 1 for name, tensor in state.items()}, folder / "model.safetensors")
    assert convert(entry)["origin"]["path"] == "saved/model.safetensors"


@pytest.mark.parametrize(
    "index",
    [
        "[]",
        "{}",
        '{"weight_map": {}}',
        '{"weight_map": {"a": "../x.bin"}}',
        "{",
        '{"weight_map": 3}',
    ],
)
def test_a_wrong_index_is_one_sentence(here, index):
    Path("saved").mkdir()
    Path("saved/model.safetensors.index.json").write_text(index)
    with pytest.raises(SourceBenchError, match=r"index\.json (is no index|names files outside)"):
        convert(ENTRY | {"path": "saved"})


class Trained(lightning.LightningModule):
    """A user's module: a backbone, a head, and hyperparameters of any kind."""

    def __init__(self, backbone, hparams):
        super().__init__()
        self.backbone, self.head = backbone, nn.Linear(128, 3)
        self.save_hyperparameters(hparams)


@pytest.mark.parametrize(
    "hparams",
    [
        {"lr": 1e-3},
        {"root": Path("/data"), "schedule": functools.partial(max, 3)},
        {"args": argparse.Namespace(lr=1), "dtype": torch.float16, "odd": {1, 2}},
        {"network": nn.Linear(2, 2)},
    ],
    ids=["plain", "objects", "namespace", "module"],
)
def test_a_checkpoint_of_lightning(here, hparams):
    torch.manual_seed(4)
    module = Trained(build_backbone(ARCH), hparams)
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.strategy.connect(module)
    trainer.save_checkpoint("last.ckpt")
    convert(ENTRY | {"path": "last.ckpt", "rename": {"head.": None}})
    assert_loads(module.backbone.state_dict())


class Calls:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def test_what_a_checkpoint_of_lightning_wants_to_run_is_not_run(here, state):
    target = here / "executed"
    content = {"state_dict": state, "hyper_parameters": {"x": Calls(open, str(target), "w")}}
    torch.save(content, "last.ckpt")
    convert(ENTRY | {"path": "last.ckpt"})
    assert_loads(state)
    assert not target.exists()
    Path("last.ckpt").rename("last.pth")  # elsewhere such things are none of a network's
    with pytest.raises(SourceBenchError, match=r"was not loaded.*asks for"):
        convert(ENTRY | {"path": "last.pth"})


def test_torchscript_is_called_by_its_name(here):
    program = torch.jit.trace(build_backbone(ARCH).eval(), torch.zeros(1, 3, 32, 32))
    program.save("traced.pt")
    with pytest.raises(SourceBenchError, match=r"traced\.pt is a TorchScript archive.*state_dict"):
        checkpoints.read(Path("traced.pt"))


def test_numbers_of_numpy_beside_a_state_dict_do_no_harm(here, state):
    import numpy as np

    torch.save(
        {"model_state": state, "best": np.float64(0.3), "args": argparse.Namespace(a=1)}, "n.pth"
    )
    convert(ENTRY | {"path": "n.pth"})
    assert_loads(state)


def test_the_own_copy_goes_before_the_hubs(here, state, monkeypatch):
    import huggingface_hub

    asked = []
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *what, **_: asked.append(what))
    entry = ENTRY | {"kind": "hub", "repo": "some/one", "path": "own", "files": {ARCH: "Tiny.pt"}}
    Path("own").mkdir()
    torch.save(state, "own/Tiny.pt")
    assert convert(entry)["origin"] == {"path": "own/Tiny.pt"}
    assert_loads(state)
    assert not asked


def test_a_file_of_a_source_has_a_normalisation_of_its_own(here, state):
    caffe = {"mean": [103.939, 116.779, 123.68], "std": 255, "range": [0, 255], "channels": "BGR"}
    entry = ENTRY | {
        "path": ".",
        "files": {ARCH: ["one.pt", "two.pt"]},
        "per_arch": {ARCH: {"input_size": 96}},
        "per_file": {"two.pt": caffe},
    }
    torch.save(state, "two.pt")
    card = convert(entry)
    # In RGB, for images in [0, 1]: (BGR - mean) / 255 is (x - mean / 255) / 1.
    assert card["mean"] == pytest.approx([123.68 / 255, 116.779 / 255, 103.939 / 255])
    assert (card["std"], card["input_size"]) == ([1, 1, 1], 96)
    stem = load_backbone(ARCH, "weights.safetensors")[0].state_dict()["stem.0.weight"]
    assert torch.equal(stem, state["stem.0.weight"].flip(1))
    torch.save(state, "one.pt")
    assert convert(entry)["mean"] == [0.5, 0.5, 0.5]
