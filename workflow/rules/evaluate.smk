# What the runs say: of each task and confounder by itself, then of the study.


rule evidence:
    input:
        unpack(evidence_inputs),
    output:
        **{
            name: f"{STUDY}/evidence/{{task}}/{{confounder}}/{name}.csv"
            for name in that_need(tables.TABLES, "predictions")
        },
    log:
        f"{STUDY}/logs/evidence/{{task}}/{{confounder}}.log",
    benchmark:
        f"{STUDY}/benchmarks/evidence/{{task}}/{{confounder}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    resources:
        mem_mb=asked(evidence_memory),
    params:
        further=list(study.further),
        subgroups=lambda wildcards: study.tasks[wildcards.task].subgroups,
        confidence=lambda wildcards: study.scoring(wildcards.task),
        code=run_by(
            "evidence",
            *map(tables.TABLES.get, that_need(tables.TABLES, "predictions")),
        ),
        own_metrics=own_metrics(),
    message:
        "Collecting what networks say of {wildcards.task} with {wildcards.confounder}"
    script:
        "../scripts/evidence.py"


rule tables:
    input:
        **{
            name: [
                rules.evidence.output[name].format(task=task, confounder=confounder)
                for task, confounder in DESIGNS
            ]
            for name in that_need(tables.TABLES, "predictions")
        },
    output:
        **{name: table(name) for name in that_need(tables.TABLES, "predictions")},
    log:
        log_of("tables"),
    benchmark:
        benchmark_of("tables")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        code=run_by("collect_tables"),
    message:
        "Putting the tables together"
    script:
        "../scripts/collect_tables.py"


DESCRIBED = [
    name for what in ("runs", "confidence") for name in that_need(tables.TABLES, what)
]


rule statistics:
    input:
        runs=rules.tables.output.runs,
        confidence=rules.tables.output.confidence,
    output:
        **{name: table(name) for name in DESCRIBED},
    log:
        log_of("statistics"),
    benchmark:
        benchmark_of("statistics")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        groups=study.groups,
        code=run_by("describe_runs", *map(tables.TABLES.get, DESCRIBED)),
        own_metrics=own_metrics(),
    message:
        "Describing the runs"
    script:
        "../scripts/describe_runs.py"


rule published:
    input:
        summary=rules.tables.output.summary,
        runs=rules.tables.output.runs,
    output:
        table("published"),
    log:
        log_of("published"),
    benchmark:
        benchmark_of("published")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        published=study.published,
        code=run_by(
            "published",
            *map(tables.TABLES.get, that_need(tables.TABLES, "summary")),
        ),
    message:
        "Setting published numbers beside these"
    script:
        "../scripts/published.py"


rule summary:
    input:
        rules.tables.output,
        rules.statistics.output,
        rules.published.output,
        rules.split_audit.output,
    output:
        f"{STUDY}/summary.json",
    log:
        log_of("summary"),
    benchmark:
        benchmark_of("summary")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        study=study.name,
        titles={
            kind: study.style[kind]
            for kind in ("sources", "confounders", "tasks", "archs")
        },
        code=run_by("summarise"),
    message:
        "Saying what was found"
    script:
        "../scripts/summarise.py"


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
        code=run_by("table1"),
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
        code=run_by("counts"),
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
        study=study.name,
        described={source.name: source.described for source in study.sources.values()},
        archs={source.name: source.archs for source in study.sources.values()},
        code=run_by("sources"),
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
        code=lambda wildcards: run_by("artifact_figure", shown(wildcards)),
    message:
        "Drawing {wildcards.figure}, of the artifacts"
    script:
        "../scripts/artifact_figure.py"


rule figure:
    input:
        **{name: rules.tables.output[name] for name in rules.tables.output.keys()},
        **{name: rules.statistics.output[name] for name in DESCRIBED},
    output:
        png=figure_file(),
        pdf=f"{STUDY}/figures/{{figure}}.pdf",
    log:
        f"{STUDY}/logs/figure/{{figure}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figure/{{figure}}.tsv"
    wildcard_constraints:
        figure=figures_that_need("runs", "tables"),
    conda:
        "../../envs/sourcebench.yaml"
    params:
        style=study.style,
        caption=lambda wildcards: shown(wildcards).caption,
        code=lambda wildcards: run_by("figure", shown(wildcards)),
    message:
        "Drawing {wildcards.figure}"
    script:
        "../scripts/figure.py"
