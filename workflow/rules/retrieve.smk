# Which images the tasks need, and getting them: download, the user's own copy, or phantoms.


rule index_local:
    output:
        f"{STUDY}/raw/available.csv",
    log:
        log_of("index_local"),
    benchmark:
        benchmark_of("index_local")
    conda:
        "../../envs/sourcebench.yaml"
    params:
        path=DATA.get("path"),
    message:
        "Looking for images in {params.path}"
    script:
        "../scripts/index_local.py"


rule published_splits:
    output:
        f"{STUDY}/design/published/{{splits}}.csv",
    log:
        f"{STUDY}/logs/published_splits/{{splits}}.log",
    benchmark:
        f"{STUDY}/benchmarks/published_splits/{{splits}}.tsv"
    conda:
        "../../envs/sourcebench.yaml"
    params:
        spec=lambda wildcards: config["splits"][wildcards.splits],
        folder=lambda wildcards: f"resources/splits/{wildcards.splits}",
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
    params:
        task=lambda wildcards: config["tasks"][wildcards.task],
        carrier=lambda wildcards: experiment.carrier(config, wildcards.task),
        seed=config["seed"],
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
    log:
        log_of("retrieve"),
    benchmark:
        benchmark_of("retrieve")
    retries: 2 if DATA["origin"] == "download" else 0
    conda:
        "../../envs/sourcebench.yaml"
    threads: 8
    params:
        spec=DATA,
        folder=(
            "resources/phantoms/nih_cxr14"
            if DATA["origin"] == "phantoms"
            else "resources/nih_cxr14"
        ),
    message:
        "Getting the images of {input.manifests} ({params.spec[origin]})"
    script:
        "../scripts/retrieve.py"
