"""The same network, trained by the reference's recipe in Keras and by ours: do they agree?

Keras has its own legacy `ImageDataGenerator`, Adam, batch normalisation, dropout, cross-entropy and
early stopping; ours is a run as a study makes it. Ours starts at random by its own draw, and from
the very weights that Keras drew, by the project's own conversion. Several seeds of each: ours is
right where it lies within Keras' own spread.

    python benchmarks/keras_twin.py                         # phantoms, 5 seeds of each
    python benchmarks/keras_twin.py --contenders keras ours as_before
    python benchmarks/keras_twin.py --parity --learning-rate 1e-5      # step for step
    python benchmarks/keras_twin.py --data my_images.csv    # image, label, split

`as_before` starts as runs did once: timm's and PyTorch's draws (γ = 0 at the end of each residual
branch), and batch normalisation of momentum 0.1. Tables and the figure are written to `--out`;
what is there already is not trained again, so that an interrupted call goes on where it stopped.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from twin import common, ours, parity, reference, report
from twin.images import Images, found, phantoms
from twin.networks import DIVISORS

from sourcebench import files
from sourcebench.errors import SourceBenchError
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.runs import Recipe


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contenders", nargs="+", default=["keras", "ours"], help="see above",
                        choices=list(report.CONTENDERS))  # fmt: skip
    parser.add_argument("--starts", nargs="+", default=list(report.STARTS), help="of ours",
                        choices=list(report.STARTS))  # fmt: skip
    parser.add_argument("--network", default="twin_resnet50_eighth", choices=list(DIVISORS))
    parser.add_argument("--data", type=Path, help="a CSV, or a folder of two classes' folders")
    parser.add_argument("--finding", default="Effusion", help="that phantoms have or have not")
    parser.add_argument("--side", type=int, default=48, help="of the images, px")
    parser.add_argument("--sizes", type=int, nargs=3, default=[96, 64, 96],
                        help="phantoms in train, val and test")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40, help="at most")
    parser.add_argument("--patience", type=int, default=15)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--marks", type=int, nargs="+", default=[1, 5, 15],
                        help="epochs at which losses and AUROC are compared")  # fmt: skip
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parity", action="store_true", help="compare step for step, and end")
    parser.add_argument("--out", type=Path, default=common.ROOT / "results" / "keras_twin")
    return parser.parse_args()


def settings_of(given: argparse.Namespace) -> dict[str, Any]:
    """Return what a training's outcome depends on."""
    free = {"contenders", "starts", "seeds", "marks", "parity", "out", "threads"}
    return {name: value for name, value in vars(given).items() if name not in free}


def same_settings(given: argparse.Namespace) -> None:
    """Make sure that what lies in the folder was made with the same settings, and note them."""
    path = given.out / "settings.json"
    settings = json.loads(json.dumps(settings_of(given), default=str))
    if path.exists() and files.read_json(path) != settings:
        raise SourceBenchError(
            f"{given.out} holds trainings of other settings (settings.json); name another folder "
            "with --out, or delete it."
        )
    files.write_json(path, settings)


def recipe_of(given: argparse.Namespace) -> Recipe:
    return Recipe(
        epochs=given.epochs,
        patience=given.patience,
        learning_rate=given.learning_rate,
        dropout=0.5,
        batch_size=given.batch_size,
        monitor="loss",
        augmentation=Augmentation(),
        precision="fp32",
        accelerator="cpu",
        threads=given.threads,
    )


def images_of(given: argparse.Namespace) -> Images:
    folder = given.out / "images"
    if given.data:
        return found(given.data, folder, given.side, seed=0)
    sizes = dict(zip(("train", "val", "test"), given.sizes, strict=True))
    return phantoms(folder, given.finding, given.side, sizes, seed=0)


def train(given: argparse.Namespace, images: Images, contender: str, start: str, seed: int) -> None:
    """Train one network, unless it was trained before."""
    folder = given.out / "runs" / contender / start / f"seed_{seed}"
    if (folder / "outcome.json").exists():
        return
    weights = given.out / "weights" / f"seed_{seed}.weights.h5"
    recipe = recipe_of(given)
    print(f"{contender}, {start}, seed {seed}", flush=True)
    if contender == "keras":
        outcome = reference.train(given.network, images, recipe, seed, weights)
    else:
        outcome = ours.train(
            given.network,
            images,
            recipe,
            seed,
            weights if start == "converted" else None,
            folder,
            as_before=contender == "as_before",
        )
    summary = {
        "epochs": len(outcome.history),
        "best_epoch": outcome.best_epoch,
        "auroc": outcome.metric("auroc"),
        "recall": outcome.metric("recall"),
    }
    files.write_csv(folder / "curves.csv", outcome.history)
    files.write_json(folder / "outcome.json", summary)


def tables(given: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the history and the outcomes of all trainings in the folder, tidy."""
    histories, runs = [], []
    for path in sorted((given.out / "runs").glob("*/*/*/outcome.json")):
        contender, start, seed = path.parts[-4:-1]
        which = {"contender": contender, "start": start, "seed": int(seed.removeprefix("seed_"))}
        histories.append(pd.read_csv(path.with_name("curves.csv")).assign(**which))
        runs.append(which | files.read_json(path))
    return pd.concat(histories, ignore_index=True), pd.DataFrame(runs)


def show_parity(given: argparse.Namespace, images: Images) -> None:
    for dtype in ("float64", "float32"):
        result = parity.compare(given.network, images, recipe_of(given), 1, given.out, dtype)
        print(dtype)
        for name, value in asdict(result).items():
            shown = (
                " ".join(f"{v:.1e}" for v in value) if isinstance(value, list) else f"{value:.1e}"
            )
            print(f"  {name:<16} {shown}")
    pixels = torch.from_numpy(images.part("val")[0])
    largest = parity.augmentation_difference(pixels, Augmentation(), 1)
    print(f"affine maps: {largest:.1e} grey levels")


def main() -> None:
    given = options()
    torch.set_num_threads(given.threads)
    print(f"{given.network}, {given.side}², batch {given.batch_size}; {common.machine()}")
    if given.parity:
        given.out = given.out / "parity"  # its settings are its own
        show_parity(given, images_of(given))
        return
    same_settings(given)
    images = images_of(given)
    for seed in range(1, given.seeds + 1):
        train(given, images, "keras", "random", seed)  # also draws the weights to convert
        for contender in given.contenders:
            for start in given.starts if contender != "keras" else ():
                train(given, images, contender, start, seed)
    history, runs = tables(given)
    files.write_csv(given.out / "history.csv", history)
    files.write_csv(given.out / "runs.csv", runs)
    report.curves(history, given.out / "curves.png")
    marks = [mark for mark in given.marks if mark <= history["epoch"].max()]
    compared = report.comparison(report.measures(history, runs, marks))
    files.write_csv(given.out / "comparison.csv", compared)
    print(report.sentences(compared))
    print(f"load at the end {os.getloadavg()[0]:.1f}; the figure is {given.out / 'curves.png'}")


if __name__ == "__main__":
    try:
        main()
    except SourceBenchError as error:
        sys.exit(str(error))
