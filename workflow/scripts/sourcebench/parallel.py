"""The same work on many things, in several processes."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import cv2
from joblib.externals.loky import ProcessPoolExecutor

Job = TypeVar("Job")
Done = TypeVar("Done")


def each(work: Callable[[Job], Done], jobs: Sequence[Job], processes: int) -> Iterator[Done]:
    """Call `work` with every job, in parallel where there are several processes and jobs.

    The processes start afresh, without the caller's `__main__`, which is a script of Snakemake's.
    Forks of a job with threads, or with a handler for SIGTERM as Lightning's, wait now and then for
    ever.

    Args:
        work: what is done with one job; a function that can be pickled.
        jobs: its arguments.
        processes: how many to use, each on one core.

    Yields:
        What `work` returned, in the order of the jobs. Nothing is done before it is asked for.
    """
    if processes <= 1 or len(jobs) < 2:
        yield from map(work, jobs)
        return
    portion = max(1, len(jobs) // (16 * processes))
    with ProcessPoolExecutor(processes, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.map(work, jobs, chunksize=portion)
