"""Rates at one field: area of a line, detailed balance, limits."""

import numpy as np
import pytest
from scipy.integrate import quad

from mesospin.bath.disorder import Molecule
from mesospin.bath.phonons import phonon_prefactor, phonon_strengths
from mesospin.constants import HBAR
from mesospin.dynamics.branch import bottoms, coherent_crossings, molecule_frame
from mesospin.dynamics.frame import Frame, reversed_frame
from mesospin.dynamics.rates import line_rate, rates_at, rates_between
from mesospin.model.environment import PhononBath
from mesospin.model.library import load
from mesospin.spectrum.diabatic import diabatic_point
from mesospin.spectrum.landau_zener import landau_zener
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.search import site_slope


def frame_of(name: str, span: tuple[float, float], transverse: tuple[float, float] = (0.0, 0.0)) -> Frame:
    system = load(name)
    molecule = Molecule(1.0, system, (0.0, 0.0, 1.0), transverse)
    return molecule_frame(molecule, system.defaults.phonons, span)


@pytest.mark.parametrize("shape", [(3e-6, 0.0), (0.0, 2e-3)])
def test_area_of_a_line_is_the_landau_zener_exponent(shape: tuple[float, float]) -> None:
    gap, slope, rate = 1e-7, 26.0, 3e-3
    scale = max(shape)
    half, _ = quad(lambda x: line_rate(gap, x * scale, *shape) * scale, 0.0, 1.0)
    tail, _ = quad(lambda x: line_rate(gap, scale / x, *shape) * scale / x**2, 1e-12, 1.0)
    exponent = 2 * (half + tail) / (slope * rate)
    assert exponent == pytest.approx(np.pi * gap**2 / (2 * HBAR * slope * rate), rel=1e-9)
    assert -np.expm1(-exponent) == pytest.approx(float(landau_zener(gap, rate, slope=slope)), rel=1e-9)


@pytest.mark.parametrize("T", [0.02, 0.5, 2.0, 30.0])
def test_phonons_obey_detailed_balance(T: float) -> None:
    frame = frame_of("mn12ac", (-1.0, 1.0))
    frame = frame._replace(crossings=type(frame.crossings)(*(x[:0] for x in frame.crossings)))
    R = rates_at(frame, 0.317, T)
    energy = np.array([np.interp(0.317, frame.field, level) for level in frame.energy.T])
    for a, b in np.argwhere((R > 1e-280) & (R.T > 1e-280)):
        expected = (energy[a] - energy[b]) / T
        assert np.log(R[a, b] / R[b, a]) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("T", [0.1, 1.0, 10.0])
def test_all_rates_of_one_field_obey_detailed_balance(T: float) -> None:
    """Tunnelling included, at a field where ten pairs are in resonance."""
    system = load("fe8")
    line = field_line(system, transverse=(0.02, 0.0))
    point = diabatic_point(line, 1e-6, adiabatic_gap=1e-3, site_slope=site_slope(system))
    bath = system.defaults.phonons
    assert bath is not None
    R = rates_between(point, phonon_strengths(system, bath, point.states), T)
    assert np.count_nonzero(point.coupling) > 0
    pairs = np.argwhere((R > 1e-280) & (R.T > 1e-280))
    ratio = np.array([np.log(R[a, b] / R[b, a]) for a, b in pairs])
    expected = np.array([(point.energy[a] - point.energy[b]) / T for a, b in pairs])
    np.testing.assert_allclose(ratio, expected, rtol=1e-8, atol=1e-8)


def test_rate_of_the_lowest_step_of_the_ladder() -> None:
    """m = 9 -> 10 emits: s1 = 20 * 19^2, energy 19 D + (10^4 - 9^4) B."""
    frame = frame_of("mn12ac", (-1.0, 1.0))
    R = rates_at(frame, 0.0, 0.05)
    bath = PhononBath(density=1830.0, sound_speed=2000.0, coupling=0.548)
    energy = 19 * 0.548 + (10**4 - 9**4) * 1.17e-3
    assert R[1, 0] == pytest.approx(phonon_prefactor(bath) * 20 * 19**2 / 48 * energy**3, rel=1e-9)
    assert np.log(R[0, 1] / R[1, 0]) == pytest.approx(-energy / 0.05, rel=1e-12)


def test_frame_looks_the_same_from_behind() -> None:
    """Time reversal: rates at B equal those at -B with opposite projections."""
    frame = frame_of("mn12ac", (-1.0, 1.0))
    R, back = rates_at(frame, 0.443, 2.0), rates_at(frame, -0.443, 2.0)
    np.testing.assert_allclose(R, back[::-1, ::-1], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(rates_at(reversed_frame(frame), -0.443, 2.0), R, rtol=1e-9, atol=1e-15)


def test_bottoms_are_the_two_wells() -> None:
    assert bottoms(frame_of("mn12ac", (-1.0, 1.0))).tolist() == [0, 20]
    fe8 = bottoms(frame_of("fe8", (-0.3, 0.3)))
    assert len(fe8) == 2


def test_slow_sweeps_are_not_coherent() -> None:
    frame = frame_of("fe8", (-0.5, 0.5))
    assert not {B for B in coherent_crossings(frame, 1e-3, 0.0) if B > 0.01}
    assert coherent_crossings(frame, 1.0, 0.0)
