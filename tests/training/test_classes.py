"""Tasks of several classes, and of several channels: their designs, and a run of each."""

import json

import numpy as np
import pandas as pd
import pytest

from sourcebench import design
from sourcebench.axes import Run
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.metrics import OF_SEVERAL
from sourcebench.seeds import generator
from sourcebench.sources.weights import write_weights
from sourcebench.training.data import Layers
from sourcebench.training.finetuning import finetune
from sourcebench.training.transfer import TRANSFERS
from test_finetuning import outputs, recipe

SIDE, CLASSES, CONFOUNDED = 32, 8, 3


def manifest(images=160, classes=CLASSES):
    """A third of the images are for testing; every class is in both parts."""
    number = np.arange(images)
    return pd.DataFrame(
        {"image_id": number.astype(str), "patient_id": number.astype(str),
         "label": number % classes, "role": np.where(number // classes % 3 == 0, "test", "dev"),
         "stain": np.where(number // (3 * classes) % 2, "a", "b")}
    )  # fmt: skip


def designed(**options):
    return design.build(
        manifest(),
        folds=2,
        val_fraction=0.3,
        seed=1,
        name="cells",
        confounder="bar",
        confounded=CONFOUNDED,
        **options,
    )


def answers(made, p_art, name):
    """The rows of a test set."""
    rows = design.test(made.tests, p_art)
    return rows[rows["test_set"] == name]


def test_only_the_confounded_class_carries_the_artifact():
    made = designed(shifts=[design.Shifted("blur_1", "blur", 1)])
    assert design.classes({"tag": made, "noise": made}) == CLASSES
    ranked = made.images["rank"].notna()
    assert (ranked == (made.images["label"] == CONFOUNDED)).all()
    for p_art in (0, 0.5, 1):
        for rows in (design.development(made.images, p_art, 1), answers(made, p_art, "iid")):
            assert set(rows["label"]) == set(range(CLASSES))
            assert (rows["layer"] == np.where(rows["artifact"], "bar", "none")).all()
            carriers = rows["label"] == CONFOUNDED
            assert not rows.loc[~carriers, "artifact"].any()
            share = rows.loc[carriers, "artifact"].mean()
            assert share == pytest.approx(p_art, abs=1 / carriers.sum())
    sets = ("ood", "clean", "artifact", "blur_1")
    ood, clean, carrying, blurred = (answers(made, 1, name) for name in sets)
    assert (ood["artifact"] == (ood["label"] != CONFOUNDED)).all()
    assert not clean["artifact"].any()
    assert carrying["artifact"].all()
    assert list(carrying["image_id"]) == list(clean["image_id"])
    assert list(ood["image_id"]) == list(clean["image_id"]) == list(blurred["image_id"])


def test_every_fold_has_every_class():
    table = designed().images
    for fold in ("fold_1", "fold_2"):
        counts = pd.crosstab(table["label"], table[fold])[["train", "val"]]
        assert (counts > 0).all(axis=None)


def test_a_sampled_attribute_goes_with_the_confounded_class():
    made, stain = designed(carrier=("stain", "a")), manifest().set_index("image_id")["stain"]
    for p_art in (0, 0.5, 1):
        for rows in (design.development(made.images, p_art, 1), answers(made, p_art, "iid")):
            assert (rows["artifact"] == (rows["image_id"].map(stain) == "a")).all()
            assert not rows.loc[rows["label"] != CONFOUNDED, "artifact"].any()
            assert set(rows["label"]) == set(range(CLASSES))
    ood = answers(made, 1, "ood")
    assert (ood["artifact"] == (ood["label"] != CONFOUNDED)).all()
    assert set(ood["label"]) == set(range(CLASSES))


def test_labels_are_numbered_from_nought():
    made = designed()
    negatives = made._replace(images=made.images.assign(label=0))
    assert design.classes({"t": negatives}) == 2
    for labels in ([0, 1, 3], [1, 2], [-1, 0]):
        few = made._replace(images=pd.DataFrame({"label": labels}))
        with pytest.raises(SourceBenchError, match=r"numbered from 0 to .*design's are"):
            design.classes({"t": few})


def world(folder, channels):
    """Every class is bright in a corner of its own; the artifact is a white bar."""
    table = manifest()
    rng = generator("cells", channels)
    images = rng.normal(90, 20, (len(table), SIDE, SIDE, channels))
    rows, columns = np.divmod(table["label"].to_numpy(), 4)
    for image, row, column in zip(images, rows, columns, strict=True):
        image[16 * row : 16 * row + 16, 8 * column : 8 * column + 8] += 80
    images = images.clip(0, 255).astype(np.uint8)
    artifact = images.copy()
    artifact[:, 14:18] = 255
    folder.mkdir(exist_ok=True)
    np.save(folder / "images.npy", images)
    np.save(folder / "artifact.npy", artifact)
    table.to_csv(folder / "samples.csv", index=False)
    return Layers(folder / "samples.csv", folder / "images.npy", {"bar": folder / "artifact.npy"})


def run(folder, layers, weights=None, transfer="full", **changes):
    record = finetune(
        Run("cells", "bar", "some", "tiny_resnet", 1.0, 1, transfer),
        recipe(**changes),
        designs={"bar": designed()},
        layers=layers,
        weights=weights,
        seed=1,
        outputs=outputs(folder),
        transfer=TRANSFERS.from_entry({"kind": transfer}),
    )
    return pd.read_parquet(folder / "predictions.parquet"), record


@pytest.mark.parametrize(("channels", "monitor"), [(1, "loss"), (3, "auc_keras"), (6, "auroc")])
def test_a_run_tells_several_classes_apart(tmp_path, channels, monitor):
    layers = world(tmp_path, channels)
    learnt, _ = run(
        tmp_path / "run", layers, epochs=12, learning_rate=3e-3, monitor=monitor, dropout=0.0
    )
    names = [f"logit_{label}" for label in range(CLASSES)]
    assert list(learnt.columns) == [
        "confounder", "test_set", "image_id", "patient_id", "label", "artifact", "probe", *names,
    ]  # fmt: skip
    assert learnt["label"].dtype == "int8"
    assert set(learnt[names].dtypes.astype(str)) == {"float32"}
    runs = Evidence.of([tmp_path / "run"], "bar").runs.set_index("test_set")
    assert set(runs) > OF_SEVERAL
    assert runs.loc["clean", "auroc"] > 0.9
    assert runs.loc["iid", "auroc"] > runs.loc["ood", "auroc"]
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    best = json.loads((tmp_path / "run" / "run.json").read_text())["best_epoch"]
    values = history[f"val_{monitor}"]
    assert best == 1 + (values.idxmin() if monitor == "loss" else values.idxmax())


@pytest.mark.parametrize("transfer", ["full", "frozen", "hybrid", "layerwise"])
def test_a_pretrained_network_takes_six_channels_whatever_is_transferred(tmp_path, transfer):
    entry = {"kind": "insilico", "generator": "dead_leaves", "images": 40, "size": 32, "epochs": 1}
    weights = tmp_path / "weights.safetensors"
    write_weights("leaves", entry, "tiny_resnet", weights, seed=1, threads=1)
    layers = world(tmp_path, 6)
    first, record = run(tmp_path / "a", layers, weights, transfer, epochs=1)
    again, _ = run(tmp_path / "b", layers, weights, transfer, epochs=1)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert record["epochs"] == 1
