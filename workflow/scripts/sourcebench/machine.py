"""What this machine has, for planning how many jobs run at a time."""

import os
from pathlib import Path

RESERVED = 1000
"""MB that are left to the system and to the workflow itself."""

CGROUP = Path("/sys/fs/cgroup/memory.max")
"""Where Linux says what a container, or a cluster's job, may use."""


def memory_mb(limit: Path = CGROUP) -> int:
    """Return the memory that jobs may use on this machine together, in MB.

    That is all of it, or what a container allows, less `RESERVED`, and at least as much again.

    Args:
        limit: the file with the container's limit; it may be missing or say 'max'.
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = limit.read_text().strip() if limit.is_file() else "max"
    if allowed.isdigit():
        total = min(total, int(allowed))
    return max(RESERVED, total // 1_000_000 - RESERVED)


IMPORTS, CUDA = 1100, 3000
"""MB of a job that trains: PyTorch and Lightning, and on a card CUDA's libraries."""

CHECKPOINT_MB = 3000
"""MB of a job that reads and converts somebody's weights."""

PER_PIXEL = 2.5e-3
"""MB that a ResNet50 keeps per pixel of a batch for the way back, on the CPU; more than most."""


def training_mb(images: float, side: int, batch_size: int, *, card: bool) -> int:
    """Return about how much of the machine's memory a fine-tuning job takes, in MB.

    Args:
        images: of a task, times their channels; each is at most twice in memory (read, and as one
            tensor).
        side: of the images, px.
        batch_size: images per step.
        card: whether the network is on a graphics card.
    """
    arrays = 2e-6 * images * side**2
    network = CUDA if card else PER_PIXEL * batch_size * side**2
    return round(IMPORTS + arrays + network)


MADE = 2.3
"""How many times a run's table of logits is in memory while it is put together."""

HELD = 1.5
"""How many times the predictions of all runs are, while tables are made of them."""

SAID = 80
"""Bytes of a prediction beside its logits: ids, test set and the like, as pandas has them."""

TABLES = 2000
"""MB of a job that makes tables of predictions: what it imports, and the draws of patients."""


def predictions_mb(rows: float, classes: int) -> int:
    """Return about how much memory it takes to put a run's logits together, in whole MB.

    Args:
        rows: images, each as often as there are test sets that have it.
        classes: K, a logit each (float32).
    """
    return int(MADE * 4e-6 * rows * classes)


def evidence_mb(rows: float, classes: int) -> int:
    """Return about how much memory it takes to hold the predictions of many runs, in MB.

    Args:
        rows: of all runs together.
        classes: K, a logit each (float32).
    """
    return round(TABLES + HELD * 1e-6 * rows * (4 * classes + SAID))
