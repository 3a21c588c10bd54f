"""Random weights of the structure that another source brings."""

import pandas as pd
import torch
from safetensors.torch import load_file

from conftest import merged
from sourcebench.axes import Run
from sourcebench.sources import Normalisation
from sourcebench.study import Study
from sourcebench.training.finetuning import finetune
from sourcebench.training.transfer import TRANSFERS
from test_finetuning import outputs, recipe, world

__all__ = ["world"]
OTHER = {"builder": "cbr", "kernel": 5, "widths": [4, 8]}


def test_a_run_starts_from_the_structure_it_is_given(world, tmp_path):
    layers, table, *_ = world
    for kind in ("full", "hybrid"):
        finetune(
            Run("t", "corner", "random", "tiny_resnet", 1.0, 1),
            recipe(epochs=0),
            designs={"corner": table},
            layers=layers,
            weights=None,
            seed=1,
            outputs=outputs(tmp_path, checkpoint=True),
            transfer=TRANSFERS.from_entry({"kind": kind}),
            structure=OTHER,
        )
        shapes = [
            tensor.shape for tensor in load_file(tmp_path / "checkpoint.safetensors").values()
        ]
        assert torch.Size([4, 3, 5, 5]) in shapes


def test_random_weights_see_the_images_that_their_entry_says(world, tmp_path):
    """By default what Keras' 'caffe' preprocessing makes of them, as in the reference."""
    mean, std = Study.of(merged({})).sources["random"].normalisation
    grey = torch.full((1, 4, 4, 1), 100, dtype=torch.uint8)
    seen = Normalisation(mean, std)(grey)[0, :, 0, 0]
    torch.testing.assert_close(seen, 100 - torch.tensor([123.68, 116.779, 103.939]))
    layers, table, *_ = world
    predictions = []
    for name, images in (("usual", Normalisation()), ("caffe", Normalisation(mean, std))):
        (tmp_path / name).mkdir()
        finetune(
            Run("t", "corner", "random", "tiny_resnet", 1.0, 1), recipe(epochs=0),
            designs={"corner": table}, layers=layers, weights=None, seed=1,
            outputs=outputs(tmp_path / name), normalisation=images,
        )  # fmt: skip
        predictions.append(pd.read_parquet(tmp_path / name / "predictions.parquet")["logit_1"])
    assert (predictions[0] != predictions[1]).all()
