# Which images the tasks need, and getting them: download, the user's own copy, or phantoms.


rule index_local:
    output:
        f"{STUDY}/raw/available.csv",
    params:
        path=DATA.get("path"),
    log:
        log_of("index_local"),
    benchmark:
        benchmark_of("index_local")
    conda:
        "../../envs/sourcebench.yaml"
    message:
        "Looking for images in {params.path}"
    script:
        "../scripts/index_local.py"


rule published_splits:
    output:
        f"{STUDY}/design/published/{{splits}}.csv",
    params:
        spec=lambda wildcards: config["splits"][wildcards.splits],
        folder=lambda wildcards: f"resources/splits/{wildcards.splits}",
    log:
        f"{STUDY}/logs/published_splits/{{splits}}.log",
    benchmark:
        f"{STUDY}/benchmarks/published_splits/{{splits}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    message:
        "Reading the published splits {wildcards.splits}"
    script:
        "../scripts/published_splits.py"


def manifest_inputs(wildcards):
    """The user's own images, and published splits, where a task depends on them."""
    inputs = {}
    if DATA["origin"] == "path":
        inputs["available"] = rules.index_local.output[0]
    if splits := config["tasks"][wildcards.task].get("splits"):
        inputs["splits"] = rules.published_splits.output[0].format(splits=splits)
    return inputs


rule manifest:
    input:
        unpack(manifest_inputs),
    output:
        manifest=f"{STUDY}/data/{{task}}/manifest.csv",
        counts=f"{STUDY}/data/{{task}}/counts.json",
    params:
        task=lambda wildcards: config["tasks"][wildcards.task],
        carrier=lambda wildcards: experiment.carrier(config, wildcards.task),
        seed=config["seed"],
    log:
        f"{STUDY}/logs/manifest/{{task}}.log",
    benchmark:
        f"{STUDY}/benchmarks/manifest/{{task}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    message:
        "Choosing the images of {wildcards.task}"
    script:
        "../scripts/manifest.py"


rule retrieve:
    input:
        manifests=expand(rules.manifest.output.manifest, task=TASKS),
        available=rules.index_local.output if DATA["origin"] == "path" else [],
    output:
        f"{STUDY}/raw/index.csv",
    params:
        spec=DATA,
        folder=(
            "resources/phantoms/nih_cxr14"
            if DATA["origin"] == "phantoms"
            else "resources/nih_cxr14"
        ),
    threads: 8
    retries: 2 if DATA["origin"] == "download" else 0
    log:
        log_of("retrieve"),
    benchmark:
        benchmark_of("retrieve")
    conda:
        "../../envs/sourcebench.yaml"
    message:
        "Getting the images of {input.manifests} ({params.spec[origin]})"
    script:
        "../scripts/retrieve.py"
