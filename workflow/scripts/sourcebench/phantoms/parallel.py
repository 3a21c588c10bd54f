"""Drawing in several processes."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import cv2

Job = TypeVar("Job")


def each(draw: Callable[[Job], None], jobs: Sequence[Job], processes: int) -> None:
    """Call `draw` with every job, in parallel where there are several processes and jobs.

    Args:
        draw: draws and writes one image; a function that can be pickled.
        jobs: its arguments.
        processes: how many to use.
    """
    if processes <= 1 or len(jobs) < 2:
        for job in jobs:
            draw(job)
        return
    with _single_threaded(), multiprocessing.Pool(processes, cv2.setNumThreads, (1,)) as pool:
        for _ in pool.imap_unordered(draw, jobs, chunksize=4):
            pass


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Stop OpenCV's threads while workers are forked.

    A fork copies the record of a thread pool but not its threads, so that a worker would wait for
    them for ever. Workers draw on one core each anyway.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
