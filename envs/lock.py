"""Resolve pyproject.toml into requirements.lock, for every machine that SourceBench is for.

    python envs/lock.py             # keep the versions that are locked, add what is new
    python envs/lock.py torch timm  # and take the newest of these

`make lock` runs it. A lock that couldn't be installed somewhere is refused, and the old one stays.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from python import supported

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
UV = Path(sys.executable).with_name("uv")

PLATFORMS = {
    "x86_64-manylinux_2_28": "Linux on x86-64",
    "aarch64-manylinux_2_28": "Linux on ARM",
    "aarch64-apple-darwin": "a Mac with Apple silicon",
}
PYTHONS = supported((ROOT / "pyproject.toml").read_text())
MACOS = "14.0"
"""The oldest for which PyTorch has wheels."""

SOURCES = {"connection-pool"}
"""Packages without wheels that need no compiler: they are Python alone."""


def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run uv, and return what it said."""
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
    return subprocess.run(
        [str(UV), "pip", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )


def resolve(lock: Path, newest: list[str]) -> None:
    """Write a lock for all platforms; the versions that it holds stay, but for the `newest`."""
    options = [f"--upgrade-package={name}" for name in newest]
    done = uv(
        *("compile", "pyproject.toml", "--extra", "workflow", "--group", "dev", "--universal"),
        *("--output-file", str(lock), "--python-version", PYTHONS[0], "--generate-hashes"),
        *("--no-annotate", "--quiet", "--custom-compile-command", "make lock", *options),
    )
    if done.returncode:
        sys.exit(
            f"pyproject.toml can't be resolved; requirements.lock is as it was.\n{done.stderr}"
        )


def obstacles(lock: Path) -> list[str]:
    """Return why a lock couldn't be installed, a paragraph per platform and Python."""
    packages = re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)
    wheels = [f"--only-binary={name}" for name in packages if name not in SOURCES]
    found = []
    with tempfile.TemporaryDirectory() as nowhere:
        for platform, people_say in PLATFORMS.items():
            for python in PYTHONS:
                done = uv(
                    *("install", "--dry-run", "--quiet", "--target", nowhere, *wheels),
                    *("--python-platform", platform, "--python-version", python),
                    *("--requirements", str(lock)),
                )
                if done.returncode:
                    found.append(f"{people_say}, Python {python}:\n{done.stderr.strip()}")
                else:
                    print(f"It can be installed: {people_say}, Python {python}.")
    return found


def main() -> None:
    """Resolve, check, and only then replace the lock."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("newest", nargs="*", help="packages to take in their newest version")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / LOCK.name
        if LOCK.exists():
            shutil.copy(LOCK, lock)
        resolve(lock, options.newest)
        if found := obstacles(lock):
            sys.exit(
                "The lock is refused and the old one stays, as it can't be installed on\n\n"
                + "\n\n".join(found)
                + "\n\nIn pyproject.toml, give it a marker, or a version that has wheels there."
            )
        LOCK.write_text(lock.read_text())


if __name__ == "__main__":
    main()
