"""Monte Carlo dropout."""

from sourcebench.training.measures.base import MEASURES, Instrument, Measure, Subject


class MonteCarloDropout(Measure):
    """What the mean of many passes with dropout says (Gal & Ghahramani, ICML 2016).

    `mcd_class` is the class of the largest mean softmax, `mcd_msr` that maximum in [1/K, 1],
    `mcd_pe` ln K less the entropy of the mean softmax, and `mcd_ee` ln K less the passes' mean
    entropy, both in nats and in [0, ln K]. See `training.passes`.
    """

    columns = ("mcd_class", "mcd_msr", "mcd_pe", "mcd_ee")
    sampled = True

    def of(self, subject: Subject) -> Instrument:
        """Return what samples a network's dropout."""
        from sourcebench.training.passes import Passes

        return Passes(subject)


MEASURES.register("mc_dropout")(MonteCarloDropout())
