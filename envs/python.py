"""Let `make` go on if this Python is one that SourceBench runs on; else say which are.

    python3 envs/python.py

It reads pyproject.toml as text: a Python before 3.11 has no reader for it.
"""

import re
import sys
from pathlib import Path


def supported(project: str) -> list[str]:
    """Return the versions that a pyproject.toml names, as '3.11', the oldest first."""
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)


def main() -> None:
    """Compare this Python with them."""
    names = supported((Path(__file__).parents[1] / "pyproject.toml").read_text())
    this = "{}.{}".format(*sys.version_info)
    if this not in names:
        sys.exit(
            f"SourceBench runs on Python {', '.join(names[:-1])} or {names[-1]}, and "
            f"{sys.executable} is Python {this}; name another: PYTHON=python{names[-2]} make demo"
        )


if __name__ == "__main__":
    main()
