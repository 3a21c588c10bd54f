"""Entries of a config: datasets, published splits, and how networks are trained."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from sourcebench.datasets import base
from sourcebench.errors import SourceBenchError, nearest
from sourcebench.schemas import known

Entry = Mapping[str, Any]

MIRRORING = {"flip": 0.0}
"""What an augmentation is that doesn't say it."""


@dataclass(frozen=True)
class Dataset:
    """A dataset of the config.

    Attributes:
        name: of the entry.
        entry: as its kind takes it, see `datasets.base.build`.
    """

    name: str
    entry: Entry

    @cached_property
    def built(self) -> base.Dataset:
        """What the entry describes. One that no task has chosen need not describe anything."""
        return base.build(self.name, self.entry)

    @property
    def origin(self) -> str:
        """Where its images come from: 'download', 'phantoms', 'path', or 'parts' for a pool."""
        return self.built.origin

    @property
    def path(self) -> str | None:
        """The user's own folder of images, or those of a pool's parts; None with other origins."""
        folders = [each.folder for each in (self.built, *self.built.members.values())]
        return " ".join(str(each) for each in folders if each) or None

    def check(self) -> None:
        """Check what only a chosen dataset has to fulfil.

        Raises:
            SourceBenchError: an unknown kind or key, a wrong value, or no folder of images.
        """
        key = f"datasets.{self.name}"
        known(f"{key}.kind", [self.entry["kind"]], base.KINDS.names())
        for dataset in (self.built, *self.built.members.values()):
            if dataset.folder and not dataset.folder.is_dir():
                raise SourceBenchError(
                    f"{dataset.key}.path is '{dataset.folder}', {_instead(dataset.folder)}; with "
                    "origin 'path' it must be a folder that holds the images."
                )


def _instead(folder: Path) -> str:
    """Return what is there instead of a folder."""
    if folder.exists():
        return "which is a file"
    beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
    near = nearest(str(folder), (str(each) for each in beside if each.is_dir()))
    return f"and there is no such folder{near}"


@dataclass(frozen=True)
class Splits:
    """Splits that somebody published.

    Attributes:
        name: of the entry.
        entry: as `design.published.fetch` takes it.
    """

    name: str
    entry: Entry

    @property
    def may_leak(self) -> bool:
        """Whether patients on both sides of a split are accepted."""
        return bool(self.entry.get("leaks") == "accept")


@dataclass(frozen=True)
class Training:
    """How networks are trained: see `training` in config/README.md."""

    epochs: int
    patience: int
    learning_rate: float
    dropout: float
    batch_norm_momentum: float
    augmentation: Mapping[str, float]
    precision: str
    accelerator: Literal["auto", "cpu", "gpu"]
    threads: int = 4
    keep_checkpoints: Literal["shared", "all", "none"] = "shared"
    optimiser: str = "keras_adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    clip: float | None = None
    choose: str = "best"

    @classmethod
    def of(cls, entry: Entry, own: Entry | None = None) -> "Training":
        """Return how the networks of a study, or of one of its tasks, are trained.

        Args:
            entry: `training` of the config.
            own: the task's `training`, which goes before it, key by key.
        """
        own = own or {}
        augmentation = {**entry["augmentation"], **own.get("augmentation", {})}
        return cls(**{**entry, **own, "augmentation": {**MIRRORING, **augmentation}})

    @property
    def cards(self) -> int:
        """How many graphics cards a run may use: 0 or 1."""
        return int(self.accelerator != "cpu")

    @property
    def recipe(self) -> dict[str, Any]:
        """All that says how a run computes, as `Recipe.of` takes it."""
        return {k: v for k, v in asdict(self).items() if k not in ("threads", "keep_checkpoints")}

    @property
    def deciding(self) -> dict[str, Any]:
        """What of the recipe decides a network, and not where it is computed.

        A key that has a default counts where it says something else: networks that were trained
        before there was the key stay what they are.
        """
        usual = {each.name: each.default for each in fields(self) if each.default is not MISSING}
        said = self.recipe | {"augmentation": _without(self.augmentation, MIRRORING)}
        return {k: v for k, v in _without(said, usual).items() if k != "accelerator"}


def _without(entry: Entry, usual: Entry) -> dict[str, Any]:
    """Return what an entry says that is not usual."""
    return {key: value for key, value in entry.items() if usual.get(key, MISSING) != value}
