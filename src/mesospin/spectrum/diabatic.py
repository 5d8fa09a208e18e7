"""Diabatic levels along a line in field space.

At a crossing much narrower than anything that resolves it, the exact eigenstates are
shared by both sides of the barrier.  The diabatic states are the eigenstates rotated,
inside every group of levels closer than a window, until the slope dH/dB is diagonal;
the off-diagonal elements this leaves behind are the tunnelling.  Gaps above
``adiabatic_gap`` are not undone: there the system follows the eigenstate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mesospin.errors import ConvergenceError
from mesospin.scale import require_memory
from mesospin.spectrum.matrices import Array, FieldLine

#: Width of a group of close levels, in units of the adiabatic gap.  The mixing that
#: is cut off at its edge is gap / (2 window), at most 2.5 % in amplitude.
_WINDOW = 20.0
_MIN_OVERLAP = 0.7
_MIN_STEP = 1e-9
#: Weight that a state keeps in its group when states rotate inside it.
_SAME_GROUP = 0.95
#: Distance of two levels where they should meet, in units of the adiabatic gap, that is too large.
_APART = 2.0
#: Estimated gap, in units of the adiabatic gap, above which an exchange is looked at.
_SUSPECT = 0.2
#: Relative slope below which two levels that exchange order are taken as degenerate [K/T].
_EXCHANGE = 1e-6


class DiabaticPoint(NamedTuple):
    """Diabatic states at one field: energies (n,) [K], slopes (n,) [K/T], states (n, n).

    ``coupling`` holds the elements of H between them [K]; its diagonal is zero.
    """

    field: float
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    states: Array
    coupling: Array


class DiabaticTracks(NamedTuple):
    """Diabatic levels followed along the field.

    ``field`` (b,) [T] ascending; ``energy``, ``slope`` (b, n); ``states`` (b, n, n), the
    column k of every matrix being the continuation of the same level; ``adiabatic_gap`` [K]
    above which a gap was followed.
    """

    field: NDArray[np.float64]
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    states: Array
    adiabatic_gap: float

    @property
    def window(self) -> float:
        """Distance of two levels within which their diabatic states differ from eigenstates [K]."""
        return _WINDOW * self.adiabatic_gap


def diabatic_point(
    line: FieldLine, B: float, *, adiabatic_gap: float, site_slope: NDArray[np.float64]
) -> DiabaticPoint:
    """Return the diabatic states of H(B), ordered by energy.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G.
    B : float [T]
        Field along the line.
    adiabatic_gap : float [K]
        Gaps above this are kept; smaller ones become couplings.
    site_slope : ndarray, shape (n,)
        Diagonal operator added to G in the choice of states, so small that it only
        decides where G leaves the states degenerate (equal moments on different sites).
    """
    energy, U = np.linalg.eigh(line.at(B))
    return _rotate_groups(line, B, energy, U, adiabatic_gap, site_slope)


def _rotate_groups(
    line: FieldLine,
    B: float,
    energy: NDArray[np.float64],
    U: Array,
    adiabatic_gap: float,
    site_slope: NDArray[np.float64],
) -> DiabaticPoint:
    n = len(energy)
    edges = np.flatnonzero(np.diff(energy) > _WINDOW * adiabatic_gap) + 1
    coupling = np.zeros_like(U)
    if len(edges) < n - 1:
        U = U.copy()
        energy = energy.copy()
        for group in np.split(np.arange(n), edges):
            if len(group) > 1:
                V = U[:, group]
                rotation, h = _diabatise(
                    energy[group],
                    V.conj().T @ (line.G + np.diag(site_slope)) @ V,
                    adiabatic_gap,
                )
                U[:, group] = V @ rotation
                energy[group] = np.diagonal(h).real
                coupling[np.ix_(group, group)] = h - np.diag(np.diagonal(h))
    slope = (U.conj() * (line.G @ U)).sum(axis=0).real
    return DiabaticPoint(B, energy, slope, U, coupling)


def _diabatise(energy: NDArray[np.float64], moment: Array, adiabatic_gap: float) -> tuple[Array, Array]:
    """Return the rotation of one group that makes the moment diagonal, and H in it."""
    _, rotation = np.linalg.eigh(moment)
    h = (rotation.conj().T * energy) @ rotation
    strong = 2 * np.abs(h) >= adiabatic_gap
    np.fill_diagonal(strong, True)
    if strong.sum() > len(h):
        _, back = np.linalg.eigh(np.where(strong, h, 0.0))
        rotation = rotation @ back
        h = (rotation.conj().T * energy) @ rotation
    return rotation, h


def track(
    line: FieldLine,
    lo: float,
    hi: float,
    *,
    step: float,
    adiabatic_gap: float,
    site_slope: NDArray[np.float64],
    regroup: bool = False,
) -> DiabaticTracks:
    """Follow the diabatic levels from ``lo`` to ``hi`` by the overlap of their states.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G.
    lo, hi : float [T]
        Range of the field, lo < hi.
    step : float [T]
        Largest spacing; halved where neighbouring states overlap too little.
    adiabatic_gap, site_slope
        As in `diabatic_point`.
    regroup : bool
        Accept a sudden rotation of states inside a group of close levels, which happens where a gap of
        just the adiabatic limit is followed at one field and crossed at the next; every state
        then continues as the one it overlaps with most.

    Returns
    -------
    DiabaticTracks

    Raises
    ------
    ConvergenceError
        If the states change faster than any spacing above 1e-9 T resolves.
    TooLargeError
        If the states at all fields do not fit in memory.
    """

    def point(B: float) -> DiabaticPoint:
        return diabatic_point(line, B, adiabatic_gap=adiabatic_gap, site_slope=site_slope)

    grid = np.linspace(lo, hi, max(2, int(np.ceil((hi - lo) / step)) + 1))
    n = len(line.H0)
    require_memory(line.H0.itemsize * 4 * len(grid) * n * n, f"{n} levels followed over {len(grid)} fields")
    energy, U = np.linalg.eigh(line.H0 + grid[:, None, None] * line.G)
    pending = [
        _rotate_groups(line, float(B), e, u, adiabatic_gap, site_slope)
        for B, e, u in zip(grid, energy, U, strict=True)
    ][::-1]
    done = [pending.pop()]
    while pending:
        order, overlap = _match(done[-1].states, pending[-1].states)
        if overlap >= _MIN_OVERLAP:
            after = _permute(pending[-1], order)
            wide = _unresolved(line, done[-1], after, point, adiabatic_gap)
            if wide is None:
                pending.pop()
                done.append(after)
            else:
                pending.append(wide)
            continue
        width = pending[-1].field - done[-1].field
        if width < _MIN_STEP and regroup:
            regrouped = _regrouped(done[-1], pending[-1], _WINDOW * adiabatic_gap)
            if regrouped is not None:
                done.append(_permute(pending.pop(), regrouped))
                continue
        if width < _MIN_STEP:
            msg = (
                f"the levels near {done[-1].field:.6g} T could not be followed: states overlap by "
                f"{overlap:.2f} over {width:.1e} T; change adiabatic_gap or the field range"
            )
            raise ConvergenceError(msg)
        pending.append(point(done[-1].field + width / 2))
    return DiabaticTracks(
        np.array([p.field for p in done]),
        np.array([p.energy for p in done]),
        np.array([p.slope for p in done]),
        np.array([p.states for p in done]),
        adiabatic_gap,
    )


def _unresolved(
    line: FieldLine,
    before: DiabaticPoint,
    after: DiabaticPoint,
    point: Callable[[float], DiabaticPoint],
    adiabatic_gap: float,
) -> DiabaticPoint | None:
    """Return the states at an exchange of levels that is not a narrow crossing, if there is one.

    Two levels that exchange their order between the points must still be the same states where
    they meet; if they are mixed there, the gap is wide and the grid has stepped over it.  The
    element of H between the two states of the first point, taken to the field where they
    meet, tells cheaply which exchanges need a look.
    """
    bias = before.energy[:, None] - before.energy, after.energy[:, None] - after.energy
    pairs = np.argwhere(np.triu((bias[0] < 0) != (bias[1] < 0), 1))
    width = after.field - before.field
    if not len(pairs):
        return None
    mixing = np.abs(before.states.conj().T @ (line.G @ before.states))
    for a, b in pairs:
        if np.abs(bias[1][a, b] - bias[0][a, b]) < _EXCHANGE * width:
            continue
        B = before.field + width * bias[0][a, b] / (bias[0][a, b] - bias[1][a, b])
        if min(B - before.field, after.field - B) < _MIN_STEP:
            continue
        gap = 2 * (abs(before.coupling[a, b]) + (B - before.field) * mixing[a, b])
        if gap < _SUSPECT * adiabatic_gap:
            continue
        middle = point(float(B))
        pair = before.states[:, [a, b]]
        weight = np.abs(pair.conj().T @ middle.states) ** 2
        apart = np.abs(np.diff(middle.energy[weight.argmax(axis=1)]))[0]
        if weight.max(axis=1).min() < _MIN_OVERLAP or apart > _APART * adiabatic_gap:
            return middle
    return None


def _regrouped(before: DiabaticPoint, after: DiabaticPoint, window: float) -> NDArray[np.intp] | None:
    """Return the best continuation of every state if states only rotate among levels within ``window``."""
    weight = np.abs(before.states.conj().T @ after.states) ** 2
    near = np.abs(before.energy[:, None] - after.energy) <= 2 * window
    if np.where(near, weight, 0.0).sum(axis=1).min() < _SAME_GROUP:
        return None
    return np.asarray(linear_sum_assignment(-weight)[1])


def _match(before: Array, after: Array) -> tuple[NDArray[np.intp], float]:
    """Return which column of ``after`` continues each column of ``before``, and the worst overlap."""
    weight = np.abs(before.conj().T @ after) ** 2
    order = np.argmax(weight, axis=1)
    if len(np.unique(order)) < len(order):
        return order, 0.0
    return order, float(weight[np.arange(len(order)), order].min())


def _permute(point: DiabaticPoint, order: NDArray[np.intp]) -> DiabaticPoint:
    return DiabaticPoint(
        point.field,
        point.energy[order],
        point.slope[order],
        point.states[:, order],
        point.coupling[np.ix_(order, order)],
    )


def match_states(before: Array, after: Array) -> NDArray[np.intp]:
    """Return the column of ``after`` with the largest overlap for each column of ``before``."""
    return np.asarray(np.argmax(np.abs(before.conj().T @ after) ** 2, axis=1))
