"""Say what the study found: summary.json, and its answers on the terminal."""

from pathlib import Path

from sourcebench import files
from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.headline import headline
from sourcebench.jobs import job

with job(snakemake) as terminal:
    tables = Tables({Path(path).stem: path for path in snakemake.input})
    found = headline(snakemake.params.study, tables, snakemake.params.titles)
    files.write_json(snakemake.output[0], found)
    for answer in found["answers"]:
        print(f"  {answer['arch']}: {answer['sentence']}", file=terminal)
