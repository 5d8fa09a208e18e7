"""Terms of one spin against matrix products, with exact zeros and frames."""

import numpy as np
import pytest

from mesospin.errors import InputError, InvalidModelError
from mesospin.model.library import load
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.terms import Quadrupole, SpinPower, Stevens, ZeroFieldSplitting
from mesospin.operators.rotation import rotate_operator
from mesospin.operators.spin import ladder_power, projections, spin_operators
from mesospin.operators.stevens import stevens_operator

FRAME = (0.4, 1.1, -0.3)
ALL_TERMS = [
    ZeroFieldSplitting(-0.5, 0.1),
    Stevens(4, -3, 0.2),
    SpinPower(0.3, z=2, ladder=3),
    Quadrupole(0, 0.1, 0.4),
]


@pytest.mark.parametrize("S", [1, 2.5, 10])
def test_zero_field_splitting(S, hamiltonian):
    Sx, Sy, Sz = spin_operators(S)
    expected = -0.5 * (Sz @ Sz - S * (S + 1) / 3 * np.eye(len(Sz))) + 0.1 * (Sx @ Sx - Sy @ Sy)
    found = hamiltonian([Spin(S)], ZeroFieldSplitting(-0.5, 0.1))
    assert np.allclose(found, expected, rtol=0, atol=1e-13)
    assert abs(np.trace(found)) < 1e-12


def test_zero_field_splitting_is_exactly_even_in_m(hamiltonian):
    diagonal = np.diag(hamiltonian([Spin(10)], ZeroFieldSplitting("-0.457 cm^-1")))
    assert np.array_equal(diagonal, diagonal[::-1])


@pytest.mark.parametrize("S", [1, 3.5])
def test_a_frame_rotates_the_whole_term(S, hamiltonian):
    for term, framed in [
        (ZeroFieldSplitting(-0.5, 0.1), ZeroFieldSplitting(-0.5, 0.1, frame=FRAME)),
        (Stevens(2, 1, 0.7), Stevens(2, 1, 0.7, frame=FRAME)),
        (Quadrupole(0, 0.2, 0.3), Quadrupole(0, 0.2, 0.3, frame=FRAME)),
    ]:
        expected = rotate_operator(hamiltonian([Spin(S)], term), S, FRAME)
        assert np.allclose(hamiltonian([Spin(S)], framed), expected, rtol=0, atol=1e-13)


def test_frames_are_read_in_degrees():
    assert ZeroFieldSplitting(-1, frame=("90 deg", 0, "0 deg")).frame == pytest.approx((np.pi / 2, 0, 0))


def test_an_easy_axis_turned_to_x_keeps_its_zero_pattern(hamiltonian):
    """D (Sx^2 - S(S+1)/3) connects m with m and m +- 2 only; a rounding of cos(pi/2) must not add m +- 1."""
    for term in (
        ZeroFieldSplitting(-0.5, frame=(0, np.pi / 2, 0)),
        Stevens(2, 0, -0.5, frame=(0, np.pi / 2, 0)),
    ):
        rows, columns = np.nonzero(hamiltonian([Spin(10)], term))
        assert set(np.abs(rows - columns)) == {0, 2}


@pytest.mark.parametrize(("k", "q"), [(1, 0), (2, -2), (4, 3), (6, -5), (12, 7)])
def test_stevens_term_is_the_operator_times_its_coefficient(k, q, hamiltonian):
    found = hamiltonian([Spin(7.5)], Stevens(k, q, "2 mK"))
    assert np.array_equal(found, 2e-3 * stevens_operator(7.5, k, q))


@pytest.mark.parametrize("S", [2, 4.5])
@pytest.mark.parametrize(("z", "n"), [(0, 4), (2, 2), (1, 3), (3, 1), (4, 0), (1, 0)])
def test_spin_powers_are_symmetrised_products(S, z, n, hamiltonian):
    power = np.diag(projections(S) ** z)
    if n == 0:
        expected = power
    else:
        ladders = ladder_power(S, n) + ladder_power(S, -n)
        expected = (power @ ladders + ladders @ power) / 2
    found = hamiltonian([Spin(S)], SpinPower(0.3, z=z, ladder=n))
    assert np.allclose(found, 0.3 * expected, rtol=1e-13, atol=1e-13)


def test_fourth_order_of_both_languages_agrees(hamiltonian):
    """O44 = (S+^4 + S-^4)/2, so C(S+^4 + S-^4) is B44 = 2 C."""
    spins = [Spin(10)]
    assert np.allclose(
        hamiltonian(spins, SpinPower(-2.2e-5, ladder=4)), hamiltonian(spins, Stevens(4, 4, -4.4e-5))
    )


def test_quadrupole_of_a_free_nucleus(hamiltonian):
    """I = 1: levels P/3 (1 + eta), P/3 (1 - eta), -2P/3."""
    P, eta = 0.3, 0.25
    levels = np.linalg.eigvalsh(
        hamiltonian([Spin(0.5), Spin(1, 1.0, "I", nuclear=True)], Quadrupole(1, P, eta))
    )
    expected = sorted([P / 3 * (1 + eta), P / 3 * (1 - eta), -2 * P / 3] * 2)
    assert np.allclose(levels, expected, atol=1e-15)


@pytest.mark.parametrize("term", ALL_TERMS, ids=lambda term: type(term).__name__)
def test_terms_are_hermitian_hashable_and_have_a_formula(term, hamiltonian):
    spins = [Spin(4, label="J")]
    matrix = hamiltonian(spins, term)
    assert np.array_equal(matrix, matrix.conj().T)
    assert hash(term) == hash(eval(repr(term)))
    assert "K" in term.formula(tuple(spins))
    assert "J" in term.formula(tuple(spins))
    assert term.sites == (0,)


@pytest.mark.parametrize("term", ALL_TERMS, ids=lambda term: type(term).__name__)
def test_nothing_is_a_term_of_a_missing_spin(term):
    moved = {field: getattr(term, field) for field in term.__slots__}
    moved["k" if isinstance(term, Quadrupole) else "site"] = 3
    with pytest.raises(InvalidModelError, match="must act on a site between 0 and 0, got 3"):
        type(term)(**moved).validate((Spin(4),))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1j, None, True, "0.5", "1 T"])
def test_coefficients_are_finite_real_energies(bad):
    for build in (
        lambda: ZeroFieldSplitting(bad),
        lambda: ZeroFieldSplitting(-1, bad),
        lambda: Stevens(2, 0, bad),
        lambda: SpinPower(bad, z=2),
        lambda: Quadrupole(0, bad),
    ):
        with pytest.raises(InputError, match="must"):
            build()


def test_contradictions_are_refused():
    with pytest.raises(InvalidModelError, match="k must be at most 2S = 2 for a spin 1, got 4"):
        Stevens(4, 0, 1.0).validate((Spin(1),))
    with pytest.raises(InvalidModelError, match="ladder must be at most 2S = 2, got 4"):
        SpinPower(1.0, ladder=4).validate((Spin(1),))
    with pytest.raises(InvalidModelError, match="z or ladder above 0"):
        SpinPower(1.0)
    with pytest.raises(InvalidModelError, match="Quadrupole must act on a spin of at least 1"):
        Quadrupole(0, 0.1).validate((Spin(0.5),))
    with pytest.raises(InputError, match="eta must lie between 0 and 1"):
        Quadrupole(0, 0.1, 1.5)
    with pytest.raises(InvalidModelError, match="frame must be three"):
        ZeroFieldSplitting(-1, frame=(0.0, 1.0))
    with pytest.raises(InputError, match="site must be an integer"):
        ZeroFieldSplitting(-1, site=0.5)


@pytest.mark.parametrize(("D", "E"), [(1.0, 0.0), (0.0, 0.2)])
def test_a_spin_half_has_no_zero_field_splitting(D, E):
    with pytest.raises(InvalidModelError, match=r"D and E must be 0 \[K\] for a spin 1/2"):
        SpinSystem("a", [Spin(0.5)], [ZeroFieldSplitting(D, E)])
    assert SpinSystem("a", [Spin(0.5)], [ZeroFieldSplitting(0.0)]).dimension == 2
    # of two spins the one with S = 1/2 is meant
    SpinSystem("a", [Spin(0.5), Spin(1)], [ZeroFieldSplitting(D, E, site=1)])


def test_powers_that_split_nothing_are_refused():
    """Against the matrix products: just the powers that are multiples of the unit matrix."""
    for twice in (1, 2, 3, 4):
        S = twice / 2
        for z in range(6):
            for n in range(0 if z else 1, twice + 1):
                power = np.diag(projections(S) ** z)
                ladders = ladder_power(S, n) + ladder_power(S, -n) if n else np.eye(twice + 1)
                product = power @ ladders + ladders @ power
                idle = np.allclose(product, product[0, 0] * np.eye(twice + 1))
                if idle:
                    with pytest.raises(InvalidModelError, match="must split the levels"):
                        SpinPower(1.0, z, n).validate((Spin(S),))
                else:
                    SpinPower(1.0, z, n).validate((Spin(S),))


def test_angles_without_unit_are_within_a_turn():
    with pytest.raises(InvalidModelError, match='got 90; for degrees write "90 deg"'):
        ZeroFieldSplitting(-10, 0, 0, (0, 90, 0))
    for build in (lambda f: Stevens(2, 0, 1.0, frame=f), lambda f: Quadrupole(0, 1.0, frame=f)):
        with pytest.raises(InvalidModelError, match="at most a turn"):
            build((0.0, 0.0, -45.0))
    whole = ZeroFieldSplitting(-10, frame=("405 deg", 2 * np.pi, "-360 deg"))
    assert whole.frame == pytest.approx((np.pi / 4, 2 * np.pi, -2 * np.pi))
    # what is kept can be given again
    assert ZeroFieldSplitting(-10, frame=whole.frame) == whole


def test_angles_of_a_molecule_file_have_units(tmp_path):
    file = tmp_path / "turned.toml"
    file.write_text(
        'title = "turned"\nsources = ["none"]\n[[spins]]\nS = 1\ng = 2\n'
        '[[terms]]\nkind = "zero-field-splitting"\n'
        'D = "-1 K"\nframe = ["450 deg", "90 deg", "0 deg"]\n'
    )
    assert load(file).terms[0].frame == pytest.approx((np.pi / 2, np.pi / 2, 0.0))
