"""Thermal equilibrium: laws of Schottky, Curie-Weiss and Van Vleck, refrigerants, the spins of a quench."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mesospin.constants import GAS_CONSTANT, KELVIN_PER_WAVENUMBER, MU_B
from mesospin.measured.curie_weiss import fit_curie_weiss
from mesospin.model.interactions import Exchange
from mesospin.model.library import load
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.report.validation.rows import NOT_DETERMINED, Row, Source
from mesospin.spectrum.levels import levels
from mesospin.thermo.heat import entropy, free_energy, heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molar import CM3_PER_MOLE, JOULE_PER_MOLE
from mesospin.thermo.susceptibility import susceptibility

_SCHOTTKY: Final = Source("Gopal, Specific Heats at Low Temperatures (1966), Schottky maxima (from memory)")
_NICKEL: Final = Source("S = 1 with zero-field splitting, Van Vleck's formula (Kahn 1993, from memory)")
_SPIN_ONLY: Final = Source("spin-only values, textbooks of molecular magnetism (from memory)")
_QUENCH: Final = Source("Palii et al. 2026 (Mn12-acetate, quench of the field)")
_FREE_SPINS: Final = Source("bound of free Gd3+ spins, computed independently")
_CARBONATE: Final = Source("Gd(OH)CO3, magnetocaloric effect, 2014 (abstract)")
_GARNET: Final = Source("Gd3Ga5O12, Han et al. 2018 (abstract)")
_FORMATE: Final = Source("Gd(OOCH)3, Lorusso et al. 2013 (value from memory)")
_ACETATE: Final = Source("[Gd2(OAc)6(H2O)4] 4H2O, Evangelisti et al. 2011 (value from memory)")
_FE14: Final = Source("Fe14, S = 25, Shaw et al. 2007 (abstract; field from memory)")

_MEASURED: Final = "not free spins: couplings between the ions, which lower it, have no number in the source"


def schottky() -> Sequence[Row]:
    """Return the rows on two levels of different weight."""
    T = np.geomspace(0.2, 1.0, 4001)
    systems = {
        "schottky-1": ("one above one level", giant_spin(0.5, D=0.0), 0.5 / MU_B, (0.417, 3.64)),
        "schottky-2": ("two above one level", giant_spin(1, D=1.0), 0.0, (0.377, 6.31)),
        "schottky-half": ("one above two levels", giant_spin(1, D=-1.0), 0.0, (0.448, 2.00)),
    }
    rows = []
    for id, (words, system, B, (place, height)) in systems.items():
        C = heat_capacity(system, T, B).heat_capacity.values
        top = int(np.argmax(C))
        rows += [
            _SCHOTTKY.number(
                f"{id}-place", f"{words}: temperature of the maximum over the gap", place, T[top], rtol=0.01
            ),
            _SCHOTTKY.number(f"{id}-height", f"{words}: its height", height, C[top], "J/(mol K)", rtol=0.01),
        ]
    return rows


def nickel() -> Sequence[Row]:
    """Return the rows on a spin 1 with and without zero-field splitting."""
    D, g, T = 5 * KELVIN_PER_WAVENUMBER, 2.2, np.array([2.0, 5.0, 20.0, 300.0])
    free = susceptibility(giant_spin(1, D=0.0), 300.0, powder=5)
    rows = [
        _SPIN_ONLY.number(
            "spin-only-chi-t", "chi T of S = 1, g = 2", 1.00, float(free.chi_t), "cm3 K/mol", atol=5e-3
        ),
        _SPIN_ONLY.number(
            "spin-only-moment", "its effective moment", 2.83, float(free.mu_eff), "mu_B", atol=5e-3
        ),
        _SPIN_ONLY.number(
            "spin-only-gd",
            "entropy of a free Gd3+, R ln 8",
            17.29,
            float(entropy(giant_spin(3.5, D=0.0), 1.0, 0.0).entropy),
            "J/(mol K)",
            atol=5e-3,
        ),
    ]
    for name, sign in (("easy-axis", -1.0), ("easy-plane", 1.0)):
        chi = susceptibility(load(f"ni-s1:{name}"), T).chi_molar.values
        x = sign * D / T
        unit = 2 * CM3_PER_MOLE * MU_B * g**2 / (1 + 2 * np.exp(-x))
        formulas = np.stack([unit * (1 - np.exp(-x)) / (sign * D), unit * np.exp(-x) / T])
        error = np.abs(np.stack([chi[:, 0, 0], chi[:, 2, 2]]) / formulas - 1).max()
        rows.append(
            _NICKEL.number(
                f"nickel-{name}",
                f"chi_z and chi_x of Ni(II), {name.replace('-', ' ')}, 2 to 300 K: largest relative error",
                0.0,
                float(error),
                atol=1e-9,
            )
        )
    return [*rows, *_weiss(D)]


def _weiss(D: float) -> list[Row]:
    """Return the rows on the Weiss temperature that a zero-field splitting makes."""
    T = np.linspace(1000.0, 3000.0, 41)
    chi = susceptibility(load("ni-s1:easy-plane"), T).chi_molar.values
    rows = []
    for axis, a, theta in (("z", 2, -D / 3), ("x", 0, D / 6)):
        fit = fit_curie_weiss(T, chi[:, a, a], unit="cgs", window=(1000, 3000), sigma=1e-9)
        rows.append(
            _NICKEL.number(
                f"nickel-weiss-{axis}",
                f"Weiss temperature along {axis} at high temperature, D = +7.19 K and no coupling: "
                + ("-D/3" if axis == "z" else "D/6"),
                theta,
                float(fit.weiss_temperature[0]),
                "K",
                rtol=0.01,
                reason="a fit from 1000 to 3000 K; a Weiss temperature without any neighbours",
            )
        )
    return rows


def quench() -> Sequence[Row]:
    """Return the rows on the equilibrium equations of the quenched field."""
    molecule, R = load("mn12ac-palii"), GAS_CONSTANT
    m, B, T = np.arange(-10.0, 11.0), 1.0, 3.0
    printed = -0.5 * KELVIN_PER_WAVENUMBER * (m**2 - 110 / 3) + 2.05 * MU_B * B * m
    energy = levels(molecule, B).energy.values
    shift = float(np.mean(energy) - np.mean(printed))
    weight = np.exp(-(printed - printed.min()) / T)
    n = weight / weight.sum()
    F = float(free_energy(molecule, T, B).free_energy)
    S = float(entropy(molecule, T, B).entropy)
    U = F + T * S / R - shift
    cold = float(entropy(molecule, 0.3, B).entropy)
    set_a = 1.17e-3 * 100 / 0.548
    return [
        _QUENCH.number(
            "quench-levels",
            "eq. (2), D[M^2 - S(S+1)/3] + g mu_B B M, at 1 T: largest difference",
            0.0,
            float(np.abs(np.sort(printed) + shift - energy).max()),
            "K",
            atol=1e-11,
            reason="up to the constant D S(S+1)/3",
        ),
        _QUENCH.number(
            "quench-energy",
            "eqs. (3) and (4), energy at 1 T and 3 K with Boltzmann's populations",
            JOULE_PER_MOLE * float(n @ printed),
            JOULE_PER_MOLE * U,
            "J/mol",
            rtol=1e-9,
        ),
        _QUENCH.number(
            "quench-entropy",
            "eq. (13), R ln Z + U/T, at 1 T and 3 K",
            R * (math.log(weight.sum()) - printed.min() / T + float(n @ printed) / T),
            S,
            "J/(mol K)",
            rtol=1e-9,
        ),
        _QUENCH.number(
            "quench-cold",
            "low temperature: only the ground state is populated; entropy at 0.3 K and 1 T",
            0.0,
            cold,
            "J/(mol K)",
            atol=1e-9,
            reason="without a field it is a doublet, R ln 2",
        ),
        _QUENCH.number(
            "quench-hot",
            "high temperature: all states equally populated, R ln 21, at 1000 K",
            R * math.log(21),
            float(entropy(molecule, 1000.0, B).entropy),
            "J/(mol K)",
            rtol=1e-3,
        ),
        *_heat_absorbed(molecule),
        _QUENCH.number(
            "quench-fourth-order",
            "terms above D several orders of magnitude weaker: B S^4 over D S^2 of Mn12-acetate, at most",
            0.01,
            set_a,
            atol=0.01,
            reason="set A: a fifth of the energy of the ground doublet",
            should_hold=False,
        ),
        _QUENCH.open(
            "quench-temperatures",
            "temperatures reached, Figs. 4 to 6",
            "curves",
            "the lattice (Debye temperature, atoms in a formula unit) has no number in the text",
        ),
    ]


def _heat_absorbed(molecule: SpinSystem) -> list[Row]:
    """Return the rows on the heat that the spins take up at the temperature before the quench."""
    partial, full = (_heat(molecule, 3.0, 1.0, end) for end in (0.1, 0.0))
    subject = "quench from 1 T to {} T at 3 K: heat flows from the phonons to the spins"
    return [
        _QUENCH.statement("quench-partial", subject.format(0.1), "yes", f"{partial:.4g} J/mol", partial > 0),
        _QUENCH.statement("quench-full", subject.format(0), "yes", f"{full:.4g} J/mol", full > 0),
        _QUENCH.statement(
            "quench-incomplete",
            "incomplete quench (0.1 T) against a complete one",
            "stronger by several orders of magnitude",
            f"{partial / full:.0f} times the heat at 3 K",
            False,
            otherwise=NOT_DETERMINED,
            reason="said of the lowest temperatures reached, which need the lattice; the heat differs by a "
            "factor where it is large",
            should_hold=False,
        ),
    ]


def _heat(molecule: SpinSystem, T: float, start: float, end: float) -> float:
    """Return the heat [J/mol] that brings the spins to equilibrium at T after a sudden change of field."""
    before, after = (
        float(free_energy(molecule, T, B).free_energy + T * entropy(molecule, T, B).entropy_reduced)
        for B in (start, end)
    )
    # the levels move with their moments, the populations stay
    sudden = before + (start - end) * MU_B * float(magnetisation(molecule, T, start).magnetisation)
    return JOULE_PER_MOLE * (after - sudden)


def refrigerants() -> Sequence[Row]:
    """Return the rows on the entropy that a field takes out of gadolinium and iron compounds."""
    gd = giant_spin(3.5, D=0.0)
    masses = {"carbonate": 234.27, "garnet": 337.45, "formate": 292.30, "acetate": 812.88, "fe14": 2057.8}

    def change(system: SpinSystem, T: float, B: float, mass: float) -> float:
        S = entropy(system, T, [0.0, B]).entropy.values
        return float(1e3 * (S[0] - S[1]) / mass)

    carbonate = change(gd, 1.8, 7.0, masses["carbonate"])
    garnet = {B: change(gd, 2.0, B, masses["garnet"]) for B in (7.0, 3.0)}
    pair = SpinSystem("Gd2", [Spin(3.5), Spin(3.5)], [Exchange(0, 1, "0.068 K", convention="-J")])
    unit = "J/(kg K)"
    return [
        _FREE_SPINS.number(
            "gd-carbonate-free", "Gd(OH)CO3, 0 to 7 T at 1.8 K", 72.6, carbonate, unit, atol=0.05
        ),
        _FREE_SPINS.number(
            "gd-garnet-free-7", "Gd3Ga5O12, 0 to 7 T at 2 K", 49.9, garnet[7.0], unit, atol=0.06
        ),
        _FREE_SPINS.number(
            "gd-garnet-free-3", "Gd3Ga5O12, 0 to 3 T at 2 K", 40.1, garnet[3.0], unit, atol=0.06
        ),
        *(
            source.number(
                id,
                subject,
                theirs,
                ours,
                unit,
                rtol=0.03,
                otherwise=NOT_DETERMINED,
                reason=_MEASURED,
                should_hold=False,
            )
            for source, id, subject, theirs, ours in (
                (_CARBONATE, "gd-carbonate", "measured, 0 to 7 T at 1.8 K", 66.4, carbonate),
                (_GARNET, "gd-garnet-7", "measured, 7 T", 38.4, garnet[7.0]),
                (_GARNET, "gd-garnet-3", "measured, 3 T", 24.0, garnet[3.0]),
            )
        ),
        _FORMATE.statement(
            "gd-formate",
            "55.9 J/(kg K) at 7 T, below the ceiling R ln 8",
            "55.9 J/(kg K)",
            f"{1e3 * GAS_CONSTANT * math.log(8) / masses['formate']:.1f} J/(kg K)",
            1e3 * GAS_CONSTANT * math.log(8) / masses["formate"] > 55.9,
        ),
        _ACETATE.number(
            "gd-acetate",
            "0 to 7 T at 1.8 K; two spins with J = 0.068 K, ferromagnetic",
            40.6,
            change(pair, 1.8, 7.0, masses["acetate"]),
            unit,
            rtol=0.03,
            reason="coupling inside the pair alone, 0.5 J/(kg K) of it; dipolar fields are left out",
        ),
        _FE14.number(
            "fe14",
            "0 to 7 T at 6 K, one isolated multiplet S = 25",
            20.3,
            change(giant_spin(25, D=0.0), 6.0, 7.0, masses["fe14"]),
            unit,
            rtol=0.1,
            reason=f"even R ln 51 is only {1e3 * GAS_CONSTANT * math.log(51) / masses['fe14']:.1f} J/(kg K): "
            "other multiplets take part; molar mass 2058 g/mol from memory",
            should_hold=False,
        ),
    ]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (schottky, nickel, quench, refrigerants)
