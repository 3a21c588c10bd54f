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

from sourcebench.artifacts import fingerprint as artifact_id
from sourcebench.attributes import ATTRIBUTES
from sourcebench.datasets.base import Dataset
from sourcebench.datasets.labels import LABELS
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.design import NONE
from sourcebench.fingerprints import code_of, digest
from sourcebench.models import ARCHITECTURES, NETWORKS, network_of, weights_arch
from sourcebench.parameters import deciding
from sourcebench.retrieval.folders import fingerprint
from sourcebench.sources import weights_id
from sourcebench.study.study import Study
from sourcebench.training.measures import MEASURES
from sourcebench.training.methods import CROSS_ENTROPY, METHODS
from sourcebench.training.transfer import TRANSFERS

STAGES = {"manifest": 1, "prepare": 1, "confound": 1, "design": 2, "finetune": 1, "test": 2}
"""The version of each stage's own code. Whoever changes what a stage computes (not how fast, or
what it says) raises its number, and studies that are finished run it again. The code of kinds,
which people add and edit, is in the digests by itself.

'test' is for what is tested and written of a trained network: it trains none again that is kept."""

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
        study: whose steps.

    Raises:
        SourceBenchError: in any method, when a folder or table of the user's can't be read.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._known: dict[tuple[object, ...], str] = {}

    @_once
    def dataset(self, name: str) -> str:
        """Return what decides a dataset's images and metadata."""
        return _of_dataset(name, self._study.datasets[name].built)

    @_once
    def found(self, name: str) -> str:
        """Return what decides where a dataset's images lie."""
        return digest(self.dataset(name), self._study.datasets[name].path)

    @_once
    def splits(self, name: str) -> str:
        """Return what decides splits that somebody published."""
        entry = self._study.splits[name].entry
        decisive = {key: value for key, value in entry.items() if key != "leaks"}
        return digest(
            _sorted(decisive), fingerprint(Path(entry["path"])) if "path" in entry else ""
        )

    @_once
    def manifest(self, task: str) -> str:
        """Return what decides which images a task has."""
        chosen = self._study.tasks[task]
        return digest(
            STAGES["manifest"],
            task,
            self.dataset(chosen.dataset.name),
            self.splits(chosen.splits.name) if chosen.splits else "",
            self._labels(task),
            _sorted({**chosen.sampling, "labels": {}}),
            *(code_of(type(each.trait)) for each in chosen.targets.values()),
            chosen.carrier,
            self._study.seed,
            *self._derived(task),
        )

    @_once
    def images(self, task: str) -> str:
        """Return what decides the arrays of a task's images."""
        chosen = self._study.tasks[task]
        shape = [each for each in (chosen.channels, chosen.frame) if each]
        facts = (self.manifest(task), chosen.input_size, chosen.resize, *shape)
        return digest(STAGES["prepare"], *facts)

    @_once
    def design(self, task: str) -> str:
        """Return what decides who of a task's images is confounded, and in which fold."""
        chosen = self._study.tasks[task]
        named = [] if chosen.confounded is None else [chosen.confounded]
        decides = self.manifest(task), self._study.folds, chosen.val_fraction, *named
        return digest(STAGES["design"], *decides)

    @_once
    def test_sets(self, task: str) -> str:
        """Return what decides a task's designs whole: beside `design`, further test sets."""
        return digest(STAGES["test"], self.design(task), self._study.tasks[task].shifted)

    @_once
    def layer(self, task: str, name: str) -> str:
        """Return what decides the images into which a confounder or shift was drawn."""
        artifact = self._study.uses[name].artifact
        drawn = artifact and artifact_id(artifact)
        alone = ["test"] if name in self._study.tasks[task].shifts else []
        return digest(STAGES["confound"], self.images(task), drawn, self._study.seed, *alone)

    @_once
    def weights(self, source: str, arch: str) -> str:
        """Return what names a source's weights for an architecture, by what decides them."""
        chosen = self._study.sources[source]
        return weights_id(chosen.supplier, arch, chosen.seed(self._study.seed))

    @_once
    def run(
        self,
        task: str,
        confounder: str,
        source: str,
        arch: str,
        transfer: str | None,
        method: str | None = None,
        explored: bool = False,
    ) -> str:
        """Return what decides a run's predictions, beside its place in the experiment.

        Args:
            task: the task, the first of the axes that this differs by.
            confounder: another axis.
            source: another.
            arch: another.
            transfer: another.
            method: the last.
            explored: whether features are kept for its latent space.
        """
        chosen = self._study.tasks[task]
        network = self.network(task, confounder, source, arch, transfer, method)
        drawn = [(each, self._drawn(task, each)) for each in chosen.tested(confounder)]
        shifted = [(*each, self.layer(task, each[0])) for each in chosen.shifted]
        return digest(STAGES["test"], network, drawn, shifted, *self._asked(method, explored))

    @_once
    def network(
        self,
        task: str,
        confounder: str,
        source: str,
        arch: str,
        transfer: str | None,
        method: str | None = None,
    ) -> str:
        """Return what decides a run's network, beside its place in the experiment."""
        chosen, parent = self._study.tasks[task], weights_arch(arch)
        way = TRANSFERS.from_entry(self._study.transferred(transfer))
        trained = METHODS.from_entry(self._study.trained(method))
        derive = ARCHITECTURES.get(arch).derive
        network = self._study.sources[source].structure(arch) or network_of(arch)
        return digest(
            STAGES["finetune"],
            self.design(task),
            self.images(task),
            self._drawn(task, confounder),
            self.weights(source, parent),
            _sorted(network),
            code_of(NETWORKS.get(network["builder"]), type(way), type(trained)),
            derive and code_of(getattr(derive, "func", derive)),
            way,
            _sorted(chosen.training.deciding),
            [chosen.batch_size, chosen.monitor],
            self._study.seed,
            *([] if trained == CROSS_ENTROPY else [trained.kind, deciding(trained)]),
        )

    def _asked(self, method: str | None, explored: bool) -> list[object]:
        """What is asked of a network beside its logits; nothing of a study that asks nothing."""
        measured = [(name, MEASURES.get(name)) for name in self._study.measures(method)]
        sampled = [self._study.dropout_passes for _, each in measured if each.sampled][:1]
        code = [[name, code_of(each)] for name, each in measured]
        return [*code, *sampled, *(["explored"] if explored else [])]

    def _labels(self, task: str) -> str:
        entry = self._study.tasks[task].labels
        if not entry:
            return ""  # splits that somebody published say them
        source = LABELS.from_entry(entry)
        return digest(source.kind, deciding(source), code_of(type(source)))

    def _derived(self, task: str) -> list[object]:
        """What decides the values of a sampling confounder that no column of the table has."""
        entry = self._study.tasks[task].attribute
        trait = entry and ATTRIBUTES.from_entry(entry)
        return [deciding(trait), code_of(type(trait))] if trait and trait.derived else []

    def _drawn(self, task: str, confounder: str) -> str:
        drawn = confounder in self._study.tasks[task].drawn
        return self.layer(task, confounder) if drawn else NONE


def _of_dataset(name: str, dataset: Dataset) -> str:
    drawn = [MIRRORS.get(dataset.kind)] if dataset.origin == "phantoms" else []
    code = code_of(type(dataset), *drawn)
    members = [_of_dataset(*each) for each in dataset.members.items()]
    facts = (name, dataset.kind, deciding(dataset), dataset.fingerprint(), code)
    return digest(*facts, *([members] if members else []))


def _sorted(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return a part of the config in an order that does not depend on how it was written."""
    return [
        (key, _sorted(value) if isinstance(value, Mapping) else value)
        for key, value in sorted(entry.items())
    ]
