"""A run's images: one uint8 tensor on the device, no worker processes."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytorch_lightning as lightning
import torch
from torch import Tensor

from sourcebench import files, imaging
from sourcebench.design import NONE
from sourcebench.seeds import seed_of
from sourcebench.sources import Normalisation
from sourcebench.training.augmentation import Augmentation, warp


class Layers:
    """A task's arrays: its images as they are, and with each artifact that is drawn into them.

    Args:
        samples: path of `samples.csv`; its row i is image i of every array, but of those that have
            the test images alone: of these the i-th test image is.
        base: path of the images as they are, uint8, N×H×W, or N×H×W×C of several channels: the
            layer 'none'.
        drawn: layer → path of the images with an artifact.
    """

    def __init__(self, samples: Path, base: Path, drawn: Mapping[str, Path]) -> None:
        table = files.read_table(samples)
        every = _places(table["image_id"])
        paths = {NONE: base, **drawn}
        self._arrays = {
            name: imaging.with_channels(files.load_array(path)) for name, path in paths.items()
        }
        self._rows = {
            name: every
            if len(array) == len(every)
            else _places(table.loc[table["role"] == "test", "image_id"])
            for name, array in self._arrays.items()
        }

    @classmethod
    def of(cls, samples: str, base: str, drawn: Iterable[str]) -> Self:
        """Make them from a rule's inputs: a layer is called as the folder that it lies in."""
        paths = map(Path, drawn)
        return cls(Path(samples), Path(base), {path.parent.name: path for path in paths})

    @property
    def side(self) -> int:
        """The images' side in px."""
        return int(self._arrays[NONE].shape[1])

    @property
    def channels(self) -> int:
        """The images' number of channels, 1 if they are grey."""
        return int(self._arrays[NONE].shape[3])

    def read(self, image_ids: pd.Series, layers: pd.Series) -> Tensor:
        """Return images as one tensor.

        Args:
            image_ids: file names.
            layers: the array of each, as a design says.

        Returns:
            N×H×W×C, uint8, on the CPU.
        """
        shape = self._arrays[NONE].shape[1:]
        images = np.empty((len(image_ids), *shape), np.uint8)
        for name in layers.unique():
            here = (layers == name).to_numpy()
            positions = self._rows[name][image_ids[here]].to_numpy()
            images[here] = self._arrays[name][positions]
        return torch.from_numpy(images)


def _places(image_ids: pd.Series) -> pd.Series:
    """Return the row of each image in an array, by its name."""
    return pd.Series(np.arange(len(image_ids)), index=image_ids)


class Batches:
    """Batches of indices, the same in each epoch or in an order that is new each time.

    A single image that would be left over joins the last batch: a training step would normalise
    it by its own statistics, and those would count as much as a whole batch's (225 images are
    7 × 32 + 1). Any other number makes a smaller last batch, as in Keras.

    Args:
        indices: N, int64.
        size: images per batch.
        generator: draws the order; None: the indices' own.
    """

    def __init__(self, indices: Tensor, size: int, generator: torch.Generator | None) -> None:
        self.indices, self.generator = indices, generator
        whole, rest = divmod(len(indices), size)
        self.sizes = [size] * whole + [rest] * (rest > 0)
        if whole and rest == 1:
            self.sizes[-2:] = [size + 1]

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[Tensor]:
        indices = self.indices
        if self.generator is not None:
            indices = indices[torch.randperm(len(indices), generator=self.generator)]
        return iter(torch.split(indices, self.sizes))


class RunData(lightning.LightningDataModule):
    """Training and validation images of a run.

    The images stay on the device as uint8; a batch is a draw of indices, and everything that
    happens to it (gathering, augmentation, normalisation) happens there, over the whole batch.

    Args:
        images: N×H×W×C, uint8.
        labels: N, int64, in [0, K).
        validation: N, bool: which images are for validation.
        normalisation: what the weights want to see.
        augmentation: for the training images.
        batch_size: images per batch.
        seed: of the order and of the augmentation.
        groups: N, int64, in [0, 2K): twice the label, and 1 more if the image carries the artifact;
            None if none does.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        validation: Tensor,
        normalisation: Normalisation,
        augmentation: Augmentation,
        batch_size: int,
        seed: int,
        groups: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.images, self.labels = images, labels
        self.groups = 2 * labels if groups is None else groups
        self.indices = {
            "train": (~validation).nonzero().squeeze(1),
            "val": validation.nonzero().squeeze(1),
        }
        self.normalisation, self.augmentation = normalisation, augmentation
        self.batch_size = batch_size
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Draw order and augmentation anew from here on, from another seed."""
        self._order = torch.Generator().manual_seed(seed_of(seed, "order"))
        self._maps = torch.Generator().manual_seed(seed_of(seed, "augmentation"))

    def to(self, device: torch.device) -> None:
        """Move the images, labels and groups to a device."""
        self.images, self.labels = self.images.to(device), self.labels.to(device)
        self.groups = self.groups.to(device)

    def group_sizes(self, classes: int) -> tuple[int, ...]:
        """Return how many training images each of the groups of K classes has (2K)."""
        groups = self.groups[self.indices["train"].to(self.groups.device)]
        return tuple(torch.bincount(groups, minlength=2 * classes).tolist())

    def train_dataloader(self) -> Batches:
        """Return batches of indices in a new order each epoch."""
        return Batches(self.indices["train"], self.batch_size, self._order)

    def val_dataloader(self) -> Batches:
        """Return batches of indices, as large as those of the training."""
        return Batches(self.indices["val"], self.batch_size, None)

    def batch(self, indices: Tensor, *, augment: bool) -> tuple[Tensor, Tensor]:
        """Return a batch as the network takes it.

        Args:
            indices: B, int64.
            augment: whether to draw an affine map for each image.

        Returns:
            B×3×H×W float32 (channels_last), B×C×H×W of as many channels as the normalisation's
            where these are not three, and B int64 labels.
        """
        indices = indices.to(self.images.device, non_blocking=self.images.is_cuda)
        images = self.images[indices]
        if augment:
            maps = self.augmentation.draw(len(indices), self._maps)
            images = warp(images.float(), maps)
        return self.normalisation(images), self.labels[indices]

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        """Leave the indices where they are: the images are on the device already."""
        return batch

    def on_after_batch_transfer(self, batch: Tensor, dataloader_idx: int) -> Any:
        """Turn a batch of indices into images, labels and groups."""
        training = self.trainer is not None and self.trainer.training
        there = batch.to(self.images.device, non_blocking=self.images.is_cuda)
        return *self.batch(there, augment=training), self.groups[there]
