"""Every snippet of the documentation is run as it stands; long commands are planned."""

import contextlib
import io
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.cli import get_argument_parser, main, parse_args

from conftest import ROOT, merged
from snippets import DOCUMENTS, NOT_RUN, commands, name, snippets
from sourcebench.study import Study

IN_PLACE_OF = {
    "/data/": "data/", "/scratch/": "scratch/", "~/SourceBench": ".", "../SourceBench": ".",
}  # fmt: skip
"""Places on a reader's machine, and what stands for them here."""

COMMANDS = list(dict.fromkeys((page, line) for page in DOCUMENTS for line in commands(page)))
STUDIES = [each for page in DOCUMENTS for each in snippets(page, "yaml") if not each.file]


def placed(text):
    """A snippet with the places of this machine."""
    for theirs, ours in IN_PLACE_OF.items():
        text = text.replace(theirs, ours)
    return text


def make_folders(overlay):
    """The folders with images that a config names."""
    for entry in (overlay.get("datasets") or {}).values():
        if entry.get("path"):
            Path(entry["path"]).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A clone of the project, as good as."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which the workflow adds its scripts
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))  # and to this
    for part in ("Snakefile", "workflow", "config", "profiles"):
        (tmp_path / part).symlink_to(ROOT / part)
    return tmp_path


def prepare(page):
    """Write the files that a page names, and run its first other Python, which may draw data."""
    for each in snippets(page):
        if each.file:
            Path(each.file).write_text(placed(each.text))
        if each.file and each.language == "yaml":
            make_folders(yaml.safe_load(Path(each.file).read_text()))
    for each in [each for each in snippets(page, "python") if not each.file][:1]:
        exec(compile(each.text, "snippet.py", "exec"), {"__name__": "snippet"})


def snakemake(words):
    """Run Snakemake in this process, and return its status and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = main(words)
        except SystemExit as end:
            status = end.code
    return status, said.getvalue()


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_a_block_says_what_it_is_in(page):
    """So that none is left out of the tests below; a block by indentation would be."""
    known = {"bash", "yaml", "python", "csv", "mermaid", "rst", "snakemake", "toml", "text"}
    assert {each.language for each in snippets(page)} <= known
    assert not re.search(r"(?m)^ {4,}(snakemake|make|python|\S*/python) ", page.read_text())


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[line for _, line in COMMANDS])
def test_commands(desk, forgotten, page, line):
    program, *words = shlex.split(placed(line))
    if program == "make":
        (target,) = words
        assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text())
    elif program == ".venv/bin/python":
        assert (ROOT / words[0]).is_file()
    elif line in NOT_RUN:
        if program == "snakemake":
            parse_args(words)
    else:
        assert program == "snakemake", f"{line}: no test can run it; say why in snippets.NOT_RUN"
        prepare(page)
        status, said = snakemake(["--dry-run", *words])
        assert status == 0, said
        assert "--unlock" in words or re.search(r"(?m)^total +\d+$", said), said


def test_no_reason_is_left_over():
    assert set(NOT_RUN) <= {line for _, line in COMMANDS}


def test_a_report_is_of_the_study_that_its_command_names(desk):
    """Without its config, the command reports on the paper, which nobody has run."""
    reports = [(page, shlex.split(line)) for page, line in COMMANDS if "--report" in line]
    assert {name(page) for page, _ in reports} >= {"README.md", "docs/running.md"}
    for page, words in reports:
        prepare(page)
        config = Path(words[words.index("--configfile") + 1])
        study = yaml.safe_load(config.read_text())["study"]
        assert words[words.index("--report") + 1] == f"results/{study}/report.html"


@pytest.mark.parametrize("snippet", STUDIES, ids=lambda each: name(each.document))
def test_configs(desk, forgotten, snippet):
    """Those that no command names, with the plugins that a page names.

    The rest of its Python is run, since it may register what they use.
    """
    for each in snippets(snippet.document):
        if each.file:
            Path(each.file).write_text(each.text)
        elif each.language == "python":
            exec(compile(each.text, "snippet.py", "exec"), {"__name__": "snippet"})
    overlay = yaml.safe_load(placed(snippet.text))
    make_folders(overlay)
    assert len(Study.of(merged(overlay)).runs)


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_a_file_with_a_name_is_in_a_command(page):
    lines = " ".join(commands(page)).split()
    assert {each.file for each in snippets(page, "yaml", "snakemake") if each.file} <= set(lines)


def test_options_within_sentences_exist():
    """Of Snakemake, or of a benchmark: an option that stands by itself is no other program's."""
    scripts = "".join(path.read_text() for path in ROOT.glob("benchmarks/*.py"))
    known = {"--", *get_argument_parser()._option_string_actions}
    known |= set(re.findall(r'"(--[a-z-]+)"', scripts))
    for page in DOCUMENTS:
        prose = re.sub(r"(?s)```.*?```", "", page.read_text())
        spans = re.findall(r"`((?:snakemake )?-[^`]+|snakemake [^`]+)`", prose)
        for word in (word for span in spans for word in span.split()):
            option = word.split("=")[0]
            assert not option.startswith("-") or option in known, f"{page}: {option}"


def test_python_is_run_somewhere(desk, forgotten):
    for page in DOCUMENTS:
        for each in snippets(page, "python"):
            exec(compile(each.text, "snippet.py", "exec"), {"__name__": "snippet"})
    assert any(Path("my/images").iterdir())


def anchors(document):
    """What links can name in a document: its headings, in small letters without punctuation."""
    headings = re.findall(r"(?m)^#+ (.+)$", document.read_text())
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)]+)", document.read_text()):
            path, _, anchor = target.partition("#")
            assert (document.parent / path).exists(), f"{document.name}: {target}"
            page = document.parent / path if path else document
            assert not anchor or anchor in anchors(page), f"{document.name}: {target}"


def test_the_readme_counts_the_papers_networks():
    networks = len(Study.of(merged({})).runs)
    assert f"{networks:,}" in (ROOT / "README.md").read_text()
