"""What the report says of sources: the table, and the page made from it."""

import hashlib
import json
from dataclasses import fields
from html.parser import HTMLParser

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from conftest import ROOT
from sourcebench.evaluation.sources_table import flat, sources_table
from sourcebench.figures.sources_page import write_page
from sourcebench.models import build_backbone, complexity
from sourcebench.models.initialisation import INITIALISATIONS
from sourcebench.sources import KINDS
from sourcebench.sources.weights import write_weights

DIGEST = hashlib.sha256(b"weights").hexdigest()
RESNET = {"builder": "timm", "name": "resnet50"}
SIZE = {"parameters": 23508032, "flops": 8174272512, "flops_at": 224}
WEB = "https://example.org/r.pth?a=1&b=2"
CARD = {
    "source": "web", "kind": "url", "arch": "resnet50", "network": RESNET,
    "origin": {"url": WEB}, "sha256": DIGEST, "licence": "MIT", "citation": "Then et al.",
    "gated": False, "mean": [0.485, 0.456, 0.406], "std": [0.00392] * 3, "input_size": 224,
} | SIZE  # fmt: skip
RECIPE = {"images": 4000, "lr": 0.002, "val_accuracy": 0.75749999}
LEAVES = CARD | {
    "source": "leaves", "kind": "insilico", "arch": "tiny_resnet",
    "network": {"builder": "tiny_resnet"}, "sha256": None, "citation": None, "input_size": None,
    "origin": {"generator": "dead_leaves", "pretraining": RECIPE},
    "parameters": 292640, "flops": 209334272,
}  # fmt: skip
SAID = {"note": None, "licence": None, "gated": False, "citation": None, "drawn": None}
TINY = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "networks": {"tiny_resnet": LEAVES["network"]}}
SPECS = {
    "web": SAID | {
        "kind": "url", "title": "<script>alert(1)</script> & co", "gated": True,
        "note": 'Has "seen" <b>these</b> images.', "citation": "Now et al.",
    },
    "leaves": SAID | {"kind": "insilico", "title": "Dead leaves"},
    "random": SAID | {"kind": "random", "title": "random", "drawn": TINY},
}  # fmt: skip
ARCHS = {"web": ["resnet50", "resnet50_t1"], "leaves": ["tiny_resnet"], "random": ["tiny_resnet"]}


@pytest.fixture(scope="module")
def table():
    return sources_table(SPECS, ARCHS, [CARD, LEAVES])


@pytest.fixture(scope="module")
def page(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "sources.html"
    write_page(path, table, "a <study>")
    return Parsed(path.read_text(encoding="utf-8"))


class Parsed(HTMLParser):
    """A page taken apart by a parser of its own: elements, and the text of body's cells."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.cells, self.text, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += "" if "style" in self.open else data
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data

    def row(self, of_source, arch):
        """The cells of an architecture's row in the table of a source (counted from 0)."""
        starts = [place for place, cell in enumerate(self.cells) if cell == "Architecture"]
        cells = self.cells[starts[of_source] : [*starts, None][of_source + 1]]
        place = next(place for place, cell in enumerate(cells) if cell.startswith(arch))
        return cells[place : place + 7]


def test_a_row_per_source_and_architecture(table):
    assert list(zip(table["source"], table["arch"], strict=True)) == [
        (source, arch) for source in SPECS for arch in ARCHS[source]
    ]
    assert list(table["title"]) == [SPECS["web"]["title"]] * 2 + ["Dead leaves", "random"]


def test_what_people_say_is_the_configs_and_else_the_cards(table):
    web, _, leaves, random = table.to_dict("records")
    assert (web["citation"], web["licence"], web["gated"]) == ("Now et al.", "MIT", True)
    assert (leaves["licence"], leaves["gated"]) == ("MIT", False)
    assert pd.isna(random["licence"])


def test_a_truncated_network_is_measured_as_what_remains(table):
    whole, part = table.iloc[0], table.iloc[1]
    remains = build_backbone("resnet50_t1")
    assert part["parameters"] == complexity.parameters(remains)
    assert part["flops"] == complexity.flops(remains, 224)
    assert (part["parent"], part["parent_title"]) == ("resnet50", "ResNet50")
    assert part["parameters_share"] == part["parameters"] / whole["parameters"]
    assert part["flops_share"] == part["flops"] / whole["flops"]
    assert part["sha256"] == DIGEST
    assert whole[["parent", "parent_title", "parameters_share"]].isna().all()


def test_random_weights_have_the_architectures_own_network(table):
    leaves, random = table.iloc[2], table.iloc[3]
    assert random["network"] == {"builder": "tiny_resnet"}
    assert (random["parameters"], random["flops"]) == (leaves["parameters"], leaves["flops"])
    assert (random["mean"], random["std"]) == ([0.5] * 3, [0.25] * 3)
    (drawn,) = random["origin"].values()
    assert drawn == INITIALISATIONS.get("keras").words
    assert pd.isna(random["sha256"])


def test_the_exact_network_of_a_card_is_the_one_measured():
    keras = CARD | {"network": {"builder": "keras_resnet50"}, "flops": 7711850496}
    part = sources_table({"web": SPECS["web"]}, {"web": ["resnet50_t1"]}, [keras]).iloc[0]
    ours = sources_table({"web": SPECS["web"]}, {"web": ["resnet50_t1"]}, [CARD]).iloc[0]
    assert part["parameters"] == ours["parameters"]
    assert part["flops"] < ours["flops"]  # strides come earlier in Keras' blocks


def test_the_table_as_csv(table, tmp_path):
    flat(table).to_csv(tmp_path / "sources.csv", index=False)
    read = pd.read_csv(tmp_path / "sources.csv", dtype={"input_size": "Int64"})
    assert json.loads(read["network"][0]) == RESNET
    assert json.loads(read["origin"][2])["pretraining"] == RECIPE
    assert json.loads(read["mean"][0]) == CARD["mean"]
    assert list(read["input_size"].dropna()) == [224, 224]
    assert isinstance(table["network"][0], dict)  # the table itself stays as it was


def test_the_page_shows_what_was_used(page):
    _, origin, digest, normalised, pretrained, parameters, flops = page.row(0, "ResNet50")
    assert origin == f"url\N{NO-BREAK SPACE}{WEB}"
    assert DIGEST.startswith(digest.removesuffix("…"))
    assert ("code", {"title": DIGEST}) in page.elements
    assert normalised == "0.485 0.456 0.406± 0.00392"
    assert (pretrained, parameters, flops) == ("224 px", "23.5 M", "8.2")
    part = page.row(0, "Res-T1")
    assert part[1] == "as ResNet50"
    assert part[5:] == ["3.0 M13 % of ResNet50", "4.453 %"]
    recipe = page.row(1, "tiny ResNet")[1].replace("\N{NO-BREAK SPACE}", " ")
    for said in ("generator dead_leaves", "images 4,000", "accuracy reached 0.757"):
        assert said in recipe
    random = page.row(2, "tiny ResNet")
    assert random[1].startswith("drawn from each run's seed\N{NO-BREAK SPACE}as in Keras")
    assert random[2:] == ["–", "0.5± 0.25", "–", "0.29 M", "0.21"]
    assert "licence to be accepted" in page.text
    assert page.text.count("not stated") == 3  # citations of leaves and random, random's licence


def test_what_the_config_says_is_text_and_not_markup(page):
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.elements}
    for said in (SPECS["web"]["title"], SPECS["web"]["note"], "a <study>"):
        assert said in page.text


def test_the_page_needs_no_other_file(page):
    loading = ("script", "link", "img", "iframe", "object", "embed", "base")
    assert not [tag for tag, _ in page.elements if tag in loading]
    assert not [names for _, names in page.elements if "src" in names]
    assert [names["href"] for tag, names in page.elements if tag == "a"] == [WEB]


def test_only_an_address_on_the_web_becomes_a_link(tmp_path):
    card = CARD | {"origin": {"url": "javascript:alert(1)", "path": "C:/w.pth"}}
    write_page(tmp_path / "p.html", sources_table({"web": SPECS["web"]}, ARCHS, [card]), "s")
    page = Parsed((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert not [tag for tag, _ in page.elements if tag == "a"]
    assert "javascript:alert(1)" in page.text


def test_licences_that_differ_name_their_architectures(tmp_path):
    other = CARD | {"arch": "densenet121", "licence": "Apache-2.0"}
    archs = {"web": ["resnet50", "resnet50_t1", "densenet121"]}
    write_page(tmp_path / "p.html", sources_table({"web": SPECS["web"]}, archs, [CARD, other]), "s")
    text = Parsed((tmp_path / "p.html").read_text(encoding="utf-8")).text
    assert "MIT (ResNet50, Res-T1), Apache-2.0 (DenseNet121)" in text


def test_sources_of_different_structures_are_named_at_the_top(tmp_path, page):
    assert "not the same network" not in page.text
    keras = CARD | {"source": "k", "network": {"builder": "keras_resnet50"}}
    drawn = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "networks": {"resnet50": RESNET}}
    specs = {
        "k": SPECS["web"] | {"title": "Of Keras"},
        "random": SPECS["random"] | {"title": "Random", "drawn": drawn},
    }
    archs = {"k": ["resnet50", "resnet50_t1"], "random": ["resnet50", "resnet50_t1"]}
    write_page(tmp_path / "p.html", sources_table(specs, archs, [keras]), "s")
    text = Parsed((tmp_path / "p.html").read_text(encoding="utf-8")).text
    assert text.count("not the same network") == 1
    assert "keras_resnet50 from Of Keras; resnet50 from Random" in text
    # A key gives random weights the same structure, and then there is nothing to say.
    drawn["networks"] = {"resnet50": {"builder": "keras_resnet50"}}
    table = sources_table(specs, archs, [keras])
    assert [network["builder"] for network in table["network"]] == ["keras_resnet50"] * 4
    write_page(tmp_path / "p.html", table, "s")
    assert "not the same" not in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_what_tells_about_a_source_leaves_its_weights_alone(tmp_path):
    torch.manual_seed(0)
    torch.save(build_backbone("tiny_resnet").state_dict(), tmp_path / "mine.pth")
    spec = {"kind": "file", "path": str(tmp_path / "mine.pth"), "mean": 0.5, "std": 0.25}
    told = {
        "title": "Mine", "archs": ["tiny_resnet"], "licence": "MIT", "citation": "Me",
        "gated": True, "note": "Of mine.", "help": "Ask me.",
    }  # fmt: skip
    places = {"path", "files"}
    deciding = [each.name for each in fields(KINDS.get("file")) if each.metadata["decides"]]
    assert set(told) == {each.name for each in fields(KINDS.get("file"))} - {*deciding, *places}
    before, after = tmp_path / "before.safetensors", tmp_path / "after.safetensors"
    write_weights("mine", spec, "tiny_resnet", before, seed=1, threads=1)
    write_weights("mine", spec | told, "tiny_resnet", after, seed=1, threads=1)
    first, second = load_file(before), load_file(after)
    assert first.keys() == second.keys()
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    cards = [json.loads(path.with_suffix(".json").read_text()) for path in (before, after)]
    changed = {key for key in cards[0] if cards[0][key] != cards[1][key]}
    assert changed <= set(told)


def test_every_key_of_a_source_is_explained():
    text = (ROOT / "config" / "README.md").read_text()
    explained = text.partition("\n## sources\n")[2].partition("\n## ")[0]
    for name in KINDS.names():
        for key in [name, *(each.name for each in fields(KINDS.get(name)))]:
            assert f"`{key}`" in explained, f"{name}: {key}"
