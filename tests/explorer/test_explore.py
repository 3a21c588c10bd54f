"""A run is explored whole: its tables fit together, and what is missing is said."""

import json

import numpy as np
import pandas as pd
import pytest

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.failures.threshold import threshold
from sourcebench.explorer import Explored
from synthetic_explored import KINDS, explored, write_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explored")
    explored(folder / "run", folder / "out", count=24)
    return folder


def test_tables_fit_together(made):
    found = Explored.read(made / "out")
    rows = found.embedding
    assert len(rows) == 24 * 4
    assert rows[["x", "y", "z"]].notna().all().all()
    predictions = pd.read_parquet(made / "run" / "predictions.parquet")
    logits = predictions[["logit_0", "logit_1"]].to_numpy(np.float64)
    msr = np.sort(1 / (1 + np.exp(-np.abs(logits[:, 1] - logits[:, 0]))))
    np.testing.assert_allclose(np.sort(rows["msr"]), msr, rtol=1e-12)
    held = pd.read_parquet(made / "run" / "validation.parquet")[["logit_0", "logit_1"]]
    sure = 1 / (1 + np.exp(-np.abs(held["logit_1"] - held["logit_0"]).to_numpy(np.float64)))
    assert found.scores["msr"]["threshold"] == pytest.approx(threshold(sure, 0.9), rel=1e-12)
    assert (rows["msr_kept"] == (rows["msr"] >= found.scores["msr"]["threshold"])).all()
    silent = (rows["label"] != rows["called"]) & rows["msr_kept"]
    assert (rows["msr_outcome"] == "silent").equals(silent)
    assert silent.any()
    assert (rows["msr_outcome"] == rows["pe_outcome"]).all()  # of two classes they rank alike
    place = rows.set_index(["image_id", "layer"])[["x", "y", "z"]]
    for concept in found.concepts.head(9).itertuples():
        there = place.loc[(concept.image_id, concept.layer)]
        np.testing.assert_allclose(there, [concept.x, concept.y, concept.z])
    first = found.failures[found.failures["rank"] == 1]
    wrong = rows[rows["label"] != rows["called"]]
    np.testing.assert_allclose(
        first[first["score"] == "msr"].set_index("set")["confidence"].sort_index(),
        wrong.groupby("set")["msr"].max(),
    )


def test_every_thumbnail_that_is_named_is_there_and_no_other(made):
    found = Explored.read(made / "out")
    tables = (found.concepts, found.failures, found.severities)
    named = {name for table in tables for name in table["thumbnail"]}
    there = {f"thumbnails/{path.name}" for path in (made / "out" / "thumbnails").iterdir()}
    assert named == there
    assert set(found.embedding["thumbnail"].dropna()) - {""} == there
    assert found.image(next(iter(named))).shape == (48, 48)


def test_of_many_points_some_are_drawn_and_the_surest_failures_are_in(tmp_path):
    record = explored(tmp_path / "run", tmp_path / "out", count=24, most=40)
    found = Explored.read(tmp_path / "out")
    rows = found.embedding
    assert rows["sampled"].sum() == 40
    assert 40 < record["embedded"] < record["points"] == 96
    places = rows.set_index(["image_id", "layer"])["x"]
    listed = pd.MultiIndex.from_frame(found.failures[["image_id", "layer"]])
    assert places.loc[listed].notna().all()
    assert len(found.points) == 40
    assert found.concepts.loc[found.concepts["concept"] == "class", "size"].sum() == 40


def test_what_is_missing_is_said(tmp_path):
    run, designs, layers = write_run(tmp_path, count=4)
    given = {"kinds": KINDS, "scores": ["msr"], "coverage": 0.9, "seed": 1}
    about = {"about": {"run": {"p_art": "0"}, "titles": {}, "classes": []}}

    def tried():
        from sourcebench.explorer.explore import explore

        explore(tmp_path / "out", run, designs, layers, **given, **about)

    (run / "run.json").write_text(json.dumps({"method_entry": {"kind": "deep_gamblers"}}))
    with pytest.raises(SourceBenchError, match=r"no score in experiment\.confidence"):
        tried()
    (run / "run.json").write_text("{}")
    kept = dict(np.load(run / "features.npz"))
    np.savez(run / "features.npz", **{name: values[1:] for name, values in kept.items()})
    with pytest.raises(SourceBenchError, match=r"are of other images; delete both"):
        tried()
    (run / "features.npz").write_bytes(b"PK")
    with pytest.raises(SourceBenchError, match=r"features.npz cannot be read"):
        tried()
    (run / "features.npz").unlink()
    with pytest.raises(SourceBenchError, match=r"features.npz is missing.*predictions.parquet"):
        tried()
