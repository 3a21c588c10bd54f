"""What the twins' trainings amount to: tidy tables, whether ours are inside, and the curves."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from sourcebench.figures.parts.style import PALETTE, RC

RUN = ["contender", "start", "seed"]
CONTENDERS = {"keras": "Keras", "ours": "ours", "as_before": "ours, as before"}
STARTS = {"random": "random start", "converted": "from Keras' weights"}


def measures(history: pd.DataFrame, runs: pd.DataFrame, marks: Sequence[int]) -> pd.DataFrame:
    """Return what is compared, one row per run and measure.

    Args:
        history: `RUN`, `epoch`, `train_loss`, `val_loss`, `val_auroc`.
        runs: `RUN`, `epochs` (until the stop), `best_epoch`, `auroc` and `recall` (of the test
            set, with the best epoch's weights).
        marks: epochs at which the validation set is looked at.

    Returns:
        `RUN`, `measure`, `value`.
    """
    epochs = history.sort_values("epoch").groupby(RUN)
    wide = runs.set_index(RUN)
    columns = {"epochs until the stop": wide["epochs"], "best epoch": wide["best_epoch"]}
    at = history.set_index([*RUN, "epoch"])
    for mark in marks:
        columns[f"training loss, epoch {mark}"] = at["train_loss"].xs(mark, level="epoch")
    for mark in marks:
        columns[f"validation loss, epoch {mark}"] = at["val_loss"].xs(mark, level="epoch")
    columns["validation loss, least"] = epochs["val_loss"].min()
    columns["validation loss, last"] = epochs["val_loss"].last()
    for mark in marks:
        columns[f"validation AUROC, epoch {mark}"] = at["val_auroc"].xs(mark, level="epoch")
    columns["validation AUROC, last"] = epochs["val_auroc"].last()
    columns["test AUROC"], columns["test recall"] = wide["auroc"], wide["recall"]
    table = pd.DataFrame(columns).rename_axis(columns="measure")
    return table.stack().rename("value").dropna().reset_index()


def comparison(table: pd.DataFrame) -> pd.DataFrame:
    """Set every contender beside Keras, measure by measure.

    Args:
        table: as `measures` returns it.

    Returns:
        `contender, start, measure, mean, keras_mean, keras_sd, keras_low, keras_high, distance,
        inside, p`: `distance` is that of the means in Keras' standard deviations over its seeds;
        `inside` whether the contender's mean lies between Keras' lowest and highest seed; `p` that
        of the two-sided rank test of Mann and Whitney between the seeds of both.
    """
    theirs = table[table["contender"] == "keras"].groupby("measure", sort=False)["value"]
    keras = theirs.agg(["mean", "std", "min", "max"])
    keras.columns = pd.Index(["keras_mean", "keras_sd", "keras_low", "keras_high"])
    ours = table[table["contender"] != "keras"]
    cells = ours.groupby(["contender", "start", "measure"], sort=False)["value"]
    both = cells.mean().rename("mean").reset_index().join(keras, on="measure")
    gap = both["mean"] - both["keras_mean"]
    both["distance"] = np.where(gap == 0, 0.0, gap / both["keras_sd"])
    both["inside"] = both["mean"].between(both["keras_low"], both["keras_high"])
    both["p"] = [
        mannwhitneyu(values, theirs.get_group(measure)).pvalue for (*_, measure), values in cells
    ]
    return both


def sentences(table: pd.DataFrame) -> str:
    """Return the comparison as a Markdown table for people, and a count of what is inside."""
    keras = table.drop_duplicates("measure").set_index("measure")
    kinds = list(table.groupby(["contender", "start"], sort=False).groups)
    heads = [f"{CONTENDERS[contender]}, {STARTS[start]}" for contender, start in kinds]
    lines = [f"| | Keras (mean ± SD) | {' | '.join(heads)} |", "|---" * (2 + len(heads)) + "|"]
    rows = table.set_index(["contender", "start", "measure"])
    for measure in keras.index:
        cells = [f"{keras['keras_mean'][measure]:.3g} ± {keras['keras_sd'][measure]:.2g}"]
        for kind in kinds:
            row = rows.loc[(*kind, measure)]
            outside = "" if row["inside"] else " **outside**"
            far = f"{row['distance']:+.1f} SD, p {row['p']:.2g}"
            cells.append(f"{row['mean']:.3g} ({far}){outside}")
        lines.append(f"| {measure} | {' | '.join(cells)} |")
    for kind, head in zip(kinds, heads, strict=True):
        inside = rows.loc[kind, "inside"]
        lines += ["", f"{head}: {inside.sum()} of {len(inside)} measures inside Keras' seeds."]
    return "\n".join(lines)


def curves(history: pd.DataFrame, path: Path) -> None:
    """Draw validation loss and AUROC over epochs: each seed a thin line, their mean a thick one.

    Means end where the first seed stops. Keras stands in the column of each start.

    Args:
        history: see `measures`.
        path: a `.png`.
    """
    starts = [start for start in STARTS if (history["start"] == start).any()]
    panels = {"val_loss": "validation loss", "val_auroc": "validation AUROC"}
    with plt.rc_context(RC):
        figure, axes = plt.subplots(
            2, len(starts), figsize=(3.6 * len(starts), 4.6), sharex=True, sharey="row"
        )
        for axis, (column, label) in zip(np.reshape(axes, (2, -1)), panels.items(), strict=True):
            for panel, start in zip(axis, starts, strict=True):
                for colour, contender in zip(PALETTE, CONTENDERS, strict=False):
                    of = history["contender"] == contender
                    if contender != "keras":
                        of &= history["start"] == start
                    lines = history[of].pivot(index="epoch", columns="seed", values=column)
                    panel.plot(lines, color=colour, linewidth=0.5, alpha=0.5)
                    mean = lines.dropna().mean(axis=1)
                    panel.plot(mean, color=colour, linewidth=1.8, label=CONTENDERS[contender])
            axis[0].set_ylabel(label)
        for panel, start in zip(np.reshape(axes, (2, -1))[0], starts, strict=True):
            panel.set_title(f"Ours: {STARTS[start]}")
        for panel in np.reshape(axes, (2, -1))[1]:
            panel.set_xlabel("epoch")
        np.reshape(axes, -1)[0].legend(frameon=False)
        figure.tight_layout()
        figure.savefig(path, dpi=150)
        plt.close(figure)
