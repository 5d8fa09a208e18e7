"""The door of the older experiment: shapes, units, refusals, and what must agree inside one result."""

import json

import numpy as np
import pytest
import xarray as xr

from mesospin.errors import InputError
from mesospin.experiment.particles.escape_rates import QuantumEscape, ThermalEscape, quantum_crossover
from mesospin.experiment.particles.first_passage import first_passage, mean_switchings, width_switchings
from mesospin.experiment.particles.particle import InverseSpread, LogNormalSpread, Particle
from mesospin.experiment.particles.switching import switching_fields

GRAIN = Particle(20000, "2 T", "1 T", name="grain", title="A grain, of 20 000 Bohr magnetons")
TEMPERATURES = [0.5, 0.02, 0.1]


@pytest.fixture(scope="module")
def result():
    return switching_fields(GRAIN, TEMPERATURES, "1 mT/s", angles=["20 deg", "45 deg", "70 deg"])


def test_result_has_units_names_and_provenance(result):
    assert result.attrs["kind"] == "switching"
    assert result.attrs["system"] == "grain"
    assert json.loads(result.attrs["inputs"])["rate"] == 1e-3
    for name in [*result.data_vars, "temperature", "time", "field_angle"]:
        assert result[name].attrs["units"], name
        assert result[name].attrs["long_name"], name
    assert result["mean_field"].dims == ("case", "temperature")
    assert result["crossover"].sizes == {"field_angle": 3}


def test_result_goes_through_a_file(result, tmp_path):
    result.to_netcdf(tmp_path / "switching.nc")
    with xr.open_dataset(tmp_path / "switching.nc") as again:
        xr.testing.assert_identical(again.load(), result)


def test_equal_calls_give_equal_numbers_whatever_the_spelling(result):
    spelled = switching_fields(
        GRAIN, ["500 mK", "20 mK", 0.1], 1e-3, angle="45 deg", angles=list(np.deg2rad([20.0, 45.0, 70.0]))
    )
    xr.testing.assert_identical(spelled, result)


def test_only_tunnelling_and_heat_leak_stop_the_mean(result):
    """From 0.1 K, the crossover, to 0.02 K."""
    change = result.mean_field.sel(temperature=0.02) - result.mean_field.sel(temperature=0.1)
    width = result.field_width.sel(temperature=0.02)
    assert float(change.sel(case="thermal particle")) > 20 * float(width.sel(case="thermal particle"))
    for name in ("tunnelling particle", "overheated particle"):
        assert float(change.sel(case=name)) < 3 * float(width.sel(case=name))
    # The heat leak imitates the tunnelling particle within a hundredth of its width.
    cold = result.mean_field.sel(temperature=0.02)
    imitation = float(cold.sel(case="overheated particle") - cold.sel(case="tunnelling particle"))
    assert abs(imitation) < 0.05 * float(width.sel(case="tunnelling particle"))


def test_escape_temperatures_of_thermal_particles_are_their_temperatures(result):
    thermal = result.sel(single="thermal particle")
    assert thermal.escape_temperature.values == pytest.approx(TEMPERATURES, rel=1e-3)
    assert thermal.width_temperature.values == pytest.approx(TEMPERATURES, rel=1e-3)
    overheated = result.sel(single="overheated particle")
    true = (np.array(TEMPERATURES) ** 4 + float(result.leak_temperature) ** 4) ** 0.25
    assert overheated.escape_temperature.values == pytest.approx(true, rel=1e-3)


def test_leak_is_the_frozen_temperature_at_the_angle_of_the_experiment(result):
    here = result.sel(field_angle=np.pi / 4)
    assert float(here.frozen_temperature) == pytest.approx(float(result.leak_temperature), rel=1e-9)
    assert float(here.imitation_field) == pytest.approx(float(here.cold_field), abs=1e-7)
    assert float(here.needed_angle) > 1e4
    # At other angles the crossover moves and a few switchings tell.
    assert float(result.needed_angle.isel(field_angle=0)) < 10
    assert float(result.crossover.isel(field_angle=0)) < 0.9 * float(result.crossover.isel(field_angle=2))


def test_waiting_times_of_one_particle_are_exponential_and_of_many_are_not(result):
    singles = result.waiting_variation.sel(case=list(result.single.values))
    assert singles.values == pytest.approx(np.ones((3, 3)), abs=1e-3)
    for name in ("thermal ensemble", "tunnelling ensemble"):
        assert np.all(result.waiting_variation.sel(case=name) > 1.3)
        assert np.all(result.waiting_spread.sel(case=name) > 1.6)
    assert np.all(result.needed_waiting < 100)


def test_remaining_share_falls_from_one(result):
    remaining = result.remaining.values
    assert np.all(np.diff(remaining, axis=1) <= 0)
    assert np.all(remaining[:, 0] > 0.8)
    assert np.all(remaining[:3, -1] < 1e-12)
    assert np.all(remaining[3:, -1] > 0.5)


def test_viscosity_of_wide_barriers_is_flat_and_of_a_thermal_ensemble_is_not(result):
    wide = result.viscosity.sel(case="wide thermal ensemble").values
    assert wide == pytest.approx(np.full(3, wide[0]), rel=2e-3)
    thermal = result.viscosity.sel(case="thermal ensemble", temperature=[0.02, 0.5]).values
    assert thermal[1] > 5 * thermal[0]


def test_no_spread_is_the_single_particle():
    same = switching_fields(GRAIN, [0.2], "1 mT/s", spread=LogNormalSpread(0.0, 0.0), angles=["45 deg"])
    for alone, many in [
        ("thermal particle", "thermal ensemble"),
        ("tunnelling particle", "tunnelling ensemble"),
    ]:
        for name in ("mean_field", "field_width", "waiting_variation"):
            assert same[name].sel(case=many).item() == pytest.approx(
                same[name].sel(case=alone).item(), rel=1e-12
            )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"T": [0.1, -0.1]}, "T must be positive"),
        ({"T": "0.1 K"}, "T must be a sequence"),
        ({"T": []}, "T must be a sequence"),
        ({"T": [100.0, 1000.0]}, "T must be low enough to block"),
        ({"rate": 0.0}, "rate must be positive"),
        ({"angle": "90 deg"}, "angle must lie between 0 and 85 deg"),
        ({"angles": ["45 deg", "-1 deg"]}, "angles must lie between 0 and 85 deg"),
        ({"spread": 0.3}, "spread must be a Spread"),
        ({"waiting": "0 s"}, "waiting must be positive"),
        ({"confidence": 0.4}, "confidence must lie between 0.5 and 1"),
        ({"particle": 10}, "particle must be a Particle"),
        ({"particle": Particle(20000, "2 T"), "angle": 0.0}, "angle must be larger"),
        ({"particle": Particle(1e9, "1 T", "1 T"), "T": [1e-3]}, "T must be high enough"),
    ],
)
def test_refusals_are_sentences(arguments, sentence):
    given = {"particle": GRAIN, "T": [0.1], "rate": 1e-3, "angles": ["45 deg"]} | arguments
    with pytest.raises(InputError, match=sentence):
        switching_fields(given.pop("particle"), given.pop("T"), given.pop("rate"), **given)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Particle(1, "1 T"), "moment must be at least 2"),
        (lambda: Particle(100, "-1 T"), "anisotropy_field must be positive"),
        (lambda: Particle(100, "1 T", -0.1), "hard_field must be zero or positive"),
        (lambda: Particle.from_spin(10, D=0.3), "D must be negative"),
        (lambda: Particle.from_spin(10, D=-0.3, E=0.4), "D must be negative"),
        (lambda: LogNormalSpread(-0.1, 0.1), "moment must be zero or positive"),
        (lambda: InverseSpread(2.0, 1.0), "largest must be above smallest"),
        (lambda: width_switchings(0.0, 3.0), "ratio must be positive"),
        (lambda: mean_switchings(1.0, 1.0, 1.0, confidence=1.0), "confidence must lie"),
        (lambda: first_passage([0, 1, 1, 2], [0, 0, 0, 0], 1.0), "fields must rise"),
        (lambda: quantum_crossover(GRAIN, 1.2, "45 deg"), "B must lie between"),
        (lambda: ThermalEscape().log_rate(GRAIN, 0.0, 1.0), "B must be above a thousandth"),
    ],
)
def test_parts_refuse_in_sentences(build, sentence):
    with pytest.raises(InputError, match=sentence):
        build()


def test_rate_is_infinite_where_the_well_has_gone_and_keeps_the_shape():
    rates = QuantumEscape().log_rate(GRAIN, [[0.5, 0.99], [1.0, 1.5]], "0.1 K", "45 deg")
    assert rates.shape == (2, 2)
    assert np.all(np.isfinite(rates[0]))
    assert np.all(rates[1] == np.inf)
    assert float(ThermalEscape().log_rate(GRAIN, 0.99, 0.0, "45 deg")) == -np.inf


def test_particle_of_a_spin_has_the_anisotropy_of_its_hamiltonian():
    particle = Particle.from_spin(10, D=-0.292, E=-0.046)
    same = Particle.from_spin(10, D=-0.292, E=0.046)
    assert particle == same
    # Along the easy axis the barrier is (|D| - |E|)(S + 1/2)^2.
    assert particle.barrier == pytest.approx((0.292 - 0.046) * 10.5**2, rel=1e-12)
