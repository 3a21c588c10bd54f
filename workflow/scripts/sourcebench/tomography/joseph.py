"""Joseph's projector and its adjoint, in PyTorch: on a CPU, on CUDA, on Apple's MPS.

A ray that is nearer to vertical takes from every row of pixels what linear interpolation between
the two pixels beside it gives; one that is nearer to horizontal, from every column (Joseph, IEEE
Transactions on Medical Imaging, 1982). So the line integrals are a sparse matrix times the image,
with 240 million numbers other than zero for 362² pixels and 1000 angles.

An eighth of it is enough. The angles φ, π/2 - φ, π/2 + φ and π - φ see the same pixels, of an image
that is mirrored or turned by 90°; the offsets s and -s do, of one that is turned by 180°. The rays
of φ in [0, π/4] and s ≥ 0 are summed for all eight orientations of an image at once, which lie side
by side in memory. On the way back, half of the pixels are summed for four sinograms and their
mirrors.

Every sum runs in a fixed order, so that the result doesn't depend on the number of threads. The
matrix is computed on the CPU in float64, which MPS lacks: processors only differ in rounding.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

Singles: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.intp]
Rows: TypeAlias = tuple[npt.NDArray[np.int32], Singles, Whole]
"""Of a sparse matrix: columns and numbers, row after row, and how many numbers each row has."""

PART = 2**26
"""Most numbers of a matrix that are kept, of 8 bytes each; a larger one is remade part by part."""

ONE_AT_A_TIME = threading.RLock()
"""Held by a thread that makes a matrix, so that it is there once, or that computes on a card."""


@dataclass(frozen=True)
class Sums:
    """A sparse matrix on a device: weighted sums over rows of a table.

    Args:
        columns: which rows of the table, one sum after the other; int32.
        weights: of each of them, float32.
        starts: where each sum begins, int32.
    """

    columns: Tensor
    weights: Tensor
    starts: Tensor

    @classmethod
    def of(cls, blocks: Iterable[Rows], device: str) -> "Sums":
        """Join the rows of a matrix, and bring them to a device."""
        columns, weights, lengths = map(np.concatenate, zip(*blocks, strict=True))
        starts = (np.cumsum(lengths) - lengths).astype(np.int32)
        return cls(*(torch.from_numpy(given).to(device) for given in (columns, weights, starts)))

    def __call__(self, table: Singles) -> Singles:
        """Return the sums, S×C, of a table of R×C."""
        rows = torch.from_numpy(table).to(self.columns.device)
        sums: Singles = (
            embedding_bag(
                self.columns, rows, self.starts, per_sample_weights=self.weights, mode="sum"
            )
            .cpu()
            .numpy()
        )
        return sums


@dataclass(frozen=True)
class Joseph:
    """Parallel rays over half a turn, in pixels; a detector's are as wide as the image's.

    Args:
        side: of the image.
        detectors: how many pixels a detector has: an odd number, no less than the image's diagonal.
        angles: projections, equally spaced over [0, π).
        device: 'cpu', 'cuda' or 'mps'.
    """

    side: int
    detectors: int
    angles: int
    device: str

    @cached_property
    def _folded(self) -> tuple[Doubles, Whole, Whole]:
        """Angles in [0, π/4]; which of these each angle is, and in which orientation."""
        # In units of π/(2·angles) all are whole numbers: none is there twice by rounding.
        right, angle = self.angles, 2 * np.arange(self.angles)
        orientation = np.searchsorted(np.array([0.5, 1, 1.5]) * right, angle)
        ways = [angle, right - angle, angle - right, 2 * right - angle]
        units, which = np.unique(np.choose(orientation, ways), return_inverse=True)
        return units * np.float64(np.pi / (2 * right)), which, orientation

    @cached_property
    def parts(self) -> list[Doubles]:
        """The folded angles, in as few parts as there may be."""
        angles = self._folded[0]
        return np.array_split(angles, -(-len(angles) * self.side**2 // PART))

    def project(self, image: Singles) -> Singles:
        """Return the line integrals, angles×detectors, of an image, side×side."""
        _, which, orientation = self._folded
        ways = image, image[::-1, ::-1].T, image[::-1].T, image[:, ::-1]
        upright = np.stack([way.ravel() for way in ways], axis=-1)
        table = _side_by_side(upright, upright[::-1])
        with self._turn():
            parts = [self._matrix(_rays, part)(table) for part in range(len(self.parts))]
        half = np.concatenate(parts).reshape(-1, self.detectors // 2 + 1, 4, 2)
        lines = np.concatenate([half[:, :0:-1, :, 1], half[..., 0]], axis=1)
        return np.ascontiguousarray(lines[which, :, orientation])

    def backproject(self, sinogram: Singles) -> Singles:
        """Return the adjoint: angles×detectors to side×side."""
        angles, which, orientation = self._folded
        lines = np.zeros((len(angles), self.detectors, 4), np.float32)
        lines[which, :, orientation] = sinogram
        half = np.zeros((-(-(self.side**2) // 2), 8), np.float32)
        with self._turn():
            for part, some in enumerate(np.array_split(lines, len(self.parts))):
                half += self._matrix(_pixels, part)(_side_by_side(some, some[:, ::-1]))
        upright, turned = np.moveaxis(half.reshape(-1, 4, 2), -1, 0)
        whole = np.concatenate([upright, turned[: self.side**2 // 2][::-1]])
        ways = np.moveaxis(whole.reshape(self.side, self.side, 4), -1, 0)
        image: Singles = ways[0] + ways[1][::-1, ::-1].T + ways[2].T[::-1] + ways[3][:, ::-1]
        return image

    def _turn(self) -> AbstractContextManager[object]:
        """Wait for one's turn; on the CPU, threads share a matrix that is kept."""
        shared = self.device == "cpu" and len(self.parts) == 1
        return nullcontext() if shared else ONE_AT_A_TIME

    def _matrix(self, make: "Callable[[Joseph, int], Sums]", part: int) -> Sums:
        with ONE_AT_A_TIME:
            return make(self, part)


def _side_by_side(upright: Singles, turned: Singles) -> Singles:
    """Lay two arrays that hold four orientations, …×4, side by side: N×8."""
    return np.stack([upright, turned], axis=-1).reshape(-1, 8)


@lru_cache(maxsize=1)
def _rays(joseph: Joseph, part: int) -> Sums:
    """Return the sums over pixels that make the rays of s ≥ 0, angle by angle."""
    return Sums.of(_rows_of_rays(joseph, joseph.parts[part]), joseph.device)


@lru_cache(maxsize=1)
def _pixels(joseph: Joseph, part: int) -> Sums:
    """Return the sums over rays that make the first half of the pixels."""
    return Sums.of(_rows_of_pixels(joseph, joseph.parts[part]), joseph.device)


def _rows_of_rays(joseph: Joseph, angles: Doubles) -> Iterator[Rows]:
    side, centre = joseph.side, (joseph.side - 1) / 2
    offset = np.arange(joseph.detectors // 2 + 1)[:, None]
    y = centre - np.arange(side)
    for angle in angles:
        # Where each ray crosses each row, counted in columns.
        x = offset / np.cos(angle) - y * np.tan(angle) + centre
        crosses = (x > -1) & (x < side)
        columns, weights = _neighbours(x[crosses], np.cos(angle), 1.0)
        weights[(columns < 0) | (columns >= side)] = 0
        row = crosses.nonzero()[1].astype(np.int32)
        columns = columns.clip(0, side - 1) + row[:, None] * np.int32(side)
        yield columns.ravel(), weights.ravel(), 2 * crosses.sum(1)


def _rows_of_pixels(joseph: Joseph, angles: Doubles) -> Iterator[Rows]:
    side, centre = joseph.side, (joseph.side - 1) / 2
    half, cos = -(-(side**2) // 2), np.cos(angles)
    first = np.arange(len(angles), dtype=np.int32)[:, None] * np.int32(joseph.detectors)
    for start in range(0, half, side):
        row, column = np.divmod(np.arange(start, min(start + side, half)), side)
        x, y = column - centre, centre - row
        offset = np.multiply.outer(x, cos) + np.multiply.outer(y, np.sin(angles))
        columns, weights = _neighbours(offset + joseph.detectors // 2, cos, cos)
        columns += first
        yield columns.ravel(), weights.ravel(), np.full(len(row), 2 * len(angles))


def _neighbours(
    place: Doubles, cos: npt.ArrayLike, reach: npt.ArrayLike
) -> tuple[npt.NDArray[np.int32], Singles]:
    """Return the two whole numbers beside each place, and their weights.

    Args:
        place: any shape.
        cos: of the angle. A ray crosses a row on a length of 1/cos px, which is what it weighs if
            it goes through a pixel's centre.
        reach: where the weight is zero: 1 for places in a row of pixels, cos for those on a
            detector, on which that row's pixels lie closer.

    Returns:
        Two arrays, shape×2.
    """
    left = np.floor(place)
    beyond = (place - left).astype(np.float32)
    height = np.divide(1, cos)[..., None].astype(np.float32)
    slope = np.divide(height, np.asarray(reach)[..., None]).astype(np.float32)
    pair = np.stack([beyond, 1 - beyond], axis=-1)
    weights = np.maximum(height - pair * slope, 0)
    return np.stack([left, left + 1], axis=-1).astype(np.int32), weights
