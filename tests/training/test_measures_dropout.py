"""Dropout at test time: of the head from features that are kept, or in whole passes."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from torch import nn
from torch.nn import functional

from sourcebench.entropy import negentropy
from sourcebench.evaluation.failures import score
from sourcebench.evaluation.failures.answers import Answers
from sourcebench.models import build_network
from sourcebench.models.classifier import Classifier
from sourcebench.models.dropout import Dropping, drops
from sourcebench.training import passes as module
from sourcebench.training.measures import MEASURES, Subject
from sourcebench.training.passes import Passes, summary


class Flat(nn.Module):
    """A backbone that hands on its images' pixels."""

    num_features = 12

    def forward(self, images):
        return images.flatten(1)


def subject(network, passes=50, classes=2, seed=0):
    return Subject(network.eval(), classes, passes, seed, lambda: pytest.fail("not asked for"))


def flat(dropout=0.5, outputs=2, images=40, seed=0):
    """A network of a head alone, and images for it, with their features."""
    torch.manual_seed(seed)
    network = Classifier(Flat(), outputs, dropout)
    pictures = torch.randn(images, 3, 2, 2)
    return network, pictures, network.backbone(pictures)


def measured(network, features, pictures, **given):
    with torch.inference_mode():
        found = MEASURES.get("mc_dropout").of(subject(network, **given))(features, pictures)
    assert set(found) == set(MEASURES.get("mc_dropout").columns)
    return {name: each.numpy() for name, each in found.items()}


def test_the_mean_over_the_masks_of_a_head_is_that_of_all_masks():
    """Of four features there are 16 masks: the mean over them is exact, T passes come near it."""
    network, pictures, features = flat(dropout=0.25)
    network.head = nn.Linear(4, 2)
    features = features[:, :4]
    shares, weights = [], []
    for number in range(16):
        kept = torch.tensor([float(number >> place & 1) for place in range(4)])
        weights.append(0.75 ** kept.sum() * 0.25 ** (4 - kept.sum()))
        shares.append(network.head(features * kept / 0.75).double().softmax(1))
    weights, shares = torch.stack(weights).double(), torch.stack(shares).detach()
    mean = torch.einsum("m,mnk->nk", weights, shares).numpy()
    each = np.einsum("m,mn->n", weights.numpy(), entropy(shares.numpy(), axis=2))
    found = measured(network, features, pictures, passes=20_000)
    np.testing.assert_allclose(found["mcd_msr"], mean.max(1), atol=0.01)
    np.testing.assert_allclose(found["mcd_pe"], math.log(2) - entropy(mean, axis=1), atol=0.01)
    np.testing.assert_allclose(found["mcd_ee"], math.log(2) - each, atol=0.01)
    sure = mean.max(1) > 0.52
    assert (found["mcd_class"] == mean.argmax(1))[sure].all()


def test_a_head_by_itself_is_passed_as_whole_passes_with_its_masks_would(monkeypatch):
    network, pictures, features = flat(outputs=4)  # a further output, which is no class
    passes = Passes(subject(network, passes=7, classes=3))
    masks = iter(passes._masks)

    def masked(given, p, training, inplace=False):
        return given * next(masks) if training else given

    monkeypatch.setattr(functional, "dropout", masked)
    network.dropout.train()
    with torch.no_grad():
        whole = torch.stack([network(pictures)[:, :3] for _ in range(7)])
        heads = torch.cat(list(passes._heads(features)))
    torch.testing.assert_close(heads, whole)
    assert set(passes._masks.unique().tolist()) == {0.0, 2.0}


def test_what_an_image_gets_depends_on_no_other():
    network, pictures, features = flat()
    whole = measured(network, features, pictures)
    part = measured(network, features[5:9], pictures[5:9])
    for name, values in part.items():
        np.testing.assert_allclose(values, whole[name][5:9], rtol=1e-6)
    other = measured(network, features, pictures, seed=1)
    assert not np.allclose(other["mcd_msr"], whole["mcd_msr"])


@pytest.mark.parametrize("cells", [1, 12 * 40 * 3, 2**30])
def test_passes_are_added_up_whatever_is_held_at_a_time(monkeypatch, cells):
    network, pictures, features = flat()
    expected = measured(network, features, pictures)
    monkeypatch.setattr(module, "CELLS", cells)
    for name, values in measured(network, features, pictures).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6)


def test_without_dropout_there_is_one_pass():
    network, pictures, features = flat(dropout=0)
    found = measured(network, features, pictures)
    shares = network(pictures).detach().double().softmax(1).numpy()
    np.testing.assert_allclose(found["mcd_msr"], shares.max(1), rtol=1e-6)
    np.testing.assert_allclose(found["mcd_ee"], found["mcd_pe"], rtol=1e-6)
    assert len(Passes(subject(network))._masks) == 1


@given(
    logits=st.lists(
        st.tuples(*4 * [st.floats(-40, 40, width=32)]), min_size=2, max_size=30, unique=False
    ),
    labels=st.integers(0, 2**30),
)
def test_of_two_classes_entropy_and_maximum_rank_alike(logits, labels):
    """Two passes of each image: exactly the same area under the curve, ties and all."""
    sampled = torch.tensor([*logits, *logits[: len(logits) // 2]]).reshape(-1, 2, 2).transpose(0, 1)
    found = {name: each.numpy() for name, each in summary(iter([sampled])).items()}
    label = np.array([labels >> place & 1 for place in range(len(found["mcd_class"]))])
    wrong = found["mcd_class"] != label
    msr, pe = (score(Answers(found[name], wrong))["aurc"] for name in ("mcd_msr", "mcd_pe"))
    assert msr == pe


@given(st.lists(st.floats(0.5, 1), min_size=1, max_size=20), st.integers(2, 5))
def test_negentropy_is_what_entropy_leaves(tops, classes):
    rest = (1 - np.array(tops)) / (classes - 1)
    shares = np.stack([tops, *[rest] * (classes - 1)], 1)
    left = math.log(classes) - entropy(shares, axis=1)
    np.testing.assert_allclose(negentropy(shares), left, atol=1e-12)


class Mixed(nn.Module):
    """A backbone with a batch normalisation, and dropout as a module and as a function."""

    num_features = 8

    def __init__(self, module=0.0, function=0.0):
        super().__init__()
        self.normalised, self.p = nn.BatchNorm2d(8), function
        self.convolved, self.dropped = nn.Conv2d(3, 8, 3), nn.Dropout2d(module)

    def forward(self, images):
        values = self.dropped(self.normalised(self.convolved(images)))
        return functional.dropout(values, p=self.p, training=self.training).mean((2, 3))


@pytest.mark.parametrize(("rates", "there"), [((0, 0), False), ((0.3, 0), True), ((0, 0.3), True)])
def test_dropout_is_found_wherever_it_is(rates, there):
    backbone = Mixed(*rates).eval()
    images = torch.randn(2, 3, 8, 8)
    state = torch.get_rng_state()
    assert drops(backbone, images) == there
    assert torch.equal(torch.get_rng_state(), state)
    with Dropping():
        first, second = backbone(images), backbone(images)
    assert torch.equal(first, second) != there
    assert torch.equal(backbone(images), backbone(images))
    assert not backbone.training


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_densenets_dropout_is_found_and_its_statistics_stay(rate):
    """It has no module: timm drops the features of its dense layers by a function."""
    network = {"builder": "timm", "name": "densenet121", "drop_rate": rate}
    torch.manual_seed(0)
    network = Classifier(build_network(network), dropout=0).eval()
    images = torch.randn(2, 3, 32, 32)
    before = {name: each.clone() for name, each in network.state_dict().items()}
    assert drops(network.backbone, images) == (rate > 0)
    with torch.inference_mode(), Dropping():
        first, second = network(images), network(images)
    assert torch.equal(first, second) == (rate == 0)
    found = measured(network, network.backbone(images), images, passes=3)
    again = measured(network, network.backbone(images), images, passes=3)
    assert all(np.array_equal(found[name], again[name]) for name in found)
    assert (found["mcd_ee"] > found["mcd_pe"]).all() == (rate > 0)
    after = network.state_dict()
    assert all(torch.equal(after[name], each) for name, each in before.items())
    assert not any(each.training for each in network.modules())


def test_stochastic_depth_takes_every_path():
    network = {"builder": "timm", "name": "convnext_atto", "drop_path_rate": 0.9}
    backbone = build_network(network).eval()
    assert not drops(backbone, torch.randn(1, 3, 32, 32))
