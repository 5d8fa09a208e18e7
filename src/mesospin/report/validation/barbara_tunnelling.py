"""Barbara's review, tunnelling: Landau and Zener, Prokof'ev and Stamp, splittings, thermal activation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.methods import Exact
from mesospin.dynamics.protocols import FieldSweep
from mesospin.dynamics.rates import line_rate
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.experiment.splittings.quantum_objects import quantum_objects
from mesospin.experiment.sweep import sweep
from mesospin.model.anisotropies import FixedConstants, FixedDensity
from mesospin.model.library import load
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.report.validation.rows import ERRATUM, Row, Source
from mesospin.spectrum.landau_zener import landau_zener
from mesospin.spectrum.levels import levels
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

_LZ: Final = Source("Barbara review, eq. (3), Landau-Zener")
_PS: Final = Source("Barbara review, eq. (3), Prokof'ev-Stamp")
_SPLITTING: Final = Source("Barbara review, tunnel splitting")
_THERMAL: Final = Source("Barbara review, thermal activation")
_OUTLOOK: Final = Source("Barbara review, conclusion")


def landau_zener_rows() -> Sequence[Row]:
    """Return the rows on the Landau-Zener probability, judged by a unitary sweep of all levels."""
    fe8, rate, g = load("fe8"), 1e-4, 2.0
    splitting = tunnel_splitting(fe8, (10, -10))
    gap = splitting.kelvin
    exponent = np.pi * gap**2 / (2 * HBAR * splitting.slope * rate)
    printed = np.pi * (gap / HBAR) ** 2 / (g * MU_B / HBAR * rate)
    probability = float(landau_zener(gap, rate, delta_m=20, g=g))
    swept = sweep(fe8, FieldSweep(-0.02, 0.02, rate=rate), method=Exact(step=0.1), points=2)
    exact = float(swept.population.values[-1, 0])
    small = landau_zener(np.array([1e-10, 2e-10]), 1.0, delta_m=20)
    reason = "the printed exponent lacks 1/(2|m - m'|), a factor 40 between S and -S of S = 10"
    return [
        _LZ.number(
            "lz-exact",
            "1 - exp[-pi Delta^2/(2 hbar |m-m'| g mu_B c)], Fe8 at 0.1 mT/s, against a sweep of all levels",
            probability,
            exact,
            rtol=1e-3,
            reason="unitary evolution; a step of 0.1 hbar/v limits it to 1e-3",
        ),
        _LZ.erratum(
            "lz-printed-exponent",
            "exponent pi (Delta/hbar)^2/(gamma c), Fe8 at 0.1 mT/s",
            printed,
            exponent,
            reason=reason,
        ),
        _LZ.erratum(
            "lz-printed-factor",
            "the printed exponent over the right one",
            1.0,
            printed / exponent,
            reason=reason,
        ),
        _LZ.erratum(
            "lz-printed-probability",
            "1 - exp[-pi (Delta/hbar)^2/(gamma c)], Fe8 at 0.1 mT/s",
            -np.expm1(-printed),
            exact,
            reason="the unitary sweep decides",
        ),
        _LZ.number(
            "lz-small",
            "P ~ exponent where P << 1: ratio at Delta = 1e-10 K, 1 T/s",
            1.0,
            float(small[0] / (np.pi * 1e-20 / (2 * HBAR * 20 * 2 * MU_B))),
            rtol=1e-6,
        ),
        _LZ.number(
            "lz-square",
            "rate proportional to Delta^2: P(2 Delta)/P(Delta)",
            4,
            float(small[1] / small[0]),
            rtol=1e-6,
        ),
        _LZ.statement(
            "equation-numbers",
            "number of the Prokof'ev-Stamp equation",
            "(3), as the one before",
            "(4)",
            False,
            otherwise=ERRATUM,
            reason="two equations carry the number 3",
            should_hold=False,
        ),
    ]


def spin_bath() -> Sequence[Row]:
    """Return the rows on the tunnelling window."""
    gap, width = 4.5e-8, 0.01
    # the bias xi runs at one kelvin a second, so the Landau-Zener exponent is pi Delta^2/2 hbar
    exponent = np.pi * gap**2 / (2 * HBAR)
    window = 2 * quad(lambda xi: line_rate(gap, xi, 0.0, width), 0, np.inf)[0]
    lorentzian = 2 * quad(lambda xi: line_rate(gap, xi, width, 0.0), 0, np.inf)[0]
    return [
        _PS.number(
            "ps-area-window",
            "integral of Delta^2 exp(-|xi|/xi0) over a sweep, as a Landau-Zener exponent",
            exponent,
            window,
            rtol=1e-9,
            reason="holds for every normalised line shape",
        ),
        _PS.number(
            "ps-area-lorentzian", "the same for the lifetime Lorentzian", exponent, lorentzian, rtol=1e-9
        ),
        _PS.statement(
            "ps-unit",
            "P_SB = Delta^2 exp(-|xi|/xi0) N(xi)/E0",
            "a tunnel probability, used as a rate",
            "a rate needs 1/hbar: (pi Delta^2/2 hbar) exp(-|xi|/xi0)/(2 xi0)",
            False,
            otherwise=ERRATUM,
            reason="K^2 (1/K)(1/K) has no unit; probability and rate are mixed",
            should_hold=False,
        ),
        _PS.statement(
            "ps-larger",
            "Prokof'ev-Stamp rate against Landau-Zener",
            "larger by several orders of magnitude",
            f"ratio {window / exponent:.6f} in a linear sweep",
            False,
            reason="the areas are equal; at a fixed field a wide window lets more molecules tunnel, each of "
            "them more slowly",
            should_hold=False,
        ),
        _PS.open(
            "ps-window-width",
            "xi0, rms of the hyperfine fields",
            "xi0",
            "needs the nuclei of the molecule, which come later",
        ),
        _PS.open(
            "ps-e0", "E0, energy of the nuclear relaxation time T2", "E0", "needs the dynamics of the nuclei"
        ),
        _PS.open(
            "dipolar-map",
            "dipolar fields change after each reversal",
            "the map is modified",
            "needs the crystal of dipoles",
        ),
    ]


def splittings() -> Sequence[Row]:
    """Return the rows on how the splitting depends on m and on S."""
    molecule = load("mn12ac")
    even = [tunnel_splitting(molecule, (m, -m)).kelvin for m in (10, 8, 6, 4, 2)]
    spins = range(4, 13)
    by_spin = [tunnel_splitting(giant_spin(S, D=-0.5, E=0.05), (S, -S)).log10 for S in spins]
    steps = np.diff(by_spin)
    odd = tunnel_splitting(molecule, (1, -1))
    rhombic = tunnel_splitting(giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5, E=2.3e-3, g=1.94), (1, -1))
    open_steps = [n for n in range(11) if not tunnel_splitting(molecule, (10, n - 10)).is_zero_by_symmetry]
    return [
        _SPLITTING.statement(
            "splitting-grows",
            "Delta increases exponentially as m decreases: m = 10, 8, 6, 4, 2",
            "Delta(S-n) >> Delta(S)",
            ", ".join(f"{gap:.3g}" for gap in even) + " K",
            bool(np.all(np.diff(np.log10(even)) > 1.0)),
            reason="at least a factor 10 for each step of 2",
        ),
        _SPLITTING.statement(
            "splitting-falls-with-s",
            "Delta exponentially decreasing with S: S = 4..12, D = 0.5 K, E = 0.05 K",
            "exponential",
            f"a factor {10 ** -steps.mean():.1f} for each unit of S, within {np.ptp(steps) / 2:.2f} decades",
            bool(np.all(steps < 0) and np.ptp(steps) < 0.2 * abs(steps.mean())),
            reason="the ratio of neighbours tends to a constant",
        ),
        _SPLITTING.number(
            "c-gives-all-steps",
            "open resonances of the ground level 'under the effect of C', n = 0..10",
            11,
            len(open_steps),
            reason=f"C connects m and m +- 4 only: n = {open_steps}; E opens other even n, a tilt odd n",
            should_hold=False,
        ),
        _SPLITTING.statement(
            "splitting-1-1",
            "Delta(1, -1) at zero field, said to give the Arrhenius prefactor",
            "> 0",
            f"{odd.kelvin:g} K with C alone; {rhombic.kelvin:.3g} K with E = 2.3 mK",
            odd.kelvin > 0,
            reason=odd.reason,
            should_hold=False,
        ),
        *large_spins(),
    ]


def large_spins() -> list[Row]:
    """Return the rows on S = 30 and S = 10^5."""
    thirty, grain = load("s30"), giant_spin(100_000, D=-1e-5)
    across = brentq(lambda B: _log10_time(thirty, 30, (0.0, B)), 1.0, 15.0, xtol=0.01)
    at_rest = quantum_objects(FixedConstants(D="-0.5 K", E="0.05 K"), [30]).tunnelling_time.values[0]
    dust = quantum_objects(FixedDensity("1 K", "1 K"), [1e5]).tunnelling_time.values[0]
    shares = (0.99, 0.998)
    # K_par = 1 K: the anisotropy field is 2 K_par/(g mu_B)
    near, nearest = (_log10_time(grain, 100_000, (share / MU_B, 0.0)) for share in shares)
    return [
        _OUTLOOK.statement(
            "spin-30",
            "large molecules with S = 30, D = 0.5 K, E = 0.05 K",
            "may tunnel",
            f"within 1 s in {across:.1f} T along the medium axis, in {at_rest} without",
            0.0 < across < 15.0,
            reason="h/(2 Delta) of a spin alone",
        ),
        _OUTLOOK.erratum(
            "superscript-1e5",
            "spin of nanoparticles as printed: 105",
            105,
            1e5,
            reason="lost superscript: S = 10^5",
        ),
        _OUTLOOK.statement(
            "spin-1e5",
            "nanoparticles with S = 10^5, zero field, Kpar = Kperp = 1 K for each unit of spin",
            "may tunnel",
            f"in {dust}",
            False,
            reason="the exponent is 1.8 S; at rest a grain of this size is classical",
            should_hold=False,
        ),
        _OUTLOOK.statement(
            "spin-1e5-in-a-field",
            "the same next to the anisotropy field B_a, axial, field across",
            "may tunnel",
            f"in 10^{near:.0f} s at {shares[0]:g} B_a, in 10^{nearest:.1f} s at {shares[1]:g} B_a",
            nearest < 0.0 < near,
            reason="between them the barrier is nearly gone",
        ),
    ]


def _log10_time(system: SpinSystem, S: int, transverse: tuple[float, float]) -> float:
    """Return log10 of h/(2 Delta) in s."""
    gap = tunnel_splitting(system, (S, -S), transverse=transverse, method=LargeSpin())
    return float(np.log10(np.pi * HBAR)) - gap.log10


def thermal_activation() -> Sequence[Row]:
    """Return the rows on the Boltzmann weight, the paths and the prefactor."""
    molecule = load("mn12ac")
    energy = levels(molecule, B=0.0).energy.values
    path = str(relaxation_rates(molecule, 3.0).path.values[0, 0])
    return [
        _THERMAL.number(
            "thermal-weight-gap",
            "D S^2 - D (S-1)^2, exponent of the weight of m = S - 1",
            0.548 * 19,
            float(energy[2] - energy[0]),
            "K",
            rtol=0.01,
            otherwise=ERRATUM,
            reason="the weight keeps only D; with B the gap is D(2S-1) + B(S^4 - (S-1)^4)",
            should_hold=False,
        ),
        _THERMAL.number(
            "thermal-weight-true",
            "the same with B: D(2S-1) + B(S^4 - (S-1)^4)",
            0.548 * 19 + 1.17e-3 * (10**4 - 9**4),
            float(energy[2] - energy[0]),
            "K",
            rtol=1e-4,
        ),
        _THERMAL.statement(
            "thermal-path",
            "pair that carries the thermally activated reversal at zero field",
            "(1, -1)",
            path,
            "m=1 > m=-1" in path,
            reason="(1, -1) is closed under C; the reversal passes the barrier at wider open pairs",
            should_hold=False,
        ),
        _THERMAL.open(
            "telegraph-noise",
            "back and forth transitions of a single molecule",
            "telegraph noise",
            "single trajectories are not followed in this version",
        ),
    ]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (
    landau_zener_rows,
    spin_bath,
    splittings,
    thermal_activation,
)
