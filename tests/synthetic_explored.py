"""A run that is made up: discs and squares, darkened and brightened, and what a network says.

Its features are two clouds, one per class, which a corruption moves towards each other; its logits
follow from the features, so that what fails, and how surely, is known.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sourcebench import files
from sourcebench.design import NONE, Design
from sourcebench.design.test_sets import Shifted, drawn, test_sets
from sourcebench.explorer.explore import explore
from sourcebench.seeds import generator
from sourcebench.training.data import Layers

SIDE = 48
LEVELS = (1, 2, 3)
SHIFTS = {f"bright_{level}": ("bright", level) for level in LEVELS}
TITLES = {name: f"Brighter, severity {level}" for name, (_, level) in SHIFTS.items()}
KINDS = {"iid": "iid", "clean": "iid", **dict.fromkeys(SHIFTS, "corruption")}


def samples_of(count, classes=2):
    """The images: `image_id, patient_id, label, role, class`."""
    return pd.DataFrame({
        "image_id": [f"part/{i:04}.png" for i in range(count)],
        "patient_id": [f"p{i // 2}" for i in range(count)],
        "label": np.arange(count) % classes,
        "role": "test",
        "class": [f"class {i % classes}" for i in range(count)],
    })  # fmt: skip


def images_of(samples, channels=1, brighter=0):
    """A disc, or a square, on noise: N×H×W, or N×H×W×C."""
    rng = generator("images")
    images = rng.integers(20, 60, (len(samples), SIDE, SIDE, channels))
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    for image, label in zip(images, samples["label"], strict=True):
        radius = rng.uniform(8, 18)
        inside = np.hypot(x, y) < radius if label % 2 else np.maximum(abs(x), abs(y)) < radius
        image[inside] += rng.integers(60, 160, channels)
    images = np.clip(images + 30 * brighter, 0, 255).astype(np.uint8)
    return images[..., 0] if channels == 1 else images


def design_of(samples, shifts=SHIFTS):
    """The design of a task without confounders."""
    images = samples.assign(rank=np.nan, layer=NONE)
    levels = [Shifted(name, *about) for name, about in shifts.items()]
    return Design(samples, test_sets(drawn(images), ["clean"], levels, 1))


def answers_of(tests, classes, features=16):
    """Features of each image and layer, and the logits that follow from them."""
    points = tests[["image_id", "layer", "label", "severity"]].drop_duplicates(
        ["image_id", "layer"], ignore_index=True
    )
    centres = generator("centres").normal(size=(classes, features)) * 2
    of_image = {name: generator("image", name).normal(size=features) for name in points["image_id"]}
    own = np.stack([of_image[name] for name in points["image_id"]])
    own += 0.2 * generator("layer").normal(size=own.shape)
    by = 0.3 * points["severity"].to_numpy()[:, None]
    made = (1 - by) * centres[points["label"]] + by * centres[0] + 1.6 * own
    away = ((made[:, None] - centres) ** 2).sum(2)
    return points, made.astype(np.float16), (-away / 16).astype(np.float32)


def write_run(folder, count=60, classes=2, channels=1, method=None):
    """Write what a run leaves, and its task's arrays; return (run's folder, designs, layers)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    samples = samples_of(count, classes)
    design = design_of(samples)
    points, features, logits = answers_of(design.tests, classes)
    names = [f"logit_{k}" for k in range(classes)]
    said = points[["image_id", "layer"]].join(pd.DataFrame(logits, columns=names))
    predictions = design.tests.merge(said, on=["image_id", "layer"])
    columns = ["confounder", "test_set", "image_id", "patient_id", "label", "artifact"]
    predictions = predictions.assign(confounder=NONE, artifact=False)[[*columns, *names]]
    predictions.to_parquet(folder / "predictions.parquet", index=False)
    held = predictions[predictions["test_set"] == "clean"].iloc[::2]
    held.drop(columns=["confounder", "test_set"]).to_parquet(folder / "validation.parquet")
    np.savez_compressed(
        folder / "features.npz",
        image_id=points["image_id"].to_numpy(str),
        layer=points["layer"].to_numpy(str),
        features=features,
    )
    files.write_json(folder / "run.json", {"method_entry": {"kind": method}} if method else {})
    files.write_csv(folder / "samples.csv", samples)
    for name, (_, level) in {NONE: ("", 0), **SHIFTS}.items():
        np.save(folder / f"{name}.npy", images_of(samples, channels, level))
    drawn_into = {name: folder / f"{name}.npy" for name in SHIFTS}
    layers = Layers(folder / "samples.csv", folder / f"{NONE}.npy", drawn_into)
    return folder, {NONE: design}, layers


def explored(folder, out, *, classes=2, scores=("msr", "pe"), most=1000, source="random", **about):
    """Write a run and explore it; return the record."""
    run, designs, layers = write_run(folder, classes=classes, **about)
    place = {
        "task": "shapes", "confounder": NONE, "source": source, "arch": "resnet50", "p_art": "0",
        "fold": "1",
    }  # fmt: skip
    said = {
        "run": place, "titles": TITLES, "classes": [f"class {i}" for i in range(classes)],
    }  # fmt: skip
    return explore(
        Path(out), run, designs, layers, kinds=KINDS, scores=scores, coverage=0.9, seed=1,
        about=said, most=most,
    )  # fmt: skip
