"""ConfidNet: the network of cross-entropy, and another beside it that learns where that fails."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from sourcebench.errors import SourceBenchError
from sourcebench.models import build_backbone
from sourcebench.models.classifier import Classifier
from sourcebench.training.confidence_network import (
    ConfidenceNetwork,
    EncoderStage,
    HeadStage,
    true_class,
)
from sourcebench.training.methods import CROSS_ENTROPY, METHODS, is_plain
from sourcebench.training.runs import CHECKPOINT, Kept
from test_finetuning import world
from toy_methods import alone, blobs, logits_in, run_of

__all__ = ["alone", "world"]


def confidnet(**values):
    return METHODS.build("confidnet", **values)


def parts(copied=True, seed=0):
    torch.manual_seed(seed)
    network = Classifier(build_backbone("tiny_resnet"), 2, 0.5)
    return network, ConfidenceNetwork(network.backbone, copied=copied)


def copied(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(module, before):
    return all(torch.equal(each, before[name]) for name, each in module.state_dict().items())


def steps(stage, count=2):
    images, labels = torch.randn(8, 3, 48, 48), torch.arange(8) % 2
    stage.begin()
    optimiser = stage.optimiser()
    for _ in range(count):
        stage.settle()
        optimiser.zero_grad()
        stage.loss(images, labels, 2 * labels).backward()
        optimiser.step()


def test_the_head_is_the_papers():
    """Five linear layers: F → 400, three more of 400, and one number."""
    network, beside = parts()
    sizes = [tuple(each.weight.shape) for each in beside.head if hasattr(each, "weight")]
    features = network.backbone.num_features
    assert sizes == [(400, features), (400, 400), (400, 400), (400, 400), (1, 400)]
    assert sum(isinstance(each, torch.nn.ReLU) for each in beside.head) == 4


def test_what_is_learned_is_the_softmax_of_the_true_class():
    logits = torch.tensor([[0.0, np.log(3)], [0.0, np.log(3)]])
    assert true_class(logits, torch.tensor([0, 1])).tolist() == pytest.approx([0.25, 0.75])
    network, beside = parts(copied=False)
    stage = HeadStage(network, beside, 1, 1e-3)
    network.eval()
    images, labels = torch.randn(6, 3, 48, 48), torch.arange(6) % 2
    with torch.no_grad():
        truth = network(images).softmax(1)[range(6), labels]
        said = beside.confidence(images, network.backbone(images))
        assert float(stage.loss(images, labels, labels)) == pytest.approx(
            float(((said - truth) ** 2).mean()), rel=1e-5
        )


def test_the_first_stage_trains_the_head_alone():
    network, beside = parts()
    before = copied(network), copied(beside.encoder), copied(beside.head)
    stage = HeadStage(network, beside, 1, 1e-3)
    steps(stage)
    assert same(network, before[0])  # batch normalisation's statistics among them
    assert same(beside.encoder, before[1])
    assert not same(beside.head, before[2])
    stage.settle()
    assert network.dropout.training
    assert stage.optimiser().defaults["lr"] == 1e-3


def test_the_second_trains_a_copy_and_leaves_the_network_and_its_statistics():
    network, beside = parts()
    with torch.no_grad():
        for each in network.parameters():
            each.add_(0.01)  # what training did since the copy was made
    before, head = copied(network), copied(beside.head)
    stage = EncoderStage(network, beside, 1, 1e-3)
    stage.begin()
    assert same(beside.encoder, copied(network.backbone))
    steps(stage)
    assert same(network, before)
    assert not same(beside.head, head)
    after = copied(beside.encoder)
    assert any(not torch.equal(after[n], before[f"backbone.{n}"]) for n in after)
    statistics = [name for name in after if "running" in name]
    assert statistics
    assert all(torch.equal(after[name], before[f"backbone.{name}"]) for name in statistics)
    stage.settle()
    assert not network.dropout.training


def test_the_copy_lies_in_memory_as_the_classifier_does():
    """Channels last, also after it has taken the weights; its values are the classifier's."""
    network, beside = parts()
    beside.branch(network.backbone)
    wide = [each for each in beside.encoder.parameters() if each.dim() == 4 and each.shape[1] > 1]
    assert wide
    assert all(each.is_contiguous(memory_format=torch.channels_last) for each in wide)
    assert same(beside.encoder, copied(network.backbone))


def test_it_learns_where_a_network_is_wrong():
    """Of two blobs the network is sure, of the third it can't know: the TCP is about ½ there."""
    points, labels, _ = blobs(300)

    class Plane(torch.nn.Module):
        num_features = 2

        def forward(self, images):
            return images

    network = Classifier(Plane(), 2, 0.0)
    with torch.no_grad():  # the best that anyone can do: sure on the right and left, not above
        network.head.weight.copy_(torch.tensor([[-3.0, 0], [3.0, 0]]))
        network.head.bias.zero_()
    torch.manual_seed(0)
    beside = ConfidenceNetwork(network.backbone, copied=False)
    stage = HeadStage(network, beside, 1, 2e-3)
    optimiser = stage.optimiser()
    for _ in range(60):
        stage.settle()
        optimiser.zero_grad()
        stage.loss(points, labels, labels).backward()
        optimiser.step()
    other, theirs, lost = blobs(seed=1)
    with torch.no_grad():
        said = beside.confidence(other, other).numpy()
        truth = true_class(network(other), theirs).numpy()
    assert said.dtype == np.float64
    assert said[~lost].mean() == pytest.approx(truth[~lost].mean(), abs=0.05)
    assert said[lost].mean() == pytest.approx(truth[lost].mean(), abs=0.1)
    assert said[lost].max() < said[~lost].min() + 0.2


@pytest.fixture(scope="module")
def kept(world, tmp_path_factory):
    """A run by cross-entropy that keeps its network."""
    folder = tmp_path_factory.mktemp("usual")
    run_of(world, folder, CROSS_ENTROPY, checkpoint=True, trained_by="this", epochs=4)
    return folder


@pytest.mark.parametrize("digest", ["this", "that", None])
def test_it_goes_on_from_the_network_of_cross_entropy_or_trains_the_same(
    world, tmp_path, kept, digest, capsys
):
    """Answers are that network's bit for bit; so is what stands beside it, wherever it began."""
    begun = Kept.of([kept / "run.json"] if digest else [], digest)
    record = run_of(
        world, tmp_path, confidnet(), checkpoint=True, begun=begun, trained_by="mine", epochs=4
    )
    pd.testing.assert_frame_equal(logits_in(tmp_path), logits_in(kept), check_exact=True)
    # What is printed is trained here: an epoch of each further stage, after those of the network.
    assert capsys.readouterr().out.count("train_loss") == (2 if digest == "this" else 6)
    state, usual = (load_file(folder / CHECKPOINT) for folder in (tmp_path, kept))
    assert all(torch.equal(state[name], each) for name, each in usual.items())
    assert {"companion.head.0.weight", "companion.encoder.stem.0.weight"} <= set(state)
    confidence = pd.read_parquet(tmp_path / "predictions.parquet")["confidence"]
    first = SEEN.setdefault("confidence", confidence)
    assert confidence.dtype == "float64"
    pd.testing.assert_series_equal(confidence, first, check_exact=True)
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history["epoch"]) == [1, 2, 3, 4, 5, 6]
    assert list(history["val_auroc"].isna()) == [False] * 4 + [True] * 2
    assert history["val_loss"].notna().all()
    assert history["seconds"].is_monotonic_increasing
    usual = json.loads((kept / "run.json").read_text())
    assert (record["epochs"], record["best_epoch"]) == (4, usual["best_epoch"])
    assert record["method"] == record["method_entry"]["kind"] == "confidnet"


SEEN = {}


def test_a_kept_one_is_tested_without_training(world, tmp_path, capsys):
    method = confidnet(encoder=0)
    run_of(world, tmp_path, method, checkpoint=True, trained_by="this", epochs=2)
    first = pd.read_parquet(tmp_path / "predictions.parquet")
    capsys.readouterr()
    run_of(world, tmp_path, method, checkpoint=True, trained_by="this", epochs=2)
    assert "train_loss" not in capsys.readouterr().out
    again = pd.read_parquet(tmp_path / "predictions.parquet")
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    state = load_file(tmp_path / CHECKPOINT)
    assert not any(name.startswith("companion.encoder") for name in state)


def test_what_it_takes():
    with pytest.raises(SourceBenchError, match="head and encoder are both 0"):
        METHODS.from_entry({"kind": "confidnet", "head": 0, "encoder": 0}, "method.mine")
    assert confidnet().begins_as == "cross_entropy"
    assert not is_plain("confidnet")
    assert is_plain("cross_entropy")
