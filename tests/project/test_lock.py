"""The lock is for every machine; `make lock` refuses one that isn't."""

import importlib.util
import re
import subprocess

import pytest
from packaging.markers import Marker

from conftest import ROOT

MACHINES = {
    "Linux on x86-64": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "Linux on ARM": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "a Mac with Apple silicon": {"sys_platform": "darwin", "platform_machine": "arm64"},
}


@pytest.fixture
def lock(monkeypatch):
    """The script that `make lock` runs."""
    monkeypatch.syspath_prepend(ROOT / "envs")
    spec = importlib.util.spec_from_file_location("lock", ROOT / "envs" / "lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed_on(machine):
    """Names of the packages that the lock wants on a machine."""
    text = (ROOT / "requirements.lock").read_text()
    wanted = set()
    for name, marker in re.findall(r"^([\w.-]+)==[^ ]+ (?:; (.*) )?\\$", text, re.MULTILINE):
        if not marker or Marker(marker).evaluate(machine):
            wanted.add(name)
    return wanted


def test_what_has_no_wheels_on_a_machine_is_not_wanted_there():
    on = {name: installed_on(machine) for name, machine in MACHINES.items()}
    assert "astra-toolbox" in on["Linux on x86-64"]
    for name in ("Linux on ARM", "a Mac with Apple silicon"):
        assert "astra-toolbox" not in on[name]
        assert {"torch", "snakemake", "pylidc"} <= on[name]
    assert "triton" in on["Linux on ARM"]
    assert not [name for name in on["a Mac with Apple silicon"] if name.startswith("nvidia")]


def test_the_script_checks_those_machines(lock):
    assert set(lock.PLATFORMS.values()) == set(MACHINES)


def answers(lock, monkeypatch, tmp_path, fails):
    """Let uv resolve to a new lock, and fail where it is asked for what is in `fails`."""
    monkeypatch.setattr(lock, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(lock.sys, "argv", ["lock.py", "timm"])
    lock.LOCK.write_text("timm==1.0\n")
    asked = []

    def uv(*arguments):
        asked.append(arguments)
        if arguments[0] == "compile":
            path = lock.Path(arguments[arguments.index("--output-file") + 1])
            assert path.read_text() == "timm==1.0\n"  # what uv keeps the versions of
            path.write_text("timm==2.0\nconnection-pool==0.0.3\n")
        failed = any(word in arguments for word in fails)
        return subprocess.CompletedProcess(arguments, int(failed), "", "timm has no wheels")

    monkeypatch.setattr(lock, "uv", uv)
    return asked


def test_a_lock_for_every_machine_replaces_the_old_one(lock, monkeypatch, tmp_path):
    asked = answers(lock, monkeypatch, tmp_path, fails=())
    lock.main()
    assert lock.LOCK.read_text().startswith("timm==2.0")
    assert "--upgrade-package=timm" in asked[0]
    assert len(asked) == 1 + len(MACHINES) * len(lock.PYTHONS)
    for arguments in asked[1:]:
        assert "--only-binary=timm" in arguments
        assert "--only-binary=connection-pool" not in arguments


@pytest.mark.parametrize(
    ("fails", "sentence"),
    [
        (("aarch64-apple-darwin",), r"refused.*a Mac with Apple silicon, Python 3.13:\s+timm has"),
        (("compile",), "pyproject.toml can't be resolved"),
    ],
)
def test_a_lock_that_can_not_be_installed_is_refused(lock, monkeypatch, tmp_path, fails, sentence):
    answers(lock, monkeypatch, tmp_path, fails)
    with pytest.raises(SystemExit) as refusal:
        lock.main()
    assert re.search(sentence, str(refusal.value), re.DOTALL)
    assert lock.LOCK.read_text() == "timm==1.0\n"
