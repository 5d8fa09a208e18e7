"""Barbara's review, hysteresis: the classical loop, steps and plateaus, crossover and narrowing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.protocols import ConstantField
from mesospin.experiment.hysteresis import hysteresis
from mesospin.experiment.stoner_wohlfarth import stoner_wohlfarth
from mesospin.experiment.sweep import sweep
from mesospin.model.library import load
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.report.validation.rows import Row, Source
from mesospin.report.validation.staircase import RATE, SPAN, crossover, loops, steepest_field
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

_CLASSICAL: Final = Source("Barbara review, Classical versus quantum-mechanical hysteresis")
_LOOP: Final = Source("Barbara review, Fig. 4")
_OUTLOOK: Final = Source("Barbara review, conclusion")
_D, _B, _G = 0.548, 1.17e-3, 1.94


def classical_loop() -> Sequence[Row]:
    """Return the rows on the anisotropy field and the single-step loop."""
    second, full = giant_spin(10, D=-_D, g=_G), giant_spin(10, D=-_D, A4=-_B, g=_G)
    moment = _G * MU_B * 10
    simple, complete = _switching_field(second), _switching_field(full)
    classical = stoner_wohlfarth(full, (-14.0, 14.0), field_step=0.02).reduced.sel(branch="up").values
    return [
        _CLASSICAL.number(
            "anisotropy-field",
            "H_A = 2K/M_s, K = D S^2 (second order)",
            2 * _D * 100 / moment,
            simple,
            "T",
            atol=0.025,
            reason="switching field of the classical loop, 20 mT grid",
        ),
        _CLASSICAL.number(
            "anisotropy-field-fourth-order",
            "H_A = 2K/M_s, K = D S^2 + B S^4 (the whole barrier)",
            2 * (_D * 100 + _B * 1e4) / moment,
            complete,
            "T",
            rtol=0.02,
            reason="with m^4 the stiffness at the well bottom counts: H_A = 2(D S^2 + 2 B S^4)/M_s = "
            f"{2 * (_D * 100 + 2 * _B * 1e4) / moment:.2f} T",
            should_hold=False,
        ),
        _CLASSICAL.number(
            "classical-single-step",
            "classical loop: a single step, height of its largest jump of M/M_s",
            2.0,
            float(np.diff(classical).max()),
            atol=0.01,
        ),
        _CLASSICAL.number(
            "full-reversal-field",
            "full reversal far below H_A: field of M/M_s = 0.99 at 1.9 K over H_A",
            0.0,
            _reversed_at(1.9) / complete,
            atol=0.5,
            reason="fields below half of H_A count as far below",
        ),
    ]


def _switching_field(system: SpinSystem) -> float:
    loop = stoner_wohlfarth(system, (-14.0, 14.0), field_step=0.02)
    up = loop.reduced.sel(branch="up").values
    return float(loop.field.values[int(np.argmax(up > 0))])


def _reversed_at(T: float) -> float:
    up = loops().reduced.sel(temperature=T, branch="up")
    return float(up.field.values[int(np.argmax(up.values > 0.99))])


def steps_and_plateaus() -> Sequence[Row]:
    """Return the rows on steps, plateaus and their heights at low temperature."""
    molecule = load("mn12ac")
    fields = loops().step_field.values
    sharp = hysteresis(molecule, 0.1, RATE, SPAN, disorder=None, dipolar=None)
    up = sharp.reduced.sel(branch="up").isel(temperature=0)
    plateau = up.sel(field=slice(fields[7] + 0.05, fields[8] - 0.05)).values
    cold = loops().reduced.sel(temperature=0.1, branch="up")
    probability = _first_plateaus()
    return [
        _LOOP.number(
            "plateau-flat",
            "M constant between resonances: change of M/M_s from 3.68 to 4.06 T at 0.1 K",
            0.0,
            float(np.ptp(plateau)),
            atol=1e-3,
            reason="ideal molecule; what remains is the turn of the moment",
        ),
        _LOOP.number(
            "step-at-resonance",
            "steps at the resonance fields: largest rise of M at 0.1 K, n = 7",
            fields[7],
            steepest_field(loops(), 0.1, 3.4, 3.9),
            "T",
            atol=5e-3,
        ),
        _LOOP.number(
            "finite-fraction",
            "a finite fraction reverses at each step: M/M_s after n = 0..6 at 0.1 K",
            probability,
            float(cold.interp(field=0.5 * (fields[6] + fields[7]))),
            atol=2e-3,
            reason="Landau-Zener, mean over the ensemble: 1 - 2 prod(1 - P)",
        ),
        _LOOP.number(
            "equilibrium",
            "equilibrium at zero field: half of the spins up",
            0.0,
            float(sweep(molecule, ConstantField(0.0, duration=1.0), T=2.0, points=3).reduced.values[-1]),
            atol=1e-9,
        ),
    ]


def _first_plateaus() -> float:
    """Return M/Ms after the steps n = 0..6, each molecule passing its own resonances."""
    molecule = load("mn12ac")
    disorder = molecule.defaults.disorder
    if disorder is None:
        return float("nan")
    surviving = 0.0
    for member in disorder.members:
        system = molecule.with_terms(*member.terms)
        axis = (np.sin(member.tilt), 0.0, np.cos(member.tilt))
        exponent = 0.0
        for n in range(7):
            pair = tunnel_splitting(system, (10, n - 10), axis=axis, transverse=member.transverse)
            exponent += np.pi * pair.kelvin**2 / (2 * HBAR * pair.slope * RATE)
        surviving += member.weight * np.exp(-exponent)
    return 1 - 2 * surviving


def temperature_dependence() -> Sequence[Row]:
    """Return the rows on the crossover, the narrowing and the switching fields."""
    table = loops()
    reduced = table.reduced
    same = float(np.abs(reduced.sel(temperature=0.6) - reduced.sel(temperature=0.1)).max())
    other = float(np.abs(reduced.sel(temperature=1.1) - reduced.sel(temperature=0.1)).max())
    coercive = table.coercive_field.values[1:6]
    return [
        _LOOP.number(
            "crossover-scale",
            "loop independent of temperature below T_c 'at the Kelvin scale'",
            1.0,
            crossover(),
            "K",
            atol=0.5,
            reason="a change of M/M_s by 0.1",
        ),
        _LOOP.number("independent-below", "largest change of M/M_s from 0.1 to 0.6 K", 0.0, same, atol=0.01),
        _LOOP.statement(
            "dependent-above",
            "loop depends on temperature above T_c",
            "narrower",
            f"M/M_s differs by {other:.2f} at 1.1 K",
            other > 0.1,
        ),
        _LOOP.statement(
            "narrowing",
            "loops become narrower with temperature",
            "narrower",
            ", ".join(f"{field:.2f}" for field in coercive) + " T at 0.6 to 3.5 K",
            bool(np.all(np.diff(coercive) < 0)),
            reason="coercive field; thermally activated tunnelling",
        ),
        _LOOP.number(
            "switching-field-temperature",
            "temperature-independent switching field of n = 1, at 2.6 K",
            float(table.step_field.values[1]),
            steepest_field(table, 2.6, 0.3, 0.7),
            "T",
            atol=0.015,
            reason="each pair has its own field: cold steps come from (10, -9), warm ones from (4, -3)",
            should_hold=False,
        ),
    ]


def outlook() -> Sequence[Row]:
    """Return the rows of the conclusion that this version does not compute."""
    return [
        _OUTLOOK.open(
            "coherence-time",
            "phase preserved",
            "more than 1 us",
            "needs spin baths and echoes, which come later",
        ),
        _OUTLOOK.open(
            "cavity",
            "entanglement of spins and photons in a cavity",
            "robust",
            "outside of this package's models",
        ),
        _OUTLOOK.open(
            "transport", "transport through a single molecule", "coherent", "outside of this package's models"
        ),
    ]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (
    classical_loop,
    steps_and_plateaus,
    temperature_dependence,
    outlook,
)
