"""Holmium in LiYF4: hyperfine levels that cross every 23 mT, one ion and two that tunnel together."""

from functools import lru_cache

import numpy as np
import pytest
from scipy.constants import mu_0, physical_constants
from scipy.optimize import minimize_scalar

import mesospin as ms
from mesospin.bath.disorder import Molecule
from mesospin.constants import HBAR, K_B, MU_B, MU_N
from mesospin.dynamics import frame as frame_module
from mesospin.dynamics.branch import molecule_frame, sweep_branch
from mesospin.dynamics.low_levels import LowLevels, Passage, low_levels
from mesospin.dynamics.rates import rates_at
from mesospin.errors import ConvergenceError
from mesospin.experiment.powder import powder_axes
from mesospin.spectrum.low_energy import low_energy_basis, restricted
from mesospin.spectrum.matrices import affine_hamiltonian, field_line
from mesospin.spectrum.search import diabatic_tracks, site_slope
from mesospin.spectrum.tracks import track

Z = (0.0, 0.0, 1.0)
HO = ms.load("ho-liyf4")
A_J, G_J = 38.6e-3, 1.25


# --- the 136 states, written out here


def angular_momentum(J):
    m = np.arange(J, -J - 1, -1)
    raising = np.diag(np.sqrt(J * (J + 1) - m[1:] * (m[1:] + 1)), 1)
    return raising, np.diag(m)


@lru_cache(maxsize=1)
def holmium():
    """H0 and dH/dB [K] of J = 8 with I = 7/2, from the crystal field as printed."""
    raising, Jz = angular_momentum(8.0)
    up, Iz = angular_momentum(3.5)
    one, X = np.eye(17), 72.0
    squared, fourth = Jz @ Jz, np.linalg.matrix_power(Jz, 4)
    sixth = np.linalg.matrix_power(Jz, 6)
    four = np.linalg.matrix_power(raising, 4)
    O44 = (four + four.T) / 2
    inner = 11 * squared - (X + 38) * one
    O64 = (inner @ (four + four.T) + (four + four.T) @ inner) / 4
    O60 = 231 * sixth - (315 * X - 735) * fourth + (105 * X**2 - 525 * X + 294) * squared
    O60 = O60 + (-5 * X**3 + 40 * X**2 - 60 * X) * one
    O40 = 35 * fourth - (30 * X - 25) * squared + (3 * X**2 - 6 * X) * one
    field = -0.606 * (3 * squared - X * one) + 3.25e-3 * O40 + 4.28e-2 * O44
    field = field + 8.41e-6 * O60 + 8.17e-4 * O64
    hyperfine = np.kron(Jz, Iz) + (np.kron(raising, up.T) + np.kron(raising.T, up)) / 2
    H0 = np.kron(field, np.eye(8)) + A_J * hyperfine
    G = MU_B * G_J * np.kron(Jz, np.eye(8)) - MU_N * 1.19 * np.kron(one, Iz)
    return H0, G


def nearest_approach(class_, lower, guess):
    """Minimum distance of two neighbouring levels of one class m + mI modulo 4: field and gap."""
    H0, G = holmium()
    m = np.add.outer(np.arange(8, -9, -1), np.arange(3.5, -4, -1)).ravel()
    inside = np.flatnonzero((m - class_) % 4 == 0)
    block = np.ix_(inside, inside)

    def distance(B):
        return float(np.diff(np.linalg.eigvalsh(H0[block] + B * G[block])[lower : lower + 2])[0])

    found = minimize_scalar(distance, bracket=(guess - 5e-4, guess, guess + 5e-4), tol=1e-12)
    return found.x, found.fun


def test_the_matrix_is_the_one_written_here():
    H0, G = holmium()
    line = field_line(HO)
    assert np.abs(line.H0 - H0).max() < 1e-9 * np.abs(H0).max()
    assert np.abs(line.G - G).max() < 1e-12


# --- one ion


@pytest.fixture(scope="module")
def loop():
    return ms.hysteresis(HO, [0.05, 0.2], "1 mT/s", (-0.2, 0.2), field_step=5e-4)


@pytest.mark.parametrize(("n", "guess", "lower", "pair"), [(5, 0.1143, 1, 5.99e-3), (3, 0.0686, 1, 8.77e-3)])
def test_open_steps_are_avoided_crossings_of_the_full_matrix(loop, n, guess, lower, pair):
    """m + mI keeps its remainder modulo 4: (7, -7/2) goes to (-7, -3/2), (7, -5/2) to (-7, -1/2)."""
    start = {5: 7 - 3.5, 3: 7 - 2.5}[n]
    field, gap = nearest_approach(start % 4, lower, guess)
    mine = np.flatnonzero((loop.step_n.values == n) & ~loop.step_zero.values)
    assert len(mine) == 1
    assert float(loop.step_field[mine[0]]) == pytest.approx(field, abs=2e-8)
    assert float(loop.step_splitting[mine[0]]) == pytest.approx(gap, rel=1e-9)
    assert gap == pytest.approx(pair, rel=2e-3)


def test_steps_stand_every_23_millitesla(loop):
    """n A_J/(2 g_J mu_B) to first order in the hyperfine coupling; the second order is 3 % at most."""
    spacing = A_J / (2 * G_J * MU_B)
    assert spacing == pytest.approx(0.02299, abs=1e-5)
    n, field = loop.step_n.values, loop.step_field.values
    away = n != 0
    assert np.abs(field[away] / (n[away] * spacing) - 1).max() < 0.03
    assert set(range(-1, 6)) <= set(n.tolist())


def test_even_steps_are_closed_by_symmetry_and_odd_ones_open(loop):
    n, zero = loop.step_n.values, loop.step_zero.values
    for number in (0, 2, 4):
        assert np.all(zero[n == number])
    for number in (-1, 1, 3, 5):
        assert not np.all(zero[n == number])
    # the projections of an open pair differ by 2 modulo 4 in the nucleus: psi of +7 holds 3, -1, -5
    for label in loop.step_label.values[~zero]:
        before, after = (part.split("mI=")[1] for part in label.split(" -> "))
        change = round(2 * (eval_fraction(after) - eval_fraction(before)))
        assert change % 8 == 4


def eval_fraction(text):
    numerator, denominator = text.split("/")
    return int(numerator) / int(denominator)


def test_each_nuclear_level_reverses_at_its_own_step(loop):
    """An adiabatic passage reverses what is in the level: at 0.05 K the Boltzmann weights at the start."""
    H0, G = holmium()
    energy = np.linalg.eigvalsh(H0 - 0.2 * G)[:4]
    weight = np.exp(-(energy - energy[0]) / 0.05)
    weight /= weight.sum()
    saturation = -float(loop.reduced.values[0, 0, 0])
    for n, level in ((5, 0), (3, 1)):
        row = int(np.flatnonzero((loop.step_n.values == n) & ~loop.step_zero.values)[0])
        fraction = float(loop.step_fraction.values[0, row]) / saturation
        # phonons move some 2 % on the way
        assert fraction == pytest.approx(weight[level], abs=0.02)


def test_branches_and_saturation(loop):
    up, down = loop.reduced.values[0]
    assert np.abs(up + down[::-1]).max() < 1e-12
    H0, G = holmium()
    energy, U = np.linalg.eigh(H0 + 0.2 * G)
    weight = np.exp(-(energy - energy[0]) / 0.05)
    moment = -np.einsum("ia,ij,ja->a", U, G, U) / MU_B
    expected = weight @ moment / weight.sum()
    assert loop.magnetisation.values[0, 0, 0] == pytest.approx(-expected, rel=1e-6)


def test_transverse_field_opens_the_even_steps():
    """A field across the axis links classes that differ by one: the step at n = 4 opens in first order."""
    across = ms.hysteresis(HO, 0.05, "1 mT/s", (-0.02, 0.12), transverse=(5e-3, 0), field_step=1e-3)
    row = int(np.flatnonzero(across.step_n.values == 4)[0])
    assert not across.step_zero.values[row]
    H0, G = holmium()
    raising, _ = angular_momentum(8.0)
    up, _ = angular_momentum(3.5)
    Jx, Ix = ((ladder + ladder.T) / 2 for ladder in (raising, up))
    Gx = MU_B * G_J * np.kron(Jx, np.eye(8)) - MU_N * 1.19 * np.kron(np.eye(17), Ix)

    def gap(Bx):
        def distance(B):
            # the level that starts lowest meets the fifth one of the other well: levels 4 and 5
            return float(np.diff(np.linalg.eigvalsh(H0 + B * G + Bx * Gx)[4:6])[0])

        centre = float(across.step_field[row])
        return minimize_scalar(distance, bracket=(centre - 1e-5, centre, centre + 1e-5), tol=1e-10).fun

    assert float(across.step_splitting[row]) == pytest.approx(gap(5e-3), rel=1e-6)
    assert gap(5e-3) / gap(2.5e-3) == pytest.approx(2.0, rel=1e-2)
    assert float(across.step_fraction[0, row]) > 0.6


# --- only levels that are reached


def test_how_many_levels_matter():
    """16 of 136 at 0.2 K; all where phonons reach the first singlet, 15 K up, within the sweep."""
    line, bath = field_line(HO), HO.defaults.phonons
    cold, warm = (low_levels(HO, line, -0.2, 0.2, bath, Passage(T, 1e-3)) for T in (0.2, 5.0))
    assert (cold.levels, warm.levels) == (16, 136)
    assert low_levels(HO, line, -0.2, 0.2, bath, None) == LowLevels(136, 1e-3, np.inf)


def test_the_bound_is_the_golden_rule_out_of_the_levels_kept():
    """At 0.35 K a fast sweep keeps 16 levels, a slow one more: rate times duration stays below 1e-8."""
    line, bath = field_line(HO), HO.defaults.phonons
    energy = np.linalg.eigvalsh(holmium()[0])
    gap = energy[16] - energy[15]
    # the fastest emission out of the next levels bounds what comes up by detailed balance
    rate = 1e6 * np.exp(-gap / 0.35)
    fast, slow = 0.4 * rate / 1e-9, 0.4 * rate / 1e-6
    assert low_levels(HO, line, -0.2, 0.2, bath, Passage(0.35, fast)).levels == 16
    assert low_levels(HO, line, -0.2, 0.2, bath, Passage(0.35, slow)).levels > 16


#: A smaller ion of the same kind: J = 2 with I = 3/2 in a tetragonal site; 8 of its 20 levels are low.
SMALL = ms.SpinSystem(
    "small ion",
    [ms.Spin(2, 1.25), ms.Spin(1.5, 1.0, nuclear=True, label="I")],
    [ms.ZeroFieldSplitting(-6.0), ms.Stevens(4, 4, 0.05), ms.Hyperfine(0, 1, 0.04)],
)
BATH = ms.PhononBath(density=3990, sound_speed=3000, coupling=6.0)


@pytest.mark.filterwarnings("ignore:the steps m=2")
@pytest.mark.parametrize("T", [0.1, 0.3])
def test_low_levels_give_the_loop_of_all_levels(monkeypatch, T):
    """Levels 17 K higher are left out at 0.3 K; the loops agree to a tenth of the tolerance of 1e-3."""
    arguments = {"bath": BATH, "dipolar": None, "field_step": 1e-3, "transverse": (0.02, 0.0)}
    few = ms.hysteresis(SMALL, T, 0.1, (-0.1, 0.12), **arguments)
    chosen = []

    def every(*given):
        low = low_levels(*given)
        chosen.append(low.levels)
        return low._replace(levels=20)

    monkeypatch.setattr(frame_module, "low_levels", every)
    all_levels = ms.hysteresis(SMALL, T, 0.1, (-0.1, 0.12), **arguments)
    assert chosen == [8]
    assert np.ptp(few.reduced.values[0, 0]) > 0.2
    assert np.abs(few.reduced.values - all_levels.reduced.values).max() < 1e-4


# --- rates of the 16 levels


def test_rates_of_the_low_levels():
    """Detailed balance at fields on and between crossings, conserved and positive populations."""
    molecule = Molecule(1.0, HO, Z, (0.0, 0.0))
    frame = molecule_frame(molecule, HO.defaults.phonons, (-0.2, 0.2), Passage(0.2, 1e-3))
    H0, G = holmium()
    for B in (-0.11, 0.03, 0.0686):
        R = rates_at(frame, B, 0.2)
        energy = np.linalg.eigvalsh(H0 + B * G)[:16]
        weight = np.exp(-(energy - energy[0]) / 0.2)
        mine = np.array([np.interp(B, frame.field, level) for level in frame.energy.T])
        order = np.argsort(mine)
        assert np.abs(np.sort(mine) - energy).max() < 1e-5
        flow = weight[:, None] * R[np.ix_(order, order)]
        assert np.abs(flow - flow.T).max() < 1e-4 * flow.max()
    branch = sweep_branch(frame, 0.2, -0.2, 0.2, 1e-3)
    assert np.all(np.diff(branch.field) > 0)


def test_direct_process_of_the_doublet():
    """Between the two moments of one nuclear level: e^3 (1 + n) and quadrupoles written here."""
    raising, Jz = angular_momentum(8.0)
    bath, T, B = HO.defaults.phonons, 0.2, 0.15
    H0, G = holmium()
    energy, U = np.linalg.eigh(H0 + B * G)
    frame = molecule_frame(Molecule(1.0, HO, Z, (0.0, 0.0)), bath, (-0.2, 0.2), Passage(T, 1e-3))
    R = rates_at(frame, B, T)
    mine = np.array([np.interp(B, frame.field, level) for level in frame.energy.T])
    Jx, Jy = (raising + raising.T) / 2, (raising - raising.T) / 2j
    quadrupoles = (
        (2 * bath.one_quantum, Jx @ Jz + Jz @ Jx), (2 * bath.one_quantum, Jy @ Jz + Jz @ Jy),
        (2 * bath.two_quanta, Jx @ Jx - Jy @ Jy), (2 * bath.two_quanta, Jx @ Jy + Jy @ Jx),
    )  # fmt: skip
    hbar = HBAR * K_B
    scale = bath.coupling**2 * K_B**5 / (np.pi * bath.density * bath.sound_speed**5 * hbar**4)
    a, b = (int(np.argmin(np.abs(energy[:16] - level))) for level in (mine[0], mine[int(np.argmax(R[0]))]))
    gap = energy[a] - energy[b]
    element = sum(w * abs(U[:, b] @ np.kron(Q, np.eye(8)) @ U[:, a]) ** 2 for w, Q in quadrupoles)
    expected = scale * element * gap**3 / -np.expm1(-gap / T)
    assert R[0].max() == pytest.approx(expected, rel=1e-3)


# --- two ions


PAIR = ms.load("ho-liyf4-pair")


def test_the_pair_is_the_low_part_of_the_ion():
    """Every number of the entry again: levels of the 17 states, dipoles, crossings of the 136 states."""
    raising, Jz = angular_momentum(8.0)
    electron = ms.SpinSystem("electron", HO.spins[:1], [t for t in HO.terms if isinstance(t, ms.Stevens)])
    energy, U = np.linalg.eigh(affine_hamiltonian(electron).H0)
    moment = np.linalg.eigvalsh(U[:, :2].conj().T @ Jz @ U[:, :2])[1]
    across = np.abs(U[:, :2].conj().T @ (raising.T @ U[:, 2])).max() / np.sqrt(2)
    D, along = -PAIR.terms[0].D, PAIR.spins[0].g[2][2]
    assert energy[2] - energy[0] == pytest.approx(D, abs=1e-3)
    assert G_J * moment == pytest.approx(along, abs=1e-3)
    A = next(term for term in PAIR.terms if isinstance(term, ms.Hyperfine)).A
    # the singlet at 33 K interferes with the one at 14 K and weakens the coupling across the axis
    assert A[2][2] == pytest.approx(A_J * moment, rel=5e-3)
    assert A[0][0] < 0.8 * A_J * across
    assert PAIR.spins[0].g[0][0] / A[0][0] == pytest.approx(G_J / A_J, rel=1e-3)
    r = np.array([5.175 / 2, 0.0, 10.75 / 4]) * 1e-10
    length, cosine = np.linalg.norm(r), r[2] / np.linalg.norm(r)
    mu_b = physical_constants["Bohr magneton"][0]
    dipole = mu_0 / (4 * np.pi) * (along * mu_b) ** 2 * (1 - 3 * cosine**2) / length**3 / K_B
    exchange = 1.16e-3 * moment**2
    assert PAIR.terms[-1].J[2][2] == pytest.approx(dipole + exchange, abs=1e-4)


def ion_of_the_pair():
    terms = [PAIR.terms[0], next(term for term in PAIR.terms if isinstance(term, ms.Hyperfine))]
    return ms.SpinSystem("one", [PAIR.spins[0], PAIR.spins[2]], [terms[0], ms.Hyperfine(0, 1, terms[1].A)])


def test_the_ion_of_the_pair_has_the_crossings_of_the_whole_one():
    found = ms.crossings(ion_of_the_pair(), (0.0, 0.15))
    opened = found.splitting.values > 1e-3
    mine = list(zip(found.field.values[opened], found.splitting.values[opened], strict=True))
    for n, (field, gap) in zip((1, 3, 5), mine, strict=True):
        guess = {1: 0.02286, 3: 0.0686, 5: 0.1143}[n]
        class_, lower = {1: (7 - 1.5, 0), 3: (7 - 2.5, 1), 5: (7 - 3.5, 1)}[n]
        exact_field, exact_gap = nearest_approach(class_ % 4, lower, guess)
        assert field == pytest.approx(exact_field, rel=2e-3)
        assert gap == pytest.approx(exact_gap, rel=1e-2)


def coupling_of_two(gaps, n, J, spacing):
    """Second order: both ions turn, through states in which one has and costs 2J plus its bias."""
    detuning = (n[0] - n[1]) / 2 * spacing
    return 0.5 * gaps[0] * gaps[1] * (1 / (2 * J + detuning) + 1 / (2 * J - detuning))


def pair_block(starts, B):
    """The nine states of two ions with m + mI of each as in m = 1, mI = start; terms written out here."""
    g, J = PAIR.spins[0].g[2][2], PAIR.terms[-1].J[2][2]
    across, along = 0.0978, 0.2128
    ladder = np.sqrt(2.0) * np.diag([1.0, 1.0], 1)
    m = np.diag([1.0, 0.0, -1.0])
    ions = []
    for start in starts:
        mI = np.array([start, start + 1, start + 2])
        inside = np.abs(mI) <= 3.5
        raise_nucleus = np.sqrt(np.maximum(15.75 - mI[:-1] * mI[1:], 0.0))
        flip = across / 2 * ladder * np.diag(raise_nucleus, 1)
        H = (
            -14.418 * m @ m
            + along * m * mI
            + flip
            + flip.T
            + MU_B * g * B * m
            - MU_N * 1.19 * B * np.diag(mI)
        )
        ions.append((H[np.ix_(inside, inside)], m[np.ix_(inside, inside)]))
    (first, m1), (second, m2) = ions
    one, two = np.eye(len(first)), np.eye(len(second))
    return np.kron(first, two) + np.kron(one, second) + J * np.kron(m1, m2)


@pytest.fixture(scope="module")
def loop_of_two():
    return ms.hysteresis(PAIR, 0.1, "1 mT/s", (-0.02, 0.12), field_step=1e-3)


@pytest.mark.parametrize("starts", [(-3.5, -3.5), (-2.5, -3.5), (-2.5, -2.5)])
def test_two_ions_turn_together_at_the_mean_of_their_steps(loop_of_two, starts):
    """Fields at (n1 + n2)/2 whatever the coupling, which moves single turns by J/(g mu_B) = 61 mT."""
    n = [-(2 * start + 2) for start in starts]
    g, A, J = PAIR.spins[0].g[2][2], 0.2128, -PAIR.terms[-1].J[2][2]
    spacing = A / (2 * g * MU_B)
    row = int(np.flatnonzero(loop_of_two.step_n.values == np.mean(n))[0])
    field, gap = (float(loop_of_two[name][row]) for name in ("step_field", "step_splitting"))
    assert field == pytest.approx(np.mean(n) * spacing, rel=3e-3)

    def distance(B):
        # of the four states with both moments turned or not the two lowest meet
        return float(np.diff(np.linalg.eigvalsh(pair_block(starts, B))[:2])[0])

    exact = minimize_scalar(distance, bracket=(field - 1e-5, field, field + 1e-5), tol=1e-12)
    assert (field, gap) == (pytest.approx(exact.x, abs=1e-9), pytest.approx(exact.fun, rel=1e-6))
    # the closed form in the gaps of one ion
    one = ms.crossings(ion_of_the_pair(), (0.0, 0.15))
    near = np.abs(one.field.values[:, None] - np.array(n) * spacing) < 1e-3
    gaps = [float(one.splitting.values[column].max()) for column in near.T]
    assert gap == pytest.approx(coupling_of_two(gaps, n, J, A), rel=0.06)


def test_the_step_between_two_steps_of_one_ion(loop, loop_of_two):
    """At n = 4 one ion has no step; of the pairs those with mI = -7/2 and -5/2 reverse there, at 0.1 K."""
    energy = np.array([np.linalg.eigvalsh(pair_block((a, b), -0.2))[0] for a, b in PAIRS])
    weight = np.exp(-(energy - energy.min()) / 0.1)
    weight /= weight.sum()
    fraction = float(loop_of_two.step_fraction[0, int(np.flatnonzero(loop_of_two.step_n.values == 4)[0])])
    expected = weight[[set(pair) == {-3.5, -2.5} for pair in PAIRS]].sum()
    assert fraction == pytest.approx(expected, abs=0.02)
    alone = loop.step_fraction.values[0, loop.step_n.values == 4]
    assert np.all(alone < 2e-3)


#: Lowest nuclear levels of the two ions.
PAIRS = [(a, b) for a in (-3.5, -2.5, -1.5, -0.5) for b in (-3.5, -2.5, -1.5, -0.5)]


# --- half-integer steps


def small_ions(count):
    """Ions of three states with I = 1/2: rhombicity opens n = 1 and -1, a transverse field n = 0."""
    electrons = [ms.Spin(1, [3.0, 3.0, 6.9])] * count
    nuclei = [ms.Spin(0.5, 0.0, nuclear=True, label="I")] * count
    terms = [ms.ZeroFieldSplitting(-10.0, 1e-4, site=i) for i in range(count)]
    terms += [ms.Hyperfine(i, count + i, [0.1, 0.1, 0.2]) for i in range(count)]
    if count == 2:
        terms.append(ms.Exchange(0, 1, [0.0, 0.0, -0.28], "+J"))
    return ms.SpinSystem("ions", electrons + nuclei, terms)


def test_half_integer_steps_of_a_pair():
    """n = 1/2: one ion turns with its nucleus and the other without; Landau-Zener where little is moved."""
    given = {"transverse": (2e-3, 0.0), "dipolar": None, "field_step": 5e-4}
    given["bath"] = ms.PhononBath(density=3990, sound_speed=3000, coupling=1.0)
    one, two = (ms.hysteresis(small_ions(count), 0.02, 0.01, (-0.03, 0.02), **given) for count in (1, 2))
    spacing = 0.2 / (2 * 6.9 * MU_B)
    half = np.flatnonzero(two.step_n.values == 0.5)
    assert np.abs(two.step_field.values[half] - spacing / 2).max() < 5e-5
    assert not np.any(one.step_n.values == 0.5)
    probability = two.step_probability.values[half]
    assert two.step_fraction.values[0, half[0]] == pytest.approx(probability.sum(), rel=0.05)
    assert probability.sum() > 5e-4

    def change(loop):
        up = loop.reduced.values[0, 0]
        return float(np.diff(np.interp([spacing / 2 - 2e-3, spacing / 2 + 2e-3], loop.field.values, up))[0])

    # an ion has turned at n = 0; between the steps only phonons move it
    assert abs(change(one)) < 1e-4 < change(two)


# --- following levels


def test_states_may_rotate_where_no_limit_serves_all():
    """Two spins 2 with weak exchange: gaps lie at every limit tried; the levels are still followed."""
    terms = [ms.ZeroFieldSplitting(-0.72, site=0), ms.ZeroFieldSplitting(-0.72, site=1)]
    pair = ms.SpinSystem("pair", [ms.Spin(2), ms.Spin(2)], [*terms, ms.Exchange(0, 1, 0.1, "+J")])
    line = field_line(pair, transverse=(0.02, 0.0))
    sites = site_slope(pair)
    for factor in (1.0, 1.4, 0.7):
        with pytest.raises(ConvergenceError, match="could not be followed"):
            track(line, -1.2, 1.2, step=0.01, adiabatic_gap=factor * 1e-3, site_slope=sites)
    tracks = diabatic_tracks(pair, line, -1.2, 1.2)
    exact = np.linalg.eigvalsh(line.H0 + tracks.field[:, None, None] * line.G)
    assert np.abs(np.sort(tracks.energy, axis=1) - exact).max() < tracks.window
    states = tracks.states[0]
    assert np.abs(states.conj().swapaxes(1, 2) @ states - np.eye(25)).max() < 1e-12
    overlap = np.abs(np.einsum("fia,fia->fa", states[1:].conj(), states[:-1])) ** 2
    assert (overlap < 0.5).mean() < 1e-3


def test_the_space_of_the_low_levels_holds_them_at_every_field():
    line = field_line(HO, axis=(0.1, 0.05, 1.0))
    basis = low_energy_basis(line, -0.2, 0.2, 16)
    assert basis.shape[1] < 68
    assert np.abs(basis.conj().T @ basis - np.eye(basis.shape[1])).max() < 1e-12
    for B in (-0.2, -0.137, 0.011, 0.19):
        low = np.linalg.eigvalsh(restricted(line, basis).at(B))[:16]
        assert np.abs(low - np.linalg.eigvalsh(line.at(B))[:16]).max() < 2e-12


# --- symmetries of loops


def test_powders_use_only_symmetries_of_the_matrices():
    even = ms.SpinSystem("even", [ms.Spin(2)], [ms.ZeroFieldSplitting(-2.0, 0.2)])
    odd = even.with_terms(ms.Stevens(3, 2, 0.05), ms.Stevens(3, 1, 0.02), ms.Stevens(2, -1, 0.1))
    assert len(powder_axes(even, 11)[0]) < len(powder_axes(odd, 11)[0]) == 50
    assert len(powder_axes(even, 11, (0.1, 0.0))[0]) > len(powder_axes(even, 11)[0])
    for system in (even, odd):
        axes, weights = powder_axes(system, 11)
        second = np.einsum("d,di,dj->ij", weights, axes, axes)
        assert weights.sum() == pytest.approx(1.0)
        if system is odd:
            assert np.abs(second - np.eye(3) / 3).max() < 1e-12


@pytest.mark.filterwarnings("ignore:the steps 2 -> -2")
def test_odd_terms_break_the_mirror_of_the_branches():
    """Sz^3 is a field that does not turn with time: the loop moves along the field axis."""
    spin = ms.SpinSystem("odd", [ms.Spin(2)], [ms.ZeroFieldSplitting(-2.0, 2e-3), ms.SpinPower(0.05, 3)])
    loop = ms.hysteresis(spin, 0.1, 1e-3, (-1.0, 1.0), bath=BATH, dipolar=None, field_step=2e-3)
    up, down = loop.reduced.values[0]
    fields = loop.field.values
    shift = -0.05 * 8 / (2 * 2 * MU_B)
    for branch in (up, down):
        assert fields[np.argmax(branch > 0)] == pytest.approx(shift, abs=5e-3)
