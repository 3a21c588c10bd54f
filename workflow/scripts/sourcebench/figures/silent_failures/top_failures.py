"""The failures that networks are most confident of."""

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure, SubFigure

from sourcebench.explorer import Explored
from sourcebench.figures.parts.layout import text_width, wrapped
from sourcebench.figures.parts.style import FAINT, INK, RC, StudyStyle
from sourcebench.figures.silent_failures.shown import OUTCOMES, few, none, picture, place, stacked

IMAGES, ROWS = 6, 12
"""So many failures of a test set, and so many test sets of a run."""

SIDE, TEXT, GAP, NAME, LEFT, TOP = 1.02, 0.5, 0.12, 1.35, 0.15, 0.62
WIDTH = LEFT + NAME + IMAGES * (SIDE + GAP)
TALL = SIDE + TEXT
LINES = 0.98 * (SIDE + GAP)
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@rc_context(RC)
def top_failures(explored: Sequence[Explored], style: StudyStyle) -> Figure:
    """Draw, for each run, a row per test set of the failures that the first score is surest of."""
    runs, more = few([each for each in explored if len(each.failures)])
    if not runs:
        return none()
    heights = [TOP - 0.32 + TALL * len(_sets(each)) for each in runs]
    note = (
        f"Frames: {OUTCOMES['silent'][0]} (orange, thick); {OUTCOMES['detected'][0]} (blue, thin)."
    )
    return stacked(runs, style, WIDTH, heights, _draw, note + more)


def _sets(explored: Explored) -> list[str]:
    """Return the test sets that are shown; of a corruption's levels the most severe."""
    rows = explored.embedding.drop_duplicates("set")
    last = rows.groupby(["confounder", "family"])["severity"].transform("max")
    there = set(explored.failures["set"])
    return [each for each in rows.loc[rows["severity"] == last, "set"] if each in there][:ROWS]


def _draw(part: SubFigure, explored: Explored) -> None:
    score = next(iter(explored.scores))
    sets = _sets(explored)
    height = TOP + TALL * len(sets)
    about = explored.scores[score]
    part.text(
        LEFT / WIDTH, 1 - 0.34 / height, va="top", size=7, color=FAINT,
        s=f"Confidence: {about['title']}; kept from {about['threshold']:.4g} on, where "
        f"{100 * float(explored.record['coverage']):g} % of the validation images are.",
    )  # fmt: skip
    for row, name in enumerate(sets):
        own = explored.failures
        own = own[(own["set"] == name) & (own["score"] == score)].head(IMAGES)
        y = TOP + row * TALL
        _name(part, explored, name, score, 1 - y / height, height)
        for column, failure in enumerate(own.to_dict("records")):
            box = LEFT + NAME + column * (SIDE + GAP), y, SIDE, SIDE
            _, colour, _ = OUTCOMES["silent" if failure["kept"] else "detected"]
            picture(
                place(part, height, WIDTH, box),
                explored.image(failure["thumbnail"]),
                colour,
                [
                    clipped(f"true: {explored.class_name(failure['label'])}", LINES),
                    clipped(f"called: {explored.class_name(failure['called'])}", LINES),
                    f"{about['title']} {sure(failure['confidence'])}",
                ],
                thick=bool(failure["kept"]),
            )


def _name(
    part: SubFigure, explored: Explored, name: str, score: str, y: float, height: float
) -> None:
    """Write a test set's name beside its row, and how many answers are wrong, and silently so."""
    rows = explored.embedding[explored.embedding["set"] == name]
    wrong = rows[rows[f"{score}_called"] != rows["label"]]
    silent = int(wrong[f"{score}_kept"].sum())
    title = wrapped(explored.title_of(name), NAME - 0.1, 8)
    part.text(LEFT / WIDTH, y, title, va="top", size=8, color=INK)
    down = 0.14 * (title.count("\n") + 1) + 0.03
    text = f"{len(rows)} images,\n{len(wrong)} wrong,\n{silent} of them silent"
    part.text(LEFT / WIDTH, y - down / height, text, va="top", size=7, color=FAINT)


def clipped(text: str, inches: float, points: float = 6.5) -> str:
    """Return a text that is no wider, with … at its end where it is cut."""
    while len(text) > 4 and text_width(text, points) > inches:
        text = f"{text[:-2].rstrip(' …')}…"
    return text


def sure(confidence: float) -> str:
    """Return a confidence as text; of one that would round to 1, how far it is from there."""
    if not 0.9995 <= confidence < 1:
        return f"{confidence:.3f}"
    digit, power = f"{1 - confidence:.0e}".split("e-")
    return f"1 − {digit}·10⁻{str(int(power)).translate(RAISED)}"
