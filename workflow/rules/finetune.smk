# Weights once per source and architecture; then one job per run.


rule weights:
    output:
        weights="resources/weights/{source}/{arch}.safetensors",
        card="resources/weights/{source}/{arch}.json",
    params:
        spec=lambda wildcards: config["sources"][wildcards.source],
        seed=config["seed"],
    priority: 10  # a source that can't be had should be known early
    log:
        "resources/weights/{source}/{arch}.log",
    benchmark:
        "resources/weights/{source}/{arch}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    message:
        "Getting the weights of {wildcards.source} for {wildcards.arch}"
    script:
        "../scripts/weights.py"


def tested(wildcards):
    """The confounders that a run is tested on."""
    return experiment.tested_confounders(config, wildcards.task, wildcards.confounder)


def base_images(wildcards):
    """The images without the artifact."""
    if experiment.has_base(config, wildcards.confounder):
        return layer(wildcards.task, wildcards.confounder, "base")
    return rules.prepare.output.images


def artifact_images(wildcards):
    """The images with the artifact of each confounder that is drawn into them."""
    return [
        layer(wildcards.task, name, "artifact")
        for name in tested(wildcards)
        if experiment.is_pixel(config, name)
    ]


def source_weights(wildcards):
    """The source's weights; none for random ones, which a run draws from its seed."""
    if not experiment.has_weights(config, wildcards.source):
        return []
    return [rules.weights.output.weights]


rule finetune:
    input:
        samples=rules.prepare.output.samples,
        images=base_images,
        artifacts=artifact_images,
        designs=lambda wildcards: [design(wildcards.task, name) for name in tested(wildcards)],
        weights=source_weights,
    output:
        predictions=f"{RUN}/predictions.parquet",
        history=f"{RUN}/history.csv",
        record=f"{RUN}/run.json",
        checkpoint=[f"{RUN}/checkpoint.pt"] if TRAINING.get("keep_checkpoints") else [],
    params:
        run=RUNS.instance,
        training=TRAINING,
        task=lambda wildcards: config["tasks"][wildcards.task],
        confounders=tested,
        seed=config["seed"],
    threads: TRAINING.get("threads", 4)
    resources:
        gpu=0 if TRAINING["accelerator"] == "cpu" else 1,
    log:
        f"{RUN}/log.txt",
    benchmark:
        f"{RUN}/benchmark.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    message:
        "Fine-tuning {wildcards.arch} from {wildcards.source} on {wildcards.task} with "
        "{wildcards.confounder}, p_art {wildcards.p_art}, fold {wildcards.fold}"
    script:
        "../scripts/finetune.py"
