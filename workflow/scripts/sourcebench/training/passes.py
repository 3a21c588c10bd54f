"""Many passes with dropout, of the head alone where no other part of a network has any."""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from sourcebench.entropy import negentropy
from sourcebench.models.dropout import Dropping, drops
from sourcebench.seeds import seed_of
from sourcebench.training.measures.base import Columns, Subject, wide

CELLS = 2**22
"""So many numbers are held of all passes at a time: 16 MB in float32."""


class Passes:
    """The mean of T passes with dropout (Gal & Ghahramani, ICML 2016, section 4).

    Batch normalisation keeps its statistics, and stochastic depth takes every path. Where dropout
    is before the head alone, features are computed once, and T masks are drawn once for a network:
    it is one of T subnetworks in each pass, the same for all images. To an image that is the same
    law as masks of its own, whose mean has the same expectation and variance; and what it gets does
    not depend on the images beside it. Where the backbone has dropout too, T whole passes are made,
    whose masks are drawn anew from the same seed for each batch: what an image gets depends on its
    place in the batch and on how many images that has, and on no other batch. Without any dropout
    there is one pass.

    Args:
        subject: the network.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._seed = seed_of(subject.seed, "mc dropout")
        self._inside: bool | None = None

    def __call__(self, features: Tensor, images: Tensor) -> Columns:
        """Return `mcd_class`, `mcd_msr`, `mcd_pe` and `mcd_ee` of B images."""
        if self._inside is None:
            self._inside = drops(self._subject.network.backbone, images)
        sampled = self._whole(images) if self._inside else self._heads(features)
        return summary(sampled)

    @cached_property
    def _masks(self) -> Tensor:
        """What features are multiplied by in each pass: T×F, 0 or 1 / (1 − p); without p once 1."""
        network = self._subject.network
        size, p = network.head.in_features, network.dropout.p
        if p == 0:
            return torch.ones(1, size)
        drawn = torch.rand(
            self._subject.passes, size, generator=torch.Generator().manual_seed(self._seed)
        )
        # With p = 1 nothing is kept, and nothing has to be scaled.
        return (drawn >= p).float() / max(1 - p, torch.finfo(torch.float32).tiny)

    def _heads(self, features: Tensor) -> Iterator[Tensor]:
        """Yield the logits of some passes at a time, t×B×K, from B×F features."""
        head, classes = self._subject.network.head, self._subject.classes
        weight, bias = head.weight[:classes], head.bias[:classes]
        together = max(1, CELLS // (len(features) * max(weight.shape)))
        with torch.autocast(features.device.type, enabled=False):
            for masks in torch.split(self._masks.to(features.device), together):
                yield (features * masks[:, None]) @ weight.T + bias

    def _whole(self, images: Tensor) -> Iterator[Tensor]:
        """Yield the logits of one pass after the other, 1×B×K."""
        network, cards = self._subject.network, [images.device] if images.is_cuda else []
        with torch.random.fork_rng(devices=cards):
            torch.manual_seed(self._seed)
            for _ in range(self._subject.passes):
                with Dropping():
                    logits = network(images)
                yield logits[None, :, : self._subject.classes]


def summary(sampled: Iterator[Tensor]) -> Columns:
    """Return the columns of Monte Carlo dropout.

    Softmaxes are summed pass by pass, in float64: no more than some passes are held at a time.

    Args:
        sampled: logits of some passes at a time, t×B×K, float.

    Returns:
        `mcd_class` (B, int64); `mcd_msr`, `mcd_pe` and `mcd_ee` (B, float64), all on the CPU.
    """
    passes, total, entropies = 0, torch.zeros(()), torch.zeros(())
    for logits in sampled:
        shares = wide(logits).softmax(-1)
        passes += len(shares)
        total = total.to(shares.device) + shares.sum(0)
        entropies = entropies.to(shares.device) + torch.special.entr(shares).sum(-1).sum(0)
    mean = (total / passes).cpu()
    top, called = mean.max(1)
    most = torch.tensor(mean.shape[1], dtype=torch.float64).log()
    return {
        "mcd_class": called,
        "mcd_msr": top,
        "mcd_pe": torch.from_numpy(negentropy(mean.numpy())),
        "mcd_ee": most - entropies.cpu() / passes,
    }
