"""Splittings of chains of nearest neighbours up to S = 1e5 against ball arithmetic and closed forms.

The references are built here from the matrix elements: Newton's method for the two parity blocks with as
many digits as the gap has zeros, the exact current identity, formulas for S to infinity and weak fields.
"""

import math

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from scipy.linalg import eigh_tridiagonal

from mesospin.constants import MU_B
from mesospin.model.system import giant_spin
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.problem import read_problem


def gap_of(system, pair, *, transverse=(0.0, 0.0), axis=(0.0, 0.0, 1.0)):
    return LargeSpin().gap(read_problem(system, pair, None, axis, transverse))


def ratio(first, second):
    """The quotient of two gaps given as text, minus one, beyond the range of doubles."""
    with ctx.workprec(300):
        return float((arb(first) / arb(second) - 1).mid())


def rational(value):
    return fmpq(*float(value).as_integer_ratio())


# --------------------------------------------------------------------------------------------------------
# Chains of nearest neighbours: Newton's method for both parities, as many digits as the gap has zeros


def half_chain(S, period, square):
    """Projections of the half m >= 0, squared bonds of neighbours, and the one across the centre or None."""
    two_s = round(2 * S)
    first = two_s % (2 * period)
    m = [fmpq(first, 2) + k * period for k in range((two_s - first) // (2 * period) + 1)]
    s = fmpq(two_s, 2)

    def bond(lower):
        product = square
        for i in range(period):
            product *= s * (s + 1) - (lower + i) * (lower + i + 1)
        return product

    return m, [bond(x) for x in m[:-1]], bond(-m[0]) if first else None


def parity_level(diagonal, bonds, centre, parity, bits):
    """The lowest level of one parity; pivots from both ends meet where the level has most weight."""
    begin = 1 if centre is None and parity < 0 else 0
    edge = 0 if centre is None else parity
    rough = np.array([float(x) for x in diagonal[begin:]])
    off = np.sqrt([float(x) for x in bonds[begin:]])
    if centre is None and parity > 0:
        bonds = [2 * bonds[0], *bonds[1:]]
        off[0] *= math.sqrt(2)
    elif centre is not None:
        rough[0] += parity * math.sqrt(float(centre))
    values, vectors = eigh_tridiagonal(rough, off, select="i", select_range=(0, 0))
    site = begin + int(np.argmax(np.abs(vectors[:, 0])))
    schedule = [bits]
    while schedule[-1] > 120:
        schedule.append(schedule[-1] // 2 + 30)
    x = arb(values[0])
    for precision in reversed(schedule):
        with ctx.workprec(precision):
            first = edge * arb(centre).sqrt() if centre is not None else arb(0)
            inner = pivot(diagonal, lambda j: bonds[j - 1], range(begin, site + 1), first, x)
            outer = pivot(diagonal, lambda j: bonds[j], range(len(diagonal) - 1, site - 1, -1), 0, x)
            gamma = inner[0] + outer[0] - (arb(diagonal[site]) - x)
            x = (x - gamma / (inner[1] + outer[1] + 1)).mid()
    return x


def pivot(diagonal, bond, sites, first, x):
    """The last pivot of d - x along ``sites`` and its derivative."""
    F = slope = None
    for j in sites:
        d = (arb(diagonal[j]) - x).mid()
        if F is None:
            F, slope = (d + first).mid(), arb(-1)
        else:
            r = (arb(bond(j)) / F).mid()
            F, slope = (d - r).mid(), (-1 + r * slope / F).mid()
    return F, slope


def reference(S, period, square, diagonal, log10):
    """The ground splitting of a mirror-symmetric chain of neighbours, to some 25 digits."""
    bits = int(-log10 * 3.33) + 100
    m, bonds, centre = half_chain(S, period, square)
    energy = [diagonal(x) for x in m]
    levels = [parity_level(energy, bonds, centre, parity, bits) for parity in (1, -1)]
    with ctx.workprec(bits):
        return abs(levels[0] - levels[1]).mid()


@pytest.mark.parametrize("S", [10, 11, 100, 101, 1000])
def test_biaxial_splitting_is_that_of_ball_arithmetic(S):
    gap = gap_of(giant_spin(S, D=-1.0, E=0.125), (S, -S))
    exact = reference(S, 2, fmpq(1, 256), lambda m: -m * m, gap.log10)
    assert abs(ratio(gap.digits, exact)) <= gap.relative_error < 1e-15


@pytest.mark.parametrize("S", [10, 11, 100, 500.5, 1000])
def test_splitting_in_a_transverse_field_is_that_of_ball_arithmetic(S):
    field = 0.25 * S / (2 * MU_B)
    gap = gap_of(giant_spin(S, D=-1.0), (S, -S), transverse=(field, 0.0))
    h = rational(field) * 2 * rational(MU_B)
    exact = reference(S, 1, h * h / 4, lambda m: -m * m, gap.log10)
    assert abs(ratio(gap.digits, exact)) <= gap.relative_error < 1e-15


@pytest.mark.parametrize("S", [12, 50, 100, 400])
def test_tetragonal_splitting_is_that_of_ball_arithmetic(S):
    D, A4, C4 = -0.5, -1e-1 / S**2, 1e-2 / S**2
    gap = gap_of(giant_spin(S, D=D, A4=A4, C4=C4), (S, -S))
    d = [rational(D), rational(A4)]
    exact = reference(S, 4, rational(C4) ** 2, lambda m: d[0] * m**2 + d[1] * m**4, gap.log10)
    assert abs(ratio(gap.digits, exact)) <= gap.relative_error < 1e-15


def current_at_the_centre(S, period, square, diagonal, bits=160):
    """The splitting t_0 u_0 v_1 / sum u v, u even and v odd, where both levels agree in all digits kept."""
    m, bonds, centre = half_chain(S, period, square)
    assert centre is None
    energy, even = [diagonal(x) for x in m], [2 * bonds[0], *bonds[1:]]
    with ctx.workprec(bits):
        x = parity_level(energy, bonds, None, 1, bits)
        depth = np.array([float(e) for e in energy[1:]]) - 2 * np.sqrt([float(b) for b in bonds])
        site = 1 + int(np.argmin(depth))
        inner = all_pivots(energy, lambda j: even[j - 1], range(site), x)
        odd = all_pivots(energy, lambda j: bonds[j - 1], range(1, site), x)
        outer = all_pivots(energy, lambda j: bonds[j], range(len(m) - 1, site, -1), x)
        left = zip(bonds[site - 1 : 0 : -1], inner[:0:-1], strict=True)
        right = zip(bonds[site:], outer[::-1], strict=True)
        norm = arb(1)
        for side in (left, right):
            weight = arb(1)
            for bond, F in side:
                weight = (weight * bond / F**2).mid()
                norm = (norm + weight).mid()
        square_of_current = (even[0] / inner[0]) ** 2
        for j in range(1, site):
            factor = (bonds[j] / (inner[j] * odd[j - 1])) ** 2
            square_of_current = (square_of_current * factor).mid()
        return (square_of_current.sqrt() / norm).mid()


def all_pivots(diagonal, bond, sites, x):
    found = []
    for j in sites:
        d = diagonal[j] - x
        found.append((d - bond(j) / found[-1]).mid() if found else d.mid())
    return found


def test_current_at_the_centre_is_the_difference_of_the_two_levels():
    arguments = (100, 2, fmpq(1, 256), lambda m: -m * m)
    exact, current = reference(*arguments, -117.0), current_at_the_centre(*arguments, bits=500)
    assert abs(ratio(exact, current)) < 1e-22


def test_biaxial_splitting_at_a_hundred_thousand():
    S = 100_000
    gap = gap_of(giant_spin(S, D=-1.0, E=0.125), (S, -S))
    exact = current_at_the_centre(S, 2, fmpq(1, 256), lambda m: -m * m)
    assert abs(ratio(gap.digits, exact)) <= gap.relative_error < 1e-15


def test_splitting_in_a_transverse_field_at_twenty_thousand():
    S = 20_000
    field = 0.25 * S / (2 * MU_B)
    gap = gap_of(giant_spin(S, D=-1.0), (S, -S), transverse=(field, 0.0))
    h = rational(field) * 2 * rational(MU_B)
    exact = current_at_the_centre(S, 1, h * h / 4, lambda m: -m * m)
    assert abs(ratio(gap.digits, exact)) <= gap.relative_error < 1e-15


# --------------------------------------------------------------------------------------------------------
# Closed forms


def biaxial_asymptotics(S):
    """16 k1 l^(3/4) / (sqrt(pi) (1 + sqrt(l))) S^(3/2) ((1 - sqrt(l)) / (1 + sqrt(l)))^S; D = -1, E = 1/2."""
    k1, root = arb(3) / 2, (arb(1) / 3).sqrt()
    front = 16 * k1 * root.sqrt() ** 3 / (arb.pi().sqrt() * (1 + root))
    return front * arb(S) ** (arb(3) / 2) * ((1 - root) / (1 + root)) ** S


def test_biaxial_splitting_approaches_the_instanton_formula():
    deviation = []
    for S in (100, 1000, 10_000, 100_000, 1_000_000):
        gap = gap_of(giant_spin(S, D=-1.0, E=0.5), (S, -S))
        with ctx.workprec(200):
            deviation.append(S * ratio(gap.digits, biaxial_asymptotics(S)))
    assert deviation[1] == pytest.approx(-0.26, abs=5e-3)
    # S (exact / asymptotic - 1) is a series in 1/S; steps of ten in S divide its changes by ten
    changes = np.diff(deviation)
    np.testing.assert_allclose(changes[:-1] / changes[1:], 10.0, rtol=3e-2)


def test_error_at_a_hundred_thousand_from_the_series_in_inverse_size():
    """ln(exact / asymptotic), fitted below S = 5000 where ball arithmetic confirms it, predicts S = 1e5."""
    sizes = np.array([500, 700, 1000, 1400, 2000, 2800, 4000, 5000])
    values = []
    with ctx.workprec(200):
        for S in (*sizes.tolist(), 100_000):
            gap = gap_of(giant_spin(S, D=-1.0, E=0.5), (S, -S))
            values.append(float((arb(gap.digits) / biaxial_asymptotics(S)).log().mid()))
    powers = np.arange(1, 7)
    fit = np.linalg.lstsq((500.0 / sizes[:, None]) ** powers, np.array(values[:-1]), rcond=None)[0]
    assert values[-1] == pytest.approx(float((500.0 / 1e5) ** powers @ fit), abs=3e-14)


def test_weak_transverse_field_gives_the_lowest_order_product():
    S, m, ratios = 20, 20, []
    for h in (2e-2, 1e-2):
        gap = gap_of(giant_spin(S, D=-1.0), (m, -m), transverse=(h / (2 * MU_B), 0.0))
        with ctx.workprec(300):
            lowest = 2 * arb(math.factorial(S + m)) / math.factorial(S - m) / math.factorial(2 * m - 1) ** 2
            ratios.append(ratio(gap.digits, lowest * (arb(h) / 2) ** (2 * m)))
    assert abs(ratios[0]) < 1e-3
    assert ratios[0] / ratios[1] == pytest.approx(4.0, rel=1e-3)


def test_mn12_of_set_a():
    spin = giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5, g=1.94)
    assert float(gap_of(spin, (10, -10)).digits) == pytest.approx(2.96251952775e-12, rel=3e-12)
    assert float(gap_of(spin, (4, -4)).digits) == pytest.approx(1.290799846e-2, rel=1e-9)
    assert float(gap_of(spin, (9, -7)).digits) == pytest.approx(3.2e-8, rel=2e-2)
    assert gap_of(spin, (9, -9)).digits == "0"
