"""Fair shares in whole numbers."""

import numpy as np


def interleave(sizes: list[int]) -> list[int]:
    """Order the members of cells so that every beginning holds each cell's share of it.

    Tijdeman's solution of the chairman assignment problem (Discrete Mathematics 32, 1980): after
    any number of steps no cell is further from its share than 1 − 1/(2m − 2), with m cells. Of
    the cells that are due, the next is the one that would be overdue first.

    Args:
        sizes: members of each cell, at least 1.

    Returns:
        The cell of each member, in order.
    """
    total, wanted = sum(sizes), np.array(sizes) / sum(sizes)
    slack = 1 / (2 * len(sizes) - 2) if len(sizes) > 1 else 0.0
    taken = np.zeros(len(sizes))
    order = []
    for step in range(1, total + 1):
        overdue = np.ceil((taken + 1 - slack) / wanted - 1e-9)
        overdue[wanted * step - taken < slack - 1e-9] = np.inf
        order.append(int(np.argmin(overdue)))
        taken[order[-1]] += 1
    return order
