"""Scores of many passes with dropout (Gal & Ghahramani, ICML 2016), see `measures.mc_dropout`.

They judge the classes that the mean of the passes' softmaxes calls, which are not always those of
one pass. Entropies are turned round: ln K less the entropy, in [0, ln K].
"""

from sourcebench.evaluation.confidence.base import SCORES, Column


class Passes(Column):
    """What is measured over the passes."""

    measures = ("mc_dropout",)
    called = "mcd_class"


class MaximumOfPasses(Passes):
    """The largest of the K probabilities of the mean softmax, in [1/K, 1]."""

    title = "MCD-MSR"
    column = "mcd_msr"
    probability = True


class EntropyOfPasses(Passes):
    """The entropy of the mean softmax, turned round: predictive entropy."""

    title = "MCD-PE"
    column = "mcd_pe"


class ExpectedEntropy(Passes):
    """The mean of the passes' own entropies, turned round: what is noise in the data itself."""

    title = "MCD-EE"
    column = "mcd_ee"


class GamblersMaximum(MaximumOfPasses):
    """The same of a network that was trained to gamble, its reservation left out."""

    title = "DG-MCD-MSR"
    method = "deep_gamblers"


SCORES.register("mcd_msr")(MaximumOfPasses())
SCORES.register("mcd_pe")(EntropyOfPasses())
SCORES.register("mcd_ee")(ExpectedEntropy())
SCORES.register("dg_mcd_msr")(GamblersMaximum())
