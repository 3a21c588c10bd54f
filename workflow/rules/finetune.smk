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
    threads: TRAINING.get("threads", 4)
    resources:
        gpu=lambda wildcards: experiment.cards_for_weights(config, wildcards.source),
        mem_mb=lambda wildcards, attempt: attempt
        * experiment.memory_for_weights(config, wildcards.source),
    params:
        seed=lambda wildcards: experiment.seed_for_weights(config, wildcards.source),
    message:
        "Getting the weights of {wildcards.source} for {wildcards.arch}"
    script:
        "../scripts/weights.py"


rule finetune:
    input:
        unpack(finetune_inputs),
    output:
        predictions=f"{RUN}/predictions.parquet",
        history=f"{RUN}/history.csv",
        record=f"{RUN}/run.json",
    log:
        f"{RUN}/log.txt",
    benchmark:
        f"{RUN}/benchmark.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    threads: TRAINING.get("threads", 4)
    resources:
        gpu=0 if TRAINING["accelerator"] == "cpu" else 1,
        mem_mb=lambda wildcards, attempt: attempt
        * experiment.memory_for_run(config, wildcards.task),
    params:
        run=lambda wildcards: dict(wildcards.items()),
        name=lambda wildcards: " ".join(wildcards),
        training={key: TRAINING[key] for key in TRAINING if key not in WHERE},
        task=of_task("batch_size", "monitor"),
        confounders=tested,
        transfer=lambda wildcards: experiment.transfer(
            config, wildcards.get("transfer")
        ),
        normalisation=lambda wildcards: experiment.normalisation(
            config, wildcards.source
        ),
        structure=lambda wildcards: experiment.structure(
            config, wildcards.source, wildcards.arch
        ),
        seed=config["seed"],
        decided_by=decided_by("finetune"),
        trained_by=lambda wildcards: DECIDED_BY.network(*network_axes(wildcards)),
    message:
        "Fine-tuning {wildcards.arch} from {wildcards.source} on {wildcards.task} with "
        "{wildcards.confounder}, p_art {wildcards.p_art}, fold {wildcards.fold}"
    script:
        "../scripts/finetune.py"
