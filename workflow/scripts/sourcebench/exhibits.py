"""What a study's report shows (figures, tables, pages), each declared in the file of its caption.

A caption is a text in reStructuredText beside the code that makes what it is about: `figure4.rst`
beside `figure4.py`. Its head, which the report leaves out, is the declaration:

    {#
    title: Figure 4: noise, o.o.d. AUROC over p_art
    category: Robustness
    #}

Declarations are read whenever the workflow is planned. No code is imported for it, since libraries
that draw take seconds to load.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sourcebench.errors import SourceBenchError
from sourcebench.modules import import_name
from sourcebench.registry import Registry

LIBRARY = Path(__file__).parent
HEAD = re.compile(r"\{#\n(.*?)#\}\s*(\S.*)", re.DOTALL)  # a comment of Jinja, which fills captions


@dataclass(frozen=True)
class Exhibit:
    """A figure, table or page as its caption declares it; calling it calls its code.

    Attributes:
        kind: "figure", "table" or "page".
        name: what its files are called.
        file: its caption, as a path below the library, or of one's own, outside, an absolute one.
        caption: the text, reStructuredText.
        title: what the report calls it.
        category: under which heading it stands there.
        needs: what it is made from; each kind says what there is to be made from.
        drawn: when it is drawn in a study that asks for no figures by name; of figures alone.
        code: the function that makes it, below the library ("evaluation.statistics.summary"), or
            below the package that the caption lies in, or beside it where that is none; left
            out, the one of its name in the module beside the caption.
    """

    kind: str
    name: str
    file: str
    caption: str
    title: str
    category: str
    needs: str = ""
    drawn: str = ""
    code: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """What the report's lists say of it."""
        return {"shows": self.title, "as": self.kind}

    @property
    def path(self) -> Path:
        """The file that its code is in."""
        folder, module, _ = self._place
        return folder.joinpath(*module).with_suffix(".py")

    @property
    def _place(self) -> tuple[Path, list[str], str]:
        """The folder that its code is imported from, the parts of its module's name, a function."""
        folder, usual = import_name(LIBRARY / self.file)
        package = usual[: min(1, len(usual) - 1)]
        *module, function = [*package, *self.code.split(".")] if self.code else [*usual, self.name]
        return folder, module, function

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Import its code, and return what that makes of the arguments."""
        _, module, function = self._place
        return getattr(import_module(".".join(module)), function)(*given, **named)


class Exhibits(Registry[Exhibit]):
    """The exhibits of one kind, which declare themselves.

    Args:
        kind: what they are, for messages ("figure").
        choices: further keys of their declarations, and what may stand there.
    """

    def __init__(self, kind: str, **choices: Collection[str]) -> None:
        super().__init__(kind)
        self._choices = choices

    def read(self, caption: Path) -> None:
        """Enter what a caption declares, under the name of its file, unless it is there already.

        Args:
            caption: its file, in the library or of one's own.

        Raises:
            SourceBenchError: the declaration is not as it should be, there is no code for it, or
                its name is taken; the sentence names the file.
        """
        inside = LIBRARY in caption.parents
        file = (caption.relative_to(LIBRARY) if inside else caption.resolve()).as_posix()
        name = caption.stem
        if name in self.names() and self.get(name).file == file:
            return
        head, text = _parts(caption.read_text(encoding="utf-8"), file)
        _check(head, file, self._choices)
        exhibit = Exhibit(self.kind, name, file, text, **head)
        if inside and not (caption.parent / "__init__.py").is_file():
            raise SourceBenchError(
                f"{file} declares a {self.kind} in a folder that is no package: give it an "
                "__init__.py."
            )
        if not inside and not exhibit.path.is_file():
            raise SourceBenchError(f"{file} declares a {self.kind}; there is no {exhibit.path}.")
        self.register(name)(exhibit)


def exhibits(kind: str, captions: str, **choices: Collection[str]) -> Exhibits:
    """Read the declarations of one kind that are in the library.

    Args:
        kind: what they declare ("figure").
        captions: where the captions are, below the library ("figures/*/*.rst").
        choices: further keys of the declarations, and what may stand there.

    Returns:
        The exhibits by the names of their captions' files, in the order of their paths.

    Raises:
        SourceBenchError: as `Exhibits.read`.
    """
    registry = Exhibits(kind, **choices)
    for path in sorted(LIBRARY.glob(captions)):
        registry.read(path)
    return registry


def that_need(registry: Registry[Exhibit], what: str) -> list[str]:
    """Return the names of the exhibits that are made from something."""
    return [name for name in registry.names() if registry.get(name).needs == what]


def _parts(text: str, file: str) -> tuple[dict[str, str], str]:
    """Return a caption's head, key by key, and its text."""
    found = HEAD.fullmatch(text)
    if not found:
        raise SourceBenchError(
            f"{file} must begin with a declaration between lines of '{{#' and '#}}', "
            "and go on with the caption."
        )
    pairs = [line.partition(":") for line in found[1].splitlines() if line.strip()]
    return {key.strip(): value.strip() for key, _, value in pairs}, found[2]


def _check(head: dict[str, str], file: str, choices: dict[str, Collection[str]]) -> None:
    """Raise a `SourceBenchError` if a declaration has wrong keys or values."""
    needed = ["title", "category", *choices]
    for key in needed:
        if not head.get(key):
            raise SourceBenchError(f"{file} lacks the key '{key}'; it needs: {', '.join(needed)}.")
    for key, value in head.items():
        if key not in (*needed, "code"):
            known = ", ".join([*needed, "code"])
            raise SourceBenchError(
                f"{file} has the key '{key}', which is not known; allowed are: {known}."
            )
        if key in choices and value not in choices[key]:
            allowed = ", ".join(choices[key])
            raise SourceBenchError(f"{file}: {key} is '{value}'; it must be one of: {allowed}.")
