"""The design's invariants, for any data: nested, stratified, patient-disjoint, exact shares."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sourcebench import design
from sourcebench.apportionment import interleave
from sourcebench.design import Design
from sourcebench.design.audit import audit
from sourcebench.errors import SourceBenchError

SHARES = [0, 0.1, 0.2, 0.5, 0.8, 1]


def make_manifest(n_patients, most_images, positive, carriers, seed):
    """A manifest with patients of one to `most_images` images, patient-disjoint by role."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(n_patients):
        role = "test" if rng.random() < 0.3 else "dev"
        sex = "F" if rng.random() < carriers else "M"
        for image in range(rng.integers(1, most_images + 1)):
            label = int(rng.random() < positive)
            rows.append((f"{patient:08d}_{image:03d}.png", patient, label, role, sex))
    return pd.DataFrame(rows, columns=["image_id", "patient_id", "label", "role", "sex"])


manifests = st.builds(
    make_manifest,
    n_patients=st.integers(60, 200),
    most_images=st.integers(1, 4),
    positive=st.floats(0.3, 0.6),
    carriers=st.just(0.5),
    seed=st.integers(0, 10_000),
)
folds = st.sampled_from([(3, 0.2), (5, 0.1), (5, 0.2), (4, 0.25)])


def designed(manifest, shape, carrier=None, shifts=()):
    count, fraction = shape
    common = {"val_fraction": fraction, "seed": 7, "name": "t", "shifts": shifts}
    try:
        made = design.build(manifest, folds=count, confounder="tag", carrier=carrier, **common)
    except SourceBenchError:
        assume(False)  # too few of some class to be in every fold
    return made


def build(manifest, shape, carrier=None):
    return designed(manifest, shape, carrier).images


def rows_of(made, share, name):
    """The rows of a test set."""
    rows = design.test(made.tests, share)
    return rows[rows["test_set"] == name].reset_index(drop=True)


@settings(max_examples=40, deadline=None)
@given(manifests, folds, st.booleans())
def test_no_patient_is_on_two_sides(manifest, shape, sampled):
    made = designed(manifest, shape, ("sex", "F") if sampled else None)
    design.check(made, "t")
    found = audit(design.long_form(made, SHARES))
    assert (found[["train_val", "train_test", "val_test", "leaked"]] == 0).all(axis=None)
    assert set(found["verdict"]) == {"patient-disjoint"}
    assert not set(made.tests["patient_id"]) & set(
        made.images.loc[made.images["fold_1"] != "", "patient_id"]
    )


@settings(max_examples=40, deadline=None)
@given(manifests, folds)
def test_designs_are_nested(manifest, shape):
    table = build(manifest, shape)
    carriers = []
    for share in SHARES:
        rows = design.development(table, share, 1)
        carriers.append(set(rows.loc[rows["artifact"], "image_id"]))
    assert all(small <= large for small, large in itertools.pairwise(carriers))
    positives = set(table.loc[(table["label"] == 1) & (table["role"] == "dev"), "image_id"])
    assert carriers[0] == set()
    assert carriers[-1] == positives


@settings(max_examples=40, deadline=None)
@given(manifests, folds)
def test_fractions_of_the_training_set_are_nested_and_stratified(manifest, shape):
    table = build(manifest, shape)
    count, _ = shape
    for fold in range(1, count + 1):
        whole = design.development(table, 0.5, fold)
        patients = whole[whole["part"] == "train"].groupby("patient_id")["label"].max()
        smaller = set()
        for fraction in (0.05, 0.1, 0.5):
            rows = design.development(table, 0.5, fold, fraction)
            assert set(rows.loc[rows["part"] == "val", "image_id"]) == set(
                whole.loc[whole["part"] == "val", "image_id"]
            )
            chosen = set(rows.loc[rows["part"] == "train", "patient_id"])
            assert smaller <= chosen
            smaller = chosen
            for label in (0, 1):
                stratum = set(patients.index[patients == label])
                assert abs(len(chosen & stratum) - fraction * len(stratum)) <= 2
        mine = whole[(whole["part"] == "train") & whole["patient_id"].isin(chosen)]
        assert set(mine["image_id"]) == set(rows.loc[rows["part"] == "train", "image_id"])


@settings(max_examples=40, deadline=None)
@given(manifests, folds, st.floats(0, 1))
def test_shares_are_exact(manifest, shape, share):
    """Overall to rounding; in each fold's two sets, and in the test set, to within one image."""
    made = designed(manifest, shape)
    for fold in range(1, shape[0] + 1):
        rows = design.development(made.images, share, fold)
        positives = rows[rows["label"] == 1]
        assert abs(positives["artifact"].sum() - share * len(positives)) <= 0.5 + 1e-9
        validation = positives[positives["part"] == "val"]
        assert abs(validation["artifact"].sum() - share * len(validation)) <= 1 + 1e-9
        assert not rows.loc[rows["label"] == 0, "artifact"].any()
    test = rows_of(made, share, "iid")
    positives = test[test["label"] == 1]
    assert abs(positives["artifact"].sum() - share * len(positives)) <= 0.5 + 1e-9


@settings(max_examples=40, deadline=None)
@given(manifests, folds)
def test_folds_are_stratified(manifest, shape):
    """Every validation set has its share of each class, to within a patient's images."""
    count, fraction = shape
    table = build(manifest, shape)
    development = table[table["role"] == "dev"]
    largest = development.groupby("patient_id").size().max()
    total = development["label"].value_counts()
    in_any = pd.Series(0, index=development.index)
    for fold in range(1, count + 1):
        chosen = development[f"fold_{fold}"] == "val"
        in_any += chosen
        sizes = development.loc[chosen, "label"].value_counts()
        assert (abs(sizes - fraction * total) <= largest + 1).all()
    assert in_any.max() == 1  # the validation sets are disjoint
    assert (table.loc[table["role"] == "test", design.fold_columns(table)] == "").all(axis=None)


@settings(max_examples=40, deadline=None)
@given(manifests, folds, st.floats(0, 1))
def test_sampling_keeps_the_number_of_positives(manifest, shape, share):
    """A confounder made by sampling swaps positives without the attribute for some with it."""
    table = build(manifest, shape, ("sex", "F"))
    sex = manifest.set_index("image_id")["sex"]
    rows = design.development(table, share, 1)
    assert (rows["artifact"] == (rows["image_id"].map(sex) == "F")).all()
    assert not rows.loc[rows["label"] == 0, "artifact"].any()
    pool = table[(table["role"] == "dev") & (table["label"] == 1)]
    carriers = (pool["image_id"].map(sex) == "F").sum()
    others = len(pool) - carriers
    expected = share * carriers + (1 - share) * others
    assert abs(rows["label"].sum() - expected) <= 1 + 1e-9


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_every_beginning_holds_each_cells_share(sizes):
    """Tijdeman's bound, for every number of steps at once."""
    order = interleave(sizes)
    counts = np.cumsum(np.eye(len(sizes))[order], axis=0)
    assert list(counts[-1]) == sizes
    steps = np.arange(1, sum(sizes) + 1)
    error = np.abs(counts - np.outer(steps, np.array(sizes) / sum(sizes)))
    bound = 1 - 1 / (2 * len(sizes) - 2) if len(sizes) > 1 else 0
    assert error.max() <= bound + 1e-9


def test_test_sets():
    manifest = make_manifest(200, 2, 0.4, 0.5, 1)
    made = designed(manifest, (5, 0.2))
    ood, clean, carrying = (rows_of(made, 0.5, name) for name in ("ood", "clean", "artifact"))
    assert (ood["artifact"] == (ood["label"] == 0)).all()
    assert (ood["layer"] == np.where(ood["artifact"], "tag", "none")).all()
    assert not clean["artifact"].any()
    assert set(clean["layer"]) == {"none"}
    assert carrying["artifact"].all()
    assert set(carrying["layer"]) == {"tag"}
    everyone = made.images.loc[made.images["role"] == "test", "image_id"]
    assert list(clean["image_id"]) == list(ood["image_id"]) == list(everyone)
    assert list(carrying["image_id"]) == list(everyone)
    sampled = designed(manifest, (5, 0.2), ("sex", "F"))
    sex = manifest.set_index("image_id")["sex"]
    ood = rows_of(sampled, 1, "ood")
    assert set(ood.loc[ood["label"] == 1, "image_id"].map(sex)) == {"M"}
    assert set(ood.loc[ood["label"] == 0, "image_id"].map(sex)) == {"F"}
    everyone = set(sampled.images.loc[sampled.images["role"] == "test", "image_id"])
    for name, value in (("clean", "M"), ("artifact", "F")):
        images = set(rows_of(sampled, 1, name)["image_id"])
        assert images == {image for image in everyone if sex[image] == value}
    assert set(sampled.tests["layer"]) == {"none"}  # an attribute is not drawn


@settings(max_examples=30, deadline=None)
@given(manifests, folds, st.booleans(), st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
def test_the_iid_test_set_is_nested_and_an_image_is_in_it_once(manifest, shape, sampled, shares):
    made = designed(manifest, shape, ("sex", "F") if sampled else None)
    less, more = (rows_of(made, share, "iid") for share in shares)
    for rows in (less, more):
        assert rows["image_id"].is_unique
        assert not rows.loc[rows["label"] == 0, "artifact"].any()
    carriers = [set(rows.loc[rows["artifact"], "image_id"]) for rows in (less, more)]
    assert carriers[0] <= carriers[1]
    others = [set(rows.loc[~rows["artifact"], "image_id"]) for rows in (less, more)]
    assert others[1] <= others[0]
    if not sampled:
        assert list(less["image_id"]) == list(more["image_id"])


@settings(max_examples=20, deadline=None)
@given(manifests, folds, st.booleans(), st.sampled_from(SHARES))
def test_the_other_test_sets_do_not_depend_on_the_share(manifest, shape, sampled, share):
    made = designed(manifest, shape, ("sex", "F") if sampled else None)
    for name in ("ood", "clean", "artifact"):
        pd.testing.assert_frame_equal(rows_of(made, share, name), rows_of(made, 0, name))


BLUR = [design.Shifted("blur_1", "blur", 1), design.Shifted("blur_2", "blur", 2)]


@settings(max_examples=20, deadline=None)
@given(manifests, folds, st.booleans())
def test_a_shift_is_one_more_test_set_and_changes_nothing_else(manifest, shape, sampled):
    carrier = ("sex", "F") if sampled else None
    plain, more = designed(manifest, shape, carrier), designed(manifest, shape, carrier, BLUR)
    pd.testing.assert_frame_equal(more.images, plain.images)
    before = more.tests[more.tests["severity"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(before, plain.tests)
    clean = rows_of(plain, 0.5, "clean")
    assume(
        len(clean)
    )  # sampled images of a small test set may be of one class without an attribute
    for shift in BLUR:
        rows = rows_of(more, 0.5, shift.test_set)
        assert list(rows["image_id"]) == list(clean["image_id"])
        assert set(rows["layer"]) == {shift.test_set}
        assert not rows["artifact"].any()
    added = more.tests[more.tests["severity"] > 0]
    assert set(zip(added["test_set"], added["family"], added["severity"], strict=True)) == set(BLUR)


def test_without_a_confounder_there_is_one_test_set():
    manifest = make_manifest(200, 2, 0.4, 0.5, 1)
    made = design.build(manifest, folds=3, val_fraction=0.2, seed=7, name="t", shifts=BLUR)
    assert list(made.tests["test_set"].unique()) == ["clean", "blur_1", "blur_2"]
    assert set(design.development(made.images, 0, 1)["layer"]) == {"none"}


def test_the_same_seed_gives_the_same_design_and_another_does_not():
    manifest = make_manifest(100, 2, 0.4, 0.5, 1)
    first, again = build(manifest, (5, 0.1)), build(manifest, (5, 0.1))
    pd.testing.assert_frame_equal(first, again)
    other = design.build(manifest, folds=5, val_fraction=0.1, seed=8, name="t").images
    assert not first["fold_1"].equals(other["fold_1"])


def test_fewer_patients_than_folds():
    manifest = make_manifest(4, 1, 0.5, 0.5, 3).assign(role="dev")
    with pytest.raises(SourceBenchError, match=r"4 patients, too few for 5 folds"):
        design.build(manifest, folds=5, val_fraction=0.1, seed=1, name="t")


def test_a_class_missing_in_a_fold():
    manifest = make_manifest(40, 1, 0.5, 0.5, 3).assign(role="dev", label=0)
    manifest.loc[:2, "label"] = 1
    with pytest.raises(SourceBenchError, match="no image of some class"):
        design.build(manifest, folds=5, val_fraction=0.1, seed=1, name="t")


def test_a_leak_is_an_error():
    table = build(make_manifest(100, 1, 0.4, 0.5, 1), (5, 0.1))
    tests = pd.DataFrame(columns=["patient_id"], dtype=str)
    leaky = table.copy()
    dev = leaky[leaky["role"] == "dev"]
    test_row = leaky.index[leaky["role"] == "test"][0]
    leaky.loc[test_row, "patient_id"] = dev["patient_id"].iloc[0]
    with pytest.raises(SourceBenchError, match="1 patient is in both the development and"):
        design.check(Design(leaky, tests), "t")
    leaky = table.copy()
    one_val = dev.index[dev["fold_1"] == "val"][0]
    one_train = dev.index[dev["fold_1"] == "train"][0]
    leaky.loc[one_val, "patient_id"] = leaky.loc[one_train, "patient_id"]
    with pytest.raises(SourceBenchError, match="train and val of fold_1"):
        design.check(Design(leaky, tests), "t")


def test_tables_read_back_are_the_same(tmp_path):
    manifest = make_manifest(100, 2, 0.4, 0.5, 1).astype({"patient_id": "str"})
    made = designed(manifest, (5, 0.1), shifts=[design.Shifted("NA", "NA", 1)])
    paths = [tmp_path / "images.csv", tmp_path / "tests.csv"]
    for table, path in zip(made, paths, strict=True):
        table.to_csv(path, index=False)
    for table, back in zip(made, design.read(*paths), strict=True):
        pd.testing.assert_frame_equal(back, table, check_dtype=False)
