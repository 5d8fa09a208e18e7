"""Resonance and neutron scattering: shapes, units, attributes, and what is refused."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import ConvergenceError, InputError
from mesospin.experiment.epr_spectrum import epr_spectrum
from mesospin.experiment.neutron import Interference, neutron_spectrum
from mesospin.experiment.resonance import resonance_fields, resonance_frequencies
from mesospin.model.line_shapes import GaussianLine, LorentzianLine

SPIN = ms.giant_spin(1, D="10 GHz", E="1 GHz")
HALF = ms.giant_spin(0.5, D=0.0, g=(2.0, 2.0, 2.4))
B = np.linspace(0.25, 0.4, 151)
LINE = GaussianLine("5 mT")


def test_fields_have_dimensions_and_units():
    one = resonance_fields(SPIN, "30 GHz", span=(0, 2), T=4.0)
    several = resonance_fields(SPIN, 30.0, span=(0, 2), T=[1.0, 4.0])
    assert one.attrs["kind"] == "resonance_fields"
    assert one.intensity.dims == ("transition",)
    assert several.intensity.dims == ("temperature", "transition")
    np.testing.assert_array_equal(several.intensity[1], one.intensity)
    assert one.frequency == pytest.approx(30.0)
    assert {v.attrs["units"] for v in one.data_vars.values()} == {"T", "1", "mu_B^2"}
    assert np.all(np.diff(one.field) >= 0)


def test_no_line_is_an_empty_result():
    with pytest.warns(ms.errors.ValidityWarning, match="got none between 0 and 1 T") as said:
        ds = resonance_fields(SPIN, "1 THz", span=(0, 1), T=4.0)
    assert ds.sizes["transition"] == 0
    assert said[0].filename == __file__
    assert str(said[0].message) == ds.attrs["empty"]


def test_a_spectrum_without_line_is_said():
    B = np.linspace(0.0, 0.1, 201)
    with pytest.warns(
        ms.errors.ValidityWarning, match="got none between 0 and 0.1 T; the nearest lies at"
    ) as said:
        ds = epr_spectrum(HALF, 4.0, B, "9.5 GHz", line=GaussianLine("1 mT"))
    assert str(said[0].message) == ds.attrs["empty"]
    assert not np.any(ds.absorption > 1e-9)


def test_fields_at_the_ends_of_the_span_count():
    field = float(resonance_fields(HALF, 9.5, span=(0, 1), T=4.0).field[0])
    assert resonance_fields(HALF, 9.5, span=(field, 1), T=4.0).sizes["transition"] == 1
    assert resonance_fields(HALF, 9.5, span=(0, field), T=4.0).sizes["transition"] == 1


def test_frequencies_have_dimensions():
    ds = resonance_frequencies(SPIN, [0.0, 1.0], T=[1.0, 2.0], states=2)
    assert ds.frequency.dims == ("field", "transition")
    assert ds.intensity.shape == (2, 2, 1)
    single = resonance_frequencies(SPIN, 1.0, T=2.0)
    assert single.intensity.dims == ("transition",)
    np.testing.assert_allclose(single.frequency[0], ds.frequency[1, 0])


def test_lines_follow_from_frequencies():
    ds = resonance_fields(SPIN, "30 GHz", span=(0, 2), T=4.0, axis=(1, 1, 1), microwave=(1, -1, 0))
    for k in range(ds.sizes["transition"]):
        here = resonance_frequencies(SPIN, float(ds.field[k]), T=4.0, axis=(1, 1, 1), microwave=(1, -1, 0))
        i, j = int(ds.level_from[k]), int(ds.level_to[k])
        (index,) = np.flatnonzero((here.level_from.values == i) & (here.level_to.values == j))
        assert float(here.frequency[index]) == pytest.approx(30.0)
        for name in ("strength", "strength_parallel", "strength_perpendicular", "population"):
            assert float(here[name][index]) == pytest.approx(float(ds[name][k]), abs=1e-12)


def test_a_spectrum_swept_either_way():
    ds = epr_spectrum(HALF, [2.0, 4.0], B, "9.5 GHz", line=LINE)
    assert ds.absorption.dims == ("temperature", "field")
    assert ds.absorption.attrs["units"] == "mu_B/T"
    assert ds.derivative.attrs["units"] == "mu_B/T^2"
    swept = epr_spectrum(HALF, 2.0, 0.3, np.linspace(5, 15, 201), line=LorentzianLine(0.2))
    assert swept.absorption.dims == ("frequency",)
    assert swept.derivative.attrs["units"] == "mu_B/(T GHz)"
    assert float(swept.field) == 0.3


def test_a_powder_says_how_far_it_has_converged():
    ds = epr_spectrum(HALF, 2.0, B, "9.5 GHz", line=GaussianLine("10 mT"), powder=974)
    assert "974 directions" in ds.attrs["powder"]
    assert ds.powder_difference.dims == ("field",)
    with pytest.raises(ConvergenceError, match="directions enough"):
        epr_spectrum(
            HALF, 2.0, np.linspace(0.25, 0.4, 3001), "9.5 GHz", line=GaussianLine("0.1 mT"), powder=50
        )


@pytest.mark.parametrize("shape", [GaussianLine, LorentzianLine])
@pytest.mark.parametrize("blur", [0.0, 1e-4, 0.7])
def test_line_shapes_have_unit_area_and_their_derivative(shape, blur):
    line, x = shape(1.0), np.linspace(-400, 400, 800001)
    value = line.value(x, 1.0, blur)
    assert np.sum(value) * (x[1] - x[0]) == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(line.slope(x, 1.0, blur), np.gradient(value, x), atol=2e-5)
    if not blur:
        assert np.interp(0.5, x, value) == pytest.approx(0.5 * value.max())


def test_the_map_of_scattering_has_its_table():
    E = np.linspace(-3, 3, 241)
    ds = neutron_spectrum(SPIN, [1.0, 4.0], E, line=GaussianLine(0.1), B=0.5, axis=(0, 1, 0))
    assert ds.intensity.dims == ("temperature", "energy")
    assert ds.strength.shape == (3, 3)
    np.testing.assert_allclose(ds.strength, ds.strength.values.T, atol=1e-14)
    np.testing.assert_allclose(ds.population.sum("level_from"), 1.0)
    assert float(ds.level_energy[0]) == 0.0
    # A width in meV
    narrow = neutron_spectrum(SPIN, 1.0, E, line=GaussianLine("0.01 meV"))
    assert narrow.intensity.max() > ds.intensity[0].max() * 0.5


REFUSED = {
    "no unit of frequency": lambda: resonance_fields(SPIN, "9.5 T", span=(0, 1), T=1.0),
    "frequency of zero": lambda: resonance_fields(SPIN, 0.0, span=(0, 1), T=1.0),
    "span reversed": lambda: resonance_fields(SPIN, 9.5, span=(1, 0), T=1.0),
    "no temperature": lambda: resonance_fields(SPIN, 9.5, span=(0, 1), T=0.0),
    "table of temperatures": lambda: resonance_fields(SPIN, 9.5, span=(0, 1), T=[[1.0]]),
    "no axis": lambda: resonance_fields(SPIN, 9.5, span=(0, 1), T=1.0, axis=(0, 0, 0)),
    "unknown microwave": lambda: resonance_fields(SPIN, 9.5, span=(0, 1), T=1.0, microwave="across"),
    "microwave of two numbers": lambda: resonance_fields(SPIN, 9.5, span=(0, 1), T=1.0, microwave=(1, 0)),
    "one state": lambda: resonance_frequencies(SPIN, 1.0, T=1.0, states=1),
    "table of fields": lambda: resonance_frequencies(SPIN, [[1.0]], T=1.0),
    "name for a system": lambda: resonance_frequencies("fe8", 1.0, T=1.0),
    "both swept": lambda: epr_spectrum(HALF, 1.0, B, [1.0, 2.0], line=LINE),
    "none swept": lambda: epr_spectrum(HALF, 1.0, 0.3, 9.5, line=LINE),
    "number for a line": lambda: epr_spectrum(HALF, 1.0, B, 9.5, line=1e-3),
    "line without width": lambda: epr_spectrum(HALF, 1.0, B, 9.5, line=GaussianLine(0.0)),
    "width in seconds": lambda: epr_spectrum(HALF, 1.0, B, 9.5, line=GaussianLine("1 s")),
    "steps too wide": lambda: epr_spectrum(HALF, 1.0, B, 9.5, line=GaussianLine("1 mT")),
    "steps too wide for the slope": lambda: epr_spectrum(HALF, 1.0, B, 9.5, line=GaussianLine("10 MHz")),
    "field descends": lambda: epr_spectrum(HALF, 1.0, B[::-1], 9.5, line=LINE),
    "negative frequency": lambda: epr_spectrum(
        HALF, 1.0, 0.3, np.linspace(-1, 1, 201), line=GaussianLine(0.1)
    ),
    "axis of a powder": lambda: epr_spectrum(HALF, 1.0, B, 9.5, line=LINE, powder=50, axis=(1, 0, 0)),
    "direction in a powder": lambda: epr_spectrum(
        HALF, 1.0, B, 9.5, line=LINE, powder=50, microwave=(1, 0, 0)
    ),
    "no such rule": lambda: epr_spectrum(HALF, 1.0, B, 9.5, line=LINE, powder=51000),
    "energies unsorted": lambda: neutron_spectrum(SPIN, 1.0, [1.0, 0.0], line=GaussianLine(1.0)),
    "resolution too fine": lambda: neutron_spectrum(SPIN, 1.0, [0.0, 1.0], line=GaussianLine(0.1)),
    "too many positions": lambda: neutron_spectrum(
        SPIN, 1.0, [0.0, 0.1], line=GaussianLine(1.0), interference=Interference(1.0, np.zeros((2, 3)))
    ),
    "number for interference": lambda: neutron_spectrum(
        SPIN, 1.0, [0.0, 0.1], line=GaussianLine(1.0), interference=1.0
    ),
    "negative Q": lambda: Interference(-1.0, [[0, 0, 0]]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_refused_in_one_sentence(case):
    with pytest.raises(InputError) as error:
        REFUSED[case]()
    text = str(error.value)
    assert "\n" not in text
    assert "must" in text or "give" in text or "drop" in text, text


def test_a_transition_that_matches_everywhere_is_refused():
    # A nucleus without a moment: its quadrupole splitting does not depend on the field
    system = ms.SpinSystem(
        "mute nucleus",
        [ms.Spin(0.5), ms.Spin(1.5, 0.0, label="I", nuclear=True)],
        [ms.Quadrupole(1, "50 MHz")],
    )
    with pytest.raises(InputError, match="at every field"):
        resonance_fields(system, "0.1 GHz", span=(0, 1), T=1.0, forbidden=True)
    with pytest.warns(ms.errors.ValidityWarning, match="got none between"):
        ds = resonance_fields(system, "0.1 GHz", span=(0.1, 1), T=1.0)
    assert ds.sizes["transition"] == 0
