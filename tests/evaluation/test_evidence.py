"""What is read of the runs: their rows, their errors, and the tables as files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import Tables, axes, read_runs, read_table, together
from sourcebench.evaluation.delong import auroc_interval
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.metrics import METRICS, OF_SEVERAL, score
from sourcebench.evaluation.runs_table import runs_table
from sourcebench.files import write_csv
from sourcebench.seeds import generator
from test_metrics import predictions, table

AXES = ["task", "confounder", "source", "arch", "p_art", "fold", "test_set"]
SCORES = [
    "auroc", "auprc", "auprc_dg", "auc_keras", "accuracy", "recall", "specificity", "sensitivity",
    "prevalence", "f1", "brier", "ece",
]  # fmt: skip
EFFORT = ["best_epoch", "epochs", "seconds", "n_train", "n_val"]
COLUMNS = [*AXES, "n", *SCORES, *EFFORT]
RECORD = {
    "task": "cxr_mass", "confounder": "none", "source": "imagenet", "arch": "resnet50", "p_art": 0,
    "fold": 1, "best_epoch": 7, "epochs": 37, "seconds": 12.5, "n_train": 198, "n_val": 50,
    "seed": 3,
}  # fmt: skip


def write_run(folder, confounders=("tag",), classes=2, **changes):
    """A run's folder: three test sets of the same images under each confounder."""
    folder.mkdir(parents=True)
    parts = []
    for confounder in confounders:
        for test_set in ("iid", "ood", "clean"):
            labels, logits = answers((folder.name, confounder, test_set), classes)
            number = np.arange(len(labels))
            part = table(labels, logits).assign(
                confounder=confounder, test_set=test_set, artifact=False, probe=np.nan,
                image_id=[f"{i:03}.png" for i in number], patient_id=(number // 2).astype(str),
            )  # fmt: skip
            parts.append(part)
    pd.concat(parts).to_parquet(folder / "predictions.parquet")
    (folder / "run.json").write_text(json.dumps({**RECORD, **changes}))
    return folder


def answers(name, classes=2):
    if classes == 2:
        return predictions(name)
    draw = generator("test evidence", name)
    return np.arange(60) % classes, draw.normal(size=(60, classes)).astype(np.float32)


def test_evidence_has_the_rows_of_runs_csv(tmp_path):
    folders = [
        write_run(tmp_path / "b", fold=2, p_art="0.5"),
        write_run(tmp_path / "a", ("tag", "denoise")),
        write_run(tmp_path / "c", source="NA", p_art=1),
    ]
    evidence = Evidence.of(folders, "tag")
    runs = evidence.runs
    assert list(runs.columns) == COLUMNS
    assert (evidence.task, evidence.confounder) == ("cxr_mass", "tag")
    assert runs["confounder"].tolist() == ["tag"] * 9
    assert runs["p_art"].dtype == float
    assert runs["fold"].dtype == runs["n"].dtype == runs["epochs"].dtype == np.int64
    labels, logits = predictions(("b", "tag", "ood"))
    (place,) = np.flatnonzero((runs["fold"] == 2) & (runs["test_set"] == "ood"))
    row = runs.iloc[place]
    assert row["auroc"] == score(table(labels, logits))["auroc"]
    assert (row["n"], row["epochs"], row["seconds"], row["n_val"]) == (83, 37, 12.5, 50)
    np.testing.assert_array_equal(evidence.predictions[place]["logit_1"], logits[:, 1])
    pd.testing.assert_frame_equal(Evidence.of(folders[::-1], "tag").runs, runs)
    assert (Evidence.of(folders[1:2], "denoise").runs["confounder"] == "denoise").all()


def test_runs_csv_has_the_interval_of_each_auroc_and_is_read_as_it_was_written(tmp_path):
    names = ("NA", "007", "nan", "1e3")
    folders = [write_run(tmp_path / name, source=name) for name in names]
    runs = runs_table(Evidence.of(folders, "tag"))
    assert list(runs) == [
        *AXES,
        "n",
        "auroc",
        "auroc_low",
        "auroc_high",
        *SCORES[1:],
        *EFFORT,
        "skilled",
    ]
    assert axes(runs) == AXES
    labels, logits = predictions(("007", "tag", "iid"))
    row = runs.query("source == '007' and test_set == 'iid'").iloc[0]
    margin = logits[:, 1].astype(float) - logits[:, 0]
    expected = auroc_interval(labels, margin, np.arange(83) // 2)
    assert tuple(row[["auroc", "auroc_low", "auroc_high"]]) == pytest.approx(tuple(expected))
    write_csv(tmp_path / "runs.csv", runs)
    read = Tables({"runs": tmp_path / "runs.csv"})["runs"]
    pd.testing.assert_frame_equal(read, runs)
    assert set(read["source"]) == set(names)


def test_a_further_axis_is_a_further_column(tmp_path):
    folders = [write_run(tmp_path / str(share), fraction=share) for share in (0.1, 1)]
    with pytest.raises(SourceBenchError, match="same run"):
        Evidence.of(folders, "tag")
    runs = Evidence.of(folders, "tag", further=["fraction"]).runs
    assert runs["fraction"].tolist() == [0.1] * 3 + [1.0] * 3
    assert list(runs.columns).index("fraction") == COLUMNS.index("fold")


def test_runs_of_several_classes_have_their_metrics(tmp_path):
    """In one table with runs of two classes, these have none of them."""
    two = runs_table(Evidence.of([write_run(tmp_path / "two")], "tag"))
    several = write_run(tmp_path / "several", classes=5, task="cells")
    runs = runs_table(Evidence.of([several], "tag"))
    assert [name for name in runs if name in METRICS.names()] == METRICS.names()
    assert not OF_SEVERAL & set(two)
    row = runs.set_index("test_set").loc["iid"]
    assert row["nll"] == score(table(*answers(("several", "tag", "iid"), 5)))["nll"]
    assert runs[["recall", "auroc_low", "auroc_high"]].isna().all(axis=None)
    for name, part in (("two", two), ("several", runs)):
        write_csv(tmp_path / f"{name}.csv", part)
    write_csv(tmp_path / "all.csv", together([tmp_path / "two.csv", tmp_path / "several.csv"]))
    read = read_runs(tmp_path / "all.csv").set_index("task")
    assert list(read) == list(runs)[1:]
    np.testing.assert_array_equal(read.loc["cells", "nll"], runs["nll"])
    assert read.loc["cxr_mass", list(OF_SEVERAL)].isna().all(axis=None)


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def drop_column(path):
    pd.read_parquet(path).drop(columns="logit_1").to_parquet(path)


def drop_patients(path):
    pd.read_parquet(path).drop(columns="patient_id").to_parquet(path)


def empty(path):
    pd.read_parquet(path).iloc[:0].to_parquet(path)


def other_confounder(path):
    pd.read_parquet(path).assign(confounder="denoise").to_parquet(path)


def hole(path):
    rows = pd.read_parquet(path).reset_index(drop=True)
    rows.loc[0, "test_set"] = None
    rows.to_parquet(path)


def diverge(path):
    pd.read_parquet(path).assign(logit_0=np.nan).to_parquet(path)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("predictions.parquet", Path.unlink),
        ("predictions.parquet", truncate),
        ("predictions.parquet", drop_column),
        ("predictions.parquet", drop_patients),
        ("predictions.parquet", empty),
        ("predictions.parquet", other_confounder),
        ("predictions.parquet", hole),
        ("predictions.parquet", diverge),
        ("run.json", Path.unlink),
        ("run.json", truncate),
        ("run.json", lambda path: path.write_text("[]")),
        ("run.json", lambda path: path.write_text('{"task": "a"}')),
        ("run.json", lambda path: path.write_text(path.read_text().replace("37", '"many"'))),
    ],
)
def test_a_damaged_run_is_named(tmp_path, name, harm):
    folders = [write_run(tmp_path / "good"), write_run(tmp_path / "bad", fold=2)]
    harm(folders[1] / name)
    with pytest.raises(SourceBenchError, match=f"bad/{name}"):
        Evidence.of(folders, "tag")


def test_a_run_that_was_not_tested_under_the_confounder_says_so(tmp_path):
    folder = write_run(tmp_path / "run")
    with pytest.raises(SourceBenchError, match="no predictions under 'denoise'"):
        Evidence.of([folder], "denoise")


def test_networks_of_one_share_were_tested_on_the_same_images(tmp_path):
    one, other = (write_run(tmp_path / name, source=name) for name in ("one", "other"))
    path = other / "predictions.parquet"
    rows = pd.read_parquet(path)
    swapped = rows["image_id"].replace({"004.png": "004b.png"})
    rows.assign(image_id=swapped.where(rows["test_set"] == "ood", rows["image_id"])).to_parquet(
        path
    )
    with pytest.raises(SourceBenchError) as error:
        Evidence.of([one, other], "tag")
    assert all(str(each) in str(error.value) for each in (one, other, "ood at p_art 0"))
    (other / "run.json").write_text(json.dumps({**RECORD, "p_art": 0.5}))
    assert len(Evidence.of([one, other], "tag").runs) == 6


def test_no_runs_and_no_table_are_clear_errors(tmp_path):
    with pytest.raises(SourceBenchError, match="no runs"):
        Evidence.of([], "tag")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name in ("other.csv", "missing.csv"):
        with pytest.raises(SourceBenchError, match=name):
            read_runs(tmp_path / name)
    with pytest.raises(SourceBenchError, match="missing"):
        read_table(tmp_path / "missing.csv")


def test_a_table_is_read_with_what_it_says(tmp_path):
    rows = {
        "source": ["NA", "007"], "class": ["0", "all"], "skilled": ["", "no"], "p_art": [0, 1],
        "value": [np.inf, np.nan], "score": ["crossing", "area"],
    }  # fmt: skip
    write_csv(tmp_path / "some.csv", pd.DataFrame(rows))
    read = Tables({"some": tmp_path / "some.csv"})["some"]
    assert {name: list(read[name]) for name in rows if name != "value"} == {
        name: rows[name] for name in rows if name != "value"
    }
    np.testing.assert_array_equal(read["value"], rows["value"])
    assert read["p_art"].dtype == float


def test_tables_are_put_together_digit_by_digit(tmp_path):
    texts = ("a,b\n1.10,NA\n", "a,c,b,d\n", "a,c,b\n0.3000000000000000444,,x\n")
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.csv").write_text(text)
    paths = [tmp_path / f"{number}.csv" for number in range(3)]
    made = together(paths)
    assert list(made) == ["a", "c", "b", "d"]
    assert made.to_numpy().tolist() == [
        ["1.10", "", "NA", ""], ["0.3000000000000000444", "", "x", ""],
    ]  # fmt: skip
    assert list(together(paths[1:2])) == ["a", "c", "b", "d"]
