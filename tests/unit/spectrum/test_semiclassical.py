"""Classical energies, their complex continuation, and what the semiclassical method refuses."""

from itertools import pairwise
from math import factorial

import numpy as np
import pytest

from mesospin.constants import MU_B
from mesospin.errors import ConvergenceError, InputError
from mesospin.model.library import load
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import SpinPower, Stevens, ZeroFieldSplitting
from mesospin.operators.spin import spin_operators
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.spectrum.tunnelling.calibration import calibrate, log_gap
from mesospin.spectrum.tunnelling.classical_spin import classical_spin, frame_of
from mesospin.spectrum.tunnelling.instanton import instantons
from mesospin.spectrum.tunnelling.problem import Levels, read_problem
from mesospin.spectrum.tunnelling.semiclassical import Semiclassical
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting
from mesospin.spectrum.tunnelling.trajectories import sectors
from mesospin.spectrum.tunnelling.wells import project, straight, turned, well

GENERAL = [ZeroFieldSplitting(-1.0, 0.2, frame=(0.2, 0.1, 0.3)), Stevens(4, 3, 2e-5), Stevens(4, -2, 3e-5)]


def general(S):
    return SpinSystem("general", [Spin(S, (1.9, 2.0, 2.1))], GENERAL)


def coherent(S, n):
    """The state of largest projection along n."""
    components = spin_operators(S)
    return np.linalg.eigh(sum(x * A for x, A in zip(n, components, strict=True)))[1][:, -1]


@pytest.mark.parametrize(("k", "q"), [(2, 1), (4, 0), (4, -3), (6, 2)])
def test_symbol_of_a_pure_tensor(k, q):
    """Its mean in coherent states over (2S)!/(2^k (2S-k)!) is the symbol over j^k, up to 1/j^2."""
    directions = np.array([[0.6, 0.0, 0.8], [0.3, 0.5, np.sqrt(0.66)], [0.1, -0.7, -np.sqrt(0.5)]])
    errors = []
    for S in (15, 30):
        system = SpinSystem("tensor", [Spin(S)], [Stevens(k, q, 1.0)])
        H0, spin = affine_hamiltonian(system).H0, classical_spin(system, np.zeros(3))
        states = [coherent(S, n) for n in directions]
        mean = np.array([np.vdot(state, H0 @ state).real for state in states])
        mean /= factorial(2 * S) / (2**k * factorial(2 * S - k))
        symbol = spin.energy(directions.astype(complex)).real * spin.j ** (1 - k)
        errors.append(np.max(np.abs(symbol - mean)) / np.max(np.abs(mean)))
    assert errors[0] < 0.2
    assert errors[1] < 1e-12 or errors[0] / errors[1] == pytest.approx(4.0, rel=0.25)


def test_symbol_of_the_field_points_along_g():
    field = np.array([0.3, -0.2, 0.5])
    bare = SpinSystem("bare", [Spin(5, (1.9, 2.0, 2.1))])
    n = np.array([0.48, 0.6, 0.64])
    expected = MU_B * field @ np.diag([1.9, 2.0, 2.1]) @ n
    assert classical_spin(bare, field).energy(n.astype(complex)).real == pytest.approx(expected, rel=1e-14)


def test_gradient_and_flow_keep_energy_and_length():
    rng = np.random.default_rng(1)
    spin = classical_spin(general(8), np.array([0.1, 0.2, 0.3]))
    n, step = rng.normal(size=3) + 1j * rng.normal(size=3), 1e-6 * (rng.normal(size=3) + 1j)
    energy, gradient = spin.derivatives(n)
    assert spin.energy(n + step) - spin.energy(n - step) == pytest.approx(2 * gradient @ step, rel=1e-8)
    assert abs(gradient @ spin.flow(n)) + abs(n @ spin.flow(n)) < 1e-12 * abs(energy)


def test_minima_of_a_biaxial_spin_in_a_field():
    """Energy -D j n_z^2 - h n_x: minima at n_x = h/(2 D j), frequency 2 D j sqrt(1 - n_x^2)."""
    S, D, h = 9.5, 1.0, 4.0
    spin = classical_spin(giant_spin(S, D=-D, g=1.0), np.array([-h / MU_B, 0.0, 0.0]))
    up, down = sorted(spin.minima(), key=lambda minimum: -minimum.direction[2])
    x = h / (2 * D * spin.j)
    for minimum, sign in ((up, 1), (down, -1)):
        assert minimum.direction == pytest.approx([x, 0.0, sign * np.sqrt(1 - x * x)], abs=1e-9)
        assert minimum.frequency == pytest.approx(2 * D * spin.j * np.sqrt(1 - x * x), rel=1e-8)


def test_flat_minima_are_no_wells():
    assert classical_spin(giant_spin(10, D=1.0), np.zeros(3)).minima() == []


@pytest.mark.parametrize("n", [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.6, 0.0, -0.8), (0.48, 0.6, 0.64)])
def test_axes_of_a_well(n):
    rotation = frame_of(np.array(n))
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-15)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert rotation[:, 2] == pytest.approx(n)


@pytest.mark.parametrize("field", [(0.0, 0.0, 0.0), (0.5, 0.7, 0.0)])
def test_branches_leave_and_arrive(field):
    """The flow stretches the tangent of one branch by omega and shrinks that of the other."""
    spin = classical_spin(giant_spin(10, D=-1.0, E=0.3), np.array(field))
    for minimum in spin.minima()[:2]:
        here = well(spin, minimum)
        assert turned(minimum.direction.astype(complex), here.spinor) == pytest.approx(here.spinor)
        for departing, sign in ((True, 1), (False, -1)):
            tangent = 1e-6 * here.direction(departing=departing)
            flow = spin.flow(minimum.direction + tangent)
            assert flow == pytest.approx(sign * minimum.frequency * tangent, abs=1e-9)


def test_sectors_lie_on_the_curve_and_join_the_wells():
    spin = classical_spin(giant_spin(10, D=-1.0, E=0.2, C4=1e-4), np.array([0.2, 0.0, 0.0]))
    first, second = (well(spin, minimum) for minimum in spin.minima()[:2])
    found = sectors(spin, first, second)
    assert sum(sector.width for sector in found) < 2 * np.pi
    for sector in found:
        assert spin.energy(sector.vertices) == pytest.approx(first.minimum.energy, rel=1e-10)
        assert np.sum(sector.vertices**2, axis=1) == pytest.approx(1.0, abs=1e-10)
        assert np.linalg.norm(sector.vertices[0] - first.minimum.direction) < 0.1
        assert np.linalg.norm(sector.vertices[-1] - second.minimum.direction) < 0.15


def test_projection_finds_the_curve():
    """Near a well h - h_min is quadratic: a point on the tangent of a branch is off by the third order."""
    spin = classical_spin(general(8), np.zeros(3))
    here = well(spin, spin.minima()[0])
    tangent = here.direction(departing=True)[None]
    start = here.minimum.direction + 0.1 * tangent
    found = project(spin, here.minimum.energy, start, tangent.conj())
    assert spin.energy(found)[0] == pytest.approx(here.minimum.energy, rel=1e-13)
    assert np.sum(found**2) == pytest.approx(1.0, abs=1e-13)
    assert np.abs(found - start).max() < 0.1
    assert abs(np.vdot(tangent, found - start)) < 1e-12


def test_carrying_along_a_great_circle_is_half_the_rotation():
    angles = np.linspace(0.0, 1.2, 7)
    circle = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1).astype(complex)
    u = np.array([1.0 + 0j, 0.0])
    for before, after in pairwise(circle):
        u = straight(after, before, u)
    assert u == pytest.approx([np.cos(0.6), np.sin(0.6)])


def test_small_copies_have_the_splitting_of_their_own_hamiltonian():
    """Bands up to second order are exact in S + 1/2, so the copy of the same size is the spin itself."""
    spin = giant_spin(6, D=-1.0, E=0.3, g=1.0)
    exact = np.log(tunnel_splitting(spin, (6, -6)).kelvin)
    symbol = classical_spin(spin, np.zeros(3)).symbol
    assert log_gap(symbol, 6.0, expected=exact) == pytest.approx(exact, abs=1e-9)


def test_instantons_that_do_not_count_are_found_out():
    spin = classical_spin(giant_spin(10, D=-1.0, E=0.3), np.zeros(3))
    one, other = instantons(spin, *spin.minima())
    spurious = one._replace(log_key=one.log_key + 0.3)
    assert len(calibrate(spin, [one, other], symmetric=True).counted) == 2
    assert set(calibrate(spin, [one, spurious, other], symmetric=True).counted) == {one, other}
    with pytest.raises(ConvergenceError, match="does not approach"):
        calibrate(spin, [one], symmetric=True)


def test_the_order_of_the_pair_turns_the_slope_only():
    spin = load("fe8")
    forward, backward = (
        tunnel_splitting(spin, pair, method=Semiclassical()) for pair in ((10, -10), (-10, 10))
    )
    assert forward.log10 == pytest.approx(backward.log10, abs=1e-7)
    assert forward.slope == pytest.approx(-backward.slope, rel=1e-9)
    assert forward.slope == pytest.approx(2 * 10 * 2 * MU_B, rel=1e-6)
    assert not forward.rigorous
    assert "instantons" in forward.why


CUBIC = [ZeroFieldSplitting(-1e-3), Stevens(4, 0, -1e-4), Stevens(4, 4, -5e-4)]
DIMER = SpinSystem("dimer", [Spin(1), Spin(1)], [ZeroFieldSplitting(-1.0, 0.1, site=k) for k in (0, 1)])
REFUSED = [
    (DIMER, ("m1=1, m2=1", "m1=-1, m2=-1"), {}, "single spin"),
    (load("fe8"), (9, -9), {}, r"pair must be \(S, -S\)"),
    (load("fe8"), Levels(0, 1), {"B": 0.0}, r"pair must be \(S, -S\)"),
    (load("fe8"), (10, -10), {"B": 0.2}, "away"),
    (load("fe8"), (10, -10), {"axis": (1.0, 0.0, 0.0)}, "same moment"),
    (load("fe8"), (10, -10), {"transverse": (0.0, 9.0)}, "got one"),
    (giant_spin(10, D=1.0, E=0.2), (10, -10), {}, "either side"),
    (SpinSystem("cubic", [Spin(10)], [*CUBIC, ZeroFieldSplitting(0.0, 1e-5)]), (10, -10), {}, "third"),
    (
        SpinSystem(
            "skew", [Spin(10)], [ZeroFieldSplitting(-1.0, 0.1), Stevens(3, 0, 1e-2), Stevens(3, 2, 1e-2)]
        ),
        (10, -10),
        {},
        "alike",
    ),
]


@pytest.mark.parametrize(("system", "pair", "where", "match"), REFUSED)
def test_refusals(system, pair, where, match):
    with pytest.raises(InputError, match=match):
        tunnel_splitting(system, pair, method=Semiclassical(), **where)


def test_weak_terms_are_left_to_perturbation_theory():
    with pytest.raises(ConvergenceError, match=r"Perturbative\(\)"):
        tunnel_splitting(giant_spin(10, D=-1.0, E=1e-10), (10, -10), method=Semiclassical())


def test_half_integer_spins_cancel():
    spin = giant_spin(4.5, D=-1.0, E=0.3)
    assert tunnel_splitting(spin, (4.5, -4.5), method=Semiclassical()).is_zero_by_symmetry
    with pytest.raises(ConvergenceError, match="cancel"):
        Semiclassical().gap(read_problem(spin, (4.5, -4.5), None, (0.0, 0.0, 1.0), (0.0, 0.0)))


def test_a_power_of_sz_alone_has_no_way_to_tunnel():
    spin = SpinSystem("axial", [Spin(10)], [SpinPower(-1.0, z=2), SpinPower(1e-12, ladder=2)])
    with pytest.raises(ConvergenceError):
        tunnel_splitting(spin, (10, -10), method=Semiclassical())
