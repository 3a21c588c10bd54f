"""Runs with what confidence scores are made of: validation images, passes, distances.

Of networks that are made up: their passes with dropout are their logits with noise, and so on.
"""

import numpy as np
import pandas as pd
from scipy.special import softmax

from sourcebench.evaluation.confidence.softmax import negentropy
from sourcebench.evaluation.metrics import columns_of_logits
from sourcebench.files import read_json, write_json
from sourcebench.seeds import generator
from synthetic_predictions import images_of, predictions, write_study

PLAIN = [
    "msr", "pe", "mcd_msr", "mcd_pe", "mcd_ee", "max_logit", "energy", "mahalanobis", "neighbours",
    "temperature", "platt", "ensemble_msr",
]  # fmt: skip
"""Scores of networks that are trained for their classes alone."""

LEARNED = {
    "confidnet": ["confidnet"],
    "devries": ["devries"],
    "deep_gamblers": ["dg_res", "dg_mcd_msr"],
}
"""Scores of those that are trained by a method of their own, by its kind."""

TEST_SETS = {
    "iid": ("iid", "iid", 0),
    **{name: ("confounder", name, 0) for name in ("ood", "clean", "artifact")},
}


def measured(table, *name, kind="cross_entropy", passes=10):
    """Predictions with the columns of all measures, and `confidence` where a method has one."""
    rng = generator("measured", *name)
    logits = table[columns_of_logits(table.columns)].to_numpy(np.float64)
    each = np.stack([softmax(logits + rng.normal(size=logits.shape), 1) for _ in range(passes)])
    mean = each.mean(0)
    labels = table["label"].to_numpy()
    of_method = {} if kind == "cross_entropy" else {"confidence": rng.random(len(table))}
    return table.assign(
        mcd_class=mean.argmax(1).astype(labels.dtype),
        mcd_msr=mean.max(1),
        mcd_pe=negentropy(mean),
        mcd_ee=np.mean([negentropy(part) for part in each], axis=0),
        mahalanobis=-rng.gamma(2, size=len(table)),
        neighbours=-rng.random(len(table)),
        **of_method,
    )


def table_of(logits, labels, per_patient=1):
    """Logits as a table of predictions, with as little beside them as scores need."""
    count = len(labels)
    return pd.DataFrame({
        "image_id": [f"image{i:04}" for i in range(count)],
        "patient_id": [f"patient{i // per_patient:04}" for i in range(count)],
        "label": np.asarray(labels, np.int16), "artifact": np.zeros(count, bool),
        **{f"logit_{k}": each.astype("f4") for k, each in enumerate(np.asarray(logits).T)},
    })  # fmt: skip


def complete(folder, kind="cross_entropy", name=(), validated=40):
    """Add to a run's folder what scores need: the measures' columns, and `validation.parquet`.

    Args:
        folder: see `write_run`.
        kind: of the method that it is said to be trained by.
        name: of the validation images; those of the same name are the same.
        validated: how many there are.
    """
    record = read_json(folder / "run.json")
    write_json(folder / "run.json", {**record, "method_entry": {"kind": kind}})
    place = [record[axis] for axis in ("source", "arch", "p_art", "fold")]
    table = pd.read_parquet(folder / "predictions.parquet")
    measured(table, *place, kind=kind).to_parquet(folder / "predictions.parquet", index=False)
    images = images_of(validated // 2, validated - validated // 2)
    images = images.assign(image_id=[f"{'-'.join(map(str, name))}-{i}" for i in range(validated)])
    rows = predictions(images, 1.5, 0, 0, generator("validation", *place), name="validation")
    held = rows[rows["test_set"] == "clean"].drop(columns=["test_set", "probe"])
    held = measured(held.reset_index(drop=True), "validation", *place, kind=kind)
    held.to_parquet(folder / "validation.parquet", index=False)
    return folder


def write_confident(folder, kinds=None, **given):
    """Write all runs of a study whose sources are named by the methods that they are trained by.

    Args:
        folder: where.
        kinds: of methods, one for each of the sources.
        given: to `write_study`.
    """
    kinds = ["cross_entropy"] if kinds is None else kinds
    folders = write_study(folder, dict.fromkeys(kinds, (0.85, 0.6)), **given)
    for each in folders:
        record = read_json(each / "run.json")
        complete(each, record["source"], name=("fold", record["fold"]))
    return folders
