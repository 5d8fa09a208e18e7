"""The encyclopaedic note on quantum spin tunnelling: which spins split, and what the split states are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mesospin.experiment.hysteresis import hysteresis
from mesospin.experiment.stoner_wohlfarth import classical_energy
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.operators.spin import spin_operators
from mesospin.report.validation.rows import Row, Source
from mesospin.spectrum.levels import levels
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting
from mesospin.spectrum.wells.wave_functions import tunnelling_pair

_NOTE: Final = Source("encyclopaedic note on quantum spin tunnelling")


def which_spins_split() -> Sequence[Row]:
    """Return the rows on integer and half-integer spins."""
    half = [1.5, 2.5, 3.5, 4.5, 7.5]
    whole = [1, 2, 3, 5, 10]
    rhombicity = (0.01, 0.1, 0.3)
    closed = [tunnel_splitting(giant_spin(S, D=-1.0, E=E), (S, -S)) for S in half for E in rhombicity]
    opened = [tunnel_splitting(giant_spin(S, D=-1.0, E=0.1), (S, -S), transverse=(0.2, 0)) for S in half]
    split = [tunnel_splitting(giant_spin(S, D=-1.0, E=E), (S, -S)).kelvin for S in whole for E in rhombicity]
    axial = [tunnel_splitting(giant_spin(S, D=-1.0), (S, -S)).kelvin for S in whole]
    one_electron = spin_operators(0.5)[2]
    return [
        _NOTE.number(
            "half-integer-closed",
            "zero-field splitting of half-integer spins, largest of S = 3/2..15/2, E/D = 0.01..0.3",
            0.0,
            max(pair.kelvin for pair in closed),
            "K",
            reason=closed[0].reason,
        ),
        _NOTE.statement(
            "half-integer-in-a-field",
            "half-integer spins in a transverse field of 0.2 T (theorem of Kramers holds at zero field only)",
            "not said",
            f"split by {min(pair.kelvin for pair in opened):.2g} K and more",
            all(pair.kelvin > 0 for pair in opened),
        ),
        _NOTE.statement(
            "integer-open",
            "zero-field splitting of integer spins with E, S = 1..10",
            "possible",
            f"{min(split):.2g} K and more",
            min(split) > 0,
        ),
        _NOTE.statement(
            "integer-not-sufficient",
            "'only possible for integer spins': an integer spin with D alone",
            "possible",
            f"{max(axial):g} K",
            max(axial) == 0.0,
            reason="integer is necessary, not sufficient: transverse terms must connect m and -m",
        ),
        _NOTE.number(
            "one-electron",
            "anisotropy of one electron spin S = 1/2",
            0.0,
            float(np.ptp(np.linalg.eigvalsh(-one_electron @ one_electron))),
            "K",
            atol=1e-15,
        ),
    ]


def split_states() -> Sequence[Row]:
    """Return the rows on the ground pair, its superpositions and the excited pairs."""
    fe8 = load("fe8")
    energy = levels(fe8, B=0.0).energy.values
    _, U = np.linalg.eigh(field_line(fe8).H0)
    parity = np.sign(U[0, :2] * U[-1, :2])
    gap = tunnel_splitting(fe8, (10, -10)).kelvin
    pairs = [tunnel_splitting(fe8, (m, -m)).kelvin for m in range(10, 4, -1)]
    tetragonal = [tunnel_splitting(load("mn12ac"), (m, -m)).kelvin > 0 for m in range(1, 11)]
    localised = abs(float(levels(fe8, B=1e-6).moment.values[0, 2]))
    mn12 = tunnelling_pair(load("mn12ac"), (10, -10))
    weights = mn12.probability.sel(state=["even", "odd"], m=[10, -10]).values
    width = float(mn12.splitting / abs(mn12.slope))
    biased = tunnelling_pair(load("mn12ac"), (10, -10), bias=10 * width)
    return [
        _NOTE.statement(
            "superpositions",
            "bonding and anti-bonding combinations of opposite magnetisations (Fe8)",
            "one symmetric, one antisymmetric",
            f"signs {parity[0]:+.0f}, {parity[1]:+.0f}; weights {U[0, 0] ** 2:.3f}, {U[-1, 0] ** 2:.3f}",
            sorted(parity) == [-1.0, 1.0] and abs(U[0, 0] ** 2 - U[-1, 0] ** 2) < 1e-4,
        ),
        _NOTE.number(
            "unique-ground-state",
            "ground state separated from the first excited state by the splitting (Fe8)",
            gap,
            float(energy[1] - energy[0]),
            "K",
            rtol=1e-5,
            reason="eigenvalue difference against downfolding",
        ),
        _NOTE.statement(
            "excited-pairs",
            "the splitting also occurs for excited pairs (Fe8, m = 10..5)",
            "yes",
            ", ".join(f"{pair:.2g}" for pair in pairs) + " K",
            min(pairs) > 0,
        ),
        _NOTE.statement(
            "excited-pairs-tetragonal",
            "the same in a fourfold field (Mn12-acetate, C alone)",
            "yes",
            f"{sum(tetragonal)} of 10 pairs",
            all(tetragonal),
            reason="odd m stay degenerate: C connects m and m +- 4 only",
            should_hold=False,
        ),
        _NOTE.number(
            "localised-by-bias",
            "moment of the ground state with a bias of 1 uT, 600 times the splitting (Fe8)",
            20.0,
            localised,
            "mu_B",
            atol=0.1,
        ),
        _NOTE.number(
            "superpositions-mn12",
            "the same of Mn12-acetate, split by 3e-12 K: largest distance of the four weights from 1/2",
            0.0,
            float(np.abs(weights - 0.5).max()),
            atol=1e-5,
            reason="plain eigenvectors are arbitrary mixtures below 1e-13 of the spectrum",
        ),
        _NOTE.number(
            "localised-by-bias-mn12",
            "a bias of 10 splittings localises both levels (Mn12-acetate): |<Sz>| against S x/sqrt(1 + x^2)",
            100 / np.sqrt(101),
            float(np.abs(biased.mean_sz.sel(state=["even", "odd"])).min()),
            rtol=1e-5,
            reason=f"bias of {10 * width:.1e} T",
        ),
    ]


def switching() -> Sequence[Row]:
    """Return the rows on the two classical states and on switching below the barrier."""
    molecule = load("mn12ac")
    poles = classical_energy(molecule, np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]))
    barrier = float(np.ptp(levels(molecule, B=0.0).energy.values))
    loop = hysteresis(molecule, 0.1, "3 mT/s", (-5.5, 5.5), disorder=None)
    quantum = loop.reduced.sel(branch="up").isel(temperature=0).values[-1]
    classical = loop.stoner_wohlfarth.sel(branch="up").values[-1]
    return [
        _NOTE.number(
            "two-ground-states",
            "two equivalent classical ground states of opposite magnetisation: energy difference",
            0.0,
            float(np.ptp(poles)),
            "K",
            atol=1e-9,
        ),
        _NOTE.statement(
            "switching-below-barrier",
            "switching with a barrier much larger than the thermal energy (Mn12-acetate, 0.1 K)",
            "yes",
            f"barrier/kT = {barrier / 0.1:.0f}, M/M_s = {quantum:.3f} at 5.5 T",
            bool(quantum > 0.99 and barrier > 100 * 0.1),
        ),
        _NOTE.number(
            "forbidden-classically",
            "the same classically: M/M_s at 5.5 T",
            -1.0,
            float(classical),
            atol=1e-9,
            reason="the classical spin keeps its well up to 12 T",
        ),
    ]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (which_spins_split, split_states, switching)
