"""Each run gets a card of its own: file locks decide, since Snakemake only counts."""

import multiprocessing
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from conftest import ROOT
from sourcebench.errors import SourceBenchError
from sourcebench.training import devices


def test_runs_at_the_same_time_get_different_cards(tmp_path):
    with devices.own_card(["0", "1"], folder=tmp_path) as first:
        code = (
            "import sys; from pathlib import Path; from sourcebench.training import devices\n"
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
    with pytest.raises(SourceBenchError, match="PyTorch finds no card"), devices.device("gpu", 1):
        pass
