# Weights once per source and architecture; then one job per run.


rule weights:
    output:
        weights="resources/weights/{source}/{arch}-{weights}.safetensors",
        card="resources/weights/{source}/{arch}-{weights}.json",
    log:
        "resources/weights/{source}/{arch}-{weights}.log",
    benchmark:
        "resources/weights/{source}/{arch}-{weights}.tsv"
    priority: 10  # a source that can't be had should be known early
    conda:
        "../../envs/sourcebench.yaml"
    threads: study.training.threads
    resources:
        gpu=lambda wildcards: study.sources[wildcards.source].cards,
        mem_mb=lambda wildcards, attempt: attempt
        * study.sources[wildcards.source].memory,
    params:
        # Nothing here is compared: what decides the weights is in their name.
        entry=told(lambda wildcards: study.sources[wildcards.source].entry),
        seed=told(lambda wildcards: study.sources[wildcards.source].seed(study.seed)),
    message:
        "Getting the weights of {wildcards.source} for {wildcards.arch}"
    script:
        "../scripts/weights.py"


rule finetune:
    input:
        unpack(finetune_inputs),
    output:
        **({"validation": f"{RUN}/validation.parquet"} if study.confidence else {}),
        predictions=f"{RUN}/predictions.parquet",
        history=f"{RUN}/history.csv",
        record=f"{RUN}/run.json",
    log:
        f"{RUN}/log.txt",
    benchmark:
        f"{RUN}/benchmark.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    threads: study.training.threads
    resources:
        gpu=study.training.cards,
        mem_mb=asked(run_memory),
    params:
        given=told(run_given),
        decided_by=decided_by("finetune"),
    message:
        "Fine-tuning {wildcards.arch} from {wildcards.source} on {wildcards.task} with "
        "{wildcards.confounder}, p_art {wildcards.p_art}, fold {wildcards.fold}"
    script:
        "../scripts/finetune.py"
