"""Spectra of electron paramagnetic resonance: field- and frequency-swept, of crystals and powders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite, finite_array, instance_of
from mesospin.constants import KELVIN_PER_GIGAHERTZ, MU_B
from mesospin.errors import ConvergenceError, InputError, UnitError
from mesospin.experiment.epr_lines import (
    Spectrum,
    Sweep,
    levels_in_field,
    lines_in_field,
    lines_in_frequency,
    transitions_at,
)
from mesospin.experiment.nearest_lines import nearest_fields, nearest_values, no_line, without_line
from mesospin.experiment.transitions import (
    Floats,
    Microwave,
    largest_strength,
    level_count,
    read_frequency,
    read_temperatures,
    steepest,
)
from mesospin.model.line_shapes import LineShape
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.spectrum.matrices import unit_axis
from mesospin.thermo.orientation import PowderRule, powder_rules
from mesospin.units import Quantity, to_tesla

#: Directions whose resonances are searched together.
_DIRECTIONS: Final = 64

#: Steps of the sweep that one line width must have.
_STEPS: Final = 2.0

#: Half of the distance of neighbours among n directions, times sqrt(n) [rad].
_SHARE: Final = 0.5 * np.sqrt(4.0 * np.pi)

#: Absorption, over the largest that a line of this width can have, below which there is no line.
_DARK: Final = 1e-25

#: Difference of two powder rules, in parts of the maximum, above which there is no spectrum.
_MOST_DIFFERENCE: Final = 0.5


def epr_spectrum(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike,
    frequency: ArrayLike | Quantity,
    *,
    line: LineShape,
    axis: Sequence[float] | None = None,
    powder: int | None = None,
    microwave: Microwave = "perpendicular",
    states: int | None = None,
) -> xr.Dataset:
    r"""Return the absorption of a crystal or a powder, swept in field or in frequency.

    .. math:: \chi'' = \pi\mu_B\sum_{i<j}|\langle i|\mu_1|j\rangle|^2 (p_i - p_j)\,L(h\nu - E_j + E_i)

    in equilibrium and far from saturation.  A line that is broad in energy (short life, spread of D)
    enters as it stands.  A line that is broad in field (neighbours, nuclei) is a convolution: at a
    fixed frequency it lies at the resonance field, times :math:`1/|d(E_j - E_i)/dB|`.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    B : float or array-like, shape (field,) [T]
        Fields of a sweep, ascending; one field where the frequency is swept.
    frequency : float or array-like, shape (frequency,) [GHz], or str
        The frequency, for example "9.5 GHz"; ascending numbers where the frequency is swept.
    line : GaussianLine or LorentzianLine
        A width in field (a number [T], or "2 mT") or in energy ("100 MHz") in a field sweep; in energy
        (a number [GHz], or a text) in a frequency sweep.  Twice the step of the sweep or more.
    axis : three numbers, default z
        Direction of the static field in a crystal.
    powder : int, optional
        Average over all directions, with the rule of ``scipy.integrate.lebedev_rule`` of this degree (odd)
        or number of points (even).  Lines that are narrower than their own change between neighbouring
        directions are blurred to reach them, an error that falls as 1 / points.
    microwave : "perpendicular", "parallel" or three numbers, default "perpendicular"
        Direction of the oscillating field; in a powder, "perpendicular" or "parallel" to the static one.
    states : int, optional
        Only transitions between this many lowest levels, all by default; populations are among all levels.

    Returns
    -------
    xarray.Dataset
        ``absorption`` (temperature, field) or (temperature, frequency) [mu_B/T per formula unit], the
        imaginary part of the susceptibility along the microwave field (the absorbed power is that
        times the frequency), and ``derivative``, its first derivative along the sweep.  Of a
        powder also ``powder_difference``, that of ``absorption`` to a rule of a third of the
        directions, and the attribute ``powder``, which says how large it is.  If the sweep meets no
        line, the attribute ``empty`` says where the nearest ones lie, and a warning too.

    Raises
    ------
    InputError
        If an argument breaks its condition, both or neither of field and frequency are swept, the sweep
        does not resolve the line, or a line that is broad in field only touches the frequency.
    ConvergenceError
        If the directions of a powder are too few for the width of the line (their spectrum differs by
        more than half of its maximum from that of a third of them), or if there are too many
        near coincidences to tell apart.
    TooLargeError
        If the matrices do not fit in memory.

    Warns
    -----
    NoLineWarning
        If the sweep meets no line; a `ValidityWarning`.

    Notes
    -----
    Lines centred outside a field sweep reach into it, Lorentzian ones from up to 50 widths away.  The
    part of :math:`\chi''` that resonates at negative frequency is left out: widths must be
    small against the frequency.

    References
    ----------
    - R. Aasa and T. Vanngard, J. Magn. Reson. 19, 308 (1975).

    Examples
    --------
    >>> from mesospin.model.line_shapes import GaussianLine
    >>> from mesospin.model.system import giant_spin
    >>> B = np.linspace(0.33, 0.35, 201)
    >>> ds = epr_spectrum(giant_spin(0.5, D=0.0), 300.0, B, "9.5 GHz", line=GaussianLine("1 mT"))
    >>> float(ds.absorption.idxmax("field").round(4))
    0.3394
    """
    check_system(system)
    instance_of("line", line, LineShape, hint="write for example GaussianLine('2 mT')")
    temperatures, dims = read_temperatures(T)
    in_field = np.ndim(B) == 1
    if in_field == (np.ndim(frequency) == 1):
        raise InputError(
            "give either several fields B [T] and one frequency, or one field and several frequencies [GHz], "
            f"got shapes {np.shape(B)} and {np.shape(frequency)}; loop over the other"
        )
    read = _field_sweep if in_field else _frequency_sweep
    (grid, fixed, fwhm), compute = read(system, B, frequency, line)
    sweep = Sweep(system, temperatures, grid, fixed, microwave, line, fwhm, level_count(system, states))
    rules = _directions(system, axis, powder, microwave)
    spectra = [_summed(compute, sweep, rule) for rule in rules]
    ds = _dataset(sweep, spectra, rules, in_field, (dims, np.asarray(T, dtype=float)), axis, powder)
    scale = np.pi * MU_B * largest_strength(system) / fwhm
    if float(spectra[0][0].max()) > _DARK * scale:
        return ds
    return without_line(ds, _empty(sweep, rules[0], in_field))


def _empty(sweep: Sweep, rule: PowderRule, in_field: bool) -> str:
    """Return where the nearest lines of a sweep without lines lie."""
    axes = rule.axes if rule.points == 1 else np.eye(3)
    ends = float(sweep.grid[0]), float(sweep.grid[-1])
    along = "" if rule.points == 1 else " along x, y and z"
    if in_field:
        options: Any = {"microwave": sweep.microwave, "states": sweep.states}
        near = nearest_fields(sweep.system, axes, ends, sweep.fixed, sweep.T, **options)
        what = f"B must reach a resonance at {sweep.fixed / KELVIN_PER_GIGAHERTZ:.6g} GHz"
        return no_line(what, f"between {ends[0]:g} and {ends[1]:g} T{along}", near, "T")
    gap = transitions_at(sweep, axes, np.full(len(axes), sweep.fixed))
    near = nearest_values(gap[0][gap[1] * gap[2].max(axis=0) > 0.0], *ends)
    low, high = (end / KELVIN_PER_GIGAHERTZ for end in ends)
    where = f"between {low:g} and {high:g} GHz{along}"
    near = [energy / KELVIN_PER_GIGAHERTZ for energy in near]
    return no_line(f"frequency must reach a transition at {sweep.fixed:g} T", where, near, "GHz")


def _field_sweep(
    system: SpinSystem, B: ArrayLike, frequency: Any, line: LineShape
) -> tuple[tuple[Floats, float, float], Spectrum]:
    grid = _grid("B", B, "T")
    energy = read_frequency(frequency)
    try:
        fwhm, compute, slope = line.width(to_tesla), lines_in_field, 1.0
    except UnitError:
        fwhm, compute, slope = _width_in_energy(line), levels_in_field, steepest(system)
    _resolved("B", grid, fwhm / slope, "T")
    return (grid, energy, fwhm), compute


def _width_in_energy(line: LineShape) -> float:
    try:
        return line.width(read_frequency)
    except UnitError:
        raise UnitError(
            f"fwhm of the line must have a unit of field [T] or of energy [GHz, cm^-1, meV, K], got "
            f'{line.fwhm!r}; write "2 mT" or "100 MHz"'
        ) from None


def _frequency_sweep(
    system: SpinSystem, B: ArrayLike, frequency: Any, line: LineShape
) -> tuple[tuple[Floats, float, float], Spectrum]:
    del system
    grid = KELVIN_PER_GIGAHERTZ * _grid("frequency", frequency, "GHz")
    if grid[0] <= 0.0:
        raise InputError(
            f"frequency must be positive [GHz], got {grid[0] / KELVIN_PER_GIGAHERTZ}; start above 0"
        )
    fwhm = line.width(read_frequency)
    _resolved("frequency", grid / KELVIN_PER_GIGAHERTZ, fwhm / KELVIN_PER_GIGAHERTZ, "GHz")
    return (grid, finite("B", B, "T"), fwhm), lines_in_frequency


def _grid(name: str, values: ArrayLike, unit: str) -> Floats:
    grid = finite_array(name, values, unit)
    if grid.ndim != 1 or grid.size < 2 or not np.all(np.diff(grid) > 0):
        raise InputError(
            f"{name} must be two or more ascending values [{unit}], got shape {grid.shape}; sort them"
        )
    return grid


def _resolved(name: str, grid: Floats, fwhm: float, unit: str) -> None:
    step = float(np.diff(grid).max())
    if step * _STEPS > fwhm * (1.0 + 1e-9):
        raise InputError(
            f"{name} must have steps of at most half the line width, {fwhm / _STEPS:.3g} {unit}, got "
            f"{step:.3g} {unit}; take more points or a broader line"
        )


def _directions(
    system: SpinSystem, axis: Sequence[float] | None, powder: int | None, microwave: Microwave
) -> tuple[PowderRule, ...]:
    if powder is None:
        direction = unit_axis((0.0, 0.0, 1.0) if axis is None else axis)
        return (PowderRule(0, 1, direction[None], np.ones(1)),)
    if axis is not None:
        raise InputError("a powder has no axis; drop axis, or drop powder for a crystal")
    if not isinstance(microwave, str):
        raise InputError(
            f"microwave must be perpendicular or parallel to the field of a powder, got {microwave!r}; "
            "choose one"
        )
    return powder_rules(system, powder)


def _summed(compute: Spectrum, sweep: Sweep, rule: PowderRule) -> tuple[Floats, Floats]:
    absorption = np.zeros((len(sweep.T), len(sweep.grid)))
    derivative = np.zeros_like(absorption)
    spread = _SHARE / np.sqrt(rule.points) if rule.points > 1 else 0.0
    for start in range(0, len(rule.axes), _DIRECTIONS):
        part = slice(start, start + _DIRECTIONS)
        one, other = compute(sweep, rule.axes[part], rule.weights[part], spread)
        absorption += one
        derivative += other
    return np.pi * MU_B * absorption, np.pi * MU_B * derivative


def _convergence(rules: tuple[PowderRule, ...], spectra: list[tuple[Floats, Floats]]) -> str:
    """Return how far the powder rule has converged; refuse what is not a spectrum."""
    fine, coarse = rules
    share, other = (
        float(np.abs(one - two).max()) / max(float(np.abs(one).max()), np.finfo(np.float64).tiny)
        for one, two in zip(*spectra, strict=True)
    )
    if share > _MOST_DIFFERENCE:
        raise ConvergenceError(
            f"powder must have directions enough for the line width, got {fine.points} that differ by "
            f"{share:.2g} of the maximum from {coarse.points}; take more (up to 5810) or a broader line",
            {"difference": share, "directions": fine.points},
        )
    return (
        f"Lebedev rule of degree {fine.degree}, {fine.points} directions; absorption differs by at most "
        f"{share:.2g} of its maximum, and the derivative by {other:.2g}, from degree {coarse.degree}, "
        f"{coarse.points} directions"
    )


def _dataset(
    sweep: Sweep,
    spectra: list[tuple[Floats, Floats]],
    rules: tuple[PowderRule, ...],
    in_field: bool,
    temperature: tuple[tuple[str, ...], NDArray[np.float64]],
    axis: Sequence[float] | None,
    powder: int | None,
) -> xr.Dataset:
    dims = (*temperature[0], "field" if in_field else "frequency")
    shape = (*temperature[1].shape, len(sweep.grid))
    unit, factor = ("mu_B/T^2", 1.0) if in_field else ("mu_B/(T GHz)", KELVIN_PER_GIGAHERTZ)
    absorption, derivative = (array.reshape(shape) for array in spectra[0])
    variables = {
        "absorption": variable(dims, absorption, "mu_B/T", "absorption, imaginary susceptibility"),
        "derivative": variable(dims, factor * derivative, unit, "first derivative of the absorption"),
    }
    note = ""
    if len(spectra) == 2:
        difference = absorption - spectra[1][0].reshape(shape)
        variables["powder_difference"] = variable(
            dims, difference, "mu_B/T", f"difference of absorption to {rules[1].points} directions"
        )
        note = _convergence(rules, spectra)
    swept, fixed = (sweep.grid, sweep.fixed / KELVIN_PER_GIGAHERTZ), ("frequency", "GHz")
    if not in_field:
        swept, fixed = (sweep.grid / KELVIN_PER_GIGAHERTZ, sweep.fixed), ("field", "T")
    coords = {
        dims[-1]: variable(dims[-1], swept[0], "T" if in_field else "GHz", dims[-1]),
        fixed[0]: variable((), swept[1], fixed[1], fixed[0]),
        "temperature": variable(temperature[0], temperature[1], "K", "temperature"),
    }
    microwave = sweep.microwave if isinstance(sweep.microwave, str) else list(sweep.microwave)
    inputs: dict[str, Any] = {"line": repr(sweep.line), "microwave": microwave}
    if powder is not None:
        inputs["powder"] = powder
    else:
        inputs["axis"] = [0.0, 0.0, 1.0] if axis is None else list(axis)
    ds = result("epr_spectrum", sweep.system, variables, coords, inputs)
    return ds.assign_attrs(powder=note) if note else ds
