"""Say what a study's data are, and whether its tasks can be drawn, before anything is trained."""

from sourcebench.design.trial import Trial, report
from sourcebench.errors import SourceBenchError
from sourcebench.jobs import job

with job(snakemake) as terminal:
    trials = [Trial(**each) for each in snakemake.params.trials]
    text, refused = report(trials, snakemake.threads, terminal)
    for place in (None, terminal):
        print(text, file=place)
    if refused:
        raise SourceBenchError(
            f"{', '.join(refused)} can't be drawn: see PROBLEM above, mend that, and check again."
        )
