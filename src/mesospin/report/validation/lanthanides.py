"""Lanthanide ions and molecules: multiplets, nuclei, HoW10, TbPc2 and rare-earth crystals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.constants import KELVIN_PER_GIGAHERTZ, KELVIN_PER_WAVENUMBER
from mesospin.model.ions import ion
from mesospin.model.lanthanides import hyperfine_constant, lanthanide
from mesospin.model.library import load
from mesospin.model.nuclei import nucleus
from mesospin.model.system import SpinSystem
from mesospin.report.validation.rows import NOT_DETERMINED, Row, Source
from mesospin.spectrum.clock_transitions import clock_transitions
from mesospin.spectrum.doublets import doublets
from mesospin.spectrum.levels import levels
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.susceptibility import susceptibility

_TEXTBOOK: Final = Source("free lanthanide ions, textbook tables (from memory)")
_STEVENS: Final = Source("Stevens 1952; Abragam and Bleaney 1970, table 20 (from memory)")
_NUCLEI: Final = Source("hyperfine constants of lanthanide ions (from memory)")
_HOLMIUM: Final = Source("Shiddiq et al. 2016 (HoW10, from memory)")
_GHOSH: Final = Source("Ghosh et al. 2012 (HoW10, from memory)")
_TERBIUM: Final = Source("Ishikawa et al. 2003, 2005 (TbPc2, from memory)")
_QUADRUPOLE: Final = Source("TbPc2, role of the nuclear quadrupole (abstract)")

#: chi T at room temperature [cm3 K/mol] and effective moment [mu_B] of the textbook tables.
_FREE: Final = {
    "Ce3+": (0.80, 2.54), "Pr3+": (1.60, 3.58), "Nd3+": (1.64, 3.62), "Pm3+": (0.90, 2.68),
    "Sm3+": (0.09, 0.84), "Gd3+": (7.88, 7.94), "Tb3+": (11.82, 9.72), "Dy3+": (14.17, 10.63),
    "Ho3+": (14.07, 10.60), "Er3+": (11.48, 9.59), "Tm3+": (7.15, 7.57), "Yb3+": (2.57, 4.54),
}  # fmt: skip

_FACTORS: Final = {
    "Ce3+": ("-2/35", "2/315", "0"),
    "Pr3+": ("-52/2475", "-4/5445", "272/4459455"),
    "Nd3+": ("-7/1089", "-136/467181", "-1615/42513471"),
    "Pm3+": ("14/1815", "952/2335905", "2584/42513471"),
    "Sm3+": ("13/315", "26/10395", "0"),
    "Tb3+": ("-1/99", "2/16335", "-1/891891"),
    "Dy3+": ("-2/315", "-8/135135", "4/3864861"),
    "Ho3+": ("-1/450", "-1/30030", "-5/3864861"),
    "Er3+": ("4/1575", "2/45045", "8/3864861"),
    "Tm3+": ("1/99", "8/49005", "-5/891891"),
    "Yb3+": ("2/63", "-2/1155", "4/27027"),
}

#: Hyperfine constants [MHz].
_CONSTANTS: Final = {
    ("Tb3+", "159Tb"): 518.0,
    ("Dy3+", "163Dy"): 152.0,
    ("Ho3+", "165Ho"): 812.0,
    ("Er3+", "167Er"): -125.3,
    ("Yb3+", "171Yb"): 887.0,
}


def free_ions() -> Sequence[Row]:
    """Return the rows on chi T, moments and Stevens factors of the free ions."""
    chi = {name: susceptibility(lanthanide(name), 300.0, powder=5) for name in _FREE}
    moments = {name: float(chi[name].mu_eff) - _FREE[name][1] for name in _FREE}
    worst = max(moments, key=lambda name: abs(moments[name]))
    wrong = [name for name, texts in _FACTORS.items() if ion(name).theta != tuple(map(Fraction, texts))]
    reason = "the ground multiplet alone; excited multiplets a few hundred kelvin above add Van Vleck's part"
    return [
        *(
            _TEXTBOOK.number(
                f"free-{name[:-2].lower()}",
                f"chi T of free {name}, {ion(name).term}, g_J^2 J(J+1)/8",
                theirs,
                float(chi[name].chi_t),
                "cm3 K/mol",
                atol=0.01,
            )
            for name, (theirs, _) in _FREE.items()
        ),
        _TEXTBOOK.number(
            "free-moments",
            "g_J sqrt(J(J+1)) of the twelve ions with J > 0: largest difference",
            0.0,
            moments[worst],
            "mu_B",
            atol=0.02,
            reason=f"{worst}; the tables round g_J or the root",
        ),
        _STEVENS.statement(
            "stevens-factors",
            "33 Stevens factors of eleven ions, as fractions",
            "33",
            f"{33 - 3 * len(wrong)} equal",
            not wrong,
            reason="computed from Hund's rules",
        ),
        _TEXTBOOK.number(
            "free-sm-measured",
            "moment of Sm3+ measured at 300 K, 1.5 mu_B",
            1.5,
            float(chi["Sm3+"].mu_eff),
            "mu_B",
            rtol=0.05,
            reason=reason,
            should_hold=False,
        ),
        _TEXTBOOK.number(
            "free-eu-measured",
            "moment of Eu3+ measured at 300 K, 3.4 mu_B",
            3.4,
            float(ion("Eu3+").g_J),
            "mu_B",
            rtol=0.05,
            reason="7F0: " + reason,
            should_hold=False,
        ),
        _TEXTBOOK.number(
            "dy-powder",
            "powder of Ising Dy3+ saturates at g_J J/2 = 5 mu_B (2 K, 7 T)",
            5.0,
            float(magnetisation(lanthanide("Dy3+", {(2, 0): -6.0}), 2.0, 7.0, powder=590).magnetisation),
            "mu_B",
            rtol=0.05,
            reason="B20 = -6 K as an example: first excited doublet at 252 K, whose admixture adds 3 %",
        ),
    ]


def nuclei() -> Sequence[Row]:
    """Return the rows on isotopes and their hyperfine constants."""
    radii = {
        key: 1e-3 * A * KELVIN_PER_GIGAHERTZ / hyperfine_constant(*key, inverse_cube=1.0)
        for key, A in _CONSTANTS.items()
    }
    shares = {"163Dy": 0.249, "161Dy": 0.189, "167Er": 0.229, "165Ho": 1.0, "173Yb": 0.161, "171Yb": 0.143}
    differences = {name: nucleus(name).abundance - share for name, share in shares.items()}
    worst = max(differences, key=lambda name: abs(differences[name]))
    return [
        _NUCLEI.number(
            "nuclei-dy",
            "A_J of 161Dy from the 152 MHz of 163Dy, by the nuclear moments",
            -109.0,
            1e3 * nucleus("161Dy").hyperfine_from("152 MHz", "163Dy") / KELVIN_PER_GIGAHERTZ,
            "MHz",
            atol=1.0,
        ),
        _NUCLEI.number(
            "nuclei-yb",
            "A_J of 173Yb from the 887 MHz of 171Yb",
            -243.0,
            1e3 * nucleus("173Yb").hyperfine_from("887 MHz", "171Yb") / KELVIN_PER_GIGAHERTZ,
            "MHz",
            rtol=0.01,
        ),
        _NUCLEI.statement(
            "nuclei-radius",
            "A_J of Tb, Dy, Ho, Er and Yb: one mean of r^-3 that rises along the series",
            "yes",
            ", ".join(f"{value:.2f}" for value in radii.values()) + " per cubed Bohr radius",
            bool(np.all(np.diff(list(radii.values())) > 0)),
            reason="about 1 per electron; from the field of the shell at its nucleus, Hund's rules",
        ),
        _NUCLEI.number(
            "nuclei-shares",
            "natural shares of 161Dy, 163Dy, 165Ho, 167Er, 171Yb and 173Yb: largest difference",
            0.0,
            differences[worst],
            atol=3e-3,
            reason=f"{worst}; shares of isotopes have been measured again since",
        ),
        _NUCLEI.number(
            "nuclei-ho",
            "A_J of Ho:LiYF4, 0.02703(3) cm^-1, against the 812 MHz of the free ion",
            812.0,
            1e3 * 0.02703 * KELVIN_PER_WAVENUMBER / KELVIN_PER_GIGAHERTZ,
            "MHz",
            rtol=5e-3,
        ),
    ]


@lru_cache(maxsize=1)
def _clock() -> xr.Dataset:
    return clock_transitions(load("how10"), (0.0, 0.18), states=16, frequency=(1, 100), step=2e-3)


def bare(system: SpinSystem) -> NDArray[np.float64]:
    """Return the levels of the first spin alone above the ground level [K]."""
    ion_terms = [term for term in system.terms if set(term.sites) == {0}]
    energy = levels(SpinSystem(system.name, system.spins[:1], ion_terms), 0.0).energy.values
    return np.asarray(energy - energy[0])


def holmium_clock() -> Sequence[Row]:
    """Return the rows on the clock transitions of HoW10."""
    energy = bare(load("how10")) / KELVIN_PER_WAVENUMBER
    clock, ground = _clock(), doublets(load("how10"), count=1)
    fields = (23.6, 70.9, 118.1, 165.4)
    reason = "from the published crystal field, in which B44 has three digits; nothing was adjusted"
    return [
        _HOLMIUM.statement(
            "how10-ground",
            "ground doublet",
            "+-4",
            str(ground.composition.values[0]),
            ground.composition.values[0].endswith("|4>"),
        ),
        _HOLMIUM.number(
            "how10-gap",
            "gap of the ground doublet without the nucleus",
            9.18,
            float(ground.gap[0]) / KELVIN_PER_GIGAHERTZ,
            "GHz",
            rtol=5e-3,
            reason=reason,
        ),
        *(
            _HOLMIUM.number(
                f"how10-field-{k}",
                f"field of the clock transition of mI = {2 * k - 1}/2",
                field,
                1e3 * float(clock.field[k - 1]),
                "mT",
                atol=0.1,
            )
            for k, field in enumerate(fields, start=1)
        ),
        _HOLMIUM.number(
            "how10-clock-frequency",
            "frequency of the four clock transitions: mean",
            9.18,
            float(clock.frequency.mean()),
            "GHz",
            rtol=5e-3,
            reason=reason,
        ),
        *(
            _GHOSH.number(
                f"how10-level-{k}", f"excited level {k}", theirs, float(energy[place]), "cm^-1", atol=0.1,
                reason="another program, from the same parameters",
            )
            for k, theirs, place in ((1, 17.1, 2), (2, 73.5, 4))
        ),
    ]  # fmt: skip


def terbium_double_decker() -> Sequence[Row]:
    """Return the rows on TbPc2."""
    system = load("tbpc2")
    energy = bare(system) / KELVIN_PER_WAVENUMBER
    ground = doublets(system, count=2)
    nuclear = levels(system, 0.0, states=8).energy.values
    crossing = tunnel_splitting(system, ("m=6, mI=3/2", "m=-6, mI=3/2"))
    composition = [str(text) for text in ground.composition.values]
    return [
        _TERBIUM.statement(
            "tbpc2-ground", "ground and first excited doublet", "+-6, +-5", ", ".join(composition),
            composition[0].endswith("|6>") and composition[1].endswith("|5>"),
        ),
        _TERBIUM.number(
            "tbpc2-excited", "first excited doublet, near 440 cm^-1", 440.0, float(energy[2]), "cm^-1",
            rtol=0.02,
        ),
        _TERBIUM.number(
            "tbpc2-gz", "g_z of the ground doublet, 2 g_J 6", 18.0, float(ground.g[0, 2]), atol=1e-3
        ),
        _TERBIUM.number(
            "tbpc2-nuclear",
            "electro-nuclear levels A 6 mI + P (mI^2 - 5/4), A = 0.0173, P = 0.010 cm^-1: largest distance",
            0.0,
            _distance_from_product_states(nuclear / KELVIN_PER_WAVENUMBER),
            "cm^-1",
            atol=1e-4,
            reason="the transverse part of the hyperfine coupling is left out of the formula",
        ),
        _TERBIUM.statement(
            "tbpc2-kramers",
            "J = 6 with I = 3/2 is a Kramers system: eight levels in pairs at zero field",
            "pairs",
            f"pairs to within {np.diff(nuclear)[::2].max():.0e} K",
            bool(np.diff(nuclear)[::2].max() < 1e-10),
        ),
        _QUADRUPOLE.statement(
            "tbpc2-transverse",
            "splitting of (6, 3/2) and (-6, 3/2) by the transverse ligand field alone",
            "fails to explain the steps",
            f"{crossing.kelvin:.1e} K at {1e3 * abs(crossing.field):.1f} mT",
            False,
            otherwise=NOT_DETERMINED,
            reason="steps need a rate; the rhombic quadrupole coupling, which is said to work, has no number",
            should_hold=False,
        ),
    ]  # fmt: skip


def _distance_from_product_states(nuclear: NDArray[np.float64]) -> float:
    mI = np.array([-1.5, -0.5, 0.5, 1.5])
    formula = np.sort(np.repeat(0.0173 * 6 * mI + 0.010 * (mI**2 - 1.25), 2))
    return float(np.abs((nuclear - nuclear[0]) - (formula - formula[0])).max())


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (
    free_ions,
    nuclei,
    holmium_clock,
    terbium_double_decker,
)
