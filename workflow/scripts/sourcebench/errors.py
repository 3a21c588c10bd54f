"""The one exception that is meant for a person, and what its sentences are made of."""

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


def number(count: int, noun: str) -> str:
    """Return a number of things: '1 image', '1,200 images'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def is_or_are(count: int) -> str:
    """Return the verb that goes with a number of things."""
    return "is" if count == 1 else "are"
