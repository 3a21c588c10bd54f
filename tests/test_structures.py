"""Random weights of the structure that another source brings."""

import torch
from safetensors.torch import load_file

from sourcebench.training.finetuning import finetune
from sourcebench.training.runs import Run
from sourcebench.training.strategies import from_entry
from test_finetuning import outputs, recipe, world

__all__ = ["world"]
OTHER = {"builder": "cbr", "kernel": 5, "widths": [4, 8]}


def test_a_run_starts_from_the_structure_it_is_given(world, tmp_path):
    layers, table, *_ = world
    for strategy in ("full", "hybrid"):
        finetune(
            Run("t", "corner", "random", "tiny_resnet", 1.0, 1),
            recipe(epochs=0),
            designs={"corner": table},
            layers=layers,
            weights=None,
            seed=1,
            outputs=outputs(tmp_path, checkpoint=True),
            strategy=from_entry({"kind": strategy}),
            structure=OTHER,
        )
        shapes = [
            tensor.shape for tensor in load_file(tmp_path / "checkpoint.safetensors").values()
        ]
        assert torch.Size([4, 3, 5, 5]) in shapes
