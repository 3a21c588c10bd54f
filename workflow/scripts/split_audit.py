"""Tell sizes, balance and leaks of our splits and of published ones."""

import pandas as pd

from sourcebench import design, files
from sourcebench.datasets import splits
from sourcebench.jobs import job

with job(snakemake.log):
    tables = {
        name: design.long_form(design.read(path), p_art)
        for name, path, p_art in zip(
            snakemake.params.ours, snakemake.input.ours, snakemake.params.p_art, strict=True
        )
    }
    tables |= {
        name: files.read_table(path)
        for name, path in zip(snakemake.params.published, snakemake.input.published, strict=True)
    }
    audits = [splits.audit(table).assign(splits=name) for name, table in tables.items()]
    audit = pd.concat(audits, ignore_index=True)
    files.write_csv(snakemake.output[0], audit[["splits", *audit.columns.drop("splits")]])
