"""An axis is a row: its column, path, place in the seed and key in the config follow."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT
from sourcebench.axes import AXES, Run
from sourcebench.evaluation.aggregate import columns
from sourcebench.seeds import seed_of

LAST = 'axis("method", default="cross_entropy", own=True, among="method")\n'
ONE_MORE = """\
    noise: float = axis("noise", default=0.0, own=True, values=FROM_0_TO_1, seeded=True)
"""

WITH_IT = """
import json
import yaml
from sourcebench.axes import Run
from sourcebench.evaluation.aggregate import AXIS_DTYPES, columns
from sourcebench.figures.rethink.blocks import DEFAULTS
from sourcebench.study import Study

config = yaml.safe_load(open("config/config.yaml"))
before = len(Study.of(config).runs)
config["experiment"] |= {"noise": [0, 0.25], "repeats": 2}
config["tasks"]["ct_nodule"]["noise"] = [0.5]
runs = Study.of(config).runs
config["experiment"]["noise"] = [2]
try:
    Study.of(config)
except Exception as error:
    said = str(error)
row = runs.iloc[-1].to_dict() | {"fold": 3}
print(json.dumps({
    "columns": list(runs.columns),
    "values": runs.groupby("task")["noise"].unique().map(list).to_dict(),
    "run": Run.of(row).noise,
    "table": columns({"repeat", "noise"}),
    "dtype": AXIS_DTYPES["noise"],
    "default": DEFAULTS["noise"],
    "seeds": [Run("t", "c", "s", "a", 1.0, 3, repeat=r, noise=n).seed(7)
              for r, n in [(1, 0.0), (2, 0.0), (1, 0.5), (2, 0.5)]],
    "said": said,
}))
"""


def test_one_more_axis_is_one_more_row(tmp_path):
    """Nothing else of the library is touched."""
    library = tmp_path / "scripts"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "workflow" / "scripts", library, ignore=skip)
    path = library / "sourcebench" / "axes.py"
    assert LAST in path.read_text()
    path.write_text(path.read_text().replace(LAST, LAST + ONE_MORE))
    done = subprocess.run(
        [sys.executable, "-c", WITH_IT],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(library)},
    )  # fmt: skip
    found = json.loads(done.stdout)
    usual = ["task", "confounder", "source", "arch", "p_art"]
    assert found["columns"] == [*usual, "fold", "repeat", "noise"]
    assert found["table"] == [*usual, "repeat", "noise", "fold", "test_set"]
    assert found["values"] == {
        "cxr_mass": ["0", "0.25"], "ct_nodule": ["0.5"], "cxr_atelectasis": ["0", "0.25"],
    }  # fmt: skip
    assert (found["run"], found["dtype"], found["default"]) == (0.25, "float64", 0.0)
    assert "experiment.noise.0 is 2; it must be at least 0 and at most 1" in found["said"]
    # Those without the new axis keep their seeds, and no two are the same.
    old = [seed_of(7, "run", "t", "a", 3), seed_of(7, "run", "t", "a", 3, 2)]
    assert found["seeds"][:2] == old
    assert len(set(found["seeds"])) == 4


def test_a_run_is_made_of_what_its_path_says():
    row = {
        "task": "cxr_mass", "confounder": "tag", "source": "007", "arch": "resnet50",
        "p_art": "0.5", "fold": "2", "repeat": "3",
    }  # fmt: skip
    run = Run.of(row)
    assert run == Run("cxr_mass", "tag", "007", "resnet50", 0.5, 2, "full", 1.0, 3)
    for axis in AXES:
        assert type(getattr(run, axis.name)) is axis.type


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"confounder": "noise"}, True), ({"source": "b"}, True), ({"p_art": 0.5}, True),
        ({"transfer": "probe"}, True), ({"fraction": 0.1}, True), ({"method": "devries"}, True),
        ({"task": "u"}, False), ({"arch": "b"}, False), ({"fold": 2}, False),
        ({"repeat": 2}, False),
    ],
)  # fmt: skip
def test_runs_that_are_compared_are_paired(change, same):
    place = {"task": "t", "confounder": "tag", "source": "a", "arch": "a", "p_art": 1.0, "fold": 1}
    assert (Run(**place | change).seed(3) == Run(**place).seed(3)) == same


def test_the_table_of_runs_ends_with_fold_and_test_set():
    cells = ["task", "confounder", "source", "arch", "p_art"]
    assert columns() == [*cells, "fold", "test_set"]
    assert columns({"repeat", "transfer"}) == [*cells, "transfer", "repeat", "fold", "test_set"]
