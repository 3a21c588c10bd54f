"""The network in fine-tuning: loss, optimiser, and what is watched."""

from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.classification import binary_auroc

from sourcebench.models.classifier import Classifier
from sourcebench.training.optimiser import KerasAdam
from sourcebench.training.strategies import FULL, Strategy


class FineTuner(lightning.LightningModule):
    """Cross-entropy over two logits, minimised by Adam (Source Matters, section 2.2).

    Logs `train_loss`, `val_loss` (mean cross-entropy of the validation set) and `val_auroc`.

    Args:
        network: maps B×3×H×W to B×2 logits.
        learning_rate: of Adam.
        strategy: says which parameters are trained, how fast, and what stays in evaluation mode.
    """

    def __init__(
        self, network: Classifier, learning_rate: float, strategy: Strategy = FULL
    ) -> None:
        super().__init__()
        self.network = network
        self.learning_rate = learning_rate
        self.strategy = strategy
        self._validation: list[tuple[Tensor, Tensor]] = []

    def on_train_epoch_start(self) -> None:
        """Keep out of training mode what the strategy keeps out of it."""
        self.strategy.settle(self.network)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam as Keras computes it."""
        groups = self.strategy.groups(self.network, self.learning_rate)
        return KerasAdam(groups, self.learning_rate)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Return the batch's mean cross-entropy."""
        images, labels = batch
        loss = functional.cross_entropy(self.network(images), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Keep the batch's logits until the epoch ends."""
        images, labels = batch
        self._validation.append((self.network(images), labels))

    def on_validation_epoch_end(self) -> None:
        """Log loss and AUROC of the whole validation set."""
        # On the CPU: sorting and summing there is the same every time.
        logits = torch.cat([logits for logits, _ in self._validation]).cpu()
        labels = torch.cat([labels for _, labels in self._validation]).cpu()
        self._validation.clear()
        self.log("val_loss", functional.cross_entropy(logits, labels))
        self.log("val_auroc", binary_auroc(logits[:, 1] - logits[:, 0], labels))


class BestWeights(lightning.Callback):
    """Keep the weights of the best epoch in memory, and put them back after training.

    Args:
        monitor: what is watched.
        mode: 'min' or 'max'.
    """

    def __init__(self, monitor: str, mode: str) -> None:
        self.monitor, self.sign = monitor, 1.0 if mode == "max" else -1.0
        self.best, self.epoch = float("-inf"), 0
        self._weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Copy the weights if they are the best so far."""
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


class History(lightning.Callback):
    """Record each epoch, and say it in a line.

    Attributes:
        rows: dicts with `epoch` (from 1), `train_loss`, `val_loss`, `val_auroc`, `seconds` (since
            the start).
    """

    def __init__(self, clock: Any) -> None:
        self.rows: list[dict[str, float]] = []
        self._clock, self._start = clock, clock()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Add the epoch."""
        metrics = trainer.callback_metrics
        row = {"epoch": trainer.current_epoch + 1}
        row |= {name: float(metrics[name]) for name in ("train_loss", "val_loss", "val_auroc")}
        row["seconds"] = round(self._clock() - self._start, 3)
        self.rows.append(row)
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
