"""Relaxation in an alternating field: ErW10 of Luis and co-workers, Mn12 acetate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.bath.collective_emission import collective_emission_rate
from mesospin.constants import HBAR, MU_B
from mesospin.experiment.ac.ac_susceptibility import ac_susceptibility
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.model.environment import NuclearBath
from mesospin.model.library import load
from mesospin.report.validation.erw10 import REPAIR, TEXT
from mesospin.report.validation.rows import NOT_DETERMINED, Row, Source
from mesospin.spectrum.doublets import doublets

__all__ = ["SECTIONS"]

_MN12: Final = Source("Mn12 acetate, Arrhenius law from 2.5 to 10 K (from memory of the literature)")
_COLE: Final = Source("K. S. Cole and R. H. Cole, J. Chem. Phys. 9, 341 (1941)")
_NAME, _HEAVY = "erw10-repaired", "erw10-167:repaired"
#: Width of the dipolar fields and rate measured below 4 K, of the text [T, 1/s].
_SIGMA, _MEASURED = 70e-4, 1.2e3
_SLOWER: Final = 4.5


def _dipoles(x: float = 1.0) -> dict[str, Any]:
    """Return the surroundings of a fraction x of the ions: dipolar fields that change while one tunnels.

    The window has the density of the text's Gaussian bias at its centre.
    """
    g_z = float(doublets(load(_NAME)).g.values[0, 2])
    window = np.sqrt(np.pi / 2) * g_z * MU_B * _SIGMA * x
    return {"dipolar": None, "nuclear": NuclearBath(window), "transverse": (_SIGMA * x, 0.0)}


def _tunnelling(T: float, B: float = 0.0, x: float = 1.0) -> float:
    """Return the slowest rate of a doublet that tunnels [1/s]."""
    ds = ac_susceptibility(load(_NAME), T, B, [1.0], **_dipoles(x))
    return float(ds.mode_rate[0, 0, 1])


@lru_cache(maxsize=2)
def _spectrum(name: str) -> xr.Dataset:
    return ac_susceptibility(load(name), 1.0, 0.0, np.geomspace(1e-2, 1e7, 181), **_dipoles())


def _loss_peaks(ds: xr.Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 1/omega of the largest chi'' (T,) [s], and that chi'' over the one of a single time (T,)."""
    lost = ds.chi_imag.values[:, 0]
    tau = 1 / (2 * np.pi * ds.frequency.values[lost.argmax(axis=1)])
    return tau, lost.max(axis=1) / ((ds.chi_T - ds.chi_S).values[:, 0] / 2)


def _arrhenius(T: NDArray[np.float64], tau: NDArray[np.float64]) -> tuple[float, float]:
    """Return U [K] and tau0 [s]."""
    slope, intercept = np.polyfit(1 / T, np.log(tau), 1)
    return float(slope), float(np.exp(intercept))


def erbium_rates() -> Sequence[Row]:
    """Return the rows on the relaxation of ErW10."""
    g_z = float(doublets(load(_NAME)).g.values[0, 2])
    density = 1 / (np.sqrt(2 * np.pi) * g_z * MU_B * _SIGMA)
    flat = np.array([_tunnelling(T) for T in (0.5, 2.0, 4.0)])
    phonons = float(relaxation_rates(load(_NAME), 2.0, 0.01, dipolar=None).slowest_rate[0, 0])
    T = np.linspace(5.0, 8.0, 5)
    loss = ac_susceptibility(load(_NAME), T, 0.0, np.geomspace(1.0, 1e5, 200), dipolar=None)
    barrier = _arrhenius(T, _loss_peaks(loss)[0])[0]
    field, dilute = _tunnelling(2.0, 0.01) / flat[1], _tunnelling(2.0, 0.0, 0.1) / flat[1]
    exponent = float(-np.log10(dilute))
    return [
        TEXT.erratum(
            "erw10-tunnelling-rate",
            "tunnelling rate Delta^2 P(0)/hbar with the text's Delta = 8e-5 K and sigma = 70 Oe",
            3e3,
            8e-5**2 * density / HBAR,
            "1/s",
            reason="the text's expression with its numbers; the populations equalise pi times as fast",
            rtol=0.05,
        ),
        REPAIR.statement(
            "erw10-flat",
            "relaxation independent of temperature below 4 K",
            "constant",
            f"{flat.min():.4g} to {flat.max():.4g} 1/s from 0.5 to 4 K",
            bool(np.ptp(flat) < 0.02 * flat[0]),
        ),
        REPAIR.number(
            "erw10-flat-rate",
            "the rate below 4 K",
            _MEASURED,
            flat[1],
            "1/s",
            rtol=0.3,
            otherwise=NOT_DETERMINED,
            reason="the splitting rests on g_perp of a conjectured field, and on a width known to 15 %",
            should_hold=False,
        ),
        REPAIR.number(
            "erw10-ten-orders",
            "measured rate over that of phonons alone at 2 K, powers of ten",
            10.0,
            float(np.log10(_MEASURED / phonons)),
            atol=1.0,
            reason="in 10 mT, which splits the doublet as dipolar fields do",
        ),
        REPAIR.number(
            "erw10-ac-barrier",
            "U/k_B = 63(1) K: slope of the times of largest chi'', 5 to 8 K",
            63.0,
            barrier,
            "K",
            atol=1.0,
            reason="the rates climb to +-1/2 at 68.3 K; B60 was changed for the level at 63 K alone",
            should_hold=False,
        ),
        REPAIR.statement(
            "erw10-rate-falls",
            "the rate at 2 K falls with a longitudinal field",
            "decreases",
            f"{field:.2f} of its value at 10 mT",
            field < 1.0,
        ),
        TEXT.number(
            "erw10-dilution",
            "rate at zero field against concentration, the simple argument: exponent",
            1.0,
            exponent,
            atol=0.05,
        ),
        TEXT.number(
            "erw10-dilution-measured",
            "the same, measured",
            2.0,
            exponent,
            atol=0.2,
            otherwise=NOT_DETERMINED,
            reason="independent molecules; the source suspects collective emission of phonons",
            should_hold=False,
        ),
    ]


def erbium_isotope() -> Sequence[Row]:
    """Return the rows on chi'' of 167ErW10 and on collective emission."""
    light, heavy = _spectrum(_NAME), _spectrum(_HEAVY)
    (tau, height), (tau_heavy, height_heavy) = (_loss_peaks(ds) for ds in (light, heavy))
    weight = heavy.mode_weight.values[0, 0]
    modes = int(np.sum(weight > 0.02 * weight.sum()))
    laser = collective_emission_rate(7.5, 8e-5, 0.08, density=3411.0, volume=3260.8, sound_speed=2300.0)
    return [
        REPAIR.statement(
            "erw10-167-broad",
            "chi'' of 167ErW10 (1 K) broadens: several processes of the electro-nuclear multiplet",
            "several",
            f"{modes} modes with more than 2 % of the weight; largest chi'' {height_heavy[0]:.2f} of that of "
            f"one time, {height[0]:.2f} without nuclear spin",
            modes > 2 and bool(height_heavy[0] < 0.8 * height[0]),
        ),
        TEXT.number(
            "erw10-167-slower",
            "mean rate of ErW10 over that of 167ErW10, at 1 K",
            _SLOWER,
            float(tau_heavy[0] / tau[0]),
            rtol=0.3,
            reason="A_J opens splittings of its own between levels of one total projection; single "
            "molecules in a window of bias do not slow down",
            should_hold=False,
        ),
        TEXT.erratum(
            "erw10-collective",
            "largest rate of collective emission, J sqrt(dE/8 M c^2)",
            1e4,
            laser,
            "1/s",
            reason="the printed expression is a pure number, 3.6e-4; our value has the factor Delta/hbar",
        ),
    ]


def manganese() -> Sequence[Row]:
    """Return the rows on the Arrhenius law of Mn12 from the maxima of chi''."""
    T = np.array([3.0, 4.0, 5.0, 7.0])
    ds = ac_susceptibility(load("mn12ac"), T, 0.0, np.geomspace(1e-4, 1e3, 141))
    tau, _ = _loss_peaks(ds)
    barrier, prefactor = _arrhenius(T, tau)
    return [
        _MN12.number(
            "mn12-ac-barrier",
            "U/k_B from the maxima of chi'', 3 to 7 K",
            61.5,
            barrier,
            "K",
            rtol=0.1,
            reason="no number is adjusted but the speed of sound",
        ),
        _MN12.number(
            "mn12-ac-prefactor",
            "log10 of tau0 in seconds from the same",
            float(np.log10(2.1e-7)),
            float(np.log10(prefactor)),
            atol=0.4,
        ),
    ]


def arcs() -> Sequence[Row]:
    """Return the row on the height of a Cole-Cole arc."""
    alpha, x = 0.3, np.geomspace(1e-6, 1e6, 200_001)
    height = float((1 / (1 + (1j * x) ** (1 - alpha))).imag.min())
    return [
        _COLE.number(
            "cole-cole-maximum",
            "largest chi''/(chi_T - chi_S) for alpha = 0.3, tan(pi (1 - alpha)/4)/2",
            float(np.tan(np.pi * (1 - alpha) / 4) / 2),
            -height,
            rtol=1e-6,
        )
    ]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (erbium_rates, erbium_isotope, manganese, arcs)
