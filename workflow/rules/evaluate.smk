# One tidy table of all runs; every other table and every figure reads it.


rule runs:
    input:
        predictions=expand(
            f"{STUDY}/runs/{{run}}/predictions.parquet", run=RUNS.instance_patterns
        ),
        records=expand(f"{STUDY}/runs/{{run}}/run.json", run=RUNS.instance_patterns),
        before=before_runs,
    output:
        table("runs"),
    log:
        log_of("runs"),
    benchmark:
        benchmark_of("runs")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        further=list(experiment.further_axes(config)),
    message:
        "Collecting all runs"
    script:
        "../scripts/runs.py"


rule statistics:
    input:
        rules.runs.output,
    output:
        **{name: table(name) for name in that_need(tables.TABLES, "runs")},
    log:
        log_of("statistics"),
    benchmark:
        benchmark_of("statistics")
    conda:
        "../../envs/sourcebench.yaml"
    message:
        "Comparing the sources"
    script:
        "../scripts/compare_sources.py"


rule table1:
    input:
        # Of one confounder: all of a task's that are drawn into images have the same folds.
        designs=[
            design(task, next(iter(config["tasks"][task]["confounders"]), NONE))
            for task in TASKS
        ],
        before=before_designs,
    output:
        table("table1"),
    log:
        log_of("table1"),
    benchmark:
        benchmark_of("table1")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        targets=experiment.targets(config),
    message:
        "Describing the target datasets"
    script:
        "../scripts/table1.py"


rule counts:
    input:
        manifests=expand(rules.manifest.output.counts, task=TASKS),
        folders=[
            rules.retrieve.output.odd.format(dataset=config["tasks"][task]["dataset"])
            for task in TASKS
        ],
        files=expand(rules.prepare.output.odd, task=TASKS),
        before=before_runs,
    output:
        table("counts"),
    log:
        log_of("counts"),
    benchmark:
        benchmark_of("counts")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        tasks=TASKS,
    message:
        "Counting what was left out or odd"
    script:
        "../scripts/counts.py"


rule sources:
    input:
        source_cards,
    output:
        table=table("sources"),
        page=in_report(
            f"{STUDY}/tables/sources.html", figures.PAGES.get("sources_page")
        ),
    log:
        log_of("sources"),
    benchmark:
        benchmark_of("sources")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        study=config["study"],
        specs={
            name: config["sources"][name] for name in config["experiment"]["sources"]
        },
        archs={
            name: experiment.archs_of(config, name)
            for name in config["experiment"]["sources"]
        },
    message:
        "Describing the sources"
    script:
        "../scripts/sources.py"


rule artifact_figure:
    input:
        native=[f"{STUDY}/data/{task}/native.npy" for task in DRAWN_INTO],
        samples=[f"{STUDY}/data/{task}/samples.csv" for task in DRAWN_INTO],
        before=before_runs,
    output:
        png=figure_file(),
        pdf=f"{STUDY}/figures/{{figure}}.pdf",
    log:
        f"{STUDY}/logs/figure/{{figure}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figure/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_that_need("artifacts"),
    conda:
        "../../envs/sourcebench.yaml"
    params:
        caption=lambda wildcards: shown(wildcards).caption,
        titles={task: config["tasks"][task]["title"] for task in DRAWN_INTO},
        confounders={
            task: {name: config["confounders"][name] for name in names}
            for task, names in DRAWN_INTO.items()
        },
        seed=config["seed"],
        decided_by=lambda _: [
            DECIDED_BY.layer(task, name)
            for task, names in DRAWN_INTO.items()
            for name in names
        ],
    message:
        "Drawing {wildcards.figure}, of the artifacts"
    script:
        "../scripts/artifact_figure.py"


rule figure:
    input:
        rules.runs.output,
    output:
        png=figure_file(),
        pdf=f"{STUDY}/figures/{{figure}}.pdf",
    log:
        f"{STUDY}/logs/figure/{{figure}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figure/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_that_need("runs"),
    conda:
        "../../envs/sourcebench.yaml"
    params:
        style=experiment.style(config),
        caption=lambda wildcards: shown(wildcards).caption,
    message:
        "Drawing {wildcards.figure}"
    script:
        "../scripts/figure.py"
