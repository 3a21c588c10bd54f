"""Tables of a study: a caption each, which declares it (see `exhibits`).

A table that needs the runs is a function `(runs) → table` of the table of all runs, named by the
key `code` of its declaration, or lying beside it. Every other is written by a rule of its own.
"""

from sourcebench.exhibits import exhibits

NEEDS = ("runs", "predictions", "designs", "images", "weights")

TABLES = exhibits("table", "evaluation/tables/*.rst", needs=NEEDS)
