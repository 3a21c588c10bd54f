"""The design: who is confounded, who is in which fold.

One table per task and confounder answers both questions for every p_art. A positive of rank r
carries the artifact when r < p_art, so that the images confounded at 0.2 are among those at 0.5.

Where the sampling is the confounder (gender), nothing is drawn into an image: `carrier` says which
images have the attribute. Positives with it are in when rank < p_art, positives without it when
rank >= p_art, so that the number of positives stays the same; negatives are without it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sourcebench.apportionment import interleave
from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator

TEST_SETS = ("iid", "ood", "clean")


def fold_columns(design: pd.DataFrame) -> list[str]:
    """Return the names of the fold columns, `fold_1` … `fold_K`."""
    return [str(column) for column in design if str(column).startswith("fold_")]


def build(
    manifest: pd.DataFrame,
    *,
    folds: int,
    val_fraction: float,
    seed: int,
    name: str,
    carrier: tuple[str, str] | None = None,
) -> pd.DataFrame:
    """Design an experiment on the images of a manifest.

    Args:
        manifest: `image_id, patient_id, label, role, …`, see `datasets.tasks`.
        folds: K; the K validation sets are disjoint.
        val_fraction: share of the development set that a fold validates on; K × it is at most 1.
        seed: the study's seed.
        name: the task's name, for the seed and for messages.
        carrier: (column, value) of the attribute, where the sampling is the confounder.

    Returns:
        `image_id, patient_id, label, role (dev|test), rank, fold_1 … fold_K (train|val, empty for
        test)`, and `carrier` (0|1) with an attribute. Ranks lie in (0, 1), missing for negatives.

    Raises:
        SourceBenchError: too few patients, a class missing in a fold, or a leak.
    """
    design = manifest[["image_id", "patient_id", "label", "role"]].copy()
    strata = design["label"]
    if carrier is not None:
        column, value = carrier
        design["carrier"] = (manifest[column] == value).astype(int)
        strata = strata * 2 + design["carrier"]
    development = design["role"] == "dev"
    cells = _cells(
        design.loc[development, "patient_id"],
        strata[development],
        folds,
        val_fraction,
        generator(seed, "folds", name),
        name,
    )
    for fold in range(folds):
        design[f"fold_{fold + 1}"] = ""
        design.loc[development, f"fold_{fold + 1}"] = np.where(cells == fold, "val", "train")
    return rank(design, seed, name)


def rank(design: pd.DataFrame, seed: int, name: str) -> pd.DataFrame:
    """Give every positive its rank, spread evenly over (0, 1) in the test set and in each fold.

    Ranks are (i + ½)/n over the development set and over the test set. Their order interleaves the
    validation sets, so that the share of artifacts is p_art, to within one image, in each of them.

    Args:
        design: with its fold columns; a column `rank` is added after `role`.
        seed: the study's seed.
        name: the task's name.
    """
    rng = generator(seed, "ranks", name)
    positives = design[design["label"] == 1]
    kinds = ["role", "carrier"] if "carrier" in design else ["role"]
    ranks = pd.Series(np.nan, index=design.index)
    for _, kind in positives.groupby(kinds):
        cells = [
            list(rng.permutation(cell.index)) for _, cell in kind.groupby(fold_columns(design))
        ]
        order = [cells[cell].pop() for cell in interleave([len(cell) for cell in cells])]
        ranks[order] = (np.arange(len(kind)) + 0.5) / len(kind)
    ranked = design.drop(columns="rank", errors="ignore")
    ranked.insert(list(ranked.columns).index("role") + 1, "rank", ranks)
    return ranked


def _cells(
    patients: pd.Series,
    strata: pd.Series,
    folds: int,
    val_fraction: float,
    rng: np.random.Generator,
    name: str,
) -> np.ndarray:
    """Assign whole patients to K validation cells and the remainder (cell K), stratified.

    Patients with many images come first; each goes where it lessens the squared distance of the
    cells' class counts to their targets most. Patients of one image, who come last, make the
    counts exact.
    """
    ids, groups = np.unique(patients, return_inverse=True)
    if len(ids) < folds + 1:
        raise SourceBenchError(
            f"{name}: the development set has {len(ids)} patients, too few for {folds} folds; "
            "lower experiment.folds or raise the task's samples.dev."
        )
    kinds, columns = np.unique(strata, return_inverse=True)
    content = np.zeros((len(ids), len(kinds)))
    np.add.at(content, (groups, columns), 1)
    shares = np.append(np.full(folds, val_fraction), max(0.0, 1 - folds * val_fraction))
    targets = shares[:, None] * content.sum(0)
    counts = np.zeros_like(targets)
    cell = np.zeros(len(ids), int)
    order = rng.permutation(len(ids))
    for patient in order[np.argsort(-content[order].sum(1), kind="stable")]:
        images = content[patient]
        worse = (images**2 + 2 * images * (counts - targets)).sum(1)
        worse[shares == 0] = np.inf
        cell[patient] = np.argmin(worse)
        counts[cell[patient]] += images
    for fold in range(folds):
        if (counts[fold] == 0).any() or (counts.sum(0) == counts[fold]).any():
            raise SourceBenchError(
                f"{name}: fold {fold + 1} would have no image of some class in its training or "
                f"validation set ({len(ids)} patients, {len(patients)} images); lower "
                "experiment.folds, or raise the task's val_fraction or samples.dev."
            )
    return np.asarray(cell[groups])


def read(path: str | Path) -> pd.DataFrame:
    """Read a design's table, with empty folds as empty text."""
    table = pd.read_csv(path)
    return table.assign(**{fold: table[fold].fillna("") for fold in fold_columns(table)})


def require_folds(design: pd.DataFrame, folds: int, name: str) -> None:
    """Refuse published splits that have fewer folds than the experiment.

    Raises:
        SourceBenchError: they have fewer.
    """
    if (there := len(fold_columns(design))) < folds:
        raise SourceBenchError(
            f"{name}: the published splits have {there} folds, fewer than the {folds} of "
            "experiment.folds; lower that."
        )


def check(design: pd.DataFrame, name: str) -> None:
    """Refuse a design in which a patient is on two sides.

    Raises:
        SourceBenchError: a patient is in development and test, or in train and val of a fold.
    """
    roles = design.groupby("patient_id")["role"].nunique()
    for fold in [None, *fold_columns(design)]:
        if fold is None:
            shared, where = roles[roles > 1].index, "the development and the test set"
        else:
            in_fold = design[design[fold].isin(["train", "val"])]
            sides = in_fold.groupby("patient_id")[fold].nunique()
            shared, where = sides[sides > 1].index, f"train and val of {fold}"
        if len(shared):
            raise SourceBenchError(
                f"{name}: {len(shared)} patients are in both {where} "
                f"(such as patient {shared[0]}), so the test would leak. To use published splits "
                "as they are all the same, add 'leaks: accept' to their entry of splits."
            )


def development(design: pd.DataFrame, p_art: float, fold: int) -> pd.DataFrame:
    """Return the development set of a run.

    Returns:
        `image_id, patient_id, label (0|1), artifact (bool), part (train|val)`.
    """
    chosen = _at(design, p_art)
    # Splits that somebody published may leave an image out of a fold.
    in_fold = chosen[f"fold_{fold}"].isin(["train", "val"])
    chosen = _confound(chosen[(chosen["role"] == "dev") & in_fold], p_art)
    return _columns(chosen.assign(part=chosen[f"fold_{fold}"]), "part")


def test(design: pd.DataFrame, p_art: float, test_set: str) -> pd.DataFrame:
    """Return a test set of a run.

    Args:
        design: the design.
        p_art: the run's share; matters to the i.i.d. test set alone.
        test_set: 'iid' (positives carry the artifact with p_art), 'ood' (every negative and no
            positive carries it) or 'clean' (none does).

    Returns:
        `image_id, patient_id, label, artifact`; empty where splits that somebody published have
        no such test set.
    """
    chosen = _at(design, p_art)
    chosen = chosen[chosen["role"] == "test"]
    if test_set == "iid":
        return _columns(_confound(chosen, p_art))
    artifact = (chosen["label"] == 0) if test_set == "ood" else pd.Series(False, chosen.index)
    if "carrier" in chosen:
        chosen = chosen[chosen["carrier"].astype(bool) == artifact]
        if chosen["label"].nunique() < 2:
            chosen = chosen[:0]
        artifact = chosen["carrier"].astype(bool)
    return _columns(chosen.assign(artifact=artifact))


def _at(design: pd.DataFrame, p_art: float) -> pd.DataFrame:
    """Keep the rows of one p_art, where splits that somebody published have rows for each."""
    if "p_art" not in design:
        return design
    return design[design["p_art"].isna() | np.isclose(design["p_art"], p_art)]


def _confound(rows: pd.DataFrame, p_art: float) -> pd.DataFrame:
    carries = (rows["label"] == 1) & (rows["rank"] < p_art)
    if "p_art" in rows:  # drawn for this p_art by somebody else, without an i.i.d. test set
        sampled = rows[rows["role"] == "dev"]
        return sampled.assign(artifact=sampled["carrier"].astype(bool))
    if "carrier" in rows:
        carrier = rows["carrier"].astype(bool)
        return rows[carrier == carries].assign(artifact=carrier)
    return rows.assign(artifact=carries)


def _columns(rows: pd.DataFrame, *more: str) -> pd.DataFrame:
    columns = ["image_id", "patient_id", "label", "artifact", *more]
    return rows.reset_index(drop=True).reindex(columns=columns)


def from_published(
    splits: pd.DataFrame, *, seed: int, name: str, carrier: tuple[str, str] | None = None
) -> pd.DataFrame:
    """Turn published splits into a design.

    Where the folds do not depend on p_art, ranks are drawn as for our own splits. Where they do
    (gender), the rows of each p_art are kept, with the attribute that they were sampled by.

    Args:
        splits: long form, see `datasets.splits.read`.
        seed: the study's seed.
        name: the task's name.
        carrier: (column, value) of the attribute, where the sampling is the confounder.

    Raises:
        SourceBenchError: the splits depend on p_art without an attribute, or the reverse.
    """
    if bool(splits["p_art"].notna().any()) != (carrier is not None):
        raise SourceBenchError(
            f"{name}: folds in folders F_<percent> belong to a confounder made by sampling (such "
            "as gender), folds without them to one drawn into the images; the published splits "
            "and the task's confounders do not fit together."
        )
    test_rows = splits[splits["part"] == "test"].assign(role="test")
    sampled = carrier is not None
    keys = ["p_art", "image_id"] if sampled else ["image_id"]
    development_rows = splits[splits["part"] != "test"]
    first = development_rows.drop_duplicates(keys).assign(role="dev")
    design = pd.concat([first, test_rows], ignore_index=True)
    for fold in sorted(development_rows["fold"].astype(int).unique()):
        parts = development_rows[development_rows["fold"] == fold].set_index(keys)["part"]
        looked_up = pd.MultiIndex.from_frame(design[keys]) if sampled else design["image_id"]
        design[f"fold_{fold}"] = parts.reindex(looked_up).fillna("").to_numpy()
        design.loc[design["role"] == "test", f"fold_{fold}"] = ""
    columns = ["image_id", "patient_id", "label", "role", *fold_columns(design)]
    if carrier is not None:
        design["carrier"] = (design[carrier[0]] == carrier[1]).astype(int)
        return design[["p_art", *columns, "carrier"]].assign(rank=np.nan)
    return rank(design[columns], seed, name)


def long_form(design: pd.DataFrame, p_arts: list[float]) -> pd.DataFrame:
    """Return a design as `datasets.splits.audit` wants it: one row per p_art, fold and image."""
    frames = []
    for p_art in p_arts:
        tests = [test(design, p_art, name) for name in TEST_SETS]
        everyone = pd.concat(tests).drop_duplicates("image_id")
        frames.append(everyone.assign(part="test", p_art=p_art))
        for fold in range(1, len(fold_columns(design)) + 1):
            rows = development(design, p_art, fold)
            frames.append(rows.assign(p_art=p_art, fold=fold))
    return pd.concat(frames, ignore_index=True)
