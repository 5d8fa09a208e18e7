"""The public recipes: shapes, symmetry, provenance, refusals."""

import json

import numpy as np
import pytest

from mesospin.dynamics.methods import Exact, RateEquations
from mesospin.dynamics.protocols import FieldSteps, FieldSweep, HalfSinePulse
from mesospin.errors import InputError, ValidityWarning
from mesospin.experiment.crossover import crossover_temperature
from mesospin.experiment.hysteresis import hysteresis
from mesospin.experiment.powder import powder_axes
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.experiment.stoner_wohlfarth import stoner_wohlfarth
from mesospin.experiment.sweep import sweep
from mesospin.model.environment import FROM_SYSTEM, PhononBath
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.spectrum.levels import levels

SPIN = giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5, g=1.94)
BATH = PhononBath(density=1830.0, sound_speed=2000.0, coupling=0.548)


def test_loop_is_antisymmetric_with_units_and_provenance() -> None:
    loop = hysteresis(load("mn12ac"), [0.5, 2.5], "3 mT/s", (-5.5, 5.5))
    up, down = loop.reduced.sel(branch="up").values, loop.reduced.sel(branch="down").values
    assert np.abs(up + down[:, ::-1]).max() <= 1e-12
    assert np.abs(loop.reduced).max() <= 1 + 1e-12
    inputs = json.loads(loop.attrs["inputs"])
    assert inputs["molecules"] == 12
    assert "PhononBath" in inputs["bath"]
    assert all("units" in variable.attrs for variable in loop.data_vars.values())
    assert float(loop.classical_coercive_field) == pytest.approx(12.0, abs=0.05)


def test_down_branch_swept_equals_down_branch_mirrored() -> None:
    """An asymmetric span is swept both ways; where the spans overlap the loops agree."""
    whole = hysteresis(SPIN, 2.2, 3e-3, (-4.0, 4.0), bath=BATH)
    part = hysteresis(SPIN, 2.2, 3e-3, (-4.0, 4.1), bath=BATH)
    for branch in ("up", "down"):
        a = whole.reduced.sel(branch=branch).values[0]
        b = np.interp(whole.field.values, part.field.values, part.reduced.sel(branch=branch).values[0])
        np.testing.assert_allclose(a, b, atol=2e-3)


def test_tilt_moves_the_steps_to_higher_field() -> None:
    straight = hysteresis(SPIN, 0.1, 3e-3, (-5.5, 5.5), bath=BATH)
    turned = hysteresis(SPIN, 0.1, 3e-3, (-5.5, 5.5), bath=BATH, tilt="5 deg")
    ratio = turned.step_field.values[5] / straight.step_field.values[5]
    assert ratio == pytest.approx(1 / np.cos(np.radians(5)), rel=2e-3)
    assert straight.step_zero.values[7]
    assert not turned.step_zero.values[7]


def test_workers_give_the_same_numbers(tmp_path) -> None:  # type: ignore[no-untyped-def]
    system = load("mn12ac")
    here = hysteresis(system, 2.0, 3e-3, (-3.0, 3.0))
    there = hysteresis(system, 2.0, 3e-3, (-3.0, 3.0), workers=2, checkpoint=tmp_path)
    again = hysteresis(system, 2.0, 3e-3, (-3.0, 3.0), checkpoint=tmp_path)
    assert here.identical(there)
    assert here.identical(again)


def test_powder_starts_from_equilibrium_in_every_direction() -> None:
    spin = giant_spin(2, D=-3.0, E=1e-3)
    with pytest.warns(ValidityWarning, match="2 -> -2"):  # a transverse field opens the ground step
        loop = hysteresis(spin, 0.5, 0.01, (-3.0, 3.0), bath=BATH, powder=5, field_step=0.01)
    up = loop.magnetisation.sel(branch="up").values[0]
    # at the start of the sweep every direction is in equilibrium: Boltzmann over exact levels
    expected = 0.0
    for axis, weight in zip(*powder_axes(spin, 5), strict=True):
        exact = levels(spin, -3.0, axis=axis)
        population = np.exp(-(exact.energy.values - exact.energy.values.min()) / 0.5)
        expected += weight * (population @ (exact.moment.values @ np.array(axis))) / population.sum()
    # within 5.7 degrees of the axis (here: on it) the moment is that of |m>
    assert up[0] == pytest.approx(expected, rel=1e-3)
    assert powder_axes(spin, 11)[1].sum() == pytest.approx(1.0)


def test_coherent_steps_are_warned_of() -> None:
    with pytest.warns(ValidityWarning, match="10 -> -10"):
        hysteresis(load("fe8"), 0.1, 0.14, (-0.3, 0.3))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"T": 0.0}, "T must be"),
        ({"T": [1.0, np.nan]}, "T must be"),
        ({"T": -1.0}, "T must be"),
        ({"rate": 0.0}, "rate must be positive"),
        ({"rate": "3 m"}, "rate"),
        ({"span": (1.0, -1.0)}, "span"),
        ({"bath": FROM_SYSTEM}, "bath must be given"),
        ({"method": Exact()}, "use sweep"),
        ({"powder": 4}, "Lebedev"),
        ({"field_step": 0.0}, "field_step"),
        ({"transverse": (1.0,)}, "transverse"),
    ],
)
def test_bad_input_is_one_sentence(arguments: dict[str, object], sentence: str) -> None:
    good: dict[str, object] = {"T": 1.0, "rate": 3e-3, "span": (-1.0, 1.0), "bath": BATH}
    with pytest.raises(InputError, match=sentence):
        hysteresis(SPIN, **(good | arguments))  # type: ignore[arg-type]


def test_relaxation_matrix_relaxes_to_boltzmann() -> None:
    ds = relaxation_rates(SPIN, [3.0, 5.0, 8.0], [0.0, 0.2], bath=BATH)
    rate, energy = ds.rate.values[1, 1], ds.energy.values[1]
    weight = np.exp(-(energy - energy.min()) / 5.0)
    flow = rate @ weight - rate.sum(axis=0) * weight
    assert np.abs(flow).max() < 1e-9 * (rate.sum(axis=0) * weight).max()
    assert np.all(ds.eigen_rate.values[..., 0] == 0)
    assert ds.path.values[0, 0].startswith("m=10 > ")
    assert ds.path.values[2, 0].endswith("m=-10")
    with pytest.raises(InputError, match="T must be"):
        relaxation_rates(SPIN, 0.0, bath=BATH)


def test_path_belongs_to_the_averaged_rate() -> None:
    """Exactly on resonance a molecule leaks through m = 6; frozen fields leave the wide pair m = 4."""
    system = load("mn12ac")
    mean = relaxation_rates(system, [3.0, 4.0], [0.0, 0.2])
    assert all("m=4 > m=-4" in path for path in mean.path.values[:, 0])
    assert "m=2 > m=0" in mean.path.values[0, 1]  # between resonances the way leads over the top
    ideal = relaxation_rates(system, 3.0, dipolar=None, disorder=None)
    assert "m=6 > m=-6" in ideal.path.values[0, 0]


def test_coherent_sweeps_refuse_surroundings_they_would_ignore() -> None:
    protocol = FieldSweep(-0.01, 0.01, rate=1.0)
    with pytest.raises(InputError, match="bath must be left out"):
        sweep(load("fe8"), protocol, method=Exact(), bath=BATH)


def test_a_name_is_not_a_system() -> None:
    with pytest.raises(InputError, match="load"):
        hysteresis("mn12ac", 1.0, 3e-3, (-1.0, 1.0))  # type: ignore[arg-type]


def test_text_with_units_at_every_argument() -> None:
    text = hysteresis(SPIN, ["500 mK"], "3 mT/s", ("-4 T", "4 T"), bath=BATH, field_step="2 mT")
    number = hysteresis(SPIN, [0.5], 3e-3, (-4.0, 4.0), bath=BATH)
    np.testing.assert_array_equal(text.reduced.values, number.reduced.values)


def test_sweeps_of_every_protocol_start_in_equilibrium() -> None:
    for protocol in (
        FieldSweep(-3.0, 3.0, rate=0.01),
        FieldSteps([-3.0, 0.44], [1.0, 100.0]),
        HalfSinePulse(6.0, duration=0.01),
    ):
        ds = sweep(SPIN, protocol, T=2.5, bath=BATH, points=51)
        assert np.abs(ds.population.sum("level") - 1).max() < 1e-9
        assert ds.field.values[0] == protocol.B([0.0])[0]
    with pytest.raises(InputError, match="T must be given"):
        sweep(SPIN, FieldSweep(-1.0, 1.0, rate=1.0), bath=BATH)
    with pytest.raises(InputError, match="protocol must be"):
        sweep(SPIN, "linear", T=1.0, bath=BATH)  # type: ignore[arg-type]


def test_loop_and_sweep_are_the_same_calculation() -> None:
    loop = hysteresis(SPIN, 2.2, 0.01, (-3.0, 3.0), bath=BATH, method=RateEquations(reduce=False))
    passage = sweep(SPIN, FieldSweep(-3.0, 3.0, rate=0.01), T=2.2, bath=BATH, points=601)
    up = np.interp(passage.field.values, loop.field.values, loop.reduced.sel(branch="up").values[0])
    close = np.abs(up - passage.reduced.values)
    assert np.median(close) < 1e-3
    assert close.max() < 0.05  # a step lies between two points of the coarser result


def test_slow_exact_sweep_without_a_crossing_is_refused() -> None:
    with pytest.raises(InputError, match="crossing"):
        sweep(load("fe8"), FieldSweep(0.05, 0.15, rate=0.1), method=Exact())


def test_crossover_lies_between_equal_and_different_loops() -> None:
    T = crossover_temperature(SPIN, 3e-3, (-5.5, 5.5), bath=BATH)
    loop = hysteresis(SPIN, [0.05, 0.9 * T, 1.1 * T], 3e-3, (-5.5, 5.5), bath=BATH)
    deviation = np.abs(loop.reduced - loop.reduced[0]).max(("branch", "field")).values
    assert deviation[1] < 0.1 < deviation[2]


def test_classical_loop_in_closed_form() -> None:
    """Axial anisotropy: M jumps at 2 D S/(g mu_B); perpendicular field: M = B/B_A, no loop."""
    spin = giant_spin(10, D=-0.5)
    anisotropy = 2 * 0.5 * 10 / (2 * 0.671713815626)
    along = stoner_wohlfarth(spin, (-9.0, 9.0)).reduced.sel(branch="up")
    jump = float(along.field[int(np.argmax(along.values > 0))])
    assert jump == pytest.approx(anisotropy, abs=0.02)
    across = stoner_wohlfarth(spin, (-5.0, 5.0), axis=(1, 0, 0)).reduced.sel(branch="up")
    np.testing.assert_allclose(across.values, across.field.values / anisotropy, atol=0.02)
    with pytest.raises(InputError, match="single spin"):
        stoner_wohlfarth(load("mn4-dimer"), (-1.0, 1.0))
