# What a network makes of its images, of the runs whose latent space is kept.

EXPLORED = f"{STUDY}/explored/{RUNS.wildcard_pattern}"
EXPLORED_FILES = ["embedding.csv", "concepts.csv", "failures.csv", "severities.csv"]
EXPLORED_RUNS = [
    f"{STUDY}/explored/{run}" for run in Paramspace(study.explored).instance_patterns
]
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
        "kinds": shift_kinds(task),
        "titles": {
            **(TITLES if task.confounders else {"clean": "i.i.d."}),
            **{name: shift_title(each) for name, each in shifts.items()},
        },
        "scores": list(study.confidence),
        "coverage": getattr(study, "coverage", 0.95),
        "seed": study.seed,
    }


def shift_kinds(task):
    """The kind of shift of each of a task's test sets that is not of a confounder."""
    own = ["iid"] if task.confounders else ["iid", "clean"]
    held_out = {name: each.trait.kind for name, each in task.targets.items()}
    return {
        **dict.fromkeys(own, "iid"),
        **dict.fromkeys(task.shifts, "corruption"),
        **held_out,
    }


def shift_title(shift):
    """What people call the test set of a shift: its title, and its level where it has several."""
    if shift.name == shift.family:
        return shift.title
    return f"{shift.title}, severity {shift.severity}"


rule explore:
    input:
        unpack(explore_inputs),
    output:
        **{path.removesuffix(".csv"): f"{EXPLORED}/{path}" for path in EXPLORED_FILES},
        record=f"{EXPLORED}/explored.json",
        thumbnails=directory(f"{EXPLORED}/thumbnails"),
    log:
        f"{EXPLORED}/log.txt",
    benchmark:
        f"{EXPLORED}/benchmark.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    params:
        given=explore_given,
        code=run_by("explore"),
    message:
        "Exploring what {wildcards.arch} from {wildcards.source} makes of {wildcards.task} with "
        "{wildcards.confounder}, p_art {wildcards.p_art}, fold {wildcards.fold}"
    script:
        "../scripts/explore.py"


rule explored_figure:
    input:
        explored=expand("{run}/explored.json", run=EXPLORED_RUNS),
        thumbnails=expand("{run}/thumbnails", run=EXPLORED_RUNS),
        tables=expand("{run}/{path}", run=EXPLORED_RUNS, path=EXPLORED_FILES),
    output:
        png=figure_file(),
        pdf=f"{STUDY}/figures/{{figure}}.pdf",
    log:
        f"{STUDY}/logs/figure/{{figure}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figure/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_that_need("explored"),
    conda:
        "../../envs/sourcebench.yaml"
    params:
        style=study.style,
        caption=lambda wildcards: shown(wildcards).caption,
        code=lambda wildcards: run_by("explored_figure", shown(wildcards)),
    message:
        "Drawing {wildcards.figure}, of the runs that were explored"
    script:
        "../scripts/explored_figure.py"
