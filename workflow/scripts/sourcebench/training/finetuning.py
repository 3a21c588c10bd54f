"""One run: fine-tune a network from a source on a confounded task, and test it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as lightning
import torch
from torch import nn

from sourcebench import design, devices
from sourcebench.axes import Run
from sourcebench.design import Design
from sourcebench.files import write_csv, write_json
from sourcebench.models import initialisation_of
from sourcebench.models.batch_norm import set_momentum
from sourcebench.models.classifier import Classifier
from sourcebench.seeds import seed_of
from sourcebench.sources import USUAL, Normalisation
from sourcebench.sources.weights import fresh_backbone, load_backbone
from sourcebench.training import checkpoints
from sourcebench.training.checkpoints import Effort
from sourcebench.training.data import Layers, RunData
from sourcebench.training.methods import CROSS_ENTROPY, Method, Plan, procedure_of
from sourcebench.training.module import COLUMNS, FineTuner
from sourcebench.training.predictions import instruments_of, predictions, validated
from sourcebench.training.provenance import git_commit, versions
from sourcebench.training.results import write_features, write_parquet
from sourcebench.training.runs import NOTHING, Kept, Measured, Outputs, Recipe
from sourcebench.training.stages import train_stages
from sourcebench.training.trainer import trainer_of
from sourcebench.training.transfer import FULL, Transfer

HISTORY_COLUMNS = ["epoch", *COLUMNS, "seconds"]


def finetune(
    run: Run,
    recipe: Recipe,
    *,
    designs: Mapping[str, Design],
    layers: Layers,
    weights: Path | None,
    seed: int,
    outputs: Outputs,
    transfer: Transfer = FULL,
    method: Method = CROSS_ENTROPY,
    structure: Mapping[str, Any] | None = None,
    normalisation: Normalisation = USUAL,
    trained_by: str = "",
    begun: Kept | None = None,
    measured: Measured = NOTHING,
) -> dict[str, Any]:
    """Fine-tune and test one network, and write its predictions, history and record.

    It tells as many classes apart as there are labels in the designs, and takes images of as many
    channels as the layers have. Order, augmentation, dropout and head are drawn from the run's
    seed, see `Run.seed`.

    Args:
        run: which run.
        recipe: how.
        designs: the design of every confounder that the network is tested on; the run's own, or
            for p_art = 0 those of all confounders that share it.
        layers: the task's arrays, of any number of channels.
        weights: the source's weights, None for random ones.
        seed: the study's seed.
        outputs: the files to write.
        transfer: what of the source's weights is used, which of it is trained, and how fast.
        method: how the network is trained.
        structure: the exact network of random weights; None: the architecture's own.
        normalisation: of the images for random weights; a file of weights has its own.
        trained_by: a digest of all that decides the trained network. One that `outputs.checkpoint`
            keeps from before is tested without training, if this decided it.
        begun: a network that another run may have kept, from which the method's further stages
            start; where it did not, or something else decided it, that is trained here, alike.
        measured: what is measured of the network besides its logits.

    Returns:
        The record.

    Raises:
        SourceBenchError: the weights do not fit, the labels are not those of classes, or no
            processor is to be had.
    """
    start = time.monotonic()
    run_seed, classes = run.seed(seed), design.classes(designs)
    lightning.seed_everything(run_seed % 2**32, verbose=False)
    with devices.device(recipe.accelerator, recipe.threads, "training.accelerator") as device:
        side, channels = layers.side, layers.channels
        with _drawing(run_seed, "backbone"):
            backbone, normalisation = load_backbone(
                run.arch, weights, side, structure, normalisation, channels
            )
        with _drawing(run_seed, "head"):
            network = Classifier(backbone, method.outputs(classes), recipe.dropout)
        with _drawing(run_seed, "companion"):
            companion = procedure_of(method).companion(network)
        transfer.prepare(
            network,
            lambda: _fresh_backbone(run.arch, weights, side, run_seed, structure, channels),
        )
        set_momentum(network, recipe.batch_norm_momentum)
        network = network.to(memory_format=torch.channels_last)
        rows = _development(run, designs)
        data = _data(rows, recipe, layers, normalisation, run_seed)
        epochs = procedure_of(method).first_epochs(recipe.epochs)
        plan = Plan(classes, epochs, data.group_sizes(classes), run_seed)
        model = FineTuner(network, recipe.learning_rate, transfer, method, plan, recipe.descent)
        kept = outputs.checkpoint
        effort = checkpoints.load(kept, network, trained_by, companion) if kept else None
        if effort is not None:
            print(f"{kept} was trained before, and is tested as it is.")
        else:
            folder = outputs.record.parent
            data.to(device)
            if begun is not None:
                effort = checkpoints.load(begun.path, network, begun.trained_by)
            if effort is None:
                effort = _train(model, data, replace(recipe, epochs=epochs), device, folder)
            further = train_stages(
                procedure_of(method).stages(network, companion, recipe.epochs),
                [network] if companion is None else [network, companion],
                data,
                recipe,
                lambda other: trainer_of(other, device, folder),
                run_seed,
                effort.history,
            )
            seconds = time.monotonic() - start
            effort = replace(effort, further=further, seconds=seconds)
            if kept:
                checkpoints.write(kept, network, effort, trained_by, companion)
        model.companion = companion
        instruments = instruments_of(measured, model, data, recipe, device, run_seed)
        tested = predictions(
            model, run, designs, layers, normalisation, recipe, device, seed, instruments,
            everywhere=outputs.features is not None,
        )  # fmt: skip
        if outputs.validation:
            held = validated(model, rows, data, recipe, device, instruments)
            write_parquet(outputs.validation, held)
        hardware = devices.hardware(device)
    if outputs.features:
        write_features(outputs.features, tested.images, tested.features)
    write_parquet(outputs.predictions, tested.rows)
    epochs_told = pd.DataFrame([*effort.history, *effort.further], columns=HISTORY_COLUMNS)
    write_csv(outputs.history, epochs_told)
    record = {
        **asdict(run),
        "seed": seed,
        "best_epoch": effort.best_epoch,
        "epochs": len(effort.history),
        "seconds": round(effort.seconds, 2),
        "n_train": len(data.indices["train"]),
        "n_val": len(data.indices["val"]),
        "recipe": asdict(recipe),
        "transfer_entry": {"kind": transfer.kind, **asdict(transfer)},
        "method_entry": {"kind": method.kind, **asdict(method)},
        "weights": None if weights is None else str(weights),
        "fresh_weights": initialisation_of(run.arch).words,
        "hardware": hardware,
        "versions": versions(),
        "git_commit": git_commit(),
    }
    if measured.measures:
        record["measured"] = asdict(measured)
    write_json(outputs.record, record)
    return record


def _train(
    model: FineTuner,
    data: RunData,
    recipe: Recipe,
    device: torch.device,
    folder: Path,
) -> Effort:
    """Train a network, unless for no epoch, and leave it with the weights that are tested.

    How many seconds the job took is for others to say.
    """
    trainer, history, chosen = trainer_of(recipe, device, folder, model.objective.first)
    if recipe.epochs:
        trainer.fit(model, datamodule=data)
    return Effort(history.rows, chosen.epoch, 0)


def _fresh_backbone(
    arch: str,
    weights: Path | None,
    side: int,
    seed: int,
    structure: Mapping[str, Any] | None = None,
    channels: int = 1,
) -> nn.Module:
    """Return the structure that the weights are of, with random weights from a seed of its own."""
    with _drawing(seed, "fresh backbone"):
        return fresh_backbone(arch, weights, side, structure, channels)


@contextmanager
def _drawing(seed: int, part: str) -> Iterator[None]:
    """Draw a part of a network from a seed of its own.

    However much is drawn here, it moves nothing that is drawn elsewhere: runs that differ in
    source or transfer stay paired. It is drawn on the CPU; torch.manual_seed would seed the card
    anew as well, Apple's for good.
    """
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed_of(seed, part))
        yield


def _development(run: Run, designs: Mapping[str, Design]) -> pd.DataFrame:
    """Return the rows that a run is trained and validated on, see `design.development`."""
    # With p_art = 0 no image carries an artifact: any of the designs gives the same rows.
    own = designs.get(run.confounder, next(iter(designs.values())))
    return design.development(own.images, run.p_art, run.fold, run.fraction)


def _data(
    rows: pd.DataFrame, recipe: Recipe, layers: Layers, normalisation: Normalisation, seed: int
) -> RunData:
    images = layers.read(rows["image_id"], rows["layer"])
    return RunData(
        images,
        torch.tensor(rows["label"].to_numpy()),
        torch.tensor((rows["part"] == "val").to_numpy()),
        normalisation,
        recipe.augmentation,
        recipe.batch_size,
        seed,
        torch.tensor((2 * rows["label"] + rows["artifact"]).to_numpy(np.int64)),
    )
