"""Full fine-tuning."""

from dataclasses import dataclass

from sourcebench.training.transfer.base import TRANSFERS, Transfer


@TRANSFERS.register("full")
@dataclass(frozen=True)
class Full(Transfer):
    """Everything starts from the source and is fine-tuned (Source Matters, section 2.2)."""

    title = "Full fine-tuning"


FULL = Full()
