"""Constants of nature in the package's units: energies as E/k_B in kelvin, fields in tesla, times in seconds.

All values come from ``scipy.constants`` (CODATA), so that they are written in one place only.

Examples
--------
>>> round(MU_B, 6), round(KELVIN_PER_WAVENUMBER, 6)
(0.671714, 1.438777)
"""

from typing import Final

from scipy import constants as _codata

__all__ = [
    "AVOGADRO",
    "BOHR_RADIUS",
    "GAS_CONSTANT",
    "HBAR",
    "HBAR_SI",
    "KELVIN_PER_GIGAHERTZ",
    "KELVIN_PER_MILLIELECTRONVOLT",
    "KELVIN_PER_WAVENUMBER",
    "K_B",
    "MU_0",
    "MU_B",
    "MU_B_SI",
    "MU_N",
    "MU_N_SI",
]

K_B: Final[float] = _codata.k
"""Boltzmann constant [J/K]."""

AVOGADRO: Final[float] = _codata.N_A
"""Avogadro constant [1/mol]."""

GAS_CONSTANT: Final[float] = _codata.R
"""Molar gas constant [J/(mol K)]."""

MU_0: Final[float] = _codata.mu_0
"""Vacuum magnetic permeability [T m/A]."""

BOHR_RADIUS: Final[float] = _codata.value("Bohr radius")
"""Bohr radius [m]."""

MU_B_SI: Final[float] = _codata.value("Bohr magneton")
"""Bohr magneton [J/T]."""

MU_N_SI: Final[float] = _codata.value("nuclear magneton")
"""Nuclear magneton [J/T]."""

HBAR_SI: Final[float] = _codata.hbar
"""Reduced Planck constant [J s]."""

MU_B: Final[float] = MU_B_SI / K_B
"""Bohr magneton over Boltzmann constant [K/T]."""

MU_N: Final[float] = MU_N_SI / K_B
"""Nuclear magneton over Boltzmann constant [K/T]."""

HBAR: Final[float] = HBAR_SI / K_B
"""Reduced Planck constant over Boltzmann constant [K s]."""

KELVIN_PER_WAVENUMBER: Final[float] = 100.0 * _codata.h * _codata.c / K_B
"""Energy of one wavenumber, 1 cm^-1, as E/k_B [K]."""

KELVIN_PER_GIGAHERTZ: Final[float] = 1e9 * _codata.h / K_B
"""Energy of one gigahertz, h x 1 GHz, as E/k_B [K]."""

KELVIN_PER_MILLIELECTRONVOLT: Final[float] = 1e-3 * _codata.e / K_B
"""Energy of one millielectronvolt as E/k_B [K]."""
