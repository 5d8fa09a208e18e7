"""Diabolical points: the fields at which two levels of a spin are exactly degenerate, with their charge."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin import units
from mesospin.checks import positive
from mesospin.checks import span as check_span
from mesospin.errors import InputError, ValidityWarning
from mesospin.model.system import SpinSystem
from mesospin.results import result, variable
from mesospin.scale import Progress
from mesospin.spectrum.interference.pair_in_field import PairInField
from mesospin.spectrum.interference.zero_search import Found, Zero, find_zeros

#: First cells along the longer side, and the largest number of cells.
_CELLS, _MAX_CELLS = 64, 100_000

#: Fields below it [T] are rounding of zero.
_ROUNDING = 1e-14


def diabolical_points(
    system: SpinSystem,
    pair: Sequence[float] | Sequence[str],
    *,
    Bx: Sequence[units.Quantity],
    By: Sequence[units.Quantity],
    resolution: units.Quantity | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    r"""Return the points in field space where the two levels of a pair are exactly degenerate.

    A Hermitian matrix needs three parameters for a degeneracy, and the field has three components, so the
    points are isolated.  On the surface :math:`B_z(B_x, B_y)` where the two diabatic levels cross, the
    downfolded coupling :math:`h_{ab}` is one complex function; the turns of its phase around cells of a grid
    find its zeros, each is refined by Newton steps, and none is missed.  Unless some leave the region where
    the two are a pair, the charges add up to m - m', that of the single point of an axial spin.

    Parameters
    ----------
    system : SpinSystem
        The system; its matrices must fit in memory.
    pair : (m, m') or two labels
        Two product states on opposite sides of the barrier, as for `splitting_map`.
    Bx, By : (lo, hi) [T]
        Rectangle of transverse fields that is searched.
    resolution : float or str [T], optional
        Side of the first cells; 1/64 of the longer side of the rectangle if omitted.  Cells are divided as
        far as needed.
    progress : callable, optional
        Called as ``progress(done, total)`` after every row of cells.

    Returns
    -------
    xarray.Dataset
        Along ``point``: ``Bx``, ``By``, ``Bz`` [T], ``energy`` of the degenerate levels [K], ``level``, the
        lower one's position in energy, ``charge``, and ``residual``, the gap left there relative to the
        gap 1 mT away.  Along (grid_y, grid_x) of the search: ``log10_splitting`` (full gap in K).
        ``boundary_compared`` of the attributes is 1 where the turns around the whole rectangle
        were compared with the points (not done where the named states have weights below 0.02 or cells
        are left out).

    Raises
    ------
    InputError
        If a range does not rise, the states do not lie on opposite sides of the barrier or do not name
        levels, or the pair is lost before the rectangle is reached.
    ConvergenceError
        If zeros cannot be separated, as for levels that are degenerate along a line.

    Warns
    -----
    ValidityWarning
        If the pair is lost in a part of the rectangle, as for `splitting_map`; its cells are left out.

    Notes
    -----
    The charge is the flux of the Berry curvature :math:`\nabla\times i\langle n|\nabla n\rangle` of the lower
    level out of a small sphere, divided by :math:`2\pi`: +1 for
    :math:`H = +\mathbf b\cdot\boldsymbol\sigma`; the upper level has the opposite one.  It equals minus the
    turns of the phase of :math:`h_{ab}` (counted anticlockwise in the (Bx, By) plane) times the sign of
    :math:`d(E_a - E_b)/dB_z`.  Larger charges sit where symmetry joins several points, most often at
    Bx = By = 0.

    References
    ----------
    - A. Garg, Europhys. Lett. 22, 205 (1993).
    - J. Villain and A. Fort, Eur. Phys. J. B 17, 69 (2000).
    - E. Kececioglu and A. Garg, Phys. Rev. B 63, 064422 (2001).
    - P. Bruno, Phys. Rev. Lett. 96, 117208 (2006).

    Examples
    --------
    Biaxial S = 2: points at (k + 1/2) periods :math:`2\sqrt{2E(E+|D|)}/g\mu_B` on the hard axis:

    >>> from mesospin.model.system import giant_spin
    >>> points = diabolical_points(giant_spin(2, D=-1.0, E=0.2), (2, -2), Bx=(0, 1.8), By=(-0.3, 0.3))
    >>> points.Bx.values.round(7)
    array([0.5157109, 1.5471328])
    >>> points.charge.values
    array([1, 1])
    """
    limits = (_range("Bx", Bx), _range("By", By))
    longer = max(hi - lo for lo, hi in limits)
    size = longer / _CELLS
    if resolution is not None:
        size = positive("resolution", units.to_tesla(resolution, "resolution"), "T")
    cells = np.prod([(hi - lo) / size + 2 for lo, hi in limits])
    if not cells <= _MAX_CELLS:
        msg = (
            f"resolution must leave at most {_MAX_CELLS} cells in the rectangle, got {size:g} T with "
            f"{cells:.3g}; take a larger one (cells are divided where needed)"
        )
        raise InputError(msg)
    start = PairInField.of(system, pair)
    found = find_zeros(start, limits, size, progress)
    _warn_of_lost(found, start.pair.names)
    inputs = {
        "pair": list(start.pair.names),
        "Bx": list(limits[0]),
        "By": list(limits[1]),
        "resolution": size,
    }
    dataset = result("diabolical_points", system, _variables(start, found), _coords(found), inputs)
    dataset.attrs["boundary_compared"] = int(found.compared)
    return dataset


def _range(name: str, value: Sequence[units.Quantity]) -> tuple[float, float]:
    if not isinstance(value, str) and isinstance(value, Sequence) and len(value) == 2:
        value = [units.to_tesla(end, name) for end in value]
    return check_span(name, value, "T")


def _warn_of_lost(found: Found, names: tuple[str, str]) -> None:
    lost = ~np.isfinite(found.gap)
    if lost.any():
        nearest = float(np.hypot(*np.meshgrid(found.x, found.y))[lost].min())
        warnings.warn(
            f"{lost.sum()} of {lost.size} cells are left out, {nearest:.3g} T from zero and farther: "
            f"{names[0]} and {names[1]} are no longer a pair there, a third level is about as near",
            ValidityWarning,
            stacklevel=3,
        )


def _coords(found: Found) -> dict[str, object]:
    return {
        "grid_x": variable("grid_x", found.x, "T", "transverse field Bx of the search"),
        "grid_y": variable("grid_y", found.y, "T", "transverse field By of the search"),
    }


def _variables(start: PairInField, found: Found) -> dict[str, object]:
    zeros = found.zeros
    charge = [int(-zero.turns * np.sign(zero.slope)) for zero in zeros]
    level = [_lower_level(start, zero) for zero in zeros]
    with np.errstate(divide="ignore"):
        logarithm = np.log10(found.gap)
    real, whole = np.float64, np.int64
    entries = {
        "Bx": (_settled([zero.x for zero in zeros]), "T", "transverse field Bx"),
        "By": (_settled([zero.y for zero in zeros]), "T", "transverse field By"),
        "Bz": (_settled([zero.field for zero in zeros]), "T", "longitudinal field Bz"),
        "energy": (np.array([zero.energy for zero in zeros], real), "K", "energy of the two levels"),
        "level": (np.array(level, whole), "1", "position in energy of the lower level"),
        "charge": (np.array(charge, whole), "1", "Berry flux of the lower level / 2 pi"),
        "residual": (np.array([zero.residual for zero in zeros], real), "1", "gap over the gap 1 mT away"),
    }
    variables: dict[str, object] = {name: variable("point", *entry) for name, entry in entries.items()}
    text = "log10 of the splitting in K"
    variables["log10_splitting"] = variable(("grid_y", "grid_x"), logarithm, "1", text)
    return variables


def _settled(fields: list[float]) -> NDArray[np.float64]:
    """Return fields with what is rounding of zero set to zero."""
    values = np.array(fields, dtype=np.float64)
    return np.where(np.abs(values) < _ROUNDING, 0.0, values)


def _lower_level(start: PairInField, zero: Zero) -> int:
    """Return the position of the lower of the two levels that meet at the point."""
    H = start.H0 + zero.x * start.Gx + zero.y * start.Gy + zero.field * start.Gz
    distance: NDArray[np.float64] = np.abs(np.linalg.eigvalsh(H) - zero.energy)
    return int(np.argsort(distance, kind="stable")[:2].min())
