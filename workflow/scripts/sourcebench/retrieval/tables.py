"""Tables that people wrote: CSV files, and a sentence for whatever is wrong with one."""

import csv
import difflib
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sourcebench.errors import SourceBenchError

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def read(
    path: Path, needed: Sequence[str], filled: Sequence[str] = (), mend: str = "rename that"
) -> pd.DataFrame:
    """Read a CSV file, every cell as text.

    An id such as '007' stays as it is written, and so does 'NA', which may be somebody's site.
    Spaces around cells, empty lines and columns without a name count for nothing.

    Args:
        path: the file, UTF-8.
        needed: columns that must be there.
        filled: those of them in which no cell may be empty.
        mend: what to do where a needed column has another name that is near.

    Returns:
        All named columns, in their order. Empty cells are missing; the index is the line of the
        file, from 1 on, in which a row begins.

    Raises:
        SourceBenchError: the file can't be read, isn't UTF-8 text, isn't separated by commas, has
            no rows, rows of other lengths than the header, no such column, or an empty cell where
            none may be.
    """
    header, cells, lines = _parse(path, _text(path))
    _check_header(path, header, needed, mend)
    if not lines:
        raise SourceBenchError(f"{path} has a header and no rows; give it a row per image.")
    table = pd.DataFrame(
        {name: _cleaned(cells[column :: len(header)]) for column, name in enumerate(header) if name}
    ).set_axis(pd.Index(lines, name="line"))
    for name in filled:
        if (empty := table[name].isna()).any():
            raise SourceBenchError(
                f"{path} has no {name} in {in_words(table.index[empty])}; fill it in, or take "
                "the rows out."
            )
    return table


def _cleaned(cells: list[str]) -> pd.Series:
    column = pd.Series(cells, dtype="str").str.strip()
    return column.mask(column == "")


def in_words(lines: Sequence[int] | pd.Index) -> str:
    """Return line numbers as people say them: 'lines 3, 7 and 9', of many the first five."""
    first = [str(line) for line in lines[:5]]
    if len(lines) > len(first):
        return f"lines {', '.join(first)} and {len(lines) - len(first)} more"
    last = first.pop()
    return f"lines {', '.join(first)} and {last}" if first else f"line {last}"


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceBenchError(f"{path} could not be read: {error.strerror}.") from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceBenchError(f"{path} is UTF-16 text; save it as UTF-8 ('CSV UTF-8' in Excel).")
    if data[:4] == b"PK\x03\x04":
        raise SourceBenchError(
            f"{path} is no text file but a ZIP archive, perhaps an Excel workbook; save it as "
            "'CSV UTF-8'."
        )
    if b"\0" in data:
        raise SourceBenchError(
            f"{path} is no text file (byte 0x00 in {_line_of(data, data.index(0))}); give a CSV."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceBenchError(
            f"{path} is not UTF-8 text (byte 0x{data[error.start]:02x} in "
            f"{_line_of(data, error.start)}); save it as UTF-8 ('CSV UTF-8' in Excel)."
        ) from error


def _line_of(data: bytes, position: int) -> str:
    return f"line {len((data[:position] + b'x').splitlines())}"


def _parse(path: Path, text: str) -> tuple[list[str], list[str], list[int]]:
    """Return the header, all cells one after the other, and the line in which each row begins.

    One flat list: a million small ones would take the garbage collector seconds.
    """
    header: list[str] = []
    cells: list[str] = []
    lines: list[int] = []
    reader, line = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    try:
        for row in reader:
            line, begin = reader.line_num + 1, line
            if not any(row) or not any(map(str.strip, row)):
                continue
            if not header:
                header = [name.strip() for name in row]
                continue
            if len(row) != len(header):
                raise SourceBenchError(
                    f"Line {begin} of {path} has {len(row)} cells, but its header has "
                    f"{len(header)}; put text that has commas in it in quotation marks."
                )
            cells += row
            lines.append(begin)
    except csv.Error as error:
        raise SourceBenchError(
            f"Line {line} of {path} can't be read ({error}); look for a quotation mark that is "
            "not closed, or not doubled within quoted text."
        ) from error
    return header, cells, lines


def _check_header(path: Path, header: list[str], needed: Sequence[str], mend: str) -> None:
    if not header:
        raise SourceBenchError(f"{path} is empty; its first line must be: {','.join(needed)}.")
    if twice := [name for name in dict.fromkeys(header) if name and header.count(name) > 1]:
        raise SourceBenchError(f"{path} has two columns '{twice[0]}'; rename one.")
    missing = [name for name in needed if name not in header]
    if not missing:
        return
    for separator, name in SEPARATORS.items():
        if any(separator in cell for cell in header):
            raise SourceBenchError(
                f"{path} is separated by {name} ('{','.join(header)}'); save it with commas."
            )
    likely = {_plain(name): name for name in header if name not in needed}
    near = difflib.get_close_matches(_plain(missing[0]), likely)
    hint = f" (is it '{likely[near[0]]}'? Then {mend})" if near else ""
    raise SourceBenchError(
        f"{path} lacks the column '{missing[0]}'{hint}; it needs {', '.join(needed)} and has: "
        f"{', '.join(filter(None, header))}."
    )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold())
