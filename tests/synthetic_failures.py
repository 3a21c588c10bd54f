"""Tables of made-up confidence scores, as a study has them: confidence.csv, risk_coverage.csv."""

import numpy as np
import pandas as pd

from sourcebench.seeds import generator

NINE = (
    "msr", "pe", "mcd_msr", "mcd_pe", "mcd_ee", "confidnet", "dg_mcd_msr", "dg_res", "devries",
)  # fmt: skip
SIXTEEN = (
    *NINE, "max_logit", "energy", "mahalanobis", "neighbours", "temperature", "platt",
    "ensemble_msr",
)  # fmt: skip
METHODS = {"dg": "deep_gamblers", "devries": "devries", "confidnet": "confidnet"}
# Bungert et al. (MICCAI 2023), Table 1: AURC in %, of the nine scores in this order
PAPER = {
    ("cxr", "iid"): (15.3, 15.5, 14.9, 15.1, 15.1, 15.1, 14.4, 19.4, 14.7),
    ("cxr", "corruption"): (18.6, 18.9, 17.9, 18.2, 18.2, 18.5, 19.0, 26.5, 18.4),
    ("cxr", "acquisition"): (23.1, 23.6, 22.1, 22.7, 22.7, 22.8, 24.4, 32.8, 23.5),
    ("derm", "iid"): (0.544, 0.544, 0.544, 0.544, 0.544, 0.581, 0.611, 0.814, 0.801),
    ("derm", "corruption"): (0.913, 0.913, 0.913, 0.913, 0.913, 0.979, 0.893, 1.46, 1.08),
    ("derm", "acquisition"): (0.799, 0.799, 0.799, 0.799, 0.799, 0.806, 0.787, 1.32, 0.882),
    ("derm", "manifestation"): (49.3, 49.3, 49.3, 49.3, 49.3, 51.1, 50.1, 46.8, 45.5),
    ("cells", "iid"): (13.3, 14.1, 12.6, 13.2, 13.3, 21.9, 7.46, 10.6, 12.9),
    ("cells", "corruption"): (55.6, 56.3, 56.5, 57.2, 57.2, 63.7, 54.3, 55.0, 62.3),
    ("cells", "acquisition"): (32.4, 32.7, 31.8, 32.1, 32.1, 61.9, 33.2, 38.1, 51.4),
    ("nodules", "iid"): (6.69, 6.69, 5.80, 5.80, 5.68, 5.77, 3.97, 4.94, 4.99),
    ("nodules", "corruption"): (8.18, 8.18, 7.13, 7.13, 7.16, 7.50, 9.04, 8.95, 9.41),
    ("nodules", "manifestation"): (12.1, 12.1, 11.5, 11.5, 11.9, 15.7, 12.9, 15.0, 20.2),
}
MEAN_RANKS = (5.1, 5.7, 3.0, 3.8, 4.0, 6.7, 4.4, 6.4, 6.0)
TITLES = {
    "cxr": "Chest X-ray", "derm": "Dermoscopy", "cells": "FC microscopy",
    "nodules": "Lung nodules (CT)",
}  # fmt: skip
CORRUPTIONS = ("brightness_up", "brightness_down", "motion_blur", "elastic", "gaussian_noise")
HELD_OUT = {"acquisition": ("clinic_a", "clinic_b"), "manifestation": ("look_a", "look_b")}
IMAGES = 200


def sets_of(shift, families=CORRUPTIONS):
    """The test sets of a kind: (test set, family, severity, deviation from the kind's mean)."""
    if shift == "corruption":
        return [
            (
                f"{family}_{level}",
                family,
                level,
                0.2 * (i - (len(families) - 1) / 2) + 0.15 * (level - 3),
            )
            for i, family in enumerate(families)
            for level in range(1, 6)
        ]
    if shift in HELD_OUT:
        return [
            (name, name, 0, sign) for name, sign in zip(HELD_OUT[shift], (-0.3, 0.3), strict=True)
        ]
    return [(shift, shift, 0, 0.0)]


def test_of(name, shift, family, severity):
    """The columns that say of which test set a row is."""
    return {"test_set": name, "shift": shift, "family": family, "severity": severity}


test_of.__test__ = False  # no test


def row(axes, test, score, aurc, images=IMAGES):
    """A row of confidence.csv of an AURC, whose other numbers go along with it."""
    failures = round(images * min(np.sqrt(aurc), 1)) if aurc == aurc else 0
    rate = failures / images
    silent = rate * min(0.1 + aurc, 1)
    numbers = {
        "aurc": aurc,
        "augrc": aurc / 2,
        "failure_auroc": 0.9 - aurc / 2,
        "accuracy": 1 - rate,
    }
    ends = {
        f"{name}_{end}": float(np.clip(value + sign * 0.1 * value, 0, 1))
        for name, value in numbers.items()
        for end, sign in (("low", -1), ("high", 1))
    }
    return {
        **axes, **test, "score": score, "n": images, "failures": failures, **numbers, **ends,
        "threshold": 0.6, "coverage": 0.9, "detected": rate - silent, "silent": silent,
        "false_alarms": 0.05, "passed": 1 - rate - 0.05,
    }  # fmt: skip


def axes_of(task, score, repeat, **more):
    """The axes of a run, in the order of the columns."""
    method = next((m for start, m in METHODS.items() if score.startswith(start)), "cross_entropy")
    axes = {"task": task, "confounder": "none", "source": "imagenet", "arch": "resnet50"}
    return {**axes, "p_art": 0.0, "repeat": repeat, "method": method, "fold": 1, **more}


def confidence(
    values=PAPER, scores=NINE, repeats=3, sources=("imagenet",), opposed=False, families=CORRUPTIONS
):
    """confidence.csv: (task, shift) → AURC in % of each score, the mean over repeats and test sets.

    Args:
        opposed: whether scores differ in how they take the test sets of a kind.
        families: of corruptions, each at five severities.
    """
    rows = []
    for (task, shift), means in values.items():
        for source in sources:
            for place, (score, mean) in enumerate(zip(scores, means, strict=True)):
                for name, family, severity, deviation in sets_of(shift, families):
                    for repeat in range(1, repeats + 1):
                        off = 0.01 * (repeat - (repeats + 1) / 2)
                        own = deviation * (0.5 + 0.3 * (place % 3)) if opposed else 0.0
                        aurc = min(mean / 100 * (1 + own + off), 1)
                        test = test_of(name, shift, family, severity)
                        axes = axes_of(task, score, repeat, source=source)
                        rows.append(row(axes, test, score, aurc))
    return pd.DataFrame(rows)


def more(values, count):
    """The table of more scores: those there are, and again, a little worse."""
    return {
        cell: [*means, *(1.07 * each for each in means)][:count] for cell, means in values.items()
    }


def confounded(scores=NINE, p_art=(0, 0.25, 0.5, 0.75, 1), repeats=3):
    """confidence.csv of a study of a shortcut, which costs one source more than another."""
    costs = {"imagenet": 0.5, "radimagenet": 0.25, "random": 0.05}
    rows = []
    for task, confounder in (("cxr_mass", "tag"), ("cxr_atelectasis", "gender")):
        for source, cost in costs.items():
            for share in p_art:
                start = 0.25 if source == "random" else 0.08
                means = {"iid": start * (1 - 0.8 * share), "ood": start + cost * share}
                means |= {"clean": start, "artifact": start + 0.1 * share}
                for place, score in enumerate(scores):
                    for repeat in range(1, repeats + 1):
                        noise = generator("failures", source, share, score, repeat).normal(0, 0.01)
                        for name, mean in means.items():
                            kind = "iid" if name == "iid" else "confounder"
                            test = test_of(name, kind, name, 0)
                            axes = axes_of(
                                task, score, repeat, confounder=confounder, source=source,
                                p_art=float(share),
                            )  # fmt: skip
                            aurc = float(np.clip(mean * (1 + 0.03 * place) + noise, 0, 1))
                            rows.append(row(axes, test, score, aurc))
    return pd.DataFrame(rows)


def curves(table):
    """risk_coverage.csv that goes with a confidence.csv."""
    axes = table.columns[: list(table.columns).index("test_set")]
    keys = [*(n for n in axes if n not in ("fold", "repeat")), "test_set", "shift", "score"]
    cells = table.groupby(keys, sort=False, as_index=False)[["accuracy", "aurc"]].mean()
    points = cells.loc[cells.index.repeat(50)].reset_index(drop=True)
    error, area = 1 - points.pop("accuracy"), points.pop("aurc")
    bend = (error / area.clip(lower=1e-9) - 1).clip(lower=0)  # ∫ error · c^bend = area
    coverage = np.tile(np.arange(1, 51) / 50, len(cells))
    return points.assign(coverage=coverage, risk=(error * coverage**bend).where(area.notna()))
