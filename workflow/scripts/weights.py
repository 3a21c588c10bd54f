"""Get a source's weights for an architecture, or pretrain them."""

from sourcebench.jobs import job

with job(snakemake.log):
    from sourcebench.training.weights import write_weights

    write_weights(
        snakemake.wildcards.source,
        snakemake.params.spec,
        snakemake.wildcards.arch,
        snakemake.output.weights,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
