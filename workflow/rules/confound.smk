# Per task and confounder one array in which every image carries the artifact; per shift, one of the
# test images.


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
        gpu=lambda wildcards: study.uses[wildcards.confounder].cards(
            study.training.accelerator
        ),
        mem_mb=lambda wildcards, attempt: 2500 * attempt,
    params:
        artifact=told(lambda wildcards: study.uses[wildcards.confounder].entry),
        tests_alone=told(
            lambda wildcards: wildcards.confounder
            in study.tasks[wildcards.task].shifts
        ),
        input_size=of_task(lambda task: task.input_size),
        resize=of_task(lambda task: task.resize),
        seed=told(lambda _: study.seed),
        decided_by=decided_by("confound"),
    message:
        "Drawing {wildcards.confounder} ({wildcards.layer}) into the images of {wildcards.task}"
    script:
        "../scripts/confound.py"
