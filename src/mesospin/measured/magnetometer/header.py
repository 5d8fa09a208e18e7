"""The lines above the table: which instrument wrote the file, and what it says of the sample."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

__all__ = ["Header", "read_header"]

_INSTRUMENTS: Final = (
    (r"MPMS3", "MPMS3"),
    (r"SQUID VSM", "MPMS SQUID VSM"),
    (r"MPMS", "MPMS XL"),
    (r"DYNACOOL.*(ACMS|VSM)", "PPMS DynaCool {}"),
    (r"VERSALAB.*(ACMS|VSM)", "VersaLab {}"),
    (r"\b(ACMS ?II)", "PPMS ACMS II"),
    (r"\b(ACMS|VSM)\b", "PPMS {}"),
    (r"PPMS", "PPMS"),
)
_SAID_LAST: Final = re.compile(r"[A-Z][A-Z0-9_]+")


class Header(NamedTuple):
    """What stands above the table."""

    instrument: str
    """"unknown" where nothing says it."""
    fields: Mapping[str, str]
    """Entries of the lines that begin with INFO, by their names."""


def read_header(lines: Sequence[str]) -> Header:
    """Return what the header says.

    The name of an entry stands last (MPMS3, PPMS: ``INFO,26.3,SAMPLE_MASS``) or first (MPMS XL:
    ``INFO, WEIGHT, 21.3``).

    Examples
    --------
    >>> read_header(["BYAPP,MPMS Measurement,1.1", "INFO, WEIGHT, 21.3"])
    Header(instrument='MPMS XL', fields={'WEIGHT': '21.3'})
    """
    fields: dict[str, str] = {}
    for line in lines:
        entries = [entry.strip() for entry in _entries(line)]
        while len(entries) > 2 and not entries[-1] and not _SAID_LAST.fullmatch(entries[1]):
            entries.pop()
        if len(entries) < 3 or entries[0].upper() != "INFO":
            continue
        if _SAID_LAST.fullmatch(entries[-1]) and not (len(entries) == 3 and _SAID_LAST.fullmatch(entries[1])):
            fields[entries[-1]] = ",".join(entries[1:-1])
        else:
            fields[entries[1].rstrip(":")] = ",".join(entries[2:])
    return Header(_instrument(lines), fields)


def _entries(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return line.split(",")


def _instrument(lines: Sequence[str]) -> str:
    """Return the instrument that the application's name, else any line but those of the sample, speaks of."""
    said = [line for line in lines if re.match(r"\s*(;|TITLE|BYAPP|INFO\b.*\bAPPNAME)", line, re.IGNORECASE)]
    text = " ".join(said).upper()
    for pattern, name in _INSTRUMENTS:
        match = re.search(pattern, text)
        if match:
            return name.format(*match.groups())
    return "unknown"
