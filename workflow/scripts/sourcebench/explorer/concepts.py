"""What a concept looks like: a class, a test set, or a class in a test set, in up to nine clusters.

Each is shown by the image nearest to its centre. After Bungert et al. (MICCAI 2023), section 2.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from sourcebench.explorer.embedding import POINT
from sourcebench.seeds import seed_of

CLUSTERS = 9
STARTS = 10
"""k-means is started so many times, and the closest clusters are taken."""

CLASSES = 20
"""Of more classes, those are taken that the network fails most often."""

PLACE = ["x", "y", "z"]
COLUMNS = ["concept", "name", "label", "test_set", "cluster", "size", "failures", *POINT, *PLACE]


def concepts(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the clusters of all concepts.

    Args:
        rows: one for each test set and image: `image_id, layer, label, called, set, x, y, z`; `set`
            is what to call the test set.
        seed: the study's.

    Returns:
        A row per concept and cluster, the largest first: `concept` (class, shift or class×shift),
        `name`, `label` and `test_set` ('' where it is not of one), `cluster` (from 1 on), `size`
        and `failures` in points, and of the one nearest to the centre `image_id, layer, x, y, z`.
    """
    found = []
    for kind, name, label, test_set, part in _concepts(rows):
        about = {"concept": kind, "name": name, "label": label, "test_set": test_set}
        clusters = _clusters(part.drop_duplicates(POINT), seed_of(seed, "k-means") % 2**32)
        found.append(clusters.assign(**about))
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(found, ignore_index=True)[COLUMNS]


def _concepts(rows: pd.DataFrame) -> Iterator[tuple[str, str, str, str, pd.DataFrame]]:
    """Yield each concept: its kind, name, label and test set, and its rows."""
    points = rows.drop_duplicates(POINT)
    failed = points[points["label"] != points["called"]].groupby("label").size()
    every = failed.reindex(sorted(points["label"].unique()), fill_value=0)
    labels = sorted(every.sort_values(ascending=False, kind="stable").index[:CLASSES])
    for label in labels:
        yield "class", str(label), str(label), "", rows[rows["label"] == label]
    for test_set, part in rows.groupby("set", sort=False):
        yield "shift", str(test_set), "", str(test_set), part
    for test_set, part in rows.groupby("set", sort=False):
        for label in labels:
            both = part[part["label"] == label]
            if len(both):
                yield "class×shift", f"{label} × {test_set}", str(label), str(test_set), both


def _clusters(points: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the clusters of one concept: nine, or one for each place where there are fewer."""
    places = points[PLACE].to_numpy(np.float64)
    count = min(CLUSTERS, len(np.unique(places, axis=0)))
    made = KMeans(count, n_init=STARTS, random_state=seed).fit(places)
    failed = (points["label"] != points["called"]).to_numpy()
    found = []
    for cluster in range(count):
        inside = np.flatnonzero(made.labels_ == cluster)
        away = ((places[inside] - made.cluster_centers_[cluster]) ** 2).sum(1)
        medoid = points.iloc[[inside[away.argmin()]]][[*POINT, *PLACE]]
        found.append(medoid.assign(size=len(inside), failures=int(failed[inside].sum())))
    ordered = pd.concat(found).sort_values(["size", *POINT], ascending=[False, True, True])
    return ordered.assign(cluster=np.arange(1, count + 1))
