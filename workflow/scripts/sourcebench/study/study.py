"""A study: its config, checked, with all defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from sourcebench import plugins
from sourcebench.axes import FURTHER, Value
from sourcebench.design import NONE
from sourcebench.evaluation.published import Published
from sourcebench.schemas import fits
from sourcebench.sources import structures
from sourcebench.study import methods, shown
from sourcebench.study.chosen import archs_of, check_chosen, check_trainings, own_of
from sourcebench.study.entries import Dataset, Entry, Splits, Training
from sourcebench.study.measured import (
    PASSES,
    Choice,
    check_explored,
    check_scores,
    explored,
    measures_of,
    place,
    places,
)
from sourcebench.study.runs import runs_of
from sourcebench.study.schema import schema
from sourcebench.study.sources import Source
from sourcebench.study.tasks import Task, make_task
from sourcebench.study.uses import Confounder, Shift, Target, Use, shifts_of
from sourcebench.training.methods import CROSS_ENTROPY


@dataclass(frozen=True)
class Study:
    """What a study runs, and how. Made once from the config, by `Study.of`.

    Attributes:
        name: results go to a folder of this name.
        seed: every random draw follows from it.
        tasks: those chosen, in this order.
        sources: likewise.
        archs: likewise, of tasks that have none of their own; sources may lack weights for some.
        p_art: shares of confounded positives, of tasks that have none of their own.
        folds: how many.
        further: the axes that this study has beyond those of every study → the values of tasks
            that have none of their own.
        asked: the figures asked for; None: those that the confounders call for.
        audit: names of published splits that the audit looks at.
        confidence: names of the confidence scores that are made of its networks.
        coverage: the share of a network's validation images that a score's threshold keeps.
        dropout_passes: how many times dropout is sampled, where a score is made of that.
        explore: which runs' latent spaces are explored, see `measured.explored`.
        datasets: all that are defined, chosen or not.
        confounders: likewise.
        shifts: likewise, a level each, by the names of their test sets.
        splits: likewise.
        transfer: likewise; how a source's weights are used.
        method: likewise; what networks are trained to do.
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
    dropout_passes: int
    explore: list[Choice]
    coverage: float
    datasets: Mapping[str, Dataset]
    confounders: Mapping[str, Confounder]
    shifts: Mapping[str, Shift | Target]
    splits: Mapping[str, Splits]
    transfer: Mapping[str, Entry]
    method: Mapping[str, Entry]
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
        check_chosen(config)
        archs = archs_of(config)
        sources = {
            name: Source.of(name, config["sources"][name], archs) for name in chosen["sources"]
        }
        confounders = {
            name: Confounder(name, entry) for name, entry in config["confounders"].items()
        }
        shifts = shifts_of(config.get("shifts", {}), confounders)
        check_trainings(config)
        datasets = {name: Dataset(name, entry) for name, entry in config["datasets"].items()}
        tasks = {}
        for name in chosen["tasks"]:
            entry = config["tasks"][name]
            tasks[name] = make_task(
                name,
                entry,
                datasets,
                confounders,
                shifts,
                splits,
                chosen["folds"],
                config["training"],
                own_of(name, entry, config),
            )
        for task in tasks.values():
            task.dataset.check()
        study = cls(
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
            dropout_passes=chosen.get("dropout_passes", PASSES),
            explore=chosen.get("explore", []),
            coverage=chosen.get("coverage", 0.95),
            datasets=datasets,
            confounders=confounders,
            shifts=shifts,
            splits=splits,
            transfer=config.get("transfer", {}),
            method={CROSS_ENTROPY.kind: {"kind": CROSS_ENTROPY.kind}, **config.get("method", {})},
            training=Training(**config["training"]),
        )
        kinds = (study.trained(name)["kind"] for task in tasks for name in study.methods(task))
        check_scores(study.confidence, set(kinds))
        check_explored(study.confidence, study.explored_kinds)
        return study

    @property
    def remarks(self) -> list[str]:
        """What is worth saying before it runs, a sentence each.

        Where sources bring different networks for one architecture, and what methods say of tasks.
        """
        networks: dict[str, dict[str, str]] = {}
        for source in self.sources.values():
            for arch in source.weights:
                called = structures.called(source.network(arch))
                networks.setdefault(arch, {})[source.name] = called
        classes = {task.name: task.classes for task in self.tasks.values()}
        trained = {name: self.methods(name) for name in self.tasks}
        said = methods.remarks(classes, trained, self.method)
        return [*structures.mixed(networks), *said]

    @property
    def uses(self) -> dict[str, Use]:
        """All confounders and shifts; no two share a name."""
        return {**self.confounders, **self.shifts}

    def shares(self, task: str) -> list[Any]:
        """Return the shares of confounded positives of a task; 0 without a confounder."""
        chosen = self.tasks[task]
        return chosen.own.get("p_art", self.p_art) if chosen.confounders else [0]

    def archs_of(self, task: str) -> list[Any]:
        """Return the architectures of a task, its own or those of the experiment."""
        return self.tasks[task].own.get("arch", self.archs)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per run, with a column per axis: text, but for those that count (int).

        The columns are the `USUAL` axes and the study's `further` ones. The network of p_art = 0
        stands once per task, with the confounder 'none', for every confounder that leaves images
        without the artifact as they are; a task without confounders has that network alone.
        """
        return runs_of(self)

    @cached_property
    def explored(self) -> pd.DataFrame:
        """The runs whose latent space is explored: rows of `runs`."""
        return explored(self.runs, self.explore) if self.explore else self.runs[:0]

    @property
    def explored_kinds(self) -> set[str]:
        """The kinds of method that the explored runs' networks are trained by."""
        if not self.explore:
            return set()
        named = self.explored["method"].unique() if "method" in self.explored else [None]
        return {self.trained(name)["kind"] for name in named}

    @cached_property
    def _places(self) -> set[tuple[str, ...]]:
        return places(self.explored)

    def explores(self, run: Mapping[str, Any]) -> bool:
        """Tell whether a run's latent space is explored, by its place on the study's axes."""
        return bool(self.explore) and place(run, self.runs) in self._places

    def measures(self, method: str | None) -> list[str]:
        """Return what is measured of a method's networks besides logits, for confidence scores."""
        return measures_of(self.confidence, self.trained(method)["kind"])

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

    def methods(self, task: str) -> list[str]:
        """Return the names of the methods that a task's networks are trained by."""
        usual = self.further.get("method", [CROSS_ENTROPY.kind])
        return [str(name) for name in self.tasks[task].own.get("method", usual)]

    def trained(self, name: str | None) -> dict[str, Any]:
        """Return the entry of a method; without that axis networks learn by cross-entropy."""
        return dict(self.method[name or CROSS_ENTROPY.kind])

    def begun_by(self, task: str, name: str | None) -> str | None:
        """Return the method of a task from whose networks one goes on, see `methods.begun_by`."""
        return methods.begun_by(self.methods(task), self.method, name) if name else None

    def keeps_checkpoint(self, task: str, confounder: str, method: str | None = None) -> bool:
        """Tell whether a run's network is kept: all, or those later confounders are tested on.

        So are, whatever is wanted, those from which another method goes on.
        """
        wanted = self.training.keep_checkpoints
        shared = confounder == NONE and bool(self.tasks[task].confounders)
        begins = method and any(self.begun_by(task, n) == method for n in self.methods(task))
        return wanted == "all" or (wanted == "shared" and shared) or bool(begins)

    @property
    def figures(self) -> list[str]:
        """The figures asked for, or those that what the study has calls for."""
        return shown.figures(self)

    @property
    def groups(self) -> dict[str, str]:
        """Which tasks are counted together in benchmarks of confidence scores: task → group."""
        return {task.name: task.group for task in self.tasks.values() if task.group}

    @property
    def style(self) -> dict[str, Any]:
        """The names and the order in which figures show its parts, see `shown.style`."""
        return shown.style(self)

    @property
    def published(self) -> Published:
        """What *Source Matters* published of what this study does too."""
        return shown.published(self)

    @property
    def targets(self) -> dict[str, dict[str, Any]]:
        """What Table 1 says of each task beside its design."""
        return shown.targets(self)

    @property
    def trials(self) -> list[dict[str, Any]]:
        """What decides whether its tasks can be drawn, see `design.trial.Trial`."""
        common = {"folds": self.folds, "seed": self.seed}
        return [task.trial(common) for task in self.tasks.values()]
