# What commands find; the workflow is in workflow/.


include: "workflow/Snakefile"


# Snakemake takes no default target from a file that is included.
workflow.default_target = rules.all.rule.name
