"""Around every script: logs in a file, errors as one sentence."""

import subprocess
import sys

import pytest

from conftest import ROOT

BEFORE = """
import sys
from types import SimpleNamespace
from sourcebench.errors import SourceBenchError
from sourcebench.jobs import job
with job(SimpleNamespace(log=[sys.argv[1]][0], config={})) as terminal:
    print("quiet")
    print("followed", file=terminal)
"""


def script(tmp_path, ending):
    log = tmp_path / "logs" / "log.txt"
    code = BEFORE + "    " + ending
    done = subprocess.run(
        [sys.executable, "-c", code, str(log)], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT / "workflow" / "scripts"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout == ""
    return done.returncode, done.stderr, log.read_text()


def test_a_quiet_job(tmp_path):
    assert script(tmp_path, "pass") == (0, "followed\n", "quiet\n")


def test_an_error_is_one_sentence(tmp_path):
    status, terminal, log = script(tmp_path, "raise SourceBenchError('Mend it.')")
    assert status == 1
    assert terminal == "followed\nError: Mend it.\n"
    assert log == "quiet\nError: Mend it.\n"


def test_a_defect_keeps_its_traceback_in_the_log(tmp_path):
    status, terminal, log = script(tmp_path, "1 / 0")
    assert status == 1
    assert "Traceback" in log
    assert "Traceback" not in terminal
    assert "ZeroDivisionError: division by zero" in terminal


def test_an_interrupted_job(tmp_path):
    status, terminal, log = script(tmp_path, "raise KeyboardInterrupt")
    assert status == 130
    assert terminal == "followed\n"
    assert log.endswith("Interrupted.\n")


@pytest.mark.parametrize("words", ["import os; os.system('echo from a child')"])
def test_children_log_too(tmp_path, words):
    assert "from a child" in script(tmp_path, words)[2]
