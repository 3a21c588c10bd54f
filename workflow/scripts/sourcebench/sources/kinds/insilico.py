"""Weights that the workflow pretrains itself, on generated images."""

from dataclasses import dataclass, fields
from typing import Any

from sourcebench.fingerprints import code_of
from sourcebench.machine import training_mb
from sourcebench.parameters import parameter
from sourcebench.sources.base import KINDS, Order, Supplier, Supply
from sourcebench.sources.generators.base import GENERATORS
from sourcebench.sources.normalisation import USUAL
from sourcebench.sources.recipe import Recipe


@KINDS.register("insilico")
@dataclass(frozen=True)
class InSilico(Recipe, Supplier):
    """Weights that the workflow pretrains itself, supervised, on images that a generator draws.

    `{kind: insilico, generator: dead_leaves, images: 4000, size: 96, epochs: 6, …}`; the recipe
    and the accuracy it reached go on the card.

    Args:
        generator: a name in `GENERATORS`.
    """

    version = 1  # of the pretraining, too: raised when the same recipe gives other weights
    trains = True

    generator: str = parameter(help="what draws the images", choices=GENERATORS)

    @property
    def recipe(self) -> Recipe:
        """The recipe alone, without what the entry says beside it."""
        return Recipe(**{each.name: getattr(self, each.name) for each in fields(Recipe)})

    @property
    def uses_card(self) -> bool:
        """Whether pretraining may use a graphics card."""
        return self.accelerator != "cpu"

    @property
    def memory(self) -> int:
        """About how much memory pretraining takes, MB."""
        return training_mb(self.images, self.size, self.batch_size, card=self.uses_card)

    def fingerprint(self, arch: str) -> Any:
        """Return a digest of the generator's code."""
        return code_of(GENERATORS.get(self.generator).draw)

    def supply(self, order: Order) -> Supply:
        """Pretrain the architecture and return its weights.

        Raises:
            SourceBenchError: there is no card where the recipe asks for one.
        """
        from sourcebench.sources.pretraining import pretrain

        tensors, summary = pretrain(
            self.generator, order.arch, self.recipe, seed=order.seed, threads=order.threads
        )
        return Supply(
            tensors=tensors,
            normalisation=USUAL,
            origin={"generator": self.generator, "pretraining": summary},
            licence="MIT",
            citation=GENERATORS.get(self.generator).citation,
        )
