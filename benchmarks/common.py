"""What the benchmarks share: the library on the path, the machine in a line, and the verdict."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))


def machine() -> str:
    """Name the processor, its cores, and how busy it is (1.0 is one core at work)."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def verdict(what: str, value: float, *, at_least: float | None = None, at_most: float = 0) -> None:
    """Print a figure with its target beside it, which is either `at_least` or `at_most`."""
    met = value >= at_least if at_least is not None else value <= at_most
    target = f"at least {at_least:g}" if at_least is not None else f"at most {at_most:g}"
    print(f"{what:<44} {value:7.2f}   target: {target}   {'met' if met else 'MISSED'}")


def snakemake(
    folder: Path,
    changes: dict[str, Any],
    *configs: str,
    options: list[str],
    snakefile: Path = ROOT / "Snakefile",
) -> str:
    """Run the workflow in a folder of its own, and return what it printed.

    Args:
        folder: results, resources and Snakemake's own state go here.
        changes: what is changed in the config.
        configs: names of files in `config/` that are merged, before `changes`.
        options: further words on the command line.
        snakefile: another workflow than the project's.
    """
    changed = folder / "changes.yaml"
    changed.write_text(yaml.safe_dump(changes))
    files = [*(str(ROOT / "config" / name) for name in configs), str(changed)]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
    command += ["--directory", str(folder), *options, "--configfile", *files]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(command)} failed.")
    return done.stdout
