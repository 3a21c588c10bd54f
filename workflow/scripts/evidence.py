"""Collect what all networks say of a task under a confounder, and make the tables of it."""

from pathlib import Path

from sourcebench import files
from sourcebench.attributes.groups import groups
from sourcebench.evaluation.asked import Asked
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.tables import TABLES
from sourcebench.jobs import job

with job(snakemake):
    folders = [Path(path).parent for path in snakemake.input.records]
    confounder, further = snakemake.wildcards.confounder, snakemake.params.further
    found, wanted = None, snakemake.params.subgroups
    if wanted:
        samples = files.read_table(snakemake.input.samples, text=wanted)
        found = groups(samples, wanted, f"tasks.{snakemake.wildcards.task}.subgroups")
    scoring = snakemake.params.confidence
    asked = Asked.of(**scoring) if scoring else None
    evidence = Evidence.of(folders, confounder, further, groups=found, asked=asked)
    for name, path in snakemake.output.items():
        files.write_csv(path, TABLES.get(name)(evidence))
