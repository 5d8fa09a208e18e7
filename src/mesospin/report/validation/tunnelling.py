"""Tunnel splittings of any size: exact digits, closed forms, interference, grains."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import MU_B
from mesospin.experiment.splittings.quantum_objects import quantum_objects
from mesospin.model.anisotropies import FixedDensity
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.report.validation.rows import Row, Source
from mesospin.spectrum.interference.diabolical import diabolical_points
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.proved.certified import Certified
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

_EXACT: Final = Source("independent diagonalisation with 256 to 512 bits")
_DOUBLE: Final = Source("difference of eigenvalues in double precision")
_SETS: Final = Source("Mn12-acetate, published parameter sets")
_GARANIN: Final = Source("Garanin 1991")
_GARG: Final = Source("Garg 1993; Kececioglu and Garg 2001 (from memory)")
_ASYMPTOTIC: Final = Source("biaxial spin, instanton with its prefactor (from memory)")
_FE8: Final = Source("Wernsdorfer and Sessoli 1999 (from memory)")
_GRAINS: Final = Source("Prokof'ev and Stamp 1995, eq. (1)")


def exact_digits() -> Sequence[Row]:
    """Return the rows on splittings that double precision loses."""
    method = Certified(digits=20)
    molecule = load("mn12ac")
    shallow, deep = (giant_spin(10, D=-D, E=E) for D, E in ((0.292, 0.046), (0.56, 0.0005)))
    mn12, top = (tunnel_splitting(molecule, (m, -m), method=method).kelvin for m in (10, 4))
    biaxial, smallest = (tunnel_splitting(s, (10, -10), method=method).kelvin for s in (shallow, deep))
    names = ("mn12ac", "mn12ac:B", "mn12ac:ins", "mn12ac:epr")
    sets = [tunnel_splitting(load(name), (10, -10)).kelvin for name in names]
    subject = "splitting of (10, -10), D = {} K, E = {} K"
    return [
        _EXACT.number(
            "exact-mn12-10", "Delta(10, -10) of Mn12, set A", 2.96251952775e-12, mn12, "K", rtol=2e-12
        ),
        _EXACT.number("exact-mn12-4", "Delta(4, -4) of Mn12, set A", 1.290799846e-2, top, "K", rtol=4e-10),
        _EXACT.number("exact-biaxial", subject.format(0.292, 0.046), 3.9603596e-10, biaxial, "K", rtol=2e-8),
        _EXACT.number("exact-deep", subject.format(0.56, 0.0005), 2.4819733e-32, smallest, "K", rtol=2e-8),
        _DOUBLE.erratum(
            "double-biaxial",
            subject.format(0.292, 0.046),
            3.960317e-10,
            biaxial,
            "K",
            rtol=1e-6,
            reason="round-off of levels near -29 K",
        ),
        _DOUBLE.erratum(
            "double-deep",
            subject.format(0.56, 0.0005),
            3.6e-14,
            smallest,
            "K",
            reason="nothing but round-off: 18 orders of magnitude too large",
        ),
        _SETS.number(
            "mn12-sets",
            "largest over smallest Delta(10, -10) of the sets A, B, INS and EPR",
            5.0,
            max(sets) / min(sets),
            rtol=0.1,
            reason="law of the fifth power of C, which the sets give as 2.2e-5 to 3e-5 K",
        ),
    ]


def transverse_field() -> Sequence[Row]:
    """Return the rows on an axial spin in a transverse field."""
    opposite = [(m, -m) for m in range(1, 11)]
    biased = [(10, m) for m in range(8, -10, -3)]
    return [
        _GARANIN.number(
            "garanin",
            "2D/[(2m-1)!]^2 (S+m)!/(S-m)! (h/2D)^(2m), S = 10, m = 1..10: largest relative difference",
            0.0,
            max(_distance_from_garanin(*pair) for pair in opposite),
            atol=1e-5,
            reason="lowest order at h = 1e-4 D; down to 1e-99 K",
        ),
        _GARANIN.number(
            "garanin-biased",
            "2D/[(k-1)!]^2 sqrt[(S+m)!(S-m')!/(S-m)!/(S+m')!] (h/2D)^k, k = m - m', for (10, m')",
            0.0,
            max(_distance_from_garanin(*pair) for pair in biased),
            atol=1e-5,
            reason="the same at the crossing in a longitudinal field",
        ),
    ]


def _distance_from_garanin(upper: int, lower: int, S: int = 10) -> float:
    """Return the relative difference of the splitting from lowest order, D = 1 K and h = 1e-4 K."""
    h, steps = 1e-4, upper - lower
    gap = tunnel_splitting(giant_spin(S, D=-1.0), (upper, lower), transverse=(h / (2 * MU_B), 0.0))
    factorials = [math.lgamma(1 + n) for n in (S + upper, S - lower, S - upper, S + lower)]
    law = math.log(2.0) + (factorials[0] + factorials[1] - factorials[2] - factorials[3]) / 2
    law += steps * math.log(h / 2) - 2 * math.lgamma(steps)
    return abs(math.expm1(gap.log10 * math.log(10) - law))


def zeros_of_the_splitting() -> Sequence[Row]:
    """Return the rows on the fields at which a biaxial spin and Fe8 do not tunnel."""
    biaxial, period = load("fe8:biaxial"), _period(0.292, 0.046)
    even, odd = (
        diabolical_points(biaxial, (10, m), Bx=(-0.1, 2.65), By=(-0.1, 0.1), resolution=0.1)
        for m in (-10, -9)
    )
    half = diabolical_points(giant_spin(4.5, D=-1.0, E=0.1), (4.5, -4.5), Bx=(-3, 3), By=(-0.1, 0.1))
    k1, k2 = 0.292 + 0.046, 0.292 - 0.046
    return [
        _GARG.number(
            "garg-count",
            "zeros of (S, -S) on the hard axis, B > 0, S = 10 with E alone",
            10,
            even.sizes["point"],
            reason="S of them on either side",
        ),
        _GARG.number(
            "garg-zeros",
            "zeros at (k + 1/2) periods 2 sqrt(2E(E+D))/(g mu_B): largest distance",
            0.0,
            float(np.abs(even.Bx.values / period - np.arange(10) - 0.5).max()),
            "period",
            atol=1e-9,
        ),
        _GARG.number(
            "garg-zeros-n1",
            "zeros of (S, -S+1) at whole periods, the field along z being sqrt(D^2-E^2)/(g mu_B)",
            0.0,
            float(np.abs(odd.Bx.values / period - np.arange(10)).max())
            + float(np.abs(odd.Bz.values * 2 * MU_B / math.sqrt(k1 * k2) - 1).max()),
            "period",
            atol=1e-9,
            reason="the parity effect: even and odd resonances alternate",
        ),
        _GARG.number(
            "garg-half-integer",
            "degeneracy of a half-integer spin, S = 9/2, regained at whole periods: largest distance",
            0.0,
            float(np.abs(half.Bx.values / _period(1.0, 0.1) - np.arange(-4, 5)).max()),
            "period",
            atol=1e-9,
            reason="2S zeros; the one at zero field is Kramers' theorem",
        ),
        *_fe8_zeros(even.Bx.values),
    ]


def _period(D: float, E: float) -> float:
    return 2 * math.sqrt(2 * E * (E + D)) / (2 * MU_B)


def _fe8_zeros(biaxial: NDArray[np.float64]) -> list[Row]:
    fe8 = load("fe8")
    points = diabolical_points(fe8, (10, -10), Bx=(0, 2.6), By=(-1.4, 1.4), resolution=0.2)
    on_axis = np.sort(points.Bx.values[np.abs(points.By.values) < 1e-6])
    parity = tunnel_splitting(fe8, (10, -9))
    return [
        _FE8.number(
            "fe8-period",
            "period of the oscillation on the hard axis",
            0.41,
            np.diff(on_axis)[0],
            "T",
            atol=0.015,
        ),
        _FE8.number(
            "fe8-period-closed-form",
            "period without C, 2 sqrt(2E(E+D))/(g mu_B) of Garg",
            _period(0.292, 0.046),
            np.diff(biaxial)[0],
            "T",
            rtol=1e-6,
            reason="the fourth order makes it half as long again",
        ),
        _FE8.statement(
            "fe8-parity",
            "parity effect for n = 1: closed at zero transverse field",
            "closed",
            parity.reason,
            parity.is_zero_by_symmetry,
        ),
        _FE8.statement(
            "fe8-zeros-on-axis",
            "zeros of (10, -10) with C",
            "only some stay on the hard axis",
            f"{len(on_axis)} of {points.sizes['point']}",
            0 < len(on_axis) < points.sizes["point"],
            reason=f"the others leave it in pairs; the sum of the charges stays {int(points.charge.sum())}",
        ),
    ]


def large_biaxial_spins() -> Sequence[Row]:
    """Return the rows on the law of large spins and on the grain of Prokof'ev and Stamp."""
    correction = [_correction(S) for S in (1000, 100_000)]
    hard = quantum_objects(FixedDensity("0.01 K", "1 K"), [1000, 1000.5, 2000])
    logarithm = hard.log10_splitting.values * math.log(10.0)
    # the prefactor grows as sqrt(S) at a fixed energy per spin
    exponent = (logarithm[0] - logarithm[2] + 0.5 * math.log(2.0)) / 1000
    widest = quantum_objects(FixedDensity("1 K", "1e4 K"), [1000])
    share = 10 ** float(widest.log10_splitting[0]) / float(widest.level_distance[0])
    return [
        _ASYMPTOTIC.number(
            "asymptotic-1e5",
            "16 k1 l^(3/4)/[sqrt(pi)(1+sqrt l)] S^(3/2) [(1-sqrt l)/(1+sqrt l)]^S, S = 10^5: ratio",
            1.0,
            1 - correction[1] / 1e5,
            rtol=1e-5,
            reason="l = k2/k1 = 1/3, D = 1 K, E = 0.5 K: 10^-57187 K",
        ),
        _ASYMPTOTIC.number(
            "asymptotic-correction",
            "first correction to it: factor 1 - 0.26/S",
            0.26,
            correction[1],
            atol=0.005,
            reason=f"{correction[0]:.4f} at S = 1000",
        ),
        _GRAINS.erratum(
            "grain-exponent",
            "A0/[S sqrt(Kpar/Kperp)], printed A0 ~ S sqrt(Kpar/Kperp), Kperp = 100 Kpar",
            1.0,
            exponent / math.sqrt(0.01),
            reason="factor 2 lost: Delta = Omega0 exp(-A0) falls as exp[-2S sqrt(Kpar/Kperp)]",
        ),
        _GRAINS.number(
            "grain-frequency",
            "Omega0 ~ 2 sqrt(Kpar Kperp), first level distance in a well, Kperp = 100 Kpar, S = 1000",
            0.2,
            float(hard.level_distance[0]),
            "K",
            rtol=0.01,
        ),
        _GRAINS.statement(
            "grain-phase",
            "Phi = pi S: splitting 2 Delta |cos(pi S)|",
            "whole S only",
            f"10^{hard.log10_splitting.values[0]:.1f} K for S = 1000, 0 for S = 1000.5",
            bool(np.isfinite(logarithm[0]) and hard.zero.values[1]),
            reason=str(hard.reason.values[1]),
        ),
        _GRAINS.statement(
            "grain-megahertz",
            "Delta0 of spins of 10^3 and more, Omega0 = 10^11 Hz",
            "below 10^6 Hz",
            f"{share * 1e11:.1e} Hz for Kperp = 10^4 Kpar, less for a softer plane",
            share * 1e11 < 1e6,
        ),
    ]


def _correction(S: int) -> float:
    """Return S (1 - exact/asymptotic) for D = 1 K, E = 0.5 K."""
    k1, root = 1.5, math.sqrt(1 / 3)
    law = math.log10(16 * k1 * root**1.5 / (math.sqrt(math.pi) * (1 + root)) * S**1.5)
    law += S * math.log10((1 - root) / (1 + root))
    exact = tunnel_splitting(giant_spin(S, D=-1.0, E=0.5), (S, -S), method=LargeSpin()).log10
    return S * (1 - 10 ** (exact - law))


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (
    exact_digits,
    transverse_field,
    zeros_of_the_splitting,
    large_biaxial_spins,
)
