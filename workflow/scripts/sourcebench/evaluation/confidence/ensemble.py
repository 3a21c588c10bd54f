"""Scores of all networks of a cell together."""

import numpy as np
from scipy.special import softmax

from sourcebench.evaluation.confidence.base import SCORES, Score, Scored, Tested


class EnsembleMaximum(Score):
    """The largest probability of the networks' mean softmax (Lakshminarayanan et al. 2017).

    The networks are those of a cell, over folds and repeats. They differ in their seed and, over
    folds, in a part of their training images; what they start from is the same.
    """

    title = "Ensemble MSR"
    probability = True
    of_cell = True

    def of(self, tested: Tested) -> Scored:
        """Return the maximum, in [1/K, 1], and the classes that the mean softmax calls."""
        members = tested.members or (tested,)
        mean = np.mean([softmax(each.logits, 1) for each in members], axis=0)
        return Scored(mean.max(1), mean.argmax(1))


SCORES.register("ensemble_msr")(EnsembleMaximum())
