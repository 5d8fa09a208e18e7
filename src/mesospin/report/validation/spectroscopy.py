"""Spectroscopy: neutron and microwave transitions of clusters, effective g values, clock transitions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import KELVIN_PER_GIGAHERTZ, KELVIN_PER_MILLIELECTRONVOLT
from mesospin.experiment.neutron import neutron_spectrum
from mesospin.experiment.resonance import resonance_fields
from mesospin.model.interactions import Hyperfine
from mesospin.model.library import load
from mesospin.model.line_shapes import GaussianLine
from mesospin.model.nuclei import nucleus
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.term import Term
from mesospin.model.terms import Stevens, ZeroFieldSplitting
from mesospin.report.validation.rows import NOT_DETERMINED, Row, Source
from mesospin.spectrum.clock_transitions import clock_transitions
from mesospin.spectrum.doublets import doublets
from mesospin.spectrum.levels import levels

_NEUTRONS: Final = Source("Mn12-acetate, neutron scattering, Mirebeau et al. 1999 (peak from memory)")
_SETS: Final = Source("Mn12-acetate, published parameter sets")
_EPR: Final = Source("Barra, Gatteschi, Sessoli 1997 (Mn12-acetate, powder)")
_FE8: Final = Source("Fe8, published parameter sets")
_EFFECTIVE: Final = Source("effective g values, textbooks of electron paramagnetic resonance (from memory)")
_LUTETIUM: Final = Source("Lu(II) radical, Nature Chemistry 2022 (title)")
_CHROMIUM: Final = Source("Cr7Mn, S = 1 (from memory)")
_HOLMIUM: Final = Source("Shiddiq et al. 2016 (HoW10, from memory)")


def manganese() -> Sequence[Row]:
    """Return the rows on neutron peaks and resonance of Mn12-acetate."""
    energy = np.linspace(0.3, 1.6, 651)
    line = GaussianLine("0.03 meV")
    spectrum = neutron_spectrum(load("mn12ac:ins"), 2.0, KELVIN_PER_MILLIELECTRONVOLT * energy, line=line)
    peak = float(energy[int(np.argmax(spectrum.intensity.values))])
    names = ("mn12ac", "mn12ac:B", "mn12ac:ins", "mn12ac:epr", "mn12ac:bircher", "mn12ac:bircher-2")
    first = [_steps(load(name))[0] for name in names]
    return [
        _NEUTRONS.number(
            "mn12-neutron-peak",
            "strongest peak at 2 K, |10> to |9>, with the parameters of the same work",
            1.24,
            peak,
            "meV",
            atol=0.01,
        ),
        _SETS.number(
            "mn12-first-step",
            "distance of |10> and |9> in six sets: largest over smallest",
            1.0,
            max(first) / min(first),
            atol=0.005,
            reason=f"{1e3 * min(first):.0f} to {1e3 * max(first):.0f} ueV; the tunnel splittings differ by "
            "a factor of five",
        ),
        _EPR.statement(
            "mn12-epr-lines",
            "lines at 525 GHz: fields of |-10> to |-9>, |-9> to |-8>, |-8> to |-7> along the axis, in T",
            "a spectrum",
            ", ".join(f"{field:.2f}" for field in _easy_axis_lines()),
            False,
            otherwise=NOT_DETERMINED,
            reason="the spectrum of the powder is a figure, whose numbers are not at hand",
            should_hold=False,
        ),
    ]


def _steps(system: SpinSystem) -> NDArray[np.float64]:
    """Return the distances of neighbouring doublets from the ground doublet up [meV]."""
    energy = levels(system, 0.0).energy.values / KELVIN_PER_MILLIELECTRONVOLT
    return np.asarray(np.diff(0.5 * (energy[:-1:2] + energy[1::2])))


def iron() -> Sequence[Row]:
    """Return the rows on Fe8."""
    terms: list[Term] = [ZeroFieldSplitting("-0.205 cm^-1", E="0.038 cm^-1")]
    terms += [Stevens(4, q, f"{B} cm^-1") for q, B in ((0, 1.6e-6), (2, -5e-6), (4, -8e-6))]
    sets = [load("fe8"), load("fe8:first"), SpinSystem("Fe8", [Spin(10, 2.0)], terms)]
    steps = [_steps(system)[:3] for system in sets]
    first = [float(step[0]) for step in steps]
    return [
        _FE8.number(
            "fe8-first-step",
            "distance of the two lowest doublets, sets of 1997, 1999 and 2000: largest over smallest",
            1.0,
            max(first) / min(first),
            atol=0.1,
            reason=", ".join(f"{1e3 * value:.0f}" for value in first) + " ueV (1999, 1997, 2000)",
        ),
        _FE8.statement(
            "fe8-neutrons",
            "neutron peaks: distances of the lowest four doublets in meV, set of 1999",
            "a spectrum",
            ", ".join(f"{value:.3f}" for value in steps[0]),
            False,
            otherwise=NOT_DETERMINED,
            reason="the measured peaks are not at hand",
            should_hold=False,
        ),
    ]


def effective_g() -> Sequence[Row]:
    """Return the rows on doublets of ions with a large zero-field splitting."""
    cases = (
        ("g-haem", "S = 5/2, D > 0, E = 0: g of the lowest doublet, 6, 6, 2", 2.5, 0.0, 0, (2.0, 6.0, 6.0)),
        ("g-rhombic", "S = 5/2, E/D = 1/3: g of the middle doublet, 3 x 30/7", 2.5, 1 / 3, 1, (30 / 7,) * 3),
        ("g-cobalt", "S = 3/2, D > 0, E = 0: 4, 4, 2", 1.5, 0.0, 0, (2.0, 4.0, 4.0)),
        (
            "g-cobalt-rhombic", "S = 3/2, E/D = 1/3: 2, 2(sqrt 3 + 1), 2(sqrt 3 - 1)", 1.5, 1 / 3, 0,
            (2 * math.sqrt(3) - 2, 2.0, 2 * math.sqrt(3) + 2),
        ),
    )  # fmt: skip
    rows = []
    for id, subject, S, ratio, which, expected in cases:
        g = doublets(giant_spin(S, D=10.0, E=10.0 * ratio)).g.values[which]
        rows.append(
            _EFFECTIVE.number(
                id, subject + ": largest difference", 0.0, float(np.abs(g - expected).max()), atol=1e-9
            )
        )
    field = resonance_fields(giant_spin(0.5, D=0.0, g=2.0023), "9.5 GHz", span=(0.3, 0.4), T=300.0).field
    rows.append(
        _EFFECTIVE.number(
            "g-free", "g = 2.0023 at 9.5 GHz: 339 mT", 339.0, 1e3 * float(field[0]), "mT", atol=0.5
        )
    )
    return rows


def clocks() -> Sequence[Row]:
    """Return the rows on transitions that do not feel the field."""
    lutetium = SpinSystem("Lu(II)", [Spin(0.5, 2.0), nucleus("175Lu").site()], [Hyperfine(0, 1, "3467 MHz")])
    clock = clock_transitions(lutetium, (0.2, 0.5), frequency=(5, 20))
    lowest = int(np.argmin(clock.frequency.values))
    ring = clock_transitions(giant_spin(1, D="21 GHz", E="1.9 GHz"), (-0.05, 0.05), frequency=(1, 10))
    holmium = resonance_fields(load("how10"), 9.2, span=(0, 0.1), T=5.0, microwave="parallel")
    strong = holmium.field.values[holmium.intensity.values > 0.1].reshape(-1, 2)
    return [
        _LUTETIUM.number(
            "lu-clock",
            "9.2 GHz clock transition from a hyperfine interaction of 3467 MHz, I = 7/2",
            9.2,
            float(clock.frequency[lowest]),
            "GHz",
            atol=0.05,
            reason=f"4A sqrt(1 - 9/16), at {float(clock.field[lowest]):.3f} T for g = 2",
        ),
        _LUTETIUM.number(
            "lu-zero-field",
            "splitting at zero field, A(I + 1/2)",
            4 * 3.467,
            float(levels(lutetium, 0.0).energy.values[[0, -1]] @ [-1, 1]) / KELVIN_PER_GIGAHERTZ,
            "GHz",
            rtol=1e-9,
        ),
        _CHROMIUM.number(
            "cr7mn-clock",
            "clock transition at zero field near 3.8 GHz, D = 21 and E = 1.9 GHz",
            3.8,
            float(ring.frequency[0]),
            "GHz",
            rtol=1e-6,
            reason="2E",
        ),
        _HOLMIUM.number(
            "how10-lines",
            "lines of the microwave along the axis at 9.2 GHz come in pairs around 23.6 and 70.9 mT: largest "
            "distance of a middle",
            0.0,
            float(np.abs(1e3 * strong.mean(axis=1) - [23.6, 70.9]).max()),
            "mT",
            atol=0.2,
            reason="just above the gap every clock transition is met twice",
        ),
    ]


def _easy_axis_lines() -> list[float]:
    """Return the fields of the first three lines of Mn12-acetate along its axis, 525 GHz [T]."""
    lines = resonance_fields(load("mn12ac:epr"), 525.0, span=(7.0, 12.0), T=20.0)
    return [float(field) for field in lines.field.values[lines.strength.values > 10.0][:3]]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (manganese, iron, effective_g, clocks)
