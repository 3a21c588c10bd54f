"""Scores by how near an image's features are to those of the run's own training images."""

from sourcebench.evaluation.confidence.base import SCORES, Column


class Mahalanobis(Column):
    """Minus the distance to the nearest class, in its spread (Lee et al., NeurIPS 2018)."""

    title = "Mahalanobis"
    measures = ("mahalanobis",)
    column = "mahalanobis"


class Neighbours(Column):
    """Minus the distance to the k-th nearest training image (Sun et al., ICML 2022)."""

    title = "Nearest neighbours"
    measures = ("neighbours",)
    column = "neighbours"


SCORES.register("mahalanobis")(Mahalanobis())
SCORES.register("neighbours")(Neighbours())
