"""The loops of Mn12-acetate that several sources speak about, computed once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import xarray as xr

from mesospin.experiment.crossover import crossover_temperature
from mesospin.experiment.hysteresis import hysteresis
from mesospin.model.library import load

#: Sweep rate [T/s] and span [T] of the loops.
RATE, SPAN = 3e-3, (-5.5, 5.5)
TEMPERATURES = (0.1, 0.6, 1.1, 1.9, 2.6, 3.5, 3.9)


@lru_cache(maxsize=1)
def loops() -> xr.Dataset:
    """Return the loops of the whole ensemble at `TEMPERATURES`, 3 mT/s."""
    return hysteresis(load("mn12ac"), TEMPERATURES, RATE, SPAN)


@lru_cache(maxsize=1)
def crossover() -> float:
    """Return the temperature at which the loop leaves its low-temperature limit [K]."""
    return crossover_temperature(load("mn12ac"), RATE, SPAN)


def steepest_field(dataset: xr.Dataset, T: float, lo: float, hi: float) -> float:
    """Return the field between ``lo`` and ``hi`` [T] at which the up branch at ``T`` rises fastest."""
    branch = dataset.reduced.sel(temperature=T, branch="up", field=slice(lo, hi))
    slope = np.gradient(branch.values, branch.field.values)
    return float(branch.field.values[int(np.argmax(slope))])
