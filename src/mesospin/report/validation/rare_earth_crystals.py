"""Rare-earth crystals: levels, g values, neutron peaks and hyperfine steps from published crystal fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import xarray as xr

from mesospin.constants import KELVIN_PER_MILLIELECTRONVOLT
from mesospin.experiment.neutron import neutron_spectrum
from mesospin.model.lanthanides import lanthanide
from mesospin.model.library import load
from mesospin.model.line_shapes import GaussianLine
from mesospin.model.system import SpinSystem
from mesospin.report.validation.lanthanides import bare
from mesospin.report.validation.rows import NOT_DETERMINED, Row, Source
from mesospin.spectrum.doublets import doublets

_LIREF4: Final = Source(
    "LiErF4, levels by another program from the field in a simulation code (supplement of Science 2012)"
)
_SELENIDES: Final = Source("CsErSe2, KErSe2, Scheie et al. 2020 (fitted field in a public notebook)")
_PEAKS: Final = Source("CsErSe2, neutron peaks of Scheie et al. 2020 (the same notebook)")
_LIHOF4: Final = Source("LiHoF4, field after Chakraborty et al. 2004; levels by another program")
_LIHOF4_NEUTRONS: Final = Source("LiHoF4, field of a mean-field code; levels by another program")
_LIYF4: Final = Source("Giraud et al. 2001 (from memory)")

#: Crystal fields [meV].
_FIELDS: Final = {
    "LiErF4": ("Er3+", {(2, 0): 60.2258e-3, (4, 0): -0.1164e-3, (4, 4): -4.3280e-3, (6, 0): -1.9e-6,
                        (6, 4): -85.0e-6, (6, -4): -22.7e-6}),
    "CsErSe2": ("Er3+", {(2, 0): -3.55883e-2, (4, 0): -3.84910e-4, (4, 3): -1.39342e-2, (6, 0): 3.15376e-6,
                         (6, 3): -4.69500e-6, (6, 6): 3.38115e-5}),
    "KErSe2": ("Er3+", {(2, 0): -2.76006e-2, (4, 0): -3.98885e-4, (4, 3): -1.41582e-2, (6, 0): 3.15135e-6,
                        (6, 3): -7.68745e-6, (6, 6): 3.26836e-5}),
    "LiHoF4": ("Ho3+", {(2, 0): -0.060, (4, 0): 3.5e-4, (4, 4): 3.6e-3, (6, 0): 4e-7, (6, 4): 7.0e-5,
                        (6, -4): 6e-6}),
}  # fmt: skip


def _system(name: str) -> SpinSystem:
    ion, field = _FIELDS[name]
    return lanthanide(ion, {key: f"{value} meV" for key, value in field.items()})


@lru_cache(maxsize=4)
def _doublets(name: str) -> xr.Dataset:
    return doublets(_system(name))


def _values(numbers: Sequence[float], digits: int = 3) -> str:
    return ", ".join(f"{number:.{digits}f}" for number in numbers)


def erbium() -> Sequence[Row]:
    """Return the rows on erbium in LiErF4, CsErSe2 and KErSe2."""
    sets = {
        "LiErF4": (_LIREF4, (0, 2.21, 3.53, 7.00), 3.88, 7.87),
        "CsErSe2": (_SELENIDES, (0, 0.674, 3.290, 5.016, 5.284, 23.03, 24.88, 25.16), 6.99, 6.54),
    }
    rows = []
    for name, (source, levels, along, across) in sets.items():
        ds = _doublets(name)
        energy = ds.energy.values[: len(levels)] / KELVIN_PER_MILLIELECTRONVOLT
        found = _along_and_across(ds)
        rows += [
            source.number(
                f"{name.lower()}-levels",
                f"{name}, {len(levels)} doublets: largest difference of an energy",
                0.0,
                float(np.abs(energy - levels).max()),
                "meV",
                atol=6e-3,
                reason="printed with two or three digits",
            ),
            source.number(f"{name.lower()}-g-along", f"{name}, g along the axis", along, found[0], atol=6e-3),
            source.number(f"{name.lower()}-g-across", f"{name}, g across it", across, found[1], atol=6e-3),
        ]
    potassium = _doublets("KErSe2")
    energy = potassium.energy.values / KELVIN_PER_MILLIELECTRONVOLT
    reason = "a prediction from the fitted field; the measured values are not at hand"
    return [
        *rows,
        _SELENIDES.statement(
            "kerse2-levels", "KErSe2, doublets in meV", "-", _values(energy), False, reason=reason,
            otherwise=NOT_DETERMINED, should_hold=False,
        ),
        _SELENIDES.statement(
            "kerse2-g", "KErSe2, g along and across the axis", "-",
            _values(_along_and_across(potassium), 2), False, reason=reason, otherwise=NOT_DETERMINED,
            should_hold=False,
        ),
    ]  # fmt: skip


def _along_and_across(ds: xr.Dataset) -> tuple[float, float]:
    """Return g of the ground doublet along z and its mean across."""
    principal = ds.g.values[0]
    unique = int(np.argmax(np.abs(ds.g_axis.values[0, :, 2])))
    return float(principal[unique]), float(np.delete(principal, unique).mean())


def neutron_peaks() -> Sequence[Row]:
    """Return the rows on the neutron peaks of CsErSe2."""
    unit = KELVIN_PER_MILLIELECTRONVOLT
    energy = np.linspace(0.3, 7.0, 1341)
    spectrum = neutron_spectrum(
        _system("CsErSe2"), 2.0, unit * energy, line=GaussianLine("0.1 meV")
    ).intensity.values
    top = 1 + np.flatnonzero((spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] > spectrum[2:]))
    measured, offset = (0.731, 3.343, 5.097, 5.378), 0.075
    errors = (8, 10, 21, 27)
    nearest = [float(energy[top[int(np.argmin(np.abs(energy[top] - peak + offset)))]]) for peak in measured]
    rows = []
    for k, (peak, error, place) in enumerate(zip(measured, errors, nearest, strict=True), start=1):
        sigma = 1e-3 * float(np.hypot(error, 3))
        rows.append(
            _PEAKS.number(
                f"cserse2-peak-{k}",
                f"peak at {peak:.3f}({error}) meV, the elastic line being at 0.075(3) meV, at 2 K",
                peak - offset,
                place,
                "meV",
                atol=3 * sigma,
                reason=f"{abs(place - peak + offset) / sigma:.1f} standard deviations from the fitted field",
            )
        )
    return rows


def holmium() -> Sequence[Row]:
    """Return the rows on holmium in LiHoF4 and LiYF4."""
    lithium = load("ho-liyf4:lihof4")
    energy, ground = bare(lithium), doublets(lithium, count=1)
    other = _singlet_and_projection("LiHoF4")
    dilute = bare(load("ho-liyf4"))
    return [
        _LIHOF4.number(
            "lihof4-levels",
            "levels 0, 0, 10.85, 32.1, 71.9, 83.5, 108.6 K: largest difference",
            0.0,
            float(np.abs(energy[:7] - [0, 0, 10.85, 32.1, 71.9, 83.5, 108.6]).max()),
            "K",
            atol=0.06,
            reason="printed with one digit after the point",
        ),
        _LIHOF4.number("lihof4-jz", "ground doublet, <J_z>", 5.511, float(ground.jz[0, 0]), atol=1e-3),
        _LIHOF4.number("lihof4-gz", "ground doublet, g_z", 13.78, float(ground.g[0, 2]), atol=5e-3),
        _LIHOF4.number(
            "lihof4-across", "ground doublet, g across the axis", 0.0, float(ground.g[0, 1]), atol=1e-9
        ),
        _LIHOF4_NEUTRONS.number(
            "lihof4-2-excited", "first excited level", 11.5, float(other[0]), "K", atol=0.05
        ),
        _LIHOF4_NEUTRONS.number("lihof4-2-jz", "ground doublet, <J_z>", 5.526, float(other[1]), atol=1e-3),
        _LIYF4.number(
            "liyf4-singlet",
            "Ho:LiYF4, first excited singlet near 9.5 K",
            9.5,
            float(dilute[2]),
            "K",
            rtol=0.1,
            reason="the field remembered from the same work gives 14.4 K; that of LiHoF4 gives 10.85 K",
            should_hold=False,
        ),
    ]


def _singlet_and_projection(name: str) -> tuple[float, float]:
    """Return the first singlet [K] and <J_z> of the ground doublet."""
    ds = doublets(_system(name), count=1)
    return float(bare(_system(name))[2]), float(ds.jz[0, 0])


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (erbium, neutron_peaks, holmium)
