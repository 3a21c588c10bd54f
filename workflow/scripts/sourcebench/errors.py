"""The one exception that is meant for a person."""


class SourceBenchError(Exception):
    """Something the user can mend: one sentence saying what is wrong, where, and what to do.

    The scripts print it without a traceback; anything else is a defect and keeps its traceback.
    """
