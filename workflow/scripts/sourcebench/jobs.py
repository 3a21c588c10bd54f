"""What every script of the workflow does around its work."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from sourcebench import plugins
from sourcebench.errors import SourceBenchError


@contextmanager
def job(snakemake: Any) -> Iterator[TextIO]:
    """Send what a job prints to its log file, and say its errors as a person would.

    The kinds of one's own are known in the block, see `plugins`.

    A `SourceBenchError` is one sentence on the terminal and in the log, without a traceback;
    anything else is a defect and keeps its traceback in the log, with its last line on the
    terminal.

    Args:
        snakemake: what Snakemake hands to a script; of it the rule's log, one file, and in the
            config the names of the plugins are read.

    Yields:
        The terminal, for progress that a person follows.
    """
    terminal = os.fdopen(os.dup(2), "w", buffering=1)
    path = Path(str(snakemake.log))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout, sys.stderr = file, file
        status = 0
        try:
            plugins.load(snakemake.config.get("plugins", ()))
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
