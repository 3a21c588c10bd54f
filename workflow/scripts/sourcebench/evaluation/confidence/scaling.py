"""The softmax's maximum, made a better probability on the images that a fold validated on.

Both are fitted anew for each network. Where it is right on all of these images there is nothing to
fit by, and both are the maximum as it is; so is Platt's where it is wrong on all of them.
"""

from functools import lru_cache

import numpy as np
from scipy.special import expit, logit, logsumexp, softmax

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.confidence.base import SCORES, Score, Scored, Tested
from sourcebench.evaluation.resampling import Floats

HOTTEST = 100.0
"""The temperature lies between 1 over this, and this."""


class Scaled(Score):
    """What is fitted on validation images."""

    fitted = True
    probability = True


class Temperature(Scaled):
    """The maximum of the softmax of the logits over one temperature (Guo et al., ICML 2017)."""

    title = "Temperature scaling"

    def of(self, tested: Tested) -> Scored:
        """Return the maximum, in [1/K, 1].

        Raises:
            SourceBenchError: there are no validation images, or no temperature was found.
        """
        scaled = tested.logits / temperature(_validation(tested))
        return Scored(softmax(scaled, 1).max(1), tested.logits.argmax(1))


class Platt(Scaled):
    """A logistic regression of "the answer is right" on the maximum's log odds (Platt 1999).

    Its slope may be negative, where a network is right on what it is least sure of.
    """

    title = "Platt scaling"

    def of(self, tested: Tested) -> Scored:
        """Return the probability of a right answer, in [0, 1].

        Raises:
            SourceBenchError: there are no validation images, or the regression did not converge.
        """
        slope, offset = line(_validation(tested))
        return Scored(expit(offset + slope * log_odds(tested)), tested.logits.argmax(1))


@lru_cache(maxsize=8)  # a network's is asked for on every test set
def temperature(validation: Tested) -> float:
    """Return the temperature that makes the labels of some images most likely.

    The negative log-likelihood is convex in its inverse, so that one minimum is the only one. There
    is none where all answers are right: colder is always better. Then it is 1.

    Raises:
        SourceBenchError: the minimisation did not converge.
    """
    from scipy.optimize import minimize_scalar

    logits, labels = validation.logits, validation.labels
    own = logits[np.arange(len(labels)), labels]
    if (own == logits.max(1)).all():
        return 1.0

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float((logsumexp(logits * scale, axis=1) - own * scale).mean())

    widest = np.log(HOTTEST)
    found = minimize_scalar(
        loss, bounds=(-widest, widest), method="bounded", options={"xatol": 1e-8, "maxiter": 500}
    )
    if not found.success:
        raise SourceBenchError(f"temperature scaling did not converge ({found.message}).")
    return float(np.exp(found.x))


@lru_cache(maxsize=8)
def line(validation: Tested) -> tuple[float, float]:
    """Return slope and offset of the log odds of a right answer over the maximum's.

    Least log loss, without a penalty, with Platt's targets: (n₊ + 1) / (n₊ + 2) for each of the n₊
    right answers and 1 / (n₋ + 2) for the others, as scikit-learn's `CalibratedClassifierCV` has
    them. So there is a minimum where no answer is out of line.

    Raises:
        SourceBenchError: the regression did not converge.
    """
    from sklearn.linear_model import LogisticRegression

    right = validation.logits.argmax(1) == validation.labels
    hits, count = int(right.sum()), len(right)
    if hits in (0, count):
        return 1.0, 0.0
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (count - hits + 2))
    odds = log_odds(validation)
    centre, spread = odds.mean(), odds.std()
    if spread == 0:
        return 0.0, float(logit(target.mean()))
    # Each answer twice, as right and as wrong, with what speaks for either.
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    model.fit(
        np.tile((odds - centre) / spread, 2)[:, None],
        np.repeat([1, 0], count),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    if model.n_iter_.max() >= model.max_iter:
        raise SourceBenchError("Platt scaling did not converge.")
    slope = float(model.coef_[0, 0] / spread)
    return slope, float(model.intercept_[0] - slope * centre)


def log_odds(tested: Tested) -> Floats:
    """Return the log odds of the softmax's maximum (N): they do not saturate, as it does."""
    falling = -np.partition(-tested.logits, 0, axis=1)
    odds: Floats = falling[:, 0] - logsumexp(falling[:, 1:], axis=1)
    return odds


def _validation(tested: Tested) -> Tested:
    if tested.validation is None or tested.validation.rows.empty:
        raise SourceBenchError("it is fitted on validation images, and there are none.")
    return tested.validation


SCORES.register("temperature")(Temperature())
SCORES.register("platt")(Platt())
