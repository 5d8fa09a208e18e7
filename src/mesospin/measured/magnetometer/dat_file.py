"""The table of a magnetometer's file: where it begins, and its numbers, column by column.

The lines are read one after the other and only the columns that are asked for become numbers, so that the
memory needed is that of the numbers.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.measured.magnetometer.text_file import encoding_of, lines_of
from mesospin.scale import require_memory

__all__ = ["BLANK", "GIVEN", "NOT_FINITE", "NO_NUMBER", "Rows", "Top", "read_rows", "read_top"]

Floats = NDArray[np.float64]

_CHUNK: Final = 20_000
_DEEPEST: Final = 2_000
_BYTES_PER_ROW: Final = 500
_LONGEST: Final = 50_000
_DELIMITERS: Final = (",", ";", "\t", None)

GIVEN, BLANK, NO_NUMBER, NOT_FINITE = range(4)
"""What an entry of the table is."""


class Top(NamedTuple):
    """What stands above the numbers."""

    encoding: str
    header: tuple[str, ...]
    """Lines above the table."""
    names: tuple[str, ...]
    """Headings of the columns."""
    delimiter: str | None
    """What keeps columns apart; None: blanks."""
    line: int
    """Line of the headings, counted from 1."""
    marker: str
    length: float
    """Mean length of the first lines of the table."""


class Rows(NamedTuple):
    """Rows of the table, of the columns that were asked for."""

    line: NDArray[np.int64]
    """(rows,) line in the file, counted from 1."""
    values: Floats
    """(columns, rows), NaN where there is no number."""
    state: NDArray[np.int8]
    """(columns, rows), GIVEN, BLANK, NO_NUMBER or NOT_FINITE."""
    copy_of: NDArray[np.int64]
    """(rows,) first line of the same text; that of the row itself where it is the first."""
    unreadable: tuple[tuple[int, str], ...]
    """Lines that are no rows of the table, and why."""


def read_top(file: Path, marker: str, recognised: Callable[[Sequence[str]], int]) -> Top:
    """Return the header of a file and the headings of its table.

    The table begins below the line ``marker``, or, in a file without one, at the first line of which at least
    two entries are recognised.  Columns are kept apart by what makes most headings recognised: commas,
    semicolons, tabs, blanks.

    Raises
    ------
    InputError
        If no such line is found.
    """
    encoding = encoding_of(file)
    lines = [line.rstrip("\r\n") for line in islice(lines_of(file, encoding), _DEEPEST)]
    place = next((n for n, line in enumerate(lines) if _is_marker(line, marker)), None)
    if place is not None:
        filled = (n for n in range(place + 1, len(lines)) if lines[n].strip())
        heading = next(filled, None)
        if heading is None:
            raise InputError(
                f"{file.name} must have a table below {marker}, got nothing there; the file is cut off, "
                "export it again"
            )
    else:
        found = (n for n, line in enumerate(lines) if _best(line, recognised)[0] >= 2)
        heading = next(found, None)
        if heading is None:
            raise InputError(
                f"{file.name} must have a line {marker} or a line of headings with units such as "
                "'Temperature (K)', got neither; export it with its headings"
            )
    delimiter = _best(lines[heading], recognised)[1]
    names = tuple(entry.strip() for entry in _split(lines[heading].lstrip("# "), delimiter))
    below = [len(line) + 1 for line in lines[heading + 1 :]]
    header = tuple(lines[:heading] if place is None else lines[:place])
    return Top(encoding, header, names, delimiter, heading + 1, marker, sum(below) / max(len(below), 1))


def _is_marker(line: str, marker: str) -> bool:
    return line.strip(" \t,;\"'").lower() == marker.lower()


def _best(line: str, recognised: Callable[[Sequence[str]], int]) -> tuple[int, str | None]:
    if len(line) > _LONGEST:
        return 0, ","
    counts = [(recognised(_split(line.lstrip("# "), mark)), mark) for mark in _DELIMITERS]
    return max(counts, key=lambda entry: entry[0])


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def read_rows(file: Path, top: Top, positions: Sequence[int]) -> Rows:
    """Return the rows of the table.

    Empty lines and lines that begin with ``#`` are passed over.  A second header with the same headings is
    passed over too: files of one instrument can be joined.

    Parameters
    ----------
    file : Path
    top : Top
        Of `read_top`.
    positions : sequence of int
        Columns that are wanted.

    Raises
    ------
    InputError
        If a second table in the file has other headings.
    TooLargeError
        If the numbers do not fit in memory.
    """
    count = file.stat().st_size / max(top.length, 1.0)
    require_memory(_BYTES_PER_ROW * count, f"{file.name} with {count:.2g} rows")
    reader = _Reader(file.name, top, tuple(positions))
    lines = lines_of(file, top.encoding)
    next(islice(lines, top.line - 1, top.line), None)
    first = top.line + 1
    while chunk := list(islice(lines, _CHUNK)):
        reader.take(chunk, first)
        first += len(chunk)
    return reader.rows()


_Taken = tuple[list[int], list[list[str]], list[int]]


class _Reader:
    """Rows that have been read so far."""

    def __init__(self, file: str, top: Top, positions: tuple[int, ...]) -> None:
        self.file, self.top, self.positions = file, top, positions
        self.width = len(top.names)
        self.lines: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
        self.values: list[Floats] = [np.zeros((len(positions), 0))]
        self.states: list[NDArray[np.int8]] = [np.zeros((len(positions), 0), dtype=np.int8)]
        self.hashes: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
        self.unreadable: list[tuple[int, str]] = []
        self.above = ""  # in a second header: "header", then "headings"
        self.entries = 0

    def take(self, chunk: list[str], first: int) -> None:
        """Read more lines, of which ``first`` is the number of the first."""
        joined = "".join(chunk)
        taken = self._plain(chunk, joined, first) or self._careful(chunk, first)
        numbers, rows, hashes = taken
        self.lines.append(np.array(numbers, dtype=np.int64))
        self.hashes.append(np.array(hashes, dtype=np.int64))
        digits = "_" not in joined
        shortest = min(map(len, rows), default=0)
        columns = [
            _numbers(
                [row[p] for row in rows]
                if p < shortest
                else [row[p] if p < len(row) else "" for row in rows],
                self.top.delimiter,
                plain=digits,
            )
            for p in self.positions
        ]
        shape = (len(self.positions), len(rows))
        self.values.append(np.array([values for values, _ in columns]).reshape(shape))
        self.states.append(np.array([state for _, state in columns], dtype=np.int8).reshape(shape))

    def _plain(self, chunk: list[str], joined: str, first: int) -> _Taken | None:
        """Return the rows of lines among which none is special; None where one may be."""
        delimiter = self.top.delimiter
        special = ('"', "\n#", "\n[", "\n\n", "\n ", "\n\t")
        if self.above or delimiter is None or joined[-1] != "\n" or joined[0] in "#[ \t\n":
            return None
        if any(mark in joined for mark in special):
            return None
        rows = [line[:-1].split(delimiter) for line in chunk]
        if max(map(len, rows)) > self.width:
            return None
        self.entries = len(rows[-1])
        return list(range(first, first + len(rows))), rows, list(map(hash, chunk))

    def _careful(self, chunk: list[str], first: int) -> _Taken:
        """Return the rows of lines, one line after the other."""
        numbers: list[int] = []
        rows: list[list[str]] = []
        hashes: list[int] = []
        for count, line in enumerate(chunk, start=first):
            text = line.rstrip("\n")
            if not text or text.isspace() or text[0] in "#[" or self.above:
                self._outside(text)
                continue
            entries = _split(text, self.top.delimiter)
            reason = self._fault(entries, cut=text == line)
            if reason:
                self.unreadable.append((count, reason))
                continue
            self.entries = len(entries)
            numbers.append(count)
            rows.append(entries)
            hashes.append(hash(text + "\n"))
        return numbers, rows, hashes

    def _outside(self, text: str) -> None:
        """Take a line that is no row: an empty one, a remark, a line of a second header."""
        if not text.strip() or (text[0] == "#" and not self.above):
            return
        if self.above == "headings":
            names = tuple(entry.strip() for entry in _split(text, self.top.delimiter))
            if names != self.top.names:
                raise InputError(
                    f"{self.file} must hold one table, got a second one with other columns; split the file"
                )
            self.above = ""
        elif _is_marker(text, self.top.marker):
            self.above = "headings"
        elif text[0] == "[":
            self.above = "header"

    def _fault(self, entries: list[str], *, cut: bool) -> str:
        """Return why a line is no row; ``cut`` says that the file ends in it."""
        while len(entries) > self.width and not entries[-1].strip():
            entries.pop()
        if len(entries) > self.width:
            return f"{len(entries)} entries for {self.width} columns"
        if cut and len(entries) < self.entries:
            return "the file ends in the middle of this line"
        return ""

    def rows(self) -> Rows:
        """Return all rows."""
        lines = np.concatenate(self.lines)
        _, first, inverse = np.unique(np.concatenate(self.hashes), return_index=True, return_inverse=True)
        return Rows(
            lines,
            np.concatenate(self.values, axis=1),
            np.concatenate(self.states, axis=1),
            lines[first][inverse],
            tuple(self.unreadable),
        )


def _numbers(column: list[str], delimiter: str | None, *, plain: bool) -> tuple[Floats, NDArray[np.int8]]:
    """Return the numbers of a column and what every entry is."""
    if delimiter != ",":
        column = [entry.replace(",", ".") for entry in column]
    state = np.zeros(len(column), dtype=np.int8)
    try:
        if not plain:
            raise ValueError
        values = np.array([float(entry) if entry else np.nan for entry in column])
        if "" in column:
            state[[not entry for entry in column]] = BLANK
    except ValueError:
        values = np.array([_number(entry) for entry in column])
        state[:] = [GIVEN if v == v else _kind(entry) for v, entry in zip(values, column, strict=True)]
    state[(state == GIVEN) & ~np.isfinite(values)] = NOT_FINITE
    return np.where(np.isfinite(values), values, np.nan), state


def _number(entry: str) -> float:
    try:
        return np.nan if "_" in entry else float(entry)
    except ValueError:
        return np.nan


def _kind(entry: str) -> int:
    word = entry.strip(" \t\"'").lower()
    if word.lstrip("+-") == "nan":
        return NOT_FINITE
    return NO_NUMBER if word else BLANK
