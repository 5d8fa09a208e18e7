"""The master equation: order, conservation, equilibrium; protocols."""

import numpy as np
import pytest
from scipy.linalg import expm

from mesospin.bath.disorder import Molecule
from mesospin.dynamics.branch import molecule_frame, sweep_branch
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.master import populations, thermal
from mesospin.dynamics.protocols import ConstantField, FieldSteps, FieldSweep, HalfSinePulse
from mesospin.dynamics.rates import rates_at
from mesospin.errors import InputError
from mesospin.model.library import load
from mesospin.model.system import giant_spin


def mn12_frame(span: tuple[float, float]) -> Frame:
    system = load("mn12ac")
    return molecule_frame(Molecule(1.0, system, (0.0, 0.0, 1.0), (0.0, 0.0)), system.defaults.phonons, span)


def test_constant_rates_against_the_matrix_exponential() -> None:
    frame = mn12_frame((-1.0, 1.0))
    R = rates_at(frame, 0.3, 12.0)
    generator = R.T - np.diag(R.sum(axis=1))
    start = np.zeros(21)
    start[5] = 1.0
    exact = expm(generator * 1e-6) @ start
    errors = []
    for steps in (20, 40, 80):
        p = populations(frame, 12.0, np.linspace(0, 1e-6, steps + 1), lambda t: np.full(t.shape, 0.3), start)
        errors.append(np.abs(p[-1] - exact).max())
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 2.6)  # declared order 3
    assert errors[-1] < 1e-4


def test_probability_is_conserved_without_renormalising() -> None:
    frame = mn12_frame((-1.0, 1.0))
    branch_times = np.linspace(0.0, 1000.0, 2001)
    p = populations(frame, 3.0, branch_times, lambda t: -1.0 + 2e-3 * t, thermal(frame.energy[0], 3.0))
    assert np.abs(p.sum(axis=1) - 1).max() < 1e-10
    assert p.min() > -1e-10


def test_equilibrium_is_boltzmann_and_stays() -> None:
    frame = mn12_frame((-1.0, 1.0))
    frame = frame._replace(crossings=type(frame.crossings)(*(x[:0] for x in frame.crossings)))
    energy = np.array([np.interp(0.2, frame.field, level) for level in frame.energy.T])
    start = thermal(energy, 4.0)
    p = populations(frame, 4.0, np.geomspace(1e-9, 1e3, 50), lambda t: np.full(t.shape, 0.2), start)
    np.testing.assert_allclose(p[-1], start, atol=1e-10)


def test_reduction_that_does_not_fit_is_refused() -> None:
    system = giant_spin(5, D=-0.6, E=0.1)
    bath = load("mn12ac").defaults.phonons
    frame = molecule_frame(Molecule(1.0, system, (0.0, 0.0, 1.0), (0.5, 0.0)), bath, (-1.0, 1.0))
    with pytest.raises(InputError, match="reduce must be False"):
        sweep_branch(frame, 1.0, -0.9, 0.9, 0.01, reduce=True)


def test_lines_that_short_circuit_each_other_stay_in_the_rates() -> None:
    """Two wide pairs at zero field each move nothing while the other is open; both are needed."""
    system = load("mn12ac")
    disorder = system.defaults.disorder
    assert disorder is not None
    member = disorder.members[4]
    molecule = Molecule(
        1.0,
        system.with_terms(*member.terms),
        (float(np.sin(member.tilt)), 0.0, float(np.cos(member.tilt))),
        member.transverse,
    )
    frame = molecule_frame(molecule, system.defaults.phonons, (-5.7, 5.7))
    fields = np.linspace(-1, 1, 21)
    both = [
        sweep_branch(frame, 3.5, -5.6, 5.6, 3e-3, reduce=reduce).moment(fields, 0.025) / 19.4
        for reduce in (True, False)
    ]
    # detailed balance of the lines is off by the shift of the crossings, a few mK in 3.5 K
    np.testing.assert_allclose(both[0], both[1], atol=3e-3)


@pytest.mark.parametrize(
    ("protocol", "times", "fields"),
    [
        (FieldSweep(1.0, -1.0, rate=0.5), [0.0, 2.0, 4.0], [1.0, 0.0, -1.0]),
        (FieldSteps([0.1, "200 mT"], [1.0, "2 s"]), [0.5, 1.5, 3.0], [0.1, 0.2, 0.2]),
        (HalfSinePulse(-4.0, duration="6 ms"), [0.0, 1e-3, 3e-3, 6e-3], [0.0, -2.0, -4.0, 0.0]),
        (ConstantField("0.5 T", duration=10.0), [0.0, 10.0], [0.5, 0.5]),
    ],
)
def test_protocols(protocol: FieldSweep, times: list[float], fields: list[float]) -> None:
    np.testing.assert_allclose(protocol.B(times), fields, atol=1e-12)
    for segment in protocol.segments():
        if segment.time is not None:
            t = np.linspace(segment.start, segment.stop, 7)
            np.testing.assert_allclose(segment.time(segment.field(t)), t, atol=1e-9 * segment.stop)


@pytest.mark.parametrize(
    "make",
    [
        lambda: FieldSweep(0.0, 0.0, rate=1.0),
        lambda: FieldSweep(0.0, 1.0, rate=0.0),
        lambda: FieldSweep(0.0, np.nan, rate=1.0),
        lambda: FieldSteps([], []),
        lambda: FieldSteps([0.0], [1.0, 2.0]),
        lambda: HalfSinePulse(0.0, duration=1.0),
        lambda: HalfSinePulse(1.0, duration=-1.0),
        lambda: ConstantField(np.inf, duration=1.0),
    ],
)
def test_protocols_refuse(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
