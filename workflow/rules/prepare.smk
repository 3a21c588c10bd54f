# Every original is decoded once; no later stage opens one.


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
        task=of_task("dataset", "input_size", "resize"),
        dataset=lambda wildcards: dataset_of(wildcards.task),
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
        spec=lambda wildcards: config["datasets"][wildcards.dataset],
        folder=image_folder,
    message:
        "Writing scan {wildcards.scan} of {wildcards.dataset} with its readers' marks"
    script:
        "../scripts/nifti.py"


rule design:
    input:
        unpack(design_inputs),
    output:
        f"{STUDY}/design/{{task}}/{{confounder}}.csv",
    log:
        f"{STUDY}/logs/design/{{task}}/{{confounder}}.log",
    benchmark:
        f"{STUDY}/benchmarks/design/{{task}}/{{confounder}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    params:
        task=of_task("val_fraction"),
        splits=lambda wildcards: config.get("splits", {}).get(
            config["tasks"][wildcards.task].get("splits")
        ),
        carrier=lambda wildcards: experiment.carrier(config, wildcards.task),
        folds=config["experiment"]["folds"],
        seed=config["seed"],
        decided_by=decided_by("design"),
    message:
        "Designing {wildcards.task} with {wildcards.confounder}"
    script:
        "../scripts/design.py"


rule split_audit:
    input:
        ours=[design(task, name) for task, name in DESIGNS],
        published=expand(rules.published_splits.output, splits=AUDITED),
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
        published=AUDITED,
        p_art=[experiment.p_art_of(config, task) for task, _ in DESIGNS],
    message:
        "Auditing the splits"
    script:
        "../scripts/split_audit.py"
