"""Concepts: clusters of those who belong to them, and the image nearest to each centre."""

import numpy as np
import pandas as pd

from sourcebench.explorer.concepts import CLASSES, CLUSTERS, concepts
from sourcebench.seeds import generator


def rows_of(places, **columns):
    """Rows of one test set, of one layer."""
    table = pd.DataFrame(np.asarray(places, float), columns=["x", "y", "z"])
    about = {"layer": "none", "label": 0, "called": 0, "set": "clean"}
    names = [f"i{i:03}" for i in range(len(table))]
    return table.assign(image_id=names, **{**about, **columns})


def heaps(sizes):
    """Heaps of points, far from each other, and which heap each is of."""
    rng = generator("heaps")
    heap = np.repeat(np.arange(len(sizes)), sizes)
    return 100 * np.stack([heap, heap**2, -heap], 1) + rng.normal(size=(len(heap), 3)), heap


def test_heaps_are_found_with_their_sizes_failures_and_middles():
    sizes = [3, 4, 5, 6, 7, 8, 9, 10, 11]
    places, heap = heaps(sizes)
    called = (heap == 8).astype(int)
    found = concepts(rows_of(places, called=called), 1)
    found = found[found["concept"] == "class"]
    assert list(found["size"]) == sizes[::-1]
    assert list(found["failures"]) == [11] + [0] * 8
    assert list(found["cluster"]) == list(range(1, CLUSTERS + 1))
    for row in found.itertuples():
        own = places[heap == row.size - 3]
        nearest = own[((own - own.mean(0)) ** 2).sum(1).argmin()]
        np.testing.assert_array_equal([row.x, row.y, row.z], nearest)


def test_kinds_of_concepts_and_who_is_in_them():
    places, _ = heaps([20, 20])
    label = np.arange(40) % 2
    one = rows_of(places, label=label, called=0)
    other = rows_of(places + 5, label=label, called=1, set="dark", layer="dark")
    found = concepts(pd.concat([one, other, one.assign(set="again")]), 1)
    sizes = found.groupby(["concept", "name"])[["size", "failures"]].sum()
    assert sizes.to_dict("index") == {
        ("class", "0"): {"size": 40, "failures": 20},
        ("class", "1"): {"size": 40, "failures": 20},
        ("shift", "clean"): {"size": 40, "failures": 20},
        ("shift", "again"): {"size": 40, "failures": 20},
        ("shift", "dark"): {"size": 40, "failures": 20},
        ("class×shift", "0 × clean"): {"size": 20, "failures": 0},
        ("class×shift", "0 × again"): {"size": 20, "failures": 0},
        ("class×shift", "0 × dark"): {"size": 20, "failures": 20},
        ("class×shift", "1 × clean"): {"size": 20, "failures": 20},
        ("class×shift", "1 × again"): {"size": 20, "failures": 20},
        ("class×shift", "1 × dark"): {"size": 20, "failures": 0},
    }


def test_fewer_places_make_fewer_clusters():
    found = concepts(rows_of([[0, 0, 0], [1, 1, 1], [1, 1, 1], [9, 9, 9]]), 1)
    own = found[found["concept"] == "shift"]
    assert list(own["size"]) == [2, 1, 1]
    assert len(concepts(rows_of([[0, 0, 0]]), 1)) == 3
    assert concepts(rows_of(np.empty((0, 3))), 1).empty


def test_the_same_seed_gives_the_same_clusters():
    places = generator("same").normal(size=(60, 3))
    pd.testing.assert_frame_equal(concepts(rows_of(places), 1), concepts(rows_of(places), 1))


def test_of_many_classes_those_are_shown_that_fail_most():
    places = generator("many").normal(size=(60, 3))
    label = np.arange(60) % 30
    found = concepts(rows_of(places, label=label, called=np.where(label < 9, label, 99)), 1)
    classes = found.loc[found["concept"] == "class", "label"].unique()
    assert list(classes) == [str(i) for i in range(9, 9 + CLASSES)]
