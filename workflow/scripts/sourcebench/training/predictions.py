"""What a run answers: logits for every test image, and what its features tell of the artifact."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sourcebench import design, devices
from sourcebench.axes import Run
from sourcebench.design import Design
from sourcebench.sources import Normalisation
from sourcebench.training.data import Layers
from sourcebench.training.module import FineTuner
from sourcebench.training.probe import probe, probed
from sourcebench.training.runs import Recipe

IMAGE = ["image_id", "layer"]

CHUNK = 64
"""So many batches are read at a time."""


def predictions(
    model: FineTuner,
    run: Run,
    designs: Mapping[str, Design],
    layers: Layers,
    normalisation: Normalisation,
    recipe: Recipe,
    device: torch.device,
    seed: int,
) -> pd.DataFrame:
    """Return a row per confounder, test set and image; one that stands in several is seen once.

    Args:
        model: what was trained.
        run: which run.
        designs: the design of every confounder that it is tested on.
        layers: the task's arrays.
        normalisation: what the weights want to see.
        recipe: says the precision, and the images per batch.
        device: where.
        seed: the study's, so that the probes of all runs of a task have the same folds.

    Returns:
        `confounder, test_set, image_id, patient_id (text), label (integer), artifact (bool)`,
        `probe` (float32, see `probe.probe_scores`; NaN where the image is not probed),
        `logit_0` … `logit_K−1` (float32), and `confidence` (float64, in [0, 1]) where the method
        gives one, see `FineTuner.confidence`.
    """
    tests = pd.concat(
        [
            design.test(each.tests, run.p_art).assign(confounder=confounder)
            for confounder, each in designs.items()
        ],
        ignore_index=True,
    )
    # What is in 'artifact' alone comes last and in batches of its own: by their size the others'
    # logits might differ in the last bit.
    late = tests["test_set"] == "artifact"
    seen = pd.concat([tests[~late], tests[late]])[IMAGE].drop_duplicates(ignore_index=True)
    others = len(tests.loc[~late, IMAGE].drop_duplicates())
    of_probe = tests.loc[probed(tests), IMAGE]
    wanted = pd.MultiIndex.from_frame(seen).isin(pd.MultiIndex.from_frame(of_probe))
    probing = torch.from_numpy(wanted)
    together = CHUNK * recipe.batch_size  # whole batches, and no more images in memory than that
    parts = [
        slice(first, min(first + together, end))
        for begin, end in ((0, others), (others, len(seen)))
        for first in range(begin, end, together)
    ]
    answers = [
        predict(
            model,
            layers.read(*(seen[name].iloc[part] for name in IMAGE)),
            probing[part],
            normalisation,
            recipe,
            device,
        )
        for part in parts
    ]
    logits, features, confidences = map(torch.cat, zip(*answers, strict=True))
    names = [f"logit_{label}" for label in range(model.classes)]
    seen = seen.join(pd.DataFrame(logits.cpu().numpy(), columns=names))
    if len(confidences):
        seen["confidence"] = confidences.cpu().numpy()
        names.append("confidence")
    seen = seen.assign(place=wanted.cumsum() - 1)
    rows = tests.merge(seen, on=IMAGE, how="left", validate="many_to_one")
    rows["probe"] = probe(rows, features, seed)
    columns = ["confounder", "test_set", "image_id", "patient_id", "label", "artifact", "probe"]
    label = np.min_scalar_type(-model.classes)  # int8, unless there are more classes than 128
    dtypes: dict[str, Any] = {"patient_id": "str", "label": label, "artifact": bool}
    return rows[[*columns, *names]].astype(dtypes)


def predict(
    model: FineTuner,
    images: Tensor,
    wanted: Tensor,
    normalisation: Normalisation,
    recipe: Recipe,
    device: torch.device,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits, features and confidences, in the precision of the training.

    Args:
        model: what was trained.
        images: N×H×W×C, uint8.
        wanted: N, bool, M of them true: whose features are returned.
        normalisation: what the weights want to see.
        recipe: says the precision, and the images per batch.
        device: where.

    Returns:
        The logits of the K classes (N×K, float32), what the head takes (M×F, float32), and the
        method's own confidences (N, float64; none where it has none).
    """
    mixed = devices.precision(recipe.precision, device) == "bf16-mixed"
    model = model.to(device).eval()
    logits, kept, confidences = [], [], [torch.empty(0, dtype=torch.float64, device=device)]
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=mixed):
        batches = (torch.split(each, recipe.batch_size) for each in (images, wanted))
        for part, chosen in zip(*batches, strict=True):
            seen = normalisation(part.to(device))
            features = model.network.backbone(seen)
            outputs = model.network.classify(features)
            logits.append(outputs[:, : model.classes])
            kept.append(features[chosen.to(device)].float())
            confidence = model.confidence(seen, features, outputs)
            if confidence is not None:
                confidences.append(confidence)
    return torch.cat(logits), torch.cat(kept), torch.cat(confidences)
