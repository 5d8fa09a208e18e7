"""The parts of LargeSpin: arithmetic, elements, kernels, labels, refusals."""

import math
from fractions import Fraction

import numpy as np
import pytest

from mesospin.constants import MU_B
from mesospin.errors import ConvergenceError, InputError
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import SpinPower, Stevens, ZeroFieldSplitting
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.tunnelling.large_spin import banded, double_double, tridiagonal
from mesospin.spectrum.tunnelling.large_spin.elements import ladder
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.large_spin.segment import isolate, segment
from mesospin.spectrum.tunnelling.problem import Levels, read_problem

GENERAL = SpinSystem(
    "general",
    [Spin(8.5, [[2.0, 0.01, 0.05], [0.02, 1.9, 0.03], [0.1, 0.04, 2.1]])],
    [
        ZeroFieldSplitting(-0.5, 0.06, frame=(0.3, 0.1, 0.2)),
        Stevens(4, -3, 1e-4),
        Stevens(6, 4, -2e-7),
        SpinPower(1e-5, z=2, ladder=3),
    ],
)


def gap_of(system, pair, *, transverse=(0.0, 0.0), axis=(0.0, 0.0, 1.0), B=None):
    return LargeSpin().gap(read_problem(system, pair, B, axis, transverse))


def chain_of(system, m, field, *, transverse=(0.0, 0.0), axis=(0.0, 0.0, 1.0)):
    S = system.spins[0].S
    problem = read_problem(system, (S, -S), None, axis, transverse)
    return ladder(problem).chain(m, double_double.rational(field))


# --------------------------------------------------------------------------------------------------------
# Arithmetic


def as_fraction(pair):
    return Fraction(pair[0]) + Fraction(pair[1])


@pytest.mark.parametrize("name", ["add", "multiply", "divide"])
def test_operations_are_within_their_bound(name):
    rng = np.random.default_rng(2)
    exact = {"add": Fraction.__add__, "multiply": Fraction.__mul__, "divide": Fraction.__truediv__}[name]
    for _ in range(300):
        x, y = ((h, h * 2.0**-54 * rng.uniform(-1, 1)) for h in rng.normal(size=2) * 10 ** rng.uniform(-8, 8))
        wanted = exact(as_fraction(x), as_fraction(y))
        scale = max(abs(x[0]), abs(y[0])) if name == "add" else abs(float(wanted))
        found = as_fraction(getattr(double_double, name)(*x, *y))
        assert abs(float(found - wanted)) <= double_double.EPSILON * scale


def test_root_and_exact_product():
    high, low = double_double.root(2.0, 1e-17)
    assert abs(float((as_fraction((high, low)) ** 2 - 2 - Fraction(1e-17)) / 2)) < double_double.EPSILON
    assert double_double.root(-1.0, 0.0) == (0.0, 0.0)
    a, b = 1.0 + 2.0**-30, 1.0 - 2.0**-29
    assert as_fraction(double_double.two_product(a, b)) == Fraction(a) * Fraction(b)


def test_numbers_survive_the_split():
    value = double_double.rational(0.1) / 3
    assert abs(float(double_double.rounded(value) / value - 1)) < double_double.EPSILON


# --------------------------------------------------------------------------------------------------------
# Elements


def test_rows_of_a_chain_are_those_of_the_dense_matrix():
    chain = chain_of(GENERAL, 8.5, 0.3, transverse=(0.4, -0.2), axis=(0.1, 0.2, 1.0))
    H = field_line(GENERAL, transverse=(0.4, -0.2), axis=(0.1, 0.2, 1.0)).at(0.3)
    unit = 2.0**chain.exponent
    diagonal, rows = chain.band_rows(0, chain.sites)
    assert chain.width == 4
    np.testing.assert_allclose(diagonal[0] * unit, H.diagonal().real, atol=1e-13)
    for n in range(1, 5):
        found = (rows[n - 1, 0] + 1j * rows[n - 1, 2]) * unit
        np.testing.assert_allclose(found[n:], np.diag(H, -n), atol=1e-13)


def test_chain_of_a_biaxial_spin_takes_every_second_state_in_both_directions():
    spin = giant_spin(7, D=-1.0, E=0.2)
    chain = chain_of(spin, 6, 0.0)
    assert (chain.sites, chain.period, chain.top, chain.width) == (7, 2, 6, 1)
    unit = 2.0**chain.exponent
    H = field_line(spin).at(0.0)[1::2, 1::2]
    d, square = chain.ladder_pairs(0, 7)
    np.testing.assert_allclose(d[0] * unit, H.diagonal(), atol=1e-14)
    np.testing.assert_allclose(np.sqrt(square[0, 1:]) * unit, np.diag(H, 1), rtol=1e-14)
    up, upwards = chain.ladder_pairs(6, 7, upwards=True)
    np.testing.assert_array_equal(up[0], d[0, ::-1])
    np.testing.assert_allclose(upwards[0, 1:], square[0, :0:-1], rtol=1e-15)


def test_slopes_of_the_chain_are_the_zeeman_operator():
    chain = chain_of(GENERAL, 8.5, 0.0, axis=(0.1, 0.2, 1.0))
    G = field_line(GENERAL, axis=(0.1, 0.2, 1.0)).G
    np.testing.assert_allclose(chain.slope_diagonal(0, 18), G.diagonal().real, atol=1e-13)
    np.testing.assert_allclose(chain.slope_rows(0, 18)[0, 1:], np.diag(G, -1), atol=1e-13)


# --------------------------------------------------------------------------------------------------------
# Kernels


def random_band(n, w, rng):
    d = rng.normal(size=n) + 4.0
    rows = np.zeros((w, 4, n))
    rows[:, ::2] = rng.normal(size=(w, 2, n))
    H = np.diag(d).astype(complex)
    for k in range(1, w + 1):
        rows[k - 1, :, :k] = 0.0
        values = rows[k - 1, 0, k:] + 1j * rows[k - 1, 2, k:]
        H += np.diag(values, -k) + np.diag(values.conj(), k)
    return np.array([d, np.zeros(n)]), rows, H


@pytest.mark.parametrize("w", [1, 2, 3, 5])
def test_levels_below_an_energy_are_counted(w):
    rng = np.random.default_rng(w)
    d, rows, H = random_band(30, w, rng)
    levels = np.linalg.eigvalsh(H)
    for k in (0, 3, 29):
        energy = levels[k] + 1e-7
        assert banded.count_below(d[0], rows[:, 0] + 1j * rows[:, 2], energy) == k + 1
        if w == 1:
            square = rows[0, 0] ** 2 + rows[0, 2] ** 2
            assert tridiagonal.count_below(d[0], square, energy) == k + 1


def folded(d, rows, energy, kept, *, storing=0, chunks=1):
    w, n = rows.shape[0], d.shape[1]
    window, border, effective = np.zeros((w + 1, w + 1, 4)), np.zeros((3, w + 1, 4)), np.zeros((2, 2, 4))
    measures, factors = np.array([1.0, 0.0]), np.zeros((n if storing else 0, w + 2, 4))
    place = np.array([0, 0, 0, 0, storing, 1])
    parts = [(d[:, p], rows[:, :, p]) for p in np.array_split(np.arange(n), chunks)]
    parts.append((np.array([[energy + 1.0] * w, [0.0] * w]), np.zeros((w, 4, w))))
    for a, b in parts:
        args = (np.array(kept), place, window, border, effective, measures, factors)
        banded.fold(np.ascontiguousarray(a), np.ascontiguousarray(b), energy, 0.0, *args)
    return effective, place, factors


@pytest.mark.parametrize("w", [1, 2, 4])
@pytest.mark.parametrize("sites", [(0, 19), (3, 4), (2, 11)])
def test_folding_is_the_schur_complement(w, sites):
    d, rows, H = random_band(20, w, np.random.default_rng(w + 10))
    energy = 0.3
    M = H - energy * np.eye(20)
    rest = [k for k in range(20) if k not in sites]
    wanted = M[np.ix_(sites, sites)] - M[np.ix_(sites, rest)] @ np.linalg.solve(
        M[np.ix_(rest, rest)], M[np.ix_(rest, sites)]
    )
    effective, place, _ = folded(d, rows, energy, (*sites, -1), chunks=3)
    found = effective[..., 0] + 1j * effective[..., 2]
    assert place[1] == 0
    np.testing.assert_allclose(
        [found[0, 0], found[1, 1], found[1, 0]], [wanted[0, 0], wanted[1, 1], wanted[1, 0]], atol=1e-10
    )


def test_couplings_below_the_range_of_doubles_keep_their_exponent():
    n, t = 4000, 1e-3
    d = np.array([np.ones(n), np.zeros(n)])
    rows = np.zeros((1, 4, n))
    rows[0, 0, 1:] = t
    effective, place, _ = folded(d, rows, 0.0, (0, n - 1, -1))
    found = math.log10(abs(effective[1, 0, 0])) + place[1] * math.log10(2)
    # inverse of a tridiagonal matrix of constants: t U_{n-2}, r = (1 + sqrt(1 - 4 t^2)) / 2
    r = (1 + math.sqrt(1 - 4 * t * t)) / 2
    wanted = (n - 1) * math.log10(t) - (n - 2) * math.log10(r) + math.log10(1 - (t / r) ** 2)
    assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("w", [1, 3])
def test_vector_of_the_kept_site(w):
    d, rows, H = random_band(20, w, np.random.default_rng(w + 20))
    energy, kept, skipped = 0.3, 6, 15
    effective, _, factors = folded(d, rows, energy, (kept, -1, skipped), storing=1)
    x, high, low = banded.back_substitute(factors, kept, skipped)
    vector = x[:, 0] + 1j * x[:, 2]
    residual = (H - energy * np.eye(20)) @ vector
    residual[skipped] = 0.0
    assert vector[kept] == 1.0
    assert vector[skipped] == 0.0
    assert residual[kept] == pytest.approx(effective[0, 0, 0], abs=1e-10)
    np.testing.assert_allclose(np.delete(residual, kept), 0.0, atol=1e-10)
    assert high + low == pytest.approx(np.vdot(vector, vector).real)


def test_levels_of_a_segment_are_isolated_from_their_neighbours():
    for system in (giant_spin(20, D=-1.0), GENERAL):
        S = system.spins[0].S
        chain = chain_of(system, S, 0.1, transverse=(0.5, 0.0))
        part = segment(chain, 0, chain.sites - 1)
        H = field_line(system, transverse=(0.5, 0.0)).at(0.1)
        levels = np.linalg.eigvalsh(H) * 2.0**-chain.exponent - float(part.reference)
        for k in (0, 2, 5):
            below, at, above = isolate(part, k)
            gap = min(levels[k] - (levels[k - 1] if k else -np.inf), levels[k + 1] - levels[k])
            assert at == pytest.approx(levels[k], abs=2e-3 * gap)
            assert above == pytest.approx(levels[k + 1], abs=2e-3 * gap)
            assert (below == -math.inf) if k == 0 else (below == pytest.approx(levels[k - 1], abs=2e-3 * gap))


# --------------------------------------------------------------------------------------------------------
# Answers


def test_order_of_the_pair_turns_the_sign_of_the_slope():
    spin = giant_spin(10, D=-0.5, E=0.05)
    there, back = gap_of(spin, (10, -8)), gap_of(spin, (-8, 10))
    assert there.digits == back.digits
    assert there.slope == -back.slope
    # m = 10 rises with the field (dH/dB = +g mu_B m)
    assert there.slope == pytest.approx(18 * 2 * MU_B, rel=1e-2)


def test_states_that_nothing_connects_have_a_zero_gap_at_their_crossing():
    gap = gap_of(giant_spin(10, D=-0.5, E=0.05), (10, -9))
    assert (gap.digits, gap.log10) == ("0", -math.inf)
    assert gap.field == pytest.approx(0.5 / (2 * MU_B), rel=1e-2)
    axial = gap_of(giant_spin(100_000, D=-1.0), (100_000, -99_990))
    assert axial.digits == "0"
    assert axial.field == pytest.approx(10 / (2 * MU_B), rel=1e-14)


def test_kramers_degeneracy_is_an_exact_zero():
    terms = [ZeroFieldSplitting(-0.5, 0.06, frame=(0.1, 0.2, 0.3)), Stevens(4, 3, 1e-4)]
    gap = gap_of(SpinSystem("kramers", [Spin(9.5)], terms), (9.5, -9.5))
    assert (gap.digits, gap.field, gap.field_digits) == ("0", 0.0, "0")


def test_labels_count_the_levels_of_a_well_whatever_its_bottom():
    """D < 0 < A4 puts the bottoms of the wells at |m| = 14 of S = 20; then come 10 and 18."""
    spin = giant_spin(20, D=-98.0, A4=0.25, C4=3e-3)
    levels = np.linalg.eigvalsh(field_line(spin).at(0.0)[2::4, 2::4])
    for rank, m in enumerate((14, 10, 18)):
        gap = float(gap_of(spin, (m, -m)).digits)
        assert gap == pytest.approx(levels[2 * rank + 1] - levels[2 * rank], abs=1e-11)
        assert gap > 1e-9


def test_labels_hold_where_no_level_is_mostly_one_of_the_states():
    """In a strong transverse field the pair (S-k, k-S) is still the k-th doublet of the spectrum."""
    S, transverse = 12, (0.55 * 24 / (2 * MU_B), 0.0)
    spin = giant_spin(S, D=-1.0)
    levels, U = np.linalg.eigh(field_line(spin, transverse=transverse).at(0.0))
    assert (np.abs(U[0, :2]) ** 2).sum() < 0.5
    for k in range(2):
        gap = float(gap_of(spin, (S - k, k - S), transverse=transverse).digits)
        assert gap == pytest.approx(levels[2 * k + 1] - levels[2 * k], abs=1e-12)
        assert gap > 1e-7


def test_field_digits_resolve_more_than_a_double():
    gap = gap_of(giant_spin(50, D=-0.5, E=0.05), (50, -48))
    assert len(gap.field_digits) > 20
    assert float(gap.field_digits) == gap.field


def test_digits_are_those_that_are_meant():
    terms = [ZeroFieldSplitting(-1.0, 0.125, frame=(0.3, 0.35, 0.1))]
    gap = gap_of(SpinSystem("tilted", [Spin(300)], terms), (300, -300))
    assert 1e-8 < gap.relative_error < 1e-3
    assert len(gap.digits.partition("e")[0]) < 10


# --------------------------------------------------------------------------------------------------------
# Refusals, one sentence each


def refused(error, words, system, pair, **options):
    with pytest.raises(error) as caught:
        gap_of(system, pair, **options)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert ". " not in message
    assert "; " in message


def test_several_spins_are_refused():
    dimer = SpinSystem("dimer", [Spin(2), Spin(2)], [ZeroFieldSplitting(-1.0)])
    refused(InputError, ("single spin", "Certified()"), dimer, ("m1=2, m2=2", "m1=-2, m2=-2"))


def test_positions_in_energy_are_refused():
    refused(InputError, ("(m, m')",), giant_spin(10, D=-1.0), Levels(0, 1), B=0.1)


def test_easy_plane_is_refused():
    refused(InputError, ("two wells", "m=10 and m=-10"), giant_spin(10, D=1.0, E=0.1), (10, -10))


def test_field_that_removes_the_barrier_is_refused():
    spin = giant_spin(100, D=-1.0)
    for h in (0.97, 1.5):
        field = h * 200 / (2 * MU_B)
        refused(InputError, ("below the barrier",), spin, (98, -98), transverse=(field, 0.0))


def test_level_above_the_barrier_is_refused():
    spin = giant_spin(100, D=-1.0)
    refused(InputError, ("m=50", "barrier"), spin, (50, -50), transverse=(0.5 * 200 / (2 * MU_B), 0.0))


def test_axis_that_does_not_move_the_levels_is_refused():
    refused(InputError, ("same moment",), giant_spin(10, D=-1.0, E=0.1), (10, -10), axis=(1.0, 0.0, 0.0))


def test_cancellation_to_nothing_is_refused():
    terms = [ZeroFieldSplitting(-1.0, 0.125, frame=(0.3, 0.5, 0.1))]
    system = SpinSystem("tilted", [Spin(400)], terms)
    refused(ConvergenceError, ("cancel", "Certified()"), system, (400, -400))


def test_levels_mixed_with_others_are_refused():
    spin = giant_spin(2.5, D=-1.0, E=0.05)
    refused(InputError, ("far from others",), spin, (2.5, 0.5), transverse=(0.05, 0.1))
