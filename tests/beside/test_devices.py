"""Each run gets a card of its own: file locks decide, since Snakemake only counts."""

import multiprocessing
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from conftest import ROOT
from sourcebench import devices
from sourcebench.errors import SourceBenchError
from sourcebench.sources import Normalisation
from sourcebench.training import finetuning, trainer
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.data import RunData
from sourcebench.training.runs import Recipe


def test_runs_at_the_same_time_get_different_cards(tmp_path):
    with devices.own_card(["0", "1"], folder=tmp_path) as first:
        code = (
            "import sys; from pathlib import Path; from sourcebench import devices\n"
            "with devices.own_card(['0', '1'], folder=Path(sys.argv[1])) as card: print(card)"
        )
        second = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(ROOT / "workflow" / "scripts"), "PATH": "/usr/bin:/bin"},
        ).stdout.strip()  # fmt: skip
        assert {first, second} == {"0", "1"}


def hold(folder, ready):
    with devices.own_card(["0"], folder=folder):
        ready.set()
        multiprocessing.Event().wait()  # until killed


def test_a_killed_run_gives_its_card_back(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(tmp_path, ready))
    process.start()
    assert ready.wait(60)
    looks = []
    with (
        pytest.raises(SourceBenchError, match="No graphics card became free"),
        devices.own_card(["0"], folder=tmp_path, wait=1, patience=3, pause=looks.append),
    ):
        pass
    assert len(looks) == 4
    process.kill()
    process.join()
    with devices.own_card(["0"], folder=tmp_path, patience=0) as card:
        assert card == "0"


def test_cards_are_told_apart_by_what_they_are(monkeypatch):
    """Under a cluster's confinement every job's card is number 0: only the UUID is its own."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda card: SimpleNamespace(uuid=f"GPU-{card}a")
    )
    assert devices.visible_cards() == ["GPU-0a", "GPU-1a"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with devices.device("auto", 1) as first, devices.device("gpu", 1) as second:
        assert {first.index, second.index} == {0, 1}


def test_the_cpu_is_always_there():
    with devices.device("cpu", 1) as device:
        assert device.type == "cpu"
        assert torch.get_num_threads() == 1
    assert devices.hardware(device)["device"] == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_missing_card_is_said():
    said = "training.accelerator is 'gpu', but PyTorch finds no card"
    with (
        pytest.raises(SourceBenchError, match=said),
        devices.device("gpu", 1, "training.accelerator"),
    ):
        pass


@pytest.fixture
def apple(monkeypatch, tmp_path):
    """A machine with an Apple chip, as far as one can be had elsewhere."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    return torch.device("mps", 0)


@pytest.mark.parametrize("accelerator", ["auto", "gpu"])
def test_apples_card_is_taken_by_one_run_at_a_time(apple, accelerator):
    with devices.device(accelerator, 1) as device:
        assert device == apple
        with (
            pytest.raises(SourceBenchError, match="No graphics card became free"),
            devices.own_card(["mps"], patience=0, pause=lambda _: None),
        ):
            pass
    with devices.device("cpu", 1) as device:
        assert device.type == "cpu"


def test_apples_card_computes_in_float32_unless_told_otherwise(apple):
    assert devices.precision("auto", apple) == "32-true"
    assert devices.precision("bf16", apple) == "bf16-mixed"
    assert devices.hardware(apple)["device"].endswith("(mps)")


@pytest.mark.parametrize(
    ("device", "accelerator", "index"), [("mps:0", "mps", [0]), ("cpu", "cpu", 1)]
)
def test_lightning_is_told_the_processor(monkeypatch, tmp_path, device, accelerator, index):
    told = {}
    monkeypatch.setattr(trainer.lightning, "Trainer", lambda **given: told.update(given))
    recipe = Recipe(1, 1, 1e-5, 0.5, 8, "loss", Augmentation(), precision="fp32")
    trainer.trainer_of(recipe, torch.device(device), tmp_path)
    assert (told["accelerator"], told["devices"]) == (accelerator, index)


def test_only_cuda_is_sent_what_it_may_read_later(monkeypatch):
    """Apple's card may read memory that is free again; 'meta' stands for it here."""
    waited, to = [], torch.Tensor.to

    def noted(tensor, *given, **options):
        if tensor.device.type == "cpu" and torch.device("meta") in given:
            waited.append(not options.get("non_blocking", False))
        return to(tensor, *given, **options)

    monkeypatch.setattr(torch.Tensor, "to", noted)
    images, labels = torch.zeros(4, 8, 8, 1, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)
    none = torch.zeros(4, dtype=torch.bool)
    data = RunData(images, labels, none, Normalisation(), Augmentation(), 2, 0)
    data.to(torch.device("meta"))
    data.batch(torch.tensor([0, 1]), augment=True)
    assert len(waited) >= 6  # images, labels, indices, maps, slope, offset
    assert all(waited)


def test_fresh_weights_leave_every_generator_as_it_was(monkeypatch):
    """`torch.manual_seed` would seed a card, and dropout there would depend on the transfer."""

    def refuse(seed):
        raise AssertionError("seeds the card as well")

    before = torch.get_rng_state()
    monkeypatch.setattr(torch, "manual_seed", refuse)
    first, second = (finetuning._fresh_backbone("tiny_resnet", None, 64, 1) for _ in range(2))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(before, torch.get_rng_state())
