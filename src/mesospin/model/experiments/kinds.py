"""What each kind of experiment in a study file may say: its keys and how they are read."""

from collections.abc import Mapping

from mesospin.model.experiments.dynamics import DYNAMICS
from mesospin.model.experiments.equilibrium import EQUILIBRIUM
from mesospin.model.experiments.fitting import FITTING
from mesospin.model.experiments.lanthanides import LANTHANIDES
from mesospin.model.experiments.relaxation import RELAXATION
from mesospin.model.experiments.spectroscopy import SPECTROSCOPY
from mesospin.model.experiments.spectrum import SPECTRUM
from mesospin.model.tables import Key

__all__ = ["EXPERIMENTS", "WITHOUT_SYSTEM"]

EXPERIMENTS: Mapping[str, Mapping[str, Key]] = {
    **SPECTRUM,
    **EQUILIBRIUM,
    **SPECTROSCOPY,
    **DYNAMICS,
    **LANTHANIDES,
    **FITTING,
    **RELAXATION,
}
"""The keys of ``[experiment]`` by ``kind``."""

WITHOUT_SYSTEM = ("quantum-objects", "switching", "curie-weiss", *RELAXATION)
"""Kinds that make their own spins and take no ``system``."""
