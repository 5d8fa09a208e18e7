"""Splitting maps and diabolical points: form of the results, refusals, agreement with single splittings."""

import warnings

import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import MU_B
from mesospin.errors import ConvergenceError, InputError, ValidityWarning
from mesospin.spectrum.interference.diabolical import diabolical_points
from mesospin.spectrum.interference.splitting_map import splitting_map
from mesospin.spectrum.tunnelling.problem import Levels

SPIN = ms.giant_spin(4, D=-1.0, E=0.1)
FIELDS = np.linspace(0, 1, 11)


def nuclear_molecule():
    electron, nucleus = ms.Spin(3, 2.0), ms.Spin(1.5, 1.2, label="I", nuclear=True)
    terms = [*ms.giant_spin(3, D=-1.0, E=0.1).terms, ms.Hyperfine(0, 1, [0.01, 0.012, 0.02])]
    return ms.SpinSystem("nuclear", [electron, nucleus], terms)


def test_result_has_named_dimensions_units_and_provenance():
    ds = splitting_map(SPIN, (4, -4), transverse=FIELDS, azimuth=[0.0, 0.5, 1.0])
    assert ds.attrs["kind"] == "splitting_map"
    assert ds.attrs["lost_points"] == 0
    assert dict(ds.sizes) == {"azimuth": 3, "transverse": 11}
    units = {"splitting": "K", "log10_splitting": "1", "field": "T", "energy": "K", "weight": "1"}
    for name, unit in units.items():
        assert ds[name].dims == ("azimuth", "transverse")
        assert ds[name].attrs["units"] == unit
    np.testing.assert_allclose(10**ds.log10_splitting, ds.splitting, rtol=1e-12)
    assert ds.weight.values[:, 0] == pytest.approx(ds.weight.values[0, 0])
    assert np.all(np.diff(ds.weight.values, axis=1) < 0)


@pytest.mark.parametrize("pair", [(4, -4), (4, -2), (3, -3)])
def test_map_at_zero_transverse_field_is_the_single_splitting(pair):
    ds = splitting_map(SPIN, pair, transverse=[0.0])
    single = ms.tunnel_splitting(SPIN, pair)
    assert ds.splitting.item() == pytest.approx(single.kelvin, rel=1e-9)
    assert ds.field.item() == pytest.approx(single.field, abs=1e-9)


def test_map_in_a_transverse_field_is_the_single_splitting():
    ds = splitting_map(SPIN, (4, -3), transverse=[0.1, 0.2], azimuth=[0.4])
    for k, B in enumerate((0.1, 0.2)):
        single = ms.tunnel_splitting(SPIN, (4, -3), transverse=(B * np.cos(0.4), B * np.sin(0.4)))
        assert float(ds.splitting[0, k]) == pytest.approx(single.kelvin, rel=1e-7)


def test_pairs_of_several_spins_are_named_by_labels():
    system = nuclear_molecule()
    pair = ("m=3, mI=3/2", "m=-3, mI=3/2")
    ds = splitting_map(system, pair, transverse=[0.0, 0.1, 0.2], azimuth=[0.3])
    for k, B in enumerate((0.0, 0.1, 0.2)):
        single = ms.tunnel_splitting(system, pair, transverse=(B * np.cos(0.3), B * np.sin(0.3)))
        assert float(ds.splitting[0, k]) == pytest.approx(single.kelvin, rel=1e-6)
        assert float(ds.field[0, k]) == pytest.approx(single.field, abs=1e-7)


def test_zeros_by_symmetry_are_exact_at_zero_transverse_field():
    odd = splitting_map(SPIN, (4, -3), transverse=[0.0, 0.1])
    assert odd.splitting.values[0, 0] == 0.0
    assert odd.log10_splitting.values[0, 0] == -np.inf
    assert odd.splitting.values[0, 1] > 0
    # Kramers: no selection rule forbids it, time reversal does
    terms = [*ms.giant_spin(2.5, D=-1.0, E=0.1).terms, ms.Stevens(4, 3, 0.01)]
    kramers = splitting_map(ms.SpinSystem("k", [ms.Spin(2.5)], terms), (2.5, -2.5), transverse=[0.0, 0.1])
    assert kramers.splitting.values[0, 0] == 0.0
    assert kramers.splitting.values[0, 1] > 0


def test_directions_do_not_depend_on_each_other_or_on_how_they_are_spread(tmp_path):
    angles = np.linspace(0, np.pi, 21)
    whole = splitting_map(SPIN, (4, -4), transverse=FIELDS, azimuth=angles, checkpoint=tmp_path)
    again = splitting_map(SPIN, (4, -4), transverse=FIELDS, azimuth=angles, checkpoint=tmp_path)
    single = splitting_map(SPIN, (4, -4), transverse=FIELDS, azimuth=angles[17])
    assert whole.identical(again)
    np.testing.assert_array_equal(whole.splitting[17], single.splitting[0])
    # two-fold symmetry of the biaxial spin
    np.testing.assert_allclose(whole.splitting[3], whole.splitting[17], rtol=1e-9)


def test_progress_is_reported_and_angles_may_carry_units():
    calls = []
    ds = splitting_map(
        SPIN,
        (4, -4),
        transverse=[0.1],
        azimuth=["0 deg", "45 deg"],
        progress=lambda done, total: calls.append((done, total)),
    )
    np.testing.assert_allclose(ds.azimuth, [0, np.pi / 4])
    assert calls[-1] == (1, 1)


def test_lost_points_are_nan_with_one_warning():
    with pytest.warns(ValidityWarning, match="third level") as caught:
        ds = splitting_map(SPIN, (3, -3), transverse=np.linspace(0, 4, 41), azimuth=np.linspace(0, 1.5, 20))
    assert len(caught) == 1
    lost = np.isnan(ds.splitting.values)
    assert ds.attrs["lost_points"] == lost.sum() > 0
    assert not lost[:, 0].any()
    # all that is known of a lost point is lost, and nothing is found again behind it
    assert np.all(np.isnan(ds.field.values) == lost)
    assert np.all(np.diff(lost.astype(int), axis=1) >= 0)


def test_wide_doublet_of_a_small_spin_is_kept():
    """S = 1, |E/D| = 0.3: the gap 2E is not small beside the distance D of the third level."""
    spin = ms.giant_spin(1, D=-1.0, E=0.3)
    fields = np.linspace(0, 0.5, 6)
    ds = splitting_map(spin, (1, -1), transverse=fields)
    for B, gap in zip(fields, ds.splitting.values[0], strict=True):
        levels = ms.levels(spin, B_vector=[B, 0.0, 0.0]).energy.values
        assert gap == pytest.approx(levels[1] - levels[0], rel=1e-9)


def test_spin_one_half_splits_by_its_zeeman_energy():
    fields = np.array([0.0, 0.5, 1.0])
    ds = splitting_map(ms.giant_spin(0.5, D=0.0), (0.5, -0.5), transverse=fields, azimuth=[0.0, 0.7])
    np.testing.assert_allclose(ds.splitting, np.tile(2 * MU_B * fields, (2, 1)), rtol=1e-12)
    points = diabolical_points(ms.giant_spin(0.5, D=0.0), (0.5, -0.5), Bx=(-0.5, 0.5), By=(-0.5, 0.5))
    assert [points.Bx.item(), points.By.item(), points.charge.item()] == [0.0, 0.0, 1]


REFUSED = [
    ({"transverse": [0.0, -0.1]}, "transverse must be increasing magnitudes"),
    ({"transverse": [-0.1, 0.1]}, "transverse must be increasing magnitudes"),
    ({"transverse": [0.1, 0.1]}, "transverse must be increasing magnitudes"),
    ({"transverse": []}, "transverse must be"),
    ({"transverse": [[0.1, 0.2]]}, "transverse must be"),
    ({"transverse": [0.0, np.nan]}, "transverse must be finite"),
    ({"azimuth": [[0.0]]}, "azimuth must be"),
    ({"azimuth": "3 T"}, "azimuth must"),
    ({"azimuth": [np.inf]}, "azimuth must be finite"),
    ({"pair": (4, 4)}, "two different states"),
    ({"pair": (4, 3)}, "opposite sides"),
    ({"pair": (4, 0)}, "opposite sides"),
    ({"pair": (4, -5)}, "projections m"),
    ({"pair": 4}, "pair must be a Sequence"),
    ({"pair": Levels(0, 1)}, "positions in energy"),
    ({"transverse": [50.0]}, "transverse must reach down"),
    ({"workers": 0}, "workers"),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_bad_input_of_maps_is_one_sentence(changes, sentence):
    arguments = {"pair": (4, -4), "transverse": [0.0, 0.1]} | changes
    pair = arguments.pop("pair")
    with pytest.raises(InputError, match=sentence) as caught:
        splitting_map(SPIN, pair, **arguments)
    assert str(caught.value).count(". ") == 0


def test_pair_without_labels_is_refused():
    mixed = ms.giant_spin(6, D=-1.0, E=0.33)
    with pytest.raises(InputError, match="weight above one half"):
        splitting_map(mixed, (2, -1), transverse=[0.1])
    with pytest.raises(InputError, match="neighbouring levels"):
        splitting_map(mixed, (1, -1), transverse=[0.1])
    with pytest.raises(InputError, match="system"):
        splitting_map("fe8", (10, -10), transverse=[0.1])


def test_points_have_names_units_and_provenance(tmp_path):
    calls = []
    ds = diabolical_points(
        SPIN,
        (4, -4),
        Bx=(0, "1500 mT"),
        By=(-0.2, 0.2),
        progress=lambda done, total: calls.append((done, total)),
    )
    assert ds.attrs["kind"] == "diabolical_points"
    assert ds.attrs["boundary_compared"] == 1
    units = {"Bx": "T", "By": "T", "Bz": "T", "energy": "K", "level": "1", "charge": "1", "residual": "1"}
    for name, unit in units.items():
        assert ds[name].dims == ("point",)
        assert ds[name].attrs["units"] == unit
    assert np.all(np.diff(ds.Bx) > 0)
    assert np.all(ds.residual < 1e-9)
    assert ds.log10_splitting.dims == ("grid_y", "grid_x")
    assert calls[0][0] == 0
    assert calls[-1][0] == calls[-1][1]
    path = tmp_path / "points.nc"
    ms.save(ds, path)
    assert ms.open_result(path).Bx.values == pytest.approx(ds.Bx.values, abs=0)


def test_a_rectangle_without_points_gives_an_empty_table():
    ds = diabolical_points(SPIN, (4, -4), Bx=(0.5, 0.6), By=(0.2, 0.3))
    assert ds.sizes["point"] == 0


def test_points_do_not_depend_on_the_grid():
    """Also when the zeros lie on the border of the rectangle, or on the lines of a plain grid."""
    whole = diabolical_points(SPIN, (4, -4), Bx=(0, 1.5), By=(-0.3, 0.3))
    for By, resolution in (
        ((0.0, 0.3), None),
        ((-0.3, 0.0), 0.05),
        ((-0.3, 0.3), 0.1),
        ((-0.25, 0.3), 0.013),
    ):
        other = diabolical_points(SPIN, (4, -4), Bx=(0, 1.5), By=By, resolution=resolution)
        np.testing.assert_allclose(other.Bx, whole.Bx, rtol=0, atol=1e-11)
        np.testing.assert_array_equal(other.charge, whole.charge)


def test_points_of_several_spins():
    ds = diabolical_points(
        nuclear_molecule(), ("m=3, mI=3/2", "m=-3, mI=3/2"), Bx=(0, 0.8), By=(-0.3, 0.3), resolution=0.1
    )
    assert ds.sizes["point"] >= 1
    # the hyperfine field of the nucleus shifts the longitudinal field by far more than the point is wide
    assert np.all(np.abs(ds.Bz.values) > 1e-3)
    assert np.all(ds.residual.values < 1e-8)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Bx": (1, 0)}, "Bx must rise"),
        ({"By": (0.1, 0.1)}, "By must rise"),
        ({"By": (0.1,)}, "By must be two numbers"),
        ({"Bx": (0, "1 K")}, "Bx must"),
        ({"Bx": (0, np.nan)}, "Bx must be finite"),
        ({"Bx": "0 T"}, "Bx must be two numbers"),
        ({"resolution": 0.0}, "resolution must be positive"),
        ({"resolution": 1e-5}, "resolution must leave at most"),
        ({"Bx": (20, 21)}, "take smaller fields"),
        ({"pair": (4, 3)}, "opposite sides"),
        ({"pair": (3, 3)}, "two different states"),
    ],
)
def test_bad_input_of_points_is_one_sentence(changes, sentence):
    arguments = {"pair": (4, -4), "Bx": (0, 1), "By": (-0.1, 0.1)} | changes
    pair = arguments.pop("pair")
    with pytest.raises(InputError, match=sentence):
        diabolical_points(SPIN, pair, **arguments)


def test_cells_beyond_the_pair_are_left_out_with_a_warning():
    with pytest.warns(ValidityWarning, match="left out"):
        ds = diabolical_points(SPIN, (4, -4), Bx=(0, 6), By=(-1, 1), resolution=0.1)
    assert np.isnan(ds.log10_splitting.values).any()
    assert ds.attrs["boundary_compared"] == 0
    assert ds.sizes["point"] == 4


def test_levels_degenerate_along_a_line_are_not_points():
    """A spin whose field acts through x and z only: the coupling is real, and vanishes on lines."""
    spin = ms.Spin(2, [[2.0, 0, 0], [0, 0, 0], [0, 0, 2.0]])
    system = ms.SpinSystem("flat", [spin], ms.giant_spin(2, D=-1.0, E=0.2).terms)
    with warnings.catch_warnings(), pytest.raises(ConvergenceError, match="along a line"):
        diabolical_points(system, (2, -2), Bx=(0.4, 0.6), By=(-0.1, 0.1), resolution=0.05)
