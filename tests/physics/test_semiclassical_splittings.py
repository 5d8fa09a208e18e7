"""Instantons against closed forms, exact splittings at every size, and the known interferences."""

import math

import numpy as np
import pytest

from mesospin.constants import MU_B
from mesospin.model.library import load
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import Stevens, ZeroFieldSplitting
from mesospin.operators.rotation import euler_matrix
from mesospin.spectrum.tunnelling.classical_spin import classical_spin
from mesospin.spectrum.tunnelling.instanton import amplitude_sum, instantons
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.semiclassical import Semiclassical
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting


def amplitudes(system, field=(0.0, 0.0, 0.0)):
    """Complex parts of the splitting, relative to the largest."""
    spin = classical_spin(system, np.array(field))
    wells = sorted(spin.minima()[:2], key=lambda minimum: -minimum.direction[2])
    logarithms = np.array([one.log_amplitude(spin.S) for one in instantons(spin, *wells)])
    return np.exp(logarithms - logarithms.real.max())


def semiclassical(system, **where):
    S = system.spins[0].S
    return tunnel_splitting(system, (S, -S), method=Semiclassical(), **where)


def log_biaxial(S, D, E):
    """log10 of 16 k1 l^{3/4} S^{3/2} / (sqrt(pi)(1 + sqrt l)) ((1 - sqrt l)/(1 + sqrt l))^S, l = k2/k1."""
    root = math.sqrt((D - E) / (D + E))
    form = 16 * (D + E) * root**1.5 * S**1.5 / (math.sqrt(math.pi) * (1 + root))
    return math.log10(form) + S * math.log10((1 - root) / (1 + root))


@pytest.mark.parametrize(
    ("S", "D", "E"), [(1000, 1.0, 0.5), (1000, 1.0, 0.02), (1000, 1.0, 0.9), (100_000, 0.292, 0.046)]
)
def test_biaxial_spin_in_closed_form(S, D, E):
    """The two forms differ by 1/S only: about 1/4 of it from j against S, more for a low barrier."""
    found = semiclassical(giant_spin(S, D=-D, E=E))
    assert (found.log10 - log_biaxial(S, D, E)) * math.log(10) * S == pytest.approx(0, abs=1.2)


def test_weak_transverse_field_in_closed_form():
    """Garanin: 2D (2S)! / [(2S-1)!]^2 (h/2D)^{2S} for h << D; what is left of it is 1 - 1/(24 S)."""
    S, D, h = 200, 1.0, 0.04
    found = semiclassical(giant_spin(S, D=-D, g=1.0), transverse=(0.0, h / MU_B))
    exact = math.lgamma(2 * S + 1) - 2 * math.lgamma(2 * S) + 2 * S * math.log(h / (2 * D)) + math.log(2 * D)
    # the next order of Garanin's expansion is S (h/2DS)^2 = 2e-6
    assert (found.log10 * math.log(10) - exact) * S == pytest.approx(1 / 24, abs=5e-3)


def scaled(S, **constants):
    """A spin whose classical energy over j^2 does not depend on S: fourth order in units of D/S^2."""
    powers = {"D": 0, "E": 0, "A4": 2, "C4": 2}
    return giant_spin(S, g=1.0, **{name: value / S ** powers[name] for name, value in constants.items()})


def stevens(S, **terms):
    """D = -1 K, E, and Stevens constants of fourth order in units of D/S^2."""
    axial = ZeroFieldSplitting(-1.0, terms.pop("E", 0.0))
    others = [
        Stevens(4, int(q), value / S**2)
        for q, value in ((k.strip("O").replace("m", "-"), v) for k, v in terms.items())
    ]
    return SpinSystem("Stevens", [Spin(S, 1.0)], [axial, *others])


FAMILIES = {
    "E": (lambda S: scaled(S, D=-1.0, E=0.5), (0, 0)),
    "weak E": (lambda S: scaled(S, D=-1.0, E=0.02), (0, 0)),
    "A4": (lambda S: scaled(S, D=-1.0, E=0.2, A4=-0.5), (0, 0)),
    "C4": (lambda S: scaled(S, D=-1.0, C4=0.02), (0, 0)),
    "C4 with E": (lambda S: scaled(S, D=-1.0, E=0.2, C4=-0.01), (0, 0)),
    "O44": (lambda S: stevens(S, O0=-0.01, O4=0.05), (0, 0)),
    "O43 and O41": (lambda S: stevens(S, E=0.1, O3=0.05, O1=0.03, Om2=0.01), (0, 0)),
    "field on the medium axis": (lambda S: scaled(S, D=-1.0, E=0.2), (0, 0.3)),
    "field between the axes": (lambda S: scaled(S, D=-1.0, E=0.2), (0.2, 0.1)),
    "field alone": (lambda S: scaled(S, D=-1.0), (0.4, 0.3)),
    "field with C4": (lambda S: scaled(S, D=-1.0, E=0.1, C4=0.01), (0.1, 0.2)),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_convergence_in_one_over_S(family):
    """At S = 12 and 48 the error falls as 1/S and stays below the one claimed."""
    make, field = FAMILIES[family]
    deviations = []
    for S in (12, 48):
        transverse = tuple(component * S / MU_B for component in field)
        found = semiclassical(make(S), transverse=transverse)
        exact = tunnel_splitting(make(S), (S, -S), transverse=transverse, method=LargeSpin())
        deviation = 10 ** (exact.log10 - found.log10) - 1
        assert abs(deviation) <= found.relative_error < 6 / S
        deviations.append(deviation * S)
    # constant, up to what interference changes with S
    assert deviations[1] == pytest.approx(deviations[0], abs=0.1 + 0.3 * abs(deviations[0]))


@pytest.mark.parametrize(
    ("pair", "make", "transverse"),
    [
        ("biaxial", lambda S: giant_spin(S, D=-1.0, E=0.3), (0.0, 0.0)),
        ("field", lambda S: giant_spin(S, D=-1.0, g=1.0), (0.5, 0.0)),
    ],
)
def test_a_hundred_thousand(pair, make, transverse):
    S = 100_000
    where = {"transverse": tuple(component * S / MU_B for component in transverse)}
    found = semiclassical(make(S), **where)
    exact = tunnel_splitting(make(S), (S, -S), method=LargeSpin(), **where)
    assert found.log10 < -1e4
    assert abs((found.log10 - exact.log10) * math.log(10)) <= found.relative_error < 1e-4


@pytest.mark.parametrize("S", [6, 6.5])
@pytest.mark.parametrize("k", [0, 2])
def test_quenching_fields_of_the_hard_axis(S, k):
    """Garg: g mu_B Bx = (k + 1/2) 2 sqrt(2E(E + D)), k for integer S, integers for half-integer S."""
    D, E = 1.0, 0.3
    spin = giant_spin(S, D=-D, E=E, g=1.0)
    unit = 2 * math.sqrt(2 * E * (E + D)) / MU_B
    quenched, enhanced = (k + 0.5, k + 1) if S == 6 else (k + 1, k + 0.5)
    for multiple, expected in ((quenched, 0.0), (enhanced, 1.0)):
        parts = amplitudes(spin, (multiple * unit, 0.0, 0.0))
        assert abs(parts.sum()) / np.abs(parts).sum() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("S", [4.5, 10.5, 5, 11])
def test_the_berry_phase_is_kramers_theorem(S):
    """Zero field, all terms that time reversal allows: the parts cancel for half-integer S alone."""
    parts = amplitudes(stevens(S, E=0.2, O4=0.02, O3=0.03))
    ratio = abs(parts.sum()) / np.abs(parts).sum()
    assert ratio < 1e-7 if S % 1 else ratio > 1e-2


@pytest.mark.parametrize("S", [10, 11, 12, 13])
def test_the_berry_phase_is_the_selection_rule_of_a_tetragonal_spin(S):
    """m changes by multiples of 4: +S and -S are apart by 2S, the four ways cancel for odd S."""
    parts = amplitudes(scaled(S, D=-1.0, C4=0.02))
    assert len(parts) == 4
    assert abs(parts.sum()) / 4 == pytest.approx(0.0 if S % 2 else 1.0, abs=1e-9)


@pytest.mark.golden
def test_oscillations_of_fe8():
    """Wernsdorfer and Sessoli 1999: period 0.41 T measured, 0.40 T with the fourth order, 0.26 T without.

    With it only four zeros are left on the axis (Kececioglu and Garg 2002): other ways take over.
    """
    fe8 = load("fe8")

    def total(field):
        return float(amplitudes(fe8, (field, 0.0, 0.0)).sum().real)

    zeros = []
    for left, right in ((0.195, 0.21), (0.6, 0.615), (1.0, 1.02), (1.28, 1.3)):
        low, high = total(left), total(right)
        assert low * high < 0
        zeros.append((left * high - right * low) / (high - low))
    assert np.diff(zeros)[:2] == pytest.approx(0.405, abs=2e-3)
    assert np.all(np.sign([total(field) for field in (1.45, 1.6, 1.8)]) == np.sign(total(1.3)))
    # the exact splitting at the first of them, 1/S^2 away from its own zero
    exact = [tunnel_splitting(fe8, (10, -10), transverse=(B, 0.0)).kelvin for B in (0.0, zeros[0])]
    assert exact[1] < exact[0] / 30


@pytest.mark.parametrize("field", [0.0, 0.5, 1.2, 1.5])
def test_fe8_where_the_additional_ways_matter(field):
    """At 1.2 T the ways through the hard axis are half as large as the others; at 1.5 T they are all."""
    found = semiclassical(load("fe8"), transverse=(field, 0.0))
    exact = tunnel_splitting(load("fe8"), (10, -10), transverse=(field, 0.0))
    assert "4 instantons" in found.why or "3 instantons" in found.why
    assert abs(found.kelvin / exact.kelvin - 1) <= found.relative_error < 0.25


@pytest.mark.parametrize("seed", [3, 5, 7, 8])
@pytest.mark.parametrize("large", [False, True])
def test_any_fourth_order(seed, large):
    """Nine random constants of fourth order; in case 3 the largest sector is a saddle that does not count."""
    rng = np.random.default_rng(seed)
    S = int(rng.integers(9, 15)) * (12 if large else 1)
    terms = [ZeroFieldSplitting(-1.0, float(rng.uniform(0.05, 0.3)))]
    terms += [Stevens(4, q, float(rng.normal() * 0.008 / S**2)) for q in range(-4, 5)]
    spin = SpinSystem("random", [Spin(S, 1.0)], terms)
    found = semiclassical(spin)
    exact = tunnel_splitting(spin, (S, -S), method=LargeSpin())
    assert abs(10 ** (exact.log10 - found.log10) - 1) <= found.relative_error < 6 / S


def test_turned_axes_change_nothing():
    angles = (0.4, 0.3, -0.7)
    field = np.array([0.5, 0.8, 0.0])
    straight = SpinSystem("straight", [Spin(10, 2.0)], [ZeroFieldSplitting(-0.5, 0.1)])
    turned = SpinSystem("turned", [Spin(10, 2.0)], [ZeroFieldSplitting(-0.5, 0.1, frame=angles)])
    logarithms = []
    for system, B in ((straight, field), (turned, euler_matrix(angles) @ field)):
        spin = classical_spin(system, B)
        logarithms.append(amplitude_sum(instantons(spin, *spin.minima()[:2]), 10)[0])
    assert logarithms[0] == pytest.approx(logarithms[1], abs=1e-8)


def test_wells_that_are_equal_in_a_field():
    """A tilted axis brings a longitudinal field that the transverse one of a tilted molecule has to undo."""
    tilted = SpinSystem("tilted", [Spin(10, 2.0)], [ZeroFieldSplitting(-0.5, 0.08, frame=(0.0, 0.05, 0.0))])
    found = semiclassical(tilted, transverse=(0.3, 0.0))
    exact = tunnel_splitting(tilted, (10, -10), transverse=(0.3, 0.0), method=LargeSpin())
    assert found.field == pytest.approx(exact.field, abs=1e-6)
    assert abs(found.field) > 0.01
    assert abs(found.kelvin / exact.kelvin - 1) <= found.relative_error
