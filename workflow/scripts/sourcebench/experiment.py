"""The experiment as a table: one row per run, one column per axis."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from sourcebench import confounders
from sourcebench.design.rows import NONE
from sourcebench.machine import CHECKPOINT_MB, training_mb
from sourcebench.models import ARCHITECTURES, weights_arch
from sourcebench.sources import KINDS
from sourcebench.sources.normalisation import Values

AXES = ["task", "confounder", "source", "arch", "p_art", "fold"]


def share(p_art: float) -> str:
    """Return a p_art as it stands in paths: '0', '0.1', …, '1'."""
    return f"{p_art:g}"


def further_axes(config: Mapping[str, Any], task: str | None = None) -> dict[str, list[Any]]:
    """Return the axes that an experiment has beyond `AXES`: name → values, text but `repeat`.

    Args:
        config: a checked config.
        task: a task, whose own `transfer` and `fraction` go before those of the experiment.
    """
    chosen, tasks = config["experiment"], config["tasks"]
    own = tasks[task] if task else {}
    axes: dict[str, list[Any]] = {}
    for name, otherwise in (("transfer", ["full"]), ("fraction", [1])):
        if name in chosen or any(name in tasks[each] for each in chosen["tasks"]):
            axes[name] = own.get(name, chosen.get(name, otherwise))
    if "fraction" in axes:
        axes["fraction"] = [share(fraction) for fraction in axes["fraction"]]
    if "repeats" in chosen:
        axes["repeat"] = list(range(1, chosen["repeats"] + 1))
    return axes


def table(config: Mapping[str, Any]) -> pd.DataFrame:
    """Return the runs of a study.

    Args:
        config: a checked config, see `config.check`.

    Returns:
        One row per run with the columns `AXES` and `further_axes`, all of them text but `fold` and
        `repeat` (int). The network of p_art = 0 stands once per task, with the confounder 'none',
        for every confounder that leaves images without the artifact as they are; a task without
        confounders has that network alone.
    """
    chosen = config["experiment"]
    rows = []
    for task in chosen["tasks"]:
        confounded = config["tasks"][task]["confounders"]
        shares = p_art_of(config, task)
        further = further_axes(config, task)
        for confounder, source, p_art in product(confounded or [NONE], chosen["sources"], shares):
            name = NONE if p_art == 0 and shares_zero(config, task, confounder) else confounder
            for arch, fold, values in product(
                archs_of(config, source), range(1, chosen["folds"] + 1), product(*further.values())
            ):
                rows.append((task, name, source, arch, share(p_art), fold, *values))
    columns = [*AXES, *further_axes(config)]
    return pd.DataFrame(rows, columns=columns).drop_duplicates(ignore_index=True)


def p_art_of(config: Mapping[str, Any], task: str) -> list[float]:
    """Return the shares of confounded positives that a task is run at; 0 without a confounder."""
    own = config["tasks"][task]
    shares: list[float] = own.get("p_art", config["experiment"]["p_art"])
    return shares if own["confounders"] else [0]


def archs_of(config: Mapping[str, Any], source: str) -> list[str]:
    """Return the experiment's architectures that a source has weights for."""
    spec = config["sources"][source]
    limited = KINDS.get(spec["kind"]).archs(spec)
    wanted: list[str] = config["experiment"]["archs"]
    if limited is None:
        return wanted
    return [arch for arch in wanted if weights_arch(arch) in limited]


def weights_of(config: Mapping[str, Any], source: str) -> list[str]:
    """Return the architectures that an experiment needs a source's weights of, parents' included.

    A truncated architecture takes the weights of its parent.
    """
    return list(dict.fromkeys(weights_arch(arch) for arch in archs_of(config, source)))


def has_weights(config: Mapping[str, Any], source: str) -> bool:
    """Tell whether a source has a file of weights (rather than random ones from a run's seed)."""
    return KINDS.get(config["sources"][source]["kind"]).has_weights


def keeps_checkpoint(config: Mapping[str, Any], run: Mapping[str, Any]) -> bool:
    """Tell whether a run's network is kept: all, or those that later confounders are tested on."""
    wanted = config["training"].get("keep_checkpoints", "shared")
    shared = run["confounder"] == NONE and bool(config["tasks"][run["task"]]["confounders"])
    return bool(wanted == "all" or (wanted == "shared" and shared))


def structure(config: Mapping[str, Any], source: str, arch: str) -> dict[str, Any] | None:
    """Return the exact network of random weights, where the config names one; files know theirs."""
    networks = config["sources"][source].get("networks", {})
    return None if has_weights(config, source) else networks.get(weights_arch(arch))


def normalisation(config: Mapping[str, Any], source: str) -> tuple[Values, Values]:
    """Return mean and deviation of the images for random weights; files know their own."""
    spec = config["sources"][source]
    images = KINDS.get(spec["kind"]).normalisation(spec)
    return images.mean, images.std


def seed_for_weights(config: Mapping[str, Any], source: str) -> int:
    """Return the seed that a source's weights depend on: 0 for those that are not trained here."""
    trains = KINDS.get(config["sources"][source]["kind"]).trains
    return int(config["seed"]) if trains else 0


def cards_for_weights(config: Mapping[str, Any], source: str) -> int:
    """Return how many graphics cards getting a source's weights may use: 0 or 1."""
    spec = config["sources"][source]
    trains = KINDS.get(spec["kind"]).trains
    return int(trains and spec.get("accelerator", "auto") != "cpu")


def memory_for_run(config: Mapping[str, Any], task: str) -> int:
    """Return about how much memory a run on a task takes, in MB."""
    entry = config["tasks"][task]
    samples = entry.get("samples", {})
    return training_mb(
        samples.get("test", 1000) + samples.get("dev", 1000),
        entry["input_size"],
        entry["batch_size"],
        card=config["training"]["accelerator"] != "cpu",
    )


def memory_for_weights(config: Mapping[str, Any], source: str) -> int:
    """Return about how much memory getting a source's weights takes, in MB."""
    spec = config["sources"][source]
    if not KINDS.get(spec["kind"]).trains:
        return CHECKPOINT_MB
    card = cards_for_weights(config, source) > 0
    return training_mb(spec["images"], spec["size"], spec.get("batch_size", 64), card=card)


def build_confounder(config: Mapping[str, Any], name: str) -> Any:
    """Build a confounder of the config by its name."""
    return confounders.from_entry(config["confounders"][name])


def is_pixel(config: Mapping[str, Any], name: str) -> bool:
    """Tell whether a confounder is drawn into the images (rather than made by sampling)."""
    return name != NONE and isinstance(build_confounder(config, name), confounders.PixelConfounder)


def pixel_confounders(config: Mapping[str, Any], task: str) -> list[str]:
    """Return a task's confounders that are drawn into its images."""
    return [name for name in config["tasks"][task]["confounders"] if is_pixel(config, name)]


def has_base(config: Mapping[str, Any], task: str, name: str) -> bool:
    """Tell whether a task's images without a confounder's artifact are others than its own.

    See `PixelConfounder.needs_base`.
    """
    return is_pixel(config, name) and build_confounder(config, name).needs_base(
        config["tasks"][task]["input_size"]
    )


def is_noise(config: Mapping[str, Any], name: str) -> bool:
    """Tell whether a confounder is noise, which the paper's Figure 4 is about."""
    return is_pixel(config, name) and build_confounder(config, name).is_noise


def cards_for_confounder(config: Mapping[str, Any], name: str) -> int:
    """Return how many graphics cards drawing a confounder may use: 0 or 1.

    None in a study that trains on the CPU: a cluster would wait for a card that it may not have.
    """
    confounder = build_confounder(config, name)
    wanted = {config["training"]["accelerator"], getattr(confounder, "accelerator", "auto")}
    return int(confounder.uses_card and "cpu" not in wanted)


def shares_zero(config: Mapping[str, Any], task: str, name: str) -> bool:
    """Tell whether a task's network of p_art = 0 does not depend on this confounder."""
    return name == NONE or (is_pixel(config, name) and not has_base(config, task, name))


def tested_confounders(config: Mapping[str, Any], task: str, confounder: str) -> list[str]:
    """Return the confounders that a run is tested on: its own, or for 'none' all that share it."""
    names = config["tasks"][task]["confounders"]
    if confounder != NONE or not names:
        return [confounder]
    return [name for name in names if shares_zero(config, task, name)]


def carrier(config: Mapping[str, Any], task: str) -> tuple[str, str, str] | None:
    """Return (column, carrying value, other value) of a task's sampling confounder, or None."""
    for name in config["tasks"][task]["confounders"]:
        if not is_pixel(config, name):
            confounder = build_confounder(config, name)
            return confounder.column, confounder.carrier, confounder.other
    return None


def transfer(config: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """Return the entry of a transfer strategy; without that axis everything is fine-tuned."""
    return dict(config["transfer"][name]) if name else {"kind": "full"}


def targets(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what Table 1 says of each task beside its design, see `evaluation.tables.Target`."""
    chosen, described = config["experiment"], {}
    for name in chosen["tasks"]:
        task = config["tasks"][name]
        described[name] = {
            "task": task["title"],
            "confounders": [build_confounder(config, each).title for each in task["confounders"]],
            "p_art": p_art_of(config, name),
            "image_size": task["input_size"],
            "batch_size": task["batch_size"],
        }
    return described


def figures(config: Mapping[str, Any]) -> list[str]:
    """Return the figures of a study: those it asks for, or those that its confounders call for."""
    chosen = config["experiment"]
    if "figures" in chosen:
        return list(chosen["figures"])
    names = {name for task in chosen["tasks"] for name in config["tasks"][task]["confounders"]}
    wanted = ["drop", "figure3", "permutation"] if names else []
    if any(is_noise(config, name) for name in names):
        wanted.insert(2, "figure4")
    if any(is_pixel(config, name) for name in names):
        wanted.append("figure2")
    return [*wanted, "epochs"]


def style(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names and the order in which figures show a study's parts.

    These are the fields of `figures.StudyStyle`, which takes a second to import.
    """
    chosen = config["experiment"]
    tasks = {name: config["tasks"][name] for name in chosen["tasks"]}
    shown = dict.fromkeys(name for task in tasks.values() for name in task["confounders"])
    return {
        "sources": {name: config["sources"][name].get("title", name) for name in chosen["sources"]},
        "confounders": {name: build_confounder(config, name).title for name in shown},
        "noises": [name for name in shown if is_noise(config, name)],
        "tasks": {name: task["title"] for name, task in tasks.items()},
        "archs": {name: ARCHITECTURES.get(name).title for name in chosen["archs"]},
        "references": {
            name: task["reference"] for name, task in tasks.items() if "reference" in task
        },
    }
