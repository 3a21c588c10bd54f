"""No source: every run starts from random weights of its own."""

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import KINDS, Kind, Order, Supply


class Random(Kind):
    """Random initialisation, drawn from the fine-tuning run's seed.

    Images are normalised by `Normalisation`'s defaults.
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


KINDS.register("random")(Random())
