"""The blocks that SINGLE_ANISO prints, as values: energies, pseudospins, and tables of parameters.

Both dialects are understood, that of OpenMolcas and that of the program as ORCA calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import spin_text
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError
from mesospin.measured.quantum_chemistry.ab_initio import Pseudospin, decimals, rotation, rows_of

Floats = NDArray[np.float64]
Table = dict[tuple[int, int], complex]

_BANNER = re.compile(r"SINGLE_ANISO \(OPEN\)|SINGLE_ANISO Program")
_ENERGY_HEADING = re.compile(r"LOW-LYING SPIN-ORBIT ENERGIES|Spin-orbit energy spectra \(cm-1\)")
_ENERGY = re.compile(r"ENERGY OF THE SPIN-ORBIT STATE \(\s*\d+\)\s*=\s*(\S+)")
_COUNT = re.compile(r"Number of spin-orbit states -+ :\s*(\d+)")
_ION = re.compile(r"ground atomic multiplet of Ln = (\w+)")
_PART = re.compile(r"CALCULATION OF (?:PSEUDOSPIN|CRYSTAL-FIELD)")
_MULTIPLET = re.compile(r"FOR THE MULTIPLET\s*(\d+)\s*\(\s*effective S =\s*(\d+)\s*(/2)?\s*\)")
_STATE = re.compile(r"spin-orbit state\s*\d+\s*[;.]\s*energy\(\s*\d+\)\s*=\s*(\S+)\s*cm-1")
_MAIN = re.compile(r"\bg([XYZ]) =.*\|\s*[XYZ]m\s*\|")
_SIGN = re.compile(r"sign of the product gX \* gY \* gZ for multiplet\s*\d+\s*:\s*([<>])")
_MOMENT = re.compile(r"\s*1\s*\|\s*(-1|0|1)\s*\|\s*([XYZ])\s*\|\s*[\d.]*\s*\|\s*(\S+)\s*\|\s*")
_J = re.compile(r"GROUND ATOMIC MULTIPLET J\s*=\s*(\d+)\s*(/2)?\s*\.")
_AXIS = re.compile(r"\|\s*([XYZ])m\s*\|")
_STEVENS_ROW = re.compile(r"\s*(\d+)\s*\|\s*(-?\d+)\s*\|\s*([\d.]+)\s*\|\s*(\S+)\s*\|\s*")
_TENSOR_ROW = re.compile(r"\s*(\d+)\s*\|\s*(-?\d+)\s*\|\s*(\S+)\s+(\S+)\s*\*I\s*\|\s*")
_HAMILTONIAN = re.compile(r"The (?:Crystal-Field|ZFS) Hamiltonian:")


@dataclass(frozen=True, slots=True)
class StevensTable:
    """Parameters of Stevens operators [cm^-1], with the squares of the ratios of their norms as printed."""

    values: dict[tuple[int, int], float]
    squares: dict[tuple[int, int], float]


@dataclass(frozen=True, slots=True)
class Field:
    """A crystal-field block: J, its axes as rows, and its tables; empty where they are not printed."""

    J: float
    axes: Floats
    stevens: StevensTable
    tensors: Table


@dataclass(frozen=True, slots=True)
class Group:
    """A pseudospin block: the pseudospin, the matrix g along its axes, and its zero-field table."""

    pseudospin: Pseudospin
    g: Floats | None
    stevens: StevensTable


@dataclass(frozen=True, slots=True)
class Section:
    """One run of the program: line of its beginning, name of the ion, energies [cm^-1], blocks."""

    line: int
    ion: str | None
    energies: tuple[float, ...]
    fields: tuple[Field, ...]
    groups: tuple[Group, ...]


def sections_of(lines: Sequence[str]) -> tuple[Section, ...]:
    """Return the runs of the program in a file.

    Raises
    ------
    InputError
        If there is none or one breaks off.
    """
    starts = _starts(lines, _BANNER) or _starts(lines, _ENERGY_HEADING) or _starts(lines, _PART)
    if not starts:
        raise InputError(
            "the file must hold the output of SINGLE_ANISO, got none of its headings; name the output of the "
            "program itself, not its data file"
        )
    ends = [*starts[1:], len(lines)]
    return tuple(_section(lines[i:j], i + 1) for i, j in zip(starts, ends, strict=True))


def _starts(lines: Sequence[str], pattern: re.Pattern[str]) -> list[int]:
    return [i for i, line in enumerate(lines) if pattern.search(line)]


def _section(lines: Sequence[str], number: int) -> Section:
    starts = _starts(lines, _PART)
    ends = [*starts[1:], len(lines)]
    parts = [lines[i:j] for i, j in zip(starts, ends, strict=True)]
    ion = next((m.group(1) for m in map(_ION.search, lines) if m), None)
    fields = tuple(_field(part) for part in parts if _J.search(part[0]))
    groups = tuple(_group(part) for part in parts if _MULTIPLET.search(part[0]))
    return Section(number, ion, _energies(lines), fields, groups)


def _energies(lines: Sequence[str]) -> tuple[float, ...]:
    listed = [_float(m.group(1), "energy") for m in map(_ENERGY.search, lines) if m]
    if listed:
        return tuple(listed)
    count = next((int(m.group(1)) for m in map(_COUNT.search, lines) if m), None)
    start = next((i for i, line in enumerate(lines) if _ENERGY_HEADING.search(line)), None)
    if start is None:
        return ()
    for line in lines[start + 1 :]:
        if not line.strip().startswith(":"):
            break
        listed += decimals(line)
    if count is not None and len(listed) != count:
        raise InputError(
            f"the spin-orbit energies must be {count} as the file says, got {len(listed)}; it is cut off"
        )
    return tuple(listed)


def _spin(number: str, half: str | None) -> float:
    return int(number) / 2 if half else float(int(number))


def _float(text: str, what: str) -> float:
    try:
        return float(text.replace("D", "E"))
    except ValueError:
        raise InputError(f"{what} must be a number, got {text!r}; the file is damaged") from None


def _group(lines: Sequence[str]) -> Group:
    head = _MULTIPLET.search(lines[0])
    assert head is not None
    number, S = int(head.group(1)), _spin(head.group(2), head.group(3))
    where = f"multiplet {number}"
    states = [_float(m.group(1), f"energy of {where}") for m in map(_STATE.search, lines) if m]
    if len(states) != round(2 * S) + 1:
        raise InputError(
            f"{where} must list {round(2 * S) + 1} states for an effective spin {spin_text(S)}, got "
            f"{len(states)}; the file is cut off"
        )
    main = [decimals(line) for line in lines if _MAIN.search(line)][:3]
    if len(main) != 3 or any(len(row) != 4 for row in main):
        raise InputError(f"{where} must print gX, gY, gZ with their axes, got {len(main)} lines; cut off")
    axes = rotation([row[1:] for row in main], f"main magnetic axes of {where}")
    x, y, z = (row[0] for row in main)
    g = _moment(lines)
    printed = next((1 if m.group(1) == ">" else -1 for m in map(_SIGN.search, lines) if m), None)
    energies = tuple(e * KELVIN_PER_WAVENUMBER for e in states)
    pseudospin = Pseudospin(number, S, energies, (x, y, z), rows_of(axes), _determinant(g), printed)
    tables = [_stevens(part, where) for part in _hamiltonians(lines) if _is_stevens(part)]
    return Group(pseudospin, g, tables[0] if tables else StevensTable({}, {}))


def _moment(lines: Sequence[str]) -> Floats | None:
    """Return g of mu = -g S along the printed axes, from the decomposition in Sx, Sy, Sz."""
    column = {"1": 0, "-1": 1, "0": 2}
    entries = {
        ("XYZ".index(m.group(2)), column[m.group(1)]): _float(m.group(3), "the moment")
        for m in map(_MOMENT.fullmatch, lines)
        if m
    }
    if len(entries) != 9:
        return None
    return np.array([[-entries[a, b] for b in range(3)] for a in range(3)])


def _determinant(g: Floats | None) -> int | None:
    if g is None:
        return None
    size = np.linalg.svd(g, compute_uv=False)
    return 0 if size[2] <= 1e-7 * size[0] else int(np.sign(np.linalg.det(g)))


def _field(lines: Sequence[str]) -> Field:
    head = _J.search(lines[0])
    assert head is not None
    J = _spin(head.group(1), head.group(2))
    where = f"crystal field of J = {spin_text(J)}"
    stevens, tensors = StevensTable({}, {}), {}
    for part in _hamiltonians(lines):
        if _is_stevens(part):
            stevens = _stevens(part, where)
        elif any("Irreducible Tensor Operators" in line for line in part):
            tensors = {
                (int(m[1]), int(m[2])): complex(_float(m[3], where), _float(m[4], where))
                for m in map(_TENSOR_ROW.fullmatch, part)
                if m
            }
    return Field(J, _field_axes(lines, where), stevens, tensors)


def _field_axes(lines: Sequence[str], where: str) -> Floats:
    found = {m.group(1): decimals(line)[-3:] for line in lines if (m := _AXIS.search(line))}
    if len(found) == 3 and all(len(row) == 3 for row in found.values()):
        return rotation([found[name] for name in "XYZ"], f"axes of the {where}")
    if any("initial coordinate system." in line or "IDENTITY matrix" in line for line in lines):
        return np.eye(3)
    raise InputError(f"{where} must be printed with its axes Xm, Ym, Zm, got none; the file is cut off")


def _hamiltonians(lines: Sequence[str]) -> Iterator[list[str]]:
    starts = [*_starts(lines, _HAMILTONIAN), len(lines)]
    for i, j in pairwise(starts):
        yield list(lines[i:j])


def _is_stevens(lines: Sequence[str]) -> bool:
    return any("extended stevens operators" in line.lower() for line in lines)


def _stevens(lines: Sequence[str], where: str) -> StevensTable:
    rows = [m for m in map(_STEVENS_ROW.fullmatch, lines) if m]
    return StevensTable(
        {(int(m.group(1)), int(m.group(2))): _float(m.group(4), where) for m in rows},
        {(int(m.group(1)), int(m.group(2))): float(m.group(3)) for m in rows},
    )
