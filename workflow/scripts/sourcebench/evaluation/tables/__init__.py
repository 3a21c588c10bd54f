"""Tables of a study: a caption each, which declares it (see `exhibits`).

A table that needs the predictions is a function `(evidence) → table` of all that networks say of
one task under one confounder (`evaluation.evidence.Evidence`); in the study's table those of all
tasks and confounders stand under each other. One that needs the runs is a function `(runs) → table`
of the table of all runs; one that needs the confidence is a function `(confidence, groups) → table`
of the table of confidence scores and of which tasks are counted together. The key `code` of the
declaration names it, or it lies beside. Every other is written by a rule of its own.
"""

from sourcebench.exhibits import exhibits

NEEDS = ("runs", "confidence", "summary", "predictions", "designs", "images", "weights")

TABLES = exhibits("table", "evaluation/tables/*.rst", needs=NEEDS)
