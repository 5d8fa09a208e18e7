"""Couplings of two spins against matrix products and closed forms."""

import numpy as np
import pytest

from mesospin.errors import InputError, InvalidModelError
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange, Hyperfine
from mesospin.model.spin import Spin
from mesospin.operators.product import embed
from mesospin.operators.rotation import euler_matrix
from mesospin.operators.spin import spin_operators

PAIR = (Spin(1.5), Spin(1))
TENSOR = np.array([[0.3, 0.1, -0.2], [0.5, -0.7, 0.05], [0.11, 0.13, 0.9]])


def components(spins, site):
    dimensions = [spin.dimension for spin in spins]
    return [embed(matrix, site, dimensions) for matrix in spin_operators(spins[site].S)]


def bilinear(spins, i, j, tensor):
    a, b = components(spins, i), components(spins, j)
    return sum(tensor[x][y] * a[x] @ b[y] for x in range(3) for y in range(3))


def test_an_asymmetric_tensor(hamiltonian):
    found = hamiltonian(PAIR, Exchange(0, 1, TENSOR.tolist(), convention="+J"))
    assert np.allclose(found, bilinear(PAIR, 0, 1, TENSOR), rtol=0, atol=1e-14)
    assert np.array_equal(found, found.conj().T)


def test_sites_need_not_be_in_order(hamiltonian):
    found = hamiltonian(PAIR, Exchange(1, 0, TENSOR.tolist(), convention="+J"))
    assert np.allclose(found, bilinear(PAIR, 1, 0, TENSOR), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("convention", "factor"), [("+J", 1.0), ("-J", -1.0), ("-2J", -2.0)])
def test_conventions_are_stored_as_plus_J(convention, factor):
    assert Exchange(0, 1, "0.5 K", convention=convention).J == Exchange(0, 1, factor * 0.5, convention="+J").J


def test_isotropic_exchange_gives_the_total_spin_levels(hamiltonian):
    """J S1.S2 = J/2 [S(S+1) - s1(s1+1) - s2(s2+1)]."""
    levels = np.linalg.eigvalsh(hamiltonian(PAIR, Exchange(0, 1, 0.4, convention="+J")))
    expected = sorted(
        0.2 * (S * (S + 1) - 1.5 * 2.5 - 2) for S in (0.5, 1.5, 2.5) for _ in range(round(2 * S + 1))
    )
    assert np.allclose(levels, expected, atol=1e-14)


def test_isotropic_exchange_conserves_m_exactly(hamiltonian):
    matrix = hamiltonian(PAIR, Exchange(0, 1, 0.1, convention="+J"))
    total = np.diag(sum(components(PAIR, i)[2] for i in (0, 1)))
    rows, columns = np.nonzero(matrix)
    assert np.array_equal(total[rows], total[columns])
    assert not np.any(matrix.imag)


def test_dzyaloshinskii_moriya_is_the_cross_product(hamiltonian):
    d = np.array([0.1, -0.2, 0.3])
    a, b = components(PAIR, 0), components(PAIR, 1)
    cross = [a[1] @ b[2] - a[2] @ b[1], a[2] @ b[0] - a[0] @ b[2], a[0] @ b[1] - a[1] @ b[0]]
    expected = sum(d[x] * cross[x] for x in range(3))
    found = hamiltonian(PAIR, DzyaloshinskiiMoriya(0, 1, tuple(d)))
    assert np.allclose(found, expected, rtol=0, atol=1e-14)
    assert np.allclose(hamiltonian(PAIR, DzyaloshinskiiMoriya(1, 0, tuple(d))), -expected, rtol=0, atol=1e-14)


def test_hyperfine_frame_rotates_the_tensor(hamiltonian):
    spins = (Spin(1.5), Spin(1, 0.5, "I", nuclear=True))
    angles = (0.3, 0.8, 1.2)
    rotation = euler_matrix(angles)
    expected = bilinear(spins, 0, 1, rotation @ TENSOR @ rotation.T)
    found = hamiltonian(spins, Hyperfine(0, 1, TENSOR.tolist(), frame=angles))
    assert np.allclose(found, expected, rtol=0, atol=1e-14)


def test_breit_rabi_zero_field_levels(hamiltonian):
    """S = 1/2, I = 3/2: A S.I gives 3A/4 fivefold and -5A/4 threefold."""
    spins = (Spin(0.5), Spin(1.5, 1.0, "I", nuclear=True))
    levels = np.linalg.eigvalsh(hamiltonian(spins, Hyperfine(0, 1, "1 GHz")))
    A = Hyperfine(0, 1, "1 GHz").A[0][0]
    assert np.allclose(levels, [-1.25 * A] * 3 + [0.75 * A] * 5, rtol=1e-13)


def test_values_with_units_and_shapes():
    assert Exchange(0, 1, ("1 K", "2 K", 3), "+J").J == ((1, 0, 0), (0, 2, 0), (0, 0, 3))
    assert Exchange(0, 1, np.diag([1.0, 2.0, 3.0]), "-J").J == ((-1, 0, 0), (0, -2, 0), (0, 0, -3))
    assert hash(Exchange(0, 1, 1.0, "+J")) == hash(Exchange(0, 1, "1 K", "+J"))


def test_formulas_number_equal_labels():
    assert Exchange(0, 1, -0.1, "+J").formula(PAIR) == "- 0.1 K S1.S2"
    assert (
        Exchange(0, 1, (0.1, 0.1, -0.2), "+J").formula(PAIR)
        == "+ 0.1 K S1x S2x + 0.1 K S1y S2y - 0.2 K S1z S2z"
    )
    assert "[0.3, 0.1, -0.2; " in Exchange(0, 1, TENSOR.tolist(), "+J").formula(PAIR)


@pytest.mark.parametrize("bad", [float("nan"), 1j, "1", (1, 2), ((1, 2), (3, 4)), (1, (2, 3, 4), 5), None])
def test_tensors_are_finite_real_energies(bad):
    for build in (lambda: Exchange(0, 1, bad, "+J"), lambda: Hyperfine(0, 1, bad)):
        with pytest.raises(InputError, match=" must "):
            build()


def test_contradictions_are_refused():
    with pytest.raises(InputError, match=r"convention must be one of \+J, -J, -2J, got 'J'"):
        Exchange(0, 1, 1.0, convention="J")
    with pytest.raises(TypeError):
        Exchange(0, 1, 1.0)  # type: ignore[call-arg]
    with pytest.raises(InvalidModelError, match="Exchange must couple two different sites, got 1 twice"):
        Exchange(1, 1, 1.0, "+J").validate(PAIR)
    with pytest.raises(InvalidModelError, match="Exchange must act on a site between 0 and 1, got 2"):
        Exchange(0, 2, 1.0, "+J").validate(PAIR)
    with pytest.raises(InvalidModelError, match="k must be the site of a nuclear spin, got 1"):
        Hyperfine(0, 1, 1.0).validate(PAIR)
    with pytest.raises(InvalidModelError, match="d must be a vector of three"):
        DzyaloshinskiiMoriya(0, 1, (0.0, 1.0))
