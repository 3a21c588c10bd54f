"""Digests of code: so that a step runs again when what it computes with was edited.

What is digested is what Python would run: comments, docstrings and layout don't count. Imports are
read, not run; a digest costs milliseconds, and loads nothing.
"""

import ast
import hashlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sourcebench.errors import SourceBenchError

LIBRARY = Path(__file__).resolve().parent

MACHINERY = frozenset(
    {
        "errors",
        "files",
        "fingerprints",
        "jobs",
        "kinds",
        "parameters",
        "registry",
        "schemas",
        "traits",
    }
)
"""Modules beside this one that say, check and file things, and compute nothing: an edit of them
makes no result stale. (The values of parameters are digested where they are used.)"""


def digest(*facts: object) -> str:
    """Return what names these facts, and in this order: 32 hexadecimal digits.

    Args:
        facts: whatever is the same exactly if its `repr` is, such as text, numbers, None, and
            lists, tuples and tables of them.
    """
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def code_of(*objects: object) -> str:
    """Return a digest of the code behind objects: 32 hexadecimal digits.

    That is the file each is defined in, and all that it imports, at once or by way of others: from
    this library, but for its `MACHINERY`, and from files beside the one that imports. Of a package
    only the names count that are imported from it, wherever it has them from; where the package
    itself is imported, and discovers its files, all of them count. Other things found at run time,
    such as a registry's entries, and data do not: give the entries as well.

    A file is read once in a process.

    Args:
        objects: modules, classes, functions, or instances of classes, in any order.

    Raises:
        SourceBenchError: an object that is defined in no file, or a file that isn't Python.
    """
    return _code_of(frozenset(each if _is_definition(each) else type(each) for each in objects))


@cache
def _code_of(definitions: frozenset[Any]) -> str:
    return code_at(*(_home(each) for each in definitions))


def code_at(*paths: Path) -> str:
    """Return a digest of files of Python, and all that they import, as `code_of` does.

    Raises:
        SourceBenchError: a file that isn't Python.
    """
    files = set().union(*(_reach(path) for path in paths))
    return digest(*sorted(_read(path)[0] for path in files))


def _is_definition(each: object) -> bool:
    return inspect.ismodule(each) or inspect.isclass(each) or inspect.isfunction(each)


def _home(each: Any) -> Path:
    """Return the file that a definition stands in."""
    try:
        source = inspect.getsourcefile(each)
    except TypeError:
        source = None
    if source is None or not Path(source).is_file():
        raise SourceBenchError(
            f"{each!r} is defined in no file, so that nobody could tell when it changes; "
            "define it in a module."
        )
    return Path(source).resolve()


@cache
def _reach(start: Path) -> frozenset[Path]:
    """Return a file and all that it imports, at once or by way of others."""
    seen, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _read(path)[1]
    return frozenset(seen)


@cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Return a file's digest, and the files that it imports."""
    tree = _parse(path)
    imports = {found for name in _imported(tree) if (found := _find(*name, path.parent))}
    if _discovers(tree):
        imports.update(each for each in path.parent.glob("*.py") if each != path)
    return digest("".join(_skeleton(tree))), tuple(imports)


@cache
def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise SourceBenchError(f"{path}, line {error.lineno}: {error.msg}; mend it.") from error


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what a file imports, wherever it does: a module, and a name from it or ''."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def _discovers(tree: ast.Module) -> bool:
    """Tell whether a package imports all its files by itself, see `registry.discover`."""
    done = (node.value for node in tree.body if isinstance(node, ast.Expr))
    calls = (each for each in done if isinstance(each, ast.Call))
    return any(ast.unparse(call.func) == "discover" for call in calls)


def _find(module: str, name: str, folder: Path) -> Path | None:
    """Return the file that an import in `folder` gets its name from, if it is one that counts."""
    parts = [part for part in module.split(".") if part]
    root = folder
    if parts[:1] == [LIBRARY.name]:
        root, parts = LIBRARY, parts[1:]
    found = (_module(root, [*parts, name]) if name else None) or _module(root, parts)
    if found is None or (found.parent == LIBRARY and found.stem in MACHINERY):
        return None
    if found == root.joinpath(*parts, "__init__.py") and name:
        for source, alias in _reexported(found):
            if alias.asname == name or (alias.asname is None and alias.name == name):
                return _find(source, alias.name, found.parent)
    return found


def _reexported(package: Path) -> Iterator[tuple[str, ast.alias]]:
    """Yield the names that a package has from elsewhere, each with the module it comes from."""
    for node in _parse(package).body:
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias) for alias in node.names)


def _module(root: Path, parts: list[str]) -> Path | None:
    """Return the file of a module or package below `root`."""
    path = root.joinpath(*parts)
    choices = [path / "__init__.py", *([path.with_suffix(".py")] if parts else [])]
    return next((choice for choice in choices if choice.is_file()), None)


def _skeleton(value: Any) -> Iterator[str]:
    """Yield what Python would run, in words that are the same in every version of Python.

    Empty fields are left out, since newer versions have more of them. A text that stands alone is
    a docstring, or does nothing; what an error says is no result either.
    """
    if isinstance(value, list):
        for each in value:
            alone = isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
            if not (alone and isinstance(each.value.value, str)):
                yield from _skeleton(each)
    elif isinstance(value, ast.Raise):
        yield "(Raise)"
    elif isinstance(value, ast.AST):
        yield f"({type(value).__name__}"
        for field, child in ast.iter_fields(value):
            if child is not None and child != []:
                yield f" {field}="
                yield from _skeleton(child)
        yield ")"
    else:
        yield repr(value)
