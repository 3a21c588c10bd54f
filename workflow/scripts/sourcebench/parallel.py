"""The same work on many things, in several processes."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import cv2
from joblib import Parallel, delayed

Job = TypeVar("Job")
Done = TypeVar("Done")


def each(work: Callable[[Job], Done], jobs: Sequence[Job], processes: int) -> Iterator[Done]:
    """Call `work` with every job, in parallel where there are several processes and jobs.

    The processes start afresh. Forks of a job with threads, or with a handler for SIGTERM as
    Lightning's, wait now and then for ever.

    Args:
        work: what is done with one job; a function that can be pickled.
        jobs: its arguments.
        processes: how many to use, each on one core.

    Yields:
        What `work` returned, as it comes, in no order. Nothing is done before it is asked for.
    """
    if processes <= 1 or len(jobs) < 2:
        yield from map(work, jobs)
        return
    pool = Parallel(n_jobs=processes, backend="loky", return_as="generator_unordered")
    yield from pool(delayed(_on_one_core)(work, job) for job in jobs)


def _on_one_core(work: Callable[[Job], Done], job: Job) -> Done:
    cv2.setNumThreads(1)
    return work(job)
