"""Transfer: what starts pretrained, what is trained, and how fast."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import ROOT
from sourcebench import design
from sourcebench.errors import SourceBenchError
from sourcebench.models import build_backbone, build_network
from sourcebench.models.classifier import Classifier
from sourcebench.models.stages import stages
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.data import Layers
from sourcebench.training.finetuning import Outputs, Recipe, Run, finetune
from sourcebench.training.module import FineTuner
from sourcebench.training.transfer import FULL, TRANSFERS

LIBRARY = ROOT / "workflow" / "scripts"
RATE = 1e-3


def network(arch="tiny_resnet", seed=0):
    torch.manual_seed(seed)
    return Classifier(build_backbone(arch))


def never():
    raise AssertionError("this transfer needs no random weights")


def copied(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def step(model):
    """Take one step of training."""
    torch.manual_seed(1)
    images, labels = torch.randn(8, 3, 48, 48), torch.arange(8) % 2
    optimiser = model.configure_optimizers()
    torch.nn.functional.cross_entropy(model.network(images), labels).backward()
    optimiser.step()


def test_a_config_can_be_checked_without_pytorch():
    code = (
        "import sys; from sourcebench.training import methods, transfer;"
        "transfer.TRANSFERS.build('hybrid', keep='5e-1');"
        "assert not {'torch', 'timm', 'pytorch_lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=LIBRARY)


def test_transfers_describe_themselves():
    assert {"full", "frozen", "hybrid", "layerwise"} <= set(TRANSFERS)
    assert TRANSFERS.build("full") == FULL
    assert TRANSFERS.build("full").describe() == "Full fine-tuning"
    assert TRANSFERS.build("frozen").describe() == "Linear probe (learning_rate 0.001)"
    assert TRANSFERS.build("hybrid", keep=0.25).describe() == "Hybrid transfer (keep 0.25)"
    assert TRANSFERS.build("layerwise").describe() == "Layer-wise learning rates (decay 0.75)"


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("half", {}, "Unknown kind of transfer 'half'; there are: full, frozen"),
        ("hybrid", {"keep": 1.5}, r"'hybrid': keep is 1.5; it must be a number from 0 to 1\."),
        ("layerwise", {"decay": "slow"}, "'layerwise': decay is 'slow'"),
        ("full", {"keep": 0.5}, "'full' has the key 'keep', .*: none"),
        (
            "layerwise",
            {"keep": 0.5},
            "'layerwise' has the key 'keep', .*: decay",
        ),
        ("frozen", {"learning_rate": 0}, "'frozen': learning_rate is 0; it must be a number from"),
    ],
)
def test_nonsense_is_answered_with_what_is_allowed(kind, values, message):
    with pytest.raises(SourceBenchError, match=message):
        TRANSFERS.build(kind, **values)


@pytest.mark.parametrize(
    ("arch", "count", "first", "last"),
    [
        ("tiny_resnet", 3, "stem.0.weight", "blocks.1.shortcut.1.bias"),
        ("cbr_large_t", 5, "blocks.0.0.weight", "blocks.4.1.bias"),
        ("resnet50", 5, "conv1.weight", "layer4.2.bn3.bias"),
        ("resnet50_t1", 4, "conv1.weight", "layer3.0.downsample.1.bias"),
        ("densenet121", 6, "features.conv0.weight", "features.norm5.bias"),
        ("densenet121_t2", 3, "features.conv0.weight", "features.transition2.conv.weight"),
        ("inception_v3", 13, "Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.bn.bias"),
        ("vit_small", 13, "cls_token", "norm.bias"),
        ("swin_tiny", 6, "patch_embed.proj.weight", "norm.bias"),
        ("convnext_tiny", 6, "stem.0.weight", "head.norm.bias"),
    ],
)
def test_stages_hold_every_parameter_once_from_the_input_on(arch, count, first, last):
    with torch.device("meta"):
        backbone = build_backbone(arch)
    ordered = stages(backbone)
    names = [name for stage in ordered for name in stage]
    assert len(ordered) == count
    assert (names[0], names[-1]) == (first, last)
    assert sorted(names) == sorted(name for name, _ in backbone.named_parameters())


def test_full_trains_everything_with_one_rate_in_the_networks_order():
    model = FineTuner(network(), RATE)
    (group,) = model.configure_optimizers().param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in model.network.parameters()]
    assert (group["lr"], group["eps"]) == (RATE, 1e-7)
    assert all(module.training for module in model.modules())
    before = copied(model)
    FULL.prepare(model.network, never)
    assert all(torch.equal(tensor, before[name]) for name, tensor in copied(model).items())


def test_frozen_trains_the_head_alone_and_computes_no_gradient_below_it():
    transfer = TRANSFERS.build("frozen", learning_rate=0.02)
    classifier = network()
    transfer.prepare(classifier, never)
    model = FineTuner(classifier, 1e-5, transfer)
    model.on_train_epoch_start()
    assert not any(module.training for module in classifier.backbone.modules())
    assert classifier.dropout.training
    before = copied(classifier)
    assert classifier.backbone(torch.randn(2, 3, 48, 48)).grad_fn is None
    step(model)
    changed = {n for n, tensor in copied(classifier).items() if not torch.equal(tensor, before[n])}
    assert changed == {"head.weight", "head.bias"}
    # Adam's first step is as long as the learning rate, which is the probe's and not the recipe's.
    moved = (classifier.head.weight - before["head.weight"]).abs()
    assert moved.median().item() == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize(("keep", "kept"), [(0, 1), (0.5, 1), (0.67, 2), (1, 3)])
def test_hybrid_keeps_the_bottom_and_redraws_the_top(keep, kept):
    classifier, fresh = network(seed=1), build_backbone("tiny_resnet")
    step(FineTuner(classifier, RATE))  # so that the statistics are not those of the start
    source, head = copied(classifier.backbone), classifier.head.weight.clone()
    TRANSFERS.build("hybrid", keep=keep).prepare(classifier, lambda: fresh)
    bottom = ["stem.", "blocks.0.", "blocks.1."][:kept]
    for name, tensor in classifier.backbone.state_dict().items():
        origin = source if name.startswith(tuple(bottom)) else fresh.state_dict()
        assert torch.equal(tensor, origin[name]), name
        assert not torch.equal(source[name], fresh.state_dict()[name]), name
    assert torch.equal(classifier.head.weight, head)
    assert all(parameter.requires_grad for parameter in classifier.parameters())


@pytest.mark.parametrize(
    ("arch", "keep", "bottom"),
    [
        ("resnet50", 0.6, ["conv1", "bn1", "layer1", "layer2"]),  # "Slim" in Transfusion
        (
            "vit_small",  # 6 of 13: the stem and five blocks
            0.5,
            ["cls_token", "pos_embed", "patch_embed", *(f"blocks.{i}" for i in range(5))],
        ),
    ],
)
def test_hybrid_cuts_between_stages(arch, keep, bottom):
    with torch.device("meta"):
        classifier, fresh = Classifier(build_backbone(arch)), build_backbone(arch)
    classifier, fresh = classifier.to_empty(device="cpu"), fresh.to_empty(device="cpu")
    for module, value in ((classifier, 1), (fresh, 0)):
        for tensor in module.state_dict().values():
            tensor.fill_(value)
    TRANSFERS.build("hybrid", keep=keep).prepare(classifier, lambda: fresh)
    state = classifier.backbone.state_dict()
    assert {name for name, tensor in state.items() if (tensor == 1).all()} == {
        name for name in state if any(name == at or name.startswith(f"{at}.") for at in bottom)
    }
    assert all((tensor == tensor.flatten()[0]).all() for tensor in state.values())


def test_layerwise_slows_down_towards_the_input():
    model = FineTuner(network(), RATE, TRANSFERS.build("layerwise", decay=0.5))
    groups = model.configure_optimizers().param_groups
    assert [group["lr"] for group in groups] == pytest.approx([RATE / 8, RATE / 4, RATE / 2, RATE])
    held = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(held) == sorted(id(parameter) for parameter in model.network.parameters())
    before = copied(model.network)
    step(model)
    # Adam's first step is as long as the learning rate, whatever the gradient.
    for name, part in (("backbone.stem.0", 8), ("backbone.blocks.1.first.0", 2), ("head", 1)):
        moved = (copied(model.network)[f"{name}.weight"] - before[f"{name}.weight"]).abs()
        assert moved.median().item() == pytest.approx(RATE / part, rel=0.02)


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """A function that runs a transfer on a task of 48 images and returns predictions, record."""
    folder = tmp_path_factory.mktemp("transfers")
    rng, n = np.random.default_rng(0), 48
    labels = np.arange(n) % 2
    images = rng.normal(90, 25, (n, 32, 32)) + 30 * labels[:, None, None]
    np.save(folder / "images.npy", images.clip(0, 255).astype(np.uint8))
    ids = [f"{i}.png" for i in range(n)]
    role = np.where(np.arange(n) < 16, "test", "dev")
    samples = {"image_id": ids, "patient_id": range(n), "label": labels, "role": role}
    pd.DataFrame(samples).to_csv(folder / "samples.csv", index=False)
    made = design.build(pd.DataFrame(samples), folds=2, val_fraction=0.25, seed=1, name="t")
    augmentation = Augmentation(0, 0, 0, 0)

    def run(transfer, name="run", epochs=2, arch="tiny_resnet", weights=None):
        out = folder / name
        record = finetune(
            Run("t", "none", "some", arch, 0.0, 1),
            Recipe(epochs, 30, RATE, 0.5, 8, "loss", augmentation, "fp32", "cpu"),
            designs={"none": made},
            layers=Layers(folder / "samples.csv", folder / "images.npy", {}),
            weights=weights,
            seed=1,
            outputs=Outputs(out / "p.parquet", out / "h.csv", out / "r.json", out / "c"),
            transfer=transfer,
        )
        assert json.loads((out / "r.json").read_text()) == json.loads(json.dumps(record))
        state = load_file(out / "c")
        return pd.read_parquet(out / "p.parquet"), record, state

    return run


def test_a_linear_probe_leaves_the_backbone_as_it_was(tried):
    _, record, start = tried(TRANSFERS.build("frozen"), epochs=0)
    assert record["transfer_entry"] == {"kind": "frozen", "learning_rate": 1e-3}
    _, record, end = tried(TRANSFERS.build("frozen"))
    assert record["epochs"] == 2
    changed = {name for name, tensor in end.items() if not torch.equal(tensor, start[name])}
    assert changed == {"head.weight", "head.bias"}


def test_runs_of_different_transfers_are_paired(tried):
    """What they have in common starts the same, and sees the same batches."""
    full, _, start = tried(FULL, epochs=0)
    hybrid, record, top = tried(TRANSFERS.build("hybrid", keep=0.5), epochs=0)
    assert record["transfer_entry"] == {"kind": "hybrid", "keep": 0.5}
    assert torch.equal(top["head.weight"], start["head.weight"])
    assert torch.equal(top["backbone.stem.0.weight"], start["backbone.stem.0.weight"])
    assert not torch.equal(
        top["backbone.blocks.0.first.0.weight"], start["backbone.blocks.0.first.0.weight"]
    )
    assert not full["logit_1"].equals(hybrid["logit_1"])
    trained = tried(FULL)[0]
    for same in (TRANSFERS.build("hybrid", keep=1), TRANSFERS.build("layerwise", decay=1)):
        pd.testing.assert_frame_equal(tried(same)[0], trained, rtol=1e-5)
    assert not tried(TRANSFERS.build("layerwise", decay=0.1))[0]["logit_1"].equals(
        trained["logit_1"]
    )


def test_a_hybrid_gives_the_same_predictions_again(tried):
    first, *_ = tried(TRANSFERS.build("hybrid"))
    torch.manual_seed(99)  # what happened before must not matter
    pd.testing.assert_frame_equal(tried(TRANSFERS.build("hybrid"))[0], first, check_exact=True)


def test_a_hybrids_top_is_of_the_exact_network_that_the_weights_are_of(tried, tmp_path):
    own = {"builder": "cbr", "kernel": 3, "widths": [4, 6, 8, 10]}
    state = build_network(own).state_dict()
    card = {"arch": "cbr_tiny", "network": own, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_file(state, tmp_path / "w.safetensors", metadata={"card": json.dumps(card)})
    _, _, start = tried(
        TRANSFERS.build("hybrid"), epochs=0, arch="cbr_tiny", weights=tmp_path / "w.safetensors"
    )
    for block, same in enumerate([True, True, False, False]):
        name = f"blocks.{block}.0.weight"
        assert torch.equal(start[f"backbone.{name}"], state[name]) == same


def test_runs_of_different_sources_are_paired(tried, tmp_path):
    """However much is drawn for a network, the head starts the same."""
    state = build_network({"builder": "cbr", "kernel": 5, "widths": [32, 64, 128, 256]})
    card = {"arch": "cbr_tiny", "network": None, "mean": [0.5] * 3, "std": [0.25] * 3}
    save_file(state.state_dict(), tmp_path / "w.safetensors", metadata={"card": json.dumps(card)})
    _, _, stored = tried(FULL, epochs=0, arch="cbr_tiny", weights=tmp_path / "w.safetensors")
    _, _, random = tried(FULL, epochs=0, arch="cbr_tiny")
    assert torch.equal(stored["head.weight"], random["head.weight"])
    assert not torch.equal(
        stored["backbone.blocks.0.0.weight"], random["backbone.blocks.0.0.weight"]
    )
