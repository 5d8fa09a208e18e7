r"""The two levels of a tunnelling pair, to full relative accuracy of every amplitude.

With a and b two basis states and Q all others, an exact level of energy E is

.. math:: |\psi\rangle = c_a|\tilde a\rangle + c_b|\tilde b\rangle,\qquad
          |\tilde a\rangle = |a\rangle + (E-H_{QQ})^{-1}H_{Qa},

where (c_a, c_b) solves the problem h(E) c = E c of two states.  The *dressed* states hold what leaks
under the barrier, each amplitude a product of small numbers that keeps all its digits.  Differences of
nearly equal numbers are never formed: with E_a the energy of the dressed a alone,

.. math:: E - h_{aa}(E) = \int_{E_a}^{E} Z_a\,dE',\qquad
          E_a - E_b = \int_{B_0}^{B} (\partial_BE_a - \partial_BE_b)\,dB',

where B_0 is the field at which the two meet.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.matrices import FieldLine, symmetry_blocks

_States = NDArray[Any]

#: Part of the width of the spectrum below which an interval needs one point of quadrature: with levels
#: a hundredth of the width apart, the error is (1e-6)^2 / 24.
_NARROW = 1e-8
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_MAX_STEPS = 60
#: Relative disagreement of two ways to the bias beyond which other levels interfere.
_BIAS_ERROR = 1e-6
_EPS = float(np.finfo(np.float64).eps)


class TwoLevels(NamedTuple):
    """A pair of levels at one field; every state is a normalised vector in the product basis, shape (n,).

    ``field`` [T] of the minimum gap, ``splitting`` [K] there; ``bias_energy`` E_a - E_b [K], ``slope``
    of it [K/T], ``coupling`` <a|H|b> of the dressed states [K] and their ``centre`` [K] at the field asked
    for; ``localised``: the dressed a and b at their own energies; ``offsets`` [K] of the lower and the
    upper level from the centre, and their ``states``.
    """

    field: float
    splitting: float
    bias_energy: float
    slope: float
    coupling: complex
    centre: float
    localised: tuple[_States, _States]
    offsets: tuple[float, float]
    states: tuple[_States, _States]


class _Dressed(NamedTuple):
    """Two states at one field and energy: h (2, 2), dressing x (q, 2), Z (2,), slopes of h_kk (2,)."""

    h: _States
    x: _States
    Z: NDArray[np.float64]
    g: NDArray[np.float64]


class _Dressing(NamedTuple):
    """H0 and G in blocks of the two states (p) and of the rest of their symmetry blocks (q)."""

    line: FieldLine
    states: list[int]
    rest: NDArray[np.intp]
    pp: tuple[_States, _States]
    qq: tuple[_States, _States]
    qp: tuple[_States, _States]
    width: float

    @classmethod
    def of(cls, line: FieldLine, states: tuple[int, int]) -> _Dressing:
        pair = list(states)
        blocks = [block for block in symmetry_blocks(*line) if np.isin(pair, block).any()]
        rest = np.setdiff1d(np.concatenate(blocks), pair)

        def cut(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[_States, _States]:
            index = np.ix_(rows, columns)
            return line.H0[index], line.G[index]

        width = float(np.abs(line.H0).sum(axis=1).max())
        two = np.array(pair)
        return cls(line, pair, rest, cut(two, two), cut(rest, rest), cut(rest, two), width)

    def at(self, B: float, E: float) -> _Dressed:
        pp, qq, qp = (H0 + B * G for H0, G in (self.pp, self.qq, self.qp))
        try:
            x = np.linalg.solve(E * np.eye(len(qq)) - qq, qp)
        except np.linalg.LinAlgError:
            msg = (
                f"another level lies exactly at the energy {E:.9g} K of the pair; remove the degeneracy "
                "by a small transverse field"
            )
            raise ConvergenceError(msg, {"field": B}) from None
        mixed = self.qp[1].conj().T @ x
        g = self.pp[1] + mixed + mixed.conj().T + x.conj().T @ (self.qq[1] @ x)
        Z = 1 + (np.abs(x) ** 2).sum(axis=0)
        return _Dressed(pp + qp.conj().T @ x, x, Z, g.diagonal().real)

    def own_energy(self, k: int, B: float, start: float) -> float:
        """Return the energy of one dressed state alone: the root of h_kk(E) = E near ``start``."""
        E, step = start, math.inf
        for _ in range(_MAX_STEPS):
            dressed = self.at(B, E)
            step = (float(dressed.h[k, k].real) - E) / float(dressed.Z[k])
            E += step
            if abs(step) <= 16 * _EPS * (self.width + abs(E)):
                return E
        msg = f"the dressed energy near {start:.9g} K did not settle: another level lies too close"
        raise ConvergenceError(msg, {"field": B, "step": step})

    def mean_weight(self, k: int, B: float, start: float, stop: float) -> float:
        """Return Z_k averaged between two energies."""
        middle, half = 0.5 * (start + stop), 0.5 * (stop - start)
        if abs(half) < _NARROW * self.width:
            return float(self.at(B, middle).Z[k])
        return sum(0.5 * w * float(self.at(B, middle + half * u).Z[k]) for u, w in _quadrature())

    def slope(self, B: float, energies: tuple[float, float]) -> float:
        """Return dE_a/dB - dE_b/dB [K/T] of the dressed states at their own energies."""
        a, b = (self.at(B, E) for E in energies)
        return float(a.g[0] / a.Z[0] - b.g[1] / b.Z[1])

    def vector(self, c: _States, x: _States) -> _States:
        """Return the normalised state with amplitudes c on the two states and x c on the rest."""
        full = np.zeros(len(self.line.H0), dtype=np.result_type(c, x))
        full[self.states] = c
        full[self.rest] = x @ c
        return np.asarray(full / np.linalg.norm(full))


def _quadrature() -> list[tuple[float, float]]:
    return list(zip(_NODES.tolist(), _WEIGHTS.tolist(), strict=True))


class _Point(NamedTuple):
    """The pair at one field: energies of the dressed states, their difference to full accuracy, slope."""

    field: float
    energies: tuple[float, float]
    bias_energy: float
    slope: float

    @property
    def centre(self) -> float:
        return 0.5 * (self.energies[0] + self.energies[1])


def two_levels(
    line: FieldLine, states: tuple[int, int], *, field: float, energy: float, bias: float, zero: bool
) -> TwoLevels:
    """Return the two levels that carry two basis states, near their resonance.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G, matrices (n, n).
    states : (a, b)
        Basis states.
    field, energy : float [T], [K]
        Where the downfolded states cross.
    bias : float [T]
        Distance from the minimum gap.
    zero : bool
        Whether the gap vanishes exactly at the crossing.

    Returns
    -------
    TwoLevels

    Raises
    ------
    InputError
        If other levels come between the two at that bias.
    ConvergenceError
        If a level coincides with the pair.
    """
    dressing = _Dressing.of(line, states)
    start = (energy, energy)
    shift = 0.0 if zero else _minimum(dressing, field, start)
    point = _moved(dressing, field, start, shift + bias)
    at_resonance = _moved(dressing, field, start, shift)
    gap = 0.0 if zero else _gap(dressing, at_resonance)
    at_centre = dressing.at(point.field, point.centre)
    localised = []
    for k, E in enumerate(point.energies):
        alone = dressing.at(point.field, E)
        localised.append(dressing.vector(np.eye(2, dtype=alone.x.dtype)[k], alone.x))
    coupling = complex(at_centre.h[0, 1]) / math.sqrt(at_centre.Z[0] * at_centre.Z[1])
    a, b = localised
    levels: tuple[tuple[float, _States], ...]
    if zero and point.bias_energy == 0.0:
        coupling = 0j
        levels = ((0.0, (a + b) / math.sqrt(2)), (0.0, (a - b) / math.sqrt(2)))
    else:
        levels = (_level(dressing, point, -1.0), _level(dressing, point, 1.0))
    (lower, down), (upper, up) = levels
    return TwoLevels(
        field=field + shift,
        splitting=gap,
        bias_energy=point.bias_energy,
        slope=point.slope,
        coupling=coupling,
        centre=point.centre,
        localised=(a, b),
        offsets=(lower, upper),
        states=(down, up),
    )


def _moved(dressing: _Dressing, field: float, start: tuple[float, float], bias: float) -> _Point:
    """Return the pair a distance ``bias`` [T] away from the field where the dressed states cross."""

    def energies_at(B: float) -> tuple[float, float]:
        return dressing.own_energy(0, B, start[0]), dressing.own_energy(1, B, start[1])

    def slope_at(B: float) -> float:
        return dressing.slope(B, energies_at(B))

    target = field + bias
    if abs(bias * slope_at(field)) < _NARROW * dressing.width:
        mean = slope_at(field + 0.5 * bias)
    else:
        mean = sum(0.5 * w * slope_at(field + 0.5 * bias * (1 + u)) for u, w in _quadrature())
    energies = energies_at(target)
    difference = bias * mean
    apart = abs(energies[0] - energies[1] - difference)
    if not apart <= _BIAS_ERROR * abs(difference) + 1e3 * _EPS * dressing.width:
        msg = (
            f"bias must keep the two states apart from all other levels, got {bias:g} T where another one "
            "comes between; take a smaller bias"
        )
        raise InputError(msg)
    return _Point(target, energies, difference, dressing.slope(target, energies))


def _level(dressing: _Dressing, point: _Point, sign: float) -> tuple[float, _States]:
    """Return the offset from the centre [K] and the state of the lower (-1) or upper (+1) level."""
    B, half = point.field, 0.5 * point.bias_energy
    offset = 0.0
    for _ in range(_MAX_STEPS):
        E = point.centre + offset
        both = dressing.at(B, E)
        Z = [dressing.mean_weight(k, B, point.centre + (half, -half)[k], E) for k in (0, 1)]
        h = both.h[0, 1]
        before, offset = offset, sign * math.hypot(half, abs(h) / math.sqrt(Z[0] * Z[1]))
        if abs(offset - before) <= 4 * _EPS * abs(offset):
            break
    else:
        msg = f"the level near {point.centre:.9g} K did not settle: other levels lie too close to the pair"
        raise ConvergenceError(msg, {"field": B, "offset": offset})
    from_a, from_b = offset - half, offset + half
    # the equation with the larger of the two factors does not lose digits
    c = (Z[1] * from_b, np.conj(h)) if abs(from_b) >= abs(from_a) else (h, Z[0] * from_a)
    amplitudes = np.array(c)
    return offset, dressing.vector(amplitudes / np.abs(amplitudes).max(), both.x)


def _gap(dressing: _Dressing, point: _Point) -> float:
    return _level(dressing, point, 1.0)[0] - _level(dressing, point, -1.0)[0]


def _minimum(dressing: _Dressing, field: float, start: tuple[float, float]) -> float:
    """Return the distance [T] from the crossing of the dressed states to the minimum gap.

    It is of the order of gap^2 / (spacing slope): below the width of the gap, and nothing for narrow ones.
    """
    shift = 0.0
    for _ in range(_MAX_STEPS):
        point = _moved(dressing, field, start, shift)
        (lower, down), (upper, up) = (_level(dressing, point, sign) for sign in (-1.0, 1.0))
        gap = upper - lower
        if gap < _NARROW * dressing.width:
            return 0.0
        moments = [float(np.vdot(state, dressing.line.G @ state).real) for state in (down, up)]
        # gap^2 = gap_0^2 + slope^2 (shift - shift_0)^2
        step = -(moments[1] - moments[0]) * gap / point.slope**2
        shift += step
        if abs(step * point.slope) <= 1e-9 * gap:
            break
    return shift
