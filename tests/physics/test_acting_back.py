"""Neighbours in mean field and the field of the surface, against equations solved another way."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq, root

import mesospin as ms
from mesospin.constants import AVOGADRO, GAS_CONSTANT, MU_0, MU_B, MU_B_SI
from mesospin.errors import ValidityWarning

G = 2.3


def tanh_moment(B, T):
    """Moment [mu_B] of a spin 1/2."""
    return 0.5 * G * np.tanh(0.5 * G * MU_B * B / T)


@pytest.mark.parametrize("zJ", [-3.0, -0.2, 0.3, 1.5])
@pytest.mark.parametrize("T", [1e-3, 0.2, 2.0, 1000.0])
@pytest.mark.parametrize("B", [0.01, 0.7, -5.0])
def test_spin_one_half_with_neighbours(zJ, T, B):
    """m = (g/2) tanh[(g mu_B B + zJ' m/g)/2T]; all roots are bracketed and the lowest F is taken.

    H = g mu_B B Sz - zJ' <Sz> Sz, so that the levels are +-(g mu_B B + zJ' m/g)/2 with m = -g <Sz>.
    """

    def residual(m):
        return 0.5 * G * np.tanh((G * MU_B * B + zJ * m / G) / (2.0 * T)) - m

    grid = np.concatenate([[-0.5 * G - 1e-9], np.linspace(-0.5 * G, 0.5 * G, 20001), [0.5 * G + 1e-9]])
    signs = np.sign(residual(grid))
    places = np.flatnonzero(signs[:-1] * signs[1:] <= 0)
    roots = [brentq(residual, grid[k], grid[k + 1], xtol=1e-15) for k in places]

    def energy(m):
        """F of the molecule in the field, plus the half of the coupling that it counts twice."""
        x = abs(G * MU_B * B + zJ * m / G) / (2.0 * T)
        return -T * (x + np.log1p(np.exp(-2.0 * x))) + 0.5 * zJ * (m / G) ** 2

    expected = min(roots, key=energy)
    system = ms.giant_spin(0.5, D=0.0, g=G)
    found = ms.magnetisation(system, T, B, mean_field=ms.MeanField(zJ, G))
    assert float(found.magnetisation) == pytest.approx(expected, rel=1e-9)
    F = ms.free_energy(system, T, B, mean_field=ms.MeanField(zJ, G))
    assert float(F.free_energy) == pytest.approx(energy(expected), rel=1e-9)


@pytest.mark.parametrize("name", ["erw10-repaired", "fe8", "mn12ac"])
@pytest.mark.parametrize("B", [0.01, 0.1, 1.0])
def test_antiferromagnetic_neighbours_from_one_millikelvin(name, B):
    """The moment is the one that a molecule without neighbours has in the field that acts."""
    g = 1.2 if name == "erw10-repaired" else 2.0
    system, neighbours = ms.load(name), ms.MeanField(-0.1, g)
    axis, T = np.array([1.0, 0.0, 1.0]) / np.sqrt(2.0), np.array([1e-3, 0.02, 0.5, 1000.0])
    moment = ms.magnetisation(system, T, B, axis=axis, mean_field=neighbours).moment.values
    acting = B * axis - 0.1 / (g**2 * MU_B) * moment
    for one, own, temperature in zip(moment, acting, T, strict=True):
        free = ms.susceptibility(system, temperature, B_vector=own)
        expected = ms.magnetisation(system, temperature, B_vector=own).moment.values
        # an error of the moment comes back through the field that it makes
        gain = 0.1 / (g**2 * MU_B) * np.linalg.norm(free.chi.values, 2)
        np.testing.assert_allclose(one, expected, rtol=1e-9, atol=1e-7 * (1.0 + gain))
        assert np.linalg.norm(one - expected) < 1e-3


def test_anisotropic_neighbours_as_three_equations():
    """m = m0(B + lambda m) as vectors, with lambda = zJ'/(g^2 mu_B) and the moment of a doublet."""
    tensor, T, B = np.array([1.2, 2.0, 3.0]), 0.7, np.array([0.5, -0.3, 0.4])

    def moment(field):
        length = np.linalg.norm(tensor * field)
        return 0.5 * tensor**2 * field / length * np.tanh(0.5 * MU_B * length / T)

    solution = root(lambda m: m - moment(B - 0.8 / (4.0 * MU_B) * m), np.zeros(3), tol=1e-13)
    assert solution.success
    found = ms.magnetisation(
        ms.giant_spin(0.5, D=0.0, g=tensor.tolist()), T, B_vector=B, mean_field=ms.MeanField(-0.8, 2.0)
    )
    np.testing.assert_allclose(found.moment, solution.x, rtol=1e-9)


@pytest.mark.parametrize("T", [0.05, 0.5, 20.0])
@pytest.mark.parametrize("B", [0.003, 0.4])
def test_a_sphere_of_spins_one_half(T, B):
    """B_in = B - mu_0 M/3 with M = m mu_B/V: one equation for m."""
    volume = 60.0
    per_moment = MU_0 * MU_B_SI / (3.0 * volume * 1e-30)
    expected = brentq(lambda m: tanh_moment(B - per_moment * m, T) - m, -G, G, xtol=1e-15)
    sphere = ms.Demagnetisation(1 / 3, volume)
    system = ms.giant_spin(0.5, D=0.0, g=G)
    for options in ({}, {"powder": 26}, {"axis": (1, 1, 0)}):
        found = ms.magnetisation(system, T, B, demagnetisation=sphere, **options)
        assert float(found.magnetisation) == pytest.approx(expected, rel=1e-9)


def test_a_sphere_in_gaussian_units():
    """chi_ext = chi/(1 + (4 pi/3) chi/V_m) with chi [cm3/mol] and V_m [cm3/mol]."""
    volume = 60.0
    system, T = ms.giant_spin(2.5, D=0.0), np.array([0.5, 2.0, 50.0])
    bare = ms.susceptibility(system, T, powder=5).chi_molar.values
    shaped = ms.susceptibility(system, T, powder=5, demagnetisation=ms.Demagnetisation(1 / 3, volume))
    molar_volume = volume * 1e-24 * AVOGADRO
    np.testing.assert_allclose(
        shaped.chi_molar, bare / (1.0 + 4.0 * np.pi / 3.0 * bare / molar_volume), rtol=1e-7
    )


def test_heat_and_entropy_of_neighbours_in_a_field():
    """S(T2) - S(T1) is the area under C/T though the acting field changes with the temperature."""
    system = ms.giant_spin(0.5, D=0.0, g=G)
    T = np.geomspace(0.2, 5.0, 4001)
    options = {"mean_field": ms.MeanField(-0.9, G)}
    C = ms.heat_capacity(system, T, 0.8, **options).heat_capacity.values
    S = ms.entropy(system, T, 0.8, **options).entropy.values
    area = np.trapezoid(C, np.log(T))
    assert S[-1] - S[0] == pytest.approx(area, rel=1e-6)
    assert S[-1] < GAS_CONSTANT * np.log(2.0)


def test_a_g_of_no_spin_is_questioned():
    with pytest.warns(ValidityWarning, match="g = 2, but the spins"):
        ms.entropy(ms.load("erw10-repaired"), 2.0, 0.0, mean_field=ms.MeanField(-0.1))


# --- powders: the field of the average moment, and that in every crystallite --------------------------------


def test_an_ising_powder_with_its_two_molecular_fields():
    """chi_zz/3/(1 - lambda chi_zz/3) by the average moment, chi_zz/3/(1 - lambda chi_zz) in crystallites."""
    system, T = ms.giant_spin(7.5, D=-50.0, g=1.2), 1.0
    tensor = ms.susceptibility(system, T).chi.values
    average = np.trace(tensor) / 3.0
    scale = -0.01 / (1.2**2 * MU_B)
    with pytest.warns(ValidityWarning, match="average moment of the powder.*crystallites=True"):
        ds = ms.susceptibility(system, T, powder=5, mean_field=ms.MeanField(-0.01, g=1.2))
    assert float(ds.chi) == pytest.approx(average / (1.0 - scale * average), rel=1e-9)
    ds = ms.susceptibility(system, T, powder=5, mean_field=ms.MeanField(-0.01, g=1.2, crystallites=True))
    principal = np.diag(tensor)
    assert float(ds.chi) == pytest.approx(np.mean(principal / (1.0 - scale * principal)), rel=1e-9)
    assert (float(ds.chi), float(ds.powder_difference)) == (
        pytest.approx(11.61, abs=0.01),
        pytest.approx(0.0),
    )
    np.testing.assert_allclose(ds.m_over_h, ds.chi_molar)


S_x = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / np.sqrt(2.0)
S_y = np.array([[0, -1j, 0], [1j, 0, -1j], [0, 1j, 0]]) / np.sqrt(2.0)
S_z = np.diag([1.0, 0.0, -1.0])


def spin_one(field, T):
    """Moment [mu_B] and free energy [K] of S = 1, D = 4 K, E = 1 K, g = 2, from the matrix exponential."""
    S = np.stack([S_x, S_y, S_z])
    H = 4.0 * (S_z @ S_z) + S_x @ S_x - S_y @ S_y + 2.0 * MU_B * np.einsum("a,aij->ij", field, S)
    rho = expm(-H / T)
    Z = np.trace(rho).real
    return -2.0 * np.einsum("aij,ji->a", S, rho).real / Z, -T * np.log(Z)


@pytest.mark.parametrize("zJ", [-0.6, 0.4])
def test_a_rhombic_powder_of_crystallites_direction_by_direction(zJ):
    """m = m0(B n + lambda m) by scipy in the directions of a Gauss x trapezium rule, then the mean n.m."""
    T, B, scale = 0.5, 1.0, zJ / (4.0 * MU_B)
    cosines, shares = np.polynomial.legendre.leggauss(16)
    turns = 2.0 * np.pi * (np.arange(24) + 0.5) / 24
    along, free, weights = [], [], []
    for z, share in zip(cosines[8:], shares[8:], strict=True):
        for turn in turns[:6]:  # one octant stands for all of them
            n = np.array([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z])
            found = root(lambda m, n=n: m - spin_one(B * n + scale * m, T)[0], 0.5 * n, tol=1e-12)
            assert found.success
            along.append(n @ found.x)
            free.append(spin_one(B * n + scale * found.x, T)[1] + 0.5 * zJ / 4.0 * found.x @ found.x)
            weights.append(share / 6)
    system = ms.giant_spin(1, D=4.0, E=1.0)
    own = {"powder": 194, "mean_field": ms.MeanField(zJ, crystallites=True)}
    ds = ms.magnetisation(system, T, B, **own)
    assert float(ds.magnetisation) == pytest.approx(np.average(along, weights=weights), rel=1e-6)
    energy = float(ms.free_energy(system, T, B, **own).free_energy)
    assert energy == pytest.approx(np.average(free, weights=weights), rel=1e-6)
    with pytest.warns(ValidityWarning, match="average moment"):
        averaged = ms.magnetisation(system, T, B, powder=194, mean_field=ms.MeanField(zJ))
    assert abs(float(averaged.magnetisation) / float(ds.magnetisation) - 1.0) > 3e-3


def test_crystallites_are_consistent_in_their_derivatives():
    """M = -dF/dB, chi = dM/dB, S = -dF/dT and C = T dS/dT of the same powder."""
    system, T, B, h = ms.giant_spin(1.5, D=-2.0, E=0.3, g=2.1), 0.9, 0.8, 1e-3
    own = {
        "powder": 50,
        "mean_field": ms.MeanField(-0.5, g=2.1, crystallites=True),
        "demagnetisation": ms.Demagnetisation(1 / 3, 300.0),
    }
    fields, temperatures = [B - h, B + h], [T - h, T + h]
    F = ms.free_energy(system, T, fields, **own).free_energy.values
    m = ms.magnetisation(system, T, [B - h, B, B + h], **own).magnetisation.values
    assert m[1] == pytest.approx(-(F[1] - F[0]) / (2 * h * MU_B), rel=1e-5)
    assert float(ms.susceptibility(system, T, B, **own).chi) == pytest.approx(
        (m[2] - m[0]) / (2 * h), rel=1e-5
    )
    cooled = ms.free_energy(system, temperatures, B, **own).free_energy.values
    entropies = ms.entropy(system, [T - h, T, T + h], B, **own).entropy_reduced.values
    assert entropies[1] == pytest.approx(-(cooled[1] - cooled[0]) / (2 * h), rel=1e-5)
    heat = float(ms.heat_capacity(system, T, B, **own).heat_capacity_reduced)
    assert heat == pytest.approx(T * (entropies[2] - entropies[0]) / (2 * h), rel=1e-4)


def test_crystallites_of_an_isotropic_molecule_are_the_average():
    system, T, B = ms.giant_spin(2.5, D=0.0), np.array([0.5, 3.0]), np.array([0.0, 0.3, 5.0])
    for function in (ms.magnetisation, ms.susceptibility, ms.heat_capacity):
        two = [
            function(system, T, B, powder=14, mean_field=ms.MeanField(-0.3, crystallites=choice))
            for choice in (False, True)
        ]
        for name in two[0].data_vars:
            np.testing.assert_allclose(two[0][name], two[1][name], rtol=1e-8, atol=1e-9)
