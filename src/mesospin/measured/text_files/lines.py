"""Lines and numbers of text files as instruments and Fortran programs write them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError

Floats = NDArray[np.float64]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eEdD][+-]?\d+)?")


def text_of(path: str | Path) -> str:
    """Return the text of a file in UTF-8, UTF-16 or the Western code page of Windows.

    Raises
    ------
    InputError
        If there is no such file, or it is no text.
    """
    file = Path(path)
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{str(file)!r} must be a readable file, got none; check the path") from None
    except OSError as error:
        raise InputError(f"{str(file)!r} could not be read: {error.strerror}; check the path") from None
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InputError(f"{str(file)!r} could not be read as text; give a text file")


def write_text(path: str | Path, text: str) -> Path:
    """Write a file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    file = Path(path)
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{str(file)!r} could not be written: {error.strerror}; choose another") from None
    return file


def number(word: str, *, comma: bool = False) -> float:
    """Return a finite number; exponents may be Fortran's, the decimal sign a comma where that is allowed.

    Examples
    --------
    >>> number("1.0D-03"), number(" 3,10", comma=True)
    (0.001, 3.1)
    >>> number("nan")
    Traceback (most recent call last):
    ...
    ValueError: 'nan' is not a number
    """
    text = word.strip()
    if comma and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{word!r} is not a number")
    return float(text.replace("D", "e").replace("d", "e"))


def number_row(line: str) -> list[float]:
    """Return the numbers of a line, between which stand blanks, tabs, commas or semicolons.

    Commas are decimal signs where every number of the line has one and blanks, tabs or semicolons keep
    them apart.

    Examples
    --------
    >>> number_row("2.0  3.1D+00"), number_row("2.0, 3.1"), number_row("2,0 3,1"), number_row("2.0;3.1")
    ([2.0, 3.1], [2.0, 3.1], [2.0, 3.1], [2.0, 3.1])
    """
    words = line.replace(";", " ").split()
    if len(words) > 1 and all(_DECIMAL_COMMA.fullmatch(word) for word in words):
        return [number(word, comma=True) for word in words]
    return [number(word) for word in re.split(r"\s*,\s*|\s+", " ".join(words).strip(" ,"))]


def number_table(path: str | Path) -> Floats:
    """Return a file of nothing but rows of numbers, shape (rows, columns).

    Empty lines and what follows ``#``, ``!`` or ``%`` are left out.

    Raises
    ------
    InputError
        If a line is not numbers or has another number of them; the sentence names it.
    """
    file = Path(path)
    rows: list[list[float]] = []
    for count, line in enumerate(text_of(file).splitlines(), start=1):
        content = re.split("[#!%]", line)[0].strip()
        if not content:
            continue
        try:
            row = number_row(content)
        except ValueError:
            raise InputError(
                f"line {count} of {file.name} must be numbers, got {content!r}; remove it or begin it with #"
            ) from None
        if len(row) < 2 or (rows and len(row) != len(rows[0])):
            raise InputError(
                f"line {count} of {file.name} must have {len(rows[0]) if rows else 'at least 2'} columns, "
                f"got {len(row)}; complete it"
            )
        rows.append(row)
    if not rows:
        raise InputError(f"{file.name} must hold at least one row of numbers, got none; check the file")
    return np.array(rows)
