"""Wave functions of tunnelling pairs against eigenvectors with 60 digits and against closed forms.

The Hamiltonian is built here a second time, from its definition, in mpmath.
"""

from math import factorial, gcd, prod, sqrt

import mpmath as mp
import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import MU_B
from mesospin.spectrum.wells.wave_functions import mixing_angle, tunnelling_pair

DIGITS = 60
SET_A = {"S": 10, "D": -0.548, "A4": -1.17e-3, "C4": -2.2e-5, "g": 1.94}
FE8 = {"S": 10, "D": -0.292, "E": 0.046, "C4": -2.9e-5, "g": 2.0}


class Exact:
    """H = D Sz^2 + E(Sx^2-Sy^2) + A4 Sz^4 + C4(S+^4+S-^4) + mu_B g (Bz Sz + Bx Sx), real and symmetric.

    Only the projections that its steps connect to ``top``: the others have no amplitude.
    """

    def __init__(self, S, D, E=0.0, A4=0.0, C4=0.0, g=2.0, Bx=0.0, *, top):
        self.S, self.two_s = S, round(2 * S)
        self.mu = mp.mpf(g) * mp.mpf(MU_B)
        # doubles enter as they are; half of E is formed in double precision as in giant_spin
        bands = {1: self.mu * mp.mpf(Bx) / 2, 2: mp.mpf(0.5 * E), 4: mp.mpf(C4)}
        step = gcd(*(n for n, value in bands.items() if value != 0))
        self.index = list(range(round(S - top) % step, self.two_s + 1, step))
        self.m = [mp.mpf(S) - k for k in self.index]
        self.H0 = mp.zeros(len(self.m))
        for k, m in enumerate(self.m):
            self.H0[k, k] = mp.mpf(D) * m**2 + mp.mpf(A4) * m**4
            for n, value in bands.items():
                if value != 0 and k + n // step < len(self.m):
                    root = mp.sqrt(mp.mpf(self._product(self.index[k] + n, n)))
                    self.H0[k, k + n // step] = self.H0[k + n // step, k] = value * root

    def _product(self, column, n):
        """<m+n|S+^n|m>^2 with m = S - column."""
        return prod((column - i) * (self.two_s + 1 - column + i) for i in range(n))

    def pair(self, B, a, b):
        """Return energies of the two levels that carry the states a and b, and their amplitudes."""
        H = self.H0.copy()
        for k, m in enumerate(self.m):
            H[k, k] += self.mu * B * m
        energy, U = mp.eigsy(H)
        n, (ka, kb) = len(self.m), (self.index.index(a), self.index.index(b))
        weight = [U[ka, k] ** 2 + U[kb, k] ** 2 for k in range(n)]
        lower, upper = sorted(sorted(range(n), key=lambda k: -weight[k])[:2])
        vectors = []
        for k in (lower, upper):
            full = [mp.mpf(0)] * (self.two_s + 1)
            for q, place in enumerate(self.index):
                full[place] = U[q, k]
            vectors.append(full)
        return (energy[lower], energy[upper]), vectors

    def resonance(self, start, width, a, b):
        """Return the field of the minimum gap: gap^2 is a parabola, its slope gap (M_upper - M_lower)."""

        def slope(B):
            (lower, upper), (down, up) = self.pair(B, a, b)
            moments = [
                sum(m * v[k] ** 2 for m, k in zip(self.m, self.index, strict=True)) for v in (down, up)
            ]
            return (upper - lower) * (moments[1] - moments[0])

        return mp.findroot(slope, (mp.mpf(start), mp.mpf(start) + width / 100), tol=mp.mpf(10) ** -60)


def spin_of(parameters):
    return ms.giant_spin(**parameters)


def compare(ds, exact, B, pair, *, rel, node=1e-10):
    """Assert that both levels agree amplitude by amplitude; ``node`` is for those of the odd one."""
    a, b = (round(exact.S - m) for m in pair)
    left, right = max(a, b), min(a, b)  # left has the smaller m, which comes later
    energies, vectors = exact.pair(B, a, b)
    order = ("even", "odd") if str(ds.ground.values) == "even" else ("odd", "even")
    for name, energy, vector in zip(order, energies, vectors, strict=True):
        sign = mp.sign(vector[left])
        reference = np.array([float(sign * x) for x in vector])
        ours = ds.amplitude_re.sel(state=name).values
        assert np.sign(reference[right]) == (1 if name == "even" else -1)
        assert float(ds.energy.sel(state=name)) == pytest.approx(float(energy), rel=1e-13)
        assert ours[reference == 0.0] == pytest.approx(0.0, abs=1e-16)
        # a difference of the two dressed states, each of which is right to rel
        apart = np.abs(ds.amplitude_re.sel(state=["left", "right"]).values).sum(axis=0)
        limit = rel * np.abs(reference) + node * apart
        assert np.all(np.abs(ours - reference) <= limit), (name, ours, reference)
    centre = float(sum(energies) / 2)
    offsets = [float(energy - sum(energies) / 2) for energy in energies]
    mine = ds.offset.sel(state=list(order)).values
    assert mine[1] - mine[0] == pytest.approx(offsets[1] - offsets[0], rel=rel)
    assert float(ds.distance) == pytest.approx(offsets[1] - offsets[0], rel=rel)
    assert np.mean(ds.energy.sel(state=["even", "odd"]).values) == pytest.approx(centre, rel=1e-13)


ZERO_FIELD = [
    (SET_A, (10, -10)),
    (SET_A, (4, -4)),
    (SET_A, (2, -2)),
    (FE8, (10, -10)),
    (FE8, (8, -8)),
    ({"S": 20, "D": -0.5, "E": 0.02, "g": 2.0}, (20, -20)),
    ({"S": 4.5, "D": -0.6, "E": 0.03, "g": 2.0, "Bx": 0.2}, (4.5, -4.5)),
    ({"S": 3, "D": -1.0, "A4": 0.01, "g": 2.0, "Bx": 0.05}, (3, -3)),
]


@pytest.mark.parametrize(("parameters", "pair"), ZERO_FIELD)
def test_every_amplitude_against_sixty_digits(parameters, pair):
    transverse = (parameters.get("Bx", 0.0), 0.0)
    spin = spin_of({k: v for k, v in parameters.items() if k != "Bx"})
    with mp.workdps(DIGITS):
        ds = tunnelling_pair(spin, pair, transverse=transverse)
        compare(ds, Exact(**parameters, top=pair[0]), mp.mpf(0), pair, rel=1e-10)


@pytest.mark.parametrize("gaps", [0.3, -2.0, 1e3, -1e6])
@pytest.mark.parametrize(("parameters", "pair"), [ZERO_FIELD[0], ZERO_FIELD[3], ZERO_FIELD[6]])
def test_levels_localise_with_the_bias(parameters, pair, gaps):
    """The bias is exact at zero field, where it is the field itself."""
    transverse = (parameters.get("Bx", 0.0), 0.0)
    spin = spin_of({k: v for k, v in parameters.items() if k != "Bx"})
    resonance = ms.tunnel_splitting(spin, pair, transverse=transverse)
    bias = gaps * resonance.kelvin / abs(resonance.slope)
    ds = tunnelling_pair(spin, pair, transverse=transverse, bias=bias)
    with mp.workdps(DIGITS):
        compare(ds, Exact(**parameters, top=pair[0]), mp.mpf(bias), pair, rel=1e-9, node=1e-9)
    lower = min(ds.offset.values[2:])
    state = ["even", "odd"][int(ds.offset.values[3] == lower)]
    angle = mixing_angle(float(ds.splitting), float(ds.slope), bias)
    # two levels alone, to (gap / spacing) of the smaller weight
    expected = [np.sin(angle) ** 2, np.cos(angle) ** 2]
    assert ds.well_weight.sel(state=state).values == pytest.approx(expected, rel=2e-3, abs=1e-4)
    assert float(ds.mixing_angle) == pytest.approx(float(angle), rel=1e-3)


@pytest.mark.parametrize(
    ("parameters", "pair"),
    [(SET_A, (10, -6)), (FE8, (10, -8)), (SET_A | {"E": 0.02}, (10, -8)), (SET_A | {"E": 0.02}, (4, -2))],
)
def test_resonances_in_a_field(parameters, pair):
    spin = spin_of(parameters)
    gap = ms.tunnel_splitting(spin, pair)
    ds = tunnelling_pair(spin, pair)
    assert float(ds.distance) == pytest.approx(gap.kelvin, rel=1e-9)
    assert float(ds.field) == pytest.approx(gap.field, abs=1e-12)
    with mp.workdps(40):
        exact = Exact(**parameters, top=pair[0])
        a, b = (parameters["S"] - m for m in pair)
        B = exact.resonance(gap.field, gap.kelvin / abs(gap.slope), a, b)
        compare(ds, exact, B, pair, rel=1e-8, node=1e-8)


@pytest.mark.parametrize("E", [1e-3, -1e-3])
def test_spin_one(E):
    ds = tunnelling_pair(ms.giant_spin(1, D=-1.0, E=E), (1, -1))
    even, odd = (ds.amplitude_re.sel(state=name).values for name in ("even", "odd"))
    assert even == pytest.approx([sqrt(0.5), 0, sqrt(0.5)], abs=1e-15)
    assert odd == pytest.approx([-sqrt(0.5), 0, sqrt(0.5)], abs=1e-15)
    assert float(ds.distance) == pytest.approx(2 * abs(E), rel=1e-15)
    assert ds.offset.sel(state=["even", "odd"]).values == pytest.approx([E, -E], rel=1e-14)
    assert str(ds.ground.values) == ("odd" if E > 0 else "even")


def test_amplitude_under_the_barrier_is_the_product_of_the_steps():
    """|10>, 6, 2, -2, ... : each step V/(E - E_m), to (C S^4 / D)^2; the far end is |-10> with h_ab / 2."""
    D, C = 1.0, 1e-9
    ds = tunnelling_pair(ms.giant_spin(10, D=-D, C4=C), (10, -10))
    right = ds.amplitude_re.sel(state="right")

    def step(m):
        """<m-4|S-^4|m>."""
        up = factorial(10 + m) * factorial(10 - m + 4)
        return C * sqrt(up / (factorial(10 - m) * factorial(10 + m - 4)))

    amplitude = 1.0
    for m in (10, 6, 2, -2):
        amplitude *= step(m) / (-D * 100 + D * (m - 4) ** 2)
        assert float(right.sel(m=m - 4)) == pytest.approx(amplitude, rel=1e-6)
    assert float(ds.coupling_re) == pytest.approx(amplitude * step(-6), rel=1e-6)


def test_exponentially_small_amplitudes():
    """S = 100: the tail of the localised state reaches 1e-66 and obeys H psi = E psi row by row."""
    spin = ms.giant_spin(100, D=-0.5, E=0.05)
    ds = tunnelling_pair(spin, (100, -100))
    assert ds.splitting < 1e-100
    with mp.workdps(50):
        exact = Exact(100, -0.5, 0.05, top=100)
        left = [mp.mpf(float(x)) for x in ds.amplitude_re.sel(state="left").values]
        E = mp.mpf(float(ds.energy.sel(state="left")))
        for row in range(1, 80):
            terms = [
                (exact.H0[row, q] - (E if q == row else 0)) * left[2 * q] for q in (row - 1, row, row + 1)
            ]
            assert abs(sum(terms)) <= 1e-12 * max(abs(t) for t in terms)


@pytest.mark.parametrize(
    ("terms", "pair", "ground"),
    [
        ({"E": 0.01}, (4, -4), "even"),  # 4 steps, v > 0
        ({"E": 0.01}, (3, -3), "odd"),  # 3 steps
        ({"E": -0.01}, (3, -3), "even"),
        ({"C4": 1e-5}, (4, -4), "even"),
        ({"C4": 1e-5}, (2, -2), "odd"),
        ({"C4": -1e-5}, (2, -2), "even"),
    ],
)
def test_which_combination_is_lower(terms, pair, ground):
    assert str(tunnelling_pair(ms.giant_spin(4, D=-1.0, **terms), pair).ground.values) == ground


@pytest.mark.parametrize("parameters", [SET_A, FE8])
def test_parity_norm_and_orthogonality(parameters):
    S = parameters["S"]
    ds = tunnelling_pair(spin_of(parameters), (S, -S))
    psi = ds.amplitude_re.values
    assert np.linalg.norm(psi, axis=1) == pytest.approx(np.ones(4), abs=1e-15)
    assert abs(psi[2] @ psi[3]) < 1e-15
    even, odd = psi[2], psi[3]
    assert even == pytest.approx(even[::-1], rel=1e-12)
    assert odd == pytest.approx(-odd[::-1], rel=1e-10, abs=1e-19)
    assert psi[0] == pytest.approx(psi[1][::-1], rel=1e-12)
    # the sum and the difference, up to the overlap of the two
    overlap = float(ds.overlap)
    assert overlap < float(ds.splitting)
    assert even == pytest.approx((psi[0] + psi[1]) / sqrt(2), abs=2 * overlap + 1e-15)
    # odd is positive on the left name
    assert odd == pytest.approx((psi[0] - psi[1]) / sqrt(2), abs=2 * overlap + 1e-15)


def test_complex_couplings_turn_the_phase():
    """A transverse field at azimuth phi turns the coupling of S and -S by 2 S phi."""
    phi, h, S = 0.3, 0.1, 2
    along = tunnelling_pair(ms.giant_spin(S, D=-1.0), (S, -S), transverse=(h, 0.0))
    turned = tunnelling_pair(ms.giant_spin(S, D=-1.0), (S, -S), transverse=(h * np.cos(phi), h * np.sin(phi)))
    assert float(turned.distance) == pytest.approx(float(along.distance), rel=1e-12)
    assert turned.probability.values == pytest.approx(along.probability.values, rel=1e-9, abs=1e-25)
    coupling = complex(turned.coupling_re, turned.coupling_im) * np.exp(1j * float(turned.phase))
    assert coupling.imag == pytest.approx(0.0, abs=1e-12 * abs(coupling))
    assert (coupling.real < 0) == (str(turned.ground.values) == "even")
    assert abs(np.cos(float(turned.phase) + 2 * S * phi)) == pytest.approx(1.0, abs=1e-12)
    H = ms.levels(ms.giant_spin(S, D=-1.0), B_vector=[h * np.cos(phi), h * np.sin(phi), 0.0])
    assert turned.energy.values[2:].min() == pytest.approx(float(H.energy[0]), rel=1e-14)
