"""No source: every run starts from random weights of its own."""

from dataclasses import dataclass

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import KINDS, Order, Supply
from sourcebench.sources.stated import Stated


@KINDS.register("random")
@dataclass(frozen=True)
class Random(Stated):
    """Random initialisation, drawn from the fine-tuning run's seed.

    Images are normalised as `mean`, `std`, `range` and `channels` say (see `Normalisation.of`), or
    by the `USUAL` one where the entry has no `mean`. `networks` names the exact network
    per architecture where it is not the plain one, so that it can be that of another source:
    `{kind: random, networks: {resnet50: {builder: keras_resnet50}}}`.
    """

    has_weights = False

    def supply(self, order: Order) -> Supply:
        """Refuse: there is nothing to write.

        Raises:
            SourceBenchError: always.
        """
        raise SourceBenchError(
            f"Source '{order.name}' is random initialisation: it has no file of weights, "
            "fine-tuning draws them from each run's seed."
        )
