# What each step reads, and what decides its result.
#
# Snakemake would run a step again whenever one before it has run, even if nothing came out
# differently: one more task on the same images would repeat all training on them. So a step that is
# finished, and whose deciding digest (sourcebench/study/dependencies.py) is the one that it ran with, takes
# its inputs as 'ancient', whatever their times. Any other takes all that lies before it as plain inputs,
# not just what it reads: Snakemake looks past ancient inputs no further, and would miss it otherwise.

from functools import cache

DECIDING = {
    "index_local": lambda given: DECIDED_BY.found(given["dataset"]),
    "retrieve": lambda given: DECIDED_BY.found(given["dataset"]),
    "published_splits": lambda given: DECIDED_BY.splits(given["splits"]),
    "manifest": lambda given: DECIDED_BY.manifest(given["task"]),
    "prepare": lambda given: DECIDED_BY.images(given["task"]),
    "design": lambda given: DECIDED_BY.test_sets(given["task"]),
    "confound": lambda given: DECIDED_BY.layer(given["task"], given["confounder"]),
    "finetune": lambda given: DECIDED_BY.run(
        *network_axes(given), study.explores(given)
    ),
}


STEPS = (
    "index_local published_splits manifest retrieve prepare confound design weights finetune"
).split()  # in the order of the data


def own(step):
    """The rule of a step, whatever a workflow that uses this one calls it."""
    return getattr(rules, step).rule


def outputs_of(rule):
    """The patterns of what a rule makes, which stay where it is called something else."""
    return [str(pattern) for pattern in rule.output]


@cache
def first_forced():
    """Where in the order of the data the first step is that --forcerun names, or a file of which."""
    forced = [
        outputs_of(rule)
        for rule in workflow.rules
        for named in workflow.dag_settings.forcerun
        if named == rule.name or rule.is_producer(named)
    ]
    found = (i for i, step in enumerate(STEPS) if outputs_of(own(step)) in forced)
    return min(found, default=len(STEPS))


def network_axes(given):
    """A run's place in the experiment, as far as what decides it differs by it."""
    axes = ("task", "confounder", "source", "arch")
    return *(given[axis] for axis in axes), given.get("transfer"), given.get("method")


def decided_by(rule):
    """The digest of what decides a step's result, as a parameter of its rule."""
    return asked(lambda wildcards: DECIDING[rule](wildcards))


def is_settled(rule, wildcards):
    """Whether a step is finished, and would do the same again."""
    if STEPS.index(rule) > first_forced():
        return False  # who forces a step wants all that follows from it
    outputs = own(rule).output
    # The first that is not there settles it: in a new study, that of thousands of runs.
    if not all(os.path.exists(path.apply_wildcards(wildcards)) for path in outputs):
        return False
    ran_with = workflow.persistence.params(outputs[0].apply_wildcards(wildcards)) or []
    return repr(DECIDING[rule](wildcards)) in ran_with


def settled(rule):
    """Decorate a rule's input function: name → path or paths."""

    def decorate(inputs):
        def answer(wildcards):
            found = inputs(wildcards)
            if not is_settled(rule, wildcards):
                return found
            return {name: ancient(paths) for name, paths in found.items()}

        return asked(answer)

    return decorate


def image_folder(wildcards):
    """Where a download or phantoms put images; all studies share them."""
    phantoms = study.datasets[wildcards.dataset].origin == "phantoms"
    return f"resources/{'phantoms/' if phantoms else ''}{wildcards.dataset}"


def available(dataset):
    """The table of the user's own images, where a dataset's are that; else nothing."""
    if not dataset.path:
        return []
    return rules.index_local.output.available.format(dataset=dataset.name)


def found(dataset):
    """All that is known of the user's own folder, where a dataset's images are that; else nothing."""
    if not available(dataset):
        return []
    return [path.format(dataset=dataset.name) for path in rules.index_local.output]


@cache
def before_manifest(task):
    """What lies before the choice of a task's images."""
    chosen = study.tasks[task]
    inputs = {"available": available(chosen.dataset), "splits": []}
    if chosen.splits:
        path = rules.published_splits.output[0].format(splits=chosen.splits.name)
        inputs["splits"] = path
    return inputs


@cache
def before_design(task):
    """What lies before a task's designs: its manifest, and what that is made of."""
    manifest = rules.manifest.output.manifest.format(task=task)
    return {**before_manifest(task), "manifest": manifest}


@cache
def before_images(task):
    """What lies before a task's arrays: its manifest, and the index of the originals."""
    dataset = study.tasks[task].dataset
    return {
        **before_design(task),
        "index": rules.retrieve.output.index.format(dataset=dataset.name),
    }


@settled("manifest")
def manifest_inputs(wildcards):
    """The user's own images, and published splits, where a task depends on them."""
    return before_manifest(wildcards.task)


def retrieve_inputs(wildcards):
    """The manifests of all tasks on a dataset, and what was found in the user's own folder."""
    dataset = study.datasets[wildcards.dataset]
    tasks = [task.name for task in study.tasks.values() if task.dataset is dataset]
    return {
        "manifests": expand(str(rules.manifest.output.manifest), task=tasks),
        "found": found(dataset),
    }


@settled("prepare")
def prepare_inputs(wildcards):
    """The manifest, and where the originals are."""
    return before_images(wildcards.task)


@settled("design")
def design_inputs(wildcards):
    """The manifest, and published splits where the task uses some."""
    return before_design(wildcards.task)


@settled("confound")
def confound_inputs(wildcards):
    """The originals, decoded."""
    return {
        **before_images(wildcards.task),
        "native": rules.prepare.output.native.format(task=wildcards.task),
        "samples": rules.prepare.output.samples.format(task=wildcards.task),
    }


@settled("finetune")
def finetune_inputs(wildcards):
    """The images with and without each artifact, the designs, the weights, and the record of the run
    whose network this one goes on from."""
    inputs = network_inputs(
        wildcards.task, wildcards.confounder, wildcards.source, wildcards.arch
    )
    return {**inputs, "begun": begun(wildcards)}


def begun(wildcards):
    """The record of the run of the same place by the method that this one begins as, if there is one."""
    method = study.begun_by(wildcards.task, wildcards.get("method"))
    if not method:
        return []
    return [f"{RUN}/run.json".format(**{**dict(wildcards.items()), "method": method})]


@cache
def network_inputs(task, confounder, source, arch):
    """What networks of every p_art and fold are trained and tested on."""
    chosen = study.tasks[task]
    confounders = chosen.tested(confounder)
    images = rules.prepare.output.images.format(task=task)
    if chosen.has_base(confounder):
        images = layer(task, confounder, "base")
    drawn = [name for name in confounders if name in chosen.drawn] + [*chosen.shifts]
    return {
        "before": list(paths_of(before_images(task))),
        "samples": rules.prepare.output.samples.format(task=task),
        "images": images,
        "artifacts": [layer(task, name, "artifact") for name in drawn],
        "designs": [design(task, name) for name in confounders],
        "tests": [test_sets(task, name) for name in confounders],
        "weights": source_weights(source, arch),
    }


def weights_path(source, arch):
    """A source's weights for an architecture, under a name of what decides them."""
    name = DECIDED_BY.weights(source, arch)
    return rules.weights.output.weights.format(source=source, arch=arch, weights=name)


def source_weights(source, arch):
    """The source's weights; none for random ones, which a run draws from its seed."""
    if not study.sources[source].has_weights:
        return []
    return [weights_path(source, weights_arch(arch))]


def source_cards(_):
    """The cards of all weights of the study."""
    return [
        str(Path(weights_path(source.name, arch)).with_suffix(".json"))
        for source in study.sources.values()
        if source.has_weights
        for arch in source.weights
    ]


@cache
def runs_tested():
    """The folders of the runs that were tested under each confounder: (task, name) → folders."""
    found = {place: [] for place in DESIGNS}
    places = study.runs[["task", "confounder"]].itertuples(index=False)
    for path, (task, confounder) in zip(PREDICTIONS, places, strict=True):
        for tested in study.tasks[task].tested(confounder):
            found[task, tested].append(os.path.dirname(path))
    return found


def evidence_inputs(wildcards):
    """The predictions under a confounder, those of p_art = 0 among them, the runs' records, the
    samples where a task has subgroups, and what networks say of the images that they validated on
    where a study asks for confidence scores."""
    folders = runs_tested()[wildcards.task, wildcards.confounder]
    samples = rules.manifest.output.manifest.format(task=wildcards.task)
    return {
        "samples": samples if study.tasks[wildcards.task].subgroups else [],
        "predictions": [f"{folder}/predictions.parquet" for folder in folders],
        "records": [f"{folder}/run.json" for folder in folders],
        "validation": [
            f"{folder}/validation.parquet" for folder in folders if study.confidence
        ],
        "before": list(paths_of(before_images(wildcards.task))),
    }


def before_designs(_):
    """What lies before all designs, for what tells about them."""
    return [path for task in TASKS for path in paths_of(before_design(task))]


def before_runs(_):
    """What lies before all runs and arrays, for what collects them."""
    return [path for task in TASKS for path in paths_of(before_images(task))]


def paths_of(inputs):
    """The paths among a step's inputs, each a path or a list."""
    for given in inputs.values():
        yield from [given] if isinstance(given, str) else given


def run_given(wildcards):
    """All that a run is made with. One table: Snakemake takes its time over each function, and there
    are thousands of runs."""
    return {
        "run": dict(wildcards.items()),
        "explored": study.explores(wildcards),
        **network_given(*network_axes(wildcards)),
    }


@cache
def network_given(task, confounder, source, arch, transfer, method):
    """What networks of every p_art and fold are made with."""
    chosen, start = study.tasks[task], study.sources[source]
    place = task, confounder, source, arch, transfer
    return {
        "training": chosen.training.recipe,
        "batch": {"batch_size": chosen.batch_size, "monitor": chosen.monitor},
        "confounders": chosen.tested(confounder),
        "transfer": study.transferred(transfer),
        "method": study.trained(method),
        "normalisation": start.normalisation,
        "structure": start.structure(arch),
        "keep": study.keeps_checkpoint(task, confounder, method),
        "measured": {
            "measures": study.measures(method),
            "passes": study.dropout_passes,
        },
        "seed": study.seed,
        "trained_by": DECIDED_BY.network(*place, method),
        "begun_by": DECIDED_BY.network(*place, study.begun_by(task, method)),
    }


@cache
def task_memory(task):
    """About how much memory a run on a task takes, MB."""
    return memory.run_memory(study.tasks[task], card=study.training.cards > 0)


def run_memory(wildcards, attempt):
    """The memory of a run, MB: more at each attempt."""
    return attempt * task_memory(wildcards.task)


def evidence_memory(wildcards, attempt):
    """The memory of what tells of all runs of a task under a confounder, MB: more at each attempt."""
    runs = len(runs_tested()[wildcards.task, wildcards.confounder])
    return attempt * memory.evidence_memory(
        study.tasks[wildcards.task], runs, validated=bool(study.confidence)
    )


TITLES = {
    "iid": "i.i.d.",
    "ood": "o.o.d.",
    "clean": "without the artifact",
    "artifact": "with the artifact",
}


def explore_inputs(wildcards):
    """What a run answered, and the images and designs that it was tested on. Its features lie beside
    its record; they are no output of the run, see Outputs in sourcebench/training/runs.py.
    """
    run = RUN.format(**dict(wildcards.items()))
    axes = ("task", "confounder", "source", "arch")
    inputs = network_inputs(*(wildcards[axis] for axis in axes))
    return {
        **{name: paths for name, paths in inputs.items() if name != "weights"},
        "predictions": f"{run}/predictions.parquet",
        "validation": f"{run}/validation.parquet",
        "record": f"{run}/run.json",
    }


def explore_given(wildcards):
    """All that a run is explored with."""
    task = study.tasks[wildcards.task]
    shifts = {**task.shifts, **task.targets}
    return {
        "confounders": task.tested(wildcards.confounder),
        "kinds": {name: shift for name, (shift, *_) in task.test_sets.items()},
        "titles": {
            **(TITLES if task.confounders else {"clean": "i.i.d."}),
            **{name: shift_title(each) for name, each in shifts.items()},
        },
        "scores": list(study.confidence),
        "coverage": study.coverage,
        "seed": study.seed,
    }


def shift_title(shift):
    """What people call the test set of a shift: its title, and its level where it has several."""
    if shift.name == shift.family:
        return shift.title
    return f"{shift.title}, severity {shift.severity}"
