"""About how much RxRx1 is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent
from sourcebench.datasets.rxrx1.dataset import RxRx1
from sourcebench.datasets.rxrx1.sites import CHANNELS
from sourcebench.datasets.rxrx1.tables import EXPERIMENTS, PLATES, SIRNAS, SITES, TREATMENTS


@EXTENTS.register("rxrx1")
def extent(dataset: Dataset) -> Extent:
    """Return how many sites there are of the siRNAs that are taken, in six channels.

    An experiment has a treatment in one well, and what else there is in one of each plate.
    """
    chosen = dataset if isinstance(dataset, RxRx1) else None
    sirnas = (chosen and chosen.sirnas) or SIRNAS
    wells = min(sirnas, TREATMENTS) + PLATES * max(0, sirnas - TREATMENTS)
    sites = chosen.sites if chosen else SITES
    return Extent(sum(EXPERIMENTS.values()) * wells * sites, CHANNELS, sirnas)
