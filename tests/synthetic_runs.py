"""A table of runs with the means of the paper's Figures 3 and 4 (ResNet50) and noise by fold."""

import numpy as np
import pandas as pd

from sourcebench.evaluation.aggregate import columns, measured
from sourcebench.evaluation.metrics import METRICS, OF_SEVERAL
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.seeds import generator

# o.o.d. AUROC at p_art = 0 and 1, as read off the paper's figures
PUBLISHED = {
    ("cxr_mass", "tag", "imagenet"): (0.86, 0.00),
    ("cxr_mass", "tag", "radimagenet"): (0.84, 0.43),
    ("cxr_mass", "tag", "random"): (0.68, 0.69),
    ("cxr_mass", "denoise", "imagenet"): (0.86, 0.17),
    ("cxr_mass", "denoise", "radimagenet"): (0.87, 0.70),
    ("cxr_mass", "denoise", "random"): (0.73, 0.63),
    ("cxr_mass", "noise", "imagenet"): (0.82, 0.00),
    ("cxr_mass", "noise", "radimagenet"): (0.82, 0.04),
    ("cxr_mass", "noise", "random"): (0.67, 0.42),
    ("cxr_atelectasis", "gender", "imagenet"): (0.69, 0.11),
    ("cxr_atelectasis", "gender", "radimagenet"): (0.71, 0.17),
    ("cxr_atelectasis", "gender", "random"): (0.58, 0.45),
}
# o.o.d. AUROC of Figure 4; the CT ones, and high against low noise, are on no other figure
NOISE = {
    ("cxr_mass", "noise", "imagenet"): (0.82, 0.00),
    ("cxr_mass", "noise", "radimagenet"): (0.82, 0.04),
    ("cxr_mass", "noise", "random"): (0.67, 0.42),
    ("ct_nodule", "ct_noise", "imagenet"): (0.81, 0.14),
    ("ct_nodule", "ct_noise", "radimagenet"): (0.84, 0.24),
    ("ct_nodule", "ct_noise", "random"): (0.52, 0.07),
    ("ct_nodule", "xray_noise", "imagenet"): (0.82, 0.50),
    ("ct_nodule", "xray_noise", "radimagenet"): (0.81, 0.68),
    ("ct_nodule", "xray_noise", "random"): (0.75, 0.57),
}
TWO_CLASSES = [name for name in METRICS.names() if name not in OF_SEVERAL]
P_ART = (0, 0.1, 0.2, 0.5, 0.8, 1)
EPOCHS = {"imagenet": 72, "radimagenet": 141, "random": 55}
STYLE = StudyStyle(
    sources={"imagenet": "ImageNet", "radimagenet": "RadImageNet", "random": "Random"},
    confounders={
        "tag": "Tag",
        "denoise": "Denoising",
        "noise": "Poisson noise",
        "gender": "Patient gender",
    },
    tasks={"cxr_mass": "lung mass, chest X-ray", "cxr_atelectasis": "atelectasis, chest X-ray"},
    archs={"resnet50": "ResNet50"},
    references={"cxr_mass": 0.87, "cxr_atelectasis": 0.85},
    reference_label="UniChest (2024)",
)


def synthetic_runs(archs=("resnet50",), p_art=P_ART, folds=5, published=PUBLISHED):
    """Return the rows of a runs.csv; at p_art = 0 the pixel confounders share their networks."""
    rows = []
    for arch in archs:
        for (task, confounder, source), (start, end) in published.items():
            for share in p_art:
                for fold in range(1, folds + 1):
                    shared = "shared" if share == 0 and confounder != "gender" else confounder
                    draw = generator("synthetic", arch, task, shared, source, share, fold)
                    epochs = int(max(draw.normal(EPOCHS.get(source, 90), 18), 31))
                    effort = (epochs - 30, epochs, 40.0 * epochs + draw.uniform(0, 99))
                    base = start + (end - start) * share**1.3
                    means = {"ood": base, "iid": start + (0.99 - start) * share, "clean": start}
                    for test_set, mean in means.items():
                        auroc = float(np.clip(mean + draw.normal(0, 0.045), 0, 1))
                        others = {"recall": auroc / 2, "brier": 0.25, "ece": 0.1}
                        scores = [others.get(name, auroc) for name in TWO_CLASSES]
                        axes = (task, confounder, source, arch, float(share), fold, test_set)
                        bounds = (auroc - 0.1, auroc + 0.1)
                        rows.append((*axes, 83, *scores, *bounds, *effort, 198, 50, "yes"))
    results = [name for name in measured() if name not in OF_SEVERAL]
    return pd.DataFrame(rows, columns=[*columns(), *results])
