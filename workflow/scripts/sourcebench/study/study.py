"""A study: its config, checked, with all defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import pandas as pd

from sourcebench import plugins
from sourcebench.axes import AXES, FURTHER, USUAL, Value
from sourcebench.design import NONE
from sourcebench.evaluation.published import PAPERS, Published, Setting, matching, read
from sourcebench.figures import FIGURES, called_for
from sourcebench.models import ARCHITECTURES
from sourcebench.parameters import deciding
from sourcebench.schemas import fits, known
from sourcebench.sources import structures
from sourcebench.study.entries import Dataset, Entry, Splits, Training
from sourcebench.study.schema import schema
from sourcebench.study.sources import Source
from sourcebench.study.tasks import Task, make_task
from sourcebench.study.uses import Confounder, Shift, Target, Use, shifts_of
from sourcebench.training.transfer import TRANSFERS


@dataclass(frozen=True)
class Study:
    """What a study runs, and how. Made once from the config, by `Study.of`.

    Attributes:
        name: results go to a folder of this name.
        seed: every random draw follows from it.
        tasks: those chosen, in this order.
        sources: likewise.
        archs: likewise, whatever sources have weights for them.
        p_art: shares of confounded positives, of tasks that have none of their own.
        folds: how many.
        further: the axes that this study has beyond those of every study → the values of tasks
            that have none of their own.
        asked: the figures asked for; None: those that the confounders call for.
        audit: names of published splits that the audit looks at.
        confidence: names of the confidence scores that networks are asked for.
        coverage: the share of a network's validation images that a score's threshold keeps.
        datasets: all that are defined, chosen or not.
        confounders: likewise.
        shifts: likewise, a level each, by the names of their test sets.
        splits: likewise.
        transfer: likewise; how a source's weights are used.
        training: how networks are trained.
    """

    name: str
    seed: int
    tasks: Mapping[str, Task]
    sources: Mapping[str, Source]
    archs: list[str]
    p_art: list[float]
    folds: int
    further: Mapping[str, list[Value]]
    asked: list[str] | None
    audit: list[str]
    confidence: list[str]
    coverage: float
    datasets: Mapping[str, Dataset]
    confounders: Mapping[str, Confounder]
    shifts: Mapping[str, Shift | Target]
    splits: Mapping[str, Splits]
    transfer: Mapping[str, Entry]
    training: Training

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Study":
        """Check a config, and return its study.

        Args:
            config: as Snakemake merged it from the config files and the command line.

        Raises:
            SourceBenchError: the first thing that is wrong, in one sentence that names the key,
                what it got and what is allowed; or a plugin that can't be imported.
        """
        fits(config, schema())
        plugins.load(config.get("plugins", []))
        chosen = config["experiment"]
        splits = {name: Splits(name, entry) for name, entry in config.get("splits", {}).items()}
        for axis in AXES:
            if axis.among:
                named = chosen.get(axis.key, [])
                known(f"experiment.{axis.key}", named, config.get(axis.among, {}))
        known("experiment.figures", chosen.get("figures", []), FIGURES.names())
        known("experiment.audit", chosen.get("audit", []), splits)
        known("experiment.archs", chosen["archs"], ARCHITECTURES.names())
        sources = {
            name: Source.of(name, config["sources"][name], chosen["archs"])
            for name in chosen["sources"]
        }
        confounders = {
            name: Confounder(name, entry) for name, entry in config["confounders"].items()
        }
        shifts = shifts_of(config.get("shifts", {}), confounders)
        for name, entry in config.get("transfer", {}).items():
            known(f"transfer.{name}.kind", [entry["kind"]], TRANSFERS)
            TRANSFERS.from_entry(entry, f"transfer.{name}")
        datasets = {name: Dataset(name, entry) for name, entry in config["datasets"].items()}
        tasks = {}
        for name in chosen["tasks"]:
            entry = config["tasks"][name]
            own = _own(name, entry, config)
            tasks[name] = make_task(
                name, entry, datasets, confounders, shifts, splits, chosen["folds"], own
            )
        for task in tasks.values():
            task.dataset.check()
        return cls(
            name=config["study"],
            seed=config["seed"],
            tasks=tasks,
            sources=sources,
            archs=chosen["archs"],
            p_art=chosen["p_art"],
            folds=chosen["folds"],
            further={
                axis.name: axis.of(chosen)
                for axis in FURTHER
                if axis.key in chosen or any(axis.name in task.own for task in tasks.values())
            },
            asked=chosen.get("figures"),
            audit=chosen.get("audit", []),
            confidence=chosen.get("confidence", []),
            coverage=chosen.get("coverage", 0.95),
            datasets=datasets,
            confounders=confounders,
            shifts=shifts,
            splits=splits,
            transfer=config.get("transfer", {}),
            training=Training(**config["training"]),
        )

    @property
    def remarks(self) -> list[str]:
        """What is worth saying before it runs, a sentence each.

        So far: where sources bring different networks for one architecture.
        """
        networks: dict[str, dict[str, str]] = {}
        for source in self.sources.values():
            for arch in source.weights:
                called = structures.called(source.network(arch))
                networks.setdefault(arch, {})[source.name] = called
        return structures.mixed(networks)

    @property
    def uses(self) -> dict[str, Use]:
        """All confounders and shifts; no two share a name."""
        return {**self.confounders, **self.shifts}

    def shares(self, task: str) -> list[Any]:
        """Return the shares of confounded positives of a task; 0 without a confounder."""
        chosen = self.tasks[task]
        return chosen.own.get("p_art", self.p_art) if chosen.confounders else [0]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per run, with a column per axis: text, but for those that count (int).

        The columns are the `USUAL` axes and the study's `further` ones. The network of p_art = 0
        stands once per task, with the confounder 'none', for every confounder that leaves images
        without the artifact as they are; a task without confounders has that network alone.
        """
        text = {axis.name: axis.text for axis in AXES}
        rows = []
        for task in self.tasks.values():
            further = [
                [text[name](value) for value in task.own.get(name, values)]
                for name, values in self.further.items()
            ]
            for confounder, source, p_art in product(
                task.designs, self.sources.values(), self.shares(task.name)
            ):
                name = NONE if p_art == 0 and task.shares_zero(confounder) else confounder
                start = (task.name, name, source.name)
                for arch, fold, values in product(
                    source.archs, range(1, self.folds + 1), product(*further)
                ):
                    rows.append((*start, arch, text["p_art"](p_art), fold, *values))
        columns = [*(axis.name for axis in USUAL), *self.further]
        return pd.DataFrame(rows, columns=columns).drop_duplicates(ignore_index=True)

    def scoring(self, task: str) -> dict[str, Any]:
        """Return what is asked of confidence scores on a task, see `evaluation.asked.Asked`.

        Nothing in a study that asks for none.
        """
        if not self.confidence:
            return {}
        told = {"scores": self.confidence, "coverage": self.coverage}
        return {**told, "test_sets": self.tasks[task].test_sets}

    def transferred(self, name: str | None) -> dict[str, Any]:
        """Return the entry of a way to transfer; without that axis everything is fine-tuned."""
        return dict(self.transfer[name]) if name else {"kind": "full"}

    def keeps_checkpoint(self, task: str, confounder: str) -> bool:
        """Tell whether a run's network is kept: all, or those later confounders are tested on."""
        wanted = self.training.keep_checkpoints
        shared = confounder == NONE and bool(self.tasks[task].confounders)
        return wanted == "all" or (wanted == "shared" and shared)

    @property
    def figures(self) -> list[str]:
        """The figures asked for, or those that the confounders call for."""
        if self.asked is not None:
            return list(self.asked)
        shifts = {n: each for task in self.tasks.values() for n, each in task.shifts.items()}
        return called_for(
            [each.trait for each in self._shown.values()],
            [each.trait for each in shifts.values()],
            self.confidence,
        )

    @property
    def groups(self) -> dict[str, str]:
        """Which tasks are counted together in benchmarks of confidence scores: task → group."""
        return {task.name: task.group for task in self.tasks.values() if task.group}

    @property
    def style(self) -> dict[str, Any]:
        """The names and the order in which figures show a study's parts.

        These are the fields of `figures.parts.style.StudyStyle`, which takes a second to import.
        """
        tasks = self.tasks.values()
        return {
            "sources": {each.name: each.title for each in self.sources.values()},
            "confounders": {name: each.title for name, each in self._shown.items()},
            "noises": [name for name, each in self._shown.items() if each.is_noise],
            "tasks": {each.name: each.title for each in tasks},
            "archs": {name: ARCHITECTURES.get(name).title for name in self.archs},
            "references": {t.name: t.reference for t in tasks if t.reference is not None},
            "scores": self.confidence,
            "published": self.published["curves"],
        }

    @property
    def published(self) -> Published:
        """What *Source Matters* published of what this study does too, see `matching`."""
        tasks = {
            task.name: {
                "dataset": task.dataset.built.kind,
                "origin": task.dataset.origin,
                "splits": task.splits.name if task.splits else None,
                "labels": dict(task.labels),
                "samples": dict(task.samples),
                "input_size": task.input_size,
                "confounders": list(task.confounders),
                "p_art": self.shares(task.name),
            }
            for task in self.tasks.values()
        }
        setting = Setting(
            training=self.training.recipe,
            tasks=tasks,
            confounders={
                name: {"kind": each.trait.kind, **deciding(each.trait)}
                for name, each in self._shown.items()
            },
            sources={each.name: each.archs for each in self.sources.values()},
        )
        return matching(read(PAPERS["source_matters"]), setting)

    @property
    def targets(self) -> dict[str, dict[str, Any]]:
        """What Table 1 says of each task beside its design, see `tables.table1.Target`."""
        return {
            task.name: {
                "task": task.title,
                "confounders": [each.title for each in task.confounders.values()],
                "p_art": self.shares(task.name),
                "image_size": task.input_size,
                "batch_size": task.batch_size,
            }
            for task in self.tasks.values()
        }

    @property
    def trials(self) -> list[dict[str, Any]]:
        """What decides whether its tasks can be drawn, see `design.trial.Trial`."""
        common = {"folds": self.folds, "seed": self.seed}
        return [task.trial(common) for task in self.tasks.values()]

    @cached_property
    def _shown(self) -> dict[str, Confounder]:
        """The confounders of its tasks, in the order of figures."""
        return {n: each for task in self.tasks.values() for n, each in task.confounders.items()}


def _own(name: str, entry: Entry, config: Mapping[str, Any]) -> dict[str, list[Value]]:
    """Return a task's own values of the axes that it may have some of."""
    own = {}
    for axis in AXES:
        if axis.own and axis.key in entry:
            if axis.among:
                known(f"tasks.{name}.{axis.key}", entry[axis.key], config.get(axis.among, {}))
            own[axis.name] = axis.of(entry)
    return own
