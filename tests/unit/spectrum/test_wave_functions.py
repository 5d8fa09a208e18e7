"""Wave functions of a tunnelling pair: shapes, definitions, several spins, zeros, refusals, files."""

import dataclasses

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.wells import wave_functions
from mesospin.spectrum.wells.wave_functions import mixing_angle, tunnelling_pair

HYPERFINE = ms.SpinSystem(
    "hyperfine",
    [ms.Spin(2, 2.0, label="S"), ms.Spin(0.5, 1.0, label="I", nuclear=True)],
    [ms.ZeroFieldSplitting(-1.0, 0.02), ms.Hyperfine(0, 1, 0.01)],
)


def test_shapes_and_definitions():
    spin = ms.giant_spin(4, D=-1.0, E=0.02)
    ds = tunnelling_pair(spin, (4, -4))
    assert ds.attrs["kind"] == "tunnelling_pair"
    assert ds.amplitude_re.dims == ("state", "m")
    assert ds.m.values.tolist() == list(range(4, -5, -1))
    assert ds.state.values.tolist() == ["left", "right", "even", "odd"]
    assert ds.state_label.values.tolist() == ["m=-4", "m=4"]
    p = ds.probability
    assert p.values == pytest.approx(ds.amplitude_re.values**2, rel=1e-14)
    assert 10.0**ds.log10_probability.values == pytest.approx(p.values, rel=1e-13)
    assert ds.mean_sz.values == pytest.approx((p * p.m).sum("m").values, abs=1e-14)
    assert ds.mean_sz.values[:2] == pytest.approx([-4, 4], abs=0.01)
    assert ds.participation.values == pytest.approx(1 / (p**2).sum("m").values, rel=1e-14)
    # H_mm = -m^2 [K]: everything between the named states lies above them
    assert ds.forbidden.values.tolist() == [False] + 7 * [True] + [False]
    assert ds.weight_under_barrier.values == pytest.approx(1 - p.sel(m=[4, -4]).sum("m").values, abs=1e-14)
    assert ds.side.values.tolist() == [1] * 4 + [0] + [-1] * 4
    assert ds.well_weight.sel(state="right", well="right") > 0.999
    assert float(ds.label_weight.sel(state="left")) == float(p.sel(state="left", m=-4))
    assert ds.label_weight.values[2:] == pytest.approx(p.sel(m=[4, -4]).sum("m").values[2:], rel=1e-14)
    assert float(ds.distance) == pytest.approx(ms.tunnel_splitting(spin, (4, -4)).kelvin, rel=1e-9)


def test_order_of_the_pair_does_not_matter():
    spin = ms.giant_spin(3, D=-1.0, E=0.02)
    a, b = (tunnelling_pair(spin, pair) for pair in ((3, -3), (-3, 3)))
    np.testing.assert_array_equal(a.amplitude_re.values, b.amplitude_re.values)


def test_excited_pairs_leave_deeper_states_allowed():
    ds = tunnelling_pair(ms.giant_spin(4, D=-1.0, E=0.02), (3, -3))
    assert ds.m.values[ds.forbidden.values].tolist() == [2, 1, 0, -1, -2]


def test_field_of_an_asymmetric_resonance():
    """n = 2: the middle of the barrier is m = 1, where nothing belongs to either well."""
    spin = ms.giant_spin(4, D=-1.0, E=0.02, g=2.0)
    ds = tunnelling_pair(spin, (4, -2))
    assert float(ds.field) == pytest.approx(2 / (2 * 0.67171381), rel=1e-3)
    assert ds.m.values[ds.side.values == 0].tolist() == [1]
    assert float(ds.energy.sel(state="left")) == pytest.approx(float(ds.energy.sel(state="right")), rel=1e-13)


def test_nuclei_work_over_product_states():
    pair = ("m=2, mI=1/2", "m=-2, mI=1/2")
    ds = tunnelling_pair(HYPERFINE, pair)
    assert ds.amplitude_re.dims == ("state", "basis")
    assert ds.label.values[0] == pair[0]
    assert ds.m.values.tolist() == [2, 2, 1, 1, 0, 0, -1, -1, -2, -2]
    energy, U = np.linalg.eigh(field_line(HYPERFINE).at(float(ds.field)))
    lower = min(ds.energy.values[2:])
    k = int(np.abs(energy - lower).argmin())
    name = str(ds.ground.values)
    mine = ds.amplitude_re.sel(state=name).values
    # eigh is right to 1e-16 of the largest component over the gap
    assert abs(mine @ U[:, k]) == pytest.approx(1.0, abs=1e-9)
    assert float(ds.distance) == pytest.approx(ms.tunnel_splitting(HYPERFINE, pair).kelvin, rel=1e-6)


def test_two_electrons():
    terms = [
        ms.ZeroFieldSplitting(-1.0, 0.05),
        ms.ZeroFieldSplitting(-1.0, 0.05, site=1),
        ms.Exchange(0, 1, -0.5, convention="+J"),
    ]
    dimer = ms.SpinSystem("pair", [ms.Spin(1), ms.Spin(1)], terms)
    ds = tunnelling_pair(dimer, ("m1=1, m2=1", "m1=-1, m2=-1"))
    assert ds.mean_sz.values[:2] == pytest.approx([-2, 2], abs=0.05)
    H = field_line(dimer).at(0.0)
    for name in ("even", "odd"):
        psi = ds.amplitude_re.sel(state=name).values
        assert H @ psi == pytest.approx(float(ds.energy.sel(state=name)) * psi, abs=1e-12)


@pytest.mark.parametrize(
    ("system", "pair", "reason"),
    [
        (ms.giant_spin(2, D=-1.0, C4=1e-5), (1, -1), "selection rule"),
        (ms.giant_spin(2.5, D=-1.0, E=0.1), (2.5, -2.5), "Kramers"),
        (
            ms.SpinSystem(
                "tilted", [ms.Spin(1.5)], [ms.ZeroFieldSplitting(-1.0, 0.1, frame=(0.2, 0.1, 0.3))]
            ),
            (1.5, -1.5),
            "Kramers",
        ),
    ],
)
def test_exact_zeros(system, pair, reason):
    ds = tunnelling_pair(system, pair)
    assert bool(ds.zero)
    assert str(ds.reason.values).startswith(reason)
    assert str(ds.ground.values) == "degenerate"
    assert float(ds.distance) == 0.0
    assert float(ds.log10_splitting) == -np.inf
    sum_ = (ds.amplitude_re.sel(state="left") + ds.amplitude_re.sel(state="right")).values / np.sqrt(2)
    assert ds.amplitude_re.sel(state="even").values == pytest.approx(sum_, abs=1e-9)


def test_a_bias_without_coupling_leaves_the_levels_localised():
    ds = tunnelling_pair(ms.giant_spin(2, D=-1.0), (2, -2), bias=1e-12)
    assert str(ds.ground.values) == "left"
    assert ds.well_weight.sel(state="even").values == pytest.approx([1, 0])
    assert ds.well_weight.sel(state="odd").values == pytest.approx([0, 1])
    assert float(ds.mixing_angle) == pytest.approx(np.pi / 2)


def test_mixing_angle():
    gap, slope = 1e-9, -2.0
    bias = np.array([-1e3, -1e-9, 0.0, 0.5e-9, 1e3])
    angle = mixing_angle(gap, slope, bias)
    assert angle[2] == pytest.approx(np.pi / 4)
    assert np.tan(2 * angle[1]) == pytest.approx(gap / (slope * bias[1]))
    assert angle[[0, -1]] == pytest.approx([0, np.pi / 2], abs=1e-11)
    assert np.all(np.diff(angle) > 0)
    with pytest.raises(InputError, match="bias must be finite"):
        mixing_angle(gap, slope, np.nan)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"pair": (10, 10)}, "two different states"),
        ({"pair": (10, 11)}, "must hold projections"),
        ({"pair": (10, -10), "B": 0.2}, "B must be the resonance of m=10 and m=-10"),
        ({"pair": (10, -10), "bias": np.inf}, "bias must be finite"),
        ({"pair": (3, -3), "transverse": (6.0, 0.0)}, "must lie below the barrier"),
    ],
)
def test_refusals(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        tunnelling_pair(ms.load("mn12ac"), **arguments)


def test_a_bias_that_reaches_the_next_resonance_is_refused():
    spin = ms.giant_spin(3, D=-1.0, E=0.15)
    reach = 1.0 / (2 * 0.67171381)  # field between resonances
    tunnelling_pair(spin, (3, -3), bias=0.2 * reach)
    with pytest.raises((InputError, ConvergenceError), match=r"bias|levels"):
        tunnelling_pair(spin, (3, -3), bias=4 * reach)


def test_splittings_beyond_the_double_range_are_refused():
    with pytest.raises(TooLargeError, match="only tunnel_splitting"):
        tunnelling_pair(ms.giant_spin(300, D=-0.5, E=0.05), (300, -300))


def test_a_coupling_that_cancels_is_refused(monkeypatch):
    real = wave_functions.tunnel_splitting

    def other(*args, **kwargs):
        gap = real(*args, **kwargs)
        return dataclasses.replace(gap, kelvin=1.01 * gap.kelvin)

    monkeypatch.setattr(wave_functions, "tunnel_splitting", other)
    with pytest.raises(ConvergenceError, match=r"9\.9e-03 off the value"):
        tunnelling_pair(ms.load("fe8"), (10, -10))


@pytest.mark.parametrize("pair", [(2, -2), (2, -1)])
def test_files(pair, tmp_path):
    ds = tunnelling_pair(ms.giant_spin(2, D=-1.0, E=0.01), pair)
    ms.save(ds, tmp_path / "pair.nc")
    again = ms.open_result(tmp_path / "pair.nc")
    for name in ds.variables:
        np.testing.assert_array_equal(again[name].values, ds[name].values)
