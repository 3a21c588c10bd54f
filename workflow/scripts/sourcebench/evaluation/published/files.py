"""The files of published numbers."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sourcebench.errors import SourceBenchError
from sourcebench.schemas import fits, known

HERE = Path(__file__).parent
PAPERS = {"source_matters": HERE / "source_matters.yaml"}
Paper = Mapping[str, Any]


@cache
def read(path: Path) -> Paper:
    """Read what a paper published.

    Args:
        path: of a file such as `PAPERS` has.

    Returns:
        Its keys; in `figures` the `means` by p_art, float → float, and the `accuracy` of each of
        them likewise.

    Raises:
        SourceBenchError: it is not as its schema has it, a number is of something that `requires`
            does not describe, or stands where `accuracy` does not know, or an accuracy is of no
            mean.
    """
    schema = yaml.safe_load((HERE / "schema.yaml").read_text(encoding="utf-8"))
    # Through JSON, since a schema knows no keys but text, and YAML's p_art are numbers.
    paper = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    try:
        fits(paper, schema)
        _is_whole(paper)
    except SourceBenchError as error:
        raise SourceBenchError(f"{path.name}: {error}") from error
    for entry in paper["figures"]:
        usual, own = paper["accuracy"][entry["stated"]], entry.get("accuracy", {})
        entry["accuracy"] = {float(p_art): own.get(p_art, usual) for p_art in entry["means"]}
        entry["means"] = {float(p_art): mean for p_art, mean in entry["means"].items()}
    return dict(paper)


def _is_whole(paper: Paper) -> None:
    """Check that whatever an entry names is there."""
    needed = paper["requires"]
    places = {"task": needed["tasks"], "confounder": needed["confounders"]}
    places |= {"source": paper["weights"], "stated": paper["accuracy"]}
    for part in ("figures", "trends", "epochs", "folds"):
        for number, entry in enumerate(paper[part]):
            for where, named in (("", entry), (".than", entry.get("than", {}))):
                for key, allowed in places.items():
                    if key in named:
                        known(f"{part}.{number}{where}.{key}", [named[key]], allowed)
    for number, entry in enumerate(paper["figures"]):
        known(f"figures.{number}.accuracy", entry.get("accuracy", {}), entry["means"])
