"""The spin system that a fit has found."""

from __future__ import annotations

import xarray as xr

from mesospin.checks import instance_of
from mesospin.errors import InputError
from mesospin.measured.hamiltonian.parameters import with_values
from mesospin.model.molecule_text import system_from_text
from mesospin.model.system import SpinSystem

#: Parameters of a fit beside those of the Hamiltonian, with their units.
EXTRA = {"zJ": "K", "tip": "cm3/mol"}


def fitted_system(fit: xr.Dataset, system: SpinSystem | None = None) -> SpinSystem:
    """Return the spin system with the values of a fit.

    Parameters
    ----------
    fit : xarray.Dataset
        What `fit_hamiltonian` returned, or `open_result` read from its file.
    system : SpinSystem, optional
        The one that was fitted, or another that has parameters of these names.  Omitted, it is read from
        the fit, which carries its Hamiltonian as a molecule file (the attribute ``molecule``).

    Raises
    ------
    InputError
        If the dataset is no fit, its names are not in the system, or it carries none.

    Examples
    --------
    >>> from mesospin.measured.hamiltonian.fit import fit_hamiltonian
    >>> from mesospin.measured.spectral_data import LevelData
    >>> from mesospin.model.system import giant_spin
    >>> start = giant_spin(1, D=-2.0)
    >>> fit = fit_hamiltonian(LevelData([3.0], levels=[2], sigma=0.1), start, vary=["D"], starts=1)
    >>> round(fitted_system(fit).terms[0].coefficient, 6)
    -3.0
    >>> fitted_system(fit) == fitted_system(fit, start)
    True
    """
    instance_of("fit", fit, xr.Dataset, hint="give what fit_hamiltonian returned")
    if fit.attrs.get("kind") != "fit":
        raise InputError(f"fit must be a result of fit_hamiltonian, got kind {fit.attrs.get('kind')!r}")
    if system is None:
        if not fit.attrs.get("molecule"):
            raise InputError(
                "system must be given for this fit, whose Hamiltonian no molecule file can hold, got none; "
                "give the one that was fitted"
            )
        return system_from_text(fit.attrs["molecule"])
    names = [str(name) for name in fit.parameter.values]
    values = {n: float(v) for n, v in zip(names, fit.value.values, strict=True) if n not in EXTRA}
    return with_values(system, values)
