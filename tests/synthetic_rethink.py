"""A table of runs such as the experiments of *Rethink Transfer Learning* leave behind."""

import numpy as np
import pandas as pd

from sourcebench.evaluation.aggregate import measured
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.seeds import generator

SHALLOW = ("cbr_large_t", "cbr_large_w", "cbr_small", "cbr_tiny")
DENSE = ("dense_t1", "dense_t2", "dense_t3", "dense")
DEEP = ("resnet", "dense")
# prevalence in CheXpert's studies (U-Zeros), and an AUROC that a good network has
TASKS = {
    "No Finding": (0.089, 0.85), "Enlarged Cardiomediastinum": (0.048, 0.66),
    "Cardiomegaly": (0.123, 0.86), "Lung Opacity": (0.494, 0.71), "Lung Lesion": (0.037, 0.74),
    "Edema": (0.261, 0.82), "Consolidation": (0.068, 0.70), "Pneumonia": (0.024, 0.72),
    "Atelectasis": (0.156, 0.69), "Pneumothorax": (0.092, 0.84), "Pleural Effusion": (0.403, 0.86),
    "Pleural Other": (0.013, 0.76), "Fracture": (0.039, 0.75),
}  # fmt: skip
TITLES = {
    "cbr_large_t": "CBR-LargeT", "cbr_large_w": "CBR-LargeW", "cbr_small": "CBR-Small",
    "cbr_tiny": "CBR-Tiny", "dense_t1": "Dens-T1", "dense_t2": "Dens-T2", "dense_t3": "Dens-T3",
    "dense": "DenseNet121", "resnet": "ResNet50",
}  # fmt: skip
STYLE = StudyStyle(
    sources={"imagenet": "ImageNet", "random": "Random"},
    tasks={task: task for task in TASKS},
    archs=TITLES,
)


def cell(task, source, arch, transfer="full", fraction=1.0, repeats=3):
    """Return the rows of one cell."""
    share, best = TASKS[task]
    depth = {"dense_t1": -0.03, "dense_t2": -0.012, "dense_t3": 0.01}.get(arch, 0)
    shallow = -0.03 * arch.startswith("cbr")
    start = -(0.05 if arch in DEEP else 0.012) * (source == "random")
    way = {"probe": -0.06, "half": -0.01, "layerwise": 0.004}.get(transfer, 0)
    poor = (0.05 - start) * np.log10(fraction)
    rows = []
    for repeat in range(1, repeats + 1):
        draw = generator("synthetic", task, source, arch, transfer, fraction, repeat)
        auroc = best + depth + shallow + start + way + poor + draw.normal(0, 0.008)
        auprc = share + (1 - share) * max(2 * auroc - 1, 0) ** 2 * 0.8 + draw.normal(0, 0.006)
        rows.append(
            dict.fromkeys(measured(), 1.0)
            | {"task": task, "confounder": "none", "source": source, "arch": arch, "p_art": 0.0}
            | {"transfer": transfer, "fraction": fraction, "repeat": repeat, "fold": 1}
            | {"test_set": "clean", "n": 44684, "auroc": auroc, "prevalence": share}
            | {"auprc": auprc + 0.001, "auprc_dg": auprc, "skilled": "yes"}
        )
    return rows


def rethink_runs(tasks=tuple(TASKS), archs=(*SHALLOW, *DENSE, "resnet"), repeats=3, **more):
    """Return the rows of a runs.csv of the paper's experiments."""
    fractions = more.get("fractions", (1.0,))
    rows = []
    for task in tasks:
        for arch in archs:
            for source in more.get("sources", ("imagenet", "random")):
                for fraction in fractions:
                    rows += cell(task, source, arch, "full", fraction, repeats)
            for transfer in more.get("transfers", ()):
                rows += cell(task, "imagenet", arch, transfer, 1.0, repeats)
    return pd.DataFrame(rows)
