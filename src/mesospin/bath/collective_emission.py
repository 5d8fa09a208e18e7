"""The estimate of Luis and co-workers of the fastest collective emission of phonons by tunnelling spins."""

from __future__ import annotations

import numpy as np

from mesospin import units
from mesospin.checks import positive
from mesospin.constants import HBAR, K_B
from mesospin.units import Quantity

__all__ = ["collective_emission_rate"]

_CUBIC_METRE = 1e-30


def collective_emission_rate(
    J: float,
    splitting: Quantity,
    bias: Quantity,
    *,
    density: Quantity,
    volume: Quantity,
    sound_speed: Quantity,
) -> float:
    r"""Return the largest rate at which spins emit phonons together, the "phonon laser" estimate.

    .. math:: \tau_L^{-1} = \frac{\Delta}{\hbar}\, J \sqrt{\frac{\delta E}{8Mc^2}},\qquad
              \delta E = \sqrt{\Delta^2 + \xi^2},\qquad M = \rho V

    Parameters
    ----------
    J : float
        Angular momentum, > 0.
    splitting : float or str [K]
        Full tunnel splitting Delta, > 0.
    bias : float or str [K]
        Dipolar bias xi, > 0.
    density : float or str [kg/m3]
        Mass density, > 0.
    volume : float or str [A^3]
        Volume of the unit cell, > 0.
    sound_speed : float or str [m/s]
        Speed of sound, > 0.

    Returns
    -------
    float
        Rate [1/s].

    Raises
    ------
    InputError
        If a number is not positive.

    Notes
    -----
    Order of magnitude.  The source prints :math:`J\sqrt{\delta E/8Mc^2}` alone and calls it a rate; that is a
    pure number, 3.6e-4 for its values.  With the frequency :math:`\Delta/\hbar`, the only one of the problem
    that comes near, it is 3.8e3 1/s where the text says 1e4.

    References
    ----------
    - F. Luis et al., Phys. Rev. B 82, 060403 (2010), last page.
    - E. M. Chudnovsky and D. A. Garanin, Phys. Rev. Lett. 93, 257205 (2004).

    Examples
    --------
    >>> rate = collective_emission_rate(
    ...     7.5, 8e-5, 0.08, density=3411.0, volume=3260.8, sound_speed=2300.0
    ... )
    >>> round(rate)
    3805
    """
    spin = positive("J", J)
    gap = positive("splitting", units.to_kelvin(splitting, "splitting"), "K")
    detuning = positive("bias", units.to_kelvin(bias, "bias"), "K")
    rho = positive("density", units.to_kg_per_m3(density), "kg/m3")
    cell = positive("volume", units.to_cubic_angstrom(volume), "A^3") * _CUBIC_METRE
    speed = positive("sound_speed", units.to_metre_per_second(sound_speed), "m/s")
    rest = 8 * rho * cell * speed**2 / K_B
    return float(gap / HBAR * spin * np.sqrt(np.hypot(gap, detuning) / rest))
