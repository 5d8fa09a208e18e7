"""Text files of instruments: what they may be and in which encoding they are."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from mesospin.errors import InputError, TooLargeError

__all__ = ["LARGEST_FILE", "encoding_of", "lines_of"]

LARGEST_FILE: Final = 2_000_000_000
"""Bytes of the largest file that is read."""

_BLOCK: Final = 1 << 20
_OPENINGS: Final = {
    b"PK\x03\x04": "a spreadsheet or an archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet; save the sheet as CSV",
    b"\x1f\x8b": "a compressed file; unpack it",
    b"%PDF": "a PDF; export the numbers as CSV",
}
_MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_CONTROL: Final = bytes(sorted(set(range(32)) - set(b"\t\n\r\x0b\x0c\x1a")))


def encoding_of(file: Path) -> str:
    """Return the encoding of a text file.

    A byte-order mark decides; else UTF-16 if every second byte at the beginning is zero; else UTF-8 if the
    whole file is valid UTF-8; else the Western code page of Windows, cp1252, or latin-1 if a byte is
    unknown there.

    Raises
    ------
    InputError
        If there is no such file, it is empty, or it is no text.
    TooLargeError
        If it is larger than `LARGEST_FILE`; nothing has been read.
    """
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise TooLargeError(
                f"{file.name} must be at most {LARGEST_FILE / 1e9:g} GB, got {size / 1e9:.3g} GB; split it"
            )
        with file.open("rb") as stream:
            return _encoding(file.name, stream)
    except FileNotFoundError:
        raise InputError(f"{str(file)!r} must be a readable file, got none; check the path") from None
    except OSError as error:
        raise InputError(f"{str(file)!r} could not be read: {error.strerror}; check the path") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(file)!r} must be the path of a file, got {error}; check it") from None


def _encoding(name: str, stream: IO[bytes]) -> str:
    block = stream.read(_BLOCK)
    if not block.strip(b"\x00 \t\r\n\xff\xfe"):
        raise InputError(f"{name} must hold a table, got an empty file; export it again")
    for opening, what in _OPENINGS.items():
        if block.startswith(opening):
            raise InputError(f"{name} must be a text file, got {what}")
    wide = _marked(block)
    if wide:
        return wide
    decoders = {encoding: codecs.getincrementaldecoder(encoding)() for encoding in ("utf-8", "cp1252")}
    while block:
        if len(block) - len(block.translate(None, _CONTROL)) > 0.001 * len(block):
            raise InputError(f"{name} must be a text file, got a binary one; give the file that was exported")
        for encoding in tuple(decoders):
            try:
                decoders[encoding].decode(block)
            except UnicodeDecodeError:
                del decoders[encoding]
        block = stream.read(_BLOCK)
    return next(iter(decoders), "latin-1")


def _marked(block: bytes) -> str:
    """Return the encoding that a byte-order mark or the zeros of UTF-16 tell, "" for none."""
    for mark, encoding in _MARKS.items():
        if block.startswith(mark):
            return encoding
    even, odd = block[0:4096:2], block[1:4096:2]
    zeros = even.count(0), odd.count(0)
    if max(zeros) > 0.9 * len(odd) and min(zeros) < 0.1 * len(odd):
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    return ""


def lines_of(file: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a text file with their ends; every kind of line end counts."""
    with file.open(encoding=encoding, errors="replace", newline=None) as stream:
        yield from stream
