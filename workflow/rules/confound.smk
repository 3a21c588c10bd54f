# Per task and confounder one array in which every image carries the artifact.


rule confound:
    input:
        unpack(confound_inputs),
    output:
        f"{STUDY}/data/{{task}}/{{confounder}}/{{layer}}.npy",
        record=f"{STUDY}/data/{{task}}/{{confounder}}/{{layer}}.json",
    log:
        f"{STUDY}/logs/confound/{{task}}/{{confounder}}_{{layer}}.log",
    benchmark:
        f"{STUDY}/benchmarks/confound/{{task}}/{{confounder}}_{{layer}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    threads: 4
    resources:
        gpu=lambda wildcards: experiment.cards_for_confounder(
            config, wildcards.confounder
        ),
        mem_mb=lambda wildcards, attempt: 2500 * attempt,
    params:
        confounder=of_confounder,
        task=of_task("input_size", "resize"),
        seed=config["seed"],
        decided_by=decided_by("confound"),
    message:
        "Drawing {wildcards.confounder} ({wildcards.layer}) into the images of {wildcards.task}"
    script:
        "../scripts/confound.py"
