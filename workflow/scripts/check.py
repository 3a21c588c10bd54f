"""Say what a study's data are, and whether its tasks can be drawn, before anything is trained."""

from sourcebench.design.trial import Trial, report
from sourcebench.errors import SourceBenchError
from sourcebench.jobs import job

with job(snakemake) as terminal:
    trials = [Trial(**each) for each in snakemake.params.trials]
    text, refused = report(trials, snakemake.threads, terminal, whole=snakemake.params.whole)
    print(text)
    if refused:
        raise SourceBenchError(
            f"a run would stop at {', '.join(refused)}: see PROBLEM above, mend that, and check "
            "again."
        )
