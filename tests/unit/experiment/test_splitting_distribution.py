"""Ensembles of splittings: draws, memory, provenance, refusals."""

import json

import numpy as np
import pytest

from mesospin.errors import ConvergenceError, InputError, InvalidModelError, UnitError
from mesospin.experiment.splittings import drawn_molecules
from mesospin.experiment.splittings.splitting_distribution import splitting_distribution
from mesospin.model.distributions import Gaussian, LogGaussian, Rayleigh, Values
from mesospin.model.environment import FROM_SYSTEM, Disorder, Member
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.tunnelling.problem import Levels
from mesospin.store import open_result, save

SPIN = giant_spin(4, D=-0.6)
ALL = dict(E=Gaussian("20 mK", "5 mK"), tilt=Rayleigh("1 deg"), transverse=Rayleigh("10 mT"))


def made(**changes):
    arguments = dict(**ALL, seed=1, samples=64) | changes
    return splitting_distribution(SPIN, (4, -3), **arguments)


def test_same_seed_same_numbers_whatever_the_chunks(monkeypatch):
    first = made()
    monkeypatch.setattr(drawn_molecules, "_CHUNK_BYTES", 16 * 16 * 81 * 5)
    again = made()
    assert again.identical(first)
    assert not np.array_equal(made(seed=2).splitting, first.splitting)


def test_chunks_are_bounded():
    parts = list(drawn_molecules.chunks(np.arange(10_000), 200))
    assert np.array_equal(np.concatenate(parts), np.arange(10_000))
    assert max(len(part) for part in parts) * 16 * 200**2 <= drawn_molecules._CHUNK_BYTES
    assert [len(part) for part in drawn_molecules.chunks(np.arange(2), 100_000)] == [1, 1]


def test_one_cause_more_leaves_the_draws_of_the_others():
    both, alone = made(), made(tilt=None, transverse=None)
    np.testing.assert_array_equal(both.rhombic, alone.rhombic)
    assert np.all(alone.tilt == 0)


def test_matrices_are_those_of_the_molecules():
    drawn = drawn_molecules.draw_molecules(SPIN, **ALL, site=0, samples=5, seed=3)
    ((part, H0, G),) = drawn.matrices(np.array([0, 2, 4]))
    for index, h0, g in zip(part, H0, G, strict=True):
        molecule = drawn._molecule(int(index))
        line = field_line(molecule.system, axis=molecule.axis, transverse=molecule.transverse)
        np.testing.assert_allclose(h0, line.H0, atol=1e-14)
        np.testing.assert_allclose(g, line.G, atol=1e-14)


def test_real_molecules_have_real_matrices():
    drawn = drawn_molecules.draw_molecules(
        SPIN, E=ALL["E"], tilt=None, transverse=None, site=0, samples=3, seed=3
    )
    ((_, H0, G),) = drawn.matrices(np.arange(3))
    assert H0.dtype == G.dtype == np.float64


def test_every_quantile_is_met_once():
    values = np.sort(made(samples=1000).rhombic.values)
    middle = Gaussian(0.020, 0.005).quantiles((np.arange(1001) / 1000).clip(1e-9, 1 - 1e-9), float_of, "E")
    assert np.all((values >= middle[:-1]) & (values <= middle[1:]))


def float_of(value, name):
    return float(value)


def test_shares_of_values_are_exact():
    answer = made(E=Values(["0 K", "10 mK"], [0.25, 0.75]), samples=400)
    assert np.count_nonzero(answer.rhombic == 0.0) == 100


@pytest.mark.parametrize(
    ("distribution", "u", "expected"),
    [
        (Gaussian(1.0, 2.0), 0.8413447460685429, 3.0),
        (LogGaussian(1.0, 2.0, 5.0), 0.8413447460685429, 5 * np.exp(1.0)),
        (Rayleigh(2.0), 1 - np.exp(-2.0), 4.0),
        (Values([3.0, 4.0], [0.4, 0.6]), 0.39, 3.0),
        (Values([3.0, 4.0], [0.4, 0.6]), 0.41, 4.0),
    ],
)
def test_quantiles(distribution, u, expected):
    assert distribution.quantiles(np.array([u]), float_of, "x")[0] == pytest.approx(expected)
    assert distribution == type(distribution)(
        *(getattr(distribution, name) for name in distribution.__slots__)
    )


def test_result_says_what_was_drawn_and_goes_to_a_file(tmp_path):
    answer = made()
    inputs = json.loads(answer.attrs["inputs"])
    assert inputs["seed"] == 1
    assert inputs["samples"] == 64
    assert inputs["pair"] == ["m=4", "m=-3"]
    assert "Rayleigh(width='1 deg')" in inputs["tilt"]
    assert all({"units", "long_name"} <= set(answer[name].attrs) for name in answer.variables)
    save(answer, tmp_path / "ensemble.nc")
    again = open_result(tmp_path / "ensemble.nc")
    np.testing.assert_array_equal(again.remaining_frozen, answer.remaining_frozen)


def test_histogram_integrates_to_one_and_its_median_halves_it():
    answer = made(samples=501)
    step = float(answer.bin[1] - answer.bin[0])
    assert float(answer.density.sum()) * step == pytest.approx(1.0)
    assert answer.sizes["bin"] == 60
    assert float(answer.median_log10) == pytest.approx(float(answer.log10_splitting.median()), abs=1e-12)
    assert float(answer.mean_log10) == pytest.approx(float(answer.log10_splitting.mean()), abs=1e-12)
    assert float(answer.spread_log10) == pytest.approx(float(answer.log10_splitting.std()), rel=1e-9)


def test_rates_lead_from_all_to_none_unless_given():
    answer = made(samples=200)
    assert float(answer.remaining_frozen.sel(passage=1)[-1]) > 0.98
    assert float(answer.remaining_frozen.sel(passage=1)[0]) < 0.02
    given = made(rates=["1 mT/s", 0.1], passages=[7])
    assert given.rate.values.tolist() == [1e-3, 0.1]
    assert given.passage.values.tolist() == [7]


def test_a_system_brings_its_own_disorder():
    system = load("mn12ac")
    own = splitting_distribution(system, (10, -8))
    named = splitting_distribution(system, (10, -8), disorder=system.defaults.disorder)
    assert own.identical(named)
    assert np.all(own.remaining_error == 0.0)
    assert own.sizes["molecule"] == 12
    replaced = splitting_distribution(system, (10, -8), E=Values([1e-3]), seed=1, samples=2)
    assert replaced.sizes["molecule"] == 2


def test_molecules_of_one_spin_one_half():
    half = giant_spin(0.5, D=0.0)
    answer = splitting_distribution(half, (0.5, -0.5), transverse=Values(["10 mT"]), seed=1, samples=3)
    assert answer.splitting.values == pytest.approx([2.0 * 0.671713815626 * 0.01] * 3)


REFUSALS = [
    (dict(seed=None), "seed must be a whole number where molecules are drawn"),
    (dict(seed=-1), "seed must be at least 0"),
    (dict(samples=0), "samples must be at least 1"),
    (dict(samples=2_000_000), "samples must be at most 1000000"),
    (dict(passages=(0,)), "passages must be at least 1"),
    (dict(rates=[0.0]), "rates must be positive"),
    (dict(rates=[]), "rates must hold at least one rate"),
    (dict(bins=0), "bins must be at least 1"),
    (dict(site=1), "site must be at most 0"),
    (dict(E=0.01), r"E must be a Gaussian or LogGaussian or Values, got 0.01; Values\(\[x\]\)"),
    (dict(E=Rayleigh(0.01)), "E must be a Gaussian or LogGaussian or Values"),
    (dict(tilt=Gaussian(0.0, 0.01)), r"tilt must be a Rayleigh or Values.*Rayleigh\(width\) is Gaussian"),
    (dict(transverse=LogGaussian(1, 1, 1)), "transverse must be a Rayleigh or Values"),
    (dict(tilt=Values([2.0])), "tilt must lie between 0 and pi/2"),
    (dict(tilt=Values([-0.1])), "tilt must lie between 0 and pi/2"),
    (dict(transverse=Values([-0.1])), "transverse must be magnitudes >= 0"),
    (dict(E=Gaussian("2 T", "1 mK")), "mean of E must have a unit"),
    (dict(E=Gaussian(0.0, -1.0)), "width of E must be zero or positive"),
    (dict(E=LogGaussian(1.0, 1.0, 0.0)), "scale of E must be positive"),
    (dict(disorder=Disorder([Member(1.0)])), "E must be left out with a Disorder"),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSALS)
def test_bad_input_is_one_sentence(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        made(**changes)


def test_nothing_to_distribute_or_no_draws_with_a_disorder():
    with pytest.raises(InputError, match="E, tilt, transverse or disorder must be given: giant spin"):
        splitting_distribution(SPIN, (4, -4))
    with pytest.raises(InputError, match="seed must be left out with a Disorder"):
        splitting_distribution(load("mn12ac"), (10, -10), seed=1)
    with pytest.raises(InputError, match="disorder must be a Disorder"):
        splitting_distribution(SPIN, (4, -4), disorder=0.1)
    assert repr(FROM_SYSTEM) == "FROM_SYSTEM"


def test_pairs_are_named_states():
    with pytest.raises(InputError, match="pair must name two states"):
        splitting_distribution(SPIN, Levels(0, 1), E=Values([0.01]), seed=1)
    with pytest.raises(InputError, match="pair must be two different states"):
        splitting_distribution(SPIN, (4, 4), E=Values([0.01]), seed=1)


def test_values_must_fit_their_weights():
    with pytest.raises(InvalidModelError, match="values must be a sequence"):
        Values([])
    with pytest.raises(InvalidModelError, match="weights must be one for each of 2 values"):
        Values([1.0, 2.0], [1.0])
    with pytest.raises(InvalidModelError, match="must sum to 1"):
        Values([1.0, 2.0], [0.5, 0.6])


def test_units_are_read_where_the_quantity_is_known():
    with pytest.raises(UnitError, match="transverse"):
        made(transverse=Rayleigh("1 K"))


def test_levels_that_lose_their_names_and_splittings_that_underflow_are_refused():
    with pytest.raises(InputError, match="recognisable"):
        splitting_distribution(SPIN, (2, 0), E=Values([0.3]), seed=1, samples=2)
    tiny = giant_spin(20, D=-0.6)
    with pytest.raises(ConvergenceError, match="splitting"):
        splitting_distribution(tiny, (20, -20), E=Values([1e-16]), seed=1, samples=2)
