"""Quantities of one formula unit, in mu_B, tesla and kelvin, as molar quantities of the laboratory.

Susceptibilities are molar and cgs, as magnetometry prints them; the SI value is 4 pi 1e-6 m3/cm3 times that.

Examples
--------
>>> round(CM3_PER_MOLE, 7), round(EMU_PER_MOLE, 3)
(0.5584939, 5584.939)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import AVOGADRO, GAS_CONSTANT, MU_B, MU_B_SI

EMU_PER_MOLE: Final[float] = 1e3 * AVOGADRO * MU_B_SI
"""Molar magnetisation of one mu_B per formula unit [emu/mol = erg/(G mol)]."""

CM3_PER_MOLE: Final[float] = 1e-4 * EMU_PER_MOLE
"""Molar susceptibility of one mu_B/T per formula unit [cm3/mol, cgs]."""

JOULE_PER_MOLE: Final[float] = GAS_CONSTANT
"""Molar energy of k_B x 1 K, and molar entropy of k_B, per formula unit [J/mol, J/(mol K)]."""


def effective_moment(chi: NDArray[np.float64], T: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return :math:`\mu_{eff} = \sqrt{3 k_B T\chi}/\mu_B`-type moments [mu_B].

    Parameters
    ----------
    chi : ndarray [mu_B/T]
        Susceptibility of one formula unit.
    T : ndarray [K]
        Temperature, of a shape that goes with it.

    Returns
    -------
    ndarray
        NaN where the susceptibility is negative (a diamagnet has no effective moment).

    Examples
    --------
    A spin 1/2 with g = 2 has ``chi = g^2 S(S+1) mu_B / (3 T)``:

    >>> effective_moment(np.array(4 * 0.75 * MU_B / 3), np.array(1.0)).round(4)
    np.float64(1.7321)
    """
    squared = 3.0 * T * chi / MU_B
    return np.sqrt(np.where(squared >= 0.0, squared, np.nan))
