"""Sources: reading, fitting and refusing checkpoints; timm; cards."""

import functools
import hashlib
import io
import json

import pytest
import timm
import torch
from safetensors.torch import save_file

from sourcebench.errors import SourceBenchError
from sourcebench.models import build_backbone
from sourcebench.sources import KINDS, Normalisation
from sourcebench.sources.weights import load_backbone, write_weights

ARCH = "tiny_resnet"
FILE = {"kind": "file", "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(3)
    return build_backbone(ARCH).state_dict()


def write(tmp_path, content, entry=None, suffix=".pth", arch=ARCH):
    """Write a checkpoint, make a source of it, and return what `write_weights` wrote."""
    checkpoint = tmp_path / f"checkpoint{suffix}"
    if suffix == ".safetensors":
        save_file(content, checkpoint)
    else:
        torch.save(content, checkpoint)
    path = tmp_path / "weights.safetensors"
    entry = FILE | {"path": str(checkpoint)} | (entry or {})
    write_weights("mine", entry, arch, path, seed=1, threads=1)
    return path


def assert_holds(path, state):
    backbone, _ = load_backbone(ARCH, path)
    loaded = backbone.state_dict()
    assert list(loaded) == list(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def prefixed(state, prefix):
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".bin"])
def test_a_checkpoint_comes_through_unchanged(tmp_path, state, suffix):
    assert_holds(write(tmp_path, state, suffix=suffix), state)


@pytest.mark.parametrize("prefix", ["module.", "model.", "encoder.net.", "anything.you.like."])
def test_prefixes_wrappers_and_heads_are_taken_off(tmp_path, state, prefix):
    head = {"fc.weight": torch.zeros(7, 128), "fc.bias": torch.zeros(7)}
    content = {"state_dict": prefixed(state | head, prefix), "epoch": 90}
    assert_holds(write(tmp_path, content), state)


def test_a_lightning_style_head_beside_the_backbone_is_dropped(tmp_path, state):
    content = {"model": prefixed(state, "backbone.") | {"classifier.weight": torch.zeros(2, 128)}}
    assert_holds(write(tmp_path, content), state)


def test_names_are_renamed_per_architecture(tmp_path):
    torch.manual_seed(5)
    network = build_backbone("resnet50")
    # The layout of RadImageNet's files: a network's children, numbered.
    numbers = {name: str(number) for number, (name, _) in enumerate(network.named_children())}
    content = {
        f"backbone.{numbers[name.split('.')[0]]}.{name.split('.', 1)[1]}": tensor
        for name, tensor in network.state_dict().items()
    }
    rename = {f"backbone.{number}.": f"{name}." for name, number in numbers.items()}
    path = write(tmp_path, content, {"rename": {"resnet50": rename}}, arch="resnet50")
    loaded = load_backbone("resnet50", path)[0].state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in network.state_dict().items())


def test_batch_counters_may_be_missing_and_halves_become_floats(tmp_path, state):
    old = {name: tensor.half() for name, tensor in state.items() if "num_batches" not in name}
    backbone, _ = load_backbone(ARCH, write(tmp_path, old))
    assert {weight.dtype for weight in backbone.parameters()} == {torch.float32}


def test_another_architecture_is_refused_with_lists(tmp_path, state):
    other = dict(state)
    tensor = other.pop("blocks.0.first.0.weight")
    other["layer9.weight"] = tensor
    other["stem.0.weight"] = torch.zeros(32, 1, 7, 7)
    with pytest.raises(SourceBenchError) as refusal:
        write(tmp_path, other)
    message = str(refusal.value)
    assert "checkpoint.pth does not fit architecture 'tiny_resnet'" in message
    assert "1 missing: blocks.0.first.0.weight" in message
    assert "1 unexpected: layer9.weight" in message
    assert "1 of another shape: stem.0.weight (32×1×7×7 instead of 32×3×7×7)" in message
    assert not list(tmp_path.glob("*weights*"))


def test_loading_weights_of_another_architecture_is_refused(tmp_path, state):
    path = write(tmp_path, state)
    with pytest.raises(
        SourceBenchError, match=r"weights\.safetensors are those of .*'tiny_resnet', not of 'dense"
    ):
        load_backbone("densenet121", path)


def bytes_of(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", ["empty", "truncated", "text"])
def test_a_broken_file_is_one_sentence(tmp_path, state, suffix, content):
    checkpoint = tmp_path / f"checkpoint{suffix}"
    whole = bytes_of(state)
    checkpoint.write_bytes(
        {"empty": b"", "truncated": whole[: len(whole) // 2], "text": b"not found\n" * 9}[content]
    )
    entry = FILE | {"path": str(checkpoint)}
    with pytest.raises(SourceBenchError, match="checkpoint"):
        write_weights("mine", entry, ARCH, tmp_path / "weights.safetensors", seed=1, threads=1)


def test_a_file_without_tensors_or_of_another_ending_is_refused(tmp_path, state):
    with pytest.raises(SourceBenchError, match="holds no state dict"):
        write(tmp_path, {"epoch": 3})
    with pytest.raises(SourceBenchError, match=r"\.safetensors, \.pth"):
        write(tmp_path, state, suffix=".npz")


def test_a_missing_file_says_where_it_was_looked_for_and_where_to_get_it(tmp_path):
    entry = FILE | {"path": str(tmp_path / "{arch}.pth"), "help": "Ask the authors for it."}
    with pytest.raises(SourceBenchError) as refusal:
        write_weights("mine", entry, ARCH, tmp_path / "w.safetensors", seed=1, threads=1)
    assert str(tmp_path / "tiny_resnet.pth") in str(refusal.value)
    assert str(refusal.value).endswith("Ask the authors for it.")


def test_a_checksum_is_checked(tmp_path, state):
    with pytest.raises(SourceBenchError, match="SHA-256"):
        write(tmp_path, state, {"sha256": "0" * 64})
    checkpoint = tmp_path / "checkpoint.pth"
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert_holds(write(tmp_path, state, {"sha256": {ARCH: digest.upper()}}), state)


def test_a_source_without_the_architecture_says_what_it_has(tmp_path, state):
    with pytest.raises(
        SourceBenchError, match=r"'mine' has no weights for .*'tiny_resnet'.*resnet50"
    ):
        write(tmp_path, state, {"archs": ["resnet50"]})


def test_the_card_travels_with_the_weights(tmp_path, state):
    path = write(tmp_path, state, {"licence": "CC0", "citation": "Nobody 2024"})
    card = json.loads(path.with_suffix(".json").read_text())
    checkpoint = tmp_path / "checkpoint.pth"
    assert card == {
        "source": "mine",
        "kind": "file",
        "arch": ARCH,
        "network": {"builder": "tiny_resnet"},
        "origin": {"path": str(checkpoint)},
        "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "licence": "CC0",
        "citation": "Nobody 2024",
        "gated": False,
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.3, 0.4],
        "input_size": None,
        "parameters": sum(weight.numel() for weight in build_backbone(ARCH).parameters()),
        "flops": card["flops"],
        "flops_at": 224,
    }
    assert 1e8 < card["flops"] < 1e9
    path.with_suffix(".json").unlink()  # the copy inside the file is what counts
    _, normalisation = load_backbone(ARCH, path)
    assert normalisation == Normalisation((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


def test_random_has_no_file_and_follows_the_seed(tmp_path):
    assert not KINDS.get("random").has_weights
    with pytest.raises(SourceBenchError, match="'none' is random initialisation"):
        write_weights(
            "none", {"kind": "random"}, ARCH, tmp_path / "w.safetensors", seed=1, threads=1
        )
    torch.manual_seed(8)
    first, normalisation = load_backbone(ARCH, None)
    torch.manual_seed(8)
    second, _ = load_backbone(ARCH, None)
    assert normalisation == Normalisation()
    assert torch.equal(first.stem[0].weight, second.stem[0].weight)


def test_broken_or_foreign_weights_are_one_sentence(tmp_path, state):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(SourceBenchError, match="can't be read"):
        load_backbone(ARCH, path)
    path.write_bytes(b"\0" * 100)
    with pytest.raises(SourceBenchError, match="can't be read"):
        load_backbone(ARCH, path)
    save_file(state, path)
    with pytest.raises(SourceBenchError, match="carry no card"):
        load_backbone(ARCH, path)


LEAVES = {"kind": "insilico", "generator": "dead_leaves", "images": 99, "size": 96, "epochs": 1}
TIMM = {"kind": "timm", "tags": {"densenet121": "densenet121.tv_in1k"}}


def test_timm_weights_come_with_their_own_normalisation(tmp_path, monkeypatch):
    torch.manual_seed(4)
    published = timm.create_model("densenet121.tv_in1k")
    checkpoint = tmp_path / "hub.safetensors"
    save_file(published.state_dict(), checkpoint)
    local = functools.partial(timm.create_model, pretrained_cfg_overlay={"file": str(checkpoint)})
    monkeypatch.setattr(timm, "create_model", local)
    path = tmp_path / "weights.safetensors"
    write_weights("imagenet", TIMM, "densenet121", path, seed=1, threads=1)
    backbone, normalisation = load_backbone("densenet121", path)
    assert normalisation == Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert all(
        torch.equal(tensor, published.state_dict()[name])
        for name, tensor in backbone.state_dict().items()
    )
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["origin"]["tag"] == "densenet121.tv_in1k"
    assert card["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert card["licence"] == "apache-2.0"


def test_no_network_is_one_sentence(tmp_path, monkeypatch):
    def unreachable(*args, **options):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(SourceBenchError, match=r"huggingface\.co.*densenet121\.tv_in1k.*HF_HOME"):
        write_weights(
            "imagenet",
            TIMM | {"tags": {ARCH: "densenet121.tv_in1k"}},
            ARCH,
            tmp_path / "w.safetensors",
            seed=1,
            threads=1,
        )


def test_an_unknown_tag_is_one_sentence(tmp_path):
    entry = {"kind": "timm", "tags": {ARCH: "densenet121.no_such_recipe"}}
    with pytest.raises(SourceBenchError, match=r"no_such_recipe.*sources\.imagenet\.tags"):
        write_weights("imagenet", entry, ARCH, tmp_path / "w.safetensors", seed=1, threads=1)


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"kind": "random"}, None),
        (TIMM | {"title": "ImageNet", "licence": "BSD"}, None),
        (FILE | {"path": "x.pth", "rename": {"a.": "b."}}, None),
        (LEAVES, None),
        ({"kind": "random", "seed": 3}, " has the key 'seed', which is not known; allowed are:"),
        ({"kind": "random", 3: 3}, " has the key '3', which is not known; allowed are: title,"),
        ({"kind": "timm"}, " lacks the key 'tags'; it needs: tags."),
        (TIMM | {"gated": "yes"}, ".gated is 'yes'; it must be true or false."),
        (TIMM | {"archs": []}, ".archs is []; it must be a list or table with at least 1 entry"),
        (
            FILE | {"pth": "x.pth"},
            " has the key 'pth', which is not known (is it 'path'?); allowed are: title, archs,",
        ),
        (
            FILE | {"path": "x.pth", "std": [0, 1, 1]},
            ".std is [0, 1, 1]; it must be a number over 0 or a list of 3 of them.",
        ),
        (
            FILE | {"path": "x.pth", "range": [255, 0]},
            ".range is [255, 0]; the first of the two must be the lower one.",
        ),
        (
            FILE | {"path": "x.pth", "channels": "rgb"},
            ".channels is 'rgb'; it must be one of: RGB, BGR, grey.",
        ),
        (
            FILE | {"path": "x.pth", "sha256": "ab"},
            ".sha256 is 'ab'; it must be 64 hexadecimal digits or a table of them by architecture.",
        ),
        (
            FILE | {"path": "x.pth", "per_arch": {"resnet50": {"men": 0}}},
            ".per_arch.resnet50 has the key 'men', which is not known (is it 'mean'?); allowed",
        ),
        ({"kind": "file", "path": "x.pth"}, " lacks the key 'mean'; it needs: mean, std, path."),
        (
            FILE | {"kind": "hub", "repo": "mine", "files": {ARCH: "a.pth"}},
            ".repo is 'mine'; it must be organisation/name.",
        ),
        (
            FILE | {"kind": "url", "urls": {ARCH: "ftp://a"}},
            f".urls.{ARCH} is 'ftp://a'; it must be an address that begins with http:// or https",
        ),
        (LEAVES | {"lr": 3}, ".lr is 3; it must be a number over 0 and of at most 1."),
        (LEAVES | {"size": 8}, ".size is 8; it must be a whole number of at least 32 px."),
        (
            LEAVES | {"generator": "leaves"},
            ".generator is 'leaves'; it must be 'dead_leaves' or 'phantom_radiology'.",
        ),
    ],
)
def test_each_kind_knows_what_its_entries_may_hold(entry, wrong):
    if wrong is None:
        assert KINDS.from_entry(entry, "sources.mine").kind == entry["kind"]
        return
    with pytest.raises(SourceBenchError) as refusal:
        KINDS.from_entry(entry, "sources.mine")
    assert str(refusal.value).startswith(f"sources.mine{wrong}")


def test_random_weights_of_another_structure():
    keras = {"builder": "keras_resnet50"}
    torch.manual_seed(8)
    backbone, normalisation = load_backbone("resnet50_t2", None, network=keras)
    assert normalisation == Normalisation()
    assert backbone.layer2[0].conv1.stride == (2, 2)
    assert load_backbone("resnet50_t2", None)[0].layer2[0].conv1.stride == (1, 1)
