"""The experiment as a table: one row per run, one column per axis."""

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import pandas as pd

from sourcebench import confounders
from sourcebench.sources import KINDS

if TYPE_CHECKING:
    from sourcebench.figures import StudyStyle

AXES = ["task", "confounder", "source", "arch", "p_art", "fold"]

# p_art = 0 is one network for all confounders that leave an unconfounded image as it is.
NONE = "none"


def share(p_art: float) -> str:
    """Return a p_art as it stands in paths: '0', '0.1', …, '1'."""
    return f"{p_art:g}"


def table(config: Mapping[str, Any]) -> pd.DataFrame:
    """Return the runs of a study.

    Args:
        config: a checked config, see `config.check`.

    Returns:
        One row per run with the columns `AXES`, all of them text but `fold` (int). The network of
        p_art = 0 stands once per task, with the confounder 'none', for every confounder that does
        not alter images without the artifact.
    """
    chosen = config["experiment"]
    rows = []
    for task in chosen["tasks"]:
        for confounder, source, p_art in product(
            config["tasks"][task]["confounders"], chosen["sources"], chosen["p_art"]
        ):
            for arch in archs_of(config, source):
                name = NONE if p_art == 0 and shares_zero(config, confounder) else confounder
                for fold in range(1, chosen["folds"] + 1):
                    rows.append((task, name, source, arch, share(p_art), fold))
    return pd.DataFrame(rows, columns=AXES).drop_duplicates(ignore_index=True)


def archs_of(config: Mapping[str, Any], source: str) -> list[str]:
    """Return the experiment's architectures that a source has weights for."""
    spec = config["sources"][source]
    limited = KINDS.get(spec["kind"]).archs(spec)
    wanted: list[str] = config["experiment"]["archs"]
    return wanted if limited is None else [arch for arch in wanted if arch in limited]


def has_weights(config: Mapping[str, Any], source: str) -> bool:
    """Tell whether a source has a file of weights (rather than random ones from a run's seed)."""
    return KINDS.get(config["sources"][source]["kind"]).has_weights


def cards_for_weights(config: Mapping[str, Any], source: str) -> int:
    """Return how many graphics cards getting a source's weights may use: 0 or 1."""
    spec = config["sources"][source]
    trains = KINDS.get(spec["kind"]).trains
    return int(trains and spec.get("accelerator", "auto") != "cpu")


def build_confounder(config: Mapping[str, Any], name: str) -> Any:
    """Build a confounder of the config by its name."""
    parameters = dict(config["confounders"][name])
    return confounders.build(parameters.pop("kind"), **parameters)


def is_pixel(config: Mapping[str, Any], name: str) -> bool:
    """Tell whether a confounder is drawn into the images (rather than made by sampling)."""
    return name == NONE or isinstance(build_confounder(config, name), confounders.PixelConfounder)


def has_base(config: Mapping[str, Any], name: str) -> bool:
    """Tell whether a confounder also alters the images that do not carry its artifact."""
    return name != NONE and is_pixel(config, name) and build_confounder(config, name).has_base


def shares_zero(config: Mapping[str, Any], name: str) -> bool:
    """Tell whether the network of p_art = 0 does not depend on this confounder."""
    return is_pixel(config, name) and not has_base(config, name)


def tested_confounders(config: Mapping[str, Any], task: str, confounder: str) -> list[str]:
    """Return the confounders that a run is tested on: its own, or for 'none' all that share it."""
    if confounder != NONE:
        return [confounder]
    return [name for name in config["tasks"][task]["confounders"] if shares_zero(config, name)]


def carrier(config: Mapping[str, Any], task: str) -> tuple[str, str, str] | None:
    """Return (column, carrying value, other value) of a task's sampling confounder, or None."""
    for name in config["tasks"][task]["confounders"]:
        if not is_pixel(config, name):
            confounder = build_confounder(config, name)
            return confounder.column, confounder.carrier, confounder.other
    return None


def style(config: Mapping[str, Any]) -> "StudyStyle":
    """Return the names and the order in which figures show a study's parts."""
    # Here, since the Snakefile reads this module, and drawing takes a second to import.
    from sourcebench.figures.style import StudyStyle

    chosen = config["experiment"]
    return StudyStyle(
        sources={name: config["sources"][name].get("title", name) for name in chosen["sources"]},
        confounders={name: build_confounder(config, name).title for name in config["confounders"]},
        tasks={name: config["tasks"][name]["title"] for name in chosen["tasks"]},
        archs={name: name for name in chosen["archs"]},
        references={
            name: config["tasks"][name]["reference"]
            for name in chosen["tasks"]
            if "reference" in config["tasks"][name]
        },
    )
