"""Notations of the crystal field against spherical harmonics in the 4f shell and Wigner and Eckart."""

import math

import numpy as np
import pytest
from scipy.special import sph_harm_y

import mesospin as ms
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.crystal_field import (
    WYBOURNE_CONVENTIONS,
    crystal_field,
    crystal_field_parameters,
    describe_crystal_field,
    wybourne_factor,
)
from mesospin.model.ions import ion
from mesospin.model.lanthanides import lanthanide
from mesospin.model.terms import Stevens
from mesospin.operators.stevens import stevens_operator

COMPONENTS = [(k, q) for k in (2, 4, 6) for q in range(-k, k + 1)]
#: 2 P_2, 8 P_4, 16 P_6 are the polynomials of the Stevens operators with q = 0.
COUNT = {2: 2, 4: 8, 6: 16}
#: Stevens factors of one f electron (Stevens 1952).
ORBITAL = {2: -2 / 45, 4: 2 / 495, 6: -4 / 3861}


def combination(tensor, k, q, convention):
    """Return what L_kq multiplies, from the tensors C_kq, by the definition of the convention."""
    p = abs(q)
    minus, plus = tensor(k, -p), tensor(k, p)
    sign = (-1) ** p
    if q == 0:
        return plus
    if convention == "C_-q":
        return minus + sign * plus if q > 0 else 1j * (minus - sign * plus)
    # sum over all q of B_q C_q with B_-q = (-1)^q conj(B_q), B_q = 1 or i
    return plus + sign * minus if q > 0 else 1j * (plus - sign * minus)


def shell_tensor(k, q):
    """Return C_kq between the f orbitals m = 3 ... -3, by quadrature over the sphere."""
    x, w = np.polynomial.legendre.leggauss(12)
    theta, phi = np.meshgrid(np.arccos(x), np.arange(24) * np.pi / 12, indexing="ij")
    weight = np.repeat(w[:, None], 24, axis=1) * np.pi / 12
    orbitals = [sph_harm_y(3, m, theta, phi) for m in range(3, -4, -1)]
    tensor = np.sqrt(4 * np.pi / (2 * k + 1)) * sph_harm_y(k, q, theta, phi)
    return np.array([[np.sum(weight * a.conj() * tensor * b) for b in orbitals] for a in orbitals])


@pytest.mark.parametrize("convention", WYBOURNE_CONVENTIONS)
@pytest.mark.parametrize(("k", "q"), COMPONENTS)
def test_wybourne_against_spherical_harmonics_in_the_shell(k, q, convention):
    """One f electron: L (combination of C) is lambda theta_k(3) O_k^q of l = 3, phases included."""
    found = combination(shell_tensor, k, q, convention)
    expected = wybourne_factor(k, q, convention) * ORBITAL[k] * stevens_operator(3, k, q)
    np.testing.assert_allclose(found, expected, atol=1e-13)


# --- Wigner and Eckart in the multiplet J -----------------------------------------------------------------


def three_j(j1, j2, j3, m1, m2, m3):
    """Return the 3j symbol by the sum of Racah."""
    if abs(m1 + m2 + m3) > 1e-9 or abs(m1) > j1 or abs(m2) > j2 or abs(m3) > j3:
        return 0.0

    def f(x):
        return math.factorial(round(x))

    triangle = f(j1 + j2 - j3) * f(j1 - j2 + j3) * f(-j1 + j2 + j3) / f(j1 + j2 + j3 + 1)
    sizes = f(j1 + m1) * f(j1 - m1) * f(j2 + m2) * f(j2 - m2) * f(j3 + m3) * f(j3 - m3)
    total = 0.0
    for t in range(round(j1 + j2 - j3) + 1):
        parts = [
            t, j3 - j2 + t + m1, j3 - j1 + t - m2, j1 + j2 - j3 - t, j1 - t - m1, j2 - t + m2,
        ]  # fmt: skip
        if min(parts) > -1e-9:
            total += (-1) ** t / math.prod(f(part) for part in parts)
    return (-1) ** round(j1 - j2 - m3) * math.sqrt(triangle * sizes) * total


@pytest.mark.parametrize("convention", WYBOURNE_CONVENTIONS)
@pytest.mark.parametrize("name", ["Ce3+", "Tb3+", "Er3+"])
def test_wybourne_against_wigner_and_eckart(name, convention, hamiltonian):
    """All components at once: the matrix from 3j symbols, scaled by the axial element theta_k O_k0/c_k."""
    multiplet = ion(name)
    J = float(multiplet.J)
    m = np.arange(J, -J - 0.5, -1.0)

    def tensor(k, q):
        matrix = np.array([[(-1) ** round(J - a) * three_j(J, k, J, -a, q, b) for b in m] for a in m])
        axial = three_j(J, k, J, -J, 0, J)
        element = float(multiplet.stevens_factor(k)) * stevens_operator(J, k, 0)[0, 0] / COUNT[k]
        return matrix * element / axial

    rng = np.random.default_rng(5)
    values = {(k, q): rng.normal() for k, q in COMPONENTS if k <= 2 * J}
    expected = sum(L * combination(tensor, k, q, convention) for (k, q), L in values.items())
    terms = crystal_field(name, values, notation="Wybourne", convention=convention)
    found = hamiltonian((multiplet.spin(),), *terms)
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())
    assert np.abs(expected).max() > 0.01


# --- closed forms -----------------------------------------------------------------------------------------


def levels(name, values, **keywords):
    system = lanthanide(name, values, **keywords)
    energy = ms.levels(system, 0.0).energy.values
    return energy - energy.mean()


def test_axial_levels_are_polynomials_in_m():
    """E(13/2) - E(15/2) = -42 B20 - 21840 B40 - 2522520 B60 of reference tables of erbium."""
    B20, B40, B60 = -1.35, -1.07e-2, 1.07e-4
    system = lanthanide("Er3+", {(2, 0): B20, (4, 0): B40, (6, 0): B60})
    (spin,) = system.spins
    diagonal = sum(np.diag(p[0][1].matrix()).real for term in system.terms for p in term.products((spin,)))
    gap = -42 * B20 - 21840 * B40 - 2522520 * B60
    assert gap == pytest.approx(20.5, abs=0.1)
    assert diagonal[1] - diagonal[0] == pytest.approx(gap, rel=1e-12)


def test_cubic_cerium_has_a_doublet_and_a_quartet():
    """J = 5/2 in B(O40 + 5 O44): Gamma_7 at -240 B, Gamma_8 at 120 B."""
    energy = levels("Ce3+", {(4, 0): 0.01, (4, 4): 0.05})
    np.testing.assert_allclose(energy, [-2.4, -2.4, 1.2, 1.2, 1.2, 1.2], atol=1e-12)


def test_cubic_ratios_of_wybourne_are_5_and_minus_21():
    """L44 = sqrt(5/14) L40 and L64 = -sqrt(7/2) L60 are cubic: O40 + 5 O44 and O60 - 21 O64."""
    values = {(4, 0): 1.0, (4, 4): np.sqrt(5 / 14), (6, 0): 1.0, (6, 4): -np.sqrt(7 / 2)}
    B = [term.B for term in crystal_field("Ho3+", values, notation="Wybourne")]
    assert B[1] / B[0] == pytest.approx(5)
    assert B[3] / B[2] == pytest.approx(-21)


@pytest.mark.parametrize("convention", WYBOURNE_CONVENTIONS)
def test_the_cube_along_its_diagonal_has_the_same_levels(convention):
    """z along [111] brings q = 3, in either convention; coefficients of Hutchings (1964)."""
    cubic = {(4, 0): 300.0, (4, 4): 300 * np.sqrt(5 / 14), (6, 0): 50.0, (6, 4): -50 * np.sqrt(7 / 2)}
    straight = lanthanide("Dy3+", cubic, notation="Wybourne")
    # -2/3 B4 (O40 + 20 sqrt 2 O43) and 16/9 B6 (O60 - 35/(2 sqrt 2) O63 + 77/8 O66)
    B4, B6 = (straight.terms[0].B, straight.terms[2].B)
    turned = {
        (4, 0): -2 / 3 * B4,
        (4, 3): -2 / 3 * B4 * 20 * np.sqrt(2),
        (6, 0): 16 / 9 * B6,
        (6, 3): -16 / 9 * B6 * 35 / (2 * np.sqrt(2)),
        (6, 6): 16 / 9 * B6 * 77 / 8,
    }
    rows = crystal_field_parameters(
        "Dy3+", crystal_field("Dy3+", turned, notation="B"), convention=convention
    )
    tilted = lanthanide(
        "Dy3+", {(row.k, row.q): row.L for row in rows}, notation="Wybourne", convention=convention
    )
    first, second = (ms.levels(system, 0.0).energy.values for system in (straight, tilted))
    np.testing.assert_allclose(first, second, atol=1e-10)


# --- conversions and refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize("notation", ["B", "A<r^k>", "Wybourne"])
@pytest.mark.parametrize("convention", WYBOURNE_CONVENTIONS)
def test_every_notation_returns_to_itself(notation, convention):
    rng = np.random.default_rng(3)
    values = {(k, q): rng.normal() for k, q in COMPONENTS}
    named = convention if notation == "Wybourne" else None
    terms = crystal_field("Tm3+", values, notation=notation, convention=named)
    rows = crystal_field_parameters("Tm3+", terms, convention=convention)
    column = {"B": "B", "A<r^k>": "A", "Wybourne": "L"}[notation]
    assert {(row.k, row.q): getattr(row, column) for row in rows} == pytest.approx(values, rel=1e-13)


def test_the_two_conventions_differ_exactly_where_they_must():
    for k, q in COMPONENTS:
        ratio = wybourne_factor(k, q, "C_+q") / wybourne_factor(k, q, "C_-q")
        assert ratio == (-1) ** q * (1 if q >= 0 else -1)
        if q >= 0 and q % 2 == 0:
            assert wybourne_factor(k, q) == wybourne_factor(k, q, "C_+q")


@pytest.mark.golden
def test_field_of_terbium_in_the_double_decker():
    """Ishikawa (2003): A20<r2> = 414, A40<r4> = -228, A60<r6> = 33 cm^-1; +-6 then +-5 near 440 cm^-1."""
    values = {(2, 0): "414 cm^-1", (4, 0): "-228 cm^-1", (4, 4): "10 cm^-1", (6, 0): "33 cm^-1"}
    terms = crystal_field("Tb3+", values, notation="A<r^k>")
    library = ms.load("tbpc2").terms
    assert [term.B for term in terms] == pytest.approx([term.B for term in library[:4]], rel=1e-8)
    energy = levels("Tb3+", values, notation="A<r^k>") / KELVIN_PER_WAVENUMBER
    assert energy[2] - energy[0] == pytest.approx(440, abs=6)


def test_the_table_says_what_was_converted():
    terms = [Stevens(2, 0, "-1.35 K"), Stevens(4, 3, 0.02)]
    text = describe_crystal_field("Er3+", terms, convention="C_+q")
    assert "Stevens factors 4/1575, 2/45045, 8/3864861" in text
    assert "L times C_q + (-1)^q C_-q (convention C_+q)" in text
    lines = text.splitlines()
    assert len(lines) == 5
    assert lines[3].split()[:3] == ["2", "0", "-1.35"]
    assert float(lines[4].split()[-1]) == pytest.approx(-math.sqrt(35) / 2, rel=1e-5)
    gadolinium = describe_crystal_field("Gd3+", [Stevens(2, 0, 0.1)]).splitlines()[-1].split()
    assert gadolinium[4:6] == ["-", "-"]


@pytest.mark.parametrize(
    ("name", "values", "keywords", "message"),
    [
        ("Ce3+", {(6, 0): 1.0}, {"notation": "B"}, "k must be at most 2S = 5 for a spin 5/2, got 6"),
        ("Sm3+", {(6, 0): 1.0}, {"notation": "A<r^k>"}, "at most 2S = 5"),
        ("Er3+", {(8, 0): 1.0}, {"notation": "B"}, "k must be 2, 4 or 6 inside a 4f shell, got 8"),
        ("Er3+", {(3, 0): 1.0}, {"notation": "B"}, "inside a 4f shell, got 3"),
        ("Er3+", {(2, 3): 1.0}, {"notation": "B"}, "q must lie between -2 and 2"),
        ("Gd3+", {(2, 0): 1.0}, {"notation": "A<r^k>"}, r"Gd3\+ must have a Stevens factor of rank 2"),
        ("Eu3+", {(2, 0): 1.0}, {"notation": "B"}, r"Eu3\+ must have J > 0"),
        ("Fe3+", {(2, 0): 1.0}, {"notation": "B"}, "ion must be a lanthanide ion"),
        ("Er3+", {(2, 0): 1.0}, {"notation": "stevens"}, "notation must be one of B, A<r"),
        ("Er3+", {(4, 3): 1.0}, {"notation": "Wybourne"}, "convention must be named for L43"),
        ("Er3+", {(4, -4): 1.0}, {"notation": "Wybourne"}, "convention must be named for L4-4"),
        ("Er3+", {(4, 3): 1.0}, {"notation": "Wybourne", "convention": "C"}, "convention must be one of"),
        ("Er3+", {(4, 3): 1.0}, {"notation": "B", "convention": "C_-q"}, "convention must be left out"),
        ("Er3+", {"20": 1.0}, {"notation": "B"}, "values must be given for pairs"),
        ("Er3+", [((2, 0), 1.0)], {"notation": "B"}, "values must be a Mapping"),
        ("Er3+", {(2, 0): "1 T"}, {"notation": "B"}, "B20"),
        ("Er3+", {(2.0, 0): 1.0}, {"notation": "B"}, "k must be an integer"),
    ],
)
def test_bad_fields_are_one_sentence(name, values, keywords, message):
    with pytest.raises(InputError, match=message) as caught:
        crystal_field(name, values, **keywords)
    assert "\n" not in str(caught.value)


def test_even_cosine_components_need_no_convention():
    (term,) = crystal_field("Er3+", {(4, 4): 1.0}, notation="Wybourne")
    expected = math.sqrt(70) / 8 * 2 / 45045
    assert abs(term.B - expected) < 1e-15 * expected * 10
    with pytest.raises(InvalidModelError, match="inside a 4f shell"):
        wybourne_factor(8, 0)


def test_frame_and_site_are_handed_on():
    (term,) = crystal_field("Er3+", {(2, 0): 1.0}, notation="B", site=1, frame=(0, "90 deg", 0))
    assert term.site == 1
    assert term.frame == pytest.approx((0, np.pi / 2, 0))
