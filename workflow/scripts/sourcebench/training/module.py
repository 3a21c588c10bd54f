"""The network in fine-tuning: its steps, its optimiser, and what is watched."""

from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import EarlyStopping
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.classification import binary_auroc

from sourcebench.models.classifier import Classifier
from sourcebench.training.companion import Companion
from sourcebench.training.methods import CROSS_ENTROPY, Method, Plan, procedure_of
from sourcebench.training.optimiser import KERAS_ADAM, Descent
from sourcebench.training.transfer import FULL, Transfer

THRESHOLDS, EDGE = 200, 1e-7
"""Keras' defaults: the first threshold is just below 0, the last just above 1."""


TWO_CLASSES = Plan()


class FineTuner(lightning.LightningModule):
    """A method's loss, minimised by Adam (Source Matters, section 2.2).

    Logs `train_loss`, and of the whole validation set `val_loss` (the mean loss), `val_auroc` (of
    the ranking, see `auroc`) and `val_auc_keras` (see `auc_keras`).

    Args:
        network: maps B×C×H×W to the outputs that the method wants, B×K or more.
        learning_rate: of Adam.
        transfer: says which parameters are trained, how fast, and what stays in evaluation mode.
        method: says what is minimised.
        plan: of the training; says how many classes the network tells apart, K.
        descent: the optimiser, and its learning rate over time.

    Attributes:
        companion: a network beside it that knows how confident it may be, once there is one.
    """

    companion: Companion | None

    def __init__(
        self,
        network: Classifier,
        learning_rate: float,
        transfer: Transfer = FULL,
        method: Method = CROSS_ENTROPY,
        plan: Plan = TWO_CLASSES,
        descent: Descent = KERAS_ADAM,
    ) -> None:
        super().__init__()
        self.network = network
        self.learning_rate = learning_rate
        self.transfer = transfer
        self.procedure = procedure_of(method)
        self.objective = self.procedure.objective(plan)
        self.classes = plan.classes
        self.companion = None
        self.descent = descent
        self._validation: list[tuple[Tensor, Tensor]] = []

    def on_train_epoch_start(self) -> None:
        """Keep out of training mode what the transfer keeps out of it; say which epoch it is."""
        self.objective.epoch_begins(self.current_epoch + 1)
        self.transfer.settle(self.network)

    def configure_optimizers(self) -> Any:
        """Return the optimiser, and its schedule over the trainer's epochs."""
        groups = self.transfer.groups(self.network, self.learning_rate)
        return self.descent.configured(
            groups, self.learning_rate, lambda: self.trainer.max_epochs or 1
        )

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        """Return the loss of a batch of images, labels and groups."""
        images, labels, groups = batch
        loss = self.objective.training(self.network(images), labels, groups)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Keep the batch's outputs until the epoch ends."""
        images, labels, _groups = batch
        self._validation.append((self.network(images), labels))

    def on_validation_epoch_end(self) -> None:
        """Log loss and AUROC of the whole validation set."""
        # On the CPU: sorting and summing there is the same every time.
        outputs = torch.cat([outputs for outputs, _ in self._validation]).cpu()
        labels = torch.cat([labels for _, labels in self._validation]).cpu()
        self._validation.clear()
        logits = outputs[:, : self.classes]
        self.log("val_loss", self.objective.validation(outputs, labels))
        self.log("val_auroc", auroc(logits, labels))
        self.log("val_auc_keras", auc_keras(logits, labels))

    def confidence(self, images: Tensor, features: Tensor, outputs: Tensor) -> Tensor | None:
        """Return how confident the method says that the network may be.

        Args:
            images: N×C×H×W, normalised.
            features: N×F, the backbone's.
            outputs: N×`outputs(K)`, the head's.

        Returns:
            N, float64, in [0, 1]; None where the method says nothing.
        """
        if self.companion is not None:
            return self.companion.confidence(images, features)
        return self.procedure.confidence(outputs)


def auroc(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the area under the ROC curve of N×K logits and N labels in [0, K).

    With two classes it is that of the positive one, with more the mean over all of them, each
    against the rest by its log odds (see `margin`).
    """
    if logits.shape[1] == 2:
        return _area(margin(logits, 1), labels)
    odds = margins(logits).T.contiguous()
    areas = [_area(each, (labels == label).long()) for label, each in enumerate(odds)]
    return torch.stack(areas).mean()


def margin(logits: Tensor, label: int) -> Tensor:
    """Return the log odds (N) of a class in N×K logits: its own less all the others' together.

    They rank as its share of the softmax does, and never saturate.
    """
    others = torch.cat([logits[:, :label], logits[:, label + 1 :]], 1)
    return logits[:, label] - others.logsumexp(1)


def margins(logits: Tensor) -> Tensor:
    """Return the log odds (N×K, float64) of all classes at once, see `margin`.

    The rest of a class is the sum of all less its own, but for the largest, of which nothing might
    be left.
    """
    wide = logits.double()
    top, largest = wide.max(1, keepdim=True)
    shares = (wide - top).exp()
    rest = (shares.sum(1, keepdim=True) - shares).log() + top
    others = wide.scatter(1, largest, -torch.inf).logsumexp(1, keepdim=True)
    return wide - rest.scatter(1, largest, others)


def _area(margins: Tensor, labels: Tensor) -> Tensor:
    """Return the area under the ROC curve of margins (N, float), labels being 0 or 1.

    Of their ranks: torchmetrics would take a sigmoid of them, at whose ends float32 ties them.
    """
    ranks = torch.unique(margins, return_inverse=True)[1]
    return binary_auroc(ranks / max(1, int(ranks.max())), labels)


def auc_keras(logits: Tensor, labels: Tensor) -> Tensor:
    """Return what Keras' metric AUC watches over N×K logits and N labels in [0, K).

    That is the micro-average over all columns of the softmax, at 200 thresholds. Unlike the AUROC
    it goes on growing while a network that ranks without fault becomes more sure of itself.
    """
    inner = torch.arange(1, THRESHOLDS - 1) / (THRESHOLDS - 1)
    thresholds = torch.cat([torch.tensor([-EDGE]), inner, torch.tensor([1 + EDGE])])
    trust = logits.float().softmax(1)
    true = functional.one_hot(labels, logits.shape[1]).bool()

    def share_above(values: Tensor) -> Tensor:
        below = torch.searchsorted(values.sort().values, thresholds, right=True)
        return 1 - below / len(values)

    return -torch.trapezoid(share_above(trust[true]), share_above(trust[~true]))


class LastWeights(lightning.Callback):
    """Leave a network with the weights of the last epoch.

    Attributes:
        epoch: the epoch of the weights that are left, from 1 on; 0 before any.
    """

    def __init__(self) -> None:
        self.epoch = 0

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Count the epoch."""
        self.epoch = trainer.current_epoch + 1


class BestWeights(LastWeights):
    """Keep the weights of the best epoch in memory, and put them back after training.

    Args:
        monitor: what is watched.
        mode: 'min' or 'max'.
        first: the first epoch, from 1 on, that may be the best.
    """

    def __init__(self, monitor: str, mode: str, first: int = 1) -> None:
        super().__init__()
        self.monitor, self.sign, self.first = monitor, 1.0 if mode == "max" else -1.0, first
        self.best = float("-inf")
        self._weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Copy the weights if they are the best so far."""
        if trainer.current_epoch + 1 < self.first:
            return
        value = self.sign * float(trainer.callback_metrics[self.monitor])
        if value > self.best or not self._weights:
            self.best, self.epoch = value, trainer.current_epoch + 1
            self._weights = {
                name: tensor.detach().clone() for name, tensor in pl_module.state_dict().items()
            }

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Restore the best weights."""
        if self._weights:
            pl_module.load_state_dict(self._weights)


class Patience(EarlyStopping):
    """End the training after so many epochs without improvement.

    Args:
        monitor: what is watched.
        mode: 'min' or 'max'.
        patience: epochs.
        first: the first epoch, from 1 on, that counts.
    """

    def __init__(self, monitor: str, mode: str, patience: int, first: int = 1) -> None:
        super().__init__(monitor, mode=mode, patience=patience)
        self.first = first

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Look, unless it is too early."""
        if trainer.current_epoch + 1 >= self.first:
            super().on_train_epoch_end(trainer, pl_module)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Look, unless it is too early."""
        if trainer.current_epoch + 1 >= self.first:
            super().on_validation_end(trainer, pl_module)


COLUMNS = ("train_loss", "val_loss", "val_auroc", "val_auc_keras")


class History(lightning.Callback):
    """Record each epoch, and say it in a line.

    Attributes:
        rows: dicts with `epoch` (from 1), those of `COLUMNS` that are logged, and `seconds` (since
            the start).
    """

    def __init__(self, clock: Any) -> None:
        self.rows: list[dict[str, float]] = []
        self._clock, self._start = clock, clock()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Add the epoch."""
        metrics = trainer.callback_metrics
        row = {"epoch": trainer.current_epoch + 1}
        row |= {name: float(metrics[name]) for name in COLUMNS if name in metrics}
        row["seconds"] = round(self._clock() - self._start, 3)
        self.rows.append(row)
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
