"""Step fields and gaps against diagonalisation with 100 digits and against closed forms.

The Hamiltonian is built here a second time, in ball arithmetic and from its definition; the gap is minimised
in the field by parabolas through gap^2, which is quadratic in the field near an avoided crossing.
"""

from math import factorial

import numpy as np
import pytest
from flint import acb, acb_mat, arb, arb_mat, ctx

import mesospin as ms
from mesospin.constants import MU_B

DIGITS = 100


@pytest.fixture(autouse=True)
def hundred_digits():
    with ctx.workdps(DIGITS):
        yield


def exact_number(value):
    """The double as it is, not its decimal text."""
    return arb(float(value))


class Exact:
    """H = D Sz^2 + E(Sx^2-Sy^2) + A4 Sz^4 + C4(S+^4+S-^4) + mu_B g B.S in ball arithmetic."""

    def __init__(self, S, *, D, E=0.0, A4=0.0, C4=0.0, g=2.0, axis=(0.0, 0.0, 1.0), transverse=(0.0, 0.0)):
        two_s = round(2 * S)
        self.n = two_s + 1
        self.m = [arb(two_s - 2 * k) / 2 for k in range(self.n)]
        self.D, self.E, self.A4, self.C4 = (exact_number(x) for x in (D, E, A4, C4))
        self.mu = exact_number(g) * exact_number(MU_B)
        norm = sum((exact_number(x) ** 2 for x in axis), start=arb(0)).sqrt()
        self.axis = [exact_number(x) / norm for x in axis]
        self.transverse = [exact_number(x) for x in transverse]
        self.complex = bool(axis[1] or transverse[1])
        s = arb(two_s) / 2
        # <m+1|S+|m> for the column m
        self.up = [(s * (s + 1) - m * (m + 1)).sqrt() for m in self.m]

    def matrix(self, B):
        n = self.n
        bx, by = (B * a + t for a, t in zip(self.axis[:2], self.transverse, strict=True))
        bz = B * self.axis[2]
        H = [[acb(0) for _ in range(n)] for _ in range(n)]
        for k, m in enumerate(self.m):
            H[k][k] = acb(self.D * m**2 + self.A4 * m**4 + self.mu * bz * m)
            chain = arb(1)
            for step in range(1, 5):
                if k - step < 0:
                    break
                chain *= self.up[k - step + 1]  # S+^step from m to m + step
                element = {
                    1: acb(self.mu * bx / 2, -self.mu * by / 2),
                    2: acb(self.E / 2),
                    3: acb(0),
                    4: acb(self.C4),
                }[step] * acb(chain)
                H[k - step][k] += element
                H[k][k - step] += acb(element.real, -element.imag)
        return H

    def levels(self, B):
        H = self.matrix(B)
        if self.complex:
            values = acb_mat(H).eig(algorithm="approx", multiple=True)
        else:
            values = arb_mat([[x.real for x in row] for row in H]).eig(algorithm="approx", multiple=True)
        return sorted((arb(x.real.mid()) for x in values), key=lambda x: x.mid())

    def crossing(self, pair, start):
        """Field [T] and least gap [K] of two states that meet near ``start``."""
        B, h = exact_number(start), exact_number(1e-5)
        diagonal = [row[k].real for k, row in enumerate(self.matrix(B))]
        index = [next(k for k, m in enumerate(self.m) if m == exact_number(x)) for x in pair]
        middle = (diagonal[index[0]] + diagonal[index[1]]) / 2
        lower = sum(bool(d < middle) for k, d in enumerate(diagonal) if k not in index)
        for _ in range(40):
            low, centre, high = (self._gap(lower, B + k * h) ** 2 for k in (-1, 0, 1))
            curvature = low - 2 * centre + high
            step = h * (low - high) / (2 * curvature)
            B, least = arb((B + step).mid()), centre - (low - high) ** 2 / (8 * curvature)
            # the next parabola is taken on the scale of the distance from the vertex, or of the gap
            smaller = max(abs(step), (abs(least) / curvature).sqrt() * h / 8, key=lambda x: x.mid())
            if abs(step) < exact_number(1e-7) * smaller or abs(step) < exact_number(1e-40):
                break
            h = arb(min(smaller, h / 2, key=lambda x: x.mid()).mid())
        return float(B.mid()), float(self._gap(lower, B).mid())

    def _gap(self, lower, B):
        energy = self.levels(B)
        return energy[lower + 1] - energy[lower]


SET_A = {"S": 10, "D": -0.548, "A4": -1.17e-3, "C4": -2.2e-5, "g": 1.94}
SET_B = {"S": 10, "D": -0.56, "A4": -1.1e-3, "C4": -3e-5, "g": 2.0}
FE8 = {"S": 10, "D": -0.292, "E": 0.046, "C4": -2.9e-5, "g": 2.0}
CASES = [
    (SET_A, (10, -10), {}),
    (SET_A, (10, -6), {}),
    (SET_A, (10, -2), {}),
    (SET_A, (9, -7), {}),
    (SET_A, (4, -4), {}),
    (SET_B, (10, -10), {}),
    (SET_A | {"E": 2.3e-3}, (10, -4), {}),
    (SET_A, (10, -9), {"transverse": (0.01, 0.0)}),
    (SET_A | {"E": 4.7e-3}, (10, -3), {"transverse": (0.01, 0.0)}),
    (SET_A, (10, -3), {"axis": (0.02, 0.0, 1.0)}),
    (SET_A | {"E": 2.3e-3}, (10, -3), {"axis": (0.01, 0.02, 1.0), "transverse": (0.0, 0.005)}),
    (FE8, (10, -10), {}),
    (FE8, (10, -8), {"transverse": (0.1, 0.0)}),
    (FE8, (10, -9), {"transverse": (0.05, 0.05)}),
    (FE8, (9, -9), {"transverse": (0.25, 0.0)}),
    ({"S": 1, "D": -1.0, "E": 1e-4}, (1, -1), {}),
    ({"S": 1, "D": -1.0, "E": 1e-4}, (1, 0), {"transverse": (1e-4, 0.0)}),
    ({"S": 1.5, "D": -1.0, "E": 1e-3}, (1.5, -0.5), {}),
    ({"S": 1.5, "D": -1.0, "E": 0.01}, (1.5, -1.5), {"transverse": (0.01, 0.0)}),
    ({"S": 4.5, "D": -0.61, "E": 0.02}, (4.5, -3.5), {}),
    ({"S": 4.5, "D": -0.61, "E": 0.02}, (4.5, -4.5), {"transverse": (0.0, 0.1)}),
    ({"S": 4.5, "D": -0.61, "E": 0.02}, (4.5, -2.5), {"axis": (0.05, 0.0, 1.0)}),
]


def spin_of(parameters):
    values = dict(parameters)
    return ms.giant_spin(values.pop("S"), **values)


@pytest.mark.parametrize(("parameters", "pair", "field"), CASES)
def test_field_and_gap(parameters, pair, field):
    ours = ms.tunnel_splitting(spin_of(parameters), pair, **field)
    exact_field, exact_gap = Exact(**parameters, **field).crossing(pair, ours.field + 1e-6)
    # downfolding errs by (gap/spacing)^2 of the gap; the error that comes with the value claims it
    assert ours.kelvin == pytest.approx(exact_gap, rel=1e-11, abs=ours.error)
    # and by gap^2/(spacing slope) of the field; spacings are above 1 K here
    assert ours.field == pytest.approx(exact_field, abs=1e-13 + exact_gap**2 / abs(ours.slope))


@pytest.mark.parametrize("parameters", [SET_A, SET_B])
def test_table_of_steps(parameters):
    """g mu_B B = n [D + B(S^2 + (S-n)^2)] without transverse terms; C moves it by less than 1 mT."""
    axial = {**parameters, "C4": 0.0}
    for n in range(1, 11):
        bare = n * (-axial["D"] - axial["A4"] * (100 + (10 - n) ** 2)) / (axial["g"] * MU_B)
        pair = ms.tunnel_splitting(spin_of(axial), (10, n - 10))
        assert pair.field == pytest.approx(bare, rel=1e-14)
        assert pair.is_zero_by_symmetry
        assert ms.tunnel_splitting(spin_of(parameters), (10, n - 10)).field == pytest.approx(bare, abs=1e-3)


@pytest.mark.parametrize("n", [0, 2, 4, 6, 8])
def test_table_of_crossings_is_the_splitting(n):
    spin = spin_of(SET_A | {"E": 2.3e-3})
    alone = ms.tunnel_splitting(spin, (10, n - 10))
    table = ms.crossings(spin, (alone.field - 0.02, alone.field + 0.02))
    mine = np.flatnonzero((table.m_from.values == 10) & (table.m_to.values == n - 10))
    assert len(mine) == 1
    assert float(table.field[mine[0]]) == pytest.approx(alone.field, abs=1e-12)
    assert float(table.splitting[mine[0]]) == pytest.approx(alone.kelvin, rel=1e-12)


@pytest.mark.parametrize("S", [1, 2, 5, 10])
def test_transverse_field_alone(S):
    """Garanin: 2D/[(2S-1)!]^2 (2S)! (h/2D)^{2S} for H = -D Sz^2 - h Sx, the first order in h/D."""
    D, h = 1.0, 1e-3
    gap = ms.tunnel_splitting(ms.giant_spin(S, D=-D, g=1.0), (S, -S), transverse=(h / MU_B, 0.0))
    expected = 2 * D * factorial(2 * S) / factorial(2 * S - 1) ** 2 * (h / (2 * D)) ** (2 * S)
    # the next order is (h/D)^2 times a number of order S^2
    assert gap.kelvin == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("S", [1, 2])
def test_rhombic_in_closed_form(S):
    """S = 1: gap 2E.  S = 2: levels of the even block are 0, -4D and 2 sqrt(D^2 + 3E^2) apart."""
    D, E = 1.0, 1e-5
    gap = ms.tunnel_splitting(ms.giant_spin(S, D=-D, E=E), (S, -S)).kelvin
    # for S = 2: -2D - 2 sqrt(D^2 + 3 E^2) against -4D, written without cancellation
    expected = 2 * E if S == 1 else 6 * E**2 / (D + np.sqrt(D**2 + 3 * E**2))
    assert gap == pytest.approx(expected, rel=1e-9)


def test_published_gap_of_set_a():
    """Delta(10) = 2.96251952775e-12 K, Delta(4) = 1.290799846e-2 K, free of constants."""
    assert ms.tunnel_splitting(spin_of(SET_A), (10, -10)).kelvin == pytest.approx(
        2.96251952775e-12, rel=1e-11
    )
    assert ms.tunnel_splitting(spin_of(SET_A), (4, -4)).kelvin == pytest.approx(1.290799846e-2, rel=1e-9)
