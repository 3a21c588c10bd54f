"""Published splits are read as they are, and any splits can be audited."""

import itertools

import pandas as pd
import pytest

from published_files import write, write_published
from sourcebench import design
from sourcebench.design import published as splits
from sourcebench.design.audit import audit
from sourcebench.design.published.files import LONG_COLUMNS
from sourcebench.errors import SourceBenchError


def write_sampled(folder):
    """One fold for each of two shares, with the attribute they were sampled by."""
    negative = [(p, "No Finding", "F") for p in range(100, 104)]
    write(folder / "test.csv", negative + [(p, "Hernia", "M") for p in range(104, 108)], sex=True)
    for share, sex in ((0, "M"), (100, "F")):
        for part, start in (("train", 0), ("val", 10)):
            negative = [(p, "No Finding", "M") for p in range(start, start + 4)]
            positive = [(p + share, "Hernia", sex) for p in range(start + 4, start + 8)]
            write(folder / f"F_{share}" / f"{part}_fold1.csv", negative + positive, sex=True)


def test_published_splits_are_read_as_they_are(tmp_path):
    write_published(tmp_path)
    table = splits.read(tmp_path, "YES")
    assert list(table.columns) == LONG_COLUMNS
    assert table.groupby(["fold", "part"], dropna=False).size().to_dict().keys()
    sizes = table.value_counts(["part", "fold"], dropna=False)
    assert sizes["train", 1] == 20
    assert sizes["val", 2] == 4
    assert (table["part"] == "test").sum() == 8
    assert (table["label"] == table["patient_id"].astype(int) % 2).all()


@pytest.mark.parametrize("leaks", [0, 1, 3])
def test_the_audit_counts_shared_patients(tmp_path, leaks):
    write_published(tmp_path, leaks)
    found = audit(splits.read(tmp_path, "YES"))
    assert list(found["train_test"]) == [leaks, leaks]
    assert list(found["leaked"]) == [leaks, leaks]
    assert list(found["train_val"]) == [0, 0]
    assert found.loc[0, "n_test"] == 8
    assert found.loc[0, "positive_test"] == 0.5
    expected = f"{leaks} patients are in development and test" if leaks else "patient-disjoint"
    assert set(found["verdict"]) == {expected}


def test_the_audit_tells_no_share_of_positives_among_three_classes(tmp_path):
    write_published(tmp_path)
    table = splits.read(tmp_path, "YES")
    found = audit(table.assign(label=table["patient_id"].astype(int) % 3))
    assert found[["positive_train", "positive_val", "positive_test"]].isna().all(axis=None)
    assert list(found["n_test"]) == [8, 8]


def test_a_design_from_published_splits_keeps_their_folds(tmp_path):
    write_published(tmp_path)
    published = splits.read(tmp_path, "YES")
    made = splits.build(published, seed=1, name="t")
    table = made.images
    for fold, part in itertools.product((1, 2), ("train", "val")):
        rows = published[(published["fold"] == fold) & (published["part"] == part)]
        run = design.development(table, 1, fold)
        assert set(run.loc[run["part"] == part, "image_id"]) == set(rows["image_id"])
        assert (run["artifact"] == (run["label"] == 1)).all()
    design.check(made, "t")


def test_a_design_from_leaking_splits_is_refused(tmp_path):
    write_published(tmp_path, leaks=2)
    made = splits.build(splits.read(tmp_path, "YES"), seed=1, name="t")
    with pytest.raises(SourceBenchError, match=r"2 patients .* 'leaks: accept'"):
        design.check(made, "t")


def test_an_image_that_a_fold_leaves_out_is_left_out(tmp_path):
    write_published(tmp_path)
    train = pd.read_csv(tmp_path / "train_fold1.csv", index_col=0)
    train.iloc[2:].to_csv(tmp_path / "train_fold1.csv")
    made = splits.build(splits.read(tmp_path, "YES"), seed=1, name="t")
    paths = [tmp_path / "images.csv", tmp_path / "tests.csv"]
    for table, path in zip(made, paths, strict=True):
        table.to_csv(path, index=False)
    for one in (made.images, design.read(*paths).images):
        assert len(design.development(one, 0.5, 1)) == 22  # 18 for training, 4 for validation
        assert len(design.development(one, 0.5, 2)) == 24
        assert set(design.development(one, 0.5, 1)["part"]) == {"train", "val"}


def test_fewer_folds_than_the_experiment_wants(tmp_path):
    write_published(tmp_path)
    table = splits.build(splits.read(tmp_path, "YES"), seed=1, name="t").images
    splits.require_folds(table, 2, "t")
    with pytest.raises(SourceBenchError, match=r"t: the published splits have 2 folds, fewer"):
        splits.require_folds(table, 5, "t")


def test_splits_that_depend_on_the_share(tmp_path):
    write_sampled(tmp_path)
    published = splits.read(tmp_path, "Hernia")
    assert sorted(published["p_art"].dropna().unique()) == [0, 1]
    made = splits.build(published, seed=1, name="t", carrier=("sex", "F"))
    for share in (0, 1):
        rows = design.development(made.images, share, 1)
        assert len(rows) == 16
        assert rows["artifact"].sum() == (8 if share else 0)
    assert len(design.development(made.images, 0.5, 1)) == 0
    # The reference published no i.i.d. test set, and of this one 'clean' would be all
    # positive, and 'artifact' all negative.
    assert design.test(made.tests, 1)["test_set"].tolist() == 8 * ["ood"]


def test_splits_and_confounder_must_fit_together(tmp_path):
    write_sampled(tmp_path / "sampled")
    write_published(tmp_path / "plain")
    with pytest.raises(SourceBenchError, match="do not fit together"):
        splits.build(splits.read(tmp_path / "sampled", "Hernia"), seed=1, name="t")
    plain = splits.read(tmp_path / "plain", "YES")
    with pytest.raises(SourceBenchError, match="do not fit together"):
        splits.build(plain, seed=1, name="t", carrier=("sex", "F"))


def test_file_names():
    assert splits.file_names(1) == ["test.csv", "train_fold1.csv", "val_fold1.csv"]
    names = splits.file_names(5, [0, 0.1, 1])
    assert len(names) == 1 + 3 * 2 * 5
    assert "F_10/val_fold5.csv" in names


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(SourceBenchError, match=r"test\.csv, which is not there"):
        splits.read(tmp_path, "YES")
    write(tmp_path / "test.csv", [(1, "YES"), (2, "NO")])
    with pytest.raises(SourceBenchError, match="No train_fold"):
        splits.read(tmp_path, "YES")
    with pytest.raises(SourceBenchError, match=r"\['NO', 'YES'\], none of which .* 'Mass'"):
        splits.read(tmp_path, "Mass")
    pd.DataFrame({"path": ["a.png"], "class": ["YES"]}).to_csv(tmp_path / "test.csv")
    with pytest.raises(SourceBenchError, match="lacks the column 'pid'"):
        splits.read(tmp_path, "YES")
    write(tmp_path / "test.csv", [(1, "YES"), (2, None)])
    with pytest.raises(SourceBenchError, match="no class in line 3"):
        splits.read(tmp_path, "YES")
