"""What this machine has, and what a job takes of it."""

import os

import pytest

from conftest import merged
from sourcebench.machine import RESERVED, memory_mb, training_mb
from sourcebench.study import Study
from sourcebench.study.memory import run_memory


def test_all_of_the_memory_but_what_the_system_needs(tmp_path):
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    assert memory_mb(tmp_path / "no such file") == total - RESERVED


@pytest.mark.parametrize(("limit", "allowed"), [("4000000000\n", 3000), ("1200000000", RESERVED)])
def test_a_container_has_less(tmp_path, limit, allowed):
    (tmp_path / "memory.max").write_text(limit)
    assert memory_mb(tmp_path / "memory.max") == allowed


def test_a_container_without_a_limit_has_all(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_mb(tmp_path / "memory.max") == memory_mb(tmp_path / "no such file")


def test_larger_runs_take_more():
    small = training_mb(240, 96, 16, card=False)
    assert 1000 < small < 2000
    assert training_mb(331, 512, 32, card=False) > 10 * small
    assert training_mb(331, 512, 32, card=True) < 6000
    assert training_mb(10_000, 512, 32, card=True) > training_mb(331, 512, 32, card=True)


def test_sixteen_cores_and_eight_gigabytes_run_the_demo():
    """As many of the demo's jobs as fit, and not sixteen."""
    config = merged({"training": {"accelerator": "cpu"}})
    config["tasks"]["cxr_mass"] |= {
        "input_size": 96,
        "batch_size": 16,
        "samples": {"test": 80, "dev": 160},
    }
    each = run_memory(Study.of(config).tasks["cxr_mass"], card=False)
    assert 4 <= (8000 - RESERVED) // each <= 7
