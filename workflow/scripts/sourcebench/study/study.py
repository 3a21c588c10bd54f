"""A study: its config, checked, with all defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import pandas as pd

from sourcebench import plugins
from sourcebench.axes import AXES, FURTHER, USUAL, Axis, Value
from sourcebench.design import NONE
from sourcebench.evaluation.published import PAPERS, Published, Setting, matching, read
from sourcebench.figures import FIGURES, Contents, called_for
from sourcebench.models import ARCHITECTURES
from sourcebench.parameters import deciding
from sourcebench.schemas import fits, known
from sourcebench.sources import structures
from sourcebench.study.entries import Dataset, Entry, Splits, Training
from sourcebench.study.measured import (
    PASSES,
    Choice,
    check_scores,
    explored,
    measures_of,
    place,
    places,
)
from sourcebench.study.schema import schema
from sourcebench.study.sources import Source
from sourcebench.study.tasks import Task, make_task
from sourcebench.study.uses import Confounder, Shift, Target, Use, shifts_of
from sourcebench.training.methods import CROSS_ENTROPY, METHODS, procedure_of
from sourcebench.training.transfer import TRANSFERS


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
        for axis in AXES:
            if axis.among:
                known(f"experiment.{axis.key}", chosen.get(axis.key, []), _names(axis, config))
        known("experiment.figures", chosen.get("figures", []), FIGURES.names())
        known("experiment.audit", chosen.get("audit", []), splits)
        archs = _archs(config)
        sources = {
            name: Source.of(name, config["sources"][name], archs) for name in chosen["sources"]
        }
        confounders = {
            name: Confounder(name, entry) for name, entry in config["confounders"].items()
        }
        shifts = shifts_of(config.get("shifts", {}), confounders)
        for name, entry in config.get("transfer", {}).items():
            known(f"transfer.{name}.kind", [entry["kind"]], TRANSFERS)
            TRANSFERS.from_entry(entry, f"transfer.{name}")
        for name, entry in config.get("method", {}).items():
            known(f"method.{name}.kind", [entry["kind"]], METHODS)
            METHODS.from_entry(entry, f"method.{name}")
        datasets = {name: Dataset(name, entry) for name, entry in config["datasets"].items()}
        tasks = {}
        for name in chosen["tasks"]:
            entry = config["tasks"][name]
            own = _own(name, entry, config)
            tasks[name] = make_task(
                name,
                entry,
                datasets,
                confounders,
                shifts,
                splits,
                chosen["folds"],
                config["training"],
                own,
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
        study.explored  # noqa: B018  as with a confounder, now and not in a job
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
        return [*structures.mixed(networks), *self._remarks_of_methods()]

    def _remarks_of_methods(self) -> list[str]:
        found: dict[str, list[str]] = {}
        for task in self.tasks.values():
            for name in self.methods(task.name):
                method = procedure_of(METHODS.from_entry(self.method[name]))
                if task.classes and (said := method.remark(task.classes)):
                    found.setdefault(f"The method '{name}' {said}", []).append(task.name)
        return [f"{said} (tasks: {', '.join(names)})" for said, names in found.items()]

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
                archs = [arch for arch in self.archs_of(task.name) if arch in source.archs]
                for arch, fold, values in product(
                    archs, range(1, self.folds + 1), product(*further)
                ):
                    rows.append((*start, arch, text["p_art"](p_art), fold, *values))
        columns = [*(axis.name for axis in USUAL), *self.further]
        return pd.DataFrame(rows, columns=columns).drop_duplicates(ignore_index=True)

    @cached_property
    def explored(self) -> pd.DataFrame:
        """The runs whose latent space is explored: rows of `runs`."""
        return explored(self.runs, self.explore) if self.explore else self.runs[:0]

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
        """Return the method of the same task from whose networks one goes on, or None.

        It is the task's first of the kind that the method begins as; a method that begins as
        another does so by itself in a study that has none.
        """
        kind = procedure_of(METHODS.from_entry(self.trained(name))).begins_as
        named = self.methods(task) if kind and name else []
        return next((each for each in named if self.method[each]["kind"] == kind), None)

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
        if self.asked is not None:
            return list(self.asked)
        shifts = {n: each for task in self.tasks.values() for n, each in task.shifts.items()}
        contents = Contents(
            [each.trait for each in self._shown.values()],
            [each.trait for each in shifts.values()],
            self.confidence,
            bool(self.explore),
        )
        return called_for(contents)

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
            "archs": {
                name: ARCHITECTURES.get(name).title
                for task in self.tasks
                for name in self.archs_of(task)
            },
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
                "archs": self.archs_of(task.name),
                "training": task.training.recipe,
            }
            for task in self.tasks.values()
        }
        setting = Setting(
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


def _archs(config: Mapping[str, Any]) -> dict[str, list[str]]:
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


def _own(name: str, entry: Entry, config: Mapping[str, Any]) -> dict[str, list[Value]]:
    """Return a task's own values of the axes that it may have some of."""
    own = {}
    for axis in AXES:
        if axis.own and axis.key in entry:
            if axis.among:
                known(f"tasks.{name}.{axis.key}", entry[axis.key], _names(axis, config))
            own[axis.name] = axis.of(entry)
    return own


def _names(axis: Axis, config: Mapping[str, Any]) -> list[str]:
    """Return the names that an axis has values among; cross-entropy needs no entry."""
    always = [CROSS_ENTROPY.kind] if axis.among == "method" else []
    return list(dict.fromkeys([*always, *config.get(axis.among, {})]))
