"""What a config chooses of what it defines: names, which have to be there."""

from collections.abc import Mapping
from typing import Any

from sourcebench.axes import AXES, Axis, Value
from sourcebench.figures import FIGURES
from sourcebench.models import ARCHITECTURES
from sourcebench.schemas import known
from sourcebench.study.entries import Entry
from sourcebench.training.methods import CROSS_ENTROPY, METHODS
from sourcebench.training.transfer import TRANSFERS

Config = Mapping[str, Any]


def check_chosen(config: Config) -> None:
    """Check what `experiment` names beside architectures and scores.

    Raises:
        SourceBenchError: there is nothing of a name; the message says what there is.
    """
    chosen = config["experiment"]
    for axis in AXES:
        if axis.among:
            known(f"experiment.{axis.key}", chosen.get(axis.key, []), _names(axis, config))
    known("experiment.figures", chosen.get("figures", []), FIGURES.names())
    known("experiment.audit", chosen.get("audit", []), config.get("splits", {}))


def check_trainings(config: Config) -> None:
    """Check the entries of `transfer` and `method`, chosen or not.

    Raises:
        SourceBenchError: a kind that is not known, or parameters that it does not take.
    """
    for part, kinds in (("transfer", TRANSFERS), ("method", METHODS)):
        for name, entry in config.get(part, {}).items():
            known(f"{part}.{name}.kind", [entry["kind"]], kinds)
            kinds.from_entry(entry, f"{part}.{name}")


def archs_of(config: Config) -> dict[str, list[str]]:
    """Return the architectures that are chosen, by the keys that name them.

    Raises:
        SourceBenchError: there is no such architecture.
    """
    chosen = config["experiment"]
    named = {"experiment.archs": chosen["archs"]}
    for name in chosen["tasks"]:
        if "archs" in (entry := config["tasks"][name]):
            named[f"tasks.{name}.archs"] = entry["archs"]
    for key, archs in named.items():
        known(key, archs, ARCHITECTURES.names())
    if len(named) > len(chosen["tasks"]):
        del named["experiment.archs"]  # every task has its own
    return named


def own_of(name: str, entry: Entry, config: Config) -> dict[str, list[Value]]:
    """Return a task's own values of the axes that it may have some of.

    Raises:
        SourceBenchError: there is no such value.
    """
    own = {}
    for axis in AXES:
        if axis.own and axis.key in entry:
            if axis.among:
                known(f"tasks.{name}.{axis.key}", entry[axis.key], _names(axis, config))
            own[axis.name] = axis.of(entry)
    return own


def _names(axis: Axis, config: Config) -> list[str]:
    """Return the names that an axis has values among; cross-entropy needs no entry."""
    always = [CROSS_ENTROPY.kind] if axis.among == "method" else []
    return list(dict.fromkeys([*always, *config.get(axis.among, {})]))
