"""Random parts of exact sizes that share no patient."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sourcebench.datasets.chexpert.tables import published
from sourcebench.datasets.partition import split
from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator


def test_the_papers_split_is_exact_and_parts_no_patient():
    patients = published()["patient_id"]
    sizes = {"val": 17_875, "test": 44_684, "train": None}
    parts = split(patients, sizes, generator(0, "split"))
    assert parts.value_counts().to_dict() == {"train": 160_855, "test": 44_684, "val": 17_875}
    assert (patients.groupby(parts).nunique()).sum() == patients.nunique()
    assert split(patients, sizes, generator(0, "split")).equals(parts)
    assert not split(patients, sizes, generator(1, "split")).equals(parts)
    shuffled = patients.sample(frac=1, random_state=0)
    assert split(shuffled, sizes, generator(0, "split")).reindex(parts.index).equals(parts)


def test_the_split_favours_no_patients():
    patients = published()["patient_id"]
    parts = split(patients, {"test": 44_684, "train": None}, generator(0, "split"))
    images = patients.map(patients.value_counts())
    each = images.groupby(parts).mean()
    assert each["test"] == pytest.approx(each["train"], rel=0.05)
    edema = (published()["Edema"] == 1).groupby(parts).mean()
    assert edema["test"] == pytest.approx(edema["train"], abs=0.01)


@settings(deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=40), st.data())
def test_a_part_is_exact_or_lacks_less_than_any_patient_left_over(images, data):
    patients = pd.Series(np.repeat(np.arange(len(images)), images))
    first = data.draw(st.integers(0, len(patients)))
    second = data.draw(st.integers(0, len(patients) - first))
    sizes = {"a": first, "b": second}
    parts = split(patients, sizes, np.random.default_rng(data.draw(st.integers(0, 9))))
    assert (patients.groupby(parts.fillna("left")).unique().explode().value_counts() == 1).all()
    taken = parts.value_counts().reindex(["a", "b"], fill_value=0)
    waiting = [images[patient] for patient in patients[parts != "a"].unique()]
    assert 0 <= first - taken["a"] < min(waiting, default=1)
    waiting = [images[patient] for patient in patients[parts.isna()].unique()]
    assert 0 <= second - taken["b"] < min(waiting, default=second + 1)
    rest = split(patients, {**sizes, "c": None}, np.random.default_rng(0))
    assert not rest.isna().any()


@pytest.mark.parametrize("sizes", [{"a": 3, "b": 3}, {"a": None, "b": None}])
def test_sizes_that_cannot_be_had(sizes):
    with pytest.raises(SourceBenchError, match="5 images can't be divided"):
        split(pd.Series([1, 1, 2, 3, 4]), sizes, np.random.default_rng(0))
