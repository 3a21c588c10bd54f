"""The one exception that is meant for a person, and a hint that its sentences may give."""

import difflib
from collections.abc import Iterable


class SourceBenchError(Exception):
    """Something the user can mend: one sentence saying what is wrong, where, and what to do.

    The scripts print it without a traceback; anything else is a defect and keeps its traceback.
    """


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Return " (is it 'tasks'?)" for a word that is near to one of those known; "" for others."""
    near = difflib.get_close_matches(str(wrong), list(known), 1)
    return f" (is it {near[0]!r}?)" if near else ""
