"""CheXpert: its published table, its labels, and its images as they lie on disk."""

import io

import cv2
import numpy as np
import pandas as pd
import pytest

from sourcebench.datasets.base import METADATA_COLUMNS, build
from sourcebench.datasets.chexpert.tables import metadata, published
from sourcebench.datasets.labels import LABELS
from sourcebench.errors import SourceBenchError

FIRST = "train/patient00001/study1/view1_frontal.jpg"
# Irvin et al. 2019, Table 1: positive and uncertain among 187,641 studies
TABLE_1 = {
    "No Finding": (16627, 0), "Enlarged Cardiomediastinum": (9020, 10148),
    "Cardiomegaly": (23002, 6597), "Lung Opacity": (92669, 4341), "Lung Lesion": (6856, 1071),
    "Edema": (48905, 11571), "Consolidation": (12730, 23976), "Pneumonia": (4576, 15658),
    "Atelectasis": (29333, 29377), "Pneumothorax": (17313, 2663),
    "Pleural Effusion": (75696, 9419), "Pleural Other": (2441, 1771), "Fracture": (7270, 484),
    "Support Devices": (105831, 898),
}  # fmt: skip


def put(folder, *names, image=None):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((32, 40), 90, np.uint8) if image is None else image)


def found(folder):
    table, counts = build("c", {"kind": "chexpert", "origin": "phantoms"}).index(
        folder, folder, 1, io.StringIO()
    )
    return table, counts["duplicates"]


def chexpert_labels(table, **values):
    return LABELS.build("chexpert", **values).rows(table)


def test_the_table_is_the_published_one():
    table = published()
    assert len(table) == table["image_id"].nunique() == 223_414
    assert table["patient_id"].nunique() == 64_540
    assert table["image_id"].iloc[0] == FIRST
    assert table["view"].value_counts().to_dict() == {
        "AP": 161_590, "lateral": 32_387, "PA": 29_420, "LL": 16, "RL": 1,
    }  # fmt: skip
    studies = table.groupby(table["image_id"].str.rpartition("/")[0])
    assert len(studies) == 187_641
    for finding, (present, uncertain) in TABLE_1.items():
        stated = studies[finding].first()
        assert studies[finding].last().equals(stated)
        assert ((stated == 1).sum(), (stated == -1).sum()) == (present, uncertain)


def test_rethinks_imbalance_ratios_are_those_of_studies_with_uncertain_as_negative():
    table = metadata()
    table = table[~table["image_id"].str.rpartition("/")[0].duplicated()]
    ratios = {}
    for finding in ("Enlarged Cardiomediastinum", "Lung Lesion", "Pleural Other", "Fracture"):
        labels = chexpert_labels(table, positive=finding, uncertain="zeros")["label"]
        ratios[finding] = round((labels == 0).sum() / (labels == 1).sum(), 1)
    assert list(ratios.values()) == [19.8, 26.4, 75.9, 24.8]  # section 4


def test_metadata_has_every_datasets_columns():
    table = metadata()
    assert list(table) == METADATA_COLUMNS
    first = table.iloc[0]
    assert (first["patient_id"], first["sex"], first["age"], first["view"]) == ("1", "F", 68, "AP")
    assert first["findings"] == "No Finding|Support Devices"
    assert table["sex"].isna().sum() == 1
    assert (table["findings"] == "").sum() == 11_141


@pytest.mark.parametrize(
    ("how", "positive", "negative"),
    [("zeros", 33_376, 190_038), ("ones", 67_115, 156_299), ("ignore", 33_376, 156_299)],
)
def test_what_is_uncertain_becomes_a_class_or_is_left_out(how, positive, negative):
    labelled = chexpert_labels(metadata(), positive="Atelectasis", uncertain=how)
    assert (labelled["label"] == 1).sum() == positive
    assert (labelled["label"] == 0).sum() == negative
    assert len(labelled) == positive + negative
    assert set(METADATA_COLUMNS) < set(labelled)


def test_zeros_is_the_default_and_labels_keep_to_their_rows():
    some = metadata().sample(500, random_state=1)
    labelled = chexpert_labels(some, positive="Edema")
    stated = published().set_index("image_id")["Edema"].reindex(some["image_id"])
    assert list(labelled["image_id"]) == list(some["image_id"])
    assert list(labelled["label"]) == list((stated == 1).astype(int))


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({"positive": "Effusion"}, "positive is 'Effusion'; it must be .*'Pleural Effusion' or"),
        (
            {"positive": "Edema", "uncertain": "maybe"},
            "uncertain is 'maybe'; it must be 'zeros' or",
        ),
        ({"uncertain": "ones"}, "lacks the key 'positive'; it needs: positive"),
    ],
)
def test_labels_that_chexpert_has_not_are_named(spec, word):
    with pytest.raises(SourceBenchError, match=rf"tasks\.mine\.labels.{word}"):
        LABELS.from_entry({"from": "chexpert", **spec}, "tasks.mine.labels")


def test_labels_are_for_chexperts_images_alone():
    other = pd.DataFrame({"image_id": ["00000001_000.png"]})
    with pytest.raises(SourceBenchError, match=r"1 are others \(such as 00000001_000\.png\)"):
        chexpert_labels(other, positive="Edema")


@pytest.mark.parametrize(
    ("layout", "image_id"),
    [
        ("CheXpert-v1.0-small/train/{}", "train/{}"),
        ("train/{}", "train/{}"),
        ("CheXpert-v1.0/valid/{}", "valid/{}"),
        ("CheXpert-v1.0 batch 3 (train 2)/{}", "train/{}"),
        ("CheXpert-v1.0 batch 1 (validate & csv)/valid/{}", "valid/{}"),
        ("{}", "train/{}"),
    ],
)
def test_images_are_found_by_the_end_of_their_paths(tmp_path, layout, image_id):
    tail = "patient00001/study1/view1_frontal.jpg"
    put(tmp_path, layout.format(tail))
    put(tmp_path, "patient00001/notes.jpg", "other/view1_frontal.jpg")
    put(tmp_path, "train/patient00001/study1/._view1_frontal.jpg")
    table, duplicates = found(tmp_path)
    assert table.to_dict("list") == {
        "image_id": [image_id.format(tail)],
        "path": [str(tmp_path / layout.format(tail))],
    }
    assert duplicates == 0


def test_of_two_files_for_one_image_the_first_is_taken_and_links_are_followed(tmp_path):
    tail = "train/patient00002/study1/view2_lateral.jpg"
    put(tmp_path, f"b/{tail}", f"a/{tail}")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    table, duplicates = found(tmp_path)
    assert list(table["path"]) == [str(tmp_path / "a" / tail)]
    assert duplicates == 1
    elsewhere = tmp_path.with_name(f"{tmp_path.name}_link")
    elsewhere.mkdir()
    (elsewhere / "data").symlink_to(tmp_path / "a")
    assert list(found(elsewhere)[0]["image_id"]) == [tail]


def test_a_folder_without_images_or_no_folder_is_named(tmp_path):
    with pytest.raises(SourceBenchError, match="Give the folder that holds CheXpert's images"):
        found(tmp_path)
    with pytest.raises(SourceBenchError, match="does not exist"):
        found(tmp_path / "nowhere")


def test_originals_of_any_size_are_read_as_they_are(tmp_path):
    put(tmp_path, "a.jpg", image=np.full((16, 12), 200, np.uint8))
    image, remarks = build("c", {"kind": "chexpert", "origin": "phantoms"}).read(tmp_path / "a.jpg")
    assert (image.shape, remarks) == ((16, 12), ())


def test_an_entry_is_checked_and_a_download_says_where_to_ask(tmp_path):
    entry = {"kind": "chexpert", "origin": "path", "path": "x"}
    with pytest.raises(SourceBenchError, match=r"datasets\.chest has the key 'fit'"):
        build("chest", entry | {"fit": "crop"})  # which is a task's
    dataset = build("chest", {"kind": "chexpert", "origin": "download"})
    with pytest.raises(SourceBenchError, match=r"datasets\.chest: .* Stanford AIMI"):
        dataset.download(metadata()[:1], tmp_path, io.StringIO())
