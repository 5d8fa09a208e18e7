"""Two-phonon (Raman) rates between the levels of a molecule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from mesospin import units
from mesospin.bath.raman import two_phonon_rates
from mesospin.checks import finite, instance_of
from mesospin.errors import InputError
from mesospin.experiment.constant_field import positive_values
from mesospin.experiment.ensemble import field_pair
from mesospin.experiment.surroundings import phonon_bath, written
from mesospin.model.environment import FROM_SYSTEM, DebyeLattice, FromSystem, PhononBath
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.spectrum.diabatic import diabatic_point
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.search import ADIABATIC_GAP, site_slope
from mesospin.units import Quantity

__all__ = ["raman_rates"]


def raman_rates(
    system: SpinSystem,
    T: ArrayLike,
    B: Quantity = 0.0,
    *,
    lattice: DebyeLattice,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bath: PhononBath | FromSystem = FROM_SYSTEM,
) -> xr.Dataset:
    r"""Return the rates of two-phonon transitions between the levels of a molecule.

    One phonon is absorbed and another emitted; every level is a virtual one.  Second order in the coupling to
    the quadrupoles that gives the one-phonon rates, for the phonons of a Debye solid,

    .. math:: W_{b\leftarrow a} = \frac{\hbar C^2}{2\pi}\sum_{qr}\lambda_q\lambda_r\int d\omega\;
              \omega^3\omega'^3\, n(\omega)\,[n(\omega')+1]\,|A_{qr}(\omega)|^2,\qquad
              \omega' = \omega + E_a - E_b \le \theta,

    with the amplitudes A over all intermediate levels.  The part that is two real one-phonon transitions
    through a level in resonance (Orbach) is taken out, as in the theory of cotunnelling.

    Parameters
    ----------
    system : SpinSystem
    T : float or array-like, shape (temperature,) [K]
    B : float or str [T]
        Field along ``axis``.
    lattice : DebyeLattice
        Its Debye temperature is the largest energy of a phonon.
    axis, transverse, bath
        As for `relaxation_rates`.

    Returns
    -------
    xarray.Dataset
        Kind "raman": ``rate`` (temperature, level_to, level_from) [1/s]; ``energy`` (level) [K].  A negative
        rate is a correction to the Orbach process between those levels.

    Raises
    ------
    InputError
        If a temperature is not positive, no phonon bath is known, or no spin couples to phonons.

    Notes
    -----
    Far below the Debye temperature and the first excited level a Kramers doublet relaxes as :math:`T^9`,
    another doublet as :math:`T^7`: neither is put in.  The second-order coupling to the strain itself, a
    quadratic term in the phonons, is not included; nor are optical phonons.

    References
    ----------
    - J. H. Van Vleck, Phys. Rev. 57, 426 (1940); R. Orbach, Proc. R. Soc. A 264, 458 (1961).
    - M. Turek and K. A. Matveev, Phys. Rev. B 65, 115332 (2002), for the part in resonance.

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.model.library import load
    >>> ds = raman_rates(load("erw10-repaired"), [0.1, 0.2], 1e-6, lattice=DebyeLattice("150 K"))
    >>> round(float(np.log2(ds.rate[1, 0, 1] / ds.rate[0, 0, 1])), 1)
    9.0
    """
    check_system(system)
    instance_of("lattice", lattice, DebyeLattice, hint='write lattice=DebyeLattice("150 K")')
    temperatures = positive_values("T", T, "K")
    field = finite("B", units.to_tesla(B, "B"), "T")
    phonons = phonon_bath(system, bath)
    if phonons is None:
        raise InputError(f"system must have a spin S >= 1 to couple to phonons, got {system.name}")
    line = field_line(system, axis=axis, transverse=field_pair(transverse))
    point = diabatic_point(line, field, adiabatic_gap=ADIABATIC_GAP, site_slope=site_slope(system))
    n = len(point.energy)
    rates = [
        two_phonon_rates(system, phonons, lattice.theta, point.energy, point.states, float(T), n).T
        for T in temperatures
    ]
    columns = {
        "rate": variable(
            ("temperature", "level_to", "level_from"), np.array(rates), "1/s", "two-phonon rate"
        ),
        "energy": variable("level", point.energy, "K", "energy"),
    }
    coords = {"temperature": variable("temperature", temperatures, "K", "temperature")}
    inputs = {
        "T": temperatures, "B": field, "axis": list(axis), "transverse": list(transverse),
        **written(bath=phonons, lattice=lattice),
    }  # fmt: skip
    return result("raman", system, columns, coords, inputs)
