"""Zero-field-cooled and field-cooled magnetisation at a sweep rate of the temperature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin import units
from mesospin.bath.disorder import Molecule
from mesospin.checks import finite_array, no_shared_dimensions, positive
from mesospin.constants import MU_B
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.propagate import propagators
from mesospin.dynamics.rates import rates_at
from mesospin.dynamics.response import boltzmann, levels_at
from mesospin.dynamics.well_rates import escape_rates, well_equilibria
from mesospin.errors import InputError
from mesospin.experiment.constant_field import (
    Setting,
    at_temperature,
    field_nodes,
    lasting_frame,
    positive_values,
    setting_of,
    slow_wells,
)
from mesospin.model.environment import (
    FROM_SYSTEM,
    DebyeLattice,
    DipolarBath,
    Disorder,
    FromSystem,
    NuclearBath,
    PhononBath,
)
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.thermo.molar import CM3_PER_MOLE
from mesospin.units import Quantity

__all__ = ["zfc_fc"]

Floats = NDArray[np.float64]

#: Largest step of ln T.
_STEP = 0.01
#: Difference of the zero-field-cooled and the field-cooled curve, relative to the latter, that is seen.
_SEEN = 0.01
#: Matrix elements that are held in memory at once.
_CHUNK = 2_000_000


def zfc_fc(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike,
    *,
    rate: Quantity,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    dipolar: DipolarBath | FromSystem | None = FROM_SYSTEM,
    disorder: Disorder | FromSystem | None = FROM_SYSTEM,
    nuclear: NuclearBath | None = None,
    raman: DebyeLattice | None = None,
    powder: int | None = None,
) -> xr.Dataset:
    r"""Return the zero-field-cooled and field-cooled magnetisation against temperature.

    Four legs at the rate dT/dt: from equilibrium at the highest temperature down in zero field; there the
    field is switched on and the sample warmed (ZFC); cooled in the field (FCC); warmed in it again (FCW).
    The populations follow the master equation :math:`\dot p = W(T(t))p` in small steps, each the product of
    exact propagators at the temperatures of its ends, so they stay positive, and a slow sweep
    ends in exact equilibrium.

    Parameters
    ----------
    system : SpinSystem
    T : array-like, shape (temperature,) [K]
        Temperatures, at least two, strictly ascending; the legs run between the first and the last.
    B : float or array-like, shape (field,) [T]
        Measuring fields along ``axis``.
    rate : float or str [K/s]
        Sweep rate of the temperature, > 0, as "2 K/min".
    axis, transverse, bath, dipolar, disorder, nuclear, raman, powder
        As for `ac_susceptibility`.

    Returns
    -------
    xarray.Dataset
        Kind "zfc_fc": ``zfc``, ``fcc``, ``fcw`` and ``equilibrium`` (field, temperature) [mu_B per formula
        unit]; the same ``_molar``, M/B [cm3/mol, cgs], NaN at B = 0; ``peak_temperature`` (field) [K], the
        maximum of ``zfc``, NaN where it is at an end; ``irreversibility_temperature`` (field) [K], above
        which ``zfc`` and ``fcc`` agree within 1 %, NaN where they do everywhere or nowhere.

    Raises
    ------
    InputError
        If temperatures are not positive and ascending, the rate not positive, or no phonon bath is known.

    Notes
    -----
    Steps of ln T of 1 % give the exponent of the escape at the blocking temperature within 1 %, the blocking
    temperature itself within 0.1 %.  Local fields are frozen, as in `decay`.

    References
    ----------
    - The two curves of superparamagnets: E. P. Wohlfarth, Phys. Lett. A 70, 489 (1979).

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.model.library import load
    >>> ds = zfc_fc(
    ...     load("mn12ac"), np.linspace(1.8, 5.0, 33), 0.1, rate="2 K/min", dipolar=None, disorder=None
    ... )
    >>> ds.peak_temperature.values.round(1)
    array([4.4])
    """
    check_system(system)
    no_shared_dimensions(T=T, B=B)
    temperatures = positive_values("T", T, "K")
    if len(temperatures) < 2 or np.any(np.diff(temperatures) <= 0):
        raise InputError(
            "T must be two or more strictly ascending temperatures [K], "
            f"got {temperatures.tolist()}; sort them"
        )
    fields = np.atleast_1d(finite_array("B", B))
    if fields.ndim != 1:
        raise InputError(f"B must be a number or 1-D [T], got shape {fields.shape}; give a list")
    speed = positive("rate", units.to_kelvin_per_second(rate, "rate"), "K/s")
    around = setting_of(
        system, axis=axis, transverse=transverse, powder=powder, bath=bath, dipolar=dipolar,
        disorder=disorder, nuclear=nuclear, raman=raman,
    )  # fmt: skip
    parts = [m.weight * _molecule_curves(m, around, temperatures, fields, speed) for m in around.members]
    inputs = {"T": temperatures, "B": fields, "rate": speed, **around.inputs}
    return _dataset(system, temperatures, fields, np.asarray(sum(parts)), inputs)


def _molecule_curves(
    molecule: Molecule, around: Setting, temperatures: Floats, fields: Floats, speed: float
) -> Floats:
    """Return ZFC, FCC, FCW and equilibrium (4, B, T) [mu_B] of one molecule."""
    fine, places = _fine(temperatures)
    pauses = np.diff(fine) / speed
    every = np.append(fields, 0.0)
    frame = lasting_frame(molecule, around, every, float(fine[-1]), float(pauses.sum()))
    rows = []
    for B in fields:
        nodes, weights = field_nodes(frame, float(B), around, 2 / float(pauses.min()))
        at = (nodes - B, nodes)
        shortest = float(pauses.min()) / 2
        frames = [at_temperature(frame, molecule, around, float(B), float(T)) for T in fine]
        wells = slow_wells(frames[0], float(fine[0]), float(B), shortest)
        if wells is None or any(
            slow_wells(now, float(T), float(B), shortest) is None
            for now, T in zip(frames[1:], fine[1:], strict=True)
        ):
            curves = _all_levels(frames, fine, at, pauses, around.nuclear_width)
        else:
            curves = _two_wells(frames, fine, at, pauses, wells, around.nuclear_width)
        rows.append((curves @ weights)[:, places])
    return np.array(rows).swapaxes(0, 1)


def _fine(temperatures: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return temperatures of which each is at most 1 % above the last, and the places of the given ones."""
    parts = np.maximum(1, np.ceil(np.log(temperatures[1:] / temperatures[:-1]) / _STEP - 1e-9)).astype(int)
    pieces = [
        np.linspace(lo, hi, count, endpoint=False)
        for lo, hi, count in zip(temperatures[:-1], temperatures[1:], parts, strict=True)
    ]
    return np.append(np.concatenate(pieces), temperatures[-1]), np.concatenate([[0], np.cumsum(parts)])


def _all_levels(
    frames: list[Frame], fine: Floats, at: tuple[Floats, Floats], pauses: Floats, nuclear_width: float
) -> Floats:
    """Return the four curves (4, T, k) [mu_B] of molecules at the second fields, cooled at the first."""
    n = frames[0].energy.shape[1]
    size = max(1, _CHUNK // (n**2 * len(fine) * 2))
    zero, field = at
    return np.concatenate(
        [
            _levels_of_some(frames, fine, (zero[i : i + size], field[i : i + size]), pauses, nuclear_width)
            for i in range(0, len(field), size)
        ],
        axis=2,
    )


def _levels_of_some(
    frames: list[Frame], fine: Floats, at: tuple[Floats, Floats], pauses: Floats, nuclear_width: float
) -> Floats:
    cold, warm = (
        [_halves(frames[k], fields, fine, pauses, nuclear_width, k) for k in range(len(fine))]
        for fields in at
    )
    energy, slope = levels_at(frames[0], at[1])
    p = boltzmann(levels_at(frames[0], at[0])[0], float(fine[-1]))
    count = len(fine)
    for k in range(count - 1, 0, -1):
        p = _step(cold, p, k, k - 1)
    zfc, fcc, fcw = (np.empty((count, *p.shape)) for _ in range(3))
    zfc[0] = p
    for k in range(count - 1):
        zfc[k + 1] = _step(warm, zfc[k], k, k + 1)
    fcc[-1] = zfc[-1]
    for k in range(count - 1, 0, -1):
        fcc[k - 1] = _step(warm, fcc[k], k, k - 1)
    fcw[0] = fcc[0]
    for k in range(count - 1):
        fcw[k + 1] = _step(warm, fcw[k], k, k + 1)
    still = np.array([boltzmann(energy, float(T)) for T in fine])
    return np.array([-(p * slope).sum(axis=-1) / MU_B for p in (zfc, fcc, fcw, still)])


def _halves(
    frame: Frame, fields: Floats, fine: Floats, pauses: Floats, nuclear_width: float, k: int
) -> tuple[Floats, Floats]:
    """Return the propagators at temperature k for half the step from the one below and to the one above."""
    R = np.array([rates_at(frame, float(B), float(fine[k]), nuclear_width) for B in fields])
    last = len(pauses) - 1
    return propagators(R, pauses[max(k - 1, 0)] / 2), propagators(R, pauses[min(k, last)] / 2)


def _step(halves: list[tuple[Floats, Floats]], p: Floats, start: int, stop: int) -> Floats:
    """Return the populations (k, n) after the step between neighbouring temperatures."""
    up = stop > start
    first, second = halves[start][int(up)], halves[stop][int(not up)]
    return np.asarray((second @ (first @ p[..., None]))[..., 0])


def _two_wells(
    frames: list[Frame],
    fine: Floats,
    at: tuple[Floats, Floats],
    pauses: Floats,
    wells: NDArray[np.int64],
    nuclear_width: float,
) -> Floats:
    """Return the same from the populations of two wells."""
    assert wells is not None
    zero, field = (
        np.array([well_equilibria(now, float(T), wells, fields) for now, T in zip(frames, fine, strict=True)])
        for fields in at
    )
    cold, warm = (
        np.array(
            [
                escape_rates(now, float(T), wells, fields, nuclear_width).sum(axis=1)
                for now, T in zip(frames, fine, strict=True)
            ]
        )
        for fields in at
    )
    count = len(fine)
    N = zero[-1, :, 0]
    for k in range(count - 1, 0, -1):
        N = _exchange(N, cold, zero[..., 0], pauses, k, k - 1)
    curves = np.empty((4, count, len(at[1])))
    curves[0, 0], curves[3] = N, field[..., 0]
    for k in range(count - 1):
        curves[0, k + 1] = _exchange(curves[0, k], warm, field[..., 0], pauses, k, k + 1)
    curves[1, -1] = curves[0, -1]
    for k in range(count - 1, 0, -1):
        curves[1, k - 1] = _exchange(curves[1, k], warm, field[..., 0], pauses, k, k - 1)
    curves[2, 0] = curves[1, 0]
    for k in range(count - 1):
        curves[2, k + 1] = _exchange(curves[2, k], warm, field[..., 0], pauses, k, k + 1)
    return np.asarray(-(curves * field[..., 1] + (1 - curves) * field[..., 2]) / MU_B)


def _exchange(N: Floats, rate: Floats, equilibrium: Floats, pauses: Floats, start: int, stop: int) -> Floats:
    """Return the population of the first well after the step between neighbouring temperatures."""
    half = pauses[min(start, stop)] / 2
    for k in (start, stop):
        N = equilibrium[k] * -np.expm1(-rate[k] * half) + N * np.exp(-rate[k] * half)
    return N


def _peaks(temperatures: Floats, zfc: Floats) -> Floats:
    """Return the temperatures (B,) of the highest |M|, NaN where they are at an end."""
    best = np.argmax(np.abs(zfc), axis=1)
    inside = (best > 0) & (best < len(temperatures) - 1)
    return np.where(inside, temperatures[best], np.nan)


def _joins(temperatures: Floats, zfc: Floats, fcc: Floats) -> Floats:
    """Return the lowest temperatures (B,) from which on the curves agree."""
    apart = np.abs(fcc - zfc) > _SEEN * np.abs(fcc)
    last = len(temperatures) - 1 - np.argmax(apart[:, ::-1], axis=1)
    known = np.any(apart, axis=1) & (last < len(temperatures) - 1)
    return np.where(known, temperatures[np.minimum(last + 1, len(temperatures) - 1)], np.nan)


def _dataset(
    system: SpinSystem, temperatures: Floats, fields: Floats, curves: Floats, inputs: dict[str, Any]
) -> xr.Dataset:
    both = ("field", "temperature")
    names = {
        "zfc": "zero-field-cooled magnetisation", "fcc": "field-cooled magnetisation, cooling",
        "fcw": "field-cooled magnetisation, warming", "equilibrium": "magnetisation in equilibrium",
    }  # fmt: skip
    entries: dict[str, tuple[Any, Any, str, str]] = {}
    per_field = np.where(fields == 0, np.nan, fields)[:, None]
    for (name, text), curve in zip(names.items(), curves, strict=True):
        entries[name] = (both, curve, "mu_B", text)
        entries[f"{name}_molar"] = (both, CM3_PER_MOLE * curve / per_field, "cm3/mol", f"{text} over field")
    entries["peak_temperature"] = ("field", _peaks(temperatures, curves[0]), "K", "maximum of ZFC")
    entries["irreversibility_temperature"] = (
        "field", _joins(temperatures, curves[0], curves[1]), "K", "ZFC and FC agree above",
    )  # fmt: skip
    coords = {
        "field": variable("field", fields, "T", "field"),
        "temperature": variable("temperature", temperatures, "K", "temperature"),
    }
    variables = {name: variable(*entry) for name, entry in entries.items()}
    return result("zfc_fc", system, variables, coords, inputs)
