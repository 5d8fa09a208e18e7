"""Certified splittings against closed forms, mpmath and flint at 90 to 200 digits.

Every reference Hamiltonian is built here from its definition, out of the same exact binary numbers.
"""

import itertools
from fractions import Fraction
from functools import cache

import mpmath as mp
import numpy as np
import pytest
from flint import acb, acb_mat, arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

import mesospin as ms
from mesospin.constants import MU_B, MU_N
from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.model.interactions import Exchange, Hyperfine
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import Stevens, ZeroFieldSplitting
from mesospin.spectrum.tunnelling.problem import Levels, read_problem
from mesospin.spectrum.tunnelling.proved.certified import Certified

SET_A = {"S": 10, "D": -0.548, "A4": -1.17e-3, "C4": -2.2e-5, "g": 1.94}
FE8 = {"S": 10, "D": -0.292, "E": 0.046, "C4": -2.9e-5, "g": 2.0}


@pytest.fixture(autouse=True)
def ninety_digits():
    with mp.workdps(90):
        yield


def gap_of(system, pair, B=None, *, axis=(0.0, 0.0, 1.0), transverse=(0.0, 0.0), digits=30):
    return Certified(digits).gap(read_problem(system, pair, B, axis, transverse))


def spin_of(parameters):
    values = dict(parameters)
    return giant_spin(values.pop("S"), **values)


def assert_digits(gap, exact, digits=30):
    """The proved error holds, and is what was asked for."""
    assert gap.rigorous
    assert 0 < gap.relative_error <= 10.0**-digits
    assert abs(mp.mpf(gap.digits) - exact) <= gap.relative_error * exact
    assert gap.log10 == pytest.approx(float(mp.log10(exact)), rel=1e-14)


# the same spin Hamiltonian a second time, by its definition


def spin_matrices(S):
    """Sx, Sy, Sz in the basis m = +S ... -S."""
    n = round(2 * S) + 1
    m = [mp.mpf(S) - k for k in range(n)]
    up = mp.zeros(n)
    for k in range(1, n):
        up[k - 1, k] = mp.sqrt(mp.mpf(S) * (mp.mpf(S) + 1) - m[k] * (m[k] + 1))
    return (up + up.T) / 2, (up - up.T) / 2j, mp.diag(m)


def giant(**parameters):
    """H0 and the three dH/dB of a giant spin."""
    return _giant(mp.mp.dps, **parameters)


@cache
def _giant(digits, S, *, D, E=0.0, A4=0.0, C4=0.0, g=2.0):
    x, y, z = spin_matrices(S)
    up, down = x + 1j * y, x - 1j * y
    H0 = mp.mpf(D) * z**2 + mp.mpf(E) * (x**2 - y**2) + mp.mpf(A4) * z**4 + mp.mpf(C4) * (up**4 + down**4)
    return H0, [mp.mpf(MU_B) * mp.mpf(g) * s for s in (x, y, z)]


def levels(H):
    if all(value.imag == 0 for value in H):
        return sorted(mp.eigsy(H.apply(mp.re), eigvals_only=True))
    return sorted(mp.eighe(H, eigvals_only=True))


def field_vector(B, axis, transverse):
    unit = np.asarray(axis, dtype=float)
    unit = [mp.mpf(float(u)) for u in unit / np.linalg.norm(unit)]
    return [B * u + t for u, t in zip(unit, [*(mp.mpf(t) for t in transverse), mp.mpf(0)], strict=True)]


def gap_at(parameters, B, k, axis=(0, 0, 1), transverse=(0, 0)):
    H0, G = giant(**parameters)
    b = field_vector(B, axis, transverse)
    energies = levels(H0 + b[0] * G[0] + b[1] * G[1] + b[2] * G[2])
    return energies[k + 1] - energies[k]


@pytest.mark.parametrize("digits", [1, 5, 30, 100, 400])
def test_rhombic_spin_one(digits):
    """S = 1: the gap of (1, -1) is 2E exactly."""
    E = 0.1
    gap = gap_of(giant_spin(1, D=-1.0, E=E), (1, -1), digits=digits)
    with mp.workdps(digits + 20):
        exact = 2 * mp.mpf(E)
        assert abs(mp.mpf(gap.digits) - exact) <= mp.mpf(10) ** -digits * exact
    assert gap.relative_error <= 10.0**-digits or digits > 308
    assert gap.field == 0.0


@pytest.mark.parametrize("C4", [1e-9, -0.01, 1e-200])
def test_tetragonal_spin_two(C4):
    """S = 2: S+^4 has the single element 24, so the gap of (2, -2) is 48 |C| exactly."""
    assert_digits(gap_of(giant_spin(2, D=-1.0, C4=C4), (2, -2)), 48 * abs(mp.mpf(C4)))


def test_rhombic_spin_two():
    """S = 2: the even block has levels -4D, and -2D -+ 2 sqrt(D^2 + 3E^2)."""
    D, E = -1.0, 0.3
    d, e = -mp.mpf(D), mp.mpf(E)
    exact = -4 * d - (-2 * d - 2 * mp.sqrt(d**2 + 3 * e**2))
    assert_digits(gap_of(giant_spin(2, D=D, E=E), (2, -2)), exact)


@pytest.mark.parametrize(("m", "published"), [(10, 2.96251952775e-12), (4, 1.290799846e-2)])
def test_mn12_as_known(m, published):
    gap = gap_of(spin_of(SET_A), (m, -m))
    assert float(gap.digits) == pytest.approx(published, rel=3e-12 if m == 10 else 5e-10)


@pytest.mark.parametrize(("m", "lower"), [(10, 0), (8, 4), (6, 8)])
def test_mn12_against_mpmath(m, lower):
    """Doublets at zero field, by position: (10, -10), (9, -9), (8, -8), ..."""
    assert_digits(gap_of(spin_of(SET_A), (m, -m)), gap_at(SET_A, mp.mpf(0), lower))


@pytest.mark.parametrize(
    ("parameters", "pair", "lower", "field"),
    [
        (SET_A, (10, -9), 1, {"axis": (0.1, 0.0, 1.0)}),
        (FE8, (10, -8), 2, {"transverse": (0.1, 0.0)}),
        ({"S": 4.5, "D": -0.61, "E": 0.02}, (4.5, -3.5), 1, {"transverse": (0.03, 0.02)}),
        ({"S": 2, "D": -1.0, "E": 0.01}, (2, -1), 1, {"axis": (0.0, 0.2, 1.0)}),
    ],
)
def test_resonances_in_tilted_fields(parameters, pair, lower, field):
    """The gap at our field has our digits, and is larger on either side."""
    gap = gap_of(spin_of(parameters), pair, **field)
    B = mp.mpf(gap.field_digits)
    here = gap_at(parameters, B, lower, **field)
    assert_digits(gap, here)
    # digits of the field resolve the splitting itself: gap^2 = Delta^2 + (slope dB)^2
    width = here / abs(mp.mpf(gap.slope))
    for side in (-1, 1):
        away = gap_at(parameters, B + side * width * mp.mpf("1e-10"), lower, **field)
        assert (away**2 - here**2) / here**2 == pytest.approx(1e-20, rel=1e-3)


def test_half_integer_spin_in_a_transverse_field():
    """S = 3/2 with Hx: the two parities of exp(i pi Sx) are 2x2 problems; E = h/2 ... of each by hand."""
    D, bx = -1.0, 0.3
    spin = giant_spin(1.5, D=D, g=2.0)
    h = 2 * mp.mpf(MU_B) * mp.mpf(bx)
    # basis (|3/2> -+ |-3/2>), (|1/2> -+ |-1/2>): <3/2|Sx|1/2> = sqrt(3)/2, <1/2|Sx|-1/2> = 1
    low = []
    for parity in (1, -1):
        a, b, c = mp.mpf(9) / 4 * D, mp.mpf(1) / 4 * D + parity * h, mp.sqrt(3) / 2 * h
        low.append((a + b) / 2 - mp.sqrt(((a - b) / 2) ** 2 + c**2))
    gap = gap_of(spin, (1.5, -1.5), transverse=(bx, 0.0))
    assert_digits(gap, abs(low[0] - low[1]))


def test_axial_hyperfine_shifts_the_field_only():
    """S = 1, I = 1/2, A Sz Iz: the gap of (1, up) and (-1, up) is 2E at g mu_B B = -A/2."""
    E, A = 0.01, 0.125
    system = SpinSystem(
        "toy",
        [Spin(1, 2.0), Spin(0.5, 1.0, "I", nuclear=True)],
        [ZeroFieldSplitting(-1.0, E), Hyperfine(0, 1, (0, 0, A))],
    )
    gap = gap_of(system, ("m=1, mI=1/2", "m=-1, mI=1/2"))
    assert_digits(gap, 2 * mp.mpf(E))
    field = -mp.mpf(A) / 2 / (2 * mp.mpf(MU_B))
    assert abs(mp.mpf(gap.field_digits) - field) < mp.mpf("1e-30")


def test_isotropic_hyperfine_of_erbium():
    """J = 15/2 with I = 7/2: the block of (15/2, 7/2) and (-15/2, 5/2), Stevens operators as printed."""
    system = ms.load("erw10-167")
    gap = gap_of(system, ("m=15/2, mI=7/2", "m=-15/2, mI=5/2"))
    J, I = (spin_matrices(s.S) for s in system.spins)
    unit_J, unit_I = mp.eye(16), mp.eye(8)
    X, z = mp.mpf(15) / 2 * mp.mpf(17) / 2, J[2]
    up, down = J[0] + 1j * J[1], J[0] - 1j * J[1]
    operators = {
        (2, 0): 3 * z**2 - X * unit_J,
        (4, 0): 35 * z**4 - (30 * X - 25) * z**2 + (3 * X**2 - 6 * X) * unit_J,
        (6, 0): 231 * z**6
        - (315 * X - 735) * z**4
        + (105 * X**2 - 525 * X + 294) * z**2
        + (-5 * X**3 + 40 * X**2 - 60 * X) * unit_J,
        (4, 4): (up**4 + down**4) / 2,
    }
    crystal, electron = mp.zeros(16), mp.zeros(16)
    coupling = mp.zeros(128)
    for term in system.terms:
        if isinstance(term, Stevens):
            crystal += mp.mpf(term.B) * operators[term.k, term.q]
        else:
            coupling += mp.mpf(term.A[0][0]) * sum(
                (kron(a, b) for a, b in zip(J, I, strict=True)), mp.zeros(128)
            )
    g_J, g_I = (mp.mpf(spin.g[2][2]) for spin in system.spins)
    electron = g_J * mp.mpf(MU_B) * z
    G = kron(electron, unit_I) - g_I * mp.mpf(MU_N) * kron(unit_J, I[2])
    H = kron(crystal, unit_I) + coupling + mp.mpf(gap.field_digits) * G
    # m + mI modulo 4 is conserved; state (k, l) has m + mI = 11 - k - l
    block = [8 * k + l for k, l in itertools.product(range(16), range(8)) if (k + l) % 4 == 0]
    assert {0, 8 * 15 + 1} <= set(block)
    sub = mp.matrix([[mp.re(H[i, j]) for j in block] for i in block])
    energies = sorted(mp.eigsy(sub, eigvals_only=True))
    nearest = min((b - a for a, b in itertools.pairwise(energies)), key=lambda d: abs(d - mp.mpf(gap.digits)))
    assert_digits(gap, nearest)


def kron(a, b):
    return mp.matrix(np.kron(*(np.array(x.tolist(), dtype=object) for x in (a, b))).tolist())


def test_large_spin_against_the_tridiagonal_recursion():
    """S = 60 biaxial, gap 1e-59: Newton on the characteristic polynomials of both parities, by mpmath."""
    S, D, E = 60, -1.0, 0.25
    gap = gap_of(giant_spin(S, D=D, E=E), (S, -S))
    with mp.workdps(160):
        m = range(0, S + 1, 2)
        a = [mp.mpf(D) * k * k for k in m]
        b = [mp.mpf(E) / 2 * mp.sqrt(ladder(S, k) * ladder(S, k + 1)) for k in m[:-1]]
        # even: sqrt(2) at the centre; odd: no centre.  Ground level of each, from below
        even = lowest(a, [mp.sqrt(2) * b[0], *b[1:]])
        odd = lowest(a[1:], b[1:])
        assert_digits(gap, abs(odd - even))


def ladder(S, m):
    return mp.mpf(S * (S + 1) - m * (m + 1))


def lowest(diagonal, off):
    """Lowest eigenvalue of a tridiagonal matrix by Newton's iteration from below."""
    x = min(d - (off[k - 1] if k else 0) - (off[k] if k < len(off) else 0) for k, d in enumerate(diagonal))
    for _ in range(2000):
        pivot, log_derivative, slope = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for k, d in enumerate(diagonal):
            if k == 0:
                pivot, slope = d - x, mp.mpf(-1)
            else:
                square = off[k - 1] ** 2
                pivot, slope = d - x - square / pivot, -1 + square * slope / pivot**2
            log_derivative += slope / pivot
        step = -1 / log_derivative
        x += step
        if abs(step) < mp.mpf(10) ** -150 * abs(x):
            return x
    raise AssertionError


def test_fourth_order_and_tilt_widen_the_band():
    """S = 30 in a banded block of width 4 against the same spin through its dense matrix, by position."""
    spin = giant_spin(30, D=-1.0, E=0.1, C4=1e-5)
    named = gap_of(spin, (30, -30), transverse=(0.5, 0.25))
    by_position = gap_of(spin, Levels(0, 1), 0.0, transverse=(0.5, 0.25))
    assert_digits(named, mp.mpf(by_position.digits), digits=29)


def test_a_pair_among_close_neighbours():
    """Hyperfine neighbours 10 mK away: the lowest-order gap would be wrong in its fifth digit."""
    D, E, A = -1.0, 0.125, (-0.0703125, 0.01953125, -0.021484375)
    system = SpinSystem(
        "pair",
        [Spin(1.5, 2.0), Spin(1.5, 1.0, "I", nuclear=True)],
        [Hyperfine(0, 1, A), ZeroFieldSplitting(D, E)],
    )
    gap = gap_of(system, ("m=-3/2, mI=3/2", "m=3/2, mI=-3/2"))
    x, y, z = spin_matrices(1.5)
    zero_field = mp.mpf(D) * z**2 + mp.mpf(E) * (x**2 - y**2)
    H = kron(zero_field, mp.eye(4))
    for a, s in zip(A, (x, y, z), strict=True):
        H += mp.mpf(a) * kron(s, s)
    energies = levels(H)
    nearest = min((b - a for a, b in itertools.pairwise(energies)), key=lambda d: abs(d - mp.mpf(gap.digits)))
    assert gap.field == 0.0
    assert_digits(gap, nearest)


def test_wide_gaps_are_minima_too():
    """A gap as wide as the spacing of the levels: the minimum of eigenvalue differences."""
    parameters = {"S": 1.5, "D": -1.0, "E": 0.25}
    gap = gap_of(spin_of(parameters), (1.5, -0.5))
    B = mp.mpf(gap.field_digits)

    def distance(B):
        return gap_at(parameters, B, 1)

    assert_digits(gap, distance(B))
    step = mp.mpf("1e-6")
    assert min(distance(B - step), distance(B + step)) > distance(B)
    assert abs(distance(B + step) - distance(B - step)) < mp.mpf("1e-12")


# levels by position


def test_levels_of_a_narrow_doublet():
    spin = spin_of(SET_A)
    for B, pair in ((0.0, (0, 1)), (1e-13, (0, 1)), (0.4, (3, 11))):
        H0, G = giant(**SET_A)
        energies = levels(H0 + mp.mpf(B) * G[2])
        assert_digits(gap_of(spin, Levels(*pair), B), energies[pair[1]] - energies[pair[0]])


def test_levels_beside_exact_doublets():
    """At zero field odd m of a tetragonal spin are exactly degenerate; distances between doublets are not."""
    spin = spin_of(SET_A)
    energies = levels(giant(**SET_A)[0])
    assert_digits(gap_of(spin, Levels(2, 4), 0.0), energies[4] - energies[2])
    with pytest.raises(ConvergenceError, match=r"proved to be below 1e-\d{3} K"):
        gap_of(spin, Levels(2, 3), 0.0)


def test_sixteenfold_groups():
    """Nuclei without coupling: groups of 2 x 8 equal levels, as far apart as those of J alone."""
    bare = SpinSystem("bare", [Spin(1.5, 1.2)], [ZeroFieldSplitting(-1.0, 0.25)])
    dressed = SpinSystem(
        "dressed", [*bare.spins, Spin(3.5, 1.0, "I", nuclear=True)], [ZeroFieldSplitting(-1.0, 0.25)]
    )
    exact = 2 * mp.sqrt(1 + 3 * mp.mpf(0.25) ** 2)
    assert_digits(gap_of(bare, Levels(0, 2), 0.0), exact)
    assert_digits(gap_of(dressed, Levels(3, 17), 0.0), exact)


eighths = st.integers(-24, 24).map(lambda n: n / 8)


@settings(max_examples=25, deadline=None)
@given(
    tensor=st.lists(eighths, min_size=9, max_size=9),
    D=eighths,
    E=eighths,
    B=eighths,
    axis=st.sampled_from([(0, 0, 1), (0, 1, 0), (1, 0, 0)]),
    transverse=st.tuples(eighths, eighths),
    pair=st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda p: p[0] < p[1]),
)
def test_random_pairs_of_spins_lie_in_their_enclosures(tensor, D, E, B, axis, transverse, pair):
    """S = 1 with S = 1/2, any exchange tensor, any field: 200 digits of flint inside the proved error."""
    J = [tensor[:3], tensor[3:6], tensor[6:]]
    system = SpinSystem(
        "random",
        [Spin(1, 2.0), Spin(0.5, 1.5)],
        [ZeroFieldSplitting(D, E), Exchange(0, 1, J, convention="+J")],
    )
    with mp.workdps(210), ctx.workdps(210):
        one, half = spin_matrices(1), spin_matrices(0.5)
        eyes = mp.eye(3), mp.eye(2)
        H = kron(
            mp.mpf(D) * (one[2] ** 2 - mp.eye(3) * 2 / 3) + mp.mpf(E) * (one[0] ** 2 - one[1] ** 2), eyes[1]
        )
        for i, k in itertools.product(range(3), repeat=2):
            H += mp.mpf(J[i][k]) * kron(one[i], half[k])
        b = [B * a + t for a, t in zip(axis, (*transverse, 0.0), strict=True)]
        for component in range(3):
            moment = 2 * kron(one[component], eyes[1]) + mp.mpf(1.5) * kron(eyes[0], half[component])
            H += mp.mpf(MU_B) * mp.mpf(b[component]) * moment
        ball = acb_mat(
            [
                [acb(arb(mp.nstr(mp.re(H[i, j]), 205)), arb(mp.nstr(mp.im(H[i, j]), 205))) for j in range(6)]
                for i in range(6)
            ]
        )
        roots = sorted(
            mp.mpf(x.real.mid().str(200, radius=False)) for x in ball.eig(algorithm="approx", multiple=False)
        )
        exact = roots[pair[1]] - roots[pair[0]]
        try:
            gap = gap_of(system, Levels(*pair), B, axis=axis, transverse=transverse)
        except ConvergenceError:
            assert exact < mp.mpf("1e-190")
            return
        if gap.digits == "0":
            assert exact < mp.mpf("1e-190")
        else:
            assert_digits(gap, exact)


# what is refused


@pytest.mark.parametrize("digits", [0, -3, 2.5, True, 10**6])
def test_digits_are_a_whole_number(digits):
    with pytest.raises(InputError, match="digits must be"):
        Certified(digits)


def test_huge_spins_are_sent_to_the_method_that_fits():
    with pytest.raises(TooLargeError, match=r"at most 20001 states .* use LargeSpin\(\)"):
        gap_of(giant_spin(100_000, D=-1.0, E=0.1), (100_000, -100_000))


def test_mixed_states_have_no_labels():
    with pytest.raises(InputError, match="mixed too strongly"):
        gap_of(giant_spin(2, D=-1.0, E=0.9), (1, 0), transverse=(2.0, 0.0))


def test_a_forbidden_pair_is_exactly_zero():
    gap = gap_of(spin_of(SET_A), (9, -9))
    assert (gap.digits, gap.relative_error, gap.log10) == ("0", 0.0, float("-inf"))
    # in one block with each other, but only through the field along the axis, which vanishes
    gap = gap_of(giant_spin(1, D=-1.0), (1, -1), axis=(0.25, 0.0, 1.0))
    assert (gap.digits, gap.field) == ("0", 0.0)
    gap = gap_of(spin_of(SET_A), (10, -9))
    assert gap.digits == "0"
    assert gap.field == pytest.approx(0.58304, abs=1e-4)


def test_kramers_pairs_end_in_a_sentence():
    """Both states in one block, the gap exactly zero by time reversal: no endless loop."""
    spin = SpinSystem("odd", [Spin(1.5)], [ZeroFieldSplitting(-1.0, 0.2, frame=(0.1, 0.2, 0.3))])
    with pytest.raises(ConvergenceError, match=r"proved to be below 1e-\d\d+ K"):
        gap_of(spin, (1.5, -1.5))


def test_parallel_states_never_meet():
    bare = SpinSystem("two", [Spin(0.5), Spin(0.5)], [Exchange(0, 1, 1.0, convention="+J")])
    with pytest.raises(InputError, match="same moment"):
        gap_of(bare, ("m1=1/2, m2=-1/2", "m1=-1/2, m2=1/2"))


def test_fraction_of_a_double():
    """The Hamiltonian is made of the doubles, not of their decimal texts."""
    gap = gap_of(giant_spin(1, D=-1.0, E=0.1), (1, -1), digits=40)
    exact = 2 * Fraction(0.1)
    assert abs(Fraction(gap.digits) - exact) <= Fraction(gap.relative_error) * exact
    assert abs(Fraction(gap.digits) - Fraction(2, 10)) > Fraction(1, 10**18)
