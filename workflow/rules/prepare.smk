# Every original is decoded once; no later stage opens one.

from dataclasses import astuple


rule prepare:
    input:
        unpack(prepare_inputs),
    output:
        images=f"{STUDY}/data/{{task}}/images.npy",
        samples=f"{STUDY}/data/{{task}}/samples.csv",
        native=f"{STUDY}/data/{{task}}/native.npy",
        odd=f"{STUDY}/data/{{task}}/odd.json",
    log:
        f"{STUDY}/logs/prepare/{{task}}.log",
    benchmark:
        f"{STUDY}/benchmarks/prepare/{{task}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        name=of_task(lambda task: task.dataset.name),
        dataset=of_task(lambda task: task.dataset.entry),
        input_size=of_task(lambda task: task.input_size),
        resize=of_task(lambda task: task.resize),
        channels=of_task(lambda task: task.channels),
        frame=of_task(lambda task: task.frame and astuple(task.frame)),
        # Compared, beside the digest: without a confounder there are no originals to draw into.
        keep_native=lambda wildcards: wildcards.task in DRAWN_INTO,
        decided_by=decided_by("prepare"),
    message:
        "Decoding the images of {wildcards.task}"
    script:
        "../scripts/prepare.py"


# On demand only, such as results/source_matters/nifti/lidc_idri/0001/scan.nii.gz.
rule nifti:
    output:
        scan=f"{STUDY}/nifti/{{dataset}}/{{scan}}/scan.nii.gz",
        readers=f"{STUDY}/nifti/{{dataset}}/{{scan}}/readers.nii.gz",
    log:
        f"{STUDY}/logs/nifti/{{dataset}}/{{scan}}.log",
    benchmark:
        f"{STUDY}/benchmarks/nifti/{{dataset}}/{{scan}}.tsv"
    wildcard_constraints:
        scan=r"\d+",
    conda:
        "../../envs/sourcebench.yaml"
    threads: 8
    params:
        spec=lambda wildcards: study.datasets[wildcards.dataset].entry,
        folder=image_folder,
    message:
        "Writing scan {wildcards.scan} of {wildcards.dataset} with its readers' marks"
    script:
        "../scripts/nifti.py"


rule design:
    input:
        unpack(design_inputs),
    output:
        images=f"{STUDY}/design/{{task}}/{{confounder}}.csv",
        tests=f"{STUDY}/design/{{task}}/{{confounder}}/test_sets.csv",
    log:
        f"{STUDY}/logs/design/{{task}}/{{confounder}}.log",
    benchmark:
        f"{STUDY}/benchmarks/design/{{task}}/{{confounder}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    params:
        folds=told(lambda _: study.folds),
        val_fraction=of_task(lambda task: task.val_fraction),
        carrier=of_task(lambda task: task.carrier),
        shifts=of_task(lambda task: task.shifted),
        confounded=of_task(lambda task: task.confounded),
        # Compared, beside the digest: it decides no result, but whether there is one.
        may_leak=lambda wildcards: bool(
            (splits := study.tasks[wildcards.task].splits) and splits.may_leak
        ),
        seed=told(lambda _: study.seed),
        decided_by=decided_by("design"),
    message:
        "Designing {wildcards.task} with {wildcards.confounder}"
    script:
        "../scripts/design.py"


rule split_audit:
    input:
        ours=[design(task, name) for task, name in DESIGNS],
        tests=[test_sets(task, name) for task, name in DESIGNS],
        published=expand(rules.published_splits.output, splits=study.audit),
        before=before_designs,
    output:
        table("split_audit"),
    log:
        log_of("split_audit"),
    benchmark:
        benchmark_of("split_audit")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        ours=[f"{task}/{name}" for task, name in DESIGNS],
        published=study.audit,
        p_art=[study.shares(task) for task, _ in DESIGNS],
        code=run_by("split_audit"),
    message:
        "Auditing the splits"
    script:
        "../scripts/split_audit.py"
