"""What confidence scores say of a study's networks, test set by test set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.asked import Network
from sourcebench.evaluation.confidence import SCORES, Score, Tested
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.failures import Answers
from sourcebench.evaluation.failures.threshold import threshold
from sourcebench.evaluation.replicates import cell
from sourcebench.evaluation.resampling import Floats


class Answered(NamedTuple):
    """What a score says of a network, or of all networks of a cell, on one test set.

    Attributes:
        row: of the runs: of several networks, the first.
        score: its name.
        members: how many networks.
        of_cell: whether it is of a cell's networks together, be it one.
        answers: N, in the order of the row's predictions.
        held: its confidences of validation images; None where no images were validated on by all
            of the networks.
    """

    row: int
    score: str
    members: int
    of_cell: bool
    answers: Answers
    held: Floats | None

    def threshold(self, coverage: float) -> float:
        """Return the one that keeps a share of the validation images; NaN without these."""
        return np.nan if self.held is None else threshold(self.held, coverage)


def answered(evidence: Evidence) -> Iterator[Answered]:
    """Yield what each score says of each network that it can be made of, row by row of the runs.

    A score of a cell's networks together stands with the first of them.

    Raises:
        SourceBenchError: a score can't be made: a column is missing, it is not finite, or a
            fit did not converge; or a score does not exist.
    """
    wanted = {name: SCORES.get(name) for name in evidence.asked.scores}
    if not wanted:
        return
    networks = _Networks(evidence)
    for row, network in enumerate(evidence.networks):
        for name, score in wanted.items():
            rows = networks.of_cell[row] if score.of_cell else [row]
            if not _fits(score, network) or rows[0] != row:
                continue
            try:
                yield _answered(networks, row, name, rows)
            except SourceBenchError as error:
                place = ", ".join(map(str, evidence.runs[axes(evidence.runs)].iloc[row]))
                raise SourceBenchError(f"The score '{name}' of {place}: {error}") from error


def _fits(score: Score, network: Network) -> bool:
    """Tell whether a score can be made of a network: it is of the score's method, or plain."""
    return network.plain if score.method is None else score.method == network.method


class _Networks:
    """What each network said of its test sets and its validation images.

    Args:
        evidence: with its networks.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._held: dict[int, Tested] = {}

    @cached_property
    def of_cell(self) -> list[Sequence[int]]:
        """The rows of the cell that each row of the runs is in."""
        runs = self.evidence.runs
        place = runs.groupby(cell(runs), sort=False, dropna=False).ngroup().to_numpy()
        rows = [np.flatnonzero(place == each).tolist() for each in range(place.max() + 1)]
        return [rows[each] for each in place]

    def tested(self, row: int) -> Tested:
        """Return what the network of a row said of the row's test set."""
        return Tested(self.evidence.predictions[row], self.held(row))

    def held(self, row: int) -> Tested:
        """Return what the network of a row said of its validation images; the same for its rows."""
        network = self.evidence.networks[row]
        return self._held.setdefault(id(network), Tested(network.validation))

    def together(self, rows: Sequence[int]) -> tuple[Tested, Tested | None]:
        """Return what several networks said, of the test set and of the validation images.

        The latter is None where they have not all validated on the same: a network was trained on
        some of what another validated on.
        """
        tested, held = [self.tested(row) for row in rows], [self.held(row) for row in rows]
        names = [each.rows["image_id"].to_numpy() for each in held]
        same = all(np.array_equal(names[0], each) for each in names[1:])
        return (
            Tested(tested[0].rows, members=tuple(tested)),
            Tested(held[0].rows, members=tuple(held)) if same else None,
        )


def _answered(networks: _Networks, row: int, name: str, rows: Sequence[int]) -> Answered:
    score, held = SCORES.get(name), networks.held(row)
    tested: Tested = networks.tested(row)
    asked: Tested | None = Tested(held.rows, held)
    if score.of_cell:
        tested, asked = networks.together(rows)
    found = score.of(tested)
    answers = Answers(found.confidences, found.called != tested.labels, score.probability)
    confidences = score.of(asked).confidences if asked else None
    return Answered(row, name, len(rows), score.of_cell, answers, confidences)
