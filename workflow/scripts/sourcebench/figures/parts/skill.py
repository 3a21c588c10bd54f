"""Sources whose skill is not shown, in all figures alike: washed out, and marked with a dagger.

Where the AUROC at p_art = 0 is not known to be above chance, without the artifact ("no") or on the
o.o.d. test set ("misled"), losing little to a shortcut says nothing of robustness, so that no
figure may let such a source look robust.
"""

from typing import Any

import pandas as pd
from matplotlib.colors import to_hex, to_rgb

from sourcebench.figures.parts.layout import source_look
from sourcebench.figures.parts.style import FAINT, StudyStyle

DAGGER = "†"
NOTE = (
    f"{DAGGER} skill not shown: clean or o.o.d. AUROC at $p_{{\\mathrm{{art}}}}$ = 0 "
    "not above chance"
)
LACKING = ("no", "misled")
LEFT = 0.4
"""How much of a colour is left when it is washed out."""


def unskilled(table: pd.DataFrame) -> bool:
    """Tell whether any of these rows is of a source without skill."""
    return bool(table["skilled"].isin(LACKING).any())


def washed(colour: str) -> str:
    """Return a colour mixed with white."""
    red, green, blue = (LEFT * each + 1 - LEFT for each in to_rgb(colour))
    return to_hex((red, green, blue))


def look_of(style: StudyStyle, source: str, *, skilled: bool) -> dict[str, Any]:
    """Return how a source's mean is marked; washed out where it has no skill."""
    look = source_look(style, source)
    return look if skilled else {**look, "color": washed(look["color"])}


def ink_of(style: StudyStyle, source: str, *, skilled: bool) -> str:
    """Return the colour of what is written of a source: grey where it has no skill."""
    return style.colours[source] if skilled else FAINT


def skill_notes(table: pd.DataFrame) -> list[str]:
    """Return the legend's line on the dagger; none where every row has skill."""
    return [NOTE] if unskilled(table) else []
