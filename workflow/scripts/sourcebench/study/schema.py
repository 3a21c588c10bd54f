"""The JSON schema of a config. Of an entry that has a kind, it leaves the keys to that kind."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sourcebench.axes import AXES

Schema = dict[str, Any]

OF_ALL_TASKS = ("precision", "accelerator", "threads", "keep_checkpoints")
"""Keys of `training` that no task has of its own: how a study is computed, and what is kept."""


def schema() -> Schema:
    """Return the JSON schema of a config: that of the file, with the keys of the axes."""
    whole = copy.deepcopy(_of_file())
    experiment = whole["properties"]["experiment"]
    task = whole["properties"]["tasks"]["additionalProperties"]
    chosen = [axis for axis in AXES if axis.key]
    experiment["required"] = [axis.key for axis in chosen if axis.default is None]
    experiment["properties"] = {
        **{axis.key: axis.schema() for axis in chosen},
        **experiment["properties"],
    }
    task["properties"] |= {axis.key: axis.schema() for axis in chosen if axis.own}
    task["properties"]["training"] = _in_part(whole["properties"]["training"])
    return whole


@cache
def _of_file() -> Schema:
    whole: Schema = yaml.safe_load(Path(__file__).with_name("config.schema.yaml").read_text())
    return whole


def _in_part(training: Schema) -> Schema:
    """Return the schema of a task's own `training`: any of the keys that decide its networks."""
    keys = {key: each for key, each in training["properties"].items() if key not in OF_ALL_TASKS}
    some = {key: value for key, value in keys["augmentation"].items() if key != "required"}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**keys, "augmentation": some},
    }
