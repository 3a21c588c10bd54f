# SourceBench: does the dataset a network was pretrained on make it take shortcuts?
# Stages, in the order of the data; the logic is in workflow/scripts/sourcebench.

from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/retrieve.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/confound.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluate.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        # Asked for by themselves: a run that was deleted is made again.
        predictions=rules.runs.input.predictions,
        records=rules.runs.input.records,
        tables=expand(f"{STUDY}/tables/{{table}}.csv", table=TABLES),
        figures=expand(
            f"{STUDY}/figures/{{figure}}.{{format}}",
            figure=FIGURES,
            format=["png", "pdf"],
        ),
    message:
        "Everything of {STUDY} is there"
