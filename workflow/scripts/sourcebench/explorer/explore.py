"""Explore a run: where its test images lie in the latent space, its concepts and its failures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench import files
from sourcebench.design import Design
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import damaged
from sourcebench.evaluation.confidence import SCORES
from sourcebench.explorer import thumbnails
from sourcebench.explorer.answers import PLAIN, answers, possible, with_scores
from sourcebench.explorer.concepts import PLACE, concepts
from sourcebench.explorer.embedding import POINT, POINTS, chosen, embed
from sourcebench.explorer.failures import most_confident
from sourcebench.explorer.severities import strips
from sourcebench.training.data import Layers

ABOUT = [
    "image_id", "layer", "confounder", "test_set", "set", "shift", "family", "severity", "label",
    "artifact", "called",
]  # fmt: skip


def features_of(path: Path) -> tuple[pd.DataFrame, npt.NDArray[np.float16]]:
    """Return the features that an explored run kept: M different `image_id, layer`, and M×F.

    Raises:
        SourceBenchError: the file is not there, or damaged.
    """
    if not path.is_file():
        raise SourceBenchError(
            f"{path} is missing: the run was made before it was to be explored, or the file was "
            f"deleted; delete {path.with_name('predictions.parquet')} and run the workflow again, "
            "which trains the network again."
        )
    try:
        with np.load(path) as kept:
            points = pd.DataFrame({name: kept[name].astype(str) for name in POINT})
            return points, kept["features"]
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path, str(error)) from error


def explore(
    folder: Path,
    run: Path,
    designs: Mapping[str, Design],
    layers: Layers,
    *,
    kinds: Mapping[str, str],
    scores: Sequence[str],
    coverage: float,
    seed: int,
    about: Mapping[str, Any],
    most: int = POINTS,
) -> dict[str, Any]:
    """Write what is found of a run into a folder.

    - `embedding.csv`, a row for each test set and image: `image_id, layer, confounder, test_set`,
      `set` (what to call the test set, with its confounder where several have one of the name),
      `shift, family, severity, label, artifact, called`, `x, y, z` (empty where an image was not
      embedded, see `embedding.chosen`), `sampled` (whether it was drawn by chance; others are
      embedded because they are among the failures), `thumbnail` ('' where there is none), and for
      each score `<score>, <score>_called, <score>_kept, <score>_outcome`.
    - `concepts.csv`, see `concepts.concepts`, of images drawn by chance; `failures.csv`, see
      `failures.most_confident`; `severities.csv`, see `severities.strips`; each with `thumbnail`.
    - `explored.json`: what is in `about`, the scores with their thresholds, and how many of the
      points were embedded.
    - `thumbnails/`: PNGs of the images in these tables.

    Args:
        folder: to be written.
        run: the run's folder, with `predictions.parquet`, `validation.parquet`, `run.json` and
            `features.npz`.
        designs: of every confounder that it was tested on.
        layers: the task's arrays.
        kinds: test set → kind of shift.
        scores: those of the study.
        coverage: share of the validation images that a score's threshold keeps.
        seed: the study's.
        about: of the record: the axes of the `run`, names of the `classes` ([] where they have
            none), and `titles` of test sets, as far as they have some.
        most: points that are embedded.

    Returns:
        The record.

    Raises:
        SourceBenchError: a file is missing or damaged, the features are not those of the
            predictions, or no score is made of the run's network.
    """
    points, features = features_of(run / "features.npz")
    record = files.read_json(run / "run.json")
    asked = possible(scores, record.get("method_entry", {}).get("kind", PLAIN))
    if not asked:
        raise SourceBenchError(
            f"{run} is to be explored, but no score in experiment.confidence is made of its "
            "network; add one that its method makes possible."
        )
    rows = answers(
        pd.read_parquet(run / "predictions.parquet"), designs, float(about["run"]["p_art"]), kinds
    )
    validation = pd.read_parquet(run / "validation.parquet")
    rows, thresholds = with_scores(rows, validation, asked, coverage)
    _same_points(run, points, rows)

    failures = most_confident(rows, asked)
    sampled = chosen(points, seed, most)
    placed = sampled | _among(points, failures)
    places = np.full((len(points), len(PLACE)), np.nan)
    places[placed] = embed(features[placed], seed)
    points = points.assign(sampled=sampled, **dict(zip(PLACE, places.T, strict=True)))
    rows = rows.merge(points, on=POINT, how="left", validate="many_to_one")

    tables = {
        "concepts": concepts(rows[rows["sampled"]], seed),
        "failures": failures,
        "severities": strips(rows, asked),
    }
    shown = pd.concat([table[POINT] for table in tables.values()], ignore_index=True)
    thumbnails.write(shown, layers, folder)
    for name, table in tables.items():
        named = table.assign(thumbnail=thumbnails.names_of(table))
        files.write_csv(folder / f"{name}.csv", named)
    pictures = np.where(_among(rows, shown), thumbnails.names_of(rows), "")
    ends = ("", "_called", "_kept", "_outcome")
    said = [f"{score}{end}" for score in asked for end in ends]
    rows = rows.assign(thumbnail=pictures)
    files.write_csv(folder / "embedding.csv", rows[[*ABOUT, *PLACE, "sampled", "thumbnail", *said]])
    found = {
        **about,
        "scores": {
            name: {"title": SCORES.get(name).title, "threshold": thresholds[name]} for name in asked
        },
        "sets": _sets(rows, about["titles"]),
        "coverage": coverage,
        "points": len(points),
        "embedded": int(placed.sum()),
        "seed": seed,
    }
    files.write_json(folder / "explored.json", found)
    return found


def _sets(rows: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, str]:
    """Return what people call each test set, by the column `set`: its title.

    Where several confounders have one of the name, the confounder stands with it.
    """
    known = rows.drop_duplicates("set")
    return {
        each: titles.get(name, name) + (f" ({confounder})" if each != name else "")
        for each, name, confounder in known[["set", "test_set", "confounder"]].itertuples(
            index=False, name=None
        )
    }


def _among(points: pd.DataFrame, others: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which points are among others."""
    there = pd.MultiIndex.from_frame(points[POINT]).isin(pd.MultiIndex.from_frame(others[POINT]))
    return np.asarray(there)


def _same_points(run: Path, points: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Raise a `SourceBenchError` if features are not those of the images that were tested."""
    if points.duplicated().any() or not _among(rows, points).all():
        raise SourceBenchError(
            f"{run / 'features.npz'} and predictions.parquet beside it are of other images; delete "
            "both and run the workflow again."
        )
