"""Multiplets and Stevens factors against all Slater determinants of 4f^n and against the printed tables."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy.special import eval_legendre, lpmv

from mesospin.errors import InputError, InvalidModelError
from mesospin.model.ions import ion, ions
from mesospin.operators.stevens import stevens_operator

TRIVALENT = [name for name in ions() if name.endswith("3+")]
COUNT = {2: 2, 4: 8, 6: 16}
#: Spin-orbitals of the shell, (m, spin projection).
ORBITALS = [(m, s) for m in range(3, -4, -1) for s in (0.5, -0.5)]


# --- f^n by brute force: determinants, one-body operators, and the joint eigenvector of L^2, S^2, J^2, Jz -


def theta_integral(m, k, function):
    """<3 k| f(cos theta) e^(i(k-m) phi)... |3 m> over theta, with Condon-Shortley harmonics."""
    x, w = np.polynomial.legendre.leggauss(40)

    def harmonic(q):
        size = np.prod([1.0 / j for j in range(3 - abs(q) + 1, 3 + abs(q) + 1)]) if q else 1.0
        value = np.sqrt(3.5 * size) * lpmv(abs(q), 3, x)
        return value * (-1) ** q if q < 0 else value

    return float(np.sum(w * harmonic(k) * function(x) * harmonic(m)))


def one_body(element):
    """Return the 14 x 14 matrix with element(m', s', m, s)."""
    return np.array([[element(*a, *b) for b in ORBITALS] for a in ORBITALS])


def ladder(x, y, j):
    return np.sqrt(j * (j + 1) - x * y) if y == x - 1 else 0.0


RAISE_L = one_body(lambda a, s, b, t: ladder(a, b, 3) if s == t else 0.0)
RAISE_S = one_body(lambda a, s, b, t: float(a == b and s == t + 1))
LZ = one_body(lambda a, s, b, t: a * float(a == b and s == t))
SZ = one_body(lambda a, s, b, t: s * float(a == b and s == t))


def potential(k):
    return one_body(
        lambda a, s, b, t: (
            COUNT[k] * theta_integral(a, a, lambda x: eval_legendre(k, x)) if a == b and s == t else 0.0
        )
    )


def field_at_nucleus():
    """The z component of l - s + 3 r (r.s)/r^2."""

    def element(a, s, b, t):
        if s == t:
            return (b - s + 3 * s * theta_integral(b, b, lambda x: x * x)) if a == b else 0.0
        # 3 cos(theta) sin(theta)/2 (e^(-i phi) s+ + e^(i phi) s-)
        shift = -1 if s > t else 1
        return 1.5 * theta_integral(b, a, lambda x: x * np.sqrt(1 - x * x)) if a == b + shift else 0.0

    return one_body(element)


def determinants(n, M):
    """Return the sorted sets of n spin-orbitals with total projection M."""
    total = [m + s for m, s in ORBITALS]
    return [c for c in combinations(range(14), n) if abs(sum(total[i] for i in c) - M) < 1e-9]


def many_body(matrix, bra, ket):
    """Return the matrix of a one-body operator between two lists of determinants."""
    index = {c: row for row, c in enumerate(bra)}
    result = np.zeros((len(bra), len(ket)))
    for column, c in enumerate(ket):
        for place, old in enumerate(c):
            rest = c[:place] + c[place + 1 :]
            for new in np.flatnonzero(matrix[:, old]):
                if new in rest:
                    continue
                made = tuple(sorted((*rest, int(new))))
                row = index.get(made)
                if row is not None:
                    sign = (-1) ** (place + made.index(int(new)))
                    result[row, column] += sign * matrix[new, old]
    return result


def square(raising, z, low, high):
    plus = many_body(raising, high, low)
    third = many_body(z, low, low)
    return plus.T @ plus + third @ third + third


@pytest.fixture(scope="module")
def stretched():
    """Return the state M = J of the Hund multiplet among all determinants."""
    cache = {}

    def find(name):
        if name not in cache:
            found = ion(name)
            L, S, J = (float(x) for x in (found.L, found.S, found.J))
            low, high = determinants(found.electrons, J), determinants(found.electrons, J + 1)
            squares = [
                square(RAISE_L, LZ, low, many_body_rows(RAISE_L, low)),
                square(RAISE_S, SZ, low, many_body_rows(RAISE_S, low)),
                square(RAISE_L + RAISE_S, LZ + SZ, low, high),
            ]
            wanted = [q * (q + 1) for q in (L, S, J)]
            defect = sum(
                (m - v * np.eye(len(low))) @ (m - v * np.eye(len(low)))
                for m, v in zip(squares, wanted, strict=True)
            )
            values, vectors = np.linalg.eigh(defect)
            assert values[0] == pytest.approx(0.0, abs=1e-8)
            assert len(values) == 1 or values[1] > 0.1
            cache[name] = low, vectors[:, 0]
        return cache[name]

    return find


def many_body_rows(raising, low):
    """Return the determinants that a raising operator reaches."""
    reached = set()
    for c in low:
        for place, old in enumerate(c):
            rest = c[:place] + c[place + 1 :]
            reached |= {
                tuple(sorted((*rest, int(new)))) for new in np.flatnonzero(raising[:, old]) if new not in rest
            }
    return sorted(reached)


def mean(matrix, stretched_state):
    low, vector = stretched_state
    return float(vector @ many_body(matrix, low, low) @ vector)


@pytest.mark.parametrize("name", TRIVALENT)
def test_hund_multiplet_has_the_largest_spin_then_the_largest_orbit(name):
    """Among all determinants: largest M_S, then largest M_L; J by the half filling."""
    found = ion(name)
    rows = [
        (sum(ORBITALS[i][1] for i in c), sum(ORBITALS[i][0] for i in c))
        for c in combinations(range(14), found.electrons)
    ]
    S, L = max(rows)
    assert (Fraction(S), L) == (found.S, found.L)
    by_filling = abs(found.L - found.S) if found.electrons < 7 else found.L + found.S
    assert by_filling == found.J


@pytest.mark.parametrize("name", [name for name in TRIVALENT if name != "Eu3+"])
def test_factors_from_all_determinants(name, stretched):
    found, state = ion(name), stretched(name)
    J = float(found.J)
    assert mean(LZ + 2 * SZ, state) == pytest.approx(J * float(found.g_J), rel=1e-10)
    for k in (2, 4, 6):
        equivalent = float(stevens_operator(J, k, 0)[0, 0]) if k <= 2 * J else 0.0
        expected = float(found.stevens_factor(k)) * equivalent
        assert mean(potential(k), state) == pytest.approx(expected, rel=1e-9, abs=1e-11)
    assert mean(field_at_nucleus(), state) == pytest.approx(
        J * float(found.field_factor), rel=1e-9, abs=1e-11
    )


# --- the printed tables -----------------------------------------------------------------------------------


#: Stevens (1952), as in table 20 of Abragam and Bleaney (1970), with g_J.
PRINTED = {
    "Ce3+": ("2F5/2", "6/7", "-2/35", "2/315", "0"),
    "Pr3+": ("3H4", "4/5", "-52/2475", "-4/5445", "272/4459455"),
    "Nd3+": ("4I9/2", "8/11", "-7/1089", "-136/467181", "-1615/42513471"),
    "Pm3+": ("5I4", "3/5", "14/1815", "952/2335905", "2584/42513471"),
    "Sm3+": ("6H5/2", "2/7", "13/315", "26/10395", "0"),
    "Tb3+": ("7F6", "3/2", "-1/99", "2/16335", "-1/891891"),
    "Dy3+": ("6H15/2", "4/3", "-2/315", "-8/135135", "4/3864861"),
    "Ho3+": ("5I8", "5/4", "-1/450", "-1/30030", "-5/3864861"),
    "Er3+": ("4I15/2", "6/5", "4/1575", "2/45045", "8/3864861"),
    "Tm3+": ("3H6", "7/6", "1/99", "8/49005", "-5/891891"),
    "Yb3+": ("2F7/2", "8/7", "2/63", "-2/1155", "4/27027"),
}


@pytest.mark.golden
@pytest.mark.parametrize("name", PRINTED)
def test_printed_fractions(name):
    term, *numbers = PRINTED[name]
    found = ion(name)
    assert found.term == term
    assert (found.g_J, *found.theta) == tuple(Fraction(text) for text in numbers)
    assert name in found.describe()
    assert "4f^" in found.describe()


def test_an_s_state_and_a_singlet_have_no_factors():
    gadolinium, europium = ion("Gd3+"), ion("Eu3+")
    assert (gadolinium.L, gadolinium.J, gadolinium.g_J) == (0, Fraction(7, 2), 2)
    assert gadolinium.theta == europium.theta == (0, 0, 0)
    assert ion("Eu2+").term == ion("Tb4+").term == "8S7/2"
    with pytest.raises(InvalidModelError, match=r"Eu3\+ must have J > 0 to be a spin, got 7F0"):
        europium.spin()


def test_one_electron_and_one_hole_have_the_closed_form():
    """<j||N||j> = l(l+1)/(j(j+1)) of a single electron; a hole has the same."""
    assert ion("Ce3+").field_factor == Fraction(12) / Fraction(35, 4)
    assert ion("Yb3+").field_factor == Fraction(12) / Fraction(63, 4)


def test_names_in_all_spellings():
    for name in ("Er3+", "er3+", "Er(III)", "ErIII", "Er^3+", " Er+3 "):
        assert ion(name) is ion("Er3+")
    assert ion(ion("Er3+")) is ion("Er3+")
    assert ion("Tb(IV)").electrons == 7
    assert ion("Er3+").element == "Er"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Er", "write Er3+"),
        ("Erbium", "Er3+"),
        ("Fe3+", "did you mean"),
        ("Er2+", "write Er3+"),
        ("Tb2+", "write Tb3+ or Tb4+"),
        ("", "Ce3"),
    ],
)
def test_unknown_names_are_one_sentence(name, hint):
    with pytest.raises(InputError, match="ion must be a lanthanide ion with its charge") as caught:
        ion(name)
    assert hint in str(caught.value)


def test_bad_arguments():
    with pytest.raises(InputError, match="ion must be a str, got 68"):
        ion(68)  # type: ignore[arg-type]
    with pytest.raises(InvalidModelError, match="k must be 2, 4 or 6 inside a 4f shell, got 3"):
        ion("Er3+").stevens_factor(3)
