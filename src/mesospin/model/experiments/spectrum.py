"""Experiments on the levels of a spin: crossings, splittings, wells, ensembles of splittings, particles."""

from collections.abc import Callable, Mapping
from typing import Any

from mesospin import checks
from mesospin.model.anisotropies import Anisotropy, FixedConstants, FixedDensity
from mesospin.model.distributions import Distribution, Gaussian, LogGaussian, Rayleigh, Values
from mesospin.model.experiments.readers import (
    DIRECTION,
    angle,
    disorder,
    duration,
    field,
    field_span,
    integers,
    one_of_kinds,
    pair,
    rate,
    series,
    step,
    temperature,
    unread,
)
from mesospin.model.tables import Key, list_of, pair_of, read_integer, read_number

__all__ = ["ANISOTROPIES", "DISTRIBUTIONS", "SPECTRUM", "SPLITTING_METHODS"]

SPLITTING_METHODS = ("double-precision", "certified", "large-spin", "perturbative", "semiclassical")
"""Names of the ways to compute a splitting."""


DISTRIBUTIONS: Mapping[str, tuple[Callable[..., Distribution], Mapping[str, Key]]] = {
    "gaussian": (Gaussian, {"mean": Key(unread, required=True), "width": Key(unread, required=True)}),
    "log-gaussian": (
        LogGaussian,
        {
            "mean": Key(read_number, required=True),
            "width": Key(read_number, required=True),
            "scale": Key(unread, required=True),
        },
    ),
    "rayleigh": (Rayleigh, {"width": Key(unread, required=True)}),
    "values": (
        Values,
        {"values": Key(list_of(unread), required=True), "weights": Key(list_of(read_number))},
    ),
}
"""Distributions of a parameter over molecules, by ``kind``."""

ANISOTROPIES: Mapping[str, tuple[Callable[..., Anisotropy], Mapping[str, Key]]] = {
    "fixed-constants": (FixedConstants, {"D": Key(unread, required=True), "E": Key(unread)}),
    "fixed-density": (
        FixedDensity,
        {"K_parallel": Key(unread, required=True), "K_perpendicular": Key(unread)},
    ),
}
"""What stays the same when a spin grows, by ``kind``."""


def _splitting_method(name: str, value: Any) -> str:
    return checks.one_of(name, value, SPLITTING_METHODS)


def _spins(name: str, value: Any) -> tuple[float, ...]:
    return tuple(checks.half_integer(name, S) for S in list_of(read_number)(name, value))


_distribution = one_of_kinds(DISTRIBUTIONS)

SPECTRUM: Mapping[str, Mapping[str, Key]] = {
    "levels": {"B": Key(series(field), required=True), "states": Key(read_integer), **DIRECTION},
    "crossings": {"span": Key(field_span, required=True), **DIRECTION},
    "splitting": {
        "pair": Key(pair, required=True),
        "B": Key(field),
        "method": Key(_splitting_method),
        "digits": Key(read_integer),
        **DIRECTION,
    },
    "splitting-map": {
        "pair": Key(pair, required=True),
        "transverse": Key(series(field), required=True),
        "azimuth": Key(series(angle)),
    },
    "diabolical-points": {
        "pair": Key(pair, required=True),
        "Bx": Key(field_span, required=True),
        "By": Key(field_span, required=True),
        "resolution": Key(step),
    },
    "tunnelling-pair": {
        "pair": Key(pair, required=True),
        "B": Key(field),
        "bias": Key(field),
        **DIRECTION,
    },
    "double-well": {"B": Key(field), "tolerance": Key(field), **DIRECTION},
    "splitting-distribution": {
        "pair": Key(pair, required=True),
        "E": Key(_distribution),
        "tilt": Key(_distribution),
        "transverse": Key(_distribution),
        "disorder": Key(disorder),
        "samples": Key(read_integer),
        "seed": Key(read_integer),
        "rates": Key(series(rate)),
        "passages": Key(integers),
        "bins": Key(read_integer),
    },
    "quantum-objects": {
        "anisotropy": Key(one_of_kinds(ANISOTROPIES), required=True),
        "spins": Key(_spins),
        "transverse": Key(pair_of(field, field)),
        "g": Key(read_number),
    },
    "switching": {
        "moment": Key(read_number, required=True),
        "anisotropy_field": Key(field, required=True),
        "hard_field": Key(field),
        "g": Key(read_number),
        "T": Key(series(temperature), required=True),
        "rate": Key(rate, required=True),
        "angle": Key(angle),
        "angles": Key(series(angle)),
        "waiting": Key(duration),
        "moment_spread": Key(read_number),
        "anisotropy_spread": Key(read_number),
    },
}
"""The keys of ``[experiment]`` by ``kind``."""
