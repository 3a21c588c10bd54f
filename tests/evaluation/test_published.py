"""Published numbers are the paper's, and are compared with studies that do the same, alone."""

import copy
from math import sqrt

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT, merged
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.contrasts import contrast
from sourcebench.evaluation.intervals import Interval, mean_ci
from sourcebench.evaluation.published import PAPERS, read
from sourcebench.evaluation.published.ours import CELL
from sourcebench.evaluation.published.table import COLUMNS, published_table
from sourcebench.study import Study
from synthetic_runs import NOISE, PUBLISHED, synthetic_runs
from synthetic_tables import synthetic_tables

PAPER = read(PAPERS["source_matters"])
MEANS = {
    (each["task"], each["confounder"], each["source"]): tuple(each["means"].values())
    for each in PAPER["figures"]
}
STUDY = Study.of(merged({}))
TABLES = synthetic_tables(p_art=(0, 1))
RUNS = synthetic_runs(p_art=(0, 0.1, 1), folds=2)
NOTHING = {"curves": [], "points": [], "trends": [], "efforts": []}


def of(key, value):
    """What the default study with one value changed can be compared with."""
    overlay = value
    for part in reversed(key.split(".")):
        overlay = {part: overlay}
    return Study.of(merged(overlay)).published


def sizes(published):
    return len(published["curves"]), len(published["trends"])


def test_the_means_are_the_papers():
    assert len(PAPER["figures"]) == len(MEANS) == 22
    assert {key: MEANS[key] for key in PUBLISHED} == PUBLISHED
    for (task, confounder, source), means in NOISE.items():
        name = "ct_xray_noise" if confounder == "xray_noise" else confounder
        assert MEANS[task, name, source] == means
    assert MEANS["ct_nodule", "tag", "imagenet"] == (0.84, 0.02)
    assert MEANS["ct_nodule", "tag", "radimagenet"] == (0.84, 0.22)
    assert MEANS["ct_nodule", "denoise", "imagenet"] == (0.70, 0.01)
    assert MEANS["ct_nodule", "denoise", "radimagenet"] == (0.83, 0.60)
    assert all(tuple(each["means"]) == (0.0, 1.0) for each in PAPER["figures"])
    of_what = {(each["arch"], each["test_set"], each["metric"]) for each in PAPER["figures"]}
    assert of_what == {("resnet50", "ood", "auc_keras")}


def test_a_mean_is_as_exact_as_it_is_written():
    """The paper's text has "0.7" and "0.6" beside means of two digits."""
    written = {
        (each["task"], each["confounder"], each["source"], p_art): off
        for each in PAPER["figures"]
        for p_art, off in each["accuracy"].items()
    }
    coarse = {key for key, off in written.items() if off == 0.05}
    place = ("ct_nodule", "denoise")
    assert coarse == {(*place, "imagenet", 0.0), (*place, "radimagenet", 1.0)}
    assert {off for key, off in written.items() if key not in coarse} == {0.02, 0.005}
    curves = {(each["task"], each["confounder"], each["source"]): each["means"]
              for each in STUDY.published["curves"]}  # fmt: skip
    assert curves[*place, "imagenet"] == [(0.0, 0.7, 0.05), (1.0, 0.01, 0.005)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda paper: paper.pop("title"), "lacks the key 'title'"),
        (lambda paper: paper["figures"][0].update(means={0: 0.5, 2: 0.1}), "p_art from 0 to 1"),
        (lambda paper: paper["figures"][0]["means"].update({1: 86}), "is 86; .* at most 1"),
        (lambda paper: paper["figures"][3].update(task="mass"), "figures.3.task has 'mass'"),
        (lambda paper: paper["figures"][0].update(accuracy={0.5: 0.1}), "accuracy has '0.5'"),
        (lambda paper: paper["folds"][0].update(stated="text"), "folds.0.stated has 'text'"),
        (lambda paper: paper["trends"][0].update(claim="none"), "claim is 'none'; .* loses less"),
        (lambda paper: paper["trends"][1]["than"].update(source="x"), r"trends.1.than.source has"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(change, message, tmp_path):
    paper = yaml.safe_load(PAPERS["source_matters"].read_text())
    change(paper)
    path = tmp_path / "paper.yaml"
    path.write_text(yaml.safe_dump(paper))
    with pytest.raises(SourceBenchError, match=rf"paper\.yaml: .*{message}"):
        read(path)


def test_the_papers_study_is_compared_in_all():
    assert sizes(STUDY.published) == (len(PAPER["figures"]), len(PAPER["trends"])) == (22, 24)
    assert {each["splits"] for each in STUDY.published["curves"]} == {"own"}
    assert {each["source"] for each in STUDY.published["curves"]} == set(PAPER["weights"])
    assert STUDY.style["published"] == STUDY.published["curves"]


@pytest.mark.parametrize(
    "name", ["demo", "rethink", "rethink_demo", "silent_failures", "shifts_demo"]
)
def test_other_studies_are_not_compared(name):
    config = merged(yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    assert Study.of(config).published == NOTHING


@pytest.mark.parametrize(
    ("key", "value", "left"),
    [
        ("datasets.nih_cxr14.origin", "phantoms", {"ct_nodule"}),
        ("tasks.cxr_mass.input_size", 256, {"ct_nodule", "cxr_atelectasis"}),
        ("tasks.cxr_mass.samples.positive", 0.5, {"ct_nodule", "cxr_atelectasis"}),
        ("training.epochs", 5, set()),
        ("experiment.archs", ["densenet121"], set()),
        ("experiment.p_art", [0, 0.5], set()),
        ("experiment.tasks", ["cxr_mass"], {"cxr_mass"}),
    ],
)
def test_what_is_not_as_in_the_paper_is_not_compared(key, value, left):
    found = of(key, value)
    assert {each["task"] for each in found["curves"]} == left
    losses = [each for each in found["trends"] if each["claim"].startswith("loses")]
    assert {each["task"] for each in losses} == left


def test_the_confounders_parameters_count():
    smaller = of("confounders.tag.size", 32)
    assert {each["confounder"] for each in smaller["curves"]} == {*STUDY.confounders} - {
        "tag", "noise_levels",
    }  # fmt: skip
    both = {each["confounder"] for each in of("confounders.noise.n0", "1e6")["trends"]}
    assert both == {*STUDY.confounders} - {"noise"}
    than = {each["than"]["confounder"] for each in of("confounders.noise.n0", "1e6")["trends"]}
    assert than == both  # 'noise_levels' is not compared with 'noise'


def test_what_is_said_of_one_p_art_needs_no_other():
    found = of("experiment.p_art", [0, 0.5])
    assert {tuple(each["p_art"]) for each in found["trends"]} == {(0.0,)}
    assert {each["p_art"] for each in found["points"]} == {0.0, 0.5}
    few = of("experiment.p_art", [0, 0.5, 1])["curves"]
    assert {p for each in few for p, _, _ in each["means"]} == {0.0, 0.5, 1.0}


def test_published_splits_are_known():
    config = copy.deepcopy(merged({}))
    task = config["tasks"]["cxr_mass"]
    for key in ("labels", "view", "samples", "val_fraction"):
        del task[key]
    task["splits"] = "published_mass"
    found = Study.of(config).published
    splits = {each["task"]: each["splits"] for each in found["curves"]}
    assert splits == {"cxr_mass": "published", "ct_nodule": "own", "cxr_atelectasis": "own"}


def test_the_papers_own_weights_go_before_others():
    sources = ["imagenet", "imagenet_keras", "radimagenet", "random"]
    found = of("experiment.sources", sources)
    used = {each["source"] for each in found["curves"]}
    assert used == {"imagenet_keras", "radimagenet", "random"}
    assert {each["than"]["source"] for each in found["trends"]} == used - {"random"}


def test_a_contrast_of_symmetrical_intervals_is_the_textbooks():
    terms = [Interval(0.9, 0.8, 1.0), Interval(0.5, 0.45, 0.55), Interval(0.2, 0.0, 0.4)]
    total, low, high = contrast(terms, [1, -1, 1])
    half = sqrt(0.1**2 + 0.05**2 + 0.2**2)
    assert (total, low, high) == pytest.approx((0.6, 0.6 - half, 0.6 + half))


def test_a_contrast_takes_the_bound_that_matters():
    skewed, still = Interval(0.95, 0.80, 0.98), Interval(0.5, 0.5, 0.5)
    assert contrast([skewed, still], [1, -1]) == pytest.approx((0.45, 0.30, 0.48))
    assert contrast([still, skewed], [1, -1]) == pytest.approx((-0.45, -0.48, -0.30))
    assert np.isnan(contrast([skewed, Interval(0.5, np.nan, np.nan)], [1, -1]).low)


def test_a_contrast_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    means, signs, held = (0.85, 0.2, 0.85, 0.6), (1, -1, -1, 1), []
    for _ in range(400):
        folds = [rng.beta(60 * m, 60 * (1 - m), 5) for m in means]
        _, low, high = contrast([mean_ci(each) for each in folds], signs)
        held.append(low <= np.dot(means, signs) <= high)
    assert 0.92 <= np.mean(held) <= 1  # Student's t of four freedoms each makes it a little wide


def told(width, turn=lambda mean: mean):
    """A summary that says what the paper does, or a turn of it, and intervals of a width."""
    curves = {(*(each[name] for name in CELL), p): mean
              for each in STUDY.published["curves"] for p, mean, _ in each["means"]}  # fmt: skip
    gender = ("cxr_atelectasis", "gender"), ("resnet50", "ood", "auc_keras")
    for p in (0.1, 0.2, 0.5, 0.8):  # 0.12 on average, with the 0.06 at p_art = 1
        above = curves[*gender[0], "imagenet", *gender[1], p] + 0.135
        curves[*gender[0], "radimagenet", *gender[1], p] = above
    levels = [(cell, p) for cell in STUDY.published["trends"] for p in cell["p_art"]]
    for trend, p in levels:
        for cell in (trend, trend["than"]):
            curves.setdefault((*(cell[name] for name in CELL), p), 0.9)
    rows = [[*key, turn(m), turn(m) - width, turn(m) + width] for key, m in curves.items()]
    return pd.DataFrame(rows, columns=[*CELL, "p_art", "mean", "low", "high"]).assign(skilled="yes")


def compared(summary, published=STUDY.published):
    return published_table(summary, RUNS, published)


def row(table, confounder, source, statement, task="cxr_mass"):
    """The one row with that statement."""
    place = (table["task"] == task) & (table["confounder"] == confounder)
    place &= (table["source"] == source) & (table["statement"] == statement)
    (found,) = table[place].to_dict("records")
    return found


def test_the_numbers_by_hand():
    table = compared(told(0.0301))
    tag = row(table, "tag", "imagenet", "falls")
    assert (tag["published_from"], tag["published_to"], tag["published"]) == (0.86, 0.0, -0.86)
    half = 0.0301 * sqrt(2)
    assert (tag["low"], tag["high"]) == pytest.approx((-0.86 - half, -0.86 + half))
    assert row(table, "tag", "random", "stays")["published"] == pytest.approx(0.01)
    less = row(table, "tag", "radimagenet", "loses less than imagenet")
    assert (less["published"], less["ours"]) == pytest.approx((0.86 - 0.41, 0.86 - 0.41))
    assert less["high"] - less["low"] == pytest.approx(4 * 0.0301)  # sqrt(4) of them, both sides
    noise = row(table, "noise", "radimagenet", "loses as much as imagenet")
    assert noise["published"] == pytest.approx(0.82 - 0.78)
    assert noise["agrees"] == "unclear"  # 0.04 ± 0.06 may be over 0.1
    nearer = compared(told(0.02))
    assert row(nearer, "noise", "radimagenet", "loses as much as imagenet")["agrees"] == "yes"
    levels = row(table, "ct_xray_noise", "imagenet", "loses less than with ct_noise", "ct_nodule")
    assert levels["ours"] == pytest.approx((0.81 - 0.14) - (0.82 - 0.50))


def test_the_contrary_is_a_no_and_wide_intervals_are_unclear():
    contrary = compared(told(0.001, lambda mean: 1 - mean))
    assert row(contrary, "tag", "imagenet", "falls")["agrees"] == "no"
    assert row(contrary, "tag", "imagenet", "falls")["inside"] == "no"
    assert row(contrary, "tag", "radimagenet", "loses less than imagenet")["agrees"] == "no"
    wide = compared(told(0.8))
    means = wide["published_p"].isna() & (wide["metric"] == "auc_keras")
    assert set(wide["agrees"][means]) == {"unclear"}
    assert set(wide["inside"]) == {"yes", ""}
    single = compared(told(np.nan))
    assert set(single["agrees"][means]) == {"unclear"}
    assert set(single["inside"]) == {""}
    assert row(single, "tag", "imagenet", "falls")["ours"] == pytest.approx(-0.86)


def test_cells_of_further_axes_do_not_count():
    probe = told(0.001, lambda mean: 1 - mean).assign(transfer="probe", fraction=1.0)
    few = told(0.001, lambda mean: 1 - mean).assign(transfer="full", fraction=0.1)
    mixed = pd.concat([probe, told(0.001).assign(transfer="full", fraction=1.0), few])
    pd.testing.assert_frame_equal(compared(mixed), compared(told(0.001)))


def test_of_runs_it_says_what_their_means_are():
    cells, runs = TABLES["summary"], TABLES["runs"]
    table = published_table(cells, runs, STUDY.published)
    cell = (runs["confounder"] == "gender") & (runs["source"] == "imagenet")
    means = runs[cell & (runs["test_set"] == "ood")].groupby("p_art")["auc_keras"].mean()
    gender = row(table, "gender", "imagenet", "falls", "cxr_atelectasis")
    assert (gender["from"], gender["to"]) == pytest.approx(tuple(means))
    assert (gender["agrees"], gender["skilled"]) == ("yes", "yes")
    assert set(table.query("task == 'ct_nodule'")["agrees"]) == {"unclear"}  # no such runs


def test_without_anything_published_it_is_empty():
    table = compared(TABLES["summary"], NOTHING)
    assert table.empty
    assert list(table.columns) == COLUMNS
