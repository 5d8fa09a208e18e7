"""Susceptibilities against closed forms, derivatives of moment and free energy, and the literature."""

import mpmath
import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import AVOGADRO, K_B, MU_0, MU_B, MU_B_SI
from mesospin.thermo.heat import entropy, free_energy, heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molar import CM3_PER_MOLE
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


def richardson(function, x, step):
    """First derivative to sixth order in the step, from central differences."""
    table = [(function(x + h) - function(x - h)) / (2 * h) for h in (step, step / 2, step / 4)]
    once = [(4 * table[k + 1] - table[k]) / 3 for k in range(2)]
    return (16 * once[1] - once[0]) / 15


def test_curie_law_with_a_g_tensor_without_any_symmetry():
    S, T = 2.5, np.array([1e-3, 2.0, 1000.0])
    g = np.array(G_TENSOR)
    chi = susceptibility(ms.giant_spin(S, D=0.0, g=G_TENSOR), T).chi
    expected = MU_B * S * (S + 1) / 3 * g @ g.T / T[:, None, None]
    np.testing.assert_allclose(chi, expected, rtol=1e-12)


def test_chi_t_of_free_ions_in_molar_units():
    # N_A mu_B^2 / 3 k_B = 0.1250 cm3 K/mol per unit of g^2 S(S+1); Er(III), J = 15/2: tables have 11.48
    ds = susceptibility(ms.giant_spin(7.5, D=0.0, g=1.2), 300.0, powder=7)
    cgs = AVOGADRO * (MU_B_SI * 1e3) ** 2 / (3 * K_B * 1e7) * 1.2**2 * 7.5 * 8.5
    assert float(ds.chi_t) == pytest.approx(cgs, rel=1e-12)
    assert float(ds.chi_t) == pytest.approx(11.48, abs=0.005)
    assert float(ds.mu_eff) == pytest.approx(1.2 * np.sqrt(7.5 * 8.5), rel=1e-12)


@pytest.mark.parametrize("D", [-7.0, 4.0])
def test_spin_one_with_zero_field_splitting(D):
    T, g = np.array([0.05, 1.0, 5.0, 300.0]), 2.2
    chi = susceptibility(ms.giant_spin(1, D=D, g=g), T).chi.values
    boltzmann = np.exp(-(D - min(D, 0.0)) / T)
    lowest = np.exp(min(D, 0.0) / T)  # factor of the m = 0 level with the same shift
    along = 2 * g**2 * MU_B / T * boltzmann / (lowest + 2 * boltzmann)
    across = 2 * g**2 * MU_B / D * (lowest - boltzmann) / (lowest + 2 * boltzmann)
    # atol: along a hard axis at 50 mK the Curie term is e^-80 of the Van Vleck term
    np.testing.assert_allclose(chi[:, 2, 2], along, rtol=1e-12, atol=1e-25)
    np.testing.assert_allclose(chi[:, 0, 0], across, rtol=1e-12)
    np.testing.assert_allclose(chi[:, 1, 1], across, rtol=1e-12)
    off = chi[:, ~np.eye(3, dtype=bool)]
    assert np.abs(off).max() < 1e-12 * np.abs(chi).max()


@pytest.mark.parametrize("D", [-3.0, 2.0])
def test_kramers_doublets_at_zero_field(D):
    T, g = np.array([0.01, 0.3, 2.0, 50.0]), 2.0
    chi = susceptibility(ms.giant_spin(1.5, D=D, g=g), T).chi.values
    # both factors e^{-E/T} of the doublets +-1/2 and +-3/2, relative to the lower one
    half, three = np.exp(-(0.0 - min(0.0, 2 * D)) / T), np.exp(-(2 * D - min(0.0, 2 * D)) / T)
    along = g**2 * MU_B / (4 * T) * (half + 9 * three) / (half + three)
    across = g**2 * MU_B / T * (half + 0.75 * T / D * (half - three)) / (half + three)
    np.testing.assert_allclose(chi[:, 2, 2], along, rtol=1e-12)
    np.testing.assert_allclose(chi[:, 0, 0], across, rtol=1e-12)


@pytest.mark.parametrize("E", [1e-15, 1e-12, 1e-6, 1e-2])
def test_near_degeneracy_is_no_special_case(E):
    """m = +-1 split by 2E: chi_zz = (4 g^2 mu_B/Z) sinh(E/T)/E, whatever E."""
    D, T, g = -5.0, 0.25, 2.0
    chi = float(susceptibility(ms.giant_spin(1, D=D, E=E, g=g), T).chi[2, 2])
    partition = 2 * np.cosh(E / T) + np.exp(D / T)
    sinh = E / T * (1 + (E / T) ** 2 / 6) if E < 1e-4 else np.sinh(E / T)
    assert chi == pytest.approx(2 * g**2 * MU_B / partition * sinh / E, rel=1e-11)


FIELD = np.array([0.4, -0.9, 1.3])


COUPLINGS = {
    "alone": {},
    "neighbours": {"mean_field": MeanField(-0.3)},
    "ferromagnetic": {"mean_field": MeanField(0.15)},
    "shape": {"demagnetisation": Demagnetisation((0.1, 0.3, 0.6), volume=30.0)},
    "both": {"mean_field": MeanField(0.1), "demagnetisation": Demagnetisation(1 / 3, volume=40.0)},
}


@pytest.mark.parametrize("coupling", COUPLINGS, ids=str)
@pytest.mark.parametrize("field", [FIELD, np.zeros(3)], ids=["field", "zero"])
def test_susceptibility_is_the_jacobian_of_the_moment(coupling, field):
    system, T, options = low_symmetry(), 0.7, COUPLINGS[coupling]
    chi = susceptibility(system, T, B_vector=field, **options).chi.values
    jacobian = np.stack(
        [
            richardson(
                lambda b, unit=unit: (
                    magnetisation(system, T, B_vector=field + b * unit, **options).moment.values
                ),
                0.0,
                0.04,
            )
            for unit in np.eye(3)
        ],
        axis=-1,
    )
    np.testing.assert_allclose(chi, jacobian, rtol=1e-7, atol=1e-8 * np.abs(chi).max())
    np.testing.assert_allclose(chi, chi.T, rtol=0, atol=1e-12 * np.abs(chi).max())


def odd_rank():
    """An odd-rank term breaks time reversal: opposite directions differ."""
    return ms.giant_spin(2, D=-0.8, E=0.1).with_terms(ms.Stevens(3, 1, 0.05), ms.Stevens(1, 0, 0.4))


SYSTEMS = {
    "low symmetry": low_symmetry,
    "odd rank": odd_rank,
    "biaxial": lambda: ms.giant_spin(2, D=-0.8, E=0.2),
}


@pytest.mark.parametrize("kind", SYSTEMS)
def test_powder_susceptibility_is_the_slope_of_the_powder_magnetisation(kind):
    system, T = SYSTEMS[kind](), 1.1
    for B in (0.0, 1.0):
        slope = richardson(lambda b: float(magnetisation(system, T, b, powder=41).magnetisation), B, 0.05)
        assert float(susceptibility(system, T, B, powder=41).chi) == pytest.approx(slope, rel=1e-7)
    tensor = susceptibility(system, T).chi.values
    assert float(susceptibility(system, T, powder=5).chi) == pytest.approx(np.trace(tensor) / 3, rel=1e-12)


@pytest.mark.filterwarnings("ignore:mean_field acts by the average moment")
def test_mean_field_susceptibility_is_the_formula_of_the_literature():
    system, T, zJ = ms.giant_spin(1, D=3.0, g=2.1), np.array([2.0, 10.0, 300.0]), -0.5
    bare = susceptibility(system, T, powder=7).chi_molar.values
    dressed = susceptibility(system, T, powder=7, mean_field=MeanField(zJ, g=2.1)).chi_molar.values
    # zJ'/(N_A g^2 mu_B^2) in cgs: energies in erg, mu_B in erg/G
    factor = zJ * K_B * 1e7 / (AVOGADRO * 2.1**2 * (MU_B_SI * 1e3) ** 2)
    np.testing.assert_allclose(dressed, bare / (1 - factor * bare), rtol=1e-12)


def test_curie_weiss_temperature_of_a_mean_field():
    """theta = zJ' S(S+1)/3 for an isotropic spin."""
    S, zJ, T = 3.5, 0.3, np.array([5.0, 20.0, 100.0])
    chi = susceptibility(ms.giant_spin(S, D=0.0), T, powder=5, mean_field=MeanField(zJ)).chi.values
    theta = zJ * S * (S + 1) / 3
    np.testing.assert_allclose(chi, 4 * S * (S + 1) * MU_B / 3 / (T - theta), rtol=1e-12)


def test_demagnetisation_divides_by_one_plus_n_chi():
    volume, N = 1630.4, 1 / 3
    system, T = ms.giant_spin(7.5, D=0.0, g=1.2), np.array([0.2, 2.0])
    bare = susceptibility(system, T).chi.values[:, 2, 2]
    dressed = susceptibility(system, T, demagnetisation=Demagnetisation(N, volume)).chi.values[:, 2, 2]
    volume_chi = bare * MU_0 * MU_B_SI / (volume * 1e-30)  # M/H, dimensionless
    np.testing.assert_allclose(dressed, bare / (1 + N * volume_chi), rtol=1e-12)


def test_temperature_independent_term_adds_to_everything_linear():
    system, tip = ms.giant_spin(1, D=1.0), 3e-4
    bare, more = susceptibility(system, 5.0, 2.0), susceptibility(system, 5.0, 2.0, tip=tip)
    for name in ("chi_molar", "m_over_h", "chi_along_molar"):
        change = (more[name] - bare[name]).values
        np.testing.assert_allclose(change, tip * (np.eye(3) if change.ndim else 1.0), rtol=1e-9, atol=1e-18)
    m = magnetisation(system, 5.0, 2.0, tip=tip).magnetisation - magnetisation(system, 5.0, 2.0).magnetisation
    assert float(m) == pytest.approx(tip / CM3_PER_MOLE * 2.0, rel=1e-9)


def test_static_quantities_are_those_of_a_magnetometer():
    """Brillouin's M over H, times T, and its effective moment 2.827 sqrt(M T/H), of a free spin."""
    S, g, T, B = 2.5, 2.0, np.array([1.8, 20.0, 300.0]), np.array([0.0, 0.5, 7.0])
    x = g * S * MU_B * np.maximum(B, 1e-6) / T[:, None]
    a = (2 * S + 1) / (2 * S)
    M = g * S * (a / np.tanh(a * x) - 1 / (2 * S * np.tanh(x / (2 * S))))
    molar = CM3_PER_MOLE * M / np.maximum(B, 1e-6)
    molar[:, 0] = CM3_PER_MOLE * g**2 * S * (S + 1) * MU_B / (3 * T)
    for ds in (
        susceptibility(ms.giant_spin(S, D=0.0, g=g), T, B),
        susceptibility(ms.giant_spin(S, D=0.0, g=g), T, B, powder=5),
    ):
        np.testing.assert_allclose(ds.m_over_h_t, molar * T[:, None], rtol=1e-9)
        np.testing.assert_allclose(ds.mu_eff_static, 2.8278 * np.sqrt(molar * T[:, None]), rtol=1e-4)
        np.testing.assert_allclose(ds.mu_eff_static[:, 0], ds.mu_eff[:, 0], rtol=1e-12)
        assert (ds.m_over_h_t.attrs["units"], ds.mu_eff_static.attrs["units"]) == ("cm3 K/mol", "mu_B")


def test_m_over_h_goes_over_into_chi():
    system, T = low_symmetry(), 1.5
    ds = susceptibility(system, T, [0.0, 1e-4, 3.0], axis=(1, 2, 2))
    along = ds.chi_along_molar.values
    assert ds.m_over_h.values[0] == along[0]
    assert ds.m_over_h.values[1] == pytest.approx(along[1], rel=1e-7)
    assert ds.m_over_h.values[2] > 1.05 * along[2]  # saturating
    m = float(magnetisation(system, T, 3.0, axis=(1, 2, 2)).magnetisation)
    assert ds.m_over_h.values[2] == pytest.approx(CM3_PER_MOLE * m / 3.0, rel=1e-12)


def test_curie_weiss_line_of_erw10():
    """theta = -88 mK along z is a mean field theta/C: chi = C/(T - theta) while the doublet is alone."""
    system = ms.load("erw10-repaired")
    T = np.array([0.1, 0.2, 0.5])
    curie = float(susceptibility(system, 0.2).chi[2, 2]) * 0.2
    zJ = -0.088 / curie * 1.2**2 * MU_B
    chi = susceptibility(system, T, mean_field=MeanField(zJ, g=1.2)).chi.values[:, 2, 2]
    np.testing.assert_allclose(chi, curie / (T + 0.088), rtol=1e-3)


# --- many digits --------------------------------------------------------------------------------------------

STEVENS = {"B20": -1.35, "B40": -1.07e-2, "B60": 1.07e-4, "B44": 1.8e-2}
"""Of erw10-printed [K]."""


def crystal_field(J, B):
    """Return H0 [K] and Jx, Jy, Jz with the digits of mpmath, from the polynomials of Abragam and Bleaney."""
    n = int(2 * J + 1)
    m = [mpmath.mpf(J) - i for i in range(n)]
    X = mpmath.mpf(J) * (mpmath.mpf(J) + 1)
    z = mpmath.diag(m)
    raising = mpmath.zeros(n)
    for i in range(n - 1):
        raising[i, i + 1] = mpmath.sqrt(X - m[i + 1] * (m[i + 1] + 1))
    lowering = raising.T
    h = mpmath.diag(
        [
            B["B20"] * (3 * a**2 - X)
            + B["B40"] * (35 * a**4 - (30 * X - 25) * a**2 + 3 * X**2 - 6 * X)
            + B["B60"]
            * (
                231 * a**6
                - (315 * X - 735) * a**4
                + (105 * X**2 - 525 * X + 294) * a**2
                - 5 * X**3
                + 40 * X**2
                - 60 * X
            )
            for a in m
        ]
    )
    h += mpmath.mpf(B["B44"]) / 2 * (raising**4 + lowering**4)
    return h, [(raising + lowering) / 2, (raising - lowering) / mpmath.mpc(0, 2), z]


@pytest.mark.parametrize("field", [0.0, 0.3])
def test_from_a_millikelvin_to_a_thousand_kelvin_with_100_digits(field):
    """Everything from ln Z of levels with 100 digits; at zero field every level is degenerate."""
    system, axis, temperatures = (
        ms.load("erw10-printed"),
        np.array([2.0, 3.0, 6.0]) / 7.0,
        [1e-3, 1.3, 1000.0],
    )
    ds = susceptibility(system, temperatures, field, axis=axis)
    moment = magnetisation(system, temperatures, field, axis=axis).magnetisation.values
    free = free_energy(system, temperatures, field, axis=axis).free_energy.values
    s = entropy(system, temperatures, field, axis=axis).entropy_reduced.values
    c = heat_capacity(system, temperatures, field, axis=axis).heat_capacity_reduced.values
    with mpmath.workdps(100):
        h, J = crystal_field(7.5, STEVENS)
        slope = (
            mpmath.mpf(1.2)
            * mpmath.mpf(MU_B)
            * sum((float(a) * j for a, j in zip(axis, J, strict=True)), 0 * h)
        )
        step = mpmath.mpf(10) ** -25
        ends = [mpmath.eighe(h + (field + k * step) * slope, eigvals_only=True) for k in (-1, 0, 1)]
        for k, T in enumerate(temperatures):
            low, here, high = (
                -T * mpmath.log(mpmath.fsum(mpmath.exp(-e / T) for e in levels)) for levels in ends
            )
            p = [mpmath.exp((here - e) / T) for e in ends[1]]
            energy = mpmath.fdot(p, ends[1])
            variance = mpmath.fsum(w * (e - energy) ** 2 for w, e in zip(p, ends[1], strict=True))
            # levels of 500 K carry 1e-13 K in double precision, over T
            rel = 1e-13 + 1e-12 / T
            assert free[k] == pytest.approx(float(here), rel=1e-14 * (1 + T / 1e2), abs=1e-11)
            assert moment[k] == pytest.approx(float((low - high) / (2 * step) / MU_B), rel=rel, abs=1e-12)
            chi = float((2 * here - low - high) / step**2 / MU_B)
            assert ds.chi_along_molar.values[k] == pytest.approx(CM3_PER_MOLE * chi, rel=10 * rel)
            assert s[k] == pytest.approx(float((energy - here) / T), rel=rel, abs=1e-30)
            assert c[k] == pytest.approx(float(variance) / T**2, rel=10 * rel, abs=1e-20)
