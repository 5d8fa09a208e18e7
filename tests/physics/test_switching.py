"""Switching of particles against closed forms, the exact spin Hamiltonian, quadrature and simulation."""

import numpy as np
import pytest
from scipy.integrate import cumulative_simpson, quad, simpson
from scipy.optimize import brentq, minimize_scalar

from mesospin.constants import HBAR, MU_B
from mesospin.experiment.particles.escape_rates import QuantumEscape, ThermalEscape, quantum_crossover
from mesospin.experiment.particles.first_passage import (
    first_passage,
    mean_switchings,
    passed,
    width_switchings,
)
from mesospin.experiment.particles.landscape import action_per_spin, landscape, switching_ratio, tabulated
from mesospin.experiment.particles.particle import InverseSpread, LogNormalSpread, Particle
from mesospin.experiment.particles.switching_cases import (
    ALONE,
    Case,
    rates_of,
    viscosity,
    waiting_spread,
    waiting_variation,
)

GRAIN = Particle(20000, "2 T", "1 T")
DEG45 = np.pi / 4
ANGLES = np.deg2rad([5.0, 20.0, 45.0, 70.0, 85.0])
EPSILON = np.array([1e-5, 1e-3, 0.03, 0.3, 0.9])


def test_barrier_along_the_axis_is_the_square():
    assert landscape(0.0, 0.7, EPSILON).barrier == pytest.approx(0.5 * EPSILON**2, rel=1e-10)


def test_barrier_at_45_degrees_has_a_closed_form():
    # sin(2 phi) = 2h sin(phi + pi/4) is a quadratic equation for s = sin(phi + pi/4).
    h = 0.5 * (1 - EPSILON)
    s = (h + np.sqrt(h**2 + 2)) / 2
    exact = np.sqrt(1 - s**2) * (s - 2 * h)
    # The closed form itself loses digits next to the switching field.
    assert landscape(DEG45, 0.0, EPSILON).barrier == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("angle", ANGLES)
def test_barrier_action_and_frequency_near_switching(angle):
    """U, B and the frequencies to leading order (Miguel and Chudnovsky 1996): powers 3/2, 5/4, 1/4."""
    cot = 1 / np.tan(angle)
    epsilon = np.array([1e-5])
    table = landscape(angle, 0.0, epsilon)
    barrier = 2 * (2 / 3) ** 1.5 * cot ** (1 / 3) / (1 + cot ** (2 / 3)) * epsilon**1.5
    action = 16 * 6**0.25 / 5 * cot ** (1 / 6) * epsilon**1.25
    # Corrections are of relative order sqrt(epsilon), larger towards the axes.
    assert table.barrier == pytest.approx(barrier, rel=0.01)
    assert action_per_spin(table, np.zeros(1))[0] == pytest.approx(action, rel=0.03)
    assert table.top == pytest.approx(table.well, rel=0.05)
    # The cubic barrier: B = 36 U/(5 omega_0).
    assert action * table.well / table.barrier == pytest.approx(7.2, rel=0.05)


def test_exponent_of_the_barrier_is_two_on_the_axis_and_three_halves_beside_it():
    pair = np.array([1e-5, 2e-5])
    for angle, power in [(0.0, 2.0), (0.2, 1.5), (DEG45, 1.5), (1.2, 1.5)]:
        low, high = landscape(angle, 1.0, pair).barrier
        assert np.log2(high / low) == pytest.approx(power, abs=0.01)


@pytest.mark.parametrize(("angle", "hardness"), [(DEG45, 0.0), (DEG45, 3.0), (0.0, 0.5), (1.3, 1.0)])
@pytest.mark.parametrize("epsilon", [0.003, 0.2])
@pytest.mark.parametrize("x", [0.0, 0.3, 0.9])
def test_action_against_roots_and_adaptive_quadrature(angle, hardness, epsilon, x):
    """Energy conservation solved by a root finder at each azimuth, turning points too."""
    h = switching_ratio(angle) * (1 - epsilon)

    def energy(phi, q):
        w = np.sqrt(1 + q**2)
        hard = (1 + hardness) * (1 - w**2) / 2
        return w**2 * np.sin(phi) ** 2 / 2 + hard + h * w * np.cos(phi + angle)

    def slope(phi):
        return np.sin(2 * phi) / 2 - h * np.sin(phi + angle)

    azimuth = np.linspace(0.0, np.pi / 2, 20001)
    steepest = azimuth[np.argmax(slope(azimuth))]
    bottom = brentq(slope, 0.0, steepest, xtol=1e-15) if angle else 0.0
    saddle = brentq(slope, steepest, np.pi / 2, xtol=1e-15) if angle else np.arccos(h)
    stable = brentq(slope, np.pi / 2, np.pi, xtol=1e-15) if angle else np.pi
    level = energy(bottom, 0) + x * (energy(saddle, 0) - energy(bottom, 0))
    entry = brentq(lambda p: energy(p, 0) - level, bottom, saddle) if x else bottom
    leave = brentq(lambda p: energy(p, 0) - level, saddle, stable)

    def momentum(phi):
        if energy(phi, 0) <= level:
            return 0.0
        return brentq(lambda q: energy(phi, q) - level, 0.0, 8.0, xtol=1e-15)

    exact = 2 * sum(
        quad(momentum, *ends, limit=200, epsabs=1e-9)[0] for ends in [(entry, saddle), (saddle, leave)]
    )
    ours = action_per_spin(landscape(angle, hardness, np.array([epsilon])), np.array([x]))[0, 0]
    assert ours == pytest.approx(exact, rel=2e-5)


def spin_matrices(S):
    m = np.arange(S, -S - 1, -1)
    up = np.diag(np.sqrt((S - m[1:]) * (S + m[1:] + 1)), 1)
    return (up + up.T) / 2, (up - up.T) / 2, np.diag(m)  # Sx, i Sy, Sz


def resonances(S, D, E, g, angle, epsilon):
    """Yield fields at which the metastable level meets one of the other well, and the mean rate of escape.

    The exact Hamiltonian is real: z easy, x hard, so the field is turned towards y; a rotation by 90
    degrees about z exchanges x and y and the sign of E.
    """
    sx, isy, sz = spin_matrices(S)
    anisotropy = D * sz @ sz - E * (sx @ sx + isy @ isy)  # (i Sy)^2 = -Sy^2; hard axis y
    zeeman = g * MU_B * (np.cos(angle) * sz - np.sin(angle) * sx)
    particle = Particle.from_spin(S, D=D, E=E, g=g)
    switching = particle.switching_field(angle)
    start = np.linalg.eigh(sz)[1][:, -1]

    def metastable(B):
        vectors = np.linalg.eigh(anisotropy + B * zeeman)[1]
        # The lowest level of the well holds most of the coherent state turned to its bottom.
        bottom = minimize_scalar(
            lambda p: 0.5 * np.sin(p) ** 2 + B / particle.anisotropy_field * np.cos(p + angle),
            bounds=(0, 1.2), method="bounded",
        ).x  # fmt: skip
        turned = np.linalg.eigh(np.cos(bottom) * sz + np.sin(bottom) * sx)[1][:, -1]
        return int(np.argmax((turned @ vectors) ** 2))

    assert abs(start[0]) == 1.0
    fields = switching * (1 - epsilon) * (1 - np.linspace(0, 4 / S, 60))
    labels = np.array([metastable(B) for B in fields])
    for i in np.flatnonzero(np.abs(np.diff(labels)) == 1):
        k = labels[i : i + 2].min()

        def gap(B, k=k):
            levels = np.linalg.eigvalsh(anisotropy + B * zeeman)
            return levels[k + 1] - levels[k]

        B = closest(gap, fields[i + 1], fields[i])
        levels = np.linalg.eigvalsh(anisotropy + B * zeeman)
        spacing = (levels[k + 2] - levels[k - 1]) / 2
        yield particle, B, np.pi * gap(B) ** 2 / (2 * HBAR * spacing)


def closest(gap, lo, hi):
    """Return the field of the narrowest gap: the vertex of the hyperbola, on an ever finer scale."""
    B = minimize_scalar(gap, bounds=(lo, hi), method="bounded", options={"xatol": 1e-9}).x
    step = 0.02 * (hi - lo)
    while step > 1e-11 * B:
        left, middle, right = (gap(B + shift) ** 2 for shift in (-step, 0.0, step))
        bend = left + right - 2 * middle  # 2 (slope step)^2
        B += np.clip(0.5 * step * (left - right) / bend, -step, step)
        if 2 * middle > bend:
            break
        step /= 3
    return B


@pytest.mark.parametrize(
    ("S", "E", "angle", "epsilon"),
    [
        (20, 0.0, DEG45, 0.15),
        (40, 0.0, DEG45, 0.15),
        (20, 0.06, DEG45, 0.2),
        (40, 0.06, DEG45, 0.2),
        (60, 0.0, np.deg2rad(70), 0.11),
    ],
)
def test_tunnelling_against_the_exact_spin_hamiltonian(S, E, angle, epsilon):
    """pi Delta^2/(2 hbar delta E) of the exact levels is the WKB rate, prefactor included."""
    found = 0
    for particle, B, exact in resonances(S, -0.4, E, 1.9, angle, epsilon):
        ours = float(QuantumEscape().log_rate(particle, B, 0.0, angle))
        h = 1 - B / particle.switching_field(angle)
        table = landscape(angle, particle.hardness, np.array([h]))
        quanta = particle.spin * float(table.barrier[0] / table.well[0])
        # The first correction of WKB, of order 1/S: 0.35 to 0.6 of a level spacing over the barrier.
        assert 0.3 / quanta < ours - np.log(exact) < 0.62 / quanta
        found += 1
    assert found >= 1


def test_two_ways_interfere_in_the_spin_and_are_averaged_in_the_particle():
    """Along the axis every second resonance is closed; the open ones have twice the mean rate."""
    rates = {}
    for particle, B, exact in resonances(40, -0.4, 0.16, 2.0, 0.0, 0.3):
        rates[exact / np.exp(float(QuantumEscape().log_rate(particle, B, 0.0, 0.0)))] = B
    ratios = sorted(rates)
    assert ratios[0] < 1e-4
    assert ratios[-1] == pytest.approx(2.0, rel=0.2)


def test_rate_at_finite_temperature_against_quadrature():
    epsilon, T = 0.0045, 0.11
    law = float(QuantumEscape().log_rate(GRAIN, 1.0 - epsilon, T, DEG45))
    table = landscape(DEG45, 0.5, np.array([epsilon]))
    barrier = GRAIN.moment * MU_B * GRAIN.anisotropy_field * table.barrier[0]
    quantum, unstable = GRAIN.precession * table.well[0], GRAIN.precession * table.top[0]

    def transmission(energy):
        if energy > barrier:
            two_w = -2 * np.pi * (energy - barrier) / unstable
        else:
            two_w = GRAIN.spin * action_per_spin(table, np.array([energy / barrier]))[0, 0]
        return 1 / (1 + np.exp(two_w))

    above = quad(
        lambda k: transmission((k + 0.5) * quantum) * np.exp(-k * quantum / T),
        0.5, 60, points=[barrier / quantum - 0.5], limit=400,
    )[0]  # fmt: skip
    total = np.sqrt(np.pi / np.e) * transmission(quantum / 2) + above
    exact = np.log(quantum / (2 * np.pi * HBAR) * -np.expm1(-quantum / T) * total)
    # The trapezoids half a level wide cost up to 3 % of the ground level's part.
    assert law == pytest.approx(exact, abs=0.03)


def test_far_above_the_crossover_only_wigners_correction_is_left():
    epsilon, T = 0.02, 2.0
    B = 1.0 - epsilon
    table = landscape(DEG45, 0.5, np.array([epsilon]))
    ratio = float(QuantumEscape().log_rate(GRAIN, B, T, DEG45) - ThermalEscape().log_rate(GRAIN, B, T, DEG45))
    wigner = (table.well[0] ** 2 + table.top[0] ** 2) * (GRAIN.precession / T) ** 2 / 24
    assert ratio == pytest.approx(wigner, rel=0.15, abs=2e-4)
    assert wigner > 1e-3


def test_crossover_of_rates_is_where_the_thermal_one_meets_the_cold_one():
    """U/T = B at T = 5 pi/18 T_c for a cubic barrier."""
    B = 0.997
    table = landscape(DEG45, 0.5, np.array([1 - B]))
    barrier = GRAIN.moment * MU_B * GRAIN.anisotropy_field * table.barrier[0]
    exponent = GRAIN.spin * action_per_spin(table, np.zeros(1))[0, 0]
    assert barrier / exponent == pytest.approx(5 * np.pi / 18 * quantum_crossover(GRAIN, B, DEG45), rel=0.03)


# -- first passage ----------------------------------------


def test_constant_rate_waits_exponentially():
    fields = np.linspace(0.0, 50.0, 200)
    for gamma, rate in [(1.0, 1.0), (40.0, 17.0)]:
        moments = first_passage(fields, np.full(200, np.log(gamma)), rate)
        assert float(moments.mean) == pytest.approx(rate / gamma, rel=1e-5)
        assert float(moments.width) == pytest.approx(rate / gamma, rel=1e-5)
        assert float(moments.kurtosis) == pytest.approx(9.0, rel=1e-3)
        left = np.exp(-passed(fields, np.full((1, 200), np.log(gamma)), rate))[0]
        assert left[:50] == pytest.approx(np.exp(-gamma * fields[:50] / rate), rel=1e-9)


def metastable_law(exponent, depth, count=400):
    """Return fields and log rates of Gamma = exp(20 - depth (1 - B)^exponent)."""
    fields = 1.0 - np.geomspace(1e-6, 1.0, count)[::-1]
    return fields, 20.0 - depth * (1.0 - fields) ** exponent


@pytest.mark.parametrize(("exponent", "depth"), [(1.5, 1e3), (1.5, 1e5), (2.0, 1e4)])
def test_moments_against_quadrature(exponent, depth):
    fields, logs = metastable_law(exponent, depth)
    rate = 1e-3

    def mode(eps):
        return 20.0 - depth * eps**exponent - np.log(rate * exponent * depth * eps ** (exponent - 1))

    eps = brentq(mode, 1e-9, 1.0)
    scale = 1 / (depth * exponent * eps ** (exponent - 1))
    nodes = np.linspace(max(1 - eps - 30 * scale, 0), min(1 - eps + 5 * scale, 1), 200001)
    gamma = np.exp(20.0 - depth * (1 - nodes) ** exponent)
    left = np.exp(-cumulative_simpson(gamma, x=nodes, initial=0) / rate)
    mean = nodes[0] + simpson(left, x=nodes)
    second = (nodes[0] - mean) ** 2 + simpson(2 * (nodes - mean) * left, x=nodes)
    moments = first_passage(fields, logs, rate)
    assert float(moments.mean) - mean == pytest.approx(0.0, abs=1e-4 * scale)
    assert float(moments.width) == pytest.approx(np.sqrt(second), rel=1e-3)


def test_kurkijarvi_and_garg_are_the_limit_of_slow_sweeps():
    """Gumbel's law with corrections that fall as 1/ln X: mean, width and kurtosis."""
    errors = []
    for depth in (1e3, 1e6, 1e10):
        # The logarithm of the prefactor grows with the depth, so that ln X does.
        prefactor = 2.0 * np.log(depth)
        fields = 1.0 - np.geomspace(1e-11, 1.0, 2000)[::-1]
        logs = prefactor - depth * (1 - fields) ** 1.5
        rate = 1e-3

        def mode(eps, depth=depth, prefactor=prefactor, rate=rate):
            return prefactor - depth * eps**1.5 - np.log(rate * 1.5 * depth * np.sqrt(eps))

        eps = brentq(mode, 1e-12, 1.0)
        scale = 1 / (1.5 * depth * np.sqrt(eps))
        moments = first_passage(fields, logs, rate)
        errors.append(
            [
                abs(float(moments.mean) - (1 - eps - np.euler_gamma * scale)) / scale,
                abs(float(moments.width) / (np.pi / np.sqrt(6) * scale) - 1),
                abs(float(moments.kurtosis) - 5.4),
            ]
        )
    assert np.all(np.diff(np.array(errors), axis=0) < 0)
    assert np.all(np.array(errors[-1]) < [0.05, 0.03, 0.3])


@pytest.mark.parametrize(("angle", "power"), [(DEG45, 2 / 3), (0.0, 1 / 2)])
def test_thermal_shift_and_width_scale_with_temperature(angle, power):
    grain = Particle(2e5, "0.5 T", "0.5 T")
    case = Case("thermal", ThermalEscape(), ALONE)
    shifts, widths, logs = [], [], []
    for T in (0.5, 1.0):
        mean, width = rates_of(case, grain, angle, T).switching(1e-3)
        shifts.append(1 - mean / grain.switching_field(angle))
        widths.append(width)
        # ln X from the barrier at the mean: U/T there.
        table = landscape(angle, grain.hardness, np.array(shifts[-1:]))
        logs.append(2 * grain.barrier * table.barrier[0] / T)
    # (T ln X)^(1/alpha) for the shift, divided by ln X for the width; ln X itself varies slowly.
    assert np.log2(shifts[1] / shifts[0]) == pytest.approx(power * (1 + np.log2(logs[1] / logs[0])), abs=0.01)
    expected = power * (1 + np.log2(logs[1] / logs[0])) - np.log2(logs[1] / logs[0])
    assert np.log2(widths[1] / widths[0]) == pytest.approx(expected, abs=0.02)


def test_both_mean_and_width_of_a_tunnelling_particle_saturate():
    case = Case("tunnelling", QuantumEscape(), ALONE)
    cold = rates_of(case, GRAIN, DEG45, 0.0).switching(1e-3)
    for T in (0.005, 0.03):
        assert rates_of(case, GRAIN, DEG45, T).switching(1e-3) == pytest.approx(cold, rel=5e-4)
    hot = rates_of(case, GRAIN, DEG45, 0.4).switching(1e-3)
    assert hot[0] < cold[0] - 10 * cold[1]
    assert hot[1] > 2 * cold[1]


def test_simulated_switchings_have_the_computed_moments():
    """Tossing a coin in each small step of the field, seeded."""
    rng = np.random.default_rng(20)
    rate, T, count = 1e-3, 0.3, 4000
    law = QuantumEscape()
    mean, width = rates_of(Case("one", law, ALONE), GRAIN, DEG45, T).switching(rate)
    fields = np.linspace(mean - 12 * width, min(mean + 5 * width, 1 - 1e-6), 3001)
    chance = -np.expm1(-np.exp(law.log_rate(GRAIN, fields, T, DEG45)) * (fields[1] - fields[0]) / rate)
    switched = np.full(count, fields[-1])
    waits = np.ones(count, dtype=bool)
    for B, p in zip(fields, chance, strict=True):
        now = waits & (rng.random(count) < p)
        switched[now], waits = B, waits & ~now
    # Four standard errors; the kurtosis of the law is about 5.
    assert switched.mean() == pytest.approx(mean, abs=4 * width / np.sqrt(count))
    assert switched.std() == pytest.approx(width, rel=4 * np.sqrt(4 / (4 * count)))


# -- ensembles ----------------------------------------


def test_barriers_as_one_over_u_make_the_thermal_viscosity_independent_of_temperature():
    """S = 1/[ln(U_max/U_min) (ln(nu t) + gamma)] at every temperature, though nothing tunnels."""
    spread, field, time = InverseSpread(1e-3, 10.0), 0.9, 100.0
    case = Case("wide", ThermalEscape(), spread.members())
    epsilon = 1 - field / GRAIN.switching_field(DEG45)
    table = landscape(DEG45, GRAIN.hardness, np.array([epsilon]))
    attempt = GRAIN.precession * table.well[0] / (2 * np.pi * HBAR)
    expected = 1 / (np.log(1e4) * (np.log(attempt * time) + np.euler_gamma))
    values = []
    for T in np.geomspace(0.03, 3.0, 7):
        rates = rates_of(case, GRAIN, DEG45, float(T))
        # Quenched, not swept: the whole collection is there at time zero.
        untouched = np.full(rates.logs.shape, -600.0)
        values.append(viscosity(*rates.waiting(untouched, field), time))
    assert values == pytest.approx([expected] * 7, rel=3e-3)


def brute_force(law, spread, T, field, rate, nodes=4001):
    """Return shares left and rates of an ensemble, member by member on a dense grid."""
    log_stiffness = np.linspace(-5, 5, nodes) * spread.anisotropy
    density = np.exp(-0.5 * (log_stiffness / spread.anisotropy) ** 2)
    density /= density.sum()
    table = tabulated(DEG45, GRAIN.hardness)
    reduced = table.switching * (1 - table.epsilon[::-1])
    shares, rates = [], []
    for a, share in zip(np.exp(log_stiffness), density, strict=True):
        at = field / (GRAIN.anisotropy_field * a)
        if at >= reduced[-1]:
            continue
        member = law.on(table, np.array([GRAIN.spin]), np.array([GRAIN.precession * a]), T)[0, ::-1]
        log_rate = np.interp(at, reduced, member)
        grid = np.linspace(reduced[0], at, 3000)
        values = np.exp(np.interp(grid, reduced, member))
        left = np.exp(-np.trapezoid(values, grid) * GRAIN.anisotropy_field * a / rate)
        shares.append(share * left)
        rates.append(np.exp(log_rate))
    return np.array(shares), np.array(rates)


@pytest.mark.parametrize("law", [ThermalEscape(), QuantumEscape()])
def test_ensemble_in_a_field_against_a_dense_sum(law):
    spread, T, field, rate, time = LogNormalSpread(0.0, 0.02), 0.5, 0.97, 1e-3, 50.0
    rates = rates_of(Case("many", law, spread.members()), GRAIN, DEG45, T)
    share, escape = rates.waiting(rates.passed(rate), field)
    exact_share, exact_escape = brute_force(law, spread, T, field, rate)
    assert share.sum() == pytest.approx(exact_share.sum(), rel=2e-3)
    assert viscosity(share, escape, time) == pytest.approx(
        viscosity(exact_share, exact_escape, time), rel=0.02
    )
    ours, exact = (waiting_variation(*pair, time) for pair in ((share, escape), (exact_share, exact_escape)))
    assert ours == pytest.approx(exact, rel=0.02)


def test_width_of_an_ensemble_is_its_spread_at_every_temperature():
    case = Case("many", ThermalEscape(), LogNormalSpread(0.0, 0.05).members())
    widths = [rates_of(case, GRAIN, DEG45, T).switching(1e-3) for T in (0.02, 0.2, 2.0)]
    exact = np.sqrt(np.expm1(0.05**2)) * np.exp(0.05**2 / 2) * GRAIN.switching_field(DEG45)
    for _, width in widths:
        assert width == pytest.approx(exact, rel=0.03)
    alone = Case("one", ThermalEscape(), ALONE)
    assert (
        rates_of(alone, GRAIN, DEG45, 2.0).switching(1e-3)[1]
        > 15 * (rates_of(alone, GRAIN, DEG45, 0.02).switching(1e-3)[1])
    )


# -- how many switchings ----------------------------------------


def errors_of_a_threshold(low, high):
    """Return the shares on the wrong side of the middle between the two laws."""
    return float(np.mean(low > 0.0)), float(np.mean(high < 0.0))


def test_number_for_two_widths_gives_the_promised_errors():
    rng = np.random.default_rng(3)
    ratio = 1.25
    count = round(width_switchings(ratio, 5.4))
    logs = np.log(rng.gumbel(size=(4000, count)).std(axis=1) / (np.pi / np.sqrt(6)))
    wrong = errors_of_a_threshold(logs - 0.5 * np.log(ratio), logs + 0.5 * np.log(ratio))
    assert wrong == pytest.approx((0.05, 0.05), abs=0.02)


def test_number_for_two_means_gives_the_promised_errors():
    rng = np.random.default_rng(4)
    count = round(mean_switchings(0.2, 1.0, 1.5))
    low = rng.normal(0.0, 1.0, (6000, count)).mean(axis=1)
    high = rng.normal(0.2, 1.5, (6000, count)).mean(axis=1)
    threshold = 0.2 * 1.0 / 2.5
    assert errors_of_a_threshold(low - threshold, high - threshold) == pytest.approx((0.05, 0.05), abs=0.01)


def test_number_of_waiting_times_gives_the_promised_errors():
    """One exponential law against log-normal rates, by the logarithms of the times."""
    rng = np.random.default_rng(5)
    spread = 0.8
    ratio = np.sqrt(1 + spread**2 / (np.pi**2 / 6))
    count = round(width_switchings(ratio, 5.4))
    alone = np.log(rng.exponential(size=(6000, count)))
    many = np.log(rng.exponential(size=(6000, count))) + rng.normal(0.0, spread, (6000, count))
    low, high = (np.log(times.std(axis=1) * np.sqrt(6) / np.pi) for times in (alone, many))
    threshold = 0.5 * np.log(ratio)
    wrong = errors_of_a_threshold(low - threshold, high - threshold)
    assert max(wrong) < 0.06


def test_waiting_times_of_one_particle_and_of_two():
    spread, kurtosis = waiting_spread(np.ones(1), np.ones(1), 1e3)
    assert (spread, kurtosis) == pytest.approx((np.pi / np.sqrt(6), 5.4), rel=2e-4)
    assert waiting_variation(np.ones(1), np.ones(1), 1e3) == pytest.approx(1.0, abs=1e-12)
    # Two rates with equal shares: var(ln t) adds (ln ratio)^2/4; CV^2 = 2 <tau^2>/<tau>^2 - 1.
    share, rates = np.array([0.5, 0.5]), np.array([1.0, 0.01])
    spread, _ = waiting_spread(share, rates, 1e6)
    assert spread == pytest.approx(np.sqrt(np.pi**2 / 6 + np.log(100) ** 2 / 4), rel=2e-4)
    exact = np.sqrt(2 * 0.5 * (1 + 1e4) / (0.5 * 101) ** 2 - 1)
    assert waiting_variation(share, rates, 1e6) == pytest.approx(exact, rel=1e-9)


def test_switching_ratio_is_the_astroid():
    for angle in ANGLES:
        h = switching_ratio(angle)
        assert (h * np.cos(angle)) ** (2 / 3) + (h * np.sin(angle)) ** (2 / 3) == pytest.approx(
            1.0, rel=1e-12
        )
