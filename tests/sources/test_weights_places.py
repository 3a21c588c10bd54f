"""Where weights are had from: a folder, the web, the Hugging Face hub, timm."""

import functools
import hashlib
import io
import json
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import timm
import torch
import yaml
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from safetensors.torch import save_file

from conftest import ROOT
from sourcebench.errors import SourceBenchError
from sourcebench.models import ARCHITECTURES, build_backbone
from sourcebench.sources import KINDS, Normalisation
from sourcebench.sources.hub import cached
from sourcebench.sources.weights import load_backbone, write_weights

pytest_plugins = ["archive_server"]

ARCH = "tiny_resnet"
GREY = {"mean": 0.5, "std": 0.25}
SMALL = {"depth": 1, "embed_dim": 32, "num_heads": 4, "img_size": 32}


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(3)
    return build_backbone(ARCH).state_dict()


@pytest.fixture(scope="module")
def checkpoint(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert(entry, arch=ARCH):
    path = Path("weights.safetensors")
    write_weights("mine", entry, arch, path, seed=1, threads=1)
    return json.loads(path.with_suffix(".json").read_text())


def assert_loads(state, arch=ARCH):
    loaded = load_backbone(arch, "weights.safetensors")[0].state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())


def test_the_first_of_a_folders_files_that_is_there(here, state):
    entry = {"kind": "file", "path": "radimagenet", "files": {ARCH: ["First.pt", "Second.pt"]}}
    entry |= GREY | {"help": "Ask for them at the authors'."}
    (here / "radimagenet").mkdir()
    with pytest.raises(SourceBenchError) as refusal:
        convert(entry)
    for wanted in ("radimagenet/First.pt or ", "radimagenet/Second.pt.", "Ask for them"):
        assert wanted in str(refusal.value)
    torch.save(state, here / "radimagenet" / "Second.pt")
    assert convert(entry)["origin"] == {"path": "radimagenet/Second.pt"}
    torch.save({name: tensor + 1 for name, tensor in state.items()}, "radimagenet/First.pt")
    assert convert(entry)["origin"] == {"path": "radimagenet/First.pt"}
    assert KINDS.from_entry(entry).covers == (ARCH,)


def web(site, content, digest=None):
    site.files["some/file.pth"] = content
    digest = digest or hashlib.sha256(content).hexdigest()
    url = f"{site.url}/some/file.pth?raw=true"
    return {"kind": "url", "urls": {ARCH: url}, "sha256": {ARCH: digest}} | GREY


def serve_queries(site):
    """Let the server have its files under addresses with a query, too."""
    site.files |= {f"{name}?raw=true": content for name, content in site.files.items()}


def test_a_file_on_the_web_is_fetched_once_and_kept(here, site, state, checkpoint):
    entry = web(site, checkpoint)
    serve_queries(site)
    card = convert(entry)
    assert_loads(state)
    assert card["origin"] == {"url": entry["urls"][ARCH]}
    assert card["sha256"] == entry["sha256"][ARCH]
    assert [path.name for path in (here / "resources/downloads/mine").iterdir()] == ["file.pth"]
    convert(entry)
    assert len(site.requests) == 1


def test_a_download_goes_on_where_it_stopped(here, site, state, checkpoint):
    entry = web(site, checkpoint)
    serve_queries(site)
    folder = here / "resources" / "downloads" / "mine"
    folder.mkdir(parents=True)
    (folder / "file.pth.part").write_bytes(checkpoint[:1000])
    memory = {"url": entry["urls"][ARCH], "size": len(checkpoint), "version": '"one"'}
    (folder / "file.pth.part.json").write_text(json.dumps(memory))
    convert(entry)
    assert_loads(state)
    assert [wish for _, wish in site.requests] == ["bytes=1000-"]


def test_another_file_on_the_web_is_deleted(here, site, checkpoint):
    entry = web(site, checkpoint, digest="0" * 64)
    serve_queries(site)
    with pytest.raises(SourceBenchError, match=r"file\.pth.*announces.*deleted"):
        convert(entry)
    assert not list((here / "resources/downloads/mine").iterdir())
    entry = {**entry, "sha256": {"resnet50": "0" * 64}}
    with pytest.raises(SourceBenchError, match=r"sources\.mine\.sha256 has no checksum for"):
        convert(entry)


HUB = {"kind": "hub", "repo": "someone/network", "files": {ARCH: "model.safetensors"}} | GREY


def test_a_file_on_the_hub(here, state, monkeypatch):
    folder = here / "snapshots" / "c0ffee"
    folder.mkdir(parents=True)
    save_file(state, folder / "model.safetensors")
    asked = []

    def download(*where, **options):
        asked.append((*where, options))
        return str(folder / where[1])

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    card = convert(HUB | {"revision": "c0ffee", "licence": "MIT", "gated": True, "input_size": 96})
    assert_loads(state)
    assert asked == [("someone/network", "model.safetensors", {"revision": "c0ffee"})]
    expected = {"repo": "someone/network", "file": "model.safetensors", "commit": "c0ffee"}
    assert (card["origin"], card["gated"], card["input_size"]) == (expected, True, 96)


def failing(error, status):
    response = SimpleNamespace(status_code=status, headers={}, request=None)

    def refuse(*_, **__):
        raise error("refused", response=response)

    return refuse


@pytest.mark.parametrize(
    ("error", "status", "gated", "sentence"),
    [
        (GatedRepoError, 403, False, r"licence.*https://huggingface\.co/someone/network.*hf auth"),
        (RepositoryNotFoundError, 401, True, r"licence accepted first.*hf auth login"),
        (RepositoryNotFoundError, 401, False, r"has no 'someone/network'.*status 401"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(here, monkeypatch, error, status, gated, sentence):
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", failing(error, status))
    with pytest.raises(SourceBenchError, match=sentence):
        convert(HUB | {"gated": gated})
    monkeypatch.setattr(timm, "create_model", failing(error, status))
    tags = {ARCH: "hf-hub:someone/network@main"}
    with pytest.raises(SourceBenchError, match=sentence):
        convert({"kind": "timm", "tags": tags, "gated": gated})
    assert not list(here.glob("weights*"))


def snapshot(folder, network, **options):
    """A copy of a hub repository that was made with timm."""
    model = timm.create_model(network, num_classes=3, **options)
    folder.mkdir()
    save_file(model.state_dict(), folder / "model.safetensors")
    facts = {"input_size": [3, 32, 32], "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    facts |= {"num_classes": 3, "classifier": "head", "license": "cc0", "first_conv": "patch_embed"}
    config = {"architecture": network, "num_classes": 3, "pretrained_cfg": facts}
    (folder / "config.json").write_text(json.dumps(config | {"model_args": options}))
    return model.eval()


@torch.no_grad()
def test_a_copy_of_a_repository_made_with_timm(here):
    torch.manual_seed(2)
    published = snapshot(here / "copy", "vit_small_patch16_224", **SMALL)
    card = convert({"kind": "timm", "tags": {"vit_small": "local-dir:copy"}}, "vit_small")
    expected = {"builder": "timm", "name": "vit_small_patch16_224", **SMALL}
    assert (card["network"], card["input_size"], card["licence"]) == (expected, 32, "cc0")
    backbone, normalisation = load_backbone("vit_small", "weights.safetensors")
    assert normalisation == Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    images = torch.randn(2, 3, 32, 32)
    features = published.forward_head(published.forward_features(images), pre_logits=True)
    assert torch.equal(backbone.eval()(images), features)


def test_what_timm_cannot_load_is_one_sentence(here):
    with pytest.raises(SourceBenchError, match=r"no .*nowhere/config\.json.*made with timm"):
        convert({"kind": "timm", "tags": {"vit_small": "local-dir:nowhere"}}, "vit_small")
    (here / "other").mkdir()
    (here / "other" / "config.json").write_text('{"model_type": "dinov2", "hidden_size": 768}')
    with pytest.raises(SourceBenchError, match=r"can't load 'local-dir:other'.*kind 'hub'"):
        convert({"kind": "timm", "tags": {"vit_small": "local-dir:other"}}, "vit_small")
    snapshot(here / "copy", "vit_small_patch16_224", **SMALL)
    with pytest.raises(SourceBenchError, match=r"'vit_small_patch16_224', which is no 'resnet50'"):
        convert({"kind": "timm", "tags": {"resnet50": "local-dir:copy"}}, "resnet50")
    snapshot(here / "grey", "vit_small_patch16_224", in_chans=1, **SMALL)
    with pytest.raises(SourceBenchError, match=r"images of 1 channels.*`channels`"):
        convert({"kind": "timm", "tags": {"vit_small": "local-dir:grey"}}, "vit_small")


@torch.no_grad()
def test_another_network_of_the_family_at_another_input_size(here, monkeypatch):
    name = "vit_small_patch14_dinov2"
    create = timm.create_model
    torch.manual_seed(4)
    save_file(create(name, depth=1).state_dict(), "hub.safetensors")
    local = functools.partial(create, depth=1, pretrained_cfg_overlay={"file": "hub.safetensors"})
    with monkeypatch.context() as patch:
        patch.setattr(timm, "create_model", local)
        tags = {"vit_small": f"{name}.lvd142m"}
        card = convert({"kind": "timm", "tags": tags}, "vit_small")
    assert card["network"] == {"builder": "timm", "name": name, "depth": 1}
    assert (card["input_size"], card["licence"]) == (518, "apache-2.0")
    backbone, _ = load_backbone("vit_small", "weights.safetensors", 224)
    reference = local(f"{name}.lvd142m", pretrained=True, img_size=224, num_classes=0).eval()
    images = torch.randn(1, 3, 224, 224)
    torch.testing.assert_close(backbone.eval()(images), reference(images))


def test_a_truncated_network_takes_its_parents_weights(here):
    torch.manual_seed(9)
    parent = build_backbone("resnet50")
    torch.save(parent.state_dict(), "resnet50.pth")
    entry = {"kind": "file", "path": "{arch}.pth", "archs": ["resnet50"]} | GREY
    assert convert(entry, "resnet50_t1")["arch"] == "resnet50"
    truncated, _ = load_backbone("resnet50_t1", "weights.safetensors")
    kept = truncated.state_dict()
    assert len(kept) < len(parent.state_dict())
    assert all(torch.equal(tensor, parent.state_dict()[name]) for name, tensor in kept.items())


def sources():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return config["sources"].items()


@pytest.mark.parametrize(("name", "entry"), sources())
def test_the_sources_of_the_config(name, entry):
    supplier = KINDS.from_entry(entry, f"sources.{name}")
    assert set(supplier.covers or ()) <= set(ARCHITECTURES.names())
    for arch, tag in entry.get("tags", {}).items():
        assert timm.is_model_pretrained(tag), tag
        assert tag.startswith((arch, ARCHITECTURES.get(arch).network["name"])), tag
    for arch, network in entry.get("networks", {}).items():
        assert network["name"].startswith(arch)
        assert timm.is_model(network["name"])
    if entry["kind"] in ("file", "hub", "url"):  # of timm's own, timm knows the licence
        assert {"licence", "citation"} <= set(entry)


def test_the_file_that_the_hub_handed_out_is_known(tmp_path, monkeypatch):
    """The hub's cache as its client lays it out: refs name a commit, snapshots hold its files."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert cached("timm/some.net") is None
    repository = tmp_path / "models--timm--some.net"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("c0ffee")
    snapshot = repository / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    (snapshot / "pytorch_model.bin").write_bytes(b"old")
    assert cached("timm/some.net").name == "pytorch_model.bin"
    (snapshot / "model.safetensors").write_bytes(b"new")
    found = cached("timm/some.net")
    assert (found.name, found.parent.name) == ("model.safetensors", "c0ffee")
