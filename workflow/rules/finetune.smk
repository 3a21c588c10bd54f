# Weights once per source and architecture; then one job per run.


rule weights:
    output:
        weights="resources/weights/{source}/{arch}.safetensors",
        card="resources/weights/{source}/{arch}.json",
    log:
        "resources/weights/{source}/{arch}.log",
    benchmark:
        "resources/weights/{source}/{arch}.tsv"
    priority: 10  # a source that can't be had should be known early
    conda:
        "../../envs/sourcebench.yaml"
    threads: TRAINING.get("threads", 4)
    resources:
        gpu=lambda wildcards: experiment.cards_for_weights(config, wildcards.source),
    params:
        spec=of_source,
        seed=lambda wildcards: experiment.seed_for_weights(config, wildcards.source),
    message:
        "Getting the weights of {wildcards.source} for {wildcards.arch}"
    script:
        "../scripts/weights.py"


rule finetune:
    input:
        samples=rules.prepare.output.samples,
        images=base_images,
        artifacts=artifact_images,
        designs=lambda wildcards: [
            design(wildcards.task, name) for name in tested(wildcards)
        ],
        weights=source_weights,
    output:
        predictions=f"{RUN}/predictions.parquet",
        history=f"{RUN}/history.csv",
        record=f"{RUN}/run.json",
        checkpoint=[f"{RUN}/checkpoint.pt"] if TRAINING.get("keep_checkpoints") else [],
    log:
        f"{RUN}/log.txt",
    benchmark:
        f"{RUN}/benchmark.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    threads: TRAINING.get("threads", 4)
    resources:
        gpu=0 if TRAINING["accelerator"] == "cpu" else 1,
    params:
        run=RUNS.instance,
        name=lambda wildcards: " ".join(wildcards),
        training=TRAINING,
        task=of_task("batch_size", "monitor"),
        confounders=tested,
        transfer=transfer,
        structure=structure,
        seed=config["seed"],
    message:
        "Fine-tuning {wildcards.arch} from {wildcards.source} on {wildcards.task} with "
        "{wildcards.confounder}, p_art {wildcards.p_art}, fold {wildcards.fold}"
    script:
        "../scripts/finetune.py"
