r"""Tunnel splittings without cancellation: Feshbach downfolding onto two basis states.

For basis states a and b and the rest Q, the exact eigenvalue problem is

.. math:: h(E) = H_{PP} + H_{PQ}(E - H_{QQ})^{-1}H_{QP},\qquad h(E)c = Ec .

At the crossing h_aa = h_bb = E, and the full gap is

.. math:: \Delta = 2|h_{ab}| / \sqrt{Z_aZ_b},\qquad Z_a = 1 + |(E-H_{QQ})^{-1}H_{Qa}|^2 .

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


class DownfoldedPairs(NamedTuple):
    """Crossings of pairs of basis states, one entry a pair.

    ``field`` [T], ``energy`` [K], ``gap`` (full) [K], ``slope`` the difference
    dE_a/dB - dE_b/dB of the dressed levels [K/T], ``weight`` the smaller of the two
    weights 1/Z of the basis states in their dressed levels, ``disagreement`` the relative
    difference of the coupling computed from either state, ``zero`` whether symmetry
    forbids the coupling, ``converged`` whether the Newton iteration met its tolerance.
    Pairs that did not converge carry NaN.
    """

    field: NDArray[np.float64]
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
    field, energy, gap, slope, weight, disagreement = columns
    return DownfoldedPairs(field, energy, gap, slope, weight, disagreement, zero, np.isfinite(field))


def forbidden_pairs(line: FieldLine, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return True for pairs that lie in different exact symmetry blocks, shape (p,)."""
    block = np.empty(len(line.H0), dtype=np.intp)
    for index, members in enumerate(symmetry_blocks(*line)):
        block[members] = index
    return np.asarray(block[first] != block[second])


def _downfold(
    line: FieldLine, first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[NDArray[np.float64], ...]:
    pairs = np.stack([first, second], axis=1)
    diagonal, slope = line.H0.diagonal().real, line.G.diagonal().real
    field = -np.diff(diagonal[pairs])[:, 0] / np.diff(slope[pairs])[:, 0]
    energy = diagonal[first] + field * slope[first]
    blocks = _Blocks.gather(line, pairs)
    scale = np.ptp(diagonal) + np.abs(energy)
    for _ in range(_MAX_STEPS):
        h, Z, g, _ = blocks.effective(field, energy)
        residual = h - energy[:, None]
        # Newton step of r_a = h_aa(E, B) - E: dr_a = -Z_a dE + g_a dB
        determinant = -Z[:, 0] * g[:, 1] + Z[:, 1] * g[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            dE = -(residual[:, 0] * g[:, 1] - residual[:, 1] * g[:, 0]) / determinant
            dB = -(-Z[:, 0] * residual[:, 1] + Z[:, 1] * residual[:, 0]) / determinant
        energy, field = energy + dE, field + dB
        done = (np.abs(dE) <= 4e-15 * scale) & (np.abs(dB * slope[first]) <= 4e-15 * scale)
        if np.all(done | ~np.isfinite(dE)):
            break
    h, Z, g, coupling = blocks.effective(field, energy)
    settled = np.isfinite(dE) & (np.abs(dE) <= 1e-12 * scale)
    gap = 2 * np.abs(coupling[:, 0]) / np.sqrt(Z.prod(axis=1))
    slopes = g / Z
    with np.errstate(divide="ignore", invalid="ignore"):
        disagreement = np.abs(coupling[:, 0] - coupling[:, 1].conj()) / np.abs(coupling[:, 0])
    results = (field, energy, gap, slopes[:, 0] - slopes[:, 1], 1 / Z.max(axis=1), disagreement)
    return tuple(np.where(settled, value, np.nan) for value in results)


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
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], Array]:
        """Return (h_aa, h_bb), (Z_a, Z_b), (dh_aa/dB, dh_bb/dB) and (h_ab, h_ba) at E and B."""
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
        Z = 1 + (np.abs(x) ** 2).sum(axis=1)
        mixed = self.qp[1].conj().swapaxes(1, 2) @ x
        g = np.einsum("pii->pi", self.pp[1] + mixed + mixed.conj().swapaxes(1, 2)).real
        g = g + np.einsum("pai,pab,pbi->pi", x.conj(), self.qq[1], x, optimize=True).real
        coupling: NDArray[Any] = np.stack([h[:, 0, 1], h[:, 1, 0]], axis=1)
        return np.einsum("pii->pi", h).real, Z, g, coupling
