"""Algebra of operators for any spin, rank and rotation."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mesospin.operators.rotation import rotate_operator, stevens_mixing
from mesospin.operators.spin import spin_operators
from mesospin.operators.stevens import stevens_operator

spins = st.integers(1, 24).map(lambda doubled: doubled / 2)
angles = st.tuples(*[st.floats(-7.0, 7.0)] * 3)


@st.composite
def stevens(draw, smallest=1):
    J = draw(st.integers(smallest, 24)) / 2
    k = draw(st.integers(1, min(round(2 * J), 12)))
    return J, k, draw(st.integers(-k, k))


@given(stevens())
def test_stevens_operators_are_hermitian_and_traceless(which):
    operator = stevens_operator(*which)
    assert np.array_equal(operator, operator.conj().T)
    assert abs(np.trace(operator)) <= 1e-13 * np.linalg.norm(operator)


@given(stevens())
def test_casimir_of_a_rank(which):
    """The sum of double commutators with Jx, Jy, Jz multiplies a tensor of rank k by k(k+1)."""
    J, k, q = which
    operator = stevens_operator(J, k, q)
    total = np.zeros(operator.shape, complex)
    for S in spin_operators(J):
        inner = S @ operator - operator @ S
        total += S @ inner - inner @ S
    scale = J * (J + 1) * np.abs(operator).max()
    assert np.allclose(total, k * (k + 1) * operator, rtol=0, atol=1e-13 * scale)


@given(stevens())
def test_negative_components_are_positive_ones_turned_about_z(which):
    J, k, q = which
    if q > 0:
        turned = rotate_operator(stevens_operator(J, k, q), J, (np.pi / (2 * q), 0.0, 0.0))
        expected = stevens_operator(J, k, -q)
        scale = np.abs(expected).max()
        assert np.allclose(turned, expected, rtol=0, atol=1e-13 * scale * J)


@given(stevens(), angles)
def test_rotations_conserve_rank_and_norm(which, turn):
    J, k, q = which
    rotated = rotate_operator(stevens_operator(J, k, q), J, turn)
    rebuilt = sum(c * stevens_operator(J, k, p) for p, c in stevens_mixing(k, q, turn))
    norm = np.linalg.norm(rotated)
    assert np.isclose(norm, np.linalg.norm(stevens_operator(J, k, q)), rtol=1e-12)
    assert np.linalg.norm(rebuilt - rotated) <= 1e-12 * norm


@given(spins, angles)
def test_rotation_and_its_inverse(S, turn):
    alpha, beta, gamma = turn
    Sx = spin_operators(S)[0]
    there = rotate_operator(Sx, S, turn)
    back = rotate_operator(there, S, (-gamma, -beta, -alpha))
    assert np.allclose(back, Sx, rtol=0, atol=1e-12 * S)
