"""Splittings and resonance fields of any chain against balls, zeros by interference, invariants.

The reference is built here from the spin matrices: inverse iteration with several hundred digits.
"""

import math

import numpy as np
import pytest
from flint import acb, acb_mat, arb, ctx, fmpq

from mesospin.constants import MU_B
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import SpinPower, Stevens, ZeroFieldSplitting
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
# Any chain: the two levels of the dense matrix by inverse iteration


def spin_matrices(S):
    two_s = round(2 * S)
    n = two_s + 1
    s = fmpq(two_s, 2)
    m = [s - k for k in range(n)]
    rows = [[acb(arb(m[i])) if i == j else acb(0) for j in range(n)] for i in range(n)]
    up = [
        [acb(arb(s * (s + 1) - m[j] * (m[j] + 1)).sqrt()) if i == j - 1 else acb(0) for j in range(n)]
        for i in range(n)
    ]
    Sz, plus = acb_mat(rows), acb_mat(up)
    minus = plus.transpose()
    return (plus + minus) * acb(0.5), (plus - minus) * acb(0, -0.5), Sz, plus, minus


def dense(S, *, D, E=0.0, C4=0.0, O43=0.0, transverse=(0.0, 0.0), axis=(0.0, 0.0, 1.0)):
    """H0 and G of the same doubles, in ball arithmetic."""
    Sx, Sy, Sz, plus, minus = spin_matrices(S)

    def times(M, value):
        return M * acb(arb(rational(value)))

    H = times(Sz * Sz, D) + times(Sx * Sx - Sy * Sy, E) + times(plus**4 + minus**4, C4)
    cube = plus**3 + minus**3
    H += times(Sz * cube + cube * Sz, 0.5 * O43)
    mu = acb(arb(2 * rational(MU_B)))
    H += (times(Sx, transverse[0]) + times(Sy, transverse[1])) * mu
    return H, (times(Sx, axis[0]) + times(Sy, axis[1]) + times(Sz, axis[2])) * mu


def middle(M):
    rows, columns = M.nrows(), M.ncols()
    return acb_mat(
        [[acb(M[i, j].real.mid(), M[i, j].imag.mid()) for j in range(columns)] for i in range(rows)]
    )


def two_levels(H, G, shift):
    """H and G in the space of the two levels next to ``shift``, as vectors of Pauli matrices."""
    n = H.nrows()
    K = middle(H - acb_mat([[acb(shift) if i == j else acb(0) for j in range(n)] for i in range(n)]))
    rng = np.random.default_rng(1)
    X = acb_mat([[acb(*rng.normal(size=2)) for _ in range(2)] for _ in range(n)])
    before = None
    for _ in range(60):
        X = middle(K.solve(X, algorithm="approx"))
        X = orthonormal(X, n)
        h, g = (pauli(X.conjugate().transpose() * M * X) for M in (H, G))
        along = sum((a * b for a, b in zip(h, g, strict=True)), arb(0)) / sum((b * b for b in g), arb(0))
        across = [a - along * b for a, b in zip(h, g, strict=True)]
        gap = 2 * sum((a * a for a in across), arb(0)).sqrt().mid()
        if before is not None and abs(float((gap / before - 1).mid())) < 1e-22:
            return gap, -along.mid()
        before = gap
    raise AssertionError


def orthonormal(X, n):
    a, b = ([X[i, k] for i in range(n)] for k in range(2))
    size = sum((abs(z) ** 2 for z in a), arb(0)).sqrt()
    a = [z / size for z in a]
    for _ in range(2):
        overlap = sum((x.conjugate() * y for x, y in zip(a, b, strict=True)), acb(0))
        b = [y - overlap * x for x, y in zip(a, b, strict=True)]
    size = sum((abs(z) ** 2 for z in b), arb(0)).sqrt()
    return middle(acb_mat([[x, y / size] for x, y in zip(a, b, strict=True)]))


def pauli(h):
    return [((h[0, 0] - h[1, 1]) / 2).real.mid(), h[0, 1].real.mid(), h[0, 1].imag.mid()]


CASES = [
    (10, (10, -10), {"D": -0.292, "E": 0.046}, (1.0, 0.0), (0, 0, 1)),
    (10, (10, -9), {"D": -0.292, "E": 0.046, "C4": -2.9e-5}, (1.0, 0.3), (0, 0, 1)),
    (10, (8, -7), {"D": -0.292, "E": 0.046, "C4": -2.9e-5}, (1.0, 0.3), (0, 0, 1)),
    (12.5, (12.5, -11.5), {"D": -0.566, "E": 0.075, "C4": 5.7e-5}, (0.0, 1.97), (0, 0, 1)),
    (7, (7, -7), {"D": -0.9, "E": 0.07}, (0.0, 0.0), (-0.1, -0.15, 1)),
    (7, (7, -7), {"D": -0.655, "C4": -2.04e-4}, (0.29, 0.67), (0.1, 0.05, 1)),
    (9.5, (9.5, -8.5), {"D": -0.292, "E": 0.046, "O43": 1e-4}, (0.2, 0.7), (0, 0, 1)),
    (20, (20, -19), {"D": -0.292, "E": 0.046, "O43": 1e-5}, (0.2, 0.7), (0.1, 0, 1)),
    (30, (28, -29), {"D": -0.292, "E": 0.046}, (4.0, 1.0), (0, 0, 1)),
    (30, (22, -21), {"D": -0.292, "E": 0.046, "C4": -1e-6}, (2.0, 1.0), (0, 0, 1)),
    (3, (3, -2), {"D": -1.0, "E": 0.125}, (0.5, 0.0), (0, 0, 1)),
    (2, (2, -1), {"D": -1.0, "E": 0.05}, (0.1, 0.0), (0, 0, 1)),
    (1, (1, 0), {"D": -1.0, "E": 0.05}, (0.01, 0.0), (0, 0, 1)),
]


@pytest.mark.parametrize(("S", "pair", "terms", "transverse", "axis"), CASES)
def test_minimum_gap_and_its_field_are_those_of_the_dense_matrix(S, pair, terms, transverse, axis):
    parts = dict(terms)
    cubic = parts.pop("O43", 0.0)
    system = giant_spin(S, **parts)
    if cubic:
        system = SpinSystem("cubic", system.spins, (*system.terms, SpinPower(cubic, z=1, ladder=3)))
    problem = read_problem(system, pair, None, axis, transverse)
    gap = LargeSpin().gap(problem)
    energy = np.linalg.eigvalsh(problem.line().at(gap.field))
    k = int(np.argmin(np.abs(np.diff(energy) - float(gap.digits))))
    with ctx.workprec(int(-gap.log10 * 8) + 300):
        H, G = dense(S, **terms, transverse=transverse, axis=problem.axis)
        field = arb(gap.field)
        for _ in range(12):
            # off the levels, which would make the matrix singular
            exact, shift = two_levels(H + G * acb(field), G, arb(0.5 * (energy[k] + energy[k + 1]) + 1e-5))
            field = (field + shift).mid()
            if abs(float(shift)) < 1e-22:
                break
        assert abs(ratio(gap.digits, exact)) <= gap.relative_error < 1e-14
        last = 10.0 ** -len(gap.field_digits.partition(".")[2])
        assert abs(float((arb(gap.field_digits) - field).mid())) <= 2 * last


# --------------------------------------------------------------------------------------------------------
# Interference


def hard_axis_period(D, E):
    return 2 * math.sqrt(2 * E * (E - D)) / (2 * MU_B)


@pytest.mark.parametrize("S", [10, 10.5, 60])
def test_zeros_on_the_hard_axis(S):
    D, E = -0.292, 0.046
    period, offset = hard_axis_period(D, E), 0.5 if round(S) == S else 0.0
    spin = giant_spin(S, D=D, E=E)
    for k in (1, 2, 5):
        here, near, far = (
            gap_of(spin, (S, -S), transverse=(period * (k + offset + shift), 0.0)).log10
            for shift in (0.0, 1e-5, 1e-4)
        )
        # linear around a zero that rounding of the field misses by some 1e-16
        assert here < near - 8
        assert far - near == pytest.approx(1.0, abs=0.02)


def test_what_is_left_at_a_zero_is_right_within_its_larger_error():
    """The double nearest to a diabolical point leaves a gap 1e-16 of its neighbourhood."""
    terms, transverse = {"D": -0.292, "E": 0.046}, (0.1312616889058192, 0.0)
    gap = gap_of(giant_spin(10, **terms), (10, -10), transverse=transverse)
    with ctx.workprec(600):
        H, G = dense(10, **terms, transverse=transverse)
        energy = np.linalg.eigvalsh([[float(H[i, j].real.mid()) for j in range(21)] for i in range(21)])[0]
        exact, _ = two_levels(H, G, arb(energy) + 1e-5)
        assert abs(ratio(gap.digits, exact)) <= gap.relative_error < 1e-12
    assert gap.log10 < -25
    assert gap.relative_error > 1e-14


def test_parity_of_the_resonance_moves_the_zeros_by_half_a_period():
    period, spin = hard_axis_period(-0.292, 0.046), giant_spin(10, D=-0.292, E=0.046)
    for n in range(4):
        on, between = (gap_of(spin, (10, -10 + n), transverse=(x * period, 0.0)).log10 for x in (1.0, 1.5))
        assert (on > between + 2) == (n % 2 == 0)


# --------------------------------------------------------------------------------------------------------
# Invariants


def test_rotating_everything_about_z_changes_nothing():
    S, angle = 40, 0.7
    field = 3.0
    plain = gap_of(giant_spin(S, D=-0.3, E=0.04), (S, -S + 1), transverse=(field, 0.0))
    turned_terms = [ZeroFieldSplitting(-0.3, 0.04, frame=(angle, 0.0, 0.0))]
    turned = gap_of(
        SpinSystem("turned", [Spin(S)], turned_terms),
        (S, -S + 1),
        transverse=(field * math.cos(angle), field * math.sin(angle)),
    )
    assert turned.log10 == pytest.approx(plain.log10, abs=1e-11)
    assert turned.field == pytest.approx(plain.field, rel=1e-12)


def test_tilting_the_anisotropy_at_zero_field_changes_nothing_until_it_is_refused():
    plain = gap_of(giant_spin(60, D=-1.0, E=0.125), (60, -60))
    for tilt in (0.02, 0.2, 0.4):
        terms = [ZeroFieldSplitting(-1.0, 0.125, frame=(0.3, tilt, 0.1))]
        gap = gap_of(SpinSystem("tilted", [Spin(60)], terms), (60, -60))
        # rounding of the rotated tensor is worth 1e-13
        assert abs(ratio(gap.digits, plain.digits)) < gap.relative_error + 5e-13


def test_two_kernels_agree():
    """A field axis a little off z leads to wider rows, which vanish at zero field."""
    for system, S, transverse in (
        (giant_spin(20_000, D=-1.0, E=0.125), 20_000, (0.0, 0.0)),
        (giant_spin(5_000, D=-1.0), 5_000, (930.0, 0.0)),
    ):
        for pair in ((S, -S), (S - 4, -S + 4)):
            narrow = gap_of(system, pair, transverse=transverse)
            wide = gap_of(system, pair, transverse=transverse, axis=(1e-9, 0.0, 1.0))
            assert abs(ratio(narrow.digits, wide.digits)) <= 4e-16


def test_stevens_operators_of_both_kinds_are_rotations_of_each_other():
    S, turn = 20, math.pi / 8
    base = [ZeroFieldSplitting(-0.5, 0.0), Stevens(4, 0, -1e-5)]
    for k, q, value in ((4, 4, 3e-5), (4, 2, 2e-4), (6, 4, 1e-8)):
        cosine = gap_of(SpinSystem("c", [Spin(S)], [*base, Stevens(k, q, value)]), (S, -S))
        parts = [
            Stevens(k, q, value * math.cos(q * turn)),
            Stevens(k, -q, value * math.sin(q * turn)),
        ]
        both = gap_of(SpinSystem("s", [Spin(S)], [*base, *parts]), (S, -S))
        assert both.log10 == pytest.approx(cosine.log10, abs=1e-12)


def test_pure_states_of_a_chain_of_two():
    """S = 1 with E alone: the levels +1 and -1 repel by 2E exactly."""
    assert gap_of(giant_spin(1, D=-1.0, E=0.0625), (1, -1)).digits.rstrip("0e+").startswith("1.25")
