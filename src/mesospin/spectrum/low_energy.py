r"""The space of the lowest levels of a field line, all fields of a range at once.

The k lowest states at a handful of fields span a small space that contains the k lowest states at every
field between, up to an error that falls geometrically with the number of fields as long as a gap separates
them from the rest.  H(B) restricted to that space is again affine in the field, and stands for the large
matrix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError
from mesospin.spectrum.matrices import Array, FieldLine

#: Largest part of H acting on a state that may lead out of the space [K]: energies, and couplings of states
#: that cross, are then wrong by its square over the distance of the other levels.
_RESIDUAL = 1e-7
#: Numbers of fields tried, and the size below which a direction is one already there.
_NODES = range(2, 13)
_PARALLEL = 1e-10


def low_energy_basis(line: FieldLine, lo: float, hi: float, count: int) -> Array:
    """Return an orthonormal basis that contains the ``count`` lowest states at all fields of a range.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G, shape (n, n).
    lo, hi : float [T]
        Range of the field.
    count : int
        Number of states; a gap must separate them from the others at every field.

    Returns
    -------
    ndarray, shape (n, r)
        The identity where r would be n.

    Raises
    ------
    ConvergenceError
        If twelve fields do not span the states of the range.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.matrices import field_line
    >>> line = field_line(giant_spin(10, D=-1.0), axis=(1.0, 0.0, 0.0))
    >>> basis = low_energy_basis(line, 0.0, 0.1, 2)
    >>> basis.shape
    (21, 8)
    >>> small = basis.T @ line.at(0.07) @ basis
    >>> bool(abs(np.linalg.eigvalsh(small)[:2] - np.linalg.eigvalsh(line.at(0.07))[:2]).max() < 1e-12)
    True
    """
    n = len(line.H0)
    if count >= n:
        return np.eye(n)
    for nodes in _NODES:
        angle = (np.arange(nodes) + 0.5) * np.pi / nodes
        fields = (lo + hi) / 2 - (hi - lo) / 2 * np.cos(angle) / np.cos(angle[0])  # ends included
        states = [np.linalg.eigh(line.at(float(B)))[1][:, :count] for B in fields]
        left, size, _ = np.linalg.svd(np.hstack(states), full_matrices=False)
        basis: Array = left[:, size > _PARALLEL]
        if basis.shape[1] > n // 2:
            return np.eye(n)
        if max(_residual(line, basis, float(B), count) for B in (fields[1:] + fields[:-1]) / 2) < _RESIDUAL:
            return basis
    msg = (
        f"the {count} lowest levels between {lo:g} and {hi:g} T could not be told from the others "
        "by a few fields; shorten the range"
    )
    raise ConvergenceError(msg)


def block_line(line: FieldLine, members: NDArray[np.intp]) -> FieldLine:
    """Return H(B) between the basis states ``members``, a symmetry block."""
    inside = np.ix_(members, members)
    H0: Array = line.H0[inside]
    G: Array = line.G[inside]
    return FieldLine(H0, G)


def restricted(line: FieldLine, basis: Array) -> FieldLine:
    """Return H(B) in the space of the columns of ``basis``."""
    return FieldLine(*(basis.conj().T @ matrix @ basis for matrix in line))


def _residual(line: FieldLine, basis: Array, B: float, count: int) -> float:
    energy, U = np.linalg.eigh(restricted(line, basis).at(B))
    states = basis @ U[:, :count]
    return float(np.linalg.norm(line.at(B) @ states - states * energy[:count], axis=0).max())
