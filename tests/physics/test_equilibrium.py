"""Equilibrium against closed forms, independent solutions and thermodynamic identities."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import mesospin as ms
from mesospin.constants import GAS_CONSTANT, MU_B
from mesospin.errors import ConvergenceError, ValidityWarning
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.thermo.heat import entropy, free_energy, heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.susceptibility import susceptibility

G_TENSOR = ((1.9, 0.10, -0.05), (0.02, 2.1, 0.08), (0.30, -0.04, 2.3))


def low_symmetry():
    """Two spins, all that a Hamiltonian can have: nothing but time reversal is left of its symmetry."""
    return ms.SpinSystem(
        "low symmetry",
        [ms.Spin(1.0, G_TENSOR), ms.Spin(1.5, (2.0, 2.2, 1.8))],
        [
            ms.ZeroFieldSplitting(-1.3, 0.2, site=0, frame=(0.3, 0.7, -0.2)),
            ms.ZeroFieldSplitting(0.9, 0.1, site=1, frame=(-0.5, 0.4, 1.1)),
            ms.Exchange(0, 1, 0.8, convention="+J"),
            ms.DzyaloshinskiiMoriya(0, 1, (0.1, -0.2, 0.3)),
        ],
    )


def brillouin(S, x):
    """M / (g S mu_B) of a free spin at x = g mu_B S B / T, from the sum over its levels."""
    m = np.arange(-S, S + 1)
    weight = np.exp(np.multiply.outer(np.asarray(x) / S, m) - np.abs(np.asarray(x))[..., None])
    return (weight * m).sum(axis=-1) / weight.sum(axis=-1) / S


def richardson(function, x, step):
    """First derivative to sixth order in the step, from central differences."""
    table = [(function(x + h) - function(x - h)) / (2 * h) for h in (step, step / 2, step / 4)]
    once = [(4 * table[k + 1] - table[k]) / 3 for k in range(2)]
    return (16 * once[1] - once[0]) / 15


# --- closed forms -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("S", [0.5, 1.0, 3.5, 7.5])
@pytest.mark.parametrize("axis", [(0, 0, 1), (1, -2, 0.5)])
def test_a_free_spin_follows_the_brillouin_function(S, axis):
    T, B, g = np.array([0.02, 1.0, 4.2, 300.0]), np.array([-3.0, 0.0, 0.5, 7.0]), 1.3
    ds = magnetisation(ms.giant_spin(S, D=0.0, g=g), T, B, axis=axis)
    x = g * S * MU_B * B[None] / T[:, None]
    np.testing.assert_allclose(ds.magnetisation, g * S * brillouin(S, x), atol=1e-12)
    powder = magnetisation(ms.giant_spin(S, D=0.0, g=g), T, B, powder=5)
    np.testing.assert_allclose(powder.magnetisation, ds.magnetisation, atol=1e-12)


def test_schottky_anomalies():
    T = np.geomspace(0.02, 1000.0, 40)
    gap = 2 * MU_B * 1.7
    two = heat_capacity(ms.giant_spin(0.5, D=0.0), T, 1.7).heat_capacity_reduced
    x = gap / T
    np.testing.assert_allclose(two, x**2 * np.exp(-x) / (1 + np.exp(-x)) ** 2, rtol=1e-9, atol=1e-300)
    # S = 1: a singlet below a doublet
    three = heat_capacity(ms.giant_spin(1, D=3.0), T, 0.0)
    x = 3.0 / T
    expected = 2 * x**2 * np.exp(-x) / (1 + 2 * np.exp(-x)) ** 2
    np.testing.assert_allclose(three.heat_capacity_reduced, expected, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(three.heat_capacity, GAS_CONSTANT * expected, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("S", [0.5, 1.0, 4.5, 10.0])
def test_entropy_between_its_limits(S):
    system = ms.giant_spin(S, D=-0.4 if S > 0.5 else 0.0)
    ds = entropy(system, [1e-3, 1e5], [0.0, 1.0])
    ground = 1 if S == 0.0 else 2  # +-S at zero field (S = 1/2 has no others)
    np.testing.assert_allclose(ds.entropy[0], [GAS_CONSTANT * np.log(ground), 0.0], atol=1e-10)
    # (energy spread)^2 / 2 T^2 < 40^2 / 2e10
    np.testing.assert_allclose(ds.entropy[1], GAS_CONSTANT * np.log(2 * S + 1), rtol=1e-7)


# --- identities ---------------------------------------------------------------------------------------------

FIELD = np.array([0.4, -0.9, 1.3])
COUPLINGS = {
    "alone": {},
    "neighbours": {"mean_field": MeanField(-0.3)},
    "ferromagnetic": {"mean_field": MeanField(0.15)},
    "shape": {"demagnetisation": Demagnetisation((0.1, 0.3, 0.6), volume=30.0)},
    "both": {"mean_field": MeanField(0.1), "demagnetisation": Demagnetisation(1 / 3, volume=40.0)},
}


@pytest.mark.parametrize("coupling", COUPLINGS, ids=str)
@pytest.mark.parametrize("T", [0.3, 2.0])
def test_moment_entropy_and_heat_are_derivatives_of_the_free_energy(coupling, T):
    system, options = low_symmetry(), COUPLINGS[coupling]
    moment = magnetisation(system, T, B_vector=FIELD, **options).moment.values
    for component in range(3):
        unit = np.eye(3)[component]
        slope = richardson(
            lambda b, unit=unit: float(
                free_energy(system, T, B_vector=FIELD + b * unit, **options).free_energy
            ),
            0.0,
            0.02,
        )
        assert moment[component] == pytest.approx(-slope / MU_B, rel=1e-8)
    heat = richardson(
        lambda t: float(entropy(system, t, B_vector=FIELD, **options).entropy_reduced), T, T / 50
    )
    ordered = richardson(
        lambda t: float(free_energy(system, t, B_vector=FIELD, **options).free_energy), T, T / 50
    )
    s = float(entropy(system, T, B_vector=FIELD, **options).entropy_reduced)
    assert s == pytest.approx(-ordered, rel=1e-7)
    c = float(heat_capacity(system, T, B_vector=FIELD, **options).heat_capacity_reduced)
    assert c == pytest.approx(T * heat, rel=1e-7)


def test_maxwell_relation_between_entropy_and_moment():
    system, T, B = low_symmetry(), 0.8, 0.6
    left = richardson(lambda b: float(entropy(system, T, b).entropy_reduced), B, 0.02)
    right = richardson(lambda t: float(magnetisation(system, t, B).magnetisation), T, 0.02)
    assert left == pytest.approx(MU_B * right, rel=1e-7)


def test_area_under_c_over_t_is_the_difference_of_entropy():
    system = low_symmetry()
    area, _ = quad(
        lambda u: float(heat_capacity(system, np.exp(u), 0.5).heat_capacity),
        np.log(0.05),
        np.log(400.0),
        epsabs=1e-8,
        epsrel=1e-8,
        limit=200,
    )
    ends = entropy(system, [0.05, 400.0], 0.5).entropy.values
    assert area == pytest.approx(ends[1] - ends[0], rel=1e-7)


def test_uncoupled_spins_add_up():
    """Every level of the pair is degenerate or nearly so with others: what a sum over pairs must survive."""
    first, second = ms.giant_spin(1.5, D=-1.0, E=0.1), ms.giant_spin(1.5, D=-1.0, E=0.1)
    pair = ms.SpinSystem(
        "pair",
        [ms.Spin(1.5), ms.Spin(1.5)],
        [
            term
            for site in (0, 1)
            for term in (
                ms.SpinPower(-1.0, z=2, ladder=0, site=site),
                ms.SpinPower(0.05, z=0, ladder=2, site=site),
            )
        ],
    )
    T, B = [1e-3, 0.5, 30.0], [0.0, 0.3, 2.0]
    for function, name in (
        (magnetisation, "moment"),
        (susceptibility, "chi"),
        (heat_capacity, "heat_capacity"),
        (entropy, "entropy"),
        (free_energy, "free_energy"),
    ):
        both = function(pair, T, B, axis=(1, 1, 3))[name].values
        each = sum(function(one, T, B, axis=(1, 1, 3))[name].values for one in (first, second))
        # moments of exact doublets at 1 mK carry the rounding of the levels over T: 1e-15 * 10 K / 1 mK
        np.testing.assert_allclose(both, each, rtol=1e-9, atol=1e-10)


def test_high_temperature_expansion_from_traces():
    """chi = (1/mu_B)[<Ga Gb>/T - <H0 {Ga, Gb}>/2T^2 + O(T^-3)] with traces over all states."""
    system = low_symmetry()
    H0, G = affine_hamiltonian(system)
    n = len(H0)
    H0 = H0 - np.trace(H0) / n * np.eye(n)
    errors = {"chi": [], "heat": [], "entropy": []}
    for T in (200.0, 400.0):
        first = np.einsum("aij,bji->ab", G, G).real / n / T
        second = np.einsum("ij,ajk,bki->ab", H0, G, G).real / n
        expected = (first - (second + second.T) / (2 * T**2)) / MU_B
        chi = susceptibility(system, T).chi.values
        variance = np.trace(H0 @ H0).real / n / T**2
        errors["chi"].append(np.abs(chi - expected).max() * T)
        heat = float(heat_capacity(system, T, 0.0).heat_capacity_reduced)
        errors["heat"].append(abs(heat - variance))
        s = float(entropy(system, T, 0.0).entropy_reduced)
        errors["entropy"].append(abs(s - np.log(n) + variance / 2))
    assert errors["chi"][0] / errors["chi"][1] == pytest.approx(4.0, rel=0.05)  # next term T^-3, times T
    assert errors["heat"][0] / errors["heat"][1] == pytest.approx(8.0, rel=0.05)
    assert errors["entropy"][0] / errors["entropy"][1] == pytest.approx(8.0, rel=0.05)


@pytest.mark.parametrize("name", ["mn12ac", "fe8", "erw10-167", "mn4-dimer", "how10"])
def test_from_one_millikelvin_to_a_thousand_kelvin(name):
    """Nothing overflows (warnings are errors), and the ground level alone is left at 1 mK in a field."""
    system, T = ms.load(name), [1e-3, 1000.0]
    axis = (0.2, 0.1, 1.0)
    chi = susceptibility(system, T, [0.0, 0.3], axis=axis)
    assert np.all(np.isfinite(chi.chi))
    assert np.all(np.linalg.eigvalsh(chi.chi) >= -1e-12 * np.abs(chi.chi.values).max())
    heat = heat_capacity(system, T, [0.0, 0.3], axis=axis).heat_capacity
    assert np.all(heat >= 0)
    assert np.all(np.isfinite(heat))
    cold = magnetisation(system, 1e-3, 4.3, axis=axis).moment.values
    unit = np.array(axis) / np.linalg.norm(axis)
    ground = ms.levels(system, B_vector=4.3 * unit, states=1)
    np.testing.assert_allclose(cold, ground.moment.values[0], atol=1e-6)
    assert float(free_energy(system, 1e-3, 4.3, axis=axis).free_energy) == pytest.approx(
        float(ground.energy[0]), abs=1e-6
    )


# --- powders ------------------------------------------------------------------------------------------------


def product_rule(count):
    """Gauss-Legendre in cos(theta), uniform in phi: directions and weights over the full sphere."""
    z, weight = np.polynomial.legendre.leggauss(count)
    phi = 2 * np.pi * (np.arange(2 * count) + 0.31) / (2 * count)
    ring = np.sqrt(1 - z**2)
    axes = np.stack(
        [np.outer(ring, np.cos(phi)), np.outer(ring, np.sin(phi)), np.outer(z, np.ones_like(phi))], axis=-1
    )
    return axes.reshape(-1, 3), np.repeat(weight / 2 / (2 * count), 2 * count)


def brute_force(system, T, B, count):
    """Powder averages of M, F, S/R and C/R from the levels of the package in all directions."""
    axes, weights = product_rule(count)
    table = ms.levels(system, B_vector=B * axes)
    energy, moment = table.energy.values, np.einsum("flc,fc->fl", table.moment.values, axes)
    z = np.exp(-(energy - energy.min()) / T)
    p = z / z.sum(axis=1, keepdims=True)
    free = energy.min() - T * np.log(z.sum(axis=1))
    mean = (p * energy).sum(axis=1)
    heat = ((p * energy**2).sum(axis=1) - mean**2) / T**2
    return [float(weights @ x) for x in ((p * moment).sum(axis=1), free, (mean - free) / T, heat)]


def odd_rank():
    """An odd-rank term breaks time reversal: opposite directions differ."""
    return ms.giant_spin(2, D=-0.8, E=0.1).with_terms(ms.Stevens(3, 1, 0.05), ms.Stevens(1, 0, 0.4))


SYSTEMS = {
    "low symmetry": low_symmetry,
    "odd rank": odd_rank,
    "biaxial": lambda: ms.giant_spin(2, D=-0.8, E=0.2),
}


@pytest.mark.parametrize("kind", SYSTEMS)
def test_powder_averages_are_those_of_a_product_rule(kind):
    system, T, B = SYSTEMS[kind](), 1.1, 1.4
    m, f, s, c = brute_force(system, T, B, 24)
    ds = magnetisation(system, T, B, powder=590)
    assert float(ds.magnetisation) == pytest.approx(m, rel=1e-9)
    assert abs(float(ds.powder_difference)) < 1e-6
    assert float(free_energy(system, T, B, powder=590).free_energy) == pytest.approx(f, rel=1e-9)
    assert float(entropy(system, T, B, powder=590).entropy_reduced) == pytest.approx(s, rel=1e-9)
    assert float(heat_capacity(system, T, B, powder=590).heat_capacity_reduced) == pytest.approx(c, rel=1e-9)


def test_the_reported_difference_tells_a_powder_that_has_not_converged():
    """An Ising doublet at low temperature: M ~ mu |cos theta| has a kink that no rule resolves."""
    system, T, B = ms.giant_spin(10, D=-0.5), 0.01, 0.1
    # the kink is at the equator: a rule on the half sphere does not see it
    z, weight = np.polynomial.legendre.leggauss(40)
    z, weight = (z + 1) / 2, weight / 2
    axes = np.stack([np.sqrt(1 - z**2), 0 * z, z], axis=-1)
    ds = magnetisation(system, T, B_vector=B * axes)
    exact = float(weight @ ds.magnetisation.values)
    assert exact == pytest.approx(10.0 + 0.18, abs=0.01)  # mu/2 and chi_perp B 2/3, chi_perp = mu^2/2|D|S^2
    for points in (86, 590, 5810):
        if points == 86:
            with pytest.warns(ValidityWarning, match=r"86 and 26 directions differ by 6\.. % .* powder=350"):
                ds = magnetisation(system, T, B, powder=points)
        else:
            ds = magnetisation(system, T, B, powder=points)
        wrong = abs(float(ds.magnetisation) - exact)
        assert 1e-6 < wrong < 15 / points
        assert abs(float(ds.powder_difference)) > 0.5 * wrong
        assert "differs by at most" in ds.attrs["powder"]


# --- fields that the moments make ---------------------------------------------------------------------------


def test_mean_field_magnetisation_against_a_scalar_root():
    S, g, zJ = 2.5, 2.0, -0.4
    system = ms.giant_spin(S, D=0.0, g=g)
    for T in (0.05, 1.0, 10.0):
        for B in (0.1, 2.0, -5.0):
            coefficient = zJ / (g**2 * MU_B)
            root = brentq(
                lambda m: m - g * S * brillouin(S, g * S * MU_B * (B + coefficient * m) / T),  # noqa: B023
                -g * S - 1, g * S + 1, xtol=1e-14,
            )  # fmt: skip
            ds = magnetisation(system, T, B, mean_field=MeanField(zJ, g=g))
            assert float(ds.magnetisation) == pytest.approx(root, rel=1e-9)
            powder = magnetisation(system, T, B, mean_field=MeanField(zJ, g=g), powder=5)
            assert float(powder.magnetisation) == pytest.approx(root, rel=1e-9)


def test_ferromagnetic_neighbours_below_their_ordering_temperature():
    S, zJ = 0.5, 4.0  # T_C = zJ' S(S+1)/3 = 1 K
    system, field = ms.giant_spin(S, D=0.0), MeanField(zJ)
    with pytest.raises(ConvergenceError, match="orders the moments"):
        susceptibility(system, [0.9, 1.1], mean_field=field)
    with pytest.raises(ConvergenceError, match="orders the moments"):
        entropy(system, 0.5, 0.0, mean_field=field)
    # in a field, however small, the moment is the one along it: m = tanh((mu_B B + m)/T)
    root = brentq(lambda m: m - np.tanh((MU_B * 1e-6 + m) / 0.7), 0.1, 1.0, xtol=1e-14)
    for B, sign in ((1e-6, 1), (-1e-6, -1)):
        ds = magnetisation(system, 0.7, B, mean_field=field)
        assert float(ds.magnetisation) == pytest.approx(sign * root, rel=1e-9)


def test_of_two_moments_the_one_of_lower_free_energy_is_taken():
    """A singlet below an Ising doublet with ferromagnetic neighbours: a jump at a field, of first order."""
    system, zJ, T = ms.giant_spin(1, D=2.0, g=(0.0, 0.0, 2.0)), 1.0, 0.1
    coefficient = zJ / (4 * MU_B)
    m = np.linspace(-0.5, 2.5, 30001)
    for B in (0.6, 1.0, 1.15, 1.25, 1.4, 2.0):
        acting = MU_B * 2 * (B + coefficient * m)
        free = -T * np.logaddexp(0.0, np.logaddexp(-(2.0 - acting) / T, -(2.0 + acting) / T))
        best = m[np.argmin(free + 0.5 * MU_B * coefficient * m**2)]
        found = float(magnetisation(system, T, B, mean_field=MeanField(zJ)).magnetisation)
        assert found == pytest.approx(best, abs=2e-4)


# --- ErW10 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "projection", "gap"), [("erw10-printed", 7.5, 19.9), ("erw10-repaired", 6.5, 63.0)]
)
def test_erw10_in_equilibrium(name, projection, gap):
    """The printed parameters have the doublet +-15/2, the repaired ones the +-13/2 of the text."""
    system = ms.load(name)
    moment = 1.2 * projection
    saturated = float(magnetisation(system, 0.05, 1.0).magnetisation)
    # the printed B44 mixes +-13/2 with +-5/2 and -3/2, a part in a thousand
    assert saturated == pytest.approx(moment, rel=3e-3)
    T = np.array([0.2, 1.0])
    chi = susceptibility(system, T).chi.values
    np.testing.assert_allclose(chi[:, 2, 2] * T, MU_B * saturated**2, rtol=2e-3)
    assert np.all(chi[:, 0, 0] < 0.05 * chi[:, 2, 2])
    assert float(entropy(system, 2.0, 0.0).entropy_reduced) == pytest.approx(np.log(2), abs=2e-3)
    ion = susceptibility(system, 5000.0, powder=5)
    assert float(ion.chi_t) == pytest.approx(11.475, rel=2e-3)
    assert float(ms.levels(system, 0.0).energy[2] - ms.levels(system, 0.0).energy[0]) == pytest.approx(
        gap, abs=0.6
    )


def test_erw10_as_printed_against_libmcphase():
    """Numbers of libmcphase 0.2.0 (cf1ion, "Er3+", K, Blm; field along (3, 4, 12)/13).

    Its constants of nature are rounded at the sixth digit.
    """
    system, T, axis = ms.load("erw10-printed"), [2.0, 20.0, 300.0], (3, 4, 12)
    moment = [[7.370182, 8.563438], [1.063528, 7.813921], [0.040869, 0.571018]]
    found = magnetisation(system, T, [0.5, 7.0], axis=axis).magnetisation
    np.testing.assert_allclose(found, moment, rtol=4e-6, atol=1e-6)
    chi = susceptibility(system, T, axis=axis).chi_along_molar
    np.testing.assert_allclose(chi, [12.96946366, 1.1947614, 0.04565015], rtol=4e-6)
    heat = heat_capacity(system, T, 0.0).heat_capacity
    np.testing.assert_allclose(heat, [0.03990706, 3.55837959, 2.06512313], rtol=3e-5)
