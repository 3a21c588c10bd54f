"""Augmentation as Keras' `ImageDataGenerator` does it, over a whole batch on the device."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """Random affine maps: rotation, shift, shear and zoom (Source Matters, section 2.2), mirroring.

    Args:
        rotation: largest angle, degrees.
        shift: largest shift along each axis, fraction of the side.
        shear: largest shear angle, degrees: what Keras makes of `shear_range=0.1` is 0.1 degrees.
        zoom: each axis is zoomed by a factor of its own from [1 − zoom, 1 + zoom].
        flip: probability that left and right are exchanged, after all that.
    """

    rotation: float = 10.0
    shift: float = 0.1
    shear: float = 0.1
    zoom: float = 0.1
    flip: float = 0.0

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw `n` maps from output to input coordinates, as `affine_grid` takes them.

        Keras multiplies rotation · shift · shear · zoom in (row, column) coordinates about the
        image's centre; this is the same product in (x, y) coordinates that run from −1 to 1.

        Args:
            n: number of maps.
            generator: a CPU generator; drawing there gives the same maps on every device.

        Returns:
            n×2×3, float32, on the CPU.
        """
        uniform = torch.rand(6, n, generator=generator, dtype=torch.float64) * 2 - 1
        angle = uniform[0] * math.radians(self.rotation)
        rows, columns = uniform[1] * self.shift, uniform[2] * self.shift
        shear = uniform[3] * math.radians(self.shear)
        zoom_rows, zoom_columns = 1 + uniform[4] * self.zoom, 1 + uniform[5] * self.zoom
        cos, sin = angle.cos(), angle.sin()
        # Rotation · shear · zoom, entry by entry, in (row, column) order.
        row_row = cos * zoom_rows
        row_column = (-cos * shear.sin() - sin * shear.cos()) * zoom_columns
        column_row = sin * zoom_rows
        column_column = (-sin * shear.sin() + cos * shear.cos()) * zoom_columns
        row_shift = 2 * (cos * rows - sin * columns)
        column_shift = 2 * (sin * rows + cos * columns)
        theta = torch.stack(
            [
                torch.stack([column_column, column_row, column_shift], -1),
                torch.stack([row_column, row_row, row_shift], -1),
            ],
            1,
        )
        if self.flip:  # drawn last, and only then: without it the other maps stay as they were
            mirrored = torch.rand(n, generator=generator, dtype=torch.float64) < self.flip
            theta[mirrored, :, 0] *= -1
        return theta.float()


def warp(images: Tensor, theta: Tensor) -> Tensor:
    """Apply one affine map to each image, bilinearly; the outside repeats the nearest edge pixel.

    Args:
        images: N×H×W×C, float, on any device.
        theta: N×2×3, see `Augmentation.draw`.

    Returns:
        N×H×W×C, float32.
    """
    grid = functional.affine_grid(
        theta.to(images.device, non_blocking=images.is_cuda),
        [len(images), 1, *images.shape[1:3]],
        align_corners=False,
    )
    warped = functional.grid_sample(
        images.movedim(-1, 1), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return warped.movedim(1, -1)
