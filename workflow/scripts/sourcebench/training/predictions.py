"""What a run answers: logits for every image, and what its features tell of the artifact."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sourcebench import design, devices
from sourcebench.axes import Run
from sourcebench.design import Design
from sourcebench.sources import Normalisation
from sourcebench.training.data import Layers, RunData
from sourcebench.training.measures import MEASURES, Columns, Instrument, Learned, Subject
from sourcebench.training.module import FineTuner
from sourcebench.training.probe import probe, probed
from sourcebench.training.runs import Measured, Recipe

IMAGE = ["image_id", "layer"]

CHUNK = 64
"""So many batches are read at a time."""


WHO = ["image_id", "patient_id", "label", "artifact"]


class Answers(NamedTuple):
    """What a network says of N images, in their order.

    Attributes:
        logits: of its K classes, N×K, float32.
        features: what the head takes, M×F, float32, of those whose features are wanted.
        columns: names → what else it says or is measured of it, N each, float64 or int64.
    """

    logits: Tensor
    features: Tensor
    columns: Columns

    @classmethod
    def of(cls, parts: Sequence["Answers"]) -> "Answers":
        """Return those of several parts of the images, one after the other."""
        logits, features, columns = zip(*parts, strict=True)
        names = {name: torch.cat([each[name] for each in columns]) for name in columns[0]}
        return cls(torch.cat(logits), torch.cat(features), names)

    @property
    def table(self) -> pd.DataFrame:
        """`logit_0` … `logit_K−1` (float32), and the further columns: a row per image."""
        classes = self.logits.shape[1]
        names = [f"logit_{label}" for label in range(classes)]
        logits = pd.DataFrame(self.logits.cpu().numpy(), columns=names)
        said = {name: values.cpu().numpy() for name, values in self.columns.items()}
        further = {
            name: each.astype(_label(classes)) if each.dtype == np.int64 else each
            for name, each in said.items()
        }
        return pd.concat([logits, pd.DataFrame(further, index=logits.index)], axis=1)


class Tested(NamedTuple):
    """What a run says of its test sets.

    Attributes:
        rows: see `predictions`.
        images: `image_id`, `layer`, of M images, each once.
        features: theirs, M×F, float32.
    """

    rows: pd.DataFrame
    images: pd.DataFrame
    features: Tensor


def predictions(
    model: FineTuner,
    run: Run,
    designs: Mapping[str, Design],
    layers: Layers,
    normalisation: Normalisation,
    recipe: Recipe,
    device: torch.device,
    seed: int,
    instruments: Sequence[Instrument] = (),
    *,
    everywhere: bool = False,
) -> Tested:
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
        instruments: what else is measured, see `instruments_of`.
        everywhere: whether the features of all images are returned, and not of the probed alone.

    Returns:
        The rows: `confounder, test_set, image_id, patient_id (text), label (integer), artifact
        (bool)`, `probe` (float32, see `probe.probe_scores`; NaN where the image is not probed),
        `logit_0` … `logit_K−1` (float32), `confidence` (float64, in [0, 1]) where the method gives
        one, see `FineTuner.confidence`, and the columns of what is measured.
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
    wanted = pd.MultiIndex.from_frame(seen).isin(pd.MultiIndex.from_frame(of_probe)) | everywhere
    probing = torch.from_numpy(wanted)
    answers = Answers.of(
        [
            predict(
                model,
                layers.read(*(seen[name].iloc[part] for name in IMAGE)),
                probing[part],
                normalisation,
                recipe,
                device,
                instruments,
            )
            for begin, end in ((0, others), (others, len(seen)))
            for part in _parts(begin, end, recipe)
        ]
    )
    said = answers.table
    places = seen.join(said).assign(place=wanted.cumsum() - 1)
    rows = tests.merge(places, on=IMAGE, how="left", validate="many_to_one")
    rows["probe"] = probe(rows, answers.features, seed)
    columns = ["confounder", "test_set", *WHO, "probe", *said]
    return Tested(_typed(rows[columns], model.classes), seen[wanted], answers.features)


def validated(
    model: FineTuner,
    rows: pd.DataFrame,
    data: RunData,
    recipe: Recipe,
    device: torch.device,
    instruments: Sequence[Instrument] = (),
) -> pd.DataFrame:
    """Return what a run says of the images that its fold validates on, a row for each.

    Args:
        model: what was trained.
        rows: its development set, see `design.development`.
        data: the images of these rows.
        recipe: as for `predictions`, like the rest.
        device: where.
        instruments: what else is measured.

    Returns:
        `image_id, patient_id (text), label (integer), artifact (bool)`, `logit_0` … `logit_K−1`
        (float32), and the columns of what is measured.
    """
    said = _development(model, data, "val", recipe, device, instruments).table
    held = rows.loc[rows["part"] == "val", WHO].reset_index(drop=True)
    return _typed(held.join(said), model.classes)


def instruments_of(
    measured: Measured,
    model: FineTuner,
    data: RunData,
    recipe: Recipe,
    device: torch.device,
    seed: int,
) -> list[Instrument]:
    """Return what measures a trained network.

    Args:
        measured: what is wanted.
        model: what was trained.
        data: its images.
        recipe: as for `predictions`.
        device: where.
        seed: the run's.

    Raises:
        SourceBenchError: there is no such measure.
    """

    @cache
    def learned() -> Learned:
        answers = _development(model, data, "train", recipe, device, (), features=True)
        labels = data.labels[data.indices["train"].to(data.labels.device)]
        return Learned(answers.features, labels.to(answers.features.device))

    subject = Subject(model.network, model.classes, measured.passes, seed, learned)
    return [MEASURES.get(name).of(subject) for name in measured.measures]


def _development(
    model: FineTuner,
    data: RunData,
    part: str,
    recipe: Recipe,
    device: torch.device,
    instruments: Sequence[Instrument],
    *,
    features: bool = False,
) -> Answers:
    """Return what a network says of what it was trained ('train') or validated on ('val')."""
    indices = data.indices[part].to(data.images.device)
    wanted = torch.full((len(indices),), features)
    return Answers.of(
        [
            predict(
                model,
                data.images[indices[place]],
                wanted[place],
                data.normalisation,
                recipe,
                device,
                instruments,
            )
            for place in _parts(0, len(indices), recipe)
        ]
    )


def _parts(begin: int, end: int, recipe: Recipe) -> Iterator[slice]:
    """Yield parts of the images that are read at a time: whole batches, and no more than that."""
    together = CHUNK * recipe.batch_size
    for first in range(begin, end, together):
        yield slice(first, min(first + together, end))


def _label(classes: int) -> np.dtype[Any]:
    """Return the dtype of K labels: int8, unless there are more classes than 128."""
    return np.min_scalar_type(-classes)


def _typed(rows: pd.DataFrame, classes: int) -> pd.DataFrame:
    dtypes: dict[str, Any] = {"patient_id": "str", "label": _label(classes), "artifact": bool}
    # A dict of dtypes would take the table apart, column by column of a thousand.
    return rows.assign(**{name: rows[name].astype(dtype) for name, dtype in dtypes.items()})


def predict(
    model: FineTuner,
    images: Tensor,
    wanted: Tensor,
    normalisation: Normalisation,
    recipe: Recipe,
    device: torch.device,
    instruments: Sequence[Instrument] = (),
) -> Answers:
    """Return logits, the features that they are made of, and more, in the training's precision.

    Args:
        model: what was trained.
        images: N×H×W×C, uint8.
        wanted: N, bool, M of them true: whose features are returned.
        normalisation: what the weights want to see.
        recipe: says the precision, and the images per batch.
        device: where.
        instruments: what else is measured.
    """
    mixed = devices.precision(recipe.precision, device) == "bf16-mixed"
    model = model.to(device).eval()
    parts = []
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=mixed):
        batches = (torch.split(each, recipe.batch_size) for each in (images, wanted))
        for part, chosen in zip(*batches, strict=True):
            seen = normalisation(part.to(device))
            features = model.network.backbone(seen)
            outputs = model.network.classify(features)
            confidence = model.confidence(seen, features, outputs)
            columns: Columns = {} if confidence is None else {"confidence": confidence}
            features = features.float()
            for instrument in instruments:
                columns |= instrument(features, seen)
            logits = outputs[:, : model.classes]
            parts.append(Answers(logits, features[chosen.to(device)], columns))
    return Answers.of(parts)
