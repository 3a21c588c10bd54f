"""What a result depends on, for its record."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

import sourcebench


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {
        "sourcebench": sourcebench.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "lightning": version("pytorch_lightning"),
    }


def git_commit() -> str | None:
    """Return the commit of the code, None outside a git checkout."""
    folder = Path(__file__).parent
    done = subprocess.run(
        ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None if done.returncode == 0 else None
