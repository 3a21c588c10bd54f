# What a network makes of its images, of the runs whose latent space is kept.

EXPLORED = f"{STUDY}/explored/{RUNS.wildcard_pattern}"
EXPLORED_FILES = ["embedding.csv", "concepts.csv", "failures.csv", "severities.csv"]
EXPLORED_RUNS = [
    f"{STUDY}/explored/{run}" for run in Paramspace(study.explored).instance_patterns
]


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
