"""What a quantum-chemical calculation says about one magnetic centre, in the axes of its own file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import spin_text
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError, ValidityWarning
from mesospin.model.system import SpinSystem
from mesospin.model.term import Frame
from mesospin.spectrum.doublets import doublets

__all__ = ["AbInitio", "Axes", "Pseudospin"]

Floats = NDArray[np.float64]
Axes = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]

_NUMBER = re.compile(r"[-+]?\d+\.\d*(?:[EeDd][-+]?\d+)?")
#: Relative difference of two tensors g g^T from which they do not describe the same doublet.
_OTHER_DOUBLET = 0.2
#: Distance of levels [K] that the rounding of printed energies may make.
_NEAR = 0.01
#: Part of the largest g below which the sign of the product is not compared.
_TOO_SMALL = 0.05


class Pseudospin(NamedTuple):
    r"""A group of spin-orbit states as a pseudospin, :math:`\mu = -\mu_B\,g\,\tilde S`.

    Attributes
    ----------
    number : int
        Number of the group in the file, from 1.
    S : float
        Pseudospin.
    energies : tuple of float [K]
        Its states above the lowest state of the file.
    g : tuple of three float
        Main values gX, gY, gZ, not negative, in the order of the file.
    axes : three rows of three float
        Unit vectors Xm, Ym, Zm in the coordinates of the molecule.
    sign : int or None
        Sign of det g from the printed decomposition of the moment, as in `doublets`; 0 where a value
        vanishes, None where nothing is printed.
    printed_sign : int or None
        The sign of gX gY gZ in the words of the program, which is that of its spin part, reversed.
    """

    number: int
    S: float
    energies: tuple[float, ...]
    g: tuple[float, float, float]
    axes: Axes
    sign: int | None
    printed_sign: int | None


@dataclass(frozen=True, slots=True)
class AbInitio:
    r"""A spin system read from the output of a quantum-chemical program, with what else is printed.

    Attributes
    ----------
    system : SpinSystem
        In the coordinates of the molecule: terms printed in other axes carry them as ``frame``.
    energies : tuple of float [K]
        All spin-orbit states of the section above the lowest; empty if not printed.
    axes : three rows of three float
        The axes X, Y, Z in which the Hamiltonian is printed, in the coordinates of the molecule; Z is the
        axis of quantisation.
    pseudospins : tuple of Pseudospin
        Groups of states with their g tensors.
    deviation : float [K]
        Largest difference between the levels of ``system`` and the printed ones; nan if none are printed.
    omitted : float [K]
        What ``deviation`` may be by terms that are not in ``system``: their Frobenius norm.
    checks : tuple of str
        What was compared inside the file, one sentence each.
    """

    system: SpinSystem
    energies: tuple[float, ...]
    axes: Axes
    pseudospins: tuple[Pseudospin, ...]
    deviation: float
    omitted: float
    checks: tuple[str, ...]

    def describe(self) -> str:
        """Return the system, the axes and the checks as text."""
        rows = [
            f"{name} = ({', '.join(f'{c:.6f}' for c in row)})"
            for name, row in zip("XYZ", self.axes, strict=True)
        ]
        groups = [
            f"pseudospin {p.number}: S = {spin_text(p.S)}, {p.energies[0]:.4g} K, "
            f"g = {', '.join(f'{g:.5g}' for g in p.g)}"
            + ("" if p.sign is None else f", sign of the product {'-0+'[p.sign + 1]}")
            for p in self.pseudospins
        ]
        return "\n".join([self.system.describe(), "axes: " + ", ".join(rows), *groups, *self.checks])


def read_lines(path: str | Path) -> list[str]:
    """Return the lines of a text file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, TypeError) as error:
        raise InputError(f"path must be a readable file, got {str(path)!r} ({error}); check it") from None


def decimals(line: str) -> list[float]:
    """Return the numbers with a decimal point of a line.

    Examples
    --------
    >>> decimals("  0  1.50 -0.2D+01 | Xm")
    [1.5, -2.0]
    """
    return [float(text.replace("D", "E").replace("d", "e")) for text in _NUMBER.findall(line)]


def rotation(rows: Sequence[Sequence[float]], where: str) -> Floats:
    """Return printed axes as an exact rotation, whose rows they are.

    Raises
    ------
    InputError
        If they are not orthogonal unit vectors, or left-handed.
    """
    axes = np.asarray(rows, dtype=np.float64)
    left, size, right = np.linalg.svd(axes)
    if not np.allclose(size, 1.0, atol=1e-4):
        raise InputError(f"{where} must be orthogonal unit vectors, got {axes.tolist()}; repair the file")
    if np.linalg.det(axes) < 0.0:
        raise InputError(f"{where} must be right-handed, got {axes.tolist()}; turn one of them round")
    return np.asarray(left @ right, dtype=np.float64)


def rows_of(axes: Floats) -> Axes:
    """Return a 3x3 array as nested tuples."""
    x, y, z = ((float(a), float(b), float(c)) for a, b, c in axes)
    return x, y, z


def frame_of(axes: Floats) -> Frame | None:
    """Return the zyz angles of the rotation that carries x, y, z into the rows of ``axes``.

    Examples
    --------
    >>> frame_of(np.eye(3)) is None
    True
    >>> [round(angle, 6) + 0.0 for angle in frame_of(np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]))]
    [0.0, 1.570796, 0.0]
    """
    matrix = axes.T
    if np.array_equal(matrix, np.eye(3)):
        return None
    sine = float(np.hypot(matrix[0, 2], matrix[1, 2]))
    beta = float(np.arctan2(sine, matrix[2, 2]))
    if sine < 1e-14:
        alpha = float(np.arctan2(matrix[1, 0], matrix[1, 1]))
        return alpha, 0.0 if matrix[2, 2] > 0.0 else np.pi, 0.0
    alpha = float(np.arctan2(matrix[1, 2], matrix[0, 2]))
    return alpha, beta, float(np.arctan2(matrix[2, 1], -matrix[2, 0]))


def levels_of(system: SpinSystem) -> Floats:
    """Return the eigenvalues [K] of a system of one spin without a field."""
    n = system.dimension
    H = np.zeros((n, n), dtype=np.complex128)
    for term in system.terms:
        for ((_, operator),) in term.products(system.spins):
            H += operator.matrix()
    return np.asarray(np.linalg.eigvalsh(H), dtype=np.float64)


def deviation_from(system: SpinSystem, energies: Sequence[float]) -> float:
    """Return the largest difference [K] between the levels of a system and printed ones, means removed."""
    printed, found = np.sort(np.asarray(energies, dtype=np.float64)), levels_of(system)
    return float(np.max(np.abs((found - found.mean()) - (printed - printed.mean()))))


def check_levels(deviation: float, tolerance: float, what: str) -> str:
    """Return the sentence on levels that agree.

    Raises
    ------
    InputError
        If they do not.
    """
    unit = KELVIN_PER_WAVENUMBER
    if not deviation <= tolerance:
        raise InputError(
            f"levels of {what} must be the printed energies within {tolerance / unit:.2g} cm^-1, got "
            f"a difference of {deviation / unit:.3g} cm^-1; the block does not belong to these states, "
            "is damaged, or is in another normalisation"
        )
    return f"levels agree with the printed energies within {deviation / unit:.2g} cm^-1"


def warn_of_levels(deviation: float, tolerance: float, what: str) -> str:
    """Return the sentence on levels that need not agree; warn where they differ by more than a tolerance."""
    unit = KELVIN_PER_WAVENUMBER
    sentence = f"levels of {what} differ from the printed energies by {deviation / unit:.2g} cm^-1"
    if not deviation <= tolerance:
        warnings.warn(f"{sentence}: terms beyond it are needed", ValidityWarning, stacklevel=4)
    return sentence


def check_doublets(system: SpinSystem, pseudospins: Sequence[Pseudospin], deviation: float) -> list[str]:
    """Return sentences on the g tensors of the doublets of ``system`` against printed ones.

    Both are compared as tensors g g^T in the coordinates of the molecule, so that their axes count, where
    both levels of the doublet agree within twice the ``deviation`` [K] of the levels.

    Raises
    ------
    InputError
        If the lowest doublet differs: its axes or the order of the parameters are wrong.
    """
    printed = [p for p in pseudospins if p.S == 0.5]
    if not printed or not system.terms:
        return []
    try:
        found = doublets(system)
    except InputError:
        return ["g tensors were not compared: the levels are not separate doublets"]
    energy, gap = found["energy"].values, found["gap"].values
    levels = np.stack([energy - gap / 2, energy + gap / 2], axis=1)
    near = _NEAR + (2.0 * deviation if np.isfinite(deviation) else 0.01 * float(energy[-1]))
    sentences = []
    for pseudospin in printed:
        away = np.max(np.abs(levels - np.array(pseudospin.energies)), axis=1)
        k = int(np.argmin(away))
        if away[k] > near:
            continue
        wanted = _square(pseudospin.g, pseudospin.axes)
        ours = _square(found["g"].values[k], found["g_axis"].values[k])
        difference = float(np.linalg.norm(ours - wanted) / np.linalg.norm(wanted))
        _judge(pseudospin, difference, int(found["g_sign"].values[k]))
        sentences.append(
            f"g tensor of doublet {pseudospin.number} agrees within {100 * difference:.2g} % of g g^T"
        )
    return sentences


def _square(g: Sequence[float] | Floats, axes: Axes | Floats) -> Floats:
    rows = np.asarray(axes, dtype=np.float64)
    return np.asarray(rows.T @ np.diag(np.square(np.asarray(g, dtype=np.float64))) @ rows)


def _judge(pseudospin: Pseudospin, difference: float, sign: int) -> None:
    what = f"g tensor of doublet {pseudospin.number}"
    if difference > _OTHER_DOUBLET:
        sentence = (
            f"{what} must be printed as in the system read within {100 * _OTHER_DOUBLET:.0f} % of g g^T, "
            f"got {100 * difference:.3g} %; "
        )
        if pseudospin.energies[0] == 0.0:
            raise InputError(sentence + "the axes or the order of the parameters of the block are others")
        warnings.warn(
            sentence + "states of other multiplets are mixed in, or the axes are others",
            ValidityWarning,
            stacklevel=5,
        )
    elif min(pseudospin.g) > _TOO_SMALL * max(pseudospin.g) and pseudospin.sign not in (None, sign):
        warnings.warn(
            f"sign of gX gY gZ of doublet {pseudospin.number} must be {sign:+d} in the multiplet read, got "
            f"{pseudospin.sign:+d} from the printed moment; take the g tensor from the file",
            ValidityWarning,
            stacklevel=5,
        )
