"""Lowest-order splittings: closed forms, and the exact gap with the error that is claimed."""

from math import factorial, prod

import numpy as np
import pytest

from mesospin.constants import MU_B
from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.model.interactions import Exchange, Hyperfine
from mesospin.model.library import load
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import ZeroFieldSplitting
from mesospin.spectrum.tunnelling.perturbative import Perturbative
from mesospin.spectrum.tunnelling.problem import Levels
from mesospin.spectrum.tunnelling.proved.certified import Certified
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting


def lowest(system, pair, **where):
    return tunnel_splitting(system, pair, method=Perturbative(), **where)


@pytest.mark.parametrize("m", [1, 2, 3, 5])
@pytest.mark.parametrize("S", [5, 8])
def test_transverse_field_in_closed_form(S, m):
    """Garanin 1991: 2D/[(2m-1)!]^2 (S+m)!/(S-m)! (h/2D)^{2m} for -D Sz^2 - h Sx."""
    D, h = 1.0, 1e-3
    exact = 2 * D / factorial(2 * m - 1) ** 2 * factorial(S + m) / factorial(S - m) * (h / (2 * D)) ** (2 * m)
    found = lowest(giant_spin(S, D=-D), (m, -m), transverse=(h / (2 * MU_B), 0.0))
    assert found.kelvin == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("m", [2, 4, 6])
def test_rhombic_term_in_closed_form(m):
    """m/1 steps of 2 through denominators D(m^2 - k^2), each with E/2 times the element of S-^2."""
    S, D, E = 10, 0.5, 1e-4
    states = range(m, -m, -2)
    elements = [E / 2 * np.sqrt((S + k) * (S - k + 1) * (S + k - 1) * (S - k + 2)) for k in states]
    barriers = [D * (m**2 - k**2) for k in range(m - 2, -m, -2)]
    found = lowest(giant_spin(S, D=-D, E=E), (m, -m))
    assert found.kelvin == pytest.approx(2 * prod(elements) / prod(barriers), rel=1e-12)


def test_phases_of_a_mixed_order_interfere():
    """S = 1, E and a field along x: E - (g mu_B Bx)^2/(2 D) vanishes at one field; along y they add."""
    D, E = 1.0, 1e-4
    spin = giant_spin(1, D=-D, E=E)
    field = np.sqrt(2 * D * E) / (2 * MU_B)
    across = lowest(spin, (1, -1), transverse=(0.0, field))
    along = lowest(spin, (1, -1), transverse=(field / 2, 0.0))
    assert {round(x.kelvin / (2 * E), 9) for x in (across, along)} in ({2.0, 0.75}, {2.0, 1.25})
    with pytest.raises((ConvergenceError, InputError)):
        lowest(spin, (1, -1), transverse=(field, 0.0))


def test_a_hyperfine_flip_in_closed_form():
    """S = 1, I = 1/2: E moves m by two, nothing moves the nucleus; A and E together flip both."""
    D, E, A = 1.0, 1e-4, 1e-5
    system = SpinSystem(
        "ion",
        [Spin(1, 2.0), Spin(0.5, 1.0, "I", nuclear=True)],
        [ZeroFieldSplitting(-D, E), Hyperfine(0, 1, A)],
    )
    same = lowest(system, ("m=1, mI=1/2", "m=-1, mI=1/2"))
    assert same.kelvin == pytest.approx(2 * E, rel=1e-12)
    flip = lowest(system, ("m=0, mI=1/2", "m=1, mI=-1/2"))
    assert flip.kelvin == pytest.approx(2 * (A / 2) * np.sqrt(2), rel=1e-9)


CASES = [
    (giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5), (10, -10), {}),
    (giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5), (9, -7), {}),
    (giant_spin(10, D=-0.292, E=0.046), (10, -10), {}),
    (giant_spin(10, D=-0.292, E=0.046, C4=-2.9e-5), (10, -9), {"transverse": (0.01, 0.02)}),
    (giant_spin(5, D=-1.0), (5, -5), {"transverse": (0.3, 0.0)}),
    (giant_spin(5, D=-1.0), (5, -4), {"transverse": (0.05, 0.02)}),
    (giant_spin(4, D=-1.0, E=0.02), (4, -3), {"axis": (0.02, 0.01, 1.0)}),
    (giant_spin(4.5, D=-0.7, E=0.02), (4.5, -4.5), {"transverse": (0.05, 0.03)}),
]


@pytest.mark.parametrize(("system", "pair", "where"), CASES)
def test_the_claimed_error_bounds_the_deviation(system, pair, where):
    first = lowest(system, pair, **where)
    exact = tunnel_splitting(system, pair, method=Certified(10), **where)
    deviation = abs(first.kelvin / exact.kelvin - 1)
    assert deviation <= first.relative_error
    assert first.relative_error < 200 * deviation


def test_the_deviation_is_of_second_order():
    deviations = []
    for E in (0.04, 0.004):
        spin = giant_spin(6, D=-1.0, E=E)
        exact = tunnel_splitting(spin, (6, -6), method=Certified(12)).kelvin
        deviations.append(lowest(spin, (6, -6)).kelvin / exact - 1)
    assert deviations[0] / deviations[1] == pytest.approx(100, rel=0.05)


def test_splittings_far_below_floating_point():
    found = lowest(giant_spin(400, D=-1.0, E=1e-3), (400, -400))
    assert found.kelvin == 0.0
    states = range(400, -400, -2)
    elements = sum(
        np.log10(1e-3 / 2) + 0.5 * np.log10((400 + k) * (401 - k) * (399 + k) * (402 - k)) for k in states
    )
    barriers = sum(np.log10(400**2 - k**2) for k in range(398, -400, -2))
    assert found.log10 == pytest.approx(np.log10(2) + elements - barriers, abs=1e-9)


def test_a_dimer_by_one_spin_at_a_time():
    """Exchange shifts the crossing, a transverse field on the first spin carries it over its barrier."""
    parts = [Spin(2, 2.0), Spin(2, 2.0)]
    terms = [ZeroFieldSplitting(-1.0, 0.0, site=k) for k in (0, 1)]
    dimer = SpinSystem("dimer", parts, [*terms, Exchange(0, 1, (0.0, 0.0, 0.01), convention="+J")])
    alone = giant_spin(2, D=-1.0)
    pair = ("m1=2, m2=-2", "m1=-2, m2=-2")
    one = lowest(dimer, pair, transverse=(0.01, 0.0))
    assert one.field == pytest.approx(0.01 * 2 / (2 * MU_B), rel=1e-9)
    assert one.kelvin == pytest.approx(lowest(alone, (2, -2), transverse=(0.01, 0.0)).kelvin, rel=0.05)


def _ion(E):
    return SpinSystem(
        "ion",
        [Spin(4, 2.0), Spin(1.5, 1.0, "I", nuclear=True)],
        [ZeroFieldSplitting(-1.0, E), Hyperfine(0, 1, 0.004)],
    )


@pytest.mark.parametrize(
    ("pair", "E", "transverse"),
    [
        (("m=4, mI=3/2", "m=-4, mI=3/2"), 0.02, (0.0, 0.0)),
        (("m=4, mI=3/2", "m=-3, mI=1/2"), 0.02, (0.0, 0.0)),
        (("m=4, mI=3/2", "m=-3, mI=3/2"), 0.0, (0.01, 0.02)),
    ],
)
def test_nuclei_that_exchange_projections(pair, E, transverse):
    """S+I- turns the electron back on the way; against proved digits."""
    first = lowest(_ion(E), pair, transverse=transverse)
    exact = tunnel_splitting(_ion(E), pair, method=Certified(10), transverse=transverse)
    assert abs(first.kelvin / exact.kelvin - 1) <= first.relative_error


def test_a_lowest_order_that_is_not_the_largest_is_refused():
    """The field alone joins the two in fewer steps than E, which is stronger."""
    with pytest.raises(ConvergenceError, match="too strong for their lowest order"):
        lowest(_ion(0.1), ("m=4, mI=3/2", "m=-4, mI=-3/2"), transverse=(0.1, 0.2))


def test_overshooting_paths_that_outweigh_the_straight_ones_are_refused():
    """Five steps of four and one back: C^5 h against C^4 h^3."""
    spin = giant_spin(10, D=-0.548, C4=-2.2e-5)
    with pytest.raises(ConvergenceError, match="lowest order"):
        lowest(spin, (10, -9), axis=(0.02, 0.01, 1.0))


def test_refusals():
    with pytest.raises(InputError, match="two states for Perturbative"):
        tunnel_splitting(load("fe8"), Levels(0, 1), B=0.0, method=Perturbative())
    with pytest.raises(TooLargeError, match="LargeSpin"):
        lowest(giant_spin(1500, D=-1.0, E=0.1), (1500, -1500))
    with pytest.raises(InputError, match="away"):
        lowest(load("fe8"), (10, -10), B=0.2)
