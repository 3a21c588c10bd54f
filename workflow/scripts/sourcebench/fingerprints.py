"""Digests of code: so that a step runs again when what it computes with was edited.

What is digested is what Python would run: comments, docstrings and layout don't count. Imports are
read, not run; a digest costs milliseconds, and loads nothing.
"""

import ast
import hashlib
import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sourcebench.errors import SourceBenchError
from sourcebench.modules import FOLDERS, import_name

LIBRARY = Path(__file__).resolve().parent

Part = tuple[Path, str]
"""A file, and the name in it whose definition counts; "" for all of it."""

MACHINERY = frozenset(
    {"errors", "files", "fingerprints", "jobs", "kinds", "modules", "parameters", "plugins"}
    | {"registry", "schemas", "traits"}
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
    this library, but for its `MACHINERY`, and from files beside the one that imports, or in its
    package. A file outside the library may define many things: of it only those classes and
    functions count that the object needs, by their names, and what is neither. Of a package
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
    return _digest_of(_start(each) for each in definitions)


def code_at(*paths: Path) -> str:
    """Return a digest of files of Python, and all that they import, as `code_of` does.

    Raises:
        SourceBenchError: a file that isn't Python.
    """
    return _digest_of((path, "") for path in paths)


def _digest_of(starts: Iterable[Part]) -> str:
    parts = set().union(*map(_reach, starts))
    return digest(*sorted(_read(part)[0] for part in parts))


def _start(each: Any) -> Part:
    """Return the part of a file that a definition needs."""
    path = _home(each)
    whole = inspect.ismodule(each) or _is_ours(path)
    return path, "" if whole else each.__qualname__.split(".")[0]


def is_ours(each: Any) -> bool:
    """Tell whether a class or function is defined in this library."""
    return _is_ours(_home(each))


def _is_ours(path: Path) -> bool:
    return LIBRARY in [path, *path.parents]


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
def _reach(start: Part) -> frozenset[Part]:
    """Return a part of a file and all files that it imports, at once or by way of others."""
    seen, waiting = set(), [start]
    while waiting:
        part = waiting.pop()
        if part not in seen:
            seen.add(part)
            waiting += [(path, "") for path in _read(part)[1]]
    return frozenset(seen)


@cache
def _read(part: Part) -> tuple[str, tuple[Path, ...]]:
    """Return the digest of a part of a file, and the files that it imports."""
    path, name = part
    tree = _needed(_parse(path), name)
    imports = {found for name in _imported(tree) if (found := _find(*name, path.parent))}
    if _discovers(tree):
        imports.update(each for each in path.parent.glob("*.py") if each != path)
    return digest("".join(_skeleton(tree))), tuple(imports)


def _needed(tree: ast.Module, name: str) -> ast.Module:
    """Return a file without what one of its definitions does without, see `code_of`.

    An import is left out where only other definitions need it. One that nobody names is there for
    what it does, and stays.
    """
    if name not in set().union(*map(_defined, tree.body)):
        return tree
    mentioned = {node: _mentioned(node) for node in tree.body}
    anywhere = set().union(*mentioned.values())
    optional = {node: names for node in tree.body if (names := _bound(node, anywhere))}
    wanted = {name}.union(*(mentioned[node] for node in tree.body if node not in optional))
    while found := [node for node, names in optional.items() if names & wanted]:
        wanted = wanted.union(*(mentioned[node] for node in found))
        for node in found:
            del optional[node]
    return ast.Module([node for node in tree.body if node not in optional], [])


def _defined(node: ast.stmt) -> set[str]:
    """Return the name of a class or function, if a statement defines one."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    return set()


def _bound(node: ast.stmt, mentioned: set[str]) -> set[str]:
    """Return the names without whose use a statement may be left out; none, where it may not."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names} & mentioned
    return _defined(node)


def _mentioned(node: ast.stmt) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


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
            yield from ((_module_of(node), alias.name) for alias in node.names)


def _module_of(node: ast.ImportFrom) -> str:
    """Return where an import is from, with the dots of a relative one."""
    return "." * node.level + (node.module or "")


def _discovers(tree: ast.Module) -> bool:
    """Tell whether a package imports all its files by itself, see `registry.discover`."""
    done = (node.value for node in tree.body if isinstance(node, ast.Expr))
    calls = (each for each in done if isinstance(each, ast.Call))
    return any(ast.unparse(call.func) == "discover" for call in calls)


def _find(module: str, name: str, folder: Path) -> Path | None:
    """Return the file that an import in `folder` gets its name from, if it is one that counts."""
    parts = [part for part in module.split(".") if part]
    packages = {LIBRARY.name: LIBRARY, **_package(folder)}
    if parts and parts[0] in packages and not module.startswith("."):
        roots, parts = [packages[parts[0]]], parts[1:]
    elif module.startswith("."):
        above = len(module) - len(module.lstrip(".")) - 1
        roots = [folder.parents[above - 1] if above > 0 else folder]
    else:
        roots = [folder, *([] if _is_ours(folder) else FOLDERS)]
    for root in roots:
        found = (_module(root, [*parts, name]) if name else None) or _module(root, parts)
        if found:
            break
    if found is None or (found.parent == LIBRARY and found.stem in MACHINERY):
        return None
    if found == root.joinpath(*parts, "__init__.py") and name:
        for source, alias in _reexported(found):
            if alias.asname == name or (alias.asname is None and alias.name == name):
                return _find(source, alias.name, found.parent)
    return found


@cache
def _package(folder: Path) -> dict[str, Path]:
    """Return the outermost package that a folder is in, by its name; nothing for a plain folder."""
    top, parts = import_name(folder / "__init__.py")
    return {parts[0]: top / parts[0]} if parts else {}


def _reexported(package: Path) -> Iterator[tuple[str, ast.alias]]:
    """Yield the names that a package has from elsewhere, each with the module it comes from."""
    for node in _parse(package).body:
        if isinstance(node, ast.ImportFrom):
            yield from ((_module_of(node), alias) for alias in node.names)


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
