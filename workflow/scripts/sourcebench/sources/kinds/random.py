"""No source: every run starts from random weights of its own."""

from typing import ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import KINDS, NETWORKS, Kind, Order, Schema, Supply


class Random(Kind):
    """Random initialisation, drawn from the fine-tuning run's seed.

    Images are normalised by `Normalisation`'s defaults. `networks` names the exact network per
    architecture where it is not the plain one, so that it can be that of another source:
    `{kind: random, networks: {resnet50: {builder: keras_resnet50}}}`.
    """

    has_weights = False
    properties: ClassVar[Schema] = {"networks": NETWORKS}
    by_arch = ("networks",)

    def supply(self, order: Order) -> Supply:
        """Refuse: there is nothing to write.

        Raises:
            SourceBenchError: always.
        """
        raise SourceBenchError(
            f"Source '{order.name}' is random initialisation: it has no file of weights, "
            "fine-tuning draws them from each run's seed."
        )


KINDS.register("random")(Random())
