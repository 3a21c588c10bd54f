"""Weights that the workflow pretrains itself, on generated images."""

from typing import Any, ClassVar

from sourcebench.fingerprints import code_of
from sourcebench.sources.base import KINDS, Entry, Kind, Order, Schema, Supply
from sourcebench.sources.generators.base import GENERATORS
from sourcebench.sources.normalisation import USUAL


class InSilico(Kind):
    """Supervised pretraining on images of a generator in `GENERATORS`.

    `{kind: insilico, generator: dead_leaves, images: 4000, size: 96, epochs: 6, …}`; the recipe
    and the accuracy it reached go on the card.
    """

    version = 1  # of the pretraining, too: raised when the same recipe gives other weights
    trains = True
    properties: ClassVar[Schema] = {
        "generator": {"enum": GENERATORS.names()},
        "images": {"type": "integer", "minimum": 20},
        "size": {"type": "integer", "minimum": 32},
        "epochs": {"type": "integer", "minimum": 1},
        "batch_size": {"type": "integer", "minimum": 2},
        "lr": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "weight_decay": {"type": "number", "minimum": 0},
        "accelerator": {"enum": ["auto", "cpu", "gpu"]},
        "validation": {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
    }
    required = ("generator", "images", "size", "epochs")

    def fingerprint(self, entry: Entry, arch: str) -> Any:
        """Return a digest of the generator's code."""
        return code_of(GENERATORS.get(entry["generator"]).draw)

    def supply(self, order: Order) -> Supply:
        """Pretrain the architecture and return its weights.

        Raises:
            SourceBenchError: there is no such generator.
        """
        from sourcebench.sources.pretraining import Recipe, pretrain

        name, recipe = order.entry["generator"], Recipe.of(order.entry)
        tensors, summary = pretrain(
            name, order.arch, recipe, seed=order.seed, threads=order.threads
        )
        return Supply(
            tensors=tensors,
            normalisation=USUAL,
            origin={"generator": name, "pretraining": summary},
            licence="MIT",
            citation=GENERATORS.get(name).citation,
        )


KINDS.register("insilico")(InSilico())
