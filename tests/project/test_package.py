"""What `pip install .` installs, and what works without the clone that it came from."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser

import pytest
import yaml

from conftest import ROOT
from sourcebench import __version__

LIBRARY = ROOT / "workflow" / "scripts" / "sourcebench"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ADDRESS, TAG = "owner/SourceBench", f"v{__version__}"
WITHOUT_CACHES = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The package, built as pip does, from a copy, since setuptools leaves its things there."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(LIBRARY, folder / LIBRARY.relative_to(ROOT), ignore=WITHOUT_CACHES)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=folder, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A directory outside the repository that it is installed into: a wheel of Python alone."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(site, code, cwd):
    """Run Python with what is installed there, and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd, env=environment, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def test_everything_of_the_library_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {path.relative_to(LIBRARY.parent) for path in LIBRARY.rglob("*") if path.is_file()}
    assert names == {str(path) for path in ours if "__pycache__" not in path.parts}
    assert {"sourcebench/py.typed", "sourcebench/datasets/nih/archives.csv"} <= names


def test_it_needs_what_the_library_does_and_no_tool(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        said = Parser().parsestr(archive.read(name).decode())
    always = {each for each in said.get_all("Requires-Dist") if "extra ==" not in each}
    assert always == set(PROJECT["project"]["dependencies"])
    assert not {"pytest", "snakemake", "ruff"} & always
    assert said["Version"] == __version__


def test_it_is_imported_from_elsewhere(site, tmp_path):
    code = (
        "import yaml, sourcebench; from sourcebench.study import Study; "
        f"Study.of(yaml.safe_load(open({str(ROOT / 'config' / 'config.yaml')!r}))); "
        "print(sourcebench.__file__)"
    )
    assert python(site, code, tmp_path) == str(site / "sourcebench" / "__init__.py")


def git(folder, *arguments):
    """Run git as nobody in particular."""
    anyone = ["-c", "user.name=Anyone", "-c", "user.email=anyone@localhost"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(
        ["git", *anyone, *arguments], cwd=folder, env=environment, check=True, capture_output=True
    )


@pytest.fixture
def hosted(tmp_path, monkeypatch):
    """The workflow under an address, which git finds on this machine."""
    repository = tmp_path / "repository"
    for part in ("workflow", "config", "envs"):
        shutil.copytree(ROOT / part, repository / part, ignore=WITHOUT_CACHES)
    git(tmp_path, "init", "--quiet", "repository")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "All of it")
    git(repository, "tag", TAG)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # of what Snakemake fetches
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{repository.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"https://github.com/{ADDRESS}")


DEPLOYED = f'''
configfile: "config/config.yaml"

module sourcebench:
    snakefile:
        github("{ADDRESS}", path="workflow/Snakefile", tag="{TAG}")
    config:
        config

use rule * from sourcebench
'''
"""What `snakedeploy deploy-workflow` writes, besides config/ and profiles/."""


@pytest.fixture
def deployed(hosted, tmp_path):
    """A folder as snakedeploy leaves it, with a small study, and a way to run Snakemake there."""
    folder = tmp_path / "deployed"
    (folder / "workflow").mkdir(parents=True)
    (folder / "workflow" / "Snakefile").write_text(DEPLOYED)
    for part in ("config", "profiles"):
        shutil.copytree(ROOT / part, folder / part)
    config = yaml.safe_load((folder / "config" / "config.yaml").read_text())
    config["experiment"] |= {"tasks": ["cxr_mass"], "archs": ["tiny_resnet"], "audit": []}
    config["experiment"] |= {"sources": ["random"], "folds": 1, "p_art": [1]}
    config["datasets"]["nih_cxr14"]["origin"] = "phantoms"
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(config))

    def snakemake(site, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(site)},
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return folder, snakemake


def test_a_deployed_workflow_runs_with_the_installed_library(deployed, site):
    folder, snakemake = deployed
    status, said = snakemake(site, "--dry-run")
    assert status == 0, said
    assert "finetune" in said
    status, said = snakemake(site, "--", "results/source_matters/data/cxr_mass/manifest.csv")
    assert status == 0, said
    assert (folder / "results/source_matters/data/cxr_mass/manifest.csv").exists()


def test_without_the_library_it_says_what_is_missing(deployed, tmp_path):
    status, said = deployed[1](tmp_path, "--dry-run")
    assert status != 0
    assert "its library is not installed. Install it from there: pip install git+" in said
    assert "Traceback" not in said


def test_a_clone_uses_its_own_library_in_the_jobs_as_well(tmp_path):
    """Whatever is installed: its edits are what runs."""
    (tmp_path / "site" / "sourcebench").mkdir(parents=True)
    (tmp_path / "site" / "sourcebench" / "__init__.py").write_text("raise SystemExit('not this')")
    manifest = "results/demo/data/cxr_mass/manifest.csv"
    done = subprocess.run(
        [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"),
            "--cores", "1", "--configfile", str(ROOT / "config" / "demo.yaml"), "--", manifest,
        ],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / manifest).exists()


@pytest.fixture
def another_python(tmp_path):
    """A `python3` that says that it is 3.14, as far as envs/python.py can tell."""
    path = tmp_path / "python3"
    code = (
        "import sys, runpy; sys.version_info = (3, 14, 0); "
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    path.chmod(0o755)
    return path


def make(*variables):
    """Set up the environment as `make demo` does first."""
    return subprocess.run(
        ["make", *variables], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_make_with_another_python_names_those_that_will_do(another_python, tmp_path):
    venv = tmp_path / "venv"
    done = make(f"PYTHON={another_python}", f"VENV={venv}", str(venv / ".ready"))
    assert done.returncode != 0
    assert "SourceBench runs on Python 3.11, 3.12 or 3.13, and " in done.stderr
    assert "is Python 3.14; name another: PYTHON=python3.12 make demo" in done.stderr
    assert "Installing" not in done.stdout
    assert not venv.exists()


def test_this_python_will_do():
    subprocess.run([sys.executable, "envs/python.py"], cwd=ROOT, check=True)


def test_the_pythons_are_the_projects():
    """One list, and the range that pip reads; the README and conda's environment agree."""
    listed = [line.split(":: ")[-1] for line in PROJECT["project"]["classifiers"]]
    pythons = [name for name in listed if name.startswith("3.")]
    first, last = (int(name.split(".")[1]) for name in (pythons[0], pythons[-1]))
    assert PROJECT["project"]["requires-python"] == f">=3.{first},<3.{last + 1}"
    assert f"Python {pythons[0]} to {pythons[-1]}" in (ROOT / "README.md").read_text()
    conda = yaml.safe_load((ROOT / "envs" / "sourcebench.yaml").read_text())["dependencies"]
    assert conda[0].removeprefix("python=") in pythons
