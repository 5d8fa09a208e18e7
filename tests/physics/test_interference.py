"""Interference of tunnelling paths: splitting maps and diabolical points.

Oracles: 50-digit diagonalisation of a Hamiltonian built here again, minimised eigenvalue differences,
closed forms for the biaxial spin (Garg 1993; Kececioglu and Garg 2001), and the lattice Chern number of
plain eigenvectors.
"""

import warnings

import numpy as np
import pytest
from flint import acb, acb_mat, arb, ctx
from scipy.optimize import minimize_scalar

import mesospin as ms
from mesospin.constants import MU_B
from mesospin.errors import ValidityWarning
from mesospin.spectrum.interference.diabolical import diabolical_points
from mesospin.spectrum.interference.splitting_map import splitting_map
from mesospin.spectrum.matrices import affine_hamiltonian

D, E, C = 0.292, 0.046, -2.9e-5
PERIOD = 2 * np.sqrt(2 * E * (E + D)) / (2 * MU_B)


# --- accuracy ---------------------------------------------------------------------------------------------


def exact_matrix(B, S=10, c=C):
    """-D Sz^2 + E(Sx^2-Sy^2) + c(S+^4+S-^4) + 2 mu_B B.S with 50 digits, from its definition."""
    n = 2 * S + 1
    m = [S - k for k in range(n)]
    up = [arb(S * (S + 1) - x * (x + 1)).sqrt() for x in m]  # <m+1|S+|m>
    zeeman = 2 * arb(MU_B)
    H = [[acb(0) for _ in range(n)] for _ in range(n)]
    for k in range(n):
        H[k][k] = acb(-arb(D) * m[k] ** 2 + zeeman * B[2] * m[k])
        chain = arb(1)
        elements = {1: acb(zeeman * B[0] / 2, -zeeman * B[1] / 2), 2: acb(arb(E) / 2), 4: acb(arb(c))}
        for step in range(1, min(4, k) + 1):
            chain *= up[k - step + 1]
            if step in elements:
                H[k - step][k] = elements[step] * acb(chain)
                H[k][k - step] = H[k - step][k].conjugate()
    return acb_mat(H)


def exact_least_gap(Bx, By, field, energy, gap, c=C):
    """Least gap over Bz near ``field``: gap^2 is a parabola there."""

    def gap_at(Bz):
        levels = exact_matrix((arb(Bx), arb(By), Bz), c=c).eig(algorithm="approx")
        levels = sorted((arb(x.real.mid()) for x in levels), key=lambda x: float(x))
        near = min(range(20), key=lambda i: abs(float(levels[i]) + float(levels[i + 1]) - 2 * energy))
        return levels[near + 1] - levels[near]

    Bz = arb(field)
    for part in (0.1, 0.01, 0.01):
        h = arb(gap) * arb(part)
        low, here, high = (gap_at(Bz + shift) ** 2 for shift in (-h, 0, h))
        Bz = arb((Bz - (high - low) / 2 * h / (high - 2 * here + low)).mid())
    return float(gap_at(Bz)), float(Bz)


CASES = [
    # name, pair, |B|, azimuth, C: open field, next to zeros, low weight, wide gap, odd and even n
    ("fe8", (10, -10), 0.1, 0.0, C),
    ("fe8", (10, -10), 0.2043, 0.0, C),
    ("fe8", (10, -10), 2.0, 0.0, C),
    ("fe8", (10, -10), 0.7, 0.3, C),
    ("fe8", (10, -10), 1.0, np.pi / 2, C),
    ("fe8", (10, -10), 2.0, np.pi / 2, C),
    ("fe8", (10, -9), 0.5, 0.2, C),
    ("fe8", (10, -8), 0.9, 0.1, C),
    ("fe8:biaxial", (10, -10), 0.1313, 0.0, 0.0),
    ("fe8:biaxial", (10, -10), 2.49, 0.0, 0.0),
]


@pytest.mark.parametrize(("name", "pair", "size", "azimuth", "c"), CASES)
def test_gap_and_field_agree_with_fifty_digits(name, pair, size, azimuth, c):
    ds = splitting_map(ms.load(name), pair, transverse=np.linspace(0, size, 6), azimuth=azimuth)
    last = ds.isel(azimuth=0, transverse=-1)
    gap, field = float(last.splitting), float(last.field)
    x, y = size * np.cos(azimuth), (0.0 if azimuth == 0 else size * np.sin(azimuth))
    x = 0.0 if azimuth == np.pi / 2 else x
    with ctx.workdps(50):
        exact, where = exact_least_gap(x, y, field, float(last.energy), gap, c)
    assert gap == pytest.approx(exact, rel=1e-9)
    assert field == pytest.approx(where, abs=1e-13 + 1e-6 * gap)


@pytest.mark.parametrize(("pair", "top"), [((10, -10), 4.0), ((10, -9), 3.0), ((7, -7), 1.5), ((8, -7), 1.5)])
def test_wide_gaps_are_minimised_eigenvalue_differences(pair, top):
    fe8 = ms.load("fe8")
    H0, G = affine_hamiltonian(fe8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        ds = splitting_map(fe8, pair, transverse=np.linspace(0, top, 81), azimuth=np.linspace(0, 1.5, 7))
    wide = np.argwhere(ds.splitting.values > 1e-3)[::5]
    assert len(wide) > 10
    for k, i in wide:
        phi, B = float(ds.azimuth[k]), float(ds.transverse[i])
        H = H0 + B * (np.cos(phi) * G[0] + np.sin(phi) * G[1])
        energy, field, gap = (float(ds[name][k, i]) for name in ("energy", "field", "splitting"))

        def distance(Bz, H=H, energy=energy):
            levels = np.linalg.eigvalsh(H + Bz * G[2])
            above = np.searchsorted(levels, energy)
            return levels[above] - levels[above - 1]

        reach = 0.2 * gap / 13
        limits, fine = (field - reach, field + reach), {"xatol": 1e-4 * reach}
        best = minimize_scalar(distance, bounds=limits, method="bounded", options=fine)
        assert gap == pytest.approx(best.fun, rel=1e-6)
        assert gap == pytest.approx(distance(field), rel=1e-9)


def test_coarse_and_fine_grids_follow_the_same_pair():
    fe8 = ms.load("fe8")
    angles = np.linspace(0, np.pi / 2, 5)
    fine = splitting_map(fe8, (10, -9), transverse=np.linspace(0, 2, 201), azimuth=angles)
    coarse = splitting_map(fe8, (10, -9), transverse=[1.0, 2.0], azimuth=angles)
    same = fine.isel(transverse=[100, 200])
    np.testing.assert_allclose(coarse.field, same.field, rtol=0, atol=1e-12)
    np.testing.assert_allclose(coarse.splitting, same.splitting, rtol=1e-8)


# --- the physics of Fe8 -----------------------------------------------------------------------------------


def zeros_on_hard_axis(system, pair, top):
    points = diabolical_points(system, pair, Bx=(0, top), By=(-0.1, 0.1), resolution=0.04)
    assert np.all(np.abs(points.By) < 1e-12)
    return points.Bx.values


def dips(system, pair, top):
    """Fields of the local minima of the splitting on the hard axis."""
    ds = splitting_map(system, pair, transverse=np.linspace(0, top, 2001))
    curve = np.concatenate([[np.inf], ds.splitting.values[0]])
    return ds.transverse.values[:-1][(curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])]


def test_period_with_and_without_fourth_order():
    assert abs(PERIOD - 0.26) < 0.005
    without = dips(ms.load("fe8:biaxial"), (10, -10), 1.3)
    np.testing.assert_allclose(without, PERIOD * (np.arange(5) + 0.5), atol=1e-3)
    with_c = dips(ms.load("fe8"), (10, -10), 0.9)
    assert np.diff(with_c)[0] == pytest.approx(0.41, rel=0.03)  # measured: Wernsdorfer and Sessoli 1999


@pytest.mark.parametrize("name", ["fe8", "fe8:biaxial"])
def test_parity_alternates_between_even_and_odd_resonances(name):
    system = ms.load(name)
    first = [zeros_on_hard_axis(system, (10, -10 + n), 0.9)[:2] for n in range(4)]
    for n, zeros in enumerate(first):
        period = zeros[1] - zeros[0]
        # even n: zeros at (k + 1/2) periods, odd n: at multiples of the period, the first at zero field
        assert zeros[0] == pytest.approx(0.5 * period if n % 2 == 0 else 0.0, abs=0.01 * period)


def test_splitting_grows_monotonically_along_the_medium_axis():
    for n in range(3):
        ds = splitting_map(
            ms.load("fe8"), (10, -10 + n), transverse=np.linspace(0, 2, 101), azimuth=np.pi / 2
        )
        assert np.all(np.diff(ds.splitting.values[0]) > 0)


def test_fourth_order_moves_zeros_off_the_hard_axis_in_pairs():
    window = {"Bx": (0, 2.6), "By": (-1.4, 1.4), "resolution": 0.08}
    plain, moved = (diabolical_points(ms.load(name), (10, -10), **window) for name in ("fe8:biaxial", "fe8"))
    assert np.all(np.abs(plain.By) < 1e-12)
    off = moved.isel(point=np.abs(moved.By.values) > 1e-6)
    assert moved.sizes["point"] - off.sizes["point"] == 4
    upper, lower = (off.isel(point=sign * off.By.values > 0) for sign in (1, -1))
    np.testing.assert_allclose(np.sort(upper.Bx), np.sort(lower.Bx), rtol=1e-12)
    np.testing.assert_allclose(np.sort(upper.By), np.sort(-lower.By), rtol=1e-12)
    # charge is conserved: no point passed through the border on the way
    assert int(plain.charge.sum()) == int(moved.charge.sum()) == 10
    assert moved.residual.max() < 1e-9


# --- the biaxial spin in closed form ----------------------------------------------------------------------


LATTICES = [
    (S, *wells) for S in (2, 2.5, 3, 5) for wells in ((0, 0), (0, 1), (0, 2), (1, 1)) if sum(wells) < S
]


@pytest.mark.parametrize(("S", "right", "left"), LATTICES)
def test_biaxial_points_are_the_lattice_in_closed_form(S, right, left):
    """Level ``right`` of one well meets level ``left`` of the other (Kececioglu and Garg 2001, eqs. 1.4-1.5).

    With k1 = D + E and k2 = D - E: g mu_B Bz = sqrt(k1 k2) (left - right), and
    g mu_B Bx = 2 sqrt(k1 (k1 - k2)) (S - k - (left + right + 1)/2) for k = 0 ... 2S - left - right - 1.
    """
    d, e = 1.0, 0.1
    spin = ms.giant_spin(S, D=-d, E=e)
    k = np.arange(2 * S - left - right)
    zeeman = 2 * MU_B
    fields = 2 * np.sqrt(2 * e * (d + e)) * (S - k - (left + right + 1) / 2) / zeeman
    top = fields.max() + 0.15
    points = diabolical_points(spin, (S - right, -S + left), Bx=(-top, top), By=(-0.2, 0.2))
    np.testing.assert_allclose(points.Bx, np.sort(fields), rtol=0, atol=1e-10)
    np.testing.assert_allclose(points.By, 0.0, atol=1e-10)
    np.testing.assert_allclose(
        points.Bz, np.sqrt(d**2 - e**2) * (left - right) / zeeman, rtol=1e-10, atol=1e-12
    )
    assert np.all(points.charge == 1)


def test_half_integer_spin_is_shifted_by_half_a_period():
    period = 2 * np.sqrt(2 * 0.1 * 1.1) / (2 * MU_B)
    for S, first in ((4, 0.5), (4.5, 0.0)):
        zeros = zeros_on_hard_axis(ms.giant_spin(S, D=-1.0, E=0.1), (S, -S), 1.5)
        np.testing.assert_allclose(zeros, period * (np.arange(len(zeros)) + first), atol=1e-10)


# --- charges ----------------------------------------------------------------------------------------------


def lattice_chern_number(system, level, surface, turns=24, rings=16):
    """Flux of the Berry curvature of a level through a closed surface (theta, phi) -> B, over 2 pi.

    Fukui, Hatsugai and Suzuki 2005; their sum over plaquettes of A = <n|d|n> is minus the flux of i<n|d|n>.
    """
    H0, G = affine_hamiltonian(system)
    theta = np.linspace(0, np.pi, rings + 1)
    phi = 2 * np.pi * np.arange(turns) / turns
    B = np.array([[surface(t, p) for p in phi] for t in theta])
    states = np.linalg.eigh(H0 + np.einsum("tpf,fij->tpij", B, G))[1][..., level]
    states[0], states[-1] = states[0, 0], states[-1, 0]  # one point each

    def link(a, b):
        product = np.einsum("tpi,tpi->tp", a.conj(), b)
        return product / np.abs(product)

    down = link(states[:-1], states[1:])
    around = link(states, np.roll(states, -1, axis=1))
    flux = np.angle(down * around[1:] * np.roll(down, -1, axis=1).conj() * around[:-1].conj())
    return -flux.sum() / (2 * np.pi)


def ellipsoid(centre, radius, height):
    return lambda t, p: (
        centre
        + np.array([radius * np.sin(t) * np.cos(p), radius * np.sin(t) * np.sin(p), height * np.cos(t)])
    )


def test_lattice_chern_number_of_a_spin_one_half():
    """H = mu_B g B.S: the lower level has charge +1, the upper one -1."""
    spin = ms.giant_spin(0.5, D=0.0)
    sphere = ellipsoid(np.zeros(3), 1.0, 1.0)
    assert lattice_chern_number(spin, 0, sphere) == pytest.approx(1)
    assert lattice_chern_number(spin, 1, sphere) == pytest.approx(-1)


CHARGED = [
    # biaxial: simple points
    (ms.giant_spin(2, D=-1.0, E=0.2), (2, -2), 1.8, [1, 1]),
    (ms.giant_spin(3, D=-1.0, E=0.1), (3, -2), 0.9, [1, 1]),
    (ms.giant_spin(2.5, D=-1.0, E=0.2), (2.5, -2.5), 1.5, [1, 1]),
    # axial: one point of charge m - m' at the origin
    (ms.giant_spin(2, D=-1.0), (2, -2), 0.5, [4]),
    (ms.giant_spin(2, D=-1.0), (2, -1), 0.5, [3]),
    # tetragonal, S+^4 + S-^4: 6 = 4 + 2, 5 = 4 + 1, 7 = 2 * 4 - 1 at the origin and 4 + 3 in total
    (ms.giant_spin(3, D=-1.0, C4=0.02), (3, -3), 0.4, [2]),
    (ms.giant_spin(3, D=-1.0, C4=0.02), (3, -2), 0.3, [1]),
    (ms.giant_spin(4, D=-1.0, C4=0.005), (4, -3), 0.4, [-1, 1, 1, 1, 1]),
    (ms.giant_spin(4, D=-1.0, C4=0.02), (4, -3), 0.3, [-1, 1, 1, 1, 1]),
]


@pytest.mark.parametrize(("system", "pair", "top", "expected"), CHARGED)
def test_charges_are_the_lattice_chern_numbers(system, pair, top, expected):
    low = -top if len(expected) > 2 else -0.05
    points = diabolical_points(
        system, pair, Bx=(low, top), By=(-0.4 * top, 0.4 * top) if low > -top else (low, top)
    )
    assert sorted(points.charge.values.tolist()) == expected
    places = np.stack([points[name].values for name in ("Bx", "By", "Bz")], axis=1)
    for k, place in enumerate(places):
        others = np.delete(places, k, axis=0)
        radius = min([0.1, *(0.4 * np.linalg.norm(others - place, axis=1))])
        # as flat as the gap, so that the plaquettes resolve the curvature
        angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
        H0, G = affine_hamiltonian(system)
        rim = [place + radius * np.array([np.cos(a), np.sin(a), 0.0]) for a in angle]
        level = int(points.level[k])
        gaps = [np.diff(np.linalg.eigvalsh(H0 + np.tensordot(B, G, 1))[level : level + 2])[0] for B in rim]
        surface = ellipsoid(place, radius, min(radius, np.mean(gaps)))
        found = lattice_chern_number(system, level, surface, turns=64, rings=48)
        assert found == pytest.approx(float(points.charge[k]))


def test_points_without_symmetry_are_all_found():
    """Chern number of the ground level over a large closed surface counts every point inside it."""
    terms = ms.giant_spin(2, D=-1.0, E=0.15).terms
    skew = (ms.Stevens(4, 3, 0.004), ms.Stevens(4, -2, 0.01), ms.Stevens(2, 1, 0.03))
    system = ms.SpinSystem("skew", [ms.Spin(2, 2.0)], [*terms, *skew])
    top, height = 1.4, 0.25
    points = diabolical_points(system, (2, -2), Bx=(-top, top), By=(-top, top))
    assert np.ptp(points.Bz.values) > 1e-3
    assert np.abs(points.By.values).min() > 1e-3
    inside = (points.Bx**2 + points.By**2) / top**2 + (points.Bz / height) ** 2
    assert np.all(np.abs(inside.values - 1) > 0.05)
    charge = int(points.charge.values[inside.values < 1].sum())
    surface = ellipsoid(np.zeros(3), top, height)
    found = lattice_chern_number(system, 0, surface, turns=200, rings=200)
    assert found == pytest.approx(charge)
    assert charge >= 2
    # and at each of them the two lowest levels of the plain matrix coincide
    H0, G = affine_hamiltonian(system)
    for k in range(points.sizes["point"]):
        B = [float(points[name][k]) for name in ("Bx", "By", "Bz")]
        levels = np.linalg.eigvalsh(H0 + np.tensordot(B, G, 1))
        level = int(points.level[k])
        assert levels[level + 1] - levels[level] < 1e-13
        assert levels[level] == pytest.approx(float(points.energy[k]), abs=1e-12)


@pytest.mark.filterwarnings("ignore::mesospin.errors.ValidityWarning")
@pytest.mark.parametrize("seed", range(6))
def test_charges_of_all_points_add_up_to_the_difference_of_the_projections(seed):
    """Terms without symmetry scatter the points; no charge comes or goes where the gap stays open."""
    rng = np.random.default_rng(seed)
    S, n = rng.choice([1.5, 2, 2.5, 3, 4]), int(rng.integers(0, 2))
    terms = list(ms.giant_spin(S, D=-1.0, E=rng.uniform(0, 0.2)).terms)
    for k, q in ((2, 1), (2, -2), (4, 3), (4, -3), (4, 2), (4, -1)):
        if k <= 2 * S:
            terms.append(ms.Stevens(k, q, rng.normal() * (0.03 if k == 2 else 0.01 / S**2)))
    system = ms.SpinSystem("scattered", [ms.Spin(S, 2.0)], terms)
    points = diabolical_points(system, (S, -S + n), Bx=(-5, 5), By=(-5, 5), resolution=0.2)
    assert points.charge.values.sum() == 2 * S - n


def test_tetragonal_selection_rule_shows_as_charge_at_zero_transverse_field():
    """Mn12: C connects states 4 apart; (10, -m) lacks 20 - m modulo 4 steps, taken by as many powers of B-.

    Where one step too many of S+ is the shorter way (19 = 5 * 4 - 1), the charge is -1, and four points of +1
    surround it closely, so that the whole has 3, as 19 = 4 * 4 + 3 asks for.
    """
    mn12 = ms.load("mn12ac")
    for second, charge in ((-10, 0), (-9, -1), (-8, 2), (-7, 1), (-6, 0)):
        points = diabolical_points(mn12, (10, second), Bx=(-0.2, 0.2), By=(-0.2, 0.2), resolution=0.03)
        distance = np.hypot(points.Bx, points.By).values
        at_origin = points.charge.values[distance == 0.0]
        assert at_origin.sum() == charge
        assert points.charge.values.sum() == (3 if second == -9 else charge)
