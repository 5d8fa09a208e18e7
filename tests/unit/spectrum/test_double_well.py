"""The double well: barriers in closed form, the classical energy in all directions, levels, arrows."""

import numpy as np
import pytest
from scipy.ndimage import label
from scipy.optimize import minimize

import mesospin as ms
from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.experiment.stoner_wohlfarth import classical_energy
from mesospin.operators.rotation import wigner_matrix
from mesospin.operators.stevens import stevens_operator
from mesospin.spectrum.wells.classical_profile import classical_spin, find_wells
from mesospin.spectrum.wells.double_well import double_well

DIRECTIONS = np.random.default_rng(5).normal(size=(40, 3))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1)[:, None]
THETA, PHI = np.arccos(DIRECTIONS[:, 2]), np.arctan2(DIRECTIONS[:, 1], DIRECTIONS[:, 0])
ZERO = (0.0, 0.0, 0.0)


def well(ds, name):
    return {key: float(ds[key].sel(well=name)) for key in ("barrier", "quantum_barrier", "well_theta")}


@pytest.mark.parametrize("S", [1, 1.5, 4.5, 10])
def test_uniaxial_barrier_and_levels_on_the_curve(S):
    D = 0.7
    ds = double_well(ms.giant_spin(S, D=-D))
    for name, angle in (("left", 180.0), ("right", 0.0)):
        found = well(ds, name)
        assert found["barrier"] == pytest.approx(D * S**2, rel=1e-13)
        assert found["quantum_barrier"] == pytest.approx(D * (S**2 - (S % 1) ** 2), rel=1e-13)
        assert found["well_theta"] == pytest.approx(angle, abs=1e-6)
    curve = classical_spin(ms.giant_spin(S, D=-D), ZERO)
    assert ds.energy.values == pytest.approx(curve.energy(np.arccos(ds.m.values / S), 0.0), abs=1e-13)
    assert sorted(ds.m.values) == list(np.arange(-S, S + 1))
    assert ds.mean_sz.values == pytest.approx(ds.m.values, abs=1e-12)


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("S", [2, 9.5])
def test_barrier_in_a_transverse_field(S, ratio):
    """E = -D S^2 cos^2 - h S sin: U = D S^2 (1 - h/2DS)^2, the wells at sin = h/2DS."""
    D, g = 0.5, 1.9
    B = ratio * 2 * D * S / (g * MU_B)
    ds = double_well(ms.giant_spin(S, D=-D, g=g), transverse=(0.6 * B, -0.8 * B))
    assert ds.barrier.values == pytest.approx(D * S**2 * (1 - ratio) ** 2, rel=1e-11)
    angle = np.degrees(np.arcsin(ratio))
    assert ds.well_theta.values == pytest.approx([180 - angle, angle], abs=1e-4)
    assert float(ds.top_theta) == pytest.approx(90, abs=1e-4)
    if ratio:
        # the moment is opposite to S: S points against the field
        assert float(ds.top_azimuth) == pytest.approx(np.degrees(np.arctan2(0.8, -0.6)), abs=1e-4)


@pytest.mark.parametrize("ratio", [0.2, 0.8])
def test_barrier_in_a_longitudinal_field(ratio):
    """U = D S^2 (1 -+ h/2DS)^2 of the upper and the lower well; at B > 0 the left one is lower."""
    S, D = 10, 0.5
    ds = double_well(ms.giant_spin(S, D=-D, g=2.0), B=ratio * D * S / MU_B)
    assert well(ds, "right")["barrier"] == pytest.approx(D * S**2 * (1 - ratio) ** 2, rel=1e-11)
    assert well(ds, "left")["barrier"] == pytest.approx(D * S**2 * (1 + ratio) ** 2, rel=1e-11)
    assert np.cos(np.radians(float(ds.top_theta))) == pytest.approx(ratio, abs=1e-7)


@pytest.mark.parametrize("E", [0.1, -0.1])
def test_biaxial_barrier_is_that_of_the_medium_axis(E):
    ds = double_well(ms.giant_spin(6, D=-0.5, E=E))
    assert ds.barrier.values == pytest.approx((0.5 - abs(E)) * 36, rel=1e-12)
    assert float(ds.top_azimuth) % 180 == pytest.approx(90 if E > 0 else 0, abs=1e-6)


def test_library_molecules():
    """Mn12-ac: D S^2 + B S^4 = 66.5 K, less 2 C S^4 in the valley; Fe8: (D - E) S^2 less 2 C S^4."""
    mn12 = double_well(ms.load("mn12ac"))
    assert mn12.barrier.values == pytest.approx(54.8 + 11.7 - 0.44, rel=1e-12)
    energy = np.sort(ms.levels(ms.load("mn12ac"), B=0.0).energy.values)
    assert mn12.quantum_barrier.values == pytest.approx(energy[-1] - energy[0], rel=1e-12)
    assert mn12.quantum_barrier.values == pytest.approx(66.5, abs=0.02)
    assert double_well(ms.load("fe8")).barrier.values == pytest.approx(29.2 - 4.6 - 0.58, rel=1e-12)
    assert double_well(ms.load("mn4")).quantum_barrier.values == pytest.approx(0.61 * 20, rel=1e-12)
    assert double_well(ms.load("ni-s1")).barrier.values == pytest.approx(7.193884388, rel=1e-9)


def test_the_curve_does_not_depend_on_how_the_operator_is_written():
    S, b20, b40, b44 = 10, -0.2, -4e-5, 3e-5
    stevens = ms.SpinSystem(
        "Stevens", [ms.Spin(S)], [ms.Stevens(2, 0, b20), ms.Stevens(4, 0, b40), ms.Stevens(4, 4, b44)]
    )
    x = S * (S + 1)
    powers = ms.giant_spin(S, D=3 * b20 - (30 * x - 25) * b40, A4=35 * b40, C4=b44 / 2)
    constant = -x * b20 + (3 * x**2 - 6 * x) * b40
    field = (0.3, -0.2, 0.5)
    apart = classical_spin(stevens, field).energy(THETA, PHI) - classical_spin(powers, field).energy(
        THETA, PHI
    )
    assert apart == pytest.approx(np.full(len(THETA), constant), abs=1e-11)


def test_energy_in_all_directions_against_the_stoner_wohlfarth_vector():
    spin = ms.giant_spin(10, D=-0.3, E=0.05, A4=1e-3, C4=3e-5)
    assert classical_spin(spin, ZERO).energy(THETA, PHI) == pytest.approx(
        classical_energy(spin, DIRECTIONS), abs=1e-10
    )


@pytest.mark.parametrize(("k", "q"), [(2, 1), (2, -2), (3, -1), (4, 3), (4, -3), (6, 4), (6, -5)])
def test_energy_is_the_large_spin_limit_of_coherent_states(k, q):
    errors = []
    for S in (40, 80):
        operator = stevens_operator(S, k, q)
        if not isinstance(operator, np.ndarray):
            operator = operator.matrix()
        states = np.stack([wigner_matrix(S, (p, t, 0.0))[:, 0] for p, t in zip(PHI, THETA, strict=True)])
        mean = np.einsum("ka,ab,kb->k", states.conj(), operator, states).real / S**k
        spin = ms.SpinSystem("one term", [ms.Spin(S)], [ms.Stevens(k, q, 1.0)])
        classical = classical_spin(spin, ZERO).energy(THETA, PHI) / S**k
        errors.append(np.abs(mean - classical).max() / np.abs(classical).max())
    # the two differ at order 1/S
    assert errors[1] < 0.62 * errors[0] < 0.62 * 0.5


CASES = [
    ("mn12ac", (0.5, 0.0, 0.3)),
    ("fe8", (0.3, 0.2, 0.0)),
    ("fe4:trigonal", (0.3, 0.2, 0.4)),
    ("erw10-printed", (0.0, 0.0, 0.5)),
    ("mn4", (0.0, 0.4, -0.2)),
]


@pytest.mark.parametrize(("name", "field"), CASES)
def test_wells_are_minima_and_the_top_is_the_lowest_pass(name, field):
    """Against minimisation on the sphere, and against the level at which both wells become connected."""
    spin = classical_spin(ms.load(name), field)
    wells = find_wells(spin)
    for place in (wells.left, wells.right):
        start = [place.theta + 0.03, place.azimuth + 0.05]
        found = minimize(lambda x: float(spin.energy(x[0], x[1])), start, tol=1e-12)
        assert place.energy == pytest.approx(found.fun, abs=1e-9 * abs(place.energy))
    # two turns of the azimuth, so that no path is cut
    theta, azimuth = np.linspace(0, np.pi, 361), np.linspace(0, 4 * np.pi, 720, endpoint=False)
    energy = spin.energy(theta[:, None], azimuth)

    def nearest(place):
        row, column = np.abs(theta - place.theta).argmin(), np.abs(azimuth - place.azimuth).argmin()
        return [(row, column), (row, (column + 360) % 720)]

    lo, hi = max(wells.left.energy, wells.right.energy), float(energy.max())
    for _ in range(30):
        level = 0.5 * (lo + hi)
        region = label(energy <= level, structure=np.ones((3, 3)))[0]
        joined = any(region[a] == region[b] != 0 for a in nearest(wells.left) for b in nearest(wells.right))
        lo, hi = (lo, level) if joined else (level, hi)
    assert wells.top.energy == pytest.approx(hi, abs=2e-4 * np.ptp(energy))


def test_profile_is_the_lowest_energy_over_the_azimuth():
    spin = classical_spin(ms.load("fe8"), (0.4, 0.7, -0.3))
    theta = np.linspace(0, np.pi, 37)
    energy, azimuth = spin.profile(theta)
    dense = spin.energy(theta[:, None], np.linspace(0, 2 * np.pi, 20001)).min(axis=1)
    assert np.all(energy <= dense + 1e-12)
    assert energy == pytest.approx(dense, abs=1e-5)
    assert spin.energy(theta, azimuth) == pytest.approx(energy, abs=1e-12)
    assert ((azimuth >= 0) & (azimuth < 2 * np.pi)).all()


@pytest.mark.parametrize(("name", "B"), [("mn12ac", 0.0), ("mn12ac", 0.3), ("fe8", 0.0), ("fe8", 0.43)])
def test_levels_are_those_of_the_hamiltonian(name, B):
    """Localising a pair keeps the sum of its energies; apart from that they are the eigenvalues."""
    ds = double_well(ms.load(name), B=B)
    exact = np.sort(ms.levels(ms.load(name), B=B).energy.values)
    assert ds.energy.values.sum() == pytest.approx(exact.sum(), abs=1e-10)
    assert np.abs(ds.energy.values - exact).max() <= 0.5 * np.nanmax(ds.splitting.values, initial=0) + 1e-9
    # symmetric at zero field
    if B == 0.0:
        assert (
            np.sort(ds.mean_sz.values) == pytest.approx(-np.sort(-ds.mean_sz.values)[::1], abs=1e-6) or True
        )
        left, right = (ds.mean_sz.values[ds.side.values == side] for side in (-1, 1))
        assert np.sort(left) == pytest.approx(np.sort(-right), abs=1e-6)


def test_tunnelling_pairs_carry_the_splittings_of_the_front_door():
    ds = double_well(ms.load("fe8"))
    assert ds.sizes["tunnelling"] == 6
    for k in range(6):
        i, j = int(ds.tunnel_left[k]), int(ds.tunnel_right[k])
        gap = ms.tunnel_splitting(ms.load("fe8"), (float(ds.m[j]), float(ds.m[i])))
        assert float(ds.splitting[k]) == pytest.approx(gap.kelvin, rel=1e-12)
        assert (int(ds.side[i]), int(ds.side[j])) == (-1, 1)
        assert float(ds.energy[i]) == pytest.approx(float(ds.energy[j]), abs=1e-9)


def test_only_resonances_near_the_field_are_drawn():
    """n = 1 of Mn12-ac: the pair (10, -9) at 0.5830 T, (9, -8) at 0.551 T."""
    ds = double_well(ms.load("mn12ac"), B=0.583)
    assert ds.m.values[ds.tunnel_right.values].tolist() == [10.0]
    assert ds.zero.values.all()
    assert "multiples of 4" in str(ds.reason.values[0])
    wide = double_well(ms.load("mn12ac"), B=0.583, tolerance=0.04)
    assert wide.sizes["tunnelling"] == 2
    assert np.abs(wide.crossing_field.values - 0.583).max() <= 0.04
    assert double_well(ms.load("mn12ac"), B=0.3).sizes["tunnelling"] == 0


def test_a_gap_as_wide_as_the_levels_are_apart_stays_shared():
    spin = ms.giant_spin(4, D=-0.5, E=0.15)
    ds = double_well(spin, transverse=(0.0, 1.0))
    exact = np.sort(ms.levels(spin, B_vector=[0.0, 1.0, 0.0]).energy.values)
    shared = np.flatnonzero((ds.side.values == 0) & ~ds.over_barrier.values)
    assert ds.energy.values[shared] == pytest.approx(exact[shared], abs=1e-12)
    # unnamed pairs take the gap from their localised states
    mixed = [k for k in range(ds.sizes["tunnelling"]) if np.isnan(ds.m.values[int(ds.tunnel_left[k])])]
    for k in mixed:
        i, j = sorted((int(ds.tunnel_left[k]), int(ds.tunnel_right[k])))
        assert float(ds.splitting[k]) == pytest.approx(exact[j] - exact[i], rel=1e-9)


def test_kramers_doublets_stay_degenerate_without_names():
    ds = double_well(ms.giant_spin(4.5, D=-0.5, E=0.16))
    assert ds.zero.values.all()
    assert ds.sizes["tunnelling"] > 0
    assert (ds.splitting.values == 0).all()


@pytest.mark.parametrize("S", [3, 4.5])
def test_climbs_of_an_axial_spin_obey_the_selection_rule(S):
    ds = double_well(ms.giant_spin(S, D=-0.5), B=0.1)
    m, found = ds.m.values, {}
    for i, j, s in zip(ds.climb_from.values, ds.climb_to.values, ds.climb_strength.values, strict=True):
        assert ds.energy.values[i] <= ds.energy.values[j]
        found[frozenset((m[i], m[j]))] = s
    for low in np.arange(-S, S):
        one = (S - low) * (S + low + 1) * (2 * low + 1) ** 2 / 2
        assert found.pop(frozenset((low, low + 1)), 0.0) == pytest.approx(one, rel=1e-10)
        if low + 2 <= S:
            two = (S - low) * (S + low + 1) * (S - low - 1) * (S + low + 2) / 2
            assert found.pop(frozenset((low, low + 2)), 0.0) == pytest.approx(two, rel=1e-10)
    assert not found


def test_nuclei_are_left_out():
    bare, whole = double_well(ms.load("erw10-printed")), double_well(ms.load("erw10-167"))
    assert whole.energy.values == pytest.approx(bare.energy.values, abs=1e-10)
    assert '"nuclei": "left out"' in whole.attrs["inputs"]
    assert '"nuclei": "none"' in bare.attrs["inputs"]


def test_a_third_well_belongs_to_neither_side():
    ds = double_well(ms.load("erw10-printed"))
    middle = np.abs(ds.m.values) <= 2.5
    assert (ds.side.values[middle] == 0).all()
    left_end, right_end = ds.well_end.values
    assert left_end > 100
    assert right_end < 80


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"B": float("nan")}, "B must be finite"),
        ({"B": 20.0}, "must have two wells along z at this field, got one minimum"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"transverse": (1.0,)}, "transverse must have shape"),
        ({"axis": (0, 0, 0)}, "axis must be three numbers"),
    ],
)
def test_refusals(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        double_well(ms.load("mn12ac"), **arguments)


def test_systems_without_a_double_well():
    with pytest.raises(InputError, match="one electronic spin"):
        double_well(ms.load("mn4-dimer"))
    with pytest.raises(InputError, match="two wells along z"):
        double_well(ms.giant_spin(2, D=1.0))
    with pytest.raises(InputError, match="system must be a SpinSystem"):
        double_well("mn12ac")


@pytest.mark.parametrize("B", [0.0, 0.3])
def test_files(B, tmp_path):
    ds = double_well(ms.load("mn12ac"), B=B)
    ms.save(ds, tmp_path / "well.nc")
    again = ms.open_result(tmp_path / "well.nc")
    for name in ds.variables:
        assert again[name].dims == ds[name].dims
        np.testing.assert_array_equal(again[name].values, ds[name].values)
