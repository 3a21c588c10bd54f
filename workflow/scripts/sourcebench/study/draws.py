"""Which images a task has and what becomes of them, as its entry says: read and checked."""

from sourcebench.datasets.classes import ClassLabels
from sourcebench.datasets.labels import LABELS
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import FITS, Frame
from sourcebench.schemas import known
from sourcebench.study.entries import Entry


def frame_of(name: str, entry: Entry) -> Frame | None:
    """Return how a task's originals become squares: `fit`, `native_size` and `border`.

    Args:
        name: of the entry.
        entry: of `tasks`.

    Raises:
        SourceBenchError: one of the others without a fit, or a border of other channels.
    """
    if "fit" not in entry:
        for key in ("native_size", "border"):
            if key in entry:
                raise SourceBenchError(
                    f"tasks.{name}.{key} is for originals that are brought to squares of one size: "
                    f"it needs tasks.{name}.fit, one of: {', '.join(FITS)}."
                )
        return None
    border = entry.get("border", 0)
    if isinstance(border, list) and len(border) != entry.get("channels"):
        raise SourceBenchError(
            f"tasks.{name}.border has {len(border)} levels, one for each channel, but "
            f"tasks.{name}.channels is {entry.get('channels', 'not given')}; give as many, one "
            "level for all, or mean."
        )
    return Frame(
        entry["fit"],
        entry.get("native_size", entry["input_size"]),
        tuple(border) if isinstance(border, list) else border,
    )


def check_draw(name: str, entry: Entry, folds: int) -> None:
    """Check what a task that draws its own images says of labels, samples and validation.

    Args:
        name: of the entry.
        entry: of `tasks`.
        folds: of the experiment.

    Raises:
        SourceBenchError: something is missing, contradicts another key, or is not known.
    """
    key, labels = f"tasks.{name}.labels", entry["labels"]
    known(f"{key}.from", [labels["from"]], LABELS.names())
    source = LABELS.from_entry(labels, key)
    if entry["samples"].get("balanced") and entry["samples"].get("positive") is not None:
        raise SourceBenchError(
            f"tasks.{name}.samples has 'positive' and 'balanced: true', which both say how many "
            "images of a class are drawn; keep one (the other is null)."
        )
    classes = source.names if isinstance(source, ClassLabels) else None
    if classes is not None:
        if (wanted := entry.get("confounded")) is not None:
            known(f"tasks.{name}.confounded", [str(wanted)], classes)
        if len(classes) > 2 and entry["samples"].get("positive") is not None:
            raise SourceBenchError(
                f"tasks.{name}.samples.positive is the share of one of two classes, but {key} has "
                f"{len(classes)}; leave it out (or null), and the dataset is divided as it is, or "
                "draw as many of each by 'balanced: true'."
            )
    _check_samples(name, entry)
    if folds * entry.get("val_fraction", 0) > 1 + 1e-9:
        raise SourceBenchError(
            f"tasks.{name}.val_fraction is {entry['val_fraction']}, but experiment.folds is "
            f"{folds} and the validation sets are disjoint: it can be at most {1 / folds:.3g}."
        )


def samples_of(entry: Entry) -> Entry:
    """Return the column that says who is in which part, or how many images are drawn.

    Where a config is laid over another, both may stand there; the numbers then count for nothing.
    """
    if entry.get("column"):
        return {"column": entry["column"]}
    return {key: value for key, value in entry.items() if key != "column" and value is not None}


def _check_samples(name: str, entry: Entry) -> None:
    """Refuse a task that says neither how many images it has, nor which column says who."""
    samples, key = samples_of(entry["samples"]), f"tasks.{name}"
    if "column" in samples:
        return
    drawn = [each for each in ("positive", "balanced") if samples.get(each)]
    if drawn and (shares := [each for each in ("test", "dev") if samples.get(each, 1) < 1]):
        raise SourceBenchError(
            f"{key}.samples.{shares[0]} is {samples[shares[0]]}, a share of the dataset as it is, "
            f"but '{drawn[0]}' draws a number of images of each class; give that number."
        )
    given = {part: samples[part] for part in ("test", "dev") if samples.get(part, 1) < 1}
    if len(given) == 2 and sum(given.values()) > 1 + 1e-9:
        raise SourceBenchError(
            f"{key}.samples has {given['test']:g} for test and {given['dev']:g} for dev, which "
            f"are shares of all images and add up to {sum(given.values()):g}; they can be 1 in "
            "all at most. Lower one."
        )
    for part, needed in ((samples, ("test", "dev")), (entry, ("val_fraction",))):
        if missing := [each for each in needed if each not in part]:
            where = f"{key}.samples" if part is samples else key
            raise SourceBenchError(
                f"{where} lacks the key '{missing[0]}'; it needs: {', '.join(needed)}, unless "
                "samples.column names a column of the table that says who is in which part."
            )
