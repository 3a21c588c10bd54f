"""How figures are written."""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.figures.parts.style import RC
from sourcebench.files import atomic


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG (200 dpi) and as PDF beside it, the same bytes each time.

    Args:
        figure: what to write.
        path: of either file; the other differs in the suffix.
    """
    path = Path(path)
    stem = path.stem if path.suffix in (".png", ".pdf") else path.name
    undated = {".png": {"Software": None}, ".pdf": {"CreationDate": None}}
    for suffix, metadata in undated.items():
        with atomic(path.with_name(stem + suffix)) as temporary, rc_context(RC):
            figure.savefig(temporary, dpi=200, metadata=metadata)
