"""Spins of all sizes against closed forms, classical mechanics and independent matrices."""

import math

import numpy as np
import pytest
from scipy.linalg import eigh_tridiagonal, expm
from scipy.optimize import brentq, minimize

from mesospin.constants import HBAR, MU_B
from mesospin.experiment.splittings.quantum_objects import quantum_objects
from mesospin.model.anisotropies import FixedConstants, FixedDensity
from mesospin.model.system import giant_spin
from mesospin.spectrum.tunnelling.double_precision import DoublePrecision
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting
from mesospin.spectrum.wells.biaxial_well import BiaxialSpin, barrier, level_distance

LN10 = math.log(10.0)
MOLECULES = FixedConstants(D=-0.5, E=0.1)
GRAINS = FixedDensity(1.0, 2.0)


def asymptotic_log10(S, k1, k2):
    """Return log10 of 16 k1 r^(3/2) / (sqrt(pi)(1 + r)) S^(3/2) ((1 - r)/(1 + r))^S, r^2 = k2/k1."""
    root = math.sqrt(k2 / k1)
    prefactor = 16 * k1 * root**1.5 / (math.sqrt(math.pi) * (1 + root)) * S**1.5
    return math.log10(prefactor) + S * math.log10((1 - root) / (1 + root))


@pytest.mark.parametrize("anisotropy", [MOLECULES, GRAINS])
def test_splittings_tend_to_the_asymptotic_law(anisotropy):
    """From molecules to S = 1e5: the ratio to the law is 1 - c/S with one c."""
    spins = [100, 1000, 10_000, 100_000]
    table = quantum_objects(anisotropy, spins)
    corrections = []
    for S, logarithm in zip(spins, table.log10_splitting.values, strict=True):
        D, E = anisotropy.constants(S)
        ratio = 10 ** (logarithm - asymptotic_log10(S, -D + abs(E), -D - abs(E)))
        corrections.append((1 - ratio) * S)
    assert 0.0 < corrections[0] < 2.0
    np.testing.assert_allclose(corrections[:3], corrections[0], rtol=0.05)
    # at 1e5 the exponent has five digits before the point, so the ratio is known to 1e-10 of 1/S
    assert corrections[3] == pytest.approx(corrections[0], rel=0.1)


def test_table_is_that_of_single_splittings():
    table = quantum_objects(MOLECULES, [4.5, 5, 10, 20], transverse=(0.0, 0.3))
    for k, S in enumerate(table.spin.values):
        spin = giant_spin(S, D=-0.5, E=0.1)
        gap = tunnel_splitting(spin, (S, -S), transverse=(0.0, 0.3), method=DoublePrecision())
        assert float(table.log10_splitting[k]) == pytest.approx(gap.log10, abs=1e-9)
        assert float(str(table.splitting[k].values)) == pytest.approx(gap.kelvin, rel=1e-8)


def test_the_time_is_half_a_period_of_the_exact_motion():
    """A spin 3 put into m = 3 by the full Schroedinger equation stands in m = -3 after h/(2 Delta)."""
    table = quantum_objects(FixedConstants(D=-0.5, E=0.005), [2])
    m = np.arange(2, -3, -1.0)
    step = np.sqrt([(2 - x) * (3 + x) for x in m[1:]])
    H = np.diag(-0.5 * m**2)
    for i in range(3):
        H[i, i + 2] = H[i + 2, i] = 0.005 / 2 * step[i] * step[i + 1]
    time = 10.0 ** float(table.log10_tunnelling_time[0])
    probability = abs(expm(-1j * H * time / HBAR)[-1, 0]) ** 2
    # leakage to m = 0 is of the order (E/D)^2
    assert probability == pytest.approx(1.0, abs=5e-3)
    assert abs(expm(-1j * H * time / 2 / HBAR)[-1, 0]) ** 2 == pytest.approx(0.5, abs=5e-3)


def test_crossover_and_blocking_solve_their_equations():
    table = quantum_objects(MOLECULES, [8, 10, 15, 20])
    for k in range(table.sizes["spin"]):
        one = table.isel(spin=k)
        U, gap, distance = float(one.barrier), float(10**one.log10_splitting), float(one.level_distance)
        nu = distance / (2 * np.pi * HBAR)
        assert float(one.attempt_rate) == pytest.approx(nu)
        tunnelling = nu * (gap / distance) ** 2

        def excess(T, U=U, nu=nu, tunnelling=tunnelling):
            return math.log(nu) - U / T - math.log(tunnelling)

        assert float(one.crossover_temperature) == pytest.approx(brentq(excess, 1e-3, 1e3, xtol=1e-13))
        for time, blocking in zip(table.time.values, one.blocking_temperature.values, strict=True):
            if tunnelling * time >= 1.0:
                assert blocking == 0.0
            else:
                assert (nu * math.exp(-U / blocking) + tunnelling) * time == pytest.approx(1.0, rel=1e-9)
    assert float(table.blocking_temperature[0, 1]) == 0.0
    assert float(table.blocking_temperature[3, 1]) > 0.0


def test_crossover_grows_with_molecules_and_not_with_grains():
    spins = [100, 1000, 10_000]
    grains = quantum_objects(GRAINS, spins).crossover_temperature.values
    root = math.sqrt(1 / 3)
    limit = 1.0 / (2 * math.log((1 + root) / (1 - root)))
    # the prefactor of the splitting enters with ln(S)/S
    assert np.all(np.diff(np.abs(grains / limit - 1)) < 0)
    assert grains[-1] == pytest.approx(limit, rel=2e-3)
    molecules = quantum_objects(MOLECULES, spins).crossover_temperature.values
    root = math.sqrt(0.4 / 0.6)
    limit = 0.4 / (2 * math.log((1 + root) / (1 - root)))
    np.testing.assert_array_less(np.abs(molecules / spins / limit - 1), [0.05, 6e-3, 1e-3])


def test_crossover_of_axial_grains_in_a_transverse_field():
    """U = K S (1 - h)^2 over 2 S0 = 4 S [arcosh(1/h) - sqrt(1 - h^2)], h in units of the anisotropy field."""
    table = quantum_objects(FixedDensity(1.0), [100, 1000, 10_000], transverse=(0.3, 0.0))
    h = 2.0 * MU_B * 0.3 / 2.0
    limit = (1 - h) ** 2 / (4 * (math.acosh(1 / h) - math.sqrt(1 - h**2)))
    np.testing.assert_array_less(np.abs(table.crossover_temperature / limit - 1), [0.02, 3e-3, 5e-4])


@pytest.mark.parametrize("E", [0.0, 0.2])
def test_level_distance_of_a_large_spin_is_that_of_its_tridiagonal_blocks(E):
    """Without field, the two lowest levels of m = S, S-2, ... and m = S-1, S-3, ..., by bisection."""
    S, D = 700, -0.5
    lowest = []
    for first in (S, S - 1):
        m = np.arange(first, 0, -2.0)
        double = np.sqrt((S - m[1:]) * (S + m[1:] + 1) * (S - m[1:] - 1) * (S + m[1:] + 2))
        levels = eigh_tridiagonal(
            D * m**2, E / 2 * double, eigvals_only=True, select="i", select_range=(0, 0)
        )
        lowest.append(levels[0])
    assert level_distance(BiaxialSpin(S, D, E)) == pytest.approx(lowest[1] - lowest[0], rel=1e-8)


@pytest.mark.parametrize(
    ("spin", "frequency"),
    [
        (BiaxialSpin(1e5, -1.0, 0.3), 2 * math.sqrt(1 - 0.09)),
        (BiaxialSpin(2e4, -1.0, 0.0, hx=1.2e4), 2 * math.sqrt(1 - 0.09)),
        (BiaxialSpin(2e4, -1.0, 0.0, hx=0.72e4, hy=0.96e4), 2 * math.sqrt(1 - 0.09)),
    ],
)
def test_level_distance_tends_to_the_frequency_of_precession(spin, frequency):
    assert level_distance(spin) / spin.S == pytest.approx(frequency, rel=3 / spin.S)


def test_level_distance_of_a_spin_in_a_general_field_is_the_harmonic_one():
    """The determinant of the second derivatives of the classical energy at its minimum, divided by S."""
    spin = BiaxialSpin(3e4, -1.0, 0.25, hx=9e3, hy=-6e3)
    S, D, E, hx, hy = spin
    nx, ny = -hx / (2 * S * (E - D)), -hy / (2 * S * (-E - D))
    nz = math.sqrt(1 - nx**2 - ny**2)
    n = np.array([nx, ny, nz])
    A = 2 * np.diag([E, -E, D])
    along = n @ A @ n + (hx * nx + hy * ny) / S
    hessian = A - along * np.eye(3)
    basis = np.linalg.svd(n[None, :])[2][1:]
    frequency = math.sqrt(np.linalg.det(basis @ hessian @ basis.T))
    assert level_distance(spin) / S == pytest.approx(frequency, rel=3 / S)


@pytest.mark.parametrize(
    "spin",
    [
        BiaxialSpin(10, -0.5, 0.1),
        BiaxialSpin(10, -0.5, 0.1, hx=3.0),
        BiaxialSpin(10, -0.5, -0.1, hx=3.0, hy=2.0),
        BiaxialSpin(10, -0.5, 0.2, hx=-4.0, hy=0.5),
    ],
)
def test_barrier_is_the_lowest_pass(spin):
    """Minimum on the sphere and minimum on the equator by general minimisers from many starts."""
    S, D, E, hx, hy = spin

    def energy(angles):
        theta, phi = angles
        n = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
        return S**2 * (D * n[2] ** 2 + E * (n[0] ** 2 - n[1] ** 2)) + S * (hx * n[0] + hy * n[1])

    starts = np.linspace(0, 2 * np.pi, 12)
    bottom = min(minimize(energy, (0.4, phi), tol=1e-12).fun for phi in starts)
    equator = min(minimize(lambda phi: energy((np.pi / 2, phi[0])), [phi], tol=1e-12).fun for phi in starts)
    assert barrier(spin) == pytest.approx(equator - bottom, rel=1e-9)


def test_field_of_the_table_is_in_tesla():
    """E = 0: U = |D| S^2 (1 - h)^2 with h = g mu_B B/(2 |D| S)."""
    table = quantum_objects(FixedConstants(D=-0.5), [5, 10], transverse=(0.3, 0.4), g=1.9)
    h = 1.9 * MU_B * 0.5 / (2 * 0.5 * table.spin.values)
    np.testing.assert_allclose(table.barrier, 0.5 * table.spin.values**2 * (1 - h) ** 2, rtol=1e-9)
