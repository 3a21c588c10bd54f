"""What confidence scores say of a study's networks, test set by test set."""

from __future__ import annotations

from collections.abc import Iterator
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


def answered(evidence: Evidence, *, held: bool = True) -> Iterator[Answered]:
    """Yield what each score says of each network that it can be made of, row by row of the runs.

    A score of a cell's networks together stands with the first of them.

    Args:
        evidence: with its networks.
        held: whether confidences of validation images are wanted.

    Raises:
        SourceBenchError: a score can't be made: a column is missing, it is not finite, or a
            fit did not converge; or a score does not exist.
    """
    wanted = {name: SCORES.get(name) for name in evidence.asked.scores}
    networks = _Networks(evidence)
    for row, network in enumerate(evidence.networks if wanted else ()):
        for name, score in wanted.items():
            rows = networks.of_cell[row] if score.of_cell else (row,)
            if not _fits(score, network) or rows[0] != row:
                continue
            try:
                found = score.of(networks.said(rows))
                wrong = found.called != networks.tested(row).labels
                answers = Answers(found.confidences, wrong, score.probability)
                validated = networks.held(rows, name) if held else None
            except SourceBenchError as error:
                place = ", ".join(map(str, evidence.runs[axes(evidence.runs)].iloc[row]))
                raise SourceBenchError(f"The score '{name}' of {place}: {error}") from error
            yield Answered(row, name, len(rows), score.of_cell, answers, validated)


def _fits(score: Score, network: Network) -> bool:
    """Tell whether a score can be made of a network: it is of the score's method, or plain."""
    return network.plain if score.method is None else score.method == network.method


class _Networks:
    """What each network said of its test sets and its validation images.

    Rows of a network follow each other in the runs, so that what is made of one is kept until the
    next: of many classes, the logits of all would take much memory.

    Args:
        evidence: with its networks.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._tested: tuple[int, Tested] | None = None
        self._validated: tuple[Network, Tested] | None = None
        self._held: dict[tuple[str, tuple[int, ...]], Floats | None] = {}

    @cached_property
    def of_cell(self) -> list[tuple[int, ...]]:
        """The rows of the cell that each row of the runs is in."""
        runs = self._evidence.runs
        place = runs.groupby(cell(runs), sort=False, dropna=False).ngroup().to_numpy()
        rows = [tuple(np.flatnonzero(place == each).tolist()) for each in range(place.max() + 1)]
        return [rows[each] for each in place]

    def tested(self, row: int) -> Tested:
        """Return what the network of a row said of the row's test set."""
        if self._tested is None or self._tested[0] != row:
            validated = self.validated(self._evidence.networks[row])
            self._tested = row, Tested(self._evidence.predictions[row], validated.validation)
        return self._tested[1]

    def validated(self, network: Network) -> Tested:
        """Return what a network said of the images that its fold validated on, to fit on, too."""
        if self._validated is None or self._validated[0] is not network:
            self._validated = network, Tested(network.validation, Tested(network.validation))
        return self._validated[1]

    def said(self, rows: tuple[int, ...]) -> Tested:
        """Return what the network of a row said, or what those of several did together."""
        if len(rows) == 1:
            return self.tested(rows[0])
        predictions = [self._evidence.predictions[row] for row in rows]
        return Tested(predictions[0], members=tuple(map(Tested, predictions)))

    def held(self, rows: tuple[int, ...], name: str) -> Floats | None:
        """Return a score of the validation images of the networks of some rows.

        None where they have not all validated on the same: a network was trained on some of what
        another validated on.
        """
        networks = [self._evidence.networks[row] for row in rows]
        key = name, tuple(map(id, networks))
        if key not in self._held:
            tables = [each.validation for each in networks]
            images = [each["image_id"].to_numpy() for each in tables]
            same = all(np.array_equal(images[0], each) for each in images[1:])
            said = self.validated(networks[0])
            if len(networks) > 1:
                said = Tested(tables[0], members=tuple(map(Tested, tables)))
            self._held[key] = SCORES.get(name).of(said).confidences if same else None
        return self._held[key]
