"""Tables of a study: a caption each, which declares it (see `exhibits`).

A table that needs the predictions is a function `(evidence) → table` of all that networks say of one task
under one confounder (`evaluation.evidence.Evidence`); those of all tasks and confounders stand under each other in the
study's table. One that needs the runs is a function `(runs) → table` of the table of all runs. Both are named by the
key `code` of its declaration, or lying beside it. Every other is written by a rule of its own.
"""

from sourcebench.exhibits import exhibits

NEEDS = ("runs", "predictions", "designs", "images", "weights")

TABLES = exhibits("table", "evaluation/tables/*.rst", needs=NEEDS)
