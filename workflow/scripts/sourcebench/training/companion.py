"""A network beside the classifier."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Companion(nn.Module, ABC):
    """A network beside the classifier, which says how confident the classifier may be."""

    @abstractmethod
    def confidence(self, images: Tensor, features: Tensor) -> Tensor:
        """Return the confidence in the classifier's answers.

        Args:
            images: N×C×H×W, normalised.
            features: N×F, what the classifier's head takes of them.

        Returns:
            N, float64, in [0, 1].
        """
