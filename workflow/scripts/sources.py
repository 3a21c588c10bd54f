"""Describe the weights that were used."""

import json

import pandas as pd

from sourcebench import files
from sourcebench.jobs import job

COLUMNS = ["source", "arch", "kind", "origin", "parameters", "mean", "std"]

with job(snakemake.log):
    cards = [files.read_json(path) for path in snakemake.input]
    table = pd.DataFrame(cards, columns=[*COLUMNS, "sha256", "licence", "citation"])
    table["origin"] = table["origin"].map(json.dumps)
    files.write_csv(snakemake.output[0], table)
