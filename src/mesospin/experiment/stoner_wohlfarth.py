r"""The classical limit: a vector of length S that turns coherently over its anisotropy barrier.

The spin operators become the components of a vector, :math:`\mathbf S \to S\mathbf n`, with every term at its
leading power of S.  At each field the vector sits in a local minimum of the energy until
that minimum vanishes: the loop of Stoner and Wohlfarth, Phil. Trans. R. Soc. A 240, 599 (1948).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import NDArray

from mesospin.checks import positive
from mesospin.checks import span as check_span
from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.model.term import Term
from mesospin.model.terms import SpinPower
from mesospin.operators.spin import projections
from mesospin.results import result, variable
from mesospin.spectrum.matrices import unit_axis

_POLAR, _AZIMUTH = 181, 72


def stoner_wohlfarth(
    system: SpinSystem,
    span: Sequence[float],
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    field_step: float = 0.01,
) -> xr.Dataset:
    """Return the classical hysteresis loop of a single spin.

    Parameters
    ----------
    system : SpinSystem
        A single spin.
    span : (lo, hi) [T]
        Range of the field.
    axis : three numbers, default z
        Direction of the field.
    field_step : float [T]
        Spacing of the fields.

    Returns
    -------
    xarray.Dataset
        ``reduced`` (branch, field), M/Ms along the field.

    Raises
    ------
    InputError
        If the system has several spins or the span is not increasing.

    Examples
    --------
    An axial spin along its axis switches at ``2 |D| S / (g mu_B)``:

    >>> from mesospin.model.system import giant_spin
    >>> loop = stoner_wohlfarth(giant_spin(10, D=-0.548), (-9.0, 9.0))
    >>> up = loop.reduced.sel(branch="up")
    >>> round(float(up.field[int((up.values > 0).argmax())]), 2)
    8.16
    """
    lo, hi = check_span("span", span, "T")
    step = positive("field_step", field_step, "T")
    fields = np.linspace(lo, hi, int(np.ceil((hi - lo) / step)) + 1)
    direction = unit_axis(axis)
    loop = stoner_wohlfarth_loop(system, fields, (direction[0], direction[1], direction[2]))
    coords = {"branch": ["up", "down"], "field": variable("field", fields, "T", "field")}
    variables = {"reduced": variable(("branch", "field"), loop, "1", "classical M / M_s")}
    inputs = {"span": [lo, hi], "axis": list(axis), "field_step": step}
    return result("stoner_wohlfarth", system, variables, coords, inputs)


def stoner_wohlfarth_loop(
    system: SpinSystem, fields: NDArray[np.float64], axis: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return M/Ms of both branches, shape (2, field), for ascending ``fields`` [T]."""
    if len(system.spins) != 1:
        msg = f"{system.name} must be a single spin for a classical loop, got {len(system.spins)} spins"
        raise InputError(msg)
    n = _directions()
    energy = classical_energy(system, n)
    g = np.array(system.spins[0].g)
    moment = -(n @ (np.array(axis) @ g)) * system.spins[0].S  # along the field, [mu_B]
    saturation = float(np.abs(moment).max())
    neighbours = _neighbours()
    up = _follow(energy, moment, fields, neighbours)
    down = _follow(energy, moment, fields[::-1], neighbours)[::-1]
    return np.stack([up, down]) / saturation


def classical_coercive_field(system: SpinSystem, axis: tuple[float, float, float]) -> float:
    """Return the field at which the classical moment reverses on the way up [T].

    Searched up to 4.8 (E_max - E_min)/M_s, beyond every anisotropy field of fourth order, in
    steps of one thousandth of that.
    """
    n = _directions()
    energy = classical_energy(system, n)
    g = np.array(system.spins[0].g)
    moment = -(n @ (np.array(axis) @ g)) * system.spins[0].S
    largest = 4.8 * float(np.ptp(energy)) / (MU_B * float(np.abs(moment).max()))
    if largest == 0.0:
        return 0.0
    fields = np.linspace(-largest / 1000, largest, 1002)
    branch = _follow(energy, moment, fields, _neighbours(), start=int(np.argmin(moment)))
    return float(fields[int(np.argmax(branch > 0))])


def classical_energy(system: SpinSystem, directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the anisotropy energy of a classical spin along ``directions`` (k, 3) [K].

    Powers of Sz and of the ladder operators become powers of S n; a pure tensor of rank k
    (zero-field splitting, Stevens operator) is its coherent-state mean, divided by
    (2S)!/(2^k (2S-k)! S^k), the ratio of the quantum mean to the classical one.
    """
    spin = system.spins[0]
    total = np.zeros(len(directions))
    for term in system.terms:
        if isinstance(term, SpinPower):
            # S+^n + S-^n becomes twice the real part of S^n (nx + i ny)^n
            ladder = (directions[:, 0] + 1j * directions[:, 1]) ** term.ladder
            factor = 2.0 if term.ladder else 1.0
            power = spin.S ** (term.z + term.ladder)
            total += term.coefficient * factor * power * directions[:, 2] ** term.z * ladder.real
        else:
            rank = getattr(term, "k", 2)
            total += _coherent_mean(term, system, directions) / _quantum_ratio(spin.S, rank)
    return total


def _quantum_ratio(S: float, rank: int) -> float:
    two_s = round(2 * S)
    if rank > two_s:
        return 1.0
    return float(factorial(two_s) / (2**rank * factorial(two_s - rank) * S**rank))


def _coherent_mean(term: Term, system: SpinSystem, directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return <n|term|n> in the coherent states along ``directions``."""
    S = system.spins[0].S
    operator = sum(local.matrix() for ((_, local),) in term.products(system.spins))
    theta = np.arccos(np.clip(directions[:, 2], -1, 1))
    phi = np.arctan2(directions[:, 1], directions[:, 0])
    m = projections(S)
    two_s = round(2 * S)
    binomial = np.array(
        [np.sqrt(factorial(two_s) / (factorial(round(S + x)) * factorial(round(S - x)))) for x in m]
    )
    amplitude = (
        binomial
        * np.cos(theta / 2)[:, None] ** (S + m)
        * np.sin(theta / 2)[:, None] ** (S - m)
        * np.exp(-1j * phi[:, None] * m)
    )
    return np.asarray(np.einsum("ka,ab,kb->k", amplitude.conj(), operator, amplitude, optimize=True).real)


def _directions() -> NDArray[np.float64]:
    theta = np.linspace(0, np.pi, _POLAR)
    phi = 2 * np.pi * np.arange(_AZIMUTH) / _AZIMUTH
    T, P = np.meshgrid(theta, phi, indexing="ij")
    return np.stack([np.sin(T) * np.cos(P), np.sin(T) * np.sin(P), np.cos(T)], axis=-1).reshape(-1, 3)


def _neighbours() -> NDArray[np.intp]:
    """Return the grid neighbours of every direction, shape (k, 8).

    A pole is one point with many azimuths: from it eight directions of the first ring are open.
    """
    i, j = np.divmod(np.arange(_POLAR * _AZIMUTH), _AZIMUTH)
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
    columns = [np.clip(i + a, 0, _POLAR - 1) * _AZIMUTH + (j + b) % _AZIMUTH for a, b in steps]
    table = np.stack(columns, axis=1)
    around = np.arange(8) * (_AZIMUTH // 8)
    table[i == 0] = _AZIMUTH + around
    table[i == _POLAR - 1] = (_POLAR - 2) * _AZIMUTH + around
    return table


def _follow(
    energy: NDArray[np.float64],
    moment: NDArray[np.float64],
    fields: NDArray[np.float64],
    neighbours: NDArray[np.intp],
    start: int | None = None,
) -> NDArray[np.float64]:
    """Slide downhill on the grid of directions, from ``start`` or the ground state."""
    at = int(np.argmin(energy - MU_B * fields[0] * moment)) if start is None else start
    return _slide(energy, moment, np.ascontiguousarray(fields), neighbours, at, float(MU_B))


@njit(cache=True)
def _slide(
    energy: NDArray[np.float64],
    moment: NDArray[np.float64],
    fields: NDArray[np.float64],
    neighbours: NDArray[np.intp],
    at: int,
    magneton: float,
) -> NDArray[np.float64]:
    """Return the moment in the local minimum that is reached at every field."""
    result = np.empty(fields.size)
    for k in range(fields.size):
        b = magneton * fields[k]
        while True:
            best, lowest = at, energy[at] - b * moment[at] - 1e-12
            for j in neighbours[at]:
                total = energy[j] - b * moment[j]
                if total < lowest:
                    best, lowest = j, total
            if best == at:
                break
            at = best
        result[k] = moment[at]
    return result
