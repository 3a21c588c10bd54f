"""The table of what a network answers: its columns, and that many classes make no patchwork."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from sourcebench.training.predictions import Answers


def answers(classes, rows=7):
    said = {"mcd_class": torch.arange(rows) % classes, "mcd_msr": torch.rand(rows).double()}
    return Answers(torch.randn(rows, classes), torch.zeros(0, 4), said)


@pytest.mark.parametrize(("classes", "integer"), [(2, "int8"), (128, "int8"), (1139, "int16")])
def test_columns_are_logits_and_then_what_else_is_said(classes, integer):
    made = answers(classes)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.PerformanceWarning)
        table = made.table
        table["probe"] = 1.0  # of a patchwork, pandas would warn here
    names = [f"logit_{label}" for label in range(classes)]
    assert list(table) == [*names, "mcd_class", "mcd_msr", "probe"]
    assert set(table[names].dtypes) == {np.dtype("float32")}
    assert (table[names].to_numpy() == made.logits.numpy()).all()
    assert table["mcd_class"].dtype == integer
    assert table["mcd_class"].tolist() == made.columns["mcd_class"].tolist()
    assert table["mcd_msr"].dtype == "float64"


def test_nothing_else_may_be_said():
    made = answers(3)._replace(columns={})
    assert list(made.table) == ["logit_0", "logit_1", "logit_2"]
    assert len(made.table) == 7
