"""Which surroundings an experiment uses: the ones given, or the defaults of the system."""

from __future__ import annotations

from typing import Any, TypeVar

from mesospin.errors import InputError
from mesospin.model.environment import FromSystem, PhononBath
from mesospin.model.system import SpinSystem

Bath = TypeVar("Bath")


def chosen(given: Bath | FromSystem | None, default: Bath | None) -> Bath | None:
    """Return ``given``, or ``default`` where it is left to the system."""
    return default if isinstance(given, FromSystem) else given


def phonon_bath(system: SpinSystem, given: PhononBath | FromSystem | None) -> PhononBath | None:
    """Return the phonon bath of a system; None only where no spin couples to phonons.

    Raises
    ------
    InputError
        If none is given and the system brings none.
    """
    couples = any(system.spins[i].S >= 1 for i in system.electronic_sites)
    bath = chosen(given, system.defaults.phonons)
    if not couples:
        return None  # a spin 1/2 has no quadrupole: no one-phonon transitions in this coupling
    if bath is None:
        msg = (
            f"bath must be given: {system.name} brings no PhononBath; pass "
            "bath=PhononBath(density=..., sound_speed=..., coupling=...)"
        )
        raise InputError(msg)
    return bath


def written(**used: Any) -> dict[str, Any]:
    """Return the surroundings in words, for the inputs of a result."""
    return {name: "none" if value is None else repr(value) for name, value in used.items()}
