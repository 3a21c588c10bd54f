"""Tables that come with an installed package."""

import importlib.util
from pathlib import Path

from sourcebench.errors import SourceBenchError


def packaged(name: str) -> Path:
    """Return the path of a table that comes with torchxrayvision.

    Raises:
        SourceBenchError: the package is not installed.
    """
    # The package's folder is found without importing it: the import would load torch.
    package = importlib.util.find_spec("torchxrayvision")
    if package is None or package.origin is None:
        raise SourceBenchError(
            "The package torchxrayvision, which carries NIH's and CheXpert's tables, is missing; "
            "install the environment again with 'make'."
        )
    return Path(package.origin).parent / "data" / name
