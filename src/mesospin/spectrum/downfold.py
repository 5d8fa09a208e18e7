r"""Tunnel splittings without cancellation: Feshbach downfolding onto two basis states.

For basis states a and b and the rest Q, the exact eigenvalue problem is

.. math:: h(E) = H_{PP} + H_{PQ}(E - H_{QQ})^{-1}H_{QP},\qquad h(E)c = Ec .

At the crossing h_aa = h_bb = E, and the full gap is

.. math:: \Delta = 2|h_{ab}| / \sqrt{Z_aZ_b},\qquad Z_a = 1 + |(E-H_{QQ})^{-1}H_{Qa}|^2 ,

up to the overlap of the two dressed states and the change of their coupling with the field, which are
included: they move the closest approach a little away from the crossing.

Nothing large is subtracted, so a gap of 1e-13 K under a barrier of 60 K keeps all
its digits.  The terms left out are of relative size (gap / level spacing)^2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.spectrum.matrices import Array, FieldLine, symmetry_blocks

_CHUNK_BYTES = 2**28
_MAX_STEPS = 30
#: Distances below this part of the width of the crossing change no digit of the gap.
_SHIFT = 1e-8


class DownfoldedPairs(NamedTuple):
    """Crossings of pairs of basis states, one entry a pair.

    ``field`` of the smallest gap and ``crossing`` of the two dressed states [T], ``energy`` [K],
    ``gap`` (full) [K], ``slope`` the difference dE_a/dB - dE_b/dB away from the crossing [K/T],
    ``weight`` the smaller of the two
    weights 1/Z of the basis states in their dressed levels, ``disagreement`` the relative
    difference of the coupling computed from either state, ``zero`` whether symmetry
    forbids the coupling, ``converged`` whether the Newton iteration met its tolerance.
    Pairs that did not converge carry NaN.
    """

    field: NDArray[np.float64]
    crossing: NDArray[np.float64]
    energy: NDArray[np.float64]
    gap: NDArray[np.float64]
    slope: NDArray[np.float64]
    weight: NDArray[np.float64]
    disagreement: NDArray[np.float64]
    zero: NDArray[np.bool_]
    converged: NDArray[np.bool_]


def downfold_pairs(line: FieldLine, first: NDArray[np.intp], second: NDArray[np.intp]) -> DownfoldedPairs:
    """Return field, full gap and slopes of the crossings of pairs of basis states.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G, matrices (n, n).
    first, second : integer arrays, shape (p,)
        Basis states of each pair; their diagonal slopes must differ.

    Returns
    -------
    DownfoldedPairs
        Arrays of shape (p,).

    Notes
    -----
    Newton in (E, B): the derivatives are dh_aa/dE = -(Z_a - 1) and
    dh_aa/dB = <a~|G|a~> with a~ the dressed, unnormalised state.
    """
    n = len(line.H0)
    size = max(1, _CHUNK_BYTES // (line.H0.itemsize * max(n - 2, 1) ** 2))
    parts = [
        _downfold(line, first[start : start + size], second[start : start + size])
        for start in range(0, max(len(first), 1), size)
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    zero = forbidden_pairs(line, first, second)
    field, crossing, energy, gap, slope, weight, disagreement = columns
    known = np.isfinite(field)
    return DownfoldedPairs(field, crossing, energy, gap, slope, weight, disagreement, zero, known)


def forbidden_pairs(line: FieldLine, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return True for pairs that lie in different exact symmetry blocks, shape (p,)."""
    block = np.empty(len(line.H0), dtype=np.intp)
    for index, members in enumerate(symmetry_blocks(*line)):
        block[members] = index
    return np.asarray(block[first] != block[second])


def downfold_molecules(H0: Array, G: Array, states: tuple[int, int]) -> DownfoldedPairs:
    """Return the crossing of one pair of basis states in many molecules.

    Parameters
    ----------
    H0, G : arrays, shape (p, n, n) [K], [K/T]
        H(B) = H0 + B G of every molecule.
    states : two indices
        The pair; its diagonal elements of G must differ, and its coupling must not be forbidden.

    Returns
    -------
    DownfoldedPairs
        Arrays of shape (p,); ``zero`` is False.
    """
    a, b = states
    rest = [i for i in range(H0.shape[-1]) if i not in states]

    def sub(rows: list[int], columns: list[int]) -> tuple[Array, Array]:
        H0_part, G_part = (matrix[:, rows][:, :, columns] for matrix in (H0, G))
        return H0_part, G_part

    blocks = _Blocks(sub([a, b], [a, b]), sub(rest, rest), sub(rest, [a, b]))
    spread = np.ptp(_diagonal(H0), axis=1)
    field, crossing, energy, gap, slope, weight, disagreement = _newton(blocks, spread)
    known = np.isfinite(field)
    zero = np.zeros(len(H0), dtype=bool)
    return DownfoldedPairs(field, crossing, energy, gap, slope, weight, disagreement, zero, known)


def _downfold(
    line: FieldLine, first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[NDArray[np.float64], ...]:
    pairs = np.stack([first, second], axis=1)
    spread = np.full(len(pairs), np.ptp(line.H0.diagonal().real))
    return _newton(_Blocks.gather(line, pairs), spread)


def _newton(blocks: _Blocks, spread: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Solve h_aa(E, B) = h_bb(E, B) = E; ``spread`` is the width of the diagonal of H0 [K]."""
    diagonal, slopes = (_diagonal(matrix) for matrix in blocks.pp)
    with np.errstate(divide="ignore", invalid="ignore"):
        field = -np.diff(diagonal)[:, 0] / np.diff(slopes)[:, 0]
    energy = diagonal[:, 0] + field * slopes[:, 0]
    scale = spread + np.abs(energy)
    for _ in range(_MAX_STEPS):
        h, metric, response, _ = blocks.effective(field, energy)
        Z, g = _diagonal(metric), _diagonal(response)
        residual = h - energy[:, None]
        # Newton step of r_a = h_aa(E, B) - E: dr_a = -Z_a dE + g_a dB
        determinant = -Z[:, 0] * g[:, 1] + Z[:, 1] * g[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            dE = -(residual[:, 0] * g[:, 1] - residual[:, 1] * g[:, 0]) / determinant
            dB = -(-Z[:, 0] * residual[:, 1] + Z[:, 1] * residual[:, 0]) / determinant
        energy, field = energy + dE, field + dB
        done = (np.abs(dE) <= 4e-15 * scale) & (np.abs(dB * slopes[:, 0]) <= 4e-15 * scale)
        if np.all(done | ~np.isfinite(dE)):
            break
    _, metric, response, coupling = blocks.effective(field, energy)
    settled = np.isfinite(dE) & (np.abs(dE) <= 1e-12 * scale)
    meeting = _meet(coupling[:, 0], metric, response)
    with np.errstate(divide="ignore", invalid="ignore"):
        disagreement = np.abs(coupling[:, 0] - coupling[:, 1].conj()) / np.abs(coupling[:, 0])
    weight = 1 / _diagonal(metric).max(axis=1)
    results = (field + meeting.shift, field, energy, meeting.gap, meeting.slope, weight, disagreement)
    return tuple(np.where(settled, value, np.nan) for value in results)


def _diagonal(matrices: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("pii->pi", matrices).real)


class _Meeting(NamedTuple):
    """Minimum gap of two levels [K], its distance from the crossing of the bare ones [T], slope [K/T]."""

    gap: NDArray[np.float64]
    shift: NDArray[np.float64]
    slope: NDArray[np.float64]


def _meet(coupling: NDArray[Any], metric: NDArray[Any], response: NDArray[Any]) -> _Meeting:
    """Return the closest approach of the two levels of (h + B g - E Z) c = 0 around h_aa = h_bb.

    In an orthonormal basis h and g are vectors d and s of Pauli matrices; the gap 2 |d + B s| is smallest
    where what is left of d is perpendicular to s.
    """
    value, axes = np.linalg.eigh(metric)
    # Z = 1 + x^+ x is at least 1
    root = np.einsum("pik,pk,pjk->pij", axes, np.maximum(value, 1.0) ** -0.5, axes.conj(), optimize=True)
    # squares of couplings below 1e-154 K vanish: they are taken in units of themselves
    size = np.abs(coupling)
    unit = np.where(size > 0, size, 1.0)
    bare = np.zeros_like(response)
    bare[:, 0, 1] = coupling / unit
    bare[:, 1, 0] = bare[:, 0, 1].conj()
    d, s = (_pauli(root @ matrix @ root) for matrix in (bare, response))
    steepness = np.linalg.norm(s, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        along = s / steepness[:, None]
        shift = -np.sum(d * along, axis=1) / steepness
    across = d - np.sum(d * along, axis=1)[:, None] * along
    gap = 2 * np.linalg.norm(across, axis=1)
    # a shift that changes no digit of the gap is rounding
    shift = np.where(np.abs(shift) * steepness > _SHIFT * gap, shift, 0.0)
    gap, shift = gap * size, shift * unit
    return _Meeting(gap, shift, np.copysign(2 * steepness, s[:, 2]))


def _pauli(matrices: NDArray[Any]) -> NDArray[np.float64]:
    """Return the components of two-level matrices along the Pauli matrices, shape (p, 3)."""
    off = matrices[:, 0, 1]
    return np.stack([off.real, -off.imag, (matrices[:, 0, 0] - matrices[:, 1, 1]).real / 2], axis=1)


class _Blocks(NamedTuple):
    """The two-state and complement blocks of H0 and G for every pair."""

    pp: tuple[Array, Array]
    qq: tuple[Array, Array]
    qp: tuple[Array, Array]

    @classmethod
    def gather(cls, line: FieldLine, pairs: NDArray[np.intp]) -> _Blocks:
        n = len(line.H0)
        keep = np.ones((len(pairs), n), dtype=bool)
        np.put_along_axis(keep, pairs, False, axis=1)
        rest = np.nonzero(keep)[1].reshape(len(pairs), n - 2)

        def sub(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[Array, Array]:
            H0, G = (m[rows[:, :, None], columns[:, None, :]] for m in line)
            return H0, G

        return cls(sub(pairs, pairs), sub(rest, rest), sub(rest, pairs))

    def effective(
        self, field: NDArray[np.float64], energy: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return (h_aa, h_bb), Z = -dh/dE + 1 and g = dh/dB (2 x 2), and (h_ab, h_ba) at E and B."""
        B = np.where(np.isfinite(field), field, 0.0)[:, None, None]
        E = np.where(np.isfinite(energy), energy, 0.0)[:, None, None]
        qq = E * np.eye(self.qq[0].shape[-1]) - self.qq[0] - B * self.qq[1]
        qp = self.qp[0] + B * self.qp[1]
        try:
            x = np.linalg.solve(qq, qp)
        except np.linalg.LinAlgError:  # E sits exactly on a level of the complement
            shift = 1e-13 * max(float(np.abs(qq).max()), 1e-3)
            x = np.linalg.solve(qq + shift * np.eye(qq.shape[-1]), qp)
        pp = self.pp[0] + B * self.pp[1]
        h = pp + qp.conj().swapaxes(1, 2) @ x
        dagger = x.conj().swapaxes(1, 2)
        Z = np.eye(2) + dagger @ x
        mixed = self.qp[1].conj().swapaxes(1, 2) @ x
        g = self.pp[1] + mixed + mixed.conj().swapaxes(1, 2) + dagger @ (self.qq[1] @ x)
        coupling: NDArray[Any] = np.stack([h[:, 0, 1], h[:, 1, 0]], axis=1)
        return _diagonal(h), Z, g, coupling
