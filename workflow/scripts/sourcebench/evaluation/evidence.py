"""All that the networks of a study say of one task's images under one confounder.

Everything in the tables about networks is made from this: their scores on every test set, and what
the scores are on draws of the test set's patients. The draws are the same for all networks, so that
sources, shares and test sets are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.design import CONFOUNDED
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import (
    AXIS_DTYPES,
    EFFORT_DTYPES,
    columns,
    damaged,
    measured,
    read_predictions,
    read_record,
)
from sourcebench.evaluation.asked import Asked, Network
from sourcebench.evaluation.cells import Cells, cells
from sourcebench.evaluation.metrics import METRICS, RESAMPLED, columns_of_logits, score
from sourcebench.evaluation.replicates import cell
from sourcebench.evaluation.resampling import DRAWS, FEW, Patients, Resample, Weights

HEADLINE = "auroc"
"""The metric of which all draws are scored."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The networks that were tested on one task under one confounder.

    Attributes:
        task: its name.
        confounder: its name, or 'none'.
        runs: the rows of runs.csv: one per network and test set.
        predictions: for each of them a table: a row per image, with `image_id, patient_id, label,
            artifact, probe` and the logits.
        draws: of the patients, how many.
        groups: those that images fall into, see `attributes.groups`; None without any.
        asked: what the study asks of confidence scores.
        networks: of which network each row of `runs` is; () in a study that asks for no score.
    """

    task: str
    confounder: str
    runs: pd.DataFrame
    predictions: Sequence[pd.DataFrame]
    draws: int = DRAWS
    groups: pd.DataFrame | None = None
    asked: Asked = field(default_factory=Asked)
    networks: Sequence[Network] = ()

    @classmethod
    def of(
        cls,
        folders: Sequence[Path],
        confounder: str,
        further: Sequence[str] = (),
        draws: int = DRAWS,
        groups: pd.DataFrame | None = None,
        asked: Asked | None = None,
    ) -> Evidence:
        """Read the runs of a task that were tested under a confounder, and score them.

        Args:
            folders: with each run's `predictions.parquet` and `run.json`, and with its
                `validation.parquet` where scores are asked for.
            confounder: of the predictions that are read.
            further: names of the axes that the study has beyond those of every study.
            draws: how many.
            groups: of the task's images, see `attributes.groups`.
            asked: what the study asks of confidence scores; nothing, if it is left out.

        Raises:
            SourceBenchError: a file is missing or damaged (named), a run was not tested under the
                confounder, two folders hold the same run, networks of one share were tested on
                different images, or there is no run at all.
        """
        if not folders:
            raise SourceBenchError("There are no runs to collect: the experiment's table is empty.")
        order, asked = columns(further), asked or Asked()
        rows, tested, networks = [], [], []
        for folder in map(Path, folders):
            network = Network.of(folder) if asked.scores else None
            for row, predictions in _tests(folder, confounder, order, measured=bool(network)):
                rows.append({**row, "folder": folder})
                tested.append(predictions)
                networks += [network] if network else []
        runs = _typed(pd.DataFrame(rows), order)
        if (twice := runs.duplicated(order, keep=False)).any():
            both = " and ".join(map(str, runs.loc[twice, "folder"].unique()[:2]))
            raise SourceBenchError(f"The same run is in {both}; delete one of the two.")
        runs = runs.sort_values(order)
        tested = [tested[i] for i in runs.index]
        networks = [networks[i] for i in runs.index] if networks else []
        runs = runs.reset_index(drop=True)
        _check_paired(runs, tested)
        task, runs = str(runs["task"].iloc[0]), runs.drop(columns="folder")
        return cls(task, confounder, runs, tested, draws, groups, asked, networks)

    @cached_property
    def patients(self) -> Patients:
        """The patients of all its test sets, drawn."""
        ids = np.concatenate([each["patient_id"].unique() for each in self.predictions])
        return Patients(ids, self.draws, self.task)

    @cached_property
    def rarest(self) -> int:
        """How many patients have an image of the class that the fewest have one of.

        In the test set where they are fewest; at most half of its patients, since who has images of
        both classes is no two patients. Of more classes it is how many patients of one class say
        as much of a mean over all of them, see `_rarest`.
        """
        first = self.runs.drop_duplicates(["test_set", "p_art"]).index
        return max(2, min(_rarest(self.predictions[row]) for row in first))

    @cached_property
    def classes(self) -> int:
        """How many classes there are."""
        return len(columns_of_logits(self.predictions[0].columns))

    @cached_property
    def confounded(self) -> int:
        """The class that the artifact goes with in training: on the o.o.d. test set it lacks it."""
        rows = np.flatnonzero(self.runs["test_set"] == "ood")
        if not len(rows):
            return CONFOUNDED
        first = self.predictions[int(rows[0])]
        without = first.loc[~first["artifact"].astype(bool), "label"].unique()
        return int(without[0]) if len(without) == 1 else CONFOUNDED

    @cached_property
    def drawn(self) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
        """Every metric of every row of `runs` on the draws: metric → R×B, float32."""
        names = [name for name in RESAMPLED.names() if name in self.runs]
        sizes = {name: self.draws if name == HEADLINE else self.few for name in names}
        found = {name: np.empty((len(self.runs), size), np.float32) for name, size in sizes.items()}
        for row, predictions in enumerate(self.predictions):
            labels = predictions["label"].to_numpy(np.int64)
            logits = predictions[columns_of_logits(predictions.columns)].to_numpy(np.float64)
            every, few = (Resample(labels, logits, each) for each in self.weights(row))
            for name in names:
                found[name][row] = RESAMPLED.get(name)(every if name == HEADLINE else few)
        return found

    @property
    def few(self) -> int:
        """How many draws there are of what needs no more than `FEW`."""
        return min(FEW, self.draws)

    def weights(self, row: int) -> tuple[Weights, Weights]:
        """Return how many times each image of a row of `runs` is in each draw, and in few of them.

        N×B and N×`few`; the same arrays wherever the images are the same.
        """
        place = str(self.runs["test_set"].iat[row]), float(self.runs["p_art"].to_numpy()[row])
        if place not in self._weights:
            ids = self.predictions[row]["patient_id"].to_numpy(str)
            known = self._weights.values()
            found = next((drawn for there, drawn in known if np.array_equal(there, ids)), None)
            if found is None:
                every = self.patients.weights(ids)
                found = every, np.ascontiguousarray(every[:, : self.few])
            self._weights[place] = ids, found
        return self._weights[place][1]

    @cached_property
    def _weights(self) -> dict[tuple[str, float], tuple[Any, tuple[Weights, Weights]]]:
        return {}

    def cells(self, metric: str = HEADLINE) -> Cells:
        """Return a metric of all cells of the experiment, and of their draws."""
        if metric not in self._cells:
            values = self.runs[metric].to_numpy(np.float64)
            # A metric that is not scored on draws has folds alone to tell its error by.
            draws = self.drawn.get(metric, np.full((len(self.runs), 1), np.nan, np.float32))
            self._cells[metric] = cells(self.runs, cell(self.runs), values, draws)
        return self._cells[metric]

    @cached_property
    def _cells(self) -> dict[str, Cells]:
        return {}

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that its runs have."""
        return [name for name in METRICS.names() if name in self.runs]


def _rarest(predictions: pd.DataFrame) -> int:
    """Return how many patients the rarest of two classes has; of more, how many count as one.

    The variance of a mean over K classes is that of each over its patients n, summed and over K².
    By Satterthwaite (1946) it has (Σ 1/n)² / Σ (1/n² / (n − 1)) degrees of freedom where classes
    vary alike, and so many patients less one: K·(n − 1) where all have n.
    """
    patients = predictions.groupby("label")["patient_id"].nunique().to_numpy()
    most = predictions["patient_id"].nunique() // 2
    if len(patients) <= 2:
        return min(int(patients.min()), most)
    shares = 1 / patients
    freedom = shares.sum() ** 2 / (shares**2 / np.maximum(patients - 1, 1)).sum()
    return min(1 + int(freedom), most)


def _tests(
    folder: Path, confounder: str, order: Sequence[str], *, measured: bool
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield the rows of one run, each with its predictions, by test sets."""
    place = [name for name in order if name not in ("confounder", "test_set")]
    record = read_record(folder / "run.json", [*place, *EFFORT_DTYPES])
    path = folder / "predictions.parquet"
    predictions = read_predictions(path, confounder, measured=measured)
    for test_set, group in predictions.groupby("test_set", observed=True):
        try:
            scores = score(group)
        except SourceBenchError as error:
            raise SourceBenchError(f"{path}, {confounder}, {test_set}: {error}") from error
        where = {"confounder": confounder, "test_set": test_set, "n": len(group)}
        yield {**record, **where, **scores}, group.drop(columns="test_set")


def _typed(found: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    dtypes = {"n": "int64", **{name: AXIS_DTYPES[name] for name in order}, **EFFORT_DTYPES}
    results = [name for name in measured() if name in found]
    runs = found[[*order, *results, "folder"]].astype(dtypes)
    return runs.astype({name: "float64" for name in METRICS.names() if name in found})


def _check_paired(runs: pd.DataFrame, predictions: Sequence[pd.DataFrame]) -> None:
    """Raise a `SourceBenchError` where networks of one share saw different images in a test set."""
    for _, same in runs.groupby(["test_set", "p_art"]):
        rows, test_set, share = list(same.index), *same[["test_set", "p_art"]].iloc[0]
        first = predictions[rows[0]]["image_id"].to_numpy()
        for row in rows[1:]:
            if not np.array_equal(first, predictions[row]["image_id"].to_numpy()):
                one, other = runs.loc[rows[0], "folder"], runs.loc[row, "folder"]
                raise damaged(
                    other,
                    f"its test set {test_set} at p_art {share:g} has other images than {one}'s",
                )
