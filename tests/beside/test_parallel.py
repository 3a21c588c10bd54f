"""Several processes: they do their work, end with it, and wait for nothing that a fork has lost."""

import signal
import subprocess
import sys

import psutil
import pytest

from conftest import ROOT
from sourcebench.errors import SourceBenchError
from sourcebench.parallel import each

JOB = """
from types import SimpleNamespace

from sourcebench.jobs import job
from sourcebench.parallel import each

if __name__ == "__main__":
    with job(SimpleNamespace(log="log.txt", config={})):
        print(sorted(each(abs, [-3, -2, 1], processes=2)))
"""


def half(number):
    if number % 2:
        raise SourceBenchError(f"{number} is odd.")
    return number // 2


@pytest.mark.parametrize("processes", [1, 2])
def test_all_is_done_and_an_error_is_as_it_was(processes):
    assert sorted(each(half, [2, 4, 6, 8], processes)) == [1, 2, 3, 4]
    with pytest.raises(SourceBenchError, match=r"3 is odd\."):
        list(each(half, [2, 3, 4], processes))


def test_a_handler_left_behind_stops_nothing():
    """As Lightning leaves one for SIGTERM, by which pools of forks end their workers."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        assert sorted(each(half, list(range(0, 40, 2)), 2)) == list(range(20))
    finally:
        signal.signal(signal.SIGTERM, before)


def test_no_process_outlives_a_job(tmp_path):
    (tmp_path / "door.py").write_text(JOB)
    environment = {"PYTHONPATH": str(ROOT / "workflow" / "scripts"), "MARK": str(tmp_path)}
    subprocess.run(
        [sys.executable, "door.py"], cwd=tmp_path, env=environment, check=True, timeout=120
    )
    assert (tmp_path / "log.txt").read_text() == "[1, 2, 3]\n"
    left = [each for each in psutil.process_iter() if marked(each, str(tmp_path))]
    psutil.wait_procs(left, timeout=20)
    assert not [each for each in left if each.is_running()]


def marked(process, mark):
    try:
        return process.environ().get("MARK") == mark
    except psutil.Error:
        return False
