"""Get a source's weights for an architecture, or pretrain them."""

from sourcebench.jobs import job

with job(snakemake):
    from sourcebench.sources.weights import write_weights

    source = snakemake.wildcards.source
    write_weights(
        source,
        snakemake.params.entry,
        snakemake.wildcards.arch,
        snakemake.output.weights,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
