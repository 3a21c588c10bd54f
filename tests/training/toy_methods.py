"""Toys that methods of training are tried on."""

import pandas as pd
import pytest
import torch

from sourcebench.axes import Run
from sourcebench.training.finetuning import finetune
from sourcebench.training.methods import Plan, procedure_of
from test_finetuning import outputs, recipe


@pytest.fixture(autouse=True)
def alone():
    """Compute on one core: what is as small as here waits for a second more than it gains."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def blobs(n=600, seed=0):
    """Three blobs in a plane: of two the labels are 0 and 1, of the third they are drawn.

    Returns:
        n×2 points, n labels, and whether each is of the third.
    """
    rng = torch.Generator().manual_seed(seed)
    blob = torch.arange(n) % 3
    centres = torch.tensor([[-3.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    points = centres[blob] + 0.5 * torch.randn(n, 2, generator=rng)
    drawn = torch.randint(2, (n,), generator=rng)
    return points, torch.where(blob == 2, drawn, blob), (blob == 2).numpy()


def trained(method, points, labels, epochs, seed=0):
    """What a small network says of points after training on other draws of them, full batches."""
    torch.manual_seed(seed)
    network = torch.nn.Sequential(
        torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, method.outputs(2))
    )
    objective = procedure_of(method).objective(Plan(2, epochs, seed=seed))
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    for epoch in range(1, epochs + 1):
        objective.epoch_begins(epoch)
        optimiser.zero_grad()
        objective.training(network(points), labels, 2 * labels).backward()
        optimiser.step()
    with torch.no_grad():
        return network(blobs(seed=seed + 1)[0])


def run_of(world, folder, method, checkpoint=False, begun=None, trained_by="", **changes):
    """Fine-tune one network of the tiny world by a method, and return the record."""
    layers, made, *_ = world
    return finetune(
        Run("t", "corner", "random", "tiny_resnet", 1.0, 1, method=method.kind),
        recipe(**changes), designs={"corner": made}, layers=layers, weights=None, seed=1,
        outputs=outputs(folder, checkpoint), method=method, begun=begun, trained_by=trained_by,
    )  # fmt: skip


def logits_in(folder):
    return pd.read_parquet(folder / "predictions.parquet").filter(like="logit_")
