"""Pretraining on generated images."""

import json

import pytest
import torch

from sourcebench.errors import SourceBenchError
from sourcebench.sources import GENERATORS
from sourcebench.sources.pretraining import generate, pretrain
from sourcebench.sources.recipe import Recipe
from sourcebench.sources.weights import load_backbone, write_weights

TINY = Recipe(images=120, size=48, epochs=2, batch_size=16)


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    torch.manual_seed(0)
    first, _ = pretrain("phantom_radiology", "tiny_resnet", TINY, seed=1, threads=1)
    torch.manual_seed(99)  # what happened before must not matter
    again, _ = pretrain("phantom_radiology", "tiny_resnet", TINY, seed=1, threads=1)
    other, _ = pretrain("phantom_radiology", "tiny_resnet", TINY, seed=2, threads=1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stem.0.weight"], other["stem.0.weight"])


def test_pytorch_is_left_as_it_was():
    torch.use_deterministic_algorithms(False)  # whatever a test before this one left
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    threads = torch.get_num_threads()
    pretrain("dead_leaves", "tiny_resnet", TINY, seed=1, threads=1)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("generator", GENERATORS.names())
def test_classes_are_learnt(generator):
    recipe = Recipe(images=900, size=64, epochs=10, batch_size=32, lr=2e-3, validation=0.2)
    _, summary = pretrain(generator, "tiny_resnet", recipe, seed=1, threads=1)
    assert summary["chance"] == pytest.approx(1 / len(GENERATORS.get(generator).classes))
    assert summary["val_accuracy"] > 2 * summary["chance"]  # 3.6 standard deviations


def test_an_image_depends_on_its_index_and_not_on_their_number():
    few, labels = generate("dead_leaves", 5, 48, seed=3)
    many, more = generate("dead_leaves", 9, 48, seed=3)
    assert few.dtype == torch.uint8
    assert torch.equal(few, many[:5])
    assert torch.equal(labels, more[:5])


def test_pretrained_weights_are_written_with_their_recipe(tmp_path):
    entry = {
        "kind": "insilico",
        "title": "Phantom radiology",
        "generator": "phantom_radiology",
        "images": 120,
        "size": 48,
        "epochs": 2,
        "batch_size": 16,
    }
    path = tmp_path / "weights.safetensors"
    write_weights("phantoms", entry, "tiny_resnet", path, seed=1, threads=1)
    expected, summary = pretrain("phantom_radiology", "tiny_resnet", TINY, seed=1, threads=1)
    loaded = load_backbone("tiny_resnet", path)[0].state_dict()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["origin"]["generator"] == "phantom_radiology"
    recorded = card["origin"]["pretraining"]
    assert recorded["val_accuracy"] == summary["val_accuracy"]
    assert recorded["images"] == 120


def test_an_unknown_generator_is_answered_with_the_known_ones():
    with pytest.raises(SourceBenchError, match="dead_leaves, phantom_radiology"):
        pretrain("leaves", "tiny_resnet", TINY, seed=1, threads=1)
