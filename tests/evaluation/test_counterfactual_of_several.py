"""What an artifact does to answers of several classes, whichever of them it goes with."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from sourcebench.evaluation.counterfactual import ALL, MANY, OTHERS, counterfactual
from sourcebench.evaluation.encoded_used_paid import encoded_used_paid
from sourcebench.evaluation.evidence import Evidence, _rarest
from sourcebench.evaluation.leaderboard import leaderboard
from sourcebench.seeds import generator
from synthetic_predictions import write_run

PULL, CONFOUNDED = 1.5, 2


def evidence_of(folder, classes, per_class=4):
    """Two networks: what the second sees of the artifact, it takes for the confounded class."""
    label = np.repeat(np.arange(classes), per_class)
    ids = [f"{i:03}" for i in range(len(label))]
    carried = {
        "iid": (label == CONFOUNDED), "ood": (label != CONFOUNDED),
        "clean": np.zeros(len(label), bool), "artifact": np.ones(len(label), bool),
    }  # fmt: skip
    folders = []
    for p_art in (0.0, 1.0):
        rng = generator("several", classes, p_art)
        knows = rng.normal(size=(len(label), classes)) + 2 * np.eye(classes)[label]
        parts = []
        for test_set, artifact in carried.items():
            logits = knows.copy()
            logits[:, CONFOUNDED] += p_art * PULL * artifact
            part = {"image_id": ids, "patient_id": ids, "label": label.astype(np.int8)}
            part |= {"test_set": test_set, "artifact": artifact, "probe": np.float32(artifact)}
            part |= {f"logit_{k}": logits[:, k].astype(np.float32) for k in range(classes)}
            parts.append(pd.DataFrame(part))
        name = "tag" if p_art else "none"
        place = {"task": "cells", "source": "one", "arch": "net", "fold": 1}
        made = pd.concat(parts, ignore_index=True)
        place |= {"confounder": name, "p_art": p_art}
        folders.append(write_run(folder / name, {"tag": made}, **place))
    return Evidence.of(folders, "tag", draws=60)


@pytest.mark.parametrize("classes", [3, MANY + 5])
def test_the_effect_is_that_on_the_class_that_the_artifact_goes_with(tmp_path, classes):
    evidence = evidence_of(tmp_path, classes)
    assert evidence.confounded == CONFOUNDED
    table = counterfactual(evidence)
    kinds = [OTHERS, str(CONFOUNDED)] if classes > MANY else [str(k) for k in range(classes)]
    assert set(table["class"]) == {*kinds, ALL}
    pulled = table[table["p_art"] == 1]
    assert pulled["log_odds"].to_numpy() == pytest.approx(PULL, abs=1e-5)
    assert (table.loc[table["p_art"] == 0, "log_odds"] == 0).all()
    names = [f"logit_{k}" for k in range(classes)]
    where = evidence.runs.reset_index().set_index(["p_art", "test_set"])["index"]
    clean, with_ = (evidence.predictions[where[1.0, name]] for name in ("clean", "artifact"))
    one, other = (softmax(each[names].to_numpy(float), axis=1) for each in (clean, with_))
    label = clean["label"].to_numpy()
    for row in pulled.to_dict("records"):
        of = {OTHERS: label != CONFOUNDED, ALL: label >= 0}.get(row["class"])
        of = label == int(row["class"]) if of is None else of
        assert row["n"] == of.sum()
        change = (other - one)[of, CONFOUNDED]
        assert row["probability"] == pytest.approx(change.mean(), abs=1e-6)
        flipped = other[of].argmax(1) != one[of].argmax(1)
        assert row["flipped"] == pytest.approx(flipped.mean())


def test_tables_of_several_classes_say_nothing_of_positives(tmp_path):
    evidence = evidence_of(tmp_path, 3)
    board = leaderboard(evidence).set_index("score")["value"]
    of_two = ["worst_accuracy", "recall", "specificity", "sensitivity"]
    assert board[of_two].isna().all()
    assert board.drop(of_two).notna().all()
    assert encoded_used_paid(evidence)["used"].notna().all()


@pytest.mark.parametrize(("patients", "expected"), [([9, 9, 9], 13), ([2] * 40, 40), ([5, 50], 5)])
def test_patients_of_a_mean_over_classes_are_satterthwaites(patients, expected):
    """K·(n − 1) + 1 where each class has n, at most half of all; of two classes the fewer."""
    label = np.repeat(np.arange(len(patients)), patients)
    table = pd.DataFrame({"label": label, "patient_id": np.arange(len(label)).astype(str)})
    assert _rarest(table) == expected
