"""How in-silico sources are pretrained."""

from __future__ import annotations

from dataclasses import dataclass

from sourcebench.parameters import parameter


@dataclass(frozen=True)
class Recipe:
    """How to pretrain.

    Args:
        images: number of generated images, training and validation together.
        size: side of the images in pixels.
        epochs: passes over the training images.
        batch_size: images per step.
        lr: peak learning rate of the one-cycle schedule.
        weight_decay: of AdamW.
        validation: share of the images that is kept for validation, in (0, 0.5].
        accelerator: 'cpu', 'gpu', or 'auto' for a card where there is one.
    """

    images: int = parameter(help="how many, training and validation together", low=20)
    size: int = parameter(unit="px", help="side of the generated images", low=32)
    epochs: int = parameter(help="passes over the training images", low=1)
    batch_size: int = parameter(64, help="images per step", low=2)
    lr: float = parameter(
        1e-3, help="peak learning rate of the one-cycle schedule", above=0, high=1
    )
    weight_decay: float = parameter(0.01, help="of AdamW", low=0)
    validation: float = parameter(
        0.1, help="share of the images that is kept for validation", above=0, high=0.5
    )
    accelerator: str = parameter(
        "auto",
        help="where it is pretrained; auto is a card where there is one",
        choices=("auto", "cpu", "gpu"),
    )
