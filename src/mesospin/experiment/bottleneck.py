"""Phonon bottleneck: spins that heat the few phonons in resonance with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin import units
from mesospin.bath.phonons import phonon_strengths
from mesospin.checks import finite_array, no_shared_dimensions, positive
from mesospin.constants import HBAR
from mesospin.errors import InputError
from mesospin.experiment.constant_field import positive_values
from mesospin.experiment.ensemble import field_pair
from mesospin.experiment.surroundings import phonon_bath, written
from mesospin.model.environment import FROM_SYSTEM, FromSystem, PhononBath
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.spectrum.matrices import field_line
from mesospin.units import Quantity

__all__ = ["bottleneck_time"]

Floats = NDArray[np.float64]

_CUBIC_METRE = 1e-30


def bottleneck_time(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike,
    *,
    size: ArrayLike,
    volume: Quantity,
    line_width: Quantity,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bath: PhononBath | FromSystem = FROM_SYSTEM,
) -> xr.Dataset:
    r"""Return the relaxation time of the ground doublet when the phonons in resonance are few.

    Spins with the splitting :math:`\delta` exchange energy with the phonons of their line only, of which
    there are :math:`\rho = 3\delta^2\Gamma/2\pi^2\hbar^3c^3` modes in a volume, and these with the bath
    after the time :math:`\tau_{ph} = L/2c` to the surface.  With the difference s of the populations (N spins
    in a volume) and the occupation p of the modes

    .. math:: \dot s = A\,[N - s(2p+1)],\qquad
              \dot p = \frac{\dot s}{2\rho} - \frac{p - p_0}{\tau_{ph}},

    A being the rate of spontaneous emission.  Near equilibrium two times follow; the slow one lies
    between the direct process, :math:`\tau_1 = \tanh(\delta/2T)/A`, for small crystals, and

    .. math:: \tau \to \tau_1(1 + b),\qquad
              b = \frac{\tau_{ph}}{\tau_1}\frac{N}{\rho}\tanh^2\frac{\delta}{2T},

    for long lived phonons, which is independent of the coupling when b is large.

    Parameters
    ----------
    system : SpinSystem
    T : float or array-like, shape (temperature,) [K]
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``; they must split the two lowest levels.
    size : float or array-like, shape (size,) [m]
        Thickness L of the crystal, > 0.
    volume : float or str [A^3]
        Volume for each spin, > 0.
    line_width : float or str [K]
        Full width of the spins' line Gamma, > 0: the band of phonons that they reach.
    axis, transverse, bath
        As for `relaxation_rates`.

    Returns
    -------
    xarray.Dataset
        Kind "bottleneck": ``tau`` (temperature, field, size) [s], the slow time; ``tau_fast``, the other one;
        ``direct`` (temperature, field) [s], without bottleneck; ``factor`` (temperature, field, size), b;
        ``splitting`` (field) [K].

    Raises
    ------
    InputError
        If a number is not positive, the two lowest levels are not split or do not exchange phonons, or no
        phonon bath is known.

    Notes
    -----
    Two levels, linear response, one temperature for all resonant modes.  Valid while the line is narrow
    against the splitting and the other levels are empty.

    References
    ----------
    - J. H. Van Vleck, Phys. Rev. 59, 724 (1941).
    - P. L. Scott and C. D. Jeffries, Phys. Rev. 127, 32 (1962).

    Examples
    --------
    >>> from mesospin.model.library import load
    >>> ds = bottleneck_time(
    ...     load("mn12ac"), 2.0, 0.5, size=[1e-9, 1e-3], volume=3716.0, line_width="0.1 K",
    ...     transverse=(3.0, 0.0),
    ... )
    >>> bool(ds.tau[0, 0, 1] > ds.tau[0, 0, 0] >= 0.999 * ds.direct[0, 0])
    True
    """
    check_system(system)
    no_shared_dimensions(T=T, B=B, size=size)
    temperatures, sizes = positive_values("T", T, "K"), positive_values("size", size, "m")
    fields = np.atleast_1d(finite_array("B", B))
    phonons = phonon_bath(system, bath)
    if phonons is None:
        raise InputError(f"system must have a spin S >= 1 to couple to phonons, got {system.name}")
    spins = 1 / (positive("volume", units.to_cubic_angstrom(volume), "A^3") * _CUBIC_METRE)
    width = positive("line_width", units.to_kelvin(line_width, "line_width"), "K")
    line = field_line(system, axis=axis, transverse=field_pair(transverse))
    doublets = [_doublet(system, phonons, line.at(float(B)), float(B)) for B in fields]
    splitting, emission = np.array(doublets).T
    c = phonons.sound_speed
    modes = 3 * splitting**2 * width / (2 * np.pi**2) / (HBAR * c) ** 3
    lifetime = sizes / (2 * c)
    polarisation = np.tanh(splitting / (2 * temperatures[:, None]))
    direct = polarisation / emission
    ratio = spins / modes * polarisation**2  # heat capacity of the spins over that of the phonons
    slow, fast = _times(direct[..., None], ratio[..., None], lifetime)
    every = ("temperature", "field", "size")
    columns = {
        "tau": variable(every, slow, "s", "relaxation time"),
        "tau_fast": variable(every, fast, "s", "fast relaxation time"),
        "direct": variable(every[:2], direct, "s", "relaxation time without bottleneck"),
        "factor": variable(every, lifetime / direct[..., None] * ratio[..., None], "1", "bottleneck factor"),
        "splitting": variable("field", splitting, "K", "splitting of the doublet"),
    }
    coords = {
        "temperature": variable("temperature", temperatures, "K", "temperature"),
        "field": variable("field", fields, "T", "field"),
        "size": variable("size", sizes, "m", "thickness of the crystal"),
    }
    inputs = {
        "T": temperatures, "B": fields, "size": sizes, "volume": 1e30 / spins, "line_width": width,
        "axis": list(axis), "transverse": list(transverse), **written(bath=phonons),
    }  # fmt: skip
    return result("bottleneck", system, columns, coords, inputs)


def _doublet(system: SpinSystem, bath: PhononBath, H: NDArray[np.generic], B: float) -> tuple[float, float]:
    """Return the splitting of the two lowest levels [K] and their spontaneous emission [1/s]."""
    energy, states = np.linalg.eigh(np.asarray(H, dtype=np.complex128))
    gap = float(energy[1] - energy[0])
    rate = float(phonon_strengths(system, bath, states[:, :2])[0, 1]) * gap**3
    if not rate > 0:
        raise InputError(
            f"B must split the two lowest levels into two that phonons connect, got {B:g} T with a gap of "
            f"{gap:.3g} K; add a transverse field"
        )
    return gap, rate


def _times(direct: Floats, ratio: Floats, lifetime: Floats) -> tuple[Floats, Floats]:
    """Return the slow and the fast time [s] of spins and phonons.

    With u = 1/direct and v = 1/lifetime the rates solve k^2 - (u + u ratio + v) k + u v = 0.
    """
    total = (1 + ratio) / direct + 1 / lifetime
    product = 1 / direct / lifetime
    larger = (total + np.sqrt(np.maximum(total**2 - 4 * product, 0.0))) / 2
    return larger / product, 1 / larger
