"""Dynamics of systems that are not one uniaxial spin, and the two ways to solve one that is."""

from functools import lru_cache

import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.branch import molecule_frame, sweep_branch
from mesospin.experiment.ensemble import ensemble

BATH = ms.PhononBath(density=1830, sound_speed=2000, coupling=0.7)


# --- two spins with exchange


def pair_of_spins(S, D, J):
    terms = [ms.ZeroFieldSplitting(-D, site=0), ms.ZeroFieldSplitting(-D, site=1), ms.Exchange(0, 1, J, "+J")]
    return ms.SpinSystem("pair", [ms.Spin(S), ms.Spin(S)], terms)


#: So fast that a passage turns 5 % of the pairs [T/s].
FAST = 100.0


@pytest.fixture(scope="module")
def biased_loop():
    """Two S = 3/2 with D = 0.72 and J = 0.3 K; a transverse field opens the steps."""
    system = pair_of_spins(1.5, 0.72, 0.3)
    return ms.hysteresis(
        system, [0.03], FAST, (-1.0, 0.6), transverse=(0.02, 0.0), bath=BATH, dipolar=None, field_step=1e-3
    )


def test_exchange_bias(biased_loop):
    """The first spin turns at -J S/(g mu_B), in the field of the other one; nothing happens at zero field."""
    up = biased_loop.reduced.sel(branch="up").values[0]
    B = biased_loop.field.values
    bias = -0.3 * 1.5 / (2 * MU_B)
    # second order in J/D moves the crossing by 12 mT
    first = B[np.argmax(up > up[0] + 5e-3)]
    assert abs(first - bias) < 0.015

    def rise(centre, reach):
        return float(np.diff(np.interp([centre - reach, centre + reach], B, up))[0])

    table = ms.crossings(pair_of_spins(1.5, 0.72, 0.3), (-0.36, -0.34), transverse=(0.02, 0.0))
    exponent = np.pi * table.splitting.values**2 / (2 * HBAR * table.slope.values * FAST)
    # lines of ground states are narrower than kT: (1 - exp(-2x))/2 turn one of two spins, M/Ms from -1 to 0;
    # direct relaxation adds 1e-3
    expected = -np.expm1(-2 * exponent.max()) / 2
    assert 0.02 < expected < 0.1
    assert rise(-0.347, 0.01) == pytest.approx(expected, rel=0.02)
    # at zero field only both spins together could turn
    assert abs(rise(0.0, 0.01)) < 1e-3


def test_branches_have_opposite_bias(biased_loop):
    """The down branch is swept from 0.6 T, where the pair is saturated too: the mirror image."""
    reduced = biased_loop.reduced.isel(temperature=0)
    B = biased_loop.field.values
    down = reduced.sel(branch="down").values
    last_saturated = B[np.argmax(down > down[-1] - 5e-3)]
    assert last_saturated == pytest.approx(0.347, abs=2e-3)


def test_mn4_dimer_of_the_library():
    """Both spins at once do not tunnel at zero field; one of them does at the bias, with half the slope."""
    dimer = ms.load("mn4-dimer")
    across = (0.05, 0.0)
    both = ms.tunnel_splitting(dimer, ("m1=9/2, m2=9/2", "m1=-9/2, m2=-9/2"), transverse=across)
    assert both.field == pytest.approx(0.0, abs=1e-12)
    assert ms.landau_zener(both.kelvin, 0.14, slope=both.slope) < 1e-30
    bias = -0.10 * 4.5 / (2 * MU_B)
    table = ms.crossings(dimer, (bias - 2e-3, bias + 2e-3), transverse=across)
    first = int(table.level_from.values.argmin())
    assert table.level_from.values[first] == 0
    assert float(table.field[first]) == pytest.approx(bias, abs=2e-3)
    # one spin 9/2 turns: 9 g mu_B, against 18 g mu_B for both
    assert float(table.slope[first]) == pytest.approx(9 * 2 * MU_B, rel=1e-2)
    assert abs(both.slope) == pytest.approx(18 * 2 * MU_B, rel=1e-2)


# --- a doublet with one nucleus I = 3/2

A, GAP = 0.02, 2e-6
LINES = -A * np.array([1.5, 0.5, -0.5, -1.5]) / (2 * MU_B)
#: g of the nucleus is 0 and the coupling is along z: the four projections mI are independent doublets.
DOUBLET = ms.SpinSystem(
    "doublet",
    [ms.Spin(0.5, 2.0), ms.Spin(1.5, 0.0, "I", nuclear=True)],
    [ms.Hyperfine(0, 1, (0.0, 0.0, A))],
)
ACROSS = (GAP / (2 * MU_B), 0.0)


def exponent(rate):
    return np.pi * GAP**2 / (2 * HBAR * 2 * MU_B * rate)


def test_hyperfine_crossings():
    table = ms.crossings(DOUBLET, (-0.03, 0.03), transverse=ACROSS)
    open_ones = ~table.zero.values & (table.splitting.values > 1e-9)
    np.testing.assert_allclose(np.sort(table.field.values[open_ones]), LINES, atol=1e-9)
    np.testing.assert_allclose(table.splitting.values[open_ones], GAP, rtol=1e-6)


@pytest.mark.parametrize("rate", [1e-3, 1e-1])
def test_sequence_of_unitary_crossings(rate):
    """M after each line: the nuclear state that crosses there flips with P, the others do not."""
    T = 0.05
    run = ms.sweep(
        DOUBLET,
        ms.FieldSweep(-0.03, 0.03, rate=rate),
        T=T,
        transverse=ACROSS,
        method=ms.Exact(step=0.1),
        points=601,
    )
    # levels of different mI cross without coupling between the lines and on them
    between = np.array([-0.026, -0.018, -0.011, -0.004, 0.004, 0.011, 0.018, 0.026])
    found = np.interp(between, run.field, run.reduced)
    # thermal start at -0.03 T: E = 2 mu_B B m + A m mI
    mI = np.array([1.5, 0.5, -0.5, -1.5])
    m = np.array([0.5, -0.5])
    weight = np.exp(-(2 * MU_B * -0.03 * m[:, None] + A * m[:, None] * mI) / T)
    weight /= weight.sum()
    up, down = weight
    P = -np.expm1(-exponent(rate))
    excess = up - down
    crossed = between[:, None] > LINES
    # M/Ms = -2<m>; a passage turns the sign of a fraction P of the excess
    expected = -(excess * np.where(crossed, 1 - 2 * P, 1.0)).sum(axis=1)
    # windows of Exact are good to 1e-3 of P
    np.testing.assert_allclose(found, expected, atol=2e-3)


def rate_sweep(rate, T, width):
    return ms.sweep(
        DOUBLET,
        ms.FieldSweep(-0.03, 0.03, rate=rate),
        T=T,
        transverse=ACROSS,
        nuclear=ms.NuclearBath(width),
        points=401,
    )


@pytest.mark.parametrize(("x", "agree"), [(0.01, True), (2.0, False)])
def test_rates_and_unitary_sweeps(x, agree):
    """Rates equalise two levels, (1 - exp(-2x))/2; a unitary passage exchanges them, 1 - exp(-x)."""
    rate = exponent(1.0) / x
    T, width = 10.0, 1e-5
    run = rate_sweep(rate, T, width)
    transferred = (1 - run.reduced.values[-1] / run.reduced.values[0]) / 2
    # the window is 1e-6 of kT, so both directions are equally fast inside it; Radau steps: 1e-3
    assert transferred == pytest.approx(-np.expm1(-2 * x) / 2, rel=5e-3)
    unitary = -np.expm1(-x)
    if agree:
        assert transferred == pytest.approx(unitary, rel=2 * x)
    else:
        assert abs(transferred - unitary) > 0.3


def test_hyperfine_steps_of_the_rates():
    """Steps stand at -A mI/(g mu_B), and at low temperature every molecule that passes goes down."""
    x = 0.7
    run = rate_sweep(exponent(1.0) / x, 1e-3, 2e-5)
    B, reduced = run.field.values, run.reduced.values
    # at 1 mK only the lowest state of the first field is occupied, m = +1/2 with mI = -3/2: the last line
    assert reduced[0] == pytest.approx(-1.0, abs=1e-3)
    line = LINES[-1]
    assert np.abs(reduced[line - 2e-3 > B] - reduced[0]).max() < 1e-3
    # only downhill counts where the window is much narrower than kT: (1 - exp(-2x))/2 up to width/T = 2 %
    assert (1 + reduced[-1]) / 2 == pytest.approx(-np.expm1(-2 * x) / 2, rel=0.03)


@pytest.mark.parametrize("S", [1, 2])
def test_nucleus_on_a_spin_with_e(S):
    """Each nuclear projection shifts the crossing of (S, -S) and leaves its gap alone."""
    D, E = 1.0, 1e-3
    electron = [ms.SpinPower(-D, z=2), ms.ZeroFieldSplitting(0.0, E)]
    system = ms.SpinSystem(
        "spin",
        [ms.Spin(S), ms.Spin(1.5, 0.0, "I", nuclear=True)],
        [*electron, ms.Hyperfine(0, 1, (0.0, 0.0, A))],
    )
    gap = 2 * E if S == 1 else 6 * E**2 / (D + np.sqrt(D**2 + 3 * E**2))
    for mI, line in zip(("3/2", "1/2", "-1/2", "-3/2"), LINES, strict=True):
        pair = ms.tunnel_splitting(system, (f"m={S}, mI={mI}", f"m=-{S}, mI={mI}"))
        assert pair.field == pytest.approx(line, abs=1e-9)
        assert pair.kelvin == pytest.approx(gap, rel=1e-5)


# --- E with a strong transverse field


def test_strong_transverse_field_follows_equilibrium():
    """Every level mixed: a slow sweep is the thermal mean of the exact levels."""
    spin = ms.giant_spin(3, D=-1.0, E=0.25, g=2.0)
    across, T = (1.5, 0.5), 1.2
    loop = ms.hysteresis(spin, T, 1e-4, (-2.0, 2.0), transverse=across, bath=BATH, field_step=0.02)
    ds = ms.levels(spin, loop.field.values, transverse=across)
    weight = np.exp(-(ds.energy - ds.energy.min("level")) / T)
    moment = (ds.moment.sel(component="z") * weight).sum("level") / weight.sum("level")
    for branch in ("up", "down"):
        found = loop.magnetisation.sel(branch=branch).values[0]
        # interpolation of the tabulated states, 1e-3 of Ms = 6 mu_B
        np.testing.assert_allclose(found, moment.values, atol=6e-3)


def test_strong_transverse_field_conserves_probability():
    spin = ms.giant_spin(3, D=-1.0, E=0.25, g=2.0)
    run = ms.sweep(spin, ms.FieldSweep(-2.0, 2.0, rate=10.0), T=0.5, transverse=(1.5, 0.5), bath=BATH)
    total = run.population.sum("level").values
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-10)
    assert run.population.min() > -1e-6


# --- one molecule, two populations or all levels

MN12 = ms.load("mn12ac").with_terms(ms.ZeroFieldSplitting(0.0, 2.3e-3))


@pytest.mark.parametrize("T", [0.1, 1.0, 1.9, 2.6, 3.5])
def test_two_populations_against_all_levels(T):
    arguments = {"disorder": None, "tilt": 0.01}
    reduced, full = (
        ms.hysteresis(MN12, T, 3e-3, (-5.5, 5.5), method=ms.RateEquations(reduce=choice), **arguments).reduced
        for choice in (True, False)
    )
    # the panels of both allow 1e-3
    assert np.abs(reduced - full).max() < 1e-3


@lru_cache
def mn12_frame():
    (molecule,) = ensemble(MN12, None, tilt=0.01)
    return molecule_frame(molecule, MN12.defaults.phonons, (-5.7, 5.7))


@pytest.mark.parametrize("T", [0.05, 1.9, 4.0])
def test_populations_of_two_wells_stay_between_0_and_1(T):
    branch = sweep_branch(mn12_frame(), T, -5.6, 5.6, 3e-3, reduce=True)
    # two populations sum to one by construction; what can go wrong is the range
    assert branch.population.min() >= -1e-12
    assert branch.population.max() <= 1 + 1e-12
    assert branch.population[0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("T", [0.1, 2.0])
def test_all_levels_conserve_probability(T):
    run = ms.sweep(MN12, ms.FieldSweep(-5.5, 5.5, rate=3e-3), T=T)
    total = run.population.sum("level").values
    # linear systems of condition 1e11 would lose 1e-5 if the columns did not cancel exactly
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-10)


# --- Exact and RateEquations on one molecule


@pytest.mark.parametrize("rate", [0.1, 1e-3])
def test_fe8_by_both_methods(rate):
    """One crossing and a cold lattice: nobody comes back, so both give Landau and Zener."""
    fe8 = ms.load("fe8")
    protocol = ms.FieldSweep(-0.02, 0.02, rate=rate)
    unitary = ms.sweep(fe8, protocol, method=ms.Exact(step=0.1), points=3).population.values[-1, 0]
    incoherent = ms.sweep(fe8, protocol, T=0.02, points=3).population.values
    pair = ms.tunnel_splitting(fe8, (10, -10))
    P = float(ms.landau_zener(pair.kelvin, rate, slope=pair.slope))
    assert unitary == pytest.approx(P, rel=2e-3)
    left = incoherent[-1][incoherent[0].argmax()]
    # lines of states that live for ever are narrower than kT: (1 - exp(-2x))/2 = x - x^2
    x = -np.log1p(-P)
    assert 1 - left == pytest.approx(-np.expm1(-2 * x) / 2, rel=1e-3)
