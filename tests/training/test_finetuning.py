"""A run: its data, its training, what it writes, and that it writes the same each time."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score

from sourcebench import design
from sourcebench.devices import precision
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.metrics import METRICS
from sourcebench.models import build_backbone
from sourcebench.models.classifier import Classifier
from sourcebench.sources import USUAL, Normalisation
from sourcebench.training import module, predictions
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.data import Layers, RunData
from sourcebench.training.finetuning import HISTORY_COLUMNS, Outputs, Recipe, Run, finetune
from sourcebench.training.module import BestWeights, FineTuner
from sourcebench.training.probe import probe_scores

SIZE = 32


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A task of 96 images: bright ones are positive, the artifact is a white corner."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    n = 96
    labels = np.arange(n) % 2
    images = rng.normal(90, 25, (n, SIZE, SIZE)) + 30 * labels[:, None, None]
    images = images.clip(0, 255).astype(np.uint8)
    artifact = images.copy()
    artifact[:, :6, :6] = 255
    np.save(folder / "images.npy", images)
    for name, drawn in (("corner", artifact), ("framed", 255 - images)):
        (folder / name).mkdir()
        np.save(folder / name / "artifact.npy", drawn)
    manifest = pd.DataFrame(
        {
            "image_id": [f"{i:08d}_000.png" for i in range(n)],
            "patient_id": range(n),
            "label": labels,
            "role": np.where(np.arange(n) < 32, "test", "dev"),
        }
    )
    manifest.to_csv(folder / "samples.csv", index=False)
    common = {"folds": 2, "val_fraction": 0.25, "seed": 1, "name": "t"}
    shifts = [design.Shifted("framed", "framed", 1)]
    made = design.build(manifest, confounder="corner", shifts=shifts, **common)
    layers = Layers(
        folder / "samples.csv",
        folder / "images.npy",
        {name: folder / name / "artifact.npy" for name in ("corner", "framed")},
    )
    return layers, made, images, artifact


def recipe(**changes):
    usual = {
        "epochs": 3, "patience": 30, "learning_rate": 1e-3, "dropout": 0.5, "batch_size": 16,
        "monitor": "loss", "augmentation": Augmentation(), "precision": "fp32",
        "accelerator": "cpu",
    }  # fmt: skip
    return Recipe(**usual | changes)


def outputs(folder, checkpoint=False):
    return Outputs(
        folder / "predictions.parquet", folder / "history.csv", folder / "run.json",
        folder / "checkpoint.safetensors" if checkpoint else None,
    )  # fmt: skip


def run(world, folder, *, name="corner", p_art=1.0, seed=1, checkpoint=False, **changes):
    layers, made, *_ = world
    finetune(
        Run("t", name, "random", "tiny_resnet", p_art, 1),
        recipe(**changes),
        designs={"corner": made},
        layers=layers,
        weights=None,
        seed=seed,
        outputs=outputs(folder, checkpoint),
    )
    return pd.read_parquet(folder / "predictions.parquet")


def test_layers_take_each_image_from_its_array(world):
    layers, made, images, artifact = world
    rows = design.development(made.images, 0.5, 1)
    read = layers.read(rows["image_id"], rows["layer"]).numpy()
    for i, row in enumerate(rows.itertuples()):
        number = int(row.image_id[:8])
        assert (read[i, ..., 0] == (artifact if row.artifact else images)[number]).all()


def test_batches_hold_every_image_once(world):
    layers, made, images, _ = world
    rows = design.development(made.images, 0, 1)
    validation = torch.tensor((rows["part"] == "val").to_numpy())
    data = RunData(
        layers.read(rows["image_id"], rows["layer"]),
        torch.tensor(rows["label"].to_numpy()),
        validation,
        Normalisation((0.5, 0.4, 0.3), (0.2, 0.2, 0.1)),
        Augmentation(),
        batch_size=5,
        seed=1,
    )
    seen = torch.cat(list(data.train_dataloader()))
    assert sorted(seen.tolist()) == (~validation).nonzero().squeeze(1).tolist()
    assert torch.cat(list(data.train_dataloader())).tolist() != seen.tolist()
    pixels, labels = data.batch(torch.tensor([3, 1]), augment=False)
    assert pixels.shape == (2, 3, SIZE, SIZE)
    expected = (images[int(rows["image_id"][3][:8])] / 255 - 0.3) / 0.1
    np.testing.assert_allclose(pixels[0, 2].numpy(), expected, atol=1e-4)
    assert labels.tolist() == [rows["label"][3], rows["label"][1]]
    assert not torch.equal(data.batch(torch.tensor([3, 1]), augment=True)[0], pixels)


def test_a_run_writes_what_it_should(world, tmp_path):
    predictions = run(world, tmp_path, checkpoint=True)
    assert list(predictions.columns) == [
        "confounder", "test_set", "image_id", "patient_id", "label", "artifact", "probe",
        "logit_0", "logit_1",
    ]  # fmt: skip
    assert predictions["label"].dtype == "int8"
    assert predictions["logit_1"].dtype == predictions["probe"].dtype == "float32"
    assert predictions["patient_id"].dtype == "str"
    number = predictions["image_id"].str[:8].astype(int)
    assert (predictions["patient_id"].astype(int) == number).all()
    sets = ["iid", "ood", "clean", "artifact", "framed"]
    assert predictions["test_set"].value_counts().to_dict() == dict.fromkeys(sets, 32)
    ood = predictions[predictions["test_set"] == "ood"]
    assert (ood["artifact"] == (ood["label"] == 0)).all()
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history.columns) == HISTORY_COLUMNS
    assert list(history["epoch"]) == [1, 2, 3]
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["epochs"] == 3
    assert record["best_epoch"] == history["val_loss"].idxmin() + 1
    assert record["recipe"]["learning_rate"] == 1e-3
    assert {"torch", "lightning", "python", "sourcebench"} <= set(record["versions"])
    assert record["hardware"]["device"] == "cpu"
    state = load_file(tmp_path / "checkpoint.safetensors")
    assert "head.weight" in state
    table = Evidence.of([tmp_path], "corner").runs
    assert set(table["test_set"]) == set(sets)


def test_a_kept_network_is_tested_without_training(world, tmp_path):
    """The same predictions and history at once; another digest, or a broken file, trains again."""

    def epochs_in(folder, decided_by):
        layers, made, *_ = world
        before = (folder / "run.json").stat().st_mtime_ns if (folder / "run.json").exists() else 0
        finetune(
            Run("t", "corner", "random", "tiny_resnet", 1.0, 1), recipe(),
            designs={"corner": made}, layers=layers, weights=None, seed=1,
            outputs=outputs(folder, checkpoint=True), trained_by=decided_by,
        )  # fmt: skip
        assert (folder / "run.json").stat().st_mtime_ns > before
        kept = (folder / "checkpoint.safetensors").stat().st_mtime_ns
        history, predictions = folder / "history.csv", folder / "predictions.parquet"
        return kept, history.read_bytes(), predictions.read_bytes()

    first = epochs_in(tmp_path, "this")
    assert epochs_in(tmp_path, "this") == first  # the same file, the same seconds: not trained
    other = epochs_in(tmp_path, "that")
    assert other[0] != first[0]
    assert other[2] == first[2]
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    again = epochs_in(tmp_path, "that")
    assert again[0] != other[0]
    assert again[2] == first[2]


@pytest.mark.parametrize("kind", ["fp32", "bf16"])
def test_the_same_run_gives_the_same_predictions(world, tmp_path, kind):
    first = run(world, tmp_path / "a", precision=kind)
    again = run(world, tmp_path / "b", precision=kind)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    other = run(world, tmp_path / "c", precision=kind, seed=2)
    assert not np.array_equal(first["logit_1"], other["logit_1"])


def test_a_network_learns_the_shortcut(world, tmp_path):
    """With the artifact on every positive, the o.o.d. order of the classes turns round."""
    run(world, tmp_path, epochs=25, learning_rate=3e-3, augmentation=Augmentation(0, 0, 0, 0))
    auroc = Evidence.of([tmp_path], "corner").runs.set_index("test_set")["auroc"]
    assert auroc["iid"] > 0.9
    assert auroc["ood"] < auroc["iid"] - 0.2


def test_the_shared_run_of_no_share_is_tested_on_all(world, tmp_path):
    layers, made, *_ = world
    finetune(
        Run("t", "none", "random", "tiny_resnet", 0.0, 2),
        recipe(epochs=1),
        designs={"corner": made, "other": made},
        layers=layers,
        weights=None,
        seed=1,
        outputs=outputs(tmp_path),
    )
    predictions = pd.read_parquet(tmp_path / "predictions.parquet")
    assert set(predictions["confounder"]) == {"corner", "other"}
    corner, other = (predictions[predictions["confounder"] == name] for name in ("corner", "other"))
    clean = corner[corner["test_set"] == "clean"].set_index("image_id")["logit_1"]
    same = other[other["test_set"] == "iid"].set_index("image_id")["logit_1"]
    assert clean.equals(same)
    ood = corner[corner["test_set"] == "ood"].set_index("image_id")
    changed = ood["logit_1"] != clean
    assert (changed == ood["artifact"]).all()


def test_a_shift_is_a_test_set_and_an_image_is_seen_once(world, tmp_path, monkeypatch):
    seen, predict = [], predictions.predict

    def counted(model, images, *rest):
        seen.append(len(images))
        return predict(model, images, *rest)

    monkeypatch.setattr(predictions, "predict", counted)
    table = run(world, tmp_path, p_art=0.5, epochs=1)
    sets = table.set_index(["test_set", "image_id"])["logit_1"]
    assert list(table["test_set"].unique()) == ["iid", "ood", "clean", "artifact", "framed"]
    assert (sets["framed"] != sets["clean"]).all()
    # As they are, with the shift, and with the artifact those of 'iid' and 'ood'; then the others.
    carrying = table["artifact"] & table["test_set"].isin(["iid", "ood"])
    early = 2 * 32 + table.loc[carrying, "image_id"].nunique()
    assert seen == [early, 3 * 32 - early]


def test_what_is_probed_are_the_features_that_the_head_takes(world, tmp_path):
    """As the run's probe has them, image by image, from the network that it kept."""
    layers, made, *_ = world
    table = run(world, tmp_path, epochs=1, checkpoint=True)
    rows = table[table["test_set"].isin(["clean", "artifact"])]
    assert table.drop(rows.index)["probe"].isna().all()
    network = Classifier(build_backbone("tiny_resnet")).eval()
    network.load_state_dict(load_file(tmp_path / "checkpoint.safetensors"))
    taken = []
    network.dropout.register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    tests = design.test(made.tests, 1.0)
    tests = tests[tests["test_set"].isin(["clean", "artifact"])]
    with torch.no_grad():
        network(USUAL(layers.read(tests["image_id"], tests["layer"])))
    expected = probe_scores(taken[0], tests["artifact"].to_numpy(), list(rows["patient_id"]), 1)
    np.testing.assert_allclose(rows["probe"], expected, rtol=1e-3, atol=1e-4)
    assert roc_auc_score(rows["artifact"], rows["probe"]) > 0.9


def test_no_epochs_tests_the_network_as_it_starts(world, tmp_path):
    run(world, tmp_path, epochs=0)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["epochs"] == record["best_epoch"] == 0
    assert len(pd.read_csv(tmp_path / "history.csv")) == 0


def test_patience_ends_the_training(world, tmp_path):
    run(world, tmp_path, epochs=40, patience=2, learning_rate=0.3)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["epochs"] == record["best_epoch"] + 2


def test_batch_normalisation_follows_at_the_recipes_pace(world, tmp_path):
    """At a rate that moves no weight, n batches leave 0.99ⁿ of the variance of 1 at the start."""
    still = {"epochs": 3, "learning_rate": 1e-12, "augmentation": Augmentation(0, 0, 0, 0)}
    ends = {}
    for momentum in (0, 0.01, 1):
        folder = tmp_path / str(momentum)
        run(world, folder, checkpoint=True, batch_norm_momentum=momentum, **still)
        assert json.loads((folder / "run.json").read_text())["recipe"]["batch_norm_momentum"] == (
            momentum
        )
        ends[momentum] = load_file(folder / "checkpoint.safetensors")
    first, batch = (ends[m]["backbone.stem.1.running_var"] for m in (0, 1))
    assert (first == 1).all()
    kept = 0.99 ** int(ends[0.01]["backbone.stem.1.num_batches_tracked"])  # till the best epoch
    torch.testing.assert_close(
        ends[0.01]["backbone.stem.1.running_var"],
        kept + (1 - kept) * batch,
        rtol=0.05,
        atol=0,  # batches differ a little
    )


def test_the_best_epoch_is_restored():
    class Trainer:
        current_epoch = 0
        callback_metrics = None

    model, best = FineTuner(torch.nn.Linear(2, 2), 1e-3), BestWeights("val_auroc", "max")
    for epoch, value in enumerate([0.6, 0.9, 0.7]):
        Trainer.current_epoch, Trainer.callback_metrics = epoch, {"val_auroc": value}
        torch.nn.init.constant_(model.network.weight, epoch)
        best.on_validation_end(Trainer, model)
    best.on_fit_end(Trainer, model)
    assert best.epoch == 2
    assert (model.network.weight == 1).all()


def test_what_is_watched_is_the_whole_validation_set():
    model = FineTuner(torch.nn.Identity(), 1e-3)
    logged = {}
    model.log = lambda name, value, **_: logged.update({name: float(value)})
    logits = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(10) % 2
    for part in (slice(0, 7), slice(7, 10)):
        model.validation_step((logits[part], labels[part], 2 * labels[part]), 0)
    model.on_validation_epoch_end()
    assert logged["val_loss"] == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, labels)), rel=1e-6
    )
    assert logged["val_auroc"] == pytest.approx(
        roc_auc_score(labels, logits[:, 1] - logits[:, 0]), rel=1e-6
    )


def test_the_papers_recipe_is_the_default():
    import yaml

    from conftest import ROOT

    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    mass = Recipe.of(config["training"], config["tasks"]["cxr_mass"], 1)
    assert (mass.epochs, mass.patience, mass.learning_rate, mass.dropout) == (200, 30, 1e-5, 0.5)
    assert (mass.batch_size, mass.monitor) == (32, "loss")
    assert mass.batch_norm_momentum == pytest.approx(1 - 0.99)  # Keras' default
    assert mass.augmentation == Augmentation(rotation=10, shift=0.1, shear=0.1, zoom=0.1)
    gender = Recipe.of(config["training"], config["tasks"]["cxr_atelectasis"], 1)
    assert (gender.batch_size, gender.monitor, gender.precision) == (64, "auc_keras", "fp32")


def test_precision_names():
    cpu = torch.device("cpu")
    assert precision("fp32", cpu) == "32-true"
    assert precision("bf16", cpu) == "bf16-mixed"
    has = torch.cpu.get_capabilities()
    native = has.get("avx512_bf16") or has.get("amx_bf16")
    assert precision("auto", cpu) == ("bf16-mixed" if native else "32-true")


def test_a_sure_network_keeps_its_ranking():
    """Margins at which a sigmoid is 1 in float32 are still in order."""
    margins, labels = torch.tensor([20.0, 21, 22, 30]), torch.tensor([0, 0, 1, 1])
    logits = torch.stack([torch.zeros(4), margins], 1)
    assert module.auroc(logits, labels) == 1
    assert module.auroc(-logits, labels) == 0
    assert module.auroc(torch.zeros(4, 2), labels) == 0.5


@pytest.mark.parametrize("spread", [0.1, 1, 10])
@pytest.mark.parametrize("classes", [2, 3, 8])
def test_what_is_watched_is_what_keras_watches(spread, classes):
    """`auc_keras` of the training is that of the evaluation, which is tested against Keras'."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 83)
    logits = rng.normal(size=(83, classes)) * spread + np.eye(classes)[labels]
    ours = module.auc_keras(torch.tensor(logits), torch.tensor(labels))
    assert float(ours) == pytest.approx(METRICS.get("auc_keras")(labels, logits), abs=1e-6)
    rank = METRICS.get("auroc")(labels, logits)
    watched = module.auroc(torch.tensor(logits), torch.tensor(labels))
    assert float(watched) == pytest.approx(rank, abs=1e-6)
