r"""Spin Hamiltonians that ORCA prints after quasi-degenerate perturbation theory: D tensor and g matrix.

The effective Hamiltonian of the ground multiplet is printed as

.. math:: H = S\cdot D\cdot S + \mu_B\,B\cdot g\cdot S

with both matrices in the coordinates of the molecule, and here they stay there: neither is diagonalised, so
that their axes may differ.  The rows of g belong to the field, its columns to the spin, whose states are
those of the calculation; the sign of det g is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import one_of
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError
from mesospin.measured.quantum_chemistry.ab_initio import (
    AbInitio,
    Pseudospin,
    check_levels,
    decimals,
    deviation_from,
    read_lines,
    rows_of,
    warn_of_levels,
)
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.terms import Stevens

__all__ = ["HAMILTONIANS", "read_orca"]

HAMILTONIANS = ("effective", "2nd order")
"""Which of the zero-field splittings that ORCA prints."""

Floats = NDArray[np.float64]

_BLOCK = re.compile(r"Doing QDPT with (.+?)!", re.IGNORECASE)
_LEVEL = re.compile(r"QDPT WITH (\S+) DIAGONAL ENERGIES")
_STATE = re.compile(r"\s*STATE\s+(\d+):\s+(\d+\.\d+)\s*")
_MULTIPLICITY = re.compile(r"Spin multiplicity\s*=\s*(\d+)")
_VARIANTS = {"effective": "EFFECTIVE HAMILTONIAN", "2nd order": "2ND ORDER"}
#: Half a unit in the last digit of a printed energy [cm^-1], of a D tensor, and of a g factor.
_ENERGY, _D, _G = 1e-4, 2e-6, 5e-6
#: Part of the splitting by which levels of a spin above 3/2 may differ from those of D alone.
_BEYOND_D = 0.05


@dataclass(frozen=True, slots=True)
class _Block:
    """One QDPT calculation: its title and lines."""

    title: str
    line: int
    lines: Sequence[str]


def read_orca(path: str | Path, *, block: str | None = None, hamiltonian: str = "effective") -> AbInitio:
    r"""Return the spin system of a QDPT block of an ORCA output: S with its D tensor and g matrix.

    Parameters
    ----------
    path : str or Path
        Output of a CASSCF calculation with spin-orbit coupling (``DoSOC`` and ``GTensor``, ``DTensor``).
    block : str, optional
        Title of the block, e.g. "NEVPT2 SOC" or "CASSCF SOC+SSC"; a further block of the same title (another
        geometry) has " #2" after it.  Needed where the file holds several.
    hamiltonian : {"effective", "2nd order"}, default "effective"
        Which zero-field splitting.

    Returns
    -------
    AbInitio
        Its ``system`` has the D tensor as Stevens terms of rank 2 (the trace of D is left out) and g as the
        full matrix; ``energies`` are all spin-orbit states of the block.

    Raises
    ------
    InputError
        If the file cannot be read, is cut off, lacks the block or holds several; if D and E, or the g
        factors, are not those of the printed matrices; if the levels of an effective Hamiltonian with
        S <= 3/2, which D describes completely, are not the printed energies.

    Warns
    -----
    ValidityWarning
        If the levels differ from the printed energies by more than 5 % of the splitting, because D is of
        second order, or S > 3/2 has terms of fourth order.

    Notes
    -----
    A lanthanide has its crystal field in SINGLE_ANISO, which ORCA calls: see `read_single_aniso`.

    References
    ----------
    - R. Maurice et al., J. Chem. Theory Comput. 5, 2977 (2009).
    - F. Neese et al., J. Chem. Phys. 152, 224108 (2020).

    Examples
    --------
    >>> read_orca("missing.out")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: path must be a readable file, got 'missing.out' ([Errno 2] No such file or
    directory: 'missing.out'); check it
    """
    one_of("hamiltonian", hamiltonian, HAMILTONIANS)
    chosen = _choose(_blocks(read_lines(path)), block)
    lines, where = chosen.lines, f'block "{chosen.title}"'
    S = _spin(lines, where)
    g, checks = _g_matrix(lines, where)
    terms: list[Stevens] = []
    if S > 0.5:
        D, sentence = _d_tensor(lines, hamiltonian, where)
        terms = rank_two_terms(D)
        checks.append(sentence)
    title = Path(path).stem or "ORCA"
    system = SpinSystem(
        title, [Spin(S, g.tolist())], terms, [f"ORCA, {chosen.title}, {hamiltonian}: {title}"]
    )
    energies = _energies(lines, system.dimension, where)
    deviation = deviation_from(system, energies[: system.dimension])
    if S > 0.5:
        checks.append(_judge_levels(system, deviation, energies, hamiltonian, where))
    pseudospin = _pseudospin(S, g, energies[: system.dimension])
    return AbInitio(system, energies, rows_of(np.eye(3)), (pseudospin,), deviation, 0.0, tuple(checks))


def _blocks(lines: Sequence[str]) -> list[_Block]:
    found: list[tuple[str, int]] = []
    level = "CASSCF"
    for i, line in enumerate(lines):
        if heading := _LEVEL.search(line):
            level = heading[1]
        elif start := _BLOCK.search(line):
            found.append((f"{level} {'SOC+SSC' if 'SSC' in start[1].upper() else 'SOC'}", i))
    ends = [i for _, i in [*found, ("", len(lines))][1:]]
    blocks, seen = [], Counter[str]()
    for (title, i), j in zip(found, ends, strict=True):
        seen[title] += 1
        name = f"{title} #{seen[title]}" if seen[title] > 1 else title
        blocks.append(_Block(name, i + 1, lines[i:j]))
    return blocks


def _choose(blocks: Sequence[_Block], title: str | None) -> _Block:
    if not blocks:
        raise InputError(
            "the file must hold the output of ORCA's QDPT, got no such block; calculate with DoSOC, GTensor "
            "and DTensor"
        )
    listed = ", ".join(f'"{b.title}" (line {b.line})' for b in blocks)
    if title is None and len(blocks) > 1:
        raise InputError(
            f"block must be named for a file of {len(blocks)} QDPT blocks, got none; choose from {listed}"
        )
    for entry in blocks:
        if title in (None, entry.title):
            return entry
    raise InputError(f"block must be one of the file, got {title!r}; choose from {listed}")


def _spin(lines: Sequence[str], where: str) -> float:
    found = next((int(m[1]) for m in map(_MULTIPLICITY.search, lines) if m), None)
    if found is None:
        raise InputError(
            f"{where} must print the g matrix of an effective Hamiltonian, got none; calculate with GTensor"
        )
    if found < 2:
        raise InputError(f"{where} must have a ground multiplet with a spin, got multiplicity {found}")
    return (found - 1) / 2


def _energies(lines: Sequence[str], least: int, where: str) -> tuple[float, ...]:
    states = [(int(m[1]), float(m[2])) for m in map(_STATE.fullmatch, lines) if m]
    if [i for i, _ in states] != list(range(len(states))) or len(states) < least:
        raise InputError(
            f"{where} must list its states from 0 to {least - 1} at least, got {[i for i, _ in states]}; "
            "the file is cut off or damaged"
        )
    return tuple(energy * KELVIN_PER_WAVENUMBER for _, energy in states)


def _matrix(lines: Sequence[str], start: int, what: str) -> Floats:
    """Return the first three rows of three numbers after a heading, past a line of column numbers."""
    rows = []
    for line in lines[start + 1 : start + 7]:
        numbers = decimals(line)
        if len(numbers) == 3:
            rows.append(numbers)
        if len(rows) == 3:
            return np.array(rows)
    raise InputError(f"{what} must be three rows of three numbers, got {len(rows)}; the file is cut off")


def _after(lines: Sequence[str], heading: str, start: int = 0) -> int | None:
    return next((i for i in range(start, len(lines)) if heading in lines[i]), None)


def _g_matrix(lines: Sequence[str], where: str) -> tuple[Floats, list[str]]:
    start = _after(lines, "g-matrix:")
    if start is None:
        raise InputError(f"{where} must print the g matrix, got none; the file is cut off")
    g = _matrix(lines, start, f"g matrix of {where}")
    factors = _after(lines, "g-factors:", start)
    printed = decimals(lines[factors + 1])[:3] if factors is not None and factors + 1 < len(lines) else []
    size = np.linalg.svd(g, compute_uv=False)[::-1]
    if len(printed) != 3 or not np.allclose(size, np.sort(printed), rtol=_G, atol=_G):
        raise InputError(
            f"g matrix of {where} must have the printed g factors {printed}, got {size.round(6).tolist()}; "
            "the block is damaged"
        )
    return g, ["g factors are those of the printed matrix"]


def _d_tensor(lines: Sequence[str], hamiltonian: str, where: str) -> tuple[Floats, str]:
    """Return D [K] in the coordinates of the molecule after comparing D and E/D with the printed ones."""
    variant = _VARIANTS[hamiltonian]
    starts = [i for i, line in enumerate(lines) if line.strip() == "ZERO-FIELD SPLITTING"]
    start = next((i for i in starts if any(variant in line for line in lines[i + 1 : i + 4])), None)
    raw = None if start is None else _after(lines, "Raw matrix", start)
    if raw is None:
        raise InputError(
            f"{where} must print the zero-field splitting ({hamiltonian}), got none; calculate with DTensor, "
            "or name the other hamiltonian"
        )
    D = _matrix(lines, raw, f"D tensor of {where}")
    if not np.allclose(D, D.T, rtol=0.0, atol=_D * max(1.0, float(np.abs(D).max()))):
        raise InputError(f"D tensor of {where} must be symmetric, got {D.tolist()}; the block is damaged")
    values = np.linalg.eigvalsh(D - np.trace(D) / 3 * np.eye(3))
    a, b, c = values[np.argsort(np.abs(values))]
    printed, ratio = (_labelled(lines, label, raw, where) for label in ("D", "E/D"))
    limit = 3 * _D + 1e-5 * abs(printed)
    # at E/D = 1/3 the two outer values are equally large, and ORCA may name either
    if abs(abs(printed) - 1.5 * abs(c)) > limit or abs(ratio * abs(printed) - abs(a - b) / 2) > 10 * limit:
        raise InputError(
            f"D tensor of {where} must have the printed D = {printed} and E/D = {ratio}, got "
            f"D = {1.5 * c:.6f} and E/D = {abs((a - b) / (3 * c)) if c else 0.0:.6f}; the block is damaged"
        )
    return D * KELVIN_PER_WAVENUMBER, "D and E/D are those of the printed matrix"


def _labelled(lines: Sequence[str], label: str, start: int, where: str) -> float:
    pattern = re.compile(rf"\s*{label}\s*=")
    line = next((entry for entry in lines[start:] if pattern.match(entry)), "")
    if not decimals(line):
        raise InputError(f"{where} must print {label} after its D tensor, got none; the file is cut off")
    return decimals(line)[0]


def rank_two_terms(D: Floats) -> list[Stevens]:
    r"""Return :math:`S\cdot D\cdot S` of a symmetric tensor [K] without its trace as Stevens operators.

    Examples
    --------
    >>> [(t.q, t.B) for t in rank_two_terms(np.diag([-1.0, -1.0, 2.0]))]
    [(0, 1.0)]
    """
    parts = {
        -2: (D[0, 1] + D[1, 0]) / 2,
        -1: D[1, 2] + D[2, 1],
        0: (D[2, 2] - np.trace(D) / 3) / 2,
        1: D[0, 2] + D[2, 0],
        2: (D[0, 0] - D[1, 1]) / 2,
    }
    return [Stevens(2, q, float(value)) for q, value in parts.items() if value != 0.0]


def _judge_levels(
    system: SpinSystem, deviation: float, energies: Sequence[float], hamiltonian: str, where: str
) -> str:
    S, width = system.spins[0].S, energies[system.dimension - 1]
    what = f"the D tensor of {where}"
    if S <= 1.5 and hamiltonian == "effective":
        rounding = (_ENERGY + 3 * _D * S * (S + 1)) * KELVIN_PER_WAVENUMBER
        return check_levels(deviation, rounding, what)
    return warn_of_levels(deviation, _BEYOND_D * width, what)


def _pseudospin(S: float, g: Floats, energies: tuple[float, ...]) -> Pseudospin:
    axes, size, _ = np.linalg.svd(g)
    axes = axes[:, ::-1]
    axes = axes * np.sign(np.linalg.det(axes))
    x, y, z = (float(value) for value in size[::-1])
    sign = int(np.sign(np.linalg.det(g)))
    return Pseudospin(1, S, energies, (x, y, z), rows_of(axes.T), sign, None)
