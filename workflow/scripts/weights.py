"""Get a source's weights for an architecture, or pretrain them."""

from sourcebench.jobs import job

with job(snakemake.log):
    from sourcebench.sources.weights import write_weights

    source = snakemake.wildcards.source
    write_weights(
        source,
        # The whole entry: params has what the weights depend on, the card and errors tell more.
        snakemake.config["sources"][source],
        snakemake.wildcards.arch,
        snakemake.output.weights,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
