"""What a study asks of its networks beside their answers, and what that runs again."""

import subprocess
import sys

import pytest
import yaml

from conftest import ROOT, merged
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.confidence import SCORES, Score
from sourcebench.study import Dependencies, Study
from sourcebench.study.measured import check_scores, measures_of
from sourcebench.training.measures import MEASURES

TINY = yaml.safe_load((ROOT / "tests" / "tiny.yaml").read_text())
PLACE = ("cxr_mass", "tag", "random", "tiny_resnet", None, None)


def study(**experiment):
    """The tiny study on one task, with further keys in its experiment."""
    config = merged(TINY)
    config["experiment"] |= {"tasks": ["cxr_mass"], "audit": [], "repeats": 2, **experiment}
    config["tasks"]["cxr_mass"]["confounders"] = ["tag"]
    return Study.of(config)


@pytest.fixture
def scores(monkeypatch):
    """Scores that measure something, or need a method; they are made of nothing."""
    monkeypatch.setattr(SCORES, "_entries", dict(SCORES._entries))

    def enter(name, measures=(), method=None):
        made = type(name, (Score,), {"of": None, "measures": measures, "method": method})
        made.__abstractmethods__ = frozenset()
        SCORES.register(name)(made())

    enter("of_passes", ("mc_dropout",))
    enter("of_both", ("neighbours", "mc_dropout"))
    enter("of_distance", ("neighbours",))
    enter("of_gamblers", ("mahalanobis",), "deep_gamblers")


def test_what_is_measured_is_what_the_scores_need(scores):
    assert study().measures(None) == study(confidence=["msr", "pe"]).measures(None) == []
    asked = study(confidence=["of_passes", "msr", "of_both"])
    assert asked.measures(None) == ["mc_dropout", "neighbours"]
    assert asked.measures("deep_gamblers") == []
    assert study().confidence == []
    assert study().dropout_passes == 50


def test_a_score_is_made_of_the_networks_of_its_method_alone(scores):
    names = ["of_gamblers", "of_distance"]
    assert measures_of(names, "cross_entropy") == ["neighbours"]
    check_scores(names, {"cross_entropy", "deep_gamblers"})


def decided(explored=False, **experiment):
    """What decides a run's predictions, and its network."""
    digests = Dependencies(study(**experiment))
    return digests.run(*PLACE, explored), digests.network(*PLACE)


def test_a_run_is_decided_by_what_is_measured_of_it(scores, monkeypatch):
    plain = decided()
    assert decided(confidence=["msr", "pe"]) == plain
    assert decided(dropout_passes=10) == plain
    ways = [
        decided(confidence=["of_passes"]),
        decided(confidence=["of_passes"], dropout_passes=10),
        decided(confidence=["of_distance"]),
        decided(confidence=["of_both"]),
        decided(explored=True),
    ]
    assert len({plain[0], *(run for run, _ in ways)}) == 1 + len(ways)
    assert {network for _, network in ways} == {plain[1]}  # none is trained again for it
    assert decided(confidence=["of_distance"], dropout_passes=10) == ways[2]
    other = {**MEASURES._entries, "neighbours": MEASURES.get("mahalanobis")}
    monkeypatch.setattr(MEASURES, "_entries", other)
    assert decided(confidence=["of_distance"]) != ways[2]  # its code


@pytest.mark.parametrize(
    ("explore", "runs"),
    [
        ([], 0),
        ([{"source": "random", "repeat": 1}], 2 * 2),
        ([{"source": ["random", "few_leaves"], "p_art": 1, "fold": 2, "repeat": [2]}], 2),
        ([{"p_art": "0"}, {"p_art": 0.0, "fold": 1}], 2 * 2 * 2),
        ([{"transfer": "full", "fraction": 1, "confounder": "none"}], 2 * 2 * 2),
    ],
)
def test_explored_are_the_runs_that_an_entry_fits(explore, runs):
    chosen = study(explore=explore, confidence=["msr"])
    assert len(chosen.explored) == runs
    assert list(chosen.explored) == list(chosen.runs)
    every = chosen.runs.astype(str).to_dict("records")
    assert sum(map(chosen.explores, every)) == runs
    assert all(map(chosen.explores, chosen.explored.to_dict("records")))


WRONG = [
    ({"confidence": ["msp"]}, r"confidence has 'msp', which is not known.*are: .*msr"),
    ({"confidence": ["msr", "msr"]}, r"confidence is .* without repetitions"),
    (
        {"confidence": ["of_gamblers"]},
        r"confidence has 'of_gamblers', which needs .* by 'deep_gamblers'.* experiment\.method,",
    ),
    (
        {"explore": [{"source": "random"}], "confidence": ["ensemble_msr"]},
        r"explore has runs that are trained by 'cross_entropy', and no score .* add one of .*msr, ",
    ),
    ({"dropout_passes": 0}, r"dropout_passes is 0; it must be at least 1"),
    ({"explore": [{"sauce": "random"}]}, r"explore\.0 has 'sauce'.*\(is it 'source'\?\)"),
    ({"explore": [{}]}, r"explore\.0 is {}; .* at least 1 entry \(a table of axes"),
    ({"explore": {"source": "random"}}, r"explore is .* a list"),
    (
        {"explore": ["random"]},
        r"explore\.0 is 'random'; .* keys and values \(a table of axes",
    ),
    ({"explore": [{"source": {"a": 1}}]}, r"explore\.0\.source is .* a value or a list of values"),
    (
        {"explore": [{"source": "imagenet"}]},
        r"explore\.0\.source has 'imagenet'.*few_leaves, random",
    ),
    ({"explore": [{"p_art": 1}, {"repeat": [1, 3]}]}, r"explore\.1\.repeat has '3'.*: 1, 2"),
    ({"explore": [{"transfer": "half"}]}, r"explore\.0\.transfer has 'half'.*: full"),
    (
        {"explore": [{"confounder": "none", "p_art": 1}]},
        r"explore\.0 chooses no run: there is none with confounder none, p_art 1 together",
    ),
]


@pytest.mark.parametrize(("experiment", "message"), WRONG)
def test_wrong_values(experiment, message, scores):
    with pytest.raises(SourceBenchError, match=rf"^experiment\.{message}") as caught:
        study(**experiment)
    assert "\n" not in str(caught.value)


def test_a_plan_reads_scores_without_what_they_compute_with():
    """And a study that has none does without their code."""
    code = """
import sys, yaml
from sourcebench.study import Study
config = yaml.safe_load(sys.stdin)
Study.of(config)
assert "sourcebench.evaluation.confidence" not in sys.modules
config["experiment"]["confidence"] = ["msr", "pe"]
assert Study.of(config).confidence == ["msr", "pe"]
sys.exit(str(sorted({"torch", "sklearn", "scipy.stats"} & set(sys.modules))))
"""
    config = merged(TINY)
    config["experiment"]["audit"] = []
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=yaml.safe_dump(config),
        env={"PYTHONPATH": str(ROOT / "workflow" / "scripts"), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.stderr.strip() == "[]"
