"""Tell sizes, balance and leaks of our splits and of published ones."""

import pandas as pd

from sourcebench import design, files
from sourcebench.design.audit import audit
from sourcebench.jobs import job

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    ours = zip(params.ours, given.ours, given.tests, params.p_art, strict=True)
    tables = {
        name: design.long_form(design.read(images, tests), p_art)
        for name, images, tests, p_art in ours
    }
    tables |= {
        name: files.read_table(path)
        for name, path in zip(params.published, given.published, strict=True)
    }
    audits = [audit(table).assign(splits=name) for name, table in tables.items()]
    table = pd.concat(audits, ignore_index=True)
    files.write_csv(snakemake.output[0], table[["splits", *table.columns.drop("splits")]])
