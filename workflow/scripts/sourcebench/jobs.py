"""What every script of the workflow does around its work."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from sourcebench.errors import SourceBenchError


@contextmanager
def job(log: Any) -> Iterator[TextIO]:
    """Send what a job prints to its log file, and say its errors as a person would.

    A `SourceBenchError` is one sentence on the terminal and in the log, without a traceback;
    anything else is a defect and keeps its traceback in the log, with its last line on the
    terminal.

    Args:
        log: the rule's log, one file.

    Yields:
        The terminal, for progress that a person follows.
    """
    terminal = os.fdopen(os.dup(2), "w", buffering=1)
    path = Path(str(log))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout, sys.stderr = file, file
        status = 0
        try:
            yield terminal
        except SourceBenchError as error:
            status = _say(error, file, terminal)
        except KeyboardInterrupt:
            print("Interrupted.", file=file)
            status = 130
        except Exception as error:
            traceback.print_exc(file=file)
            text = f"{type(error).__name__}: {error} (a defect; the traceback is in {path})"
            status = _say(text, None, terminal)
    # Leaving at once saves the 1.6 s that Python takes to tear PyTorch down; all is written.
    terminal.flush()
    os._exit(status)


def _say(error: object, file: TextIO | None, terminal: TextIO) -> int:
    for stream in (file, terminal):
        if stream is not None:
            print(f"Error: {error}", file=stream)
    return 1
