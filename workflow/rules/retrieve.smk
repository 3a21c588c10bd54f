# Which images the tasks need, and getting them: download, the user's own copy, or phantoms.


# On demand only, by `snakemake check`, and whenever it is asked for: it makes no file, and a
# benchmark would be one.
rule check:
    log:
        log_of("check"),
    conda:
        "../../envs/sourcebench.yaml"
    threads: 8
    params:
        trials=study.trials,
        whole=False,
    message:
        f"Looking at the data of {STUDY}"
    script:
        "../scripts/check.py"


# Likewise, and reads every image that the tasks use, not just a few.
use rule check as check_all with:
    log:
        log_of("check_all"),
    params:
        trials=study.trials,
        whole=True,
    message:
        f"Reading all images of {STUDY}"


rule index_local:
    output:
        available=f"{STUDY}/raw/{{dataset}}/available.csv",
        odd=f"{STUDY}/raw/{{dataset}}/available_odd.json",
    log:
        f"{STUDY}/logs/index_local/{{dataset}}.log",
    benchmark:
        f"{STUDY}/benchmarks/index_local/{{dataset}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    threads: 8
    params:
        spec=told(lambda wildcards: study.datasets[wildcards.dataset].entry),
        folder=told(image_folder),
        decided_by=decided_by("index_local"),
    message:
        "Looking for images of {wildcards.dataset}"
    script:
        "../scripts/index_local.py"


rule published_splits:
    output:
        f"{STUDY}/splits/{{splits}}.csv",
    log:
        f"{STUDY}/logs/published_splits/{{splits}}.log",
    benchmark:
        f"{STUDY}/benchmarks/published_splits/{{splits}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    params:
        spec=told(lambda wildcards: study.splits[wildcards.splits].entry),
        folder=told(lambda wildcards: f"resources/splits/{wildcards.splits}"),
        decided_by=decided_by("published_splits"),
    message:
        "Reading the published splits {wildcards.splits}"
    script:
        "../scripts/published_splits.py"


rule manifest:
    input:
        unpack(manifest_inputs),
    output:
        manifest=f"{STUDY}/data/{{task}}/manifest.csv",
        counts=f"{STUDY}/data/{{task}}/counts.json",
    log:
        f"{STUDY}/logs/manifest/{{task}}.log",
    benchmark:
        f"{STUDY}/benchmarks/manifest/{{task}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
    params:
        task=of_task(lambda task: task.sampling),
        dataset=of_task(lambda task: task.dataset.entry),
        carrier=of_task(lambda task: task.carrier),
        attribute=of_task(lambda task: task.attribute),
        subgroups=of_task(lambda task: task.subgroups),
        seed=told(lambda _: study.seed),
        decided_by=decided_by("manifest"),
    message:
        "Choosing the images of {wildcards.task}"
    script:
        "../scripts/manifest.py"


rule retrieve:
    input:
        unpack(retrieve_inputs),
    output:
        index=f"{STUDY}/raw/{{dataset}}/index.csv",
        odd=f"{STUDY}/raw/{{dataset}}/odd.json",
    log:
        f"{STUDY}/logs/retrieve/{{dataset}}.log",
    benchmark:
        f"{STUDY}/benchmarks/retrieve/{{dataset}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, threads, attempt: (500 + 250 * threads) * attempt,
    params:
        spec=told(lambda wildcards: study.datasets[wildcards.dataset].entry),
        folder=told(image_folder),
        decided_by=decided_by("retrieve"),
    message:
        "Getting the images of {wildcards.dataset}"
    script:
        "../scripts/retrieve.py"
