"""What stands in fenced blocks in the documentation, and the few commands that no test can run."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT

DOCUMENTS = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *(ROOT / part / "README.md" for part in ("config", "profiles", "benchmarks")),
    *(ROOT / part / "README.md" for part in ("resources", "results")),
]

IN_PLANS = "test_plans.py plans this study under this profile"
NEEDS_A_STUDY = "needs a finished study: test_workflow.py writes the report of one"
NEEDS_AN_ADDRESS = "test_package.py runs what it leaves, without the network"
NOT_RUN = {
    "snakemake --cores all --resources gpu=1": IN_PLANS,
    "snakemake --cores all --resources gpu=4": IN_PLANS,
    "snakemake -n": IN_PLANS,
    "snakemake --workflow-profile profiles/slurm": IN_PLANS,
    "snakemake -n --workflow-profile profiles/slurm": IN_PLANS,
    "snakemake --workflow-profile profiles/slurm --groups finetune=runs "
    "--group-components runs=10": "as the plan before it, the longest, with two options more",
    "snakemake -n --configfile config/rethink.yaml": IN_PLANS,
    "snakemake --cores all --configfile config/demo.yaml": IN_PLANS,
    "snakemake -n --configfile config/demo.yaml": IN_PLANS,
    "snakemake --cores 1 --configfile config/config.yaml "
    "--report results/source_matters/report.html": NEEDS_A_STUDY,
    "snakemake --cores 1 --configfile config/demo.yaml --report results/demo/report.html": (
        NEEDS_A_STUDY
    ),
    "snakemake --cores 1 --configfile my_study.yaml --report results/my_study/report.html": (
        NEEDS_A_STUDY
    ),
    "pip install snakedeploy "
    "'sourcebench[workflow] @ git+https://github.com/OWNER/SourceBench@v0.1.0'": NEEDS_AN_ADDRESS,
    "snakedeploy deploy-workflow https://github.com/OWNER/SourceBench my_project --tag v0.1.0": (
        NEEDS_AN_ADDRESS
    ),
}
"""Commands that are only parsed, and why; every other one is run, or planned."""


@dataclass(frozen=True)
class Snippet:
    """A fenced block.

    Args:
        document: where it stands.
        language: what it is written in.
        text: what it says.
        named: the file that the sentence before it says it is: '… in a file `ring.py`:'; or "".
    """

    document: Path
    language: str
    text: str
    named: str

    @property
    def file(self):
        """The file that it is; its first line may say so: '# my_study.yaml', and a remark."""
        found = re.match(r"# (\w+\.(?:yaml|smk))\b", self.text)
        return found[1] if found else self.named


def snippets(document, *languages):
    """The fenced blocks of a document, of some languages or of all."""
    pattern = r"(?ms)(?:`(\w+\.(?:py|rst))`:\n\n)?^ *```(\w*)\n(.*?)^ *```"
    return [
        Snippet(document, language, text, named)
        for named, language, text in re.findall(pattern, document.read_text())
        if not languages or language in languages
    ]


def commands(document):
    """The command lines of a document's shell blocks, without their comments."""
    lines = [line for each in snippets(document, "bash") for line in each.text.splitlines()]
    return [shlex.join(words) for line in lines if (words := shlex.split(line, comments=True))]


def name(document):
    """A document's name below the project's folder."""
    return str(document.relative_to(ROOT))
