"""The border: a study's config is checked here once, before any job, and trusted afterwards."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from sourcebench import experiment
from sourcebench.datasets.base import KINDS as DATASETS
from sourcebench.datasets.tasks import LABELS
from sourcebench.design import NONE
from sourcebench.errors import SourceBenchError
from sourcebench.models import ARCHITECTURES, NETWORKS, network_of
from sourcebench.sources import KINDS, structures
from sourcebench.training import strategies

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"


def check(config: Mapping[str, Any]) -> None:
    """Check a study's config: keys, types and values, and that names which it uses exist.

    Args:
        config: as Snakemake merged it from the config files and the command line.

    Raises:
        SourceBenchError: the first thing that is wrong, in one sentence that names the key, what
            it got and what is allowed.
    """
    _fits(config, yaml.safe_load(SCHEMA.read_text()))
    chosen = config["experiment"]
    _known("experiment.tasks", chosen["tasks"], config["tasks"])
    _known("experiment.sources", chosen["sources"], config["sources"])
    _known("experiment.audit", chosen.get("audit", []), config.get("splits", {}))
    _check_sources(config)
    for name in config["confounders"]:
        if name == NONE:
            raise SourceBenchError(f"confounders.{name}: this name is taken; choose another.")
        try:
            experiment.build_confounder(config, name)
        except SourceBenchError as error:
            raise SourceBenchError(f"confounders.{name}: {error}") from error
    _known("experiment.transfer", chosen.get("transfer", []), config.get("transfer", {}))
    for name, entry in config.get("transfer", {}).items():
        try:
            strategies.from_entry(entry)
        except SourceBenchError as error:
            raise SourceBenchError(f"transfer.{name}: {error}") from error
    for name in chosen["tasks"]:
        _check_task(config, name)
    for name in {config["tasks"][task]["dataset"] for task in chosen["tasks"]}:
        _check_dataset(config, name)


def remarks(config: Mapping[str, Any]) -> list[str]:
    """Return what is worth saying of a checked config before it runs, a sentence each.

    So far: where sources bring different networks for one architecture.
    """
    networks: dict[str, dict[str, str]] = {}
    for source in config["experiment"]["sources"]:
        spec = config["sources"][source]
        for arch in experiment.weights_of(config, source):
            network = KINDS.get(spec["kind"]).network(spec, arch) or network_of(arch)
            networks.setdefault(arch, {})[source] = structures.called(network)
    return structures.mixed(networks)


def _check_sources(config: Mapping[str, Any]) -> None:
    archs = config["experiment"]["archs"]
    _known("experiment.archs", archs, ARCHITECTURES.names())
    for name in config["experiment"]["sources"]:
        spec = config["sources"][name]
        _known(f"sources.{name}.kind", [spec["kind"]], KINDS.names())
        _fits(spec, KINDS.get(spec["kind"]).schema(), f"sources.{name}")
        _known(f"sources.{name}.archs", spec.get("archs", []), ARCHITECTURES.names())
        for arch, network in spec.get("networks", {}).items():
            key = f"sources.{name}.networks"
            _known(key, [arch], ARCHITECTURES.names())
            _known(f"{key}.{arch}.builder", [network["builder"]], NETWORKS.names())
        if not experiment.archs_of(config, name):
            known = KINDS.get(spec["kind"]).archs(spec) or ()
            raise SourceBenchError(
                f"experiment.archs is {archs}, for none of which the source '{name}' has weights; "
                f"it has them for: {', '.join(known)}."
            )


def _check_dataset(config: Mapping[str, Any], name: str) -> None:
    spec = config["datasets"][name]
    _known(f"datasets.{name}.kind", [spec["kind"]], DATASETS.names())
    _fits(spec, DATASETS.get(spec["kind"]).schema(), f"datasets.{name}")
    path = spec.get("path")
    if spec["origin"] == "path" and not (path and Path(path).is_dir()):
        raise SourceBenchError(
            f"datasets.{name}.path is {path!r}, but with origin 'path' it must be a folder that "
            "holds the images."
        )


def _check_task(config: Mapping[str, Any], name: str) -> None:
    task, folds = config["tasks"][name], config["experiment"]["folds"]
    _known(f"tasks.{name}.transfer", task.get("transfer", []), config.get("transfer", {}))
    _known(f"tasks.{name}.dataset", [task["dataset"]], config["datasets"])
    _known(f"tasks.{name}.confounders", task["confounders"], config["confounders"])
    pixel = [experiment.is_pixel(config, confounder) for confounder in task["confounders"]]
    if not all(pixel) and len(pixel) > 1:
        raise SourceBenchError(
            f"tasks.{name}.confounders is {task['confounders']}: a confounder made by sampling "
            "decides which images a task has, so it must be the task's only one; "
            "make a second task for the others."
        )
    if "splits" in task:
        _known(f"tasks.{name}.splits", [task["splits"]], config.get("splits", {}))
        return
    labels = task["labels"]
    _known(f"tasks.{name}.labels.from", [labels["from"]], LABELS.names())
    _fits(labels, LABELS.get(labels["from"]).schema(), f"tasks.{name}.labels")
    if folds * task["val_fraction"] > 1 + 1e-9:
        raise SourceBenchError(
            f"tasks.{name}.val_fraction is {task['val_fraction']}, but experiment.folds is {folds} "
            f"and the validation sets are disjoint: it can be at most {1 / folds:.3g}."
        )


def _fits(part: Mapping[str, Any], schema: Mapping[str, Any], where: str = "") -> None:
    errors = Draft202012Validator(schema).iter_errors(dict(part))
    if first := min(errors, key=lambda error: str(list(error.path)), default=None):
        raise SourceBenchError(_sentence(first, where))


def _known(key: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise SourceBenchError(
                f"{key} has '{name}', which is not known; allowed are: {', '.join(known)}."
            )


def _sentence(error: ValidationError, where: str) -> str:
    """Say a schema's complaint as a person would."""
    path = [where] if where else []
    key = ".".join([*path, *map(str, error.absolute_path)]) or "the config"
    got: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        allowed = schema.get("properties", {})
        wrong = next(name for name in got if name not in allowed)
        known = ", ".join(allowed)
        return f"{key} has the key '{wrong}', which is not known; allowed are: {known}."
    if error.validator == "required":
        missing = next(name for name in rule if name not in got)
        return f"{key} lacks the key '{missing}'; it needs: {', '.join(rule)}."
    if error.validator in ("oneOf", "anyOf"):
        ways = " or ".join(" + ".join(way["required"]) for way in rule)
        return f"{key} needs one of: {ways}; it has: {', '.join(got)}."
    return f"{key} is {got!r}; it must be {_allowed(str(error.validator), rule, schema)}."


def _allowed(validator: str, rule: Any, schema: Any) -> str:
    if validator == "type":
        kinds = [rule] if isinstance(rule, str) else rule
        text = " or ".join("nothing" if kind == "null" else f"of type {kind}" for kind in kinds)
    elif validator == "enum":
        text = "one of: " + ", ".join("nothing" if value is None else str(value) for value in rule)
    elif validator in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        lower = f"at least {low}" if "minimum" in schema else f"over {low}"
        upper = f"at most {high}" if "maximum" in schema else f"under {high}"
        bounds = [text for limit, text in ((low, lower), (high, upper)) if limit is not None]
        text = " and ".join(bounds)
    elif validator == "uniqueItems":
        text = "a list without repetitions"
    elif validator in ("minItems", "minProperties"):
        text = f"a list or table with at least {rule} entry"
    else:
        text = f"something that fits {validator} {rule}"
    described = schema.get("description")
    return f"{text} ({described})" if described else text
