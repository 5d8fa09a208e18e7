"""Parts of certified splittings: exact elements, bounds of inverses, enclosures of levels, decimals."""

from fractions import Fraction

import numpy as np
import pytest
from flint import acb_mat, arb, arb_mat, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import mesospin as ms
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import Stevens, ZeroFieldSplitting
from mesospin.spectrum.tunnelling.problem import Levels, read_problem
from mesospin.spectrum.tunnelling.proved.balls import connected, double_line, exact_line
from mesospin.spectrum.tunnelling.proved.clusters import _eigenvectors, _error_of
from mesospin.spectrum.tunnelling.proved.complements import BandedComplement, DenseComplement, largest_row_sum
from mesospin.spectrum.tunnelling.proved.enclosure import certified_gap, decimal, next_power_of_ten
from mesospin.spectrum.tunnelling.proved.feshbach import downfolding, two_levels


def problem_of(system, axis=(0.1, 0.2, 1.0), transverse=(0.01, 0.02)):
    return read_problem(system, Levels(0, 1), 0.1, axis, transverse)


FRAMED = SpinSystem(
    "framed",
    [Spin(1.5, [[2.0, 0.1, 0.0], [0.0, 1.9, 0.2], [0.3, 0.0, 2.1]]), Spin(1, 2.0)],
    [
        ZeroFieldSplitting(-1.0, 0.2, frame=(0.1, 0.2, 0.3)),
        Stevens(3, -2, 0.05, frame=(0.3, 0.4, 0.5)),
        Exchange(0, 1, [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]], convention="+J"),
        DzyaloshinskiiMoriya(0, 1, (0.1, 0.2, 0.3)),
    ],
)


@pytest.mark.parametrize(
    "system", [FRAMED, *(ms.load(entry.name) for entry in ms.library())], ids=lambda s: s.name
)
def test_exact_elements_are_hermitian_and_those_of_the_dense_matrices(system):
    problem = problem_of(system)
    line = exact_line(problem, range(system.dimension))
    for table in (line.H0, line.G):
        for (row, column), element in table.items():
            assert table[column, row] == (element.real, -element.imag, element.radicand)
    for ours, dense in zip(double_line(line), problem.line(), strict=True):
        np.testing.assert_allclose(ours, dense, rtol=0, atol=1e-15 * np.abs(dense).max())


def test_terms_that_cancel_leave_no_element():
    spin = SpinSystem("none", [Spin(2)], [ZeroFieldSplitting(-1.0, 0.1), Stevens(2, 2, -0.1)])
    line = exact_line(problem_of(spin, (0, 0, 1), (0, 0)), range(5))
    assert all(row == column for row, column in line.H0)
    assert not connected(line, 0, 4)


def test_only_the_block_of_the_pair_is_built():
    spin = giant_spin(10, D=-0.5, E=0.1)
    problem = problem_of(spin, (0, 0, 1), (0, 0))
    assert exact_line(problem, [1]).states == tuple(range(1, 21, 2))
    assert exact_line(problem_of(spin), [1]).states == tuple(range(21))


# complements


def band(n, seed, *, real):
    """A random Hermitian band of width 2 with exact elements."""
    rng = np.random.default_rng(seed)
    H = rng.integers(-64, 64, (n, n)) / 16 + (0 if real else 1j) * rng.integers(-64, 64, (n, n)) / 16
    H = np.triu(np.tril(H + H.conj().T, 2), -2)
    G = np.diag(rng.integers(-64, 64, n) / 16).astype(H.dtype)
    return H, G


def both_complements(H, G, *, real):
    def elements(matrix):
        pairs = {}
        for i, j in zip(*np.nonzero(matrix), strict=True):
            value = matrix[i, j]
            pairs[int(i), int(j)] = arb(float(value.real)) if real else acb_mat([[complex(value)]])[0, 0]
        return pairs

    kind = arb_mat if real else acb_mat
    banded = BandedComplement.from_elements(len(H), elements(H), elements(G), is_real=real)
    return banded, DenseComplement(kind(H.tolist()), kind(G.tolist()))


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_complements_solve_and_bound_their_inverse(real, seed):
    H, G = band(9, seed, real=real)
    E, B = 0.37, 0.21
    A = E * np.eye(9) - H - B * G
    right = np.random.default_rng(seed + 100).integers(-8, 8, (9, 2)) / 4
    kind = arb_mat if real else acb_mat
    expected = np.linalg.solve(A, right)
    norm = np.linalg.norm(np.linalg.inv(A), 2)
    for complement in both_complements(H, G, real=real):
        x = complement.solve(arb(E), arb(B), kind(right.tolist()))
        np.testing.assert_allclose(
            np.array([[complex(v) for v in row] for row in x.tolist()]), expected, rtol=1e-9, atol=1e-9
        )
        residual = complement.residual(arb(E), arb(B), kind(right.tolist()), x)
        assert largest_row_sum(residual) < 1e-12
        bound = float(complement.inverse_bound(arb(E), arb(B)))
        assert norm <= bound * (1 + 1e-9)
        assert bound < 200 * norm


@pytest.mark.parametrize("real", [True, False])
def test_a_pole_in_the_interval_is_never_bounded(real):
    H, G = band(9, 3, real=real)
    level = float(np.linalg.eigvalsh(H)[4])
    for complement in both_complements(H, G, real=real):
        assert complement.inverse_bound(arb(level, 1e-9), arb(0)) is None
        assert complement.inverse_bound(arb(level + 1e-4, 1e-9), arb(0, 1e-10)) is not None


def test_enclosures_hold_on_the_whole_interval():
    """Dressed matrices at energies and fields inside a ball lie inside the ball matrices."""
    line = exact_line(problem_of(giant_spin(4, D=-1.0, E=0.3)), range(9))
    fold = downfolding(line, (0, 8))
    E, B, radius = arb(-16.0), arb(0.125), arb(1e-3)
    bound = fold.inverse_bound(arb(E, radius), B)
    around = fold.enclosed(E, B, bound).within(radius)
    for shift in (-1e-3, 0.0, 7e-4):
        here = fold.dressed(E + shift, B)
        for wide, narrow in zip(around, here, strict=True):
            assert all(a.overlaps(b) for a, b in zip(wide.entries(), narrow.entries(), strict=True))


# eigenvalues


@settings(max_examples=30, deadline=None)
@given(
    values=arrays(np.int64, (4, 4), elements=st.integers(-3, 3)),
    imaginary=arrays(np.int64, (4, 4), elements=st.integers(-3, 3)),
)
def test_jacobi_and_weyl_enclose_all_eigenvalues(values, imaginary):
    """Small integers: many exact degeneracies."""
    H = values + values.T + 1j * (imaginary - imaginary.T)
    expected = np.linalg.eigvalsh(H)
    with ctx.workprec(200):
        ball = acb_mat(H.tolist())
        V = _eigenvectors(ball)
        diagonal = (V.conjugate().transpose() * ball * V).mid()
        order = sorted(range(4), key=lambda k: float(diagonal[k, k].real))
        V = acb_mat([[V[row, k] for k in order] for row in range(4)])
        approximate = [diagonal[k, k].real for k in order]
        error = _error_of(ball, V, approximate)
    assert error < 1e-50
    np.testing.assert_allclose([float(x) for x in approximate], expected, atol=1e-13)


def test_the_bound_is_not_below_the_error():
    """Wrong values and skewed vectors are found out."""
    H = np.array([[1.0, 0.5, 0.0], [0.5, -2.0, 0.25], [0.0, 0.25, 3.0]])
    exact, U = np.linalg.eigh(H)
    skewed = U + 1e-6 * np.random.default_rng(0).normal(size=(3, 3))
    for vectors, values in ((U, exact + 1e-5), (skewed, exact), (np.eye(3), np.sort(H.diagonal()))):
        if vectors is not U and vectors is not skewed:
            vectors = vectors[:, np.argsort(H.diagonal())]
        error = float(_error_of(arb_mat(H.tolist()), arb_mat(vectors.tolist()), [arb(v) for v in values]))
        assert np.abs(values - exact).max() <= error


def test_two_levels_in_closed_form():
    """A pair with overlaps and moments against the generalised eigenvectors of numpy."""
    line = exact_line(problem_of(giant_spin(3, D=-1.0, E=0.3), (0.2, 0.3, 1.0)), range(7))
    dressed = downfolding(line, (0, 6)).dressed(arb(-9.0), arb(0.3))
    h, Z, G = (np.array([[complex(v) for v in row] for row in matrix.tolist()]) for matrix in dressed)
    energy, c = np.linalg.eigh(h)
    two = two_levels(dressed)
    for k in (0, 1):
        norm = (c[:, k].conj() @ Z @ c[:, k]).real
        assert float(two.energy[k]) == pytest.approx(energy[k], rel=1e-12)
        assert float(two.norm[k]) == pytest.approx(norm, rel=1e-12)
        assert float(two.slope[k]) == pytest.approx((c[:, k].conj() @ G @ c[:, k]).real / norm, rel=1e-9)
        assert float(two.first[k]) == pytest.approx(abs(c[0, k]) ** 2, rel=1e-9)


# decimals


@settings(max_examples=60, deadline=None)
@given(
    mantissa=st.integers(1, 2**80),
    exponent=st.integers(-3000, 3000),
    digits=st.integers(1, 60),
)
def test_decimal_text_is_rounded_to_its_last_digit(mantissa, exponent, digits):
    exact = Fraction(mantissa) * Fraction(2) ** exponent
    with ctx.workprec(300):
        text, shown = decimal(arb(mantissa) * arb(2) ** exponent, digits)
    lead, power = text.split("e")
    assert len(lead.replace(".", "")) in (digits, digits + 1, 2)
    said = Fraction(lead) * Fraction(10) ** int(power)
    assert abs(said - exact) <= exact * Fraction(10) ** (1 - digits) / 2 * (1 + Fraction(1, 10**6))
    assert abs(said / Fraction(str(shown.fmpq()) if shown.is_exact() else said) - 1) < Fraction(1, 10**80)


def test_a_wide_ball_gives_no_digits():
    with ctx.workprec(200):
        assert certified_gap(arb(1, 1e-20), arb(0), arb(1), 30, "") is None
        assert certified_gap(arb(0, 1e-20), arb(0), arb(1), 30, "") is None
        gap = certified_gap(arb(1, 1e-40), arb(0.5, 1e-12), arb(1), 30, "")
    assert gap.relative_error <= 1e-30
    assert gap.field_digits.startswith("0.5")


@pytest.mark.parametrize(("value", "text"), [("3e-20", "1e-19"), ("9.99e5", "1e6"), ("1e-400", "1e-399")])
def test_next_power_of_ten(value, text):
    assert next_power_of_ten(arb(value)) == text
