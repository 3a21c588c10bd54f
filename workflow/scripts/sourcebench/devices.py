"""Which processor a run uses: a card of its own where there are several, else the CPU."""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from sourcebench.accelerators import processor_of
from sourcebench.errors import SourceBenchError


def visible_cards() -> list[str]:
    """Return the UUIDs of the cards that this process may use, in CUDA's order.

    Numbers would not do: where a cluster hides the other cards, every job's card is number 0.
    """
    cards = range(torch.cuda.device_count())
    return [str(torch.cuda.get_device_properties(card).uuid) for card in cards]


@contextmanager
def own_card(
    cards: list[str],
    *,
    folder: Path | None = None,
    wait: float = 2.0,
    patience: float = 24 * 3600.0,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Hold a card that no other run on this machine holds.

    Snakemake's `--resources gpu=4` counts cards without saying which one a job gets (snakemake
    issue 281). Here each run locks a file per card, the first that is free; the lock goes with
    the process, however that ends.

    Args:
        cards: as `visible_cards` returns them.
        folder: where the lock files lie, the same for all runs on a machine; by default the
            folder for temporary files.
        wait: seconds between looks when every card is taken.
        patience: seconds after which waiting ends.
        pause: waits that long.

    Yields:
        The card's name.

    Raises:
        SourceBenchError: no card became free in time.
    """
    folder = folder or Path(tempfile.gettempdir())
    waited = 0.0
    while waited <= patience:
        for card in cards:
            lock = FileLock(folder / f"sourcebench-{os.getuid()}-gpu-{card}.lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                continue
            try:
                yield card
            finally:
                lock.release()
            return
        pause(wait)
        waited += wait
    raise SourceBenchError(
        f"No graphics card became free in {patience / 3600:.0f} hours (there are: "
        f"{', '.join(cards)}). Run fewer jobs at a time: --resources gpu={len(cards)}."
    )


@contextmanager
def device(accelerator: str, threads: int, key: str = "accelerator") -> Iterator[torch.device]:
    """Choose the processor for a run, and hold it.

    Args:
        accelerator: 'gpu', 'cpu', or 'auto' for a card, NVIDIA's or Apple's, where there is one.
        threads: CPU threads.
        key: what the config calls the accelerator, for messages.

    Raises:
        SourceBenchError: 'gpu', and there is none.
    """
    torch.set_num_threads(threads)
    processor = processor_of(accelerator, key)
    if processor == "cpu":
        yield torch.device("cpu")
        return
    # An Apple chip has one card, in the memory that all runs share: one run at a time.
    cards = visible_cards() if processor == "cuda" else ["mps"]
    with own_card(cards) as card:
        yield torch.device(processor, cards.index(card))


def precision(wanted: str, device: torch.device) -> str:
    """Return Lightning's name for a precision.

    Args:
        wanted: 'fp32', 'bf16', or 'auto' for bf16 autocast where the hardware multiplies it; on
            Apple's cards that is left to those who ask for it.
        device: where the run is.
    """
    if wanted == "auto":
        wanted = "bf16" if _has_bf16(device) else "fp32"
    return {"bf16": "bf16-mixed", "fp32": "32-true"}[wanted]


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "mps":
        return False
    capability = torch.cpu.get_capabilities()
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))


def hardware(device: torch.device) -> dict[str, object]:
    """Describe the processor, for a run's record."""
    if device.type == "cuda":
        return {"device": torch.cuda.get_device_name(device), "cuda": torch.version.cuda}
    if device.type == "mps":
        return {"device": f"{platform.machine()} (mps)", "macos": platform.mac_ver()[0]}
    return {"device": "cpu", "isa": torch.backends.cpu.get_cpu_capability()}
