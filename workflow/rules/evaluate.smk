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
        further=list(study.further),
    message:
        "Collecting all runs"
    script:
        "../scripts/runs.py"


rule statistics:
    input:
        rules.runs.output,
    output:
        summary=table("summary"),
        drop=table("drop"),
        comparisons=table("comparisons"),
        epochs=table("epochs"),
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
        designs=[design(task.name, task.designs[0]) for task in study.tasks.values()],
        tests=[test_sets(task.name, task.designs[0]) for task in study.tasks.values()],
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
        targets=study.targets,
    message:
        "Describing the target datasets"
    script:
        "../scripts/table1.py"


rule counts:
    input:
        manifests=expand(rules.manifest.output.counts, task=TASKS),
        folders=[
            rules.retrieve.output.odd.format(dataset=task.dataset.name)
            for task in study.tasks.values()
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
        page=report(
            f"{STUDY}/tables/sources.html",
            caption="../report/sources_page.rst",
            category="Sources",
            labels={"shows": "Where the weights came from", "as": "page"},
        ),
    log:
        log_of("sources"),
    benchmark:
        benchmark_of("sources")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        study=study.name,
        specs={source.name: source.described for source in study.sources.values()},
        archs={source.name: source.archs for source in study.sources.values()},
    message:
        "Describing the sources"
    script:
        "../scripts/sources.py"


rule figure2:
    input:
        native=[f"{STUDY}/data/{task}/native.npy" for task in DRAWN_INTO],
        samples=[f"{STUDY}/data/{task}/samples.csv" for task in DRAWN_INTO],
        before=before_runs,
    output:
        png=report(
            f"{STUDY}/figures/figure2.png",
            caption="../report/figure2.rst",
            category="Data",
            labels={"shows": "Figure 2: the artifacts", "as": "figure"},
        ),
        pdf=f"{STUDY}/figures/figure2.pdf",
    log:
        log_of("figure2"),
    benchmark:
        benchmark_of("figure2")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        titles={task: study.tasks[task].title for task in DRAWN_INTO},
        artifacts={
            task: {name: study.uses[name].entry for name in names}
            for task, names in DRAWN_INTO.items()
        },
        seed=study.seed,
        decided_by=lambda _: [
            DECIDED_BY.layer(task, name)
            for task, names in DRAWN_INTO.items()
            for name in names
        ],
    message:
        "Drawing the artifacts side by side"
    script:
        "../scripts/figure2.py"


rule figure:
    input:
        rules.runs.output,
    output:
        png=report(
            f"{STUDY}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category=lambda wildcards: FIGURES[wildcards.figure][0],
            labels=lambda wildcards: figure_labels(wildcards.figure),
        ),
        pdf=f"{STUDY}/figures/{{figure}}.pdf",
    log:
        f"{STUDY}/logs/figure/{{figure}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figure/{{figure}}.tsv"
    wildcard_constraints:
        figure="(?!figure2)[a-z0-9_]+",
    conda:
        "../../envs/sourcebench.yaml"
    params:
        style=study.style,
        caption=lambda wildcards: caption(wildcards.figure),
    message:
        "Drawing {wildcards.figure}"
    script:
        "../scripts/figure.py"
