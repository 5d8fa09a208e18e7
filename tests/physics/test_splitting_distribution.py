"""Distributions of splittings against closed forms, quadrature and the splitting of single molecules."""

from math import lgamma, log, pi

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.methods import RateEquations
from mesospin.experiment.hysteresis import hysteresis
from mesospin.experiment.splittings.splitting_distribution import splitting_distribution
from mesospin.model.distributions import Gaussian, LogGaussian, Rayleigh, Values
from mesospin.model.environment import DipolarBath
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.model.terms import ZeroFieldSplitting
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

LN10 = log(10.0)
AXIAL = giant_spin(10, D=-0.6)


def rhombic_law(S: int, D: float) -> float:
    """Return ln of c in gap = c E^S for E -> 0, H = -D Sz^2 + E(Sx^2 - Sy^2).

    The S steps of two have the product (E/2)^S (2S)!, the S - 1 denominators 4 D k (S - k), so that
    gap = 8 D (2S)!/[(S-1)!]^2 (E/8D)^S.
    """
    return log(8 * D) + lgamma(2 * S + 1) - 2 * lgamma(S) - S * log(8 * D)


def transverse_law(S: int, D: float) -> float:
    """Return ln of c in gap = c h^2S for h -> 0, H = -D Sz^2 - h Sx (Garanin)."""
    return log(2 * D) - 2 * lgamma(2 * S) + lgamma(2 * S + 1) - 2 * S * log(2 * D)


def test_a_gaussian_exponent_gives_a_gaussian_logarithm():
    """Axial spin with E alone: ln(gap) = ln(c) + S ln(2D) - S X, so mean, spread and shape follow from X."""
    mean, width = 7.0, 0.4
    made = splitting_distribution(
        AXIAL, (10, -10), E=LogGaussian(mean, width, scale="1.2 K"), seed=3, samples=4000, bins=25
    )
    expected = rhombic_law(10, 0.6) + 10 * log(1.2) - 10 * mean
    # next order of the splitting in E/D: a few parts in 1e4 at X = 6; the strata leave 1e-4 of sampling noise
    assert float(made.mean_log10) * LN10 == pytest.approx(expected, abs=2e-3)
    assert float(made.median_log10) * LN10 == pytest.approx(expected, abs=5e-3)
    assert float(made.spread_log10) * LN10 == pytest.approx(10 * width, rel=1e-3)
    assert float(made.zero_share) == 0.0
    step = float(made.bin[1] - made.bin[0])
    edges = np.append(made.bin.values - step / 2, made.bin.values[-1] + step / 2)
    share = np.diff(norm.cdf(edges * LN10, expected, 10 * width))
    # stratified: the count of molecules in an interval is off by one at most
    np.testing.assert_allclose(made.density * step, share, atol=2.5 / 4000)


def test_a_gaussian_transverse_field_gives_the_moments_of_a_logarithm_of_an_exponential():
    """Two Gaussian components: (h/w)^2 / 2 is exponential, its logarithm has mean -gamma, variance pi^2/6."""
    S, D, width, g = 4, 0.6, 5e-3, 2.0
    made = splitting_distribution(
        giant_spin(S, D=-D, g=g), (S, -S), transverse=Rayleigh("5 mT"), seed=5, samples=20_000
    )
    h = g * MU_B * width
    expected = transverse_law(S, D) + 2 * S * log(h) + S * log(2) - S * np.euler_gamma
    spread = S * pi / np.sqrt(6)
    # variance of a sample variance of ln(exponential): kurtosis 12/5 + 3; strata do better, 4 sigma allowed
    assert float(made.mean_log10) * LN10 == pytest.approx(expected, abs=4 * spread / np.sqrt(20_000))
    assert float(made.spread_log10) * LN10 == pytest.approx(spread, rel=4 * np.sqrt(4.4 / 20_000) / 2)


@pytest.mark.parametrize("pair", [(10, -10), (10, -9), (9, -7), (4, -4), (3, -1)])
def test_one_kind_of_molecule_has_its_own_splitting(pair):
    """Narrow and wide gaps, n = 0, 1 and 2, all three causes together: every azimuth is another molecule."""
    system = load("mn12ac")
    made = splitting_distribution(
        system,
        pair,
        E=Values(["3 mK"]),
        tilt=Values(["1 deg"]),
        transverse=Values(["8 mT"]),
        seed=2,
        samples=4,
    )
    single = splitting_distribution(system, pair, E=Values(["3 mK"]), seed=2, samples=2)
    expected = tunnel_splitting(system.with_terms(ZeroFieldSplitting(0.0, "3 mK")), pair)
    assert single.splitting.values == pytest.approx([expected.kelvin] * 2, rel=1e-6)
    assert len(set(made.splitting.values)) == 4
    assert made.transverse_field.values == pytest.approx([8e-3] * 4)


def test_members_of_a_disorder_have_the_splittings_of_their_own_hamiltonians():
    system = load("mn12ac")
    for pair in ((10, -10), (10, -5), (4, -4)):
        made = splitting_distribution(system, pair)
        members = system.defaults.disorder.members
        expected = []
        for member in members:
            axis = (np.sin(member.tilt), 0.0, np.cos(member.tilt))
            one = system.with_terms(*member.terms)
            expected.append(tunnel_splitting(one, pair, axis=axis, transverse=member.transverse))
        assert made.splitting.values == pytest.approx([gap.kelvin for gap in expected], rel=1e-6)
        assert made.field.values == pytest.approx([gap.field for gap in expected], rel=1e-6, abs=1e-9)
        rates = [pi * gap.kelvin**2 / (2 * HBAR * abs(gap.slope)) for gap in expected]
        assert made.characteristic_rate.values == pytest.approx(rates, rel=1e-4)
        assert made.weight.values == pytest.approx([member.weight for member in members])


def test_tilt_alone_is_a_transverse_field_at_the_crossing():
    """A tilt adds the field B sin(tilt) at the crossing field B: same gap as that transverse field alone.

    Only for an axial spin, and after the azimuth has been forgotten.
    """
    pair, angle = (4, -3), 0.01
    spin = giant_spin(4, D=-0.6)
    tilted = splitting_distribution(spin, pair, tilt=Values([angle]), seed=1, samples=3)
    field = float(tilted.field[0])
    aside = splitting_distribution(spin, pair, transverse=Values([field * np.sin(angle)]), seed=1, samples=3)
    assert tilted.splitting.values == pytest.approx(aside.splitting.values, rel=1e-9)
    assert field * np.cos(angle) == pytest.approx(aside.field.values[0], rel=1e-12)
    # the slope is that of the field along the tilted axis
    ratio = tilted.characteristic_rate / aside.characteristic_rate
    assert ratio.values == pytest.approx([1 / np.cos(angle)] * 3, rel=1e-4)


def test_landau_zener_average_against_quadrature():
    mean, width, S, D = 6.5, 0.3, 10, 0.6
    log_c = rhombic_law(S, D) + S * log(2 * D)
    slope = 2 * S * 2.0 * MU_B
    middle = pi * np.exp(2 * (log_c - S * mean)) / (2 * HBAR * slope)
    rates = middle * np.geomspace(1e-5, 1e5, 9)
    made = splitting_distribution(
        AXIAL, (S, -S), E=LogGaussian(mean, width, scale=2 * D), seed=4, samples=8000, rates=rates
    )

    def left(x, rate):
        exponent = np.exp(2 * (log_c - S * x)) * pi / (2 * HBAR * slope * rate)
        return norm.pdf(x, mean, width) * np.exp(-exponent)

    reach = (mean - 10 * width, mean + 10 * width)
    exact = np.array(
        [
            quad(left, *reach, args=(rate,), points=np.linspace(*reach, 30).tolist(), limit=200)[0]
            for rate in rates
        ]
    )
    assert exact[0] < 0.1 < exact[4] < 0.9 < exact[-1] < 0.999
    # 1e-3 of the sample: strata; 1e-3 relative error of the lowest-order splitting moves the curve by less
    np.testing.assert_allclose(made.remaining_frozen.sel(passage=1), exact, atol=1e-3)
    error = made.remaining_error.sel(passage=1).values
    assert np.all(error <= 0.5 / np.sqrt(8000))


def test_frozen_curves_of_all_passages_are_one_curve():
    """R(n, r) = R(1, r/n) to the last digits, and any sequence of rates counts through the sum of 1/r."""
    common = dict(E=LogGaussian(6.5, 0.4, scale=1.2), seed=8, samples=500)
    made = splitting_distribution(AXIAL, (10, -10), passages=(1, 3, 10), **common)
    rates = made.rate.values
    assert float(made.remaining_frozen.min()) < 0.01
    assert float(made.remaining_frozen.max()) > 0.99
    for n in (3, 10):
        once = splitting_distribution(AXIAL, (10, -10), rates=rates / n, passages=(1,), **common)
        left = made.remaining_frozen.sel(passage=n)
        np.testing.assert_allclose(left, once.remaining_frozen[0], rtol=1e-12)
        np.testing.assert_allclose(made.effective_rate.sel(passage=n), rates / n, rtol=1e-15)
    sequence = np.median(made.characteristic_rate) * np.array([3.0, 1.0, 0.7])
    survival = np.exp(-made.characteristic_rate.values[:, None] / sequence).prod(axis=1).mean()
    together = splitting_distribution(
        AXIAL, (10, -10), rates=[1 / (1 / sequence).sum()], passages=(1,), **common
    )
    assert 0.1 < survival < 0.9
    assert float(together.remaining_frozen[0, 0]) == pytest.approx(survival, rel=1e-12)


def test_redrawn_splittings_do_not_collapse_and_leave_less():
    made = splitting_distribution(AXIAL, (10, -10), E=LogGaussian(6.5, 0.4, scale=1.2), seed=8, samples=500)
    once = made.remaining_frozen.sel(passage=1)
    for n in made.passage.values:
        np.testing.assert_allclose(made.remaining_redrawn.sel(passage=n), once**n, rtol=1e-9, atol=1e-300)
    # means of powers exceed powers of means, and any mean exceeds the exponential of the mean
    frozen, redrawn, single = made.remaining_frozen, made.remaining_redrawn, made.remaining_single
    assert bool((frozen >= redrawn - 1e-12).all())
    assert bool((redrawn >= single - 1e-12).all())
    assert float((frozen - redrawn).sel(passage=10).max()) > 0.3


def test_a_single_splitting_is_an_exponential_whatever_happens_between_sweeps():
    made = splitting_distribution(AXIAL, (10, -10), E=Values([2e-3]), seed=1, samples=50)
    np.testing.assert_allclose(made.remaining_frozen, made.remaining_single, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(made.remaining_redrawn, made.remaining_single, rtol=1e-9, atol=1e-300)
    gap = tunnel_splitting(giant_spin(10, D=-0.6, E=2e-3), (10, -10)).kelvin
    np.testing.assert_allclose(made.apparent_splitting, gap, rtol=1e-7)
    assert float(made.rms_splitting) == pytest.approx(gap, rel=1e-7)
    assert float(made.spread_log10) < 1e-7


def test_apparent_splitting_falls_from_the_root_mean_square():
    made = splitting_distribution(AXIAL, (10, -10), E=LogGaussian(6.5, 0.2, scale=1.2), seed=8, samples=2000)
    apparent = made.apparent_splitting.values
    assert np.all(np.diff(apparent) > 0)
    assert apparent[-1] == pytest.approx(float(made.rms_splitting), rel=0.02)
    assert apparent[0] < 0.1 * apparent[-1]


def test_share_of_exact_zeros():
    """E and C4 connect m with m + 2 and m + 4: odd n is closed without a transverse field, n = 2 at E = 0."""
    system = load("mn12ac")
    odd = splitting_distribution(system, (10, -9), E=Gaussian("2 mK", "1 mK"), seed=1, samples=100)
    assert float(odd.zero_share) == 1.0
    assert np.all(odd.remaining_frozen == 1.0)
    assert "multiples of 2" in str(odd.zero_reason.values)
    mixed = splitting_distribution(system, (10, -8), E=Values([0.0, 2e-3], [0.25, 0.75]), seed=1, samples=100)
    assert float(mixed.zero_share) == pytest.approx(0.25)
    assert np.array_equal(mixed.zero.values, mixed.rhombic.values == 0.0)
    assert float((mixed.density * np.diff(mixed.bin)[0]).sum()) == pytest.approx(0.75)
    slowest = mixed.remaining_frozen.sel(passage=10)[0]
    assert float(slowest) == pytest.approx(0.25, abs=1e-3)
    assert "multiples of 4" in str(mixed.zero_reason.values)


def test_half_integer_spins_are_closed_at_zero_field_until_a_transverse_field_comes():
    spin = giant_spin(4.5, D=-0.6, E=0.02)
    closed = splitting_distribution(spin, (4.5, -4.5), E=Gaussian(0.0, "5 mK"), seed=1, samples=40)
    assert float(closed.zero_share) == 1.0
    assert "Kramers" in str(closed.zero_reason.values) or "selection" in str(closed.zero_reason.values)
    tilted = splitting_distribution(spin, (4.5, -4.5), tilt=Rayleigh("2 deg"), seed=1, samples=40)
    assert float(tilted.zero_share) == 1.0
    opened = splitting_distribution(spin, (4.5, -4.5), transverse=Rayleigh("20 mT"), seed=1, samples=40)
    assert float(opened.zero_share) == 0.0


def test_probability_is_that_of_the_step_of_a_loop():
    """The mean Landau-Zener probability of the ground pairs in the table of a loop at low temperature."""
    system = load("mn12ac")
    loop = hysteresis(
        system,
        0.1,
        "3 mT/s",
        (-1.0, 5.5),
        dipolar=DipolarBath("25 mT"),
        method=RateEquations(),
        field_step=0.05,
    )
    for n in (5, 6, 7):
        k = int(np.flatnonzero(loop.step_n == n)[0])
        made = splitting_distribution(system, (10, n - 10), rates=["3 mT/s"], passages=(1,))
        expected = 1 - float(made.remaining_frozen[0, 0])
        assert float(loop.step_probability[k]) == pytest.approx(expected, rel=1e-4)


def test_lowest_order_laws_are_right():
    """S = 2 through m = 0 in second order; S = 1 in a transverse field, also in second order."""
    assert np.exp(rhombic_law(2, 0.6)) == pytest.approx(3 / 0.6)
    # <0|h Sx|1>^2 = h^2/2 from both sides, over D: gap 2 (h^2/2)/D
    assert np.exp(transverse_law(1, 0.6)) == pytest.approx(1 / 0.6)
