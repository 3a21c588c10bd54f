"""The lock, the conda environment and the code agree; every door has a name of its own."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from conftest import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"
LIBRARY = SCRIPTS / "sourcebench"
ROOMS = [
    "retrieval", "phantoms", "datasets", "tomography", "artifacts", "attributes", "design",
    "models", "sources", "training", "evaluation", "explorer", "figures", "study",
]  # fmt: skip
WITHOUT_TORCH = ["study", "datasets.origins", "evaluation.aggregate"]
DECLARATIONS = ["figures", "evaluation.tables"]


def locked():
    """Name → version of every package in the lock."""
    text = (ROOT / "requirements.lock").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE))


def from_pypi(path):
    """The packages that a conda environment takes from PyPI: 'name==version'."""
    dependencies = yaml.safe_load(path.read_text())["dependencies"]
    return next(entry["pip"] for entry in dependencies if isinstance(entry, dict))


def test_conda_and_lock_agree():
    lock = locked()
    for path in (ROOT / "envs").glob("*.yaml"):
        for package in from_pypi(path):
            name, version = package.split("==")
            assert lock[name] == version, f"{path.name}: {package}, locked is {lock[name]}"


def test_the_library_declares_what_it_imports_and_conda_has_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {each.replace("-", "_") for each in project["dependencies"]}
    alias = {"cv2": "opencv_python_headless", "PIL": "pillow", "sklearn": "scikit_learn"}
    alias |= {"yaml": "pyyaml"}
    for path in LIBRARY.rglob("*.py"):
        for module in imported(path):
            top = module.split(".")[0]
            if top not in sys.stdlib_module_names and top != "sourcebench":
                assert alias.get(top, top) in declared, f"{path.name} imports {top}"
    conda = from_pypi(ROOT / "envs" / "sourcebench.yaml")
    assert {package.split("==")[0].replace("-", "_") for package in conda} == declared


def test_every_direct_dependency_is_locked_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    library, tools = project["project"], project["dependency-groups"]["dev"]
    direct = [*library["dependencies"], *library["optional-dependencies"]["workflow"], *tools]
    assert {re.match(r"[\w.-]+", each)[0].lower() for each in direct} <= set(locked())
    text = (ROOT / "requirements.lock").read_text()
    assert text.count("--hash=sha256:") > len(locked())
    assert "://" not in text  # no address of any registry


def test_the_version_is_the_projects():
    import sourcebench

    assert f'version = "{sourcebench.__version__}"' in (ROOT / "pyproject.toml").read_text()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == sourcebench.__version__


def imported(path):
    """Names of the modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_rooms_import_from_earlier_rooms_only():
    for path in LIBRARY.rglob("*.py"):
        room = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        if room not in ROOMS:
            continue
        for module in imported(path):
            parts = module.split(".")
            if parts[0] == "sourcebench" and len(parts) > 1 and parts[1] in ROOMS:
                assert ROOMS.index(parts[1]) <= ROOMS.index(room), f"{path}: {module}"


def test_the_study_alone_reads_the_config():
    """No room imports it; doors are handed plain values, by rules that ask it.

    But for the plugins, which every job imports before all else.
    """
    for path in SCRIPTS.rglob("*.py"):
        study = LIBRARY / "study" in path.parents
        assert study or not any(name.startswith("sourcebench.study") for name in imported(path))
        read = path.read_text().replace('snakemake.config.get("plugins", ())', "")
        assert "snakemake.config" not in read, path
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert re.findall(r"(?m)^.*\bconfig\b(?!\.).*$", rules) == ["    study = Study.of(config)"]


def test_the_library_knows_nothing_of_snakemake():
    for path in LIBRARY.rglob("*.py"):
        assert not any(module.split(".")[0] == "snakemake" for module in imported(path)), path


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_what_needs_no_torch_does_not_load_it(module):
    code = f"import sys, sourcebench.{module}; sys.exit('torch' in sys.modules)"
    environment = {"PYTHONPATH": str(SCRIPTS), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize("module", DECLARATIONS)
def test_declarations_are_read_without_what_they_draw_with(module):
    """The rules read them at every plan."""
    heavy = {"torch", "matplotlib", "seaborn"}
    code = f"import sys, sourcebench.{module}; sys.exit(bool({heavy} & set(sys.modules)))"
    environment = {"PYTHONPATH": str(SCRIPTS), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_doors_are_short_and_shadow_nothing():
    """Snakemake puts the scripts' folder on the path: a door called statistics.py breaks torch."""
    for path in SCRIPTS.glob("*.py"):
        assert path.stem not in sys.stdlib_module_names, path.name
        found = importlib.util.find_spec(path.stem)
        assert found is None or found.origin == str(path), f"{path.name} shadows {found.origin}"
        assert len(path.read_text().splitlines()) <= 40, path.name


def test_every_rule_is_logged_measured_and_described():
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        rules = re.split(r"(?m)^rule (\w+):$", path.read_text())[1:]
        for name, body in zip(rules[::2], rules[1::2], strict=True):
            for directive in ("log:", "benchmark:", "message:", "conda:", "script:"):
                there = f"    {directive}" in body
                # What makes no file runs whenever it is asked for; a benchmark would be a file.
                wanted = directive != "benchmark:" or "    output:" in body
                assert there == wanted, f"{name}: {directive[:-1]}"


def test_the_library_needs_no_astra():
    """It has wheels for x86-64 Linux and Windows alone; tests compare with it where it is."""
    for path in LIBRARY.rglob("*.py"):
        assert not any(module.split(".")[0] == "astra" for module in imported(path)), path
