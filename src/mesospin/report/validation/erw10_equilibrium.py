"""ErW10 of Luis and co-workers in equilibrium: susceptibilities, specific heat, fields of the neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import xarray as xr

from mesospin.constants import AVOGADRO, MU_B
from mesospin.experiment.resonance import resonance_fields
from mesospin.model.lanthanides import lanthanide
from mesospin.model.library import load
from mesospin.report.validation.erw10 import B40, B60, CONJECTURE, PRINTED, REPAIR, TEXT
from mesospin.report.validation.rows import NOT_DETERMINED, Row
from mesospin.spectrum.levels import levels
from mesospin.thermo.heat import heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molar import CM3_PER_MOLE
from mesospin.thermo.susceptibility import susceptibility

_NAMES: Final = (PRINTED, B60, B40)
_T_N, _THETA, _CELL, _TILT = 0.081, -0.088, 3260.8, 42.0


def susceptibilities() -> Sequence[Row]:
    """Return the rows on the equilibrium susceptibilities and the specific heat."""
    free, warm = float(susceptibility(lanthanide("Er3+"), 300.0, powder=5).chi_t), 300.0
    tensor = {name: susceptibility(load(name), [0.2, 2.0, warm]) for name in _NAMES}
    ratio = {name: _ratio(ds) for name, ds in tensor.items()}
    curie = {name: float(ds.chi_t[0, 2, 2]) for name, ds in tensor.items()}
    across = {name: float(ds.chi_molar[1, 0, 0]) for name, ds in tensor.items()}
    powder = {name: float(np.trace(ds.chi_t.values[2]) / 3) for name, ds in tensor.items()}
    moment = float(magnetisation(load(B60), 0.05, 1.0).magnetisation)
    return [
        TEXT.statement(
            "erw10-uniaxial",
            "chi_z much larger than chi_perp, at 2 K (printed; B60; B40 changed)",
            "very large ratio",
            ", ".join(f"{value:.0f}" for value in ratio.values()),
            min(ratio.values()) > 50,
            reason="true of either ground doublet, so no test of the parameters",
        ),
        _unknown(
            "erw10-fig2",
            "equilibrium lines of Fig. 2: chi_z T and chi_perp at 2 K",
            "curves",
            "; ".join(f"{curie[name]:.1f} cm3 K/mol, {across[name]:.3f} cm3/mol" for name in _NAMES)
            + " (printed; B60; B40 changed)",
            reason="the curves have no numbers in the text; an absolute scale would tell the doublets apart",
        ),
        TEXT.number(
            "erw10-curie",
            "chi_z T of a doublet +-13/2, N_A (g_J 13/2 mu_B)^2/k_B, printed parameters",
            _curie(6.5),
            curie[PRINTED],
            "cm3 K/mol",
            rtol=0.01,
            reason="+-15/2 instead: a third more",
            should_hold=False,
        ),
        REPAIR.number(
            "erw10-curie-b60",
            "the same with B60 = 1.40e-4 K",
            _curie(6.5),
            curie[B60],
            "cm3 K/mol",
            rtol=0.01,
            reason=CONJECTURE,
        ),
        REPAIR.number(
            "erw10-saturation",
            "moment along z at 50 mK and 1 T, g_J 13/2 (B60 = 1.40e-4 K)",
            7.8,
            moment,
            "mu_B",
            rtol=5e-3,
            reason="B44 mixes 0.2 % of other states",
        ),
        TEXT.number(
            "erw10-free-ion",
            "powder chi T at 300 K against the free ion, J = 15/2 and g_J = 6/5",
            free,
            powder[PRINTED],
            "cm3 K/mol",
            rtol=0.02,
            reason=f"{powder[B60]:.2f} with B60 changed: 300 K does not tell them apart",
        ),
        _unknown(
            "erw10-heat",
            "specific heat, fitted together with the susceptibility: first maximum",
            "no numbers",
            "; ".join(f"{C:.2f} J/(mol K) at {T:.1f} K" for T, C in map(_schottky, _NAMES))
            + " (printed; B60; B40 changed)",
            reason="the data are not in the text; the doublet at 19.9 K would show below 10 K",
        ),
    ]


def _ratio(ds: xr.Dataset) -> float:
    return float(ds.chi[1, 2, 2] / ds.chi[1, 0, 0])


def _curie(projection: float) -> float:
    """Return the Curie constant along z of an Ising doublet [cm3 K/mol]."""
    return CM3_PER_MOLE * MU_B * (1.2 * projection) ** 2


def _schottky(name: str) -> tuple[float, float]:
    """Return temperature [K] and height [J/(mol K)] of the first maximum of the heat capacity."""
    T = np.geomspace(2.0, 60.0, 300)
    C = heat_capacity(load(name), T, 0.0).heat_capacity.values
    top = int(np.flatnonzero(np.diff(C) < 0)[0])
    return float(T[top]), float(C[top])


def _unknown(id: str, subject: str, theirs: str, ours: str, *, reason: str) -> Row:
    """Return a row for what the text has fitted without giving the numbers."""
    return TEXT.statement(
        id, subject, theirs, ours, False, otherwise=NOT_DETERMINED, reason=reason, should_hold=False
    )


def neighbours() -> Sequence[Row]:
    """Return the rows on Curie-Weiss law, ordering and the fields of the neighbours."""
    curie = float(susceptibility(load(B60), 0.2).chi_t[2, 2])
    volume = 0.5 * _CELL * 1e-24 * AVOGADRO
    along = curie / (_T_N - _THETA) / volume * math.cos(math.radians(_TILT)) ** 2
    width = {J: _T_N / (2 * 1.2 * MU_B * J) for J in (7.5, 6.5)}
    bias = {name: _gap(name, 0.0, 0.0, 70e-4) for name in (PRINTED, B60)}
    return [
        TEXT.number(
            "erw10-sigma",
            "2 g mu_B J sigma_dip = k_B T_N gives sigma_dip of 70 Oe",
            70.0,
            1e4 * width[7.5],
            "Oe",
            rtol=0.05,
            reason="with J = 15/2; the ground doublet of the text has 13/2 and 77 Oe",
        ),
        TEXT.number(
            "erw10-sigma-fig1",
            "the 80 Oe of Fig. 1 across the axis, from the same formula with 13/2",
            80.0,
            1e4 * width[6.5],
            "Oe",
            rtol=0.05,
            reason="70 and 80 Oe stand for the same field in one text",
        ),
        TEXT.number(
            "erw10-bias",
            "dipolar bias g_z mu_B 70 Oe of 0.08 K, printed parameters",
            0.08,
            bias[PRINTED],
            "K",
            atol=0.01,
            reason=f"{bias[B60]:.3f} K with B60 changed: a rounded number that tells nothing apart",
        ),
        TEXT.number(
            "erw10-weiss",
            "Curie-Weiss temperature",
            _THETA,
            0.0,
            "K",
            otherwise=NOT_DETERMINED,
            reason="one molecule alone follows Curie's law; the coupling to its neighbours is not printed",
            should_hold=False,
        ),
        TEXT.number(
            "erw10-chi-max",
            "chi at T_N, 42 deg from the axis, a third of 1/(4 pi): C cos^2(42 deg)/(T_N - theta)",
            1 / (12 * math.pi),
            along,
            rtol=0.2,
            otherwise=NOT_DETERMINED,
            reason="volume susceptibility, cgs: three times as much here, near 1/N itself; the law is stated "
            "above 100 mK, and component and shape correction of the figure are not given",
            should_hold=False,
        ),
    ]


def _gap(name: str, *vector: float) -> float:
    """Return the distance of the two lowest levels [K] in a field [T]."""
    energy = levels(load(name), B_vector=list(vector), states=2).energy.values
    return float(energy[1] - energy[0])


def resonance_of_the_doublet() -> Sequence[Row]:
    """Return the row on electron spin resonance."""
    text = []
    for name in _NAMES:
        lines = resonance_fields(load(name), "9.5 GHz", span=(0.0, 0.1), T=4.0)
        ground = lines.where((lines.level_from == 0) & (lines.level_to == 1), drop=True)
        text.append(f"{1e3 * float(ground.field[0]):.1f} mT, {float(ground.strength[0]):.1e} mu_B^2")
    return [
        _unknown(
            "erw10-esr",
            "electron spin resonance, fitted together with the susceptibility: line of the ground doublet, "
            "9.5 GHz along z, with its strength",
            "no numbers",
            "; ".join(text) + " (printed; B60; B40 changed)",
            reason="the data are not in the text; the line is all but forbidden, g_perp being below 0.02",
        )
    ]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (
    susceptibilities,
    neighbours,
    resonance_of_the_doublet,
)
