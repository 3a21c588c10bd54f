"""What decides the result of each step, as a digest that changes with it, and with nothing else.

Snakemake runs a step again when its parameters are not those that it ran with. Among them every
step has the digest of what it depends on, however far up the way of the data: the parts of the
config that matter to it, the user's tables, folders and checkpoints as they lie on the disk, and
the code of the kinds it is built of. Times of the files between two steps count for nothing, so
that a step that runs again for another's sake costs no training. Titles, threads and whatever
else decides no result are not in a digest.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from sourcebench import confounders, experiment
from sourcebench.datasets import base, tasks
from sourcebench.datasets.folders import fingerprint
from sourcebench.design import NONE
from sourcebench.fingerprints import code_of, digest
from sourcebench.models import ARCHITECTURES, NETWORKS, network_of, weights_arch
from sourcebench.phantoms import MIRRORS
from sourcebench.sources import KINDS, weights_id
from sourcebench.training import strategies

STAGES = {"manifest": 1, "prepare": 1, "confound": 1, "design": 1, "finetune": 1}
"""The version of each stage's own code. Whoever changes what a stage computes (not how fast, or
what it says) raises its number, and studies that are finished run it again. The code of kinds,
which people add and edit, is in the digests by itself."""

WHERE = ("threads", "accelerator", "keep_checkpoints")
"""Keys of `training` that say where and how a run computes, and not what."""

Names = ParamSpec("Names")
Method = Callable[Concatenate["Dependencies", Names], str]


def _once(method: Method[Names]) -> Method[Names]:
    """Make a method compute each answer once: thousands of runs ask the same."""

    @wraps(method)
    def answer(self: "Dependencies", /, *names: Names.args, **none: Names.kwargs) -> str:
        key = (method.__name__, *names)
        if key not in self._known:
            self._known[key] = method(self, *names, **none)
        return self._known[key]

    return answer


class Dependencies:
    """The digests of a study's steps.

    A method returns 32 hexadecimal digits. It looks at the disk at its first call, and says the
    same from then on.

    Args:
        config: a checked config, see `config.check`.

    Raises:
        SourceBenchError: in any method, when a folder or table of the user's can't be read.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._known: dict[tuple[object, ...], str] = {}

    @_once
    def dataset(self, name: str) -> str:
        """Return what decides a dataset's images and metadata."""
        entry = self._config["datasets"][name]
        dataset = base.build(name, entry)
        drawn = [MIRRORS.get(entry["kind"])] if entry["origin"] == "phantoms" else []
        decisive = {key: value for key, value in entry.items() if key not in base.TRANSPORT}
        code = code_of(type(dataset), *drawn)
        return digest(name, _sorted(decisive), dataset.fingerprint(), code)

    @_once
    def splits(self, name: str) -> str:
        """Return what decides splits that somebody published."""
        entry = self._config["splits"][name]
        return digest(_sorted(entry), fingerprint(Path(entry["path"])) if "path" in entry else "")

    @_once
    def manifest(self, task: str) -> str:
        """Return what decides which images a task has."""
        entry = self._config["tasks"][task]
        published = self.splits(entry["splits"]) if "splits" in entry else ""
        labels = entry.get("labels", {})
        return digest(
            STAGES["manifest"],
            task,
            self.dataset(entry["dataset"]),
            published,
            "" if published else code_of(tasks.LABELS.get(labels["from"]).rows),
            _sorted(labels),
            _sorted(entry.get("samples", {})),
            entry.get("view"),
            experiment.carrier(self._config, task),
            self._config["seed"],
        )

    @_once
    def images(self, task: str) -> str:
        """Return what decides the arrays of a task's images."""
        entry = self._config["tasks"][task]
        size = entry["input_size"], entry.get("resize", "nearest")
        return digest(STAGES["prepare"], self.manifest(task), size)

    @_once
    def design(self, task: str) -> str:
        """Return what decides who of a task's images is confounded, and in which fold."""
        folds = self._config["experiment"]["folds"]
        share = self._config["tasks"][task].get("val_fraction")
        return digest(STAGES["design"], self.manifest(task), folds, share)

    @_once
    def layer(self, task: str, confounder: str) -> str:
        """Return what decides the images into which a confounder was drawn."""
        drawn = confounders.fingerprint(experiment.build_confounder(self._config, confounder))
        return digest(STAGES["confound"], self.images(task), drawn, self._config["seed"])

    @_once
    def weights(self, source: str, arch: str) -> str:
        """Return what names a source's weights for an architecture, by what decides them."""
        spec = self._config["sources"][source]
        kind = KINDS.get(spec["kind"])
        seed = experiment.seed_for_weights(self._config, source)
        return weights_id(spec, arch, seed, kind.fingerprint(spec, arch))

    @_once
    def run(self, task: str, confounder: str, source: str, arch: str, transfer: str | None) -> str:
        """Return what decides a run's predictions, beside its place in the experiment."""
        tested = experiment.tested_confounders(self._config, task, confounder)
        network = self.network(task, confounder, source, arch, transfer)
        return digest(network, [(name, self._drawn(task, name)) for name in tested])

    @_once
    def network(
        self, task: str, confounder: str, source: str, arch: str, transfer: str | None
    ) -> str:
        """Return what decides a run's network, beside its place in the experiment."""
        parent = weights_arch(arch)
        strategy = strategies.from_entry(experiment.transfer(self._config, transfer))
        derive = ARCHITECTURES.get(arch).derive
        network = experiment.structure(self._config, source, arch) or network_of(arch)
        return digest(
            STAGES["finetune"],
            self.design(task),
            self.images(task),
            self._drawn(task, confounder),
            self.weights(source, parent),
            _sorted(network),
            code_of(NETWORKS.get(network["builder"]), type(strategy)),
            derive and code_of(getattr(derive, "func", derive)),
            strategy,
            _sorted({k: v for k, v in self._config["training"].items() if k not in WHERE}),
            [self._config["tasks"][task][key] for key in ("batch_size", "monitor")],
            self._config["seed"],
        )

    def _drawn(self, task: str, confounder: str) -> str:
        pixel = experiment.is_pixel(self._config, confounder)
        return self.layer(task, confounder) if pixel else NONE


def _sorted(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return a part of the config in an order that does not depend on how it was written."""
    return [
        (key, _sorted(value) if isinstance(value, Mapping) else value)
        for key, value in sorted(entry.items())
    ]
