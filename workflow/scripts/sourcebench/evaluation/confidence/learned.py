"""Scores that a network was trained to give, each by a method of its own.

All lie in [0, 1], and none is the probability that the answer is right: what is learned is the
true class's probability, or what a hint is worth, or how much of a bet is kept.
"""

from sourcebench.evaluation.confidence.base import SCORES, Column


class Learned(Column):
    """What the method says itself."""

    column = "confidence"


class ConfidNet(Learned):
    """The true class's probability, as a second network expects it (Corbière et al. 2019)."""

    title = "ConfidNet"
    method = "confidnet"


class Reservation(Learned):
    """What a gambler bets on the classes: 1 less its reservation (Liu et al., NeurIPS 2019)."""

    title = "DG-Res"
    method = "deep_gamblers"


class Devries(Learned):
    """The network's second output, by which it asked for hints (DeVries & Taylor 2018)."""

    title = "DeVries et al."
    method = "devries"


SCORES.register("confidnet")(ConfidNet())
SCORES.register("dg_res")(Reservation())
SCORES.register("devries")(Devries())
