"""Transitions of electron paramagnetic resonance: at which fields, at which frequencies, how strong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array
from mesospin.checks import span as check_span
from mesospin.constants import KELVIN_PER_GIGAHERTZ, MU_B
from mesospin.errors import InputError
from mesospin.experiment.nearest_lines import nearest_fields, no_line, without_line
from mesospin.experiment.resonance_lines import field_swept, resonance_lines
from mesospin.experiment.transitions import (
    Floats,
    Indices,
    Microwave,
    largest_strength,
    level_count,
    moments_between_all,
    polarisation,
    read_frequency,
    read_temperatures,
    selection,
    strength_of,
)
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.scale import require_memory
from mesospin.spectrum.block_states import BlockStates
from mesospin.spectrum.matrices import basis_labels, unit_axis
from mesospin.units import Quantity


def resonance_fields(
    system: SpinSystem,
    frequency: Quantity,
    *,
    span: Sequence[float],
    T: ArrayLike,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    microwave: Microwave = "perpendicular",
    forbidden: bool = False,
    states: int | None = None,
) -> xr.Dataset:
    r"""Return every field at which a transition matches a frequency, with its intensity.

    .. math:: E_j(B) - E_i(B) = h\nu,\qquad
              I = |\langle i|\mu_1|j\rangle|^2\,(p_i - p_j)\,\mu_B\left|\frac{d(E_j - E_i)}{dB}\right|^{-1}

    The last factor, :math:`1/g` of a free spin, belongs to a sweep of the field.  No transition is
    missed, however narrow its loop or sharp its avoided crossing: intervals of the field are
    excluded by proven bounds only, down to rounding.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    frequency : float [GHz] or str
        Frequency of the spectrometer; "9.5 GHz".
    span : (lo, hi) [T]
        Range of the field.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    axis : three numbers, default z
        Direction of the static field.
    microwave : "perpendicular", "parallel" or three numbers, default "perpendicular"
        Direction of the oscillating field: averaged over the plane perpendicular to the static field,
        parallel to it, or one direction.
    forbidden : bool, default False
        Whether to list also transitions without any magnetic dipole strength.
    states : int, optional
        Only transitions between this many lowest levels, all by default; the search in a system of several
        hundred states takes a few diagonalisations for every line.  Populations are among all levels.

    Returns
    -------
    xarray.Dataset
        Along ``transition``, in order of the field: ``field`` [T]; ``level_from``, ``level_to``
        (positions in energy, 0 the lowest); ``label_from``, ``label_to`` (the product state, quantised
        along z, with more than half of the weight, else empty); ``strength`` with the microwave field
        asked for, ``strength_parallel``, ``strength_perpendicular`` [mu_B^2]; ``selection``
        ("perpendicular": :math:`|\Delta m| = 1`, "parallel": :math:`\Delta m = 0`, "both",
        "forbidden"); ``g_slope``, :math:`d(E_j - E_i)/dB/\mu_B`, signed; ``turning``,
        whether the transition only touches the frequency at an extremum of its own; ``population``
        :math:`p_i - p_j` and ``intensity`` [mu_B^2] (temperature, transition).  At a turning point the
        intensity is infinite, and finite in a spectrum with a width in energy alone, if there is strength
        there; it is zero, its limit from nearby frequencies, if the strength vanishes there.
        There may be no transition; where no line has any intensity the attribute ``empty`` says where
        the nearest one lies, and a warning too.

    Raises
    ------
    InputError
        If an argument breaks its condition or a transition has the frequency at every field.
    ConvergenceError
        If there are too many near coincidences to tell apart.
    TooLargeError
        If the matrices do not fit in memory.

    Warns
    -----
    NoLineWarning
        If no line has any intensity; a `ValidityWarning`.

    Notes
    -----
    Levels that are degenerate share the strength in an arbitrary way; the sum at one field is physical.

    References
    ----------
    - R. Aasa and T. Vanngard, J. Magn. Reson. 19, 308 (1975).

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> ds = resonance_fields(giant_spin(0.5, D=0.0), "9.5 GHz", span=(0, 1), T=300.0)
    >>> ds.field.values.round(6), ds.strength.values.round(6), ds.selection.values.tolist()
    (array([0.339377]), array([1.]), ['perpendicular'])
    """
    check_system(system)
    energy = read_frequency(frequency)
    ends = check_span("span", span)
    temperatures, dims = read_temperatures(T)
    axes = unit_axis(axis)[None]
    weights = polarisation(microwave, axes)
    count = level_count(system, states)
    lines = resonance_lines(system, axes, ends, energy, temperatures, forbidden=forbidden, states=count)
    strength = strength_of(weights, lines.moment)
    intensity = MU_B * field_swept(system, lines, strength)
    names = np.array([*basis_labels(system), ""])
    pair: dict[str, Any] = {}
    for end, level, state in (
        ("from", lines.level_from, lines.state_from),
        ("to", lines.level_to, lines.state_to),
    ):
        word = "lower" if end == "from" else "upper"
        pair[f"level_{end}"] = variable("transition", level, "1", f"position of the {word} level")
        pair[f"label_{end}"] = variable("transition", names[state].astype(object), "1", f"{word} level")
    shaped = [x.reshape(*np.shape(T), len(strength)) for x in (lines.population, intensity)]
    variables = {
        "field": variable("transition", lines.found.field, "T", "resonance field"),
        **pair,
        **_strengths("transition", system, axes, lines.moment, strength),
        "g_slope": variable("transition", lines.slope / MU_B, "1", "slope of the transition over mu_B"),
        "turning": variable("transition", lines.turning, "1", "whether it only touches the frequency"),
        "population": variable((*dims, "transition"), shaped[0], "1", "difference of populations"),
        "intensity": variable((*dims, "transition"), shaped[1], "mu_B^2", "intensity in a field sweep"),
    }
    coords = {
        "transition": np.arange(len(strength)),
        "frequency": variable((), energy / KELVIN_PER_GIGAHERTZ, "GHz", "frequency"),
        "temperature": variable(dims, np.asarray(T, dtype=float), "K", "temperature"),
    }
    inputs = {"frequency": frequency, "span": ends, "axis": list(axis), "microwave": _plain(microwave)}
    ds = result("resonance_fields", system, variables, coords, inputs)
    if np.any(intensity > 0.0) or (forbidden and len(strength)):
        return ds
    near = nearest_fields(system, axes, ends, energy, temperatures, microwave=microwave, states=count)
    what = f"span must hold a resonance at {energy / KELVIN_PER_GIGAHERTZ:.6g} GHz"
    return without_line(ds, no_line(what, f"between {ends[0]:g} and {ends[1]:g} T", near, "T"))


def _plain(microwave: Microwave) -> Any:
    return microwave if isinstance(microwave, str) else list(microwave)


def _strengths(
    dims: str | tuple[str, ...],
    system: SpinSystem,
    axes: Floats,
    moment: NDArray[np.complex128],
    strength: Floats,
    shape: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """Return the variables of strengths and selection rules."""
    parallel = strength_of(polarisation("parallel", axes), moment)
    across = strength_of(polarisation("perpendicular", axes), moment)
    words = selection(parallel, across, largest_strength(system)).astype(object)
    entries = {
        "strength": (strength, "mu_B^2", "transition strength"),
        "strength_parallel": (parallel, "mu_B^2", "strength, microwave field parallel to B"),
        "strength_perpendicular": (across, "mu_B^2", "strength, microwave field perpendicular to B"),
        "selection": (words, "1", "microwave field that drives the transition"),
    }
    wanted = strength.shape if shape is None else shape
    return {name: variable(dims, x.reshape(wanted), unit, text) for name, (x, unit, text) in entries.items()}


def resonance_frequencies(
    system: SpinSystem,
    B: ArrayLike,
    *,
    T: ArrayLike,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    microwave: Microwave = "perpendicular",
    states: int | None = None,
) -> xr.Dataset:
    r"""Return the frequencies of all transitions at given fields: the frequency-field map.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    axis : three numbers, default z
        Direction of the static field.
    microwave : "perpendicular", "parallel" or three numbers, default "perpendicular"
        Direction of the oscillating field, as for `resonance_fields`.
    states : int, optional
        Only transitions between this many lowest levels; all by default.

    Returns
    -------
    xarray.Dataset
        ``frequency`` (field, transition) [GHz] and ``energy`` [K] of the transitions between
        ``level_from`` and ``level_to`` (positions in energy at each field); ``strength``,
        ``strength_parallel``, ``strength_perpendicular`` [mu_B^2] and ``selection`` as for
        `resonance_fields`; ``population`` :math:`p_i - p_j` among all levels and ``intensity``
        :math:`|\langle i|\mu_1|j\rangle|^2(p_i - p_j)` [mu_B^2] (temperature, field,
        transition).  Dimensions are missing where numbers were given.

    Raises
    ------
    InputError
        If an argument breaks its condition.
    TooLargeError
        If matrices or the result do not fit in memory.

    Examples
    --------
    A spin 1 at zero field: D + E, D - E and 2E.

    >>> from mesospin.model.system import giant_spin
    >>> ds = resonance_frequencies(giant_spin(1, D="30 GHz", E="2 GHz"), 0.0, T=4.0)
    >>> ds.frequency.values.round(6)
    array([28., 32.,  4.])
    """
    check_system(system)
    count = level_count(system, states)
    fields = finite_array("B", B, "T")
    if fields.ndim > 1 or not fields.size:
        raise InputError(f"B must be a number or 1-D [T], not empty, got shape {fields.shape}; flatten it")
    temperatures, dims = read_temperatures(T)
    axes = unit_axis(axis)[None]
    weights = polarisation(microwave, axes)
    lower, upper = np.triu_indices(count, 1)
    magnitudes = np.atleast_1d(fields)
    entries = len(magnitudes) * len(lower)
    require_memory(
        8 * entries * (12 + 2 * len(temperatures)), f"{len(lower)} transitions at {fields.size} fields"
    )
    solver = BlockStates.along(system, axes)
    parts = []
    for k in range(0, len(magnitudes), solver.at_once()):
        part = magnitudes[k : k + solver.at_once()]
        parts.append(_at_fields(solver, axes, part, (lower, upper), temperatures))
    energy, moment = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
    population = np.concatenate([p[2] for p in parts], axis=1)
    strength = strength_of(weights, moment)
    own = (*(("field",) * fields.ndim), "transition")
    shape = (*fields.shape, len(lower))
    several = (*np.shape(T), *shape)
    variables = {
        "frequency": variable(
            own, energy.reshape(shape) / KELVIN_PER_GIGAHERTZ, "GHz", "transition frequency"
        ),
        "energy": variable(own, energy.reshape(shape), "K", "transition energy"),
        **_strengths(own, system, axes, moment, strength, shape),
        "population": variable((*dims, *own), population.reshape(several), "1", "difference of populations"),
        "intensity": variable(
            (*dims, *own),
            (population * strength).reshape(several),
            "mu_B^2",
            "intensity in a frequency sweep",
        ),
    }
    coords = {
        "field": variable(own[:-1], fields, "T", "field"),
        "temperature": variable(dims, np.asarray(T, dtype=float), "K", "temperature"),
        "level_from": variable("transition", lower, "1", "position of the lower level"),
        "level_to": variable("transition", upper, "1", "position of the upper level"),
    }
    inputs = {"axis": list(axis), "microwave": _plain(microwave), "states": count}
    return result("resonance_frequencies", system, variables, coords, inputs)


def _at_fields(
    solver: BlockStates, axes: Floats, B: Floats, pair: tuple[Indices, Indices], T: Floats
) -> tuple[Floats, NDArray[np.complex128], Floats]:
    """Return gaps (f p,), moments (f p, 3) and population differences (t, f p)."""
    energy, states = solver.sorted_states(np.broadcast_to(axes, (len(B), 3)), B)
    low = states[:, :, : int(pair[1].max()) + 1]
    moment = moments_between_all(solver.system, low)[:, :, pair[0], pair[1]]
    gap = energy[:, pair[1]] - energy[:, pair[0]]
    count = gap.size
    factor = np.exp(-(energy - energy[:, :1])[None] / T[:, None, None])
    weight = factor / factor.sum(axis=-1, keepdims=True)
    population = -weight[:, :, pair[0]] * np.expm1(-gap[None] / T[:, None, None])
    return gap.ravel(), moment.reshape(3, count).T, population.reshape(len(T), count)
