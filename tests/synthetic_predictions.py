"""Runs as fine-tuning writes them, of networks that are made up: what they know, and what they pay.

The margin of an image is `skill` if it is positive, plus `pull` if it has the artifact, plus noise:
of the image, the same for all networks, and of the network. So the AUROC on images without the
artifact is Φ(skill / √2), and on the o.o.d. test set Φ((skill − pull) / √2), both known exactly.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from sourcebench.axes import USUAL
from sourcebench.design import NONE
from sourcebench.files import write_json
from sourcebench.seeds import generator

# o.o.d. AUROC at p_art = 0 and 1, as read off the figures of Source Matters
MEANS = {
    "imagenet": (0.86, 0.05),
    "radimagenet": (0.84, 0.43),
    "random": (0.68, 0.66),
}


def skill(auroc):
    """The distance between two classes, in standard deviations of one, that has this AUROC."""
    return np.sqrt(2) * norm.ppf(auroc)


def images_of(positives=31, negatives=52, per_patient=1):
    """The images of a test set: `image_id, patient_id, label`."""
    count = positives + negatives
    label = np.repeat([1, 0], [positives, negatives])
    patient = np.arange(count) // per_patient
    return pd.DataFrame({
        "image_id": [f"image{i:04}" for i in range(count)],
        "patient_id": [f"patient{i:04}" for i in patient],
        "label": label.astype(np.int8),
    })  # fmt: skip


def predictions(images, own, pull, p_art, rng, *, name="synthetic", shared=0.6, encoded=0.5):
    """One network's predictions under one confounder, as in `predictions.parquet`.

    Args:
        images: see `images_of`.
        own: the distance between the classes.
        pull: what the artifact adds to the margin.
        p_art: the share of positives with the artifact in the i.i.d. test set.
        rng: of the network.
        name: of the images' noise.
        shared: the share of the noise' variance that is the image's.
        encoded: what the artifact adds to the probe's score.
    """
    count, label = len(images), images["label"].to_numpy()
    of_image = generator(name).normal(size=count) * np.sqrt(shared)
    noise = of_image + rng.normal(size=count) * np.sqrt(1 - shared)
    rank = generator(name, "rank").permutation(count) / count
    carried = {
        "iid": (label == 1) & (rank < p_art),
        "ood": label == 0,
        "clean": np.zeros(count, bool),
        "artifact": np.ones(count, bool),
    }
    parts = []
    for test_set, artifact in carried.items():
        margin = own * (label - 0.5) + pull * artifact + noise
        probe = encoded * artifact + rng.normal(size=count)
        part = images.assign(
            test_set=test_set,
            artifact=artifact,
            probe=(probe if test_set in ("clean", "artifact") else np.full(count, np.nan)).astype(
                "f4"
            ),
            logit_0=(-margin / 2).astype("f4"),
            logit_1=(margin / 2).astype("f4"),
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def write_run(folder, by_confounder, **place):
    """Write a run's folder: its predictions under each confounder, and its record."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [each.assign(confounder=name) for name, each in by_confounder.items()]
    pd.concat(parts, ignore_index=True).to_parquet(folder / "predictions.parquet", index=False)
    effort = {"best_epoch": 30, "epochs": 60, "seconds": 33.0, "n_train": 198, "n_val": 50}
    write_json(folder / "run.json", {**place, **effort})
    return folder


def write_study(
    folder, means=MEANS, *, confounders=("tag",), p_art=(0, 0.5, 1), folds=5, task="cxr_mass",
    archs=("resnet50",), images=None, of_fold=0.1, repeats=None,
):  # fmt: skip
    """Write all runs of a task, and return their folders; the o.o.d. AUROC falls evenly.

    Args:
        means: source → o.o.d. AUROC at p_art = 0 and 1.
        of_fold: standard deviation of a fold's own skill.
    """
    images = images_of() if images is None else images
    folders = []
    for arch in archs:
        for source, (start, end) in means.items():
            for share in p_art:
                for confounder in [NONE] if share == 0 else confounders:
                    for fold in range(1, folds + 1):
                        for repeat in range(1, (repeats or 1) + 1):
                            place = (task, confounder, source, arch, float(share), fold)
                            further = {"repeat": repeat} if repeats else {}
                            rng = generator("network", *place, repeat)
                            own = skill(start) + of_fold * rng.normal()
                            pull = (skill(start) - skill(np.clip(end, 0.01, 0.99))) * share
                            tested = confounders if share == 0 else [confounder]
                            made = {
                                each: predictions(images, own, pull, share, rng, name=task)
                                for each in tested
                            }
                            record = dict(zip([axis.name for axis in USUAL], place, strict=True))
                            where = Path(folder, *map(str, (*place, repeat)))
                            folders.append(write_run(where, made, **record, **further))
    return folders
