"""Fitted relaxation times as ccfit2 writes and reads them: CSV files of parameters, one line an isotherm.

A line of remarks, a line of headings, then numbers; a comma and a blank between them:

====================================  =================================================================
``T (K)``, ``H (Oe)``                 temperature and field; here the field is B = H x 1e-4 T/Oe
``tau (s)``, ``tau-s-dev (s)``        every fitted parameter and its standard deviation
``<ln(tau)> (ln(s))``                 mean of ln tau over the distribution of times
``sigma_ln(tau) (ln(s))``             standard deviation of that distribution
``fit_upper_ln(tau)``, ``fit_lower_``  the mean, one standard error of the fit above and below
====================================  =================================================================

Times of decays are called ``tau*``.  ccfit2 5.12 writes the lower bound under ``fit_upper`` and the upper
one under ``fit_lower``, but reads what the headings say.  Here they are written as they are called, and read
by their size.

Reference: D. Reta and N. F. Chilton, Phys. Chem. Chem. Phys. 21, 23567 (2019); W. J. A. Blackmore et al.,
Phys. Chem. Chem. Phys. 25, 16735 (2023); ccfit2 5.12.4.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.measured.relaxation.ac_models import AC_MODELS
from mesospin.measured.relaxation.decay_models import DECAY_MODELS
from mesospin.measured.text_files.lines import number, text_of, write_text
from mesospin.results import account, variable

__all__ = ["read_ccfit2", "write_ccfit2"]

Floats = NDArray[np.float64]

_OERSTED_PER_TESLA: Final = 1e4
_MODELS: Final = {
    **{model.title: model.names for model in AC_MODELS.values()},
    **{model.title: model.names for model in DECAY_MODELS.values()},
}
_MOLAR: Final = {"cm3/mol": "cm^3 mol^-1"}
_DECAY_TIME: Final = {"tau": "tau*", "tau1": "tau*1", "tau2": "tau*2"}
_DEVIATION: Final = "-s-dev"


def write_ccfit2(fit: xr.Dataset, path: str | Path) -> Path:
    """Write fitted relaxation times as a file of parameters of ccfit2.

    Parameters
    ----------
    fit : xarray.Dataset
        Of `fit_ac`, `fit_decay` or `read_ccfit2`.
    path : str or Path
        Such as ``sample_params.csv``.

    Returns
    -------
    Path
        The file; isotherms whose times are not determined are left out, as ccfit2 does.

    Raises
    ------
    InputError
        If ``fit`` is none of these, no time is determined, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from mesospin.measured.relaxation.ac_data import ac_data
    >>> from mesospin.measured.relaxation.ac_models import Debye
    >>> from mesospin.measured.relaxation.fit_ac import fit_ac
    >>> f = np.geomspace(1, 1000, 20)
    >>> chi = Debye().chi(f, tau=0.01, chi_S=0.1, chi_T=2.0)
    >>> fit = fit_ac(ac_data(f, chi.real, -chi.imag, 4.0, B=0.1, unit="cm3/mol"), Debye())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = read_ccfit2(write_ccfit2(fit, folder + "/a_params.csv"))
    >>> round(float(again.field[0]), 12), round(float(again.tau[0]), 9)
    (0.1, 0.01)
    """
    model = fit.attrs.get("model") if isinstance(fit, xr.Dataset) else None
    if model not in _MODELS or "determined" not in fit:
        raise InputError(
            f"fit must be of fit_ac or fit_decay, got {type(fit).__name__} of {model}; write others with save"
        )
    chosen = fit.isel(isotherm=np.flatnonzero(fit["determined"].values))
    if not chosen.sizes["isotherm"]:
        raise InputError("fit must hold a determined time, got none; see its verdict")
    columns: dict[str, Floats] = {
        "T (K)": chosen["temperature"].values, "H (Oe)": chosen["field"].values * _OERSTED_PER_TESLA,
    }  # fmt: skip
    decay = any(name.startswith("m_") for name in _MODELS[model])
    for name in _MODELS[model]:
        unit = str(chosen[name].attrs["units"])
        shown = _DECAY_TIME.get(name, name) if decay else name
        label = "" if unit == "1" else _MOLAR.get(unit, unit)
        columns[f"{shown} ({label})"] = chosen[name].values
        columns[f"{shown}{_DEVIATION} ({label})"] = chosen[f"{name}_error"].values
    for time in (name for name in _MODELS[model] if name.startswith("tau")):
        mean, error = chosen[f"ln_{time}"].values, chosen[f"ln_{time}_error"].values
        columns[f"<ln({time})> (ln(s))"] = mean
        columns[f"sigma_ln({time}) (ln(s))"] = chosen[f"ln_{time}_width"].values
        columns[f"fit_upper_ln({time}) (ln(s))"] = mean + error
        columns[f"fit_lower_ln({time}) (ln(s))"] = mean - error
    lines = [f"#Relaxation times fitted by mesospin {fit.attrs['mesospin_version']}: {model}"]
    lines.append(", ".join(columns))
    lines += [", ".join(f"{value:.17e}" for value in row) for row in zip(*columns.values(), strict=True)]
    file: Path = write_text(path, "\n".join(lines) + "\n")
    return file


def read_ccfit2(path: str | Path) -> xr.Dataset:
    """Read fitted relaxation times from a file of parameters of ccfit2, of ac or of dc data.

    Parameters
    ----------
    path : str or Path
        A ``*_params.csv``.

    Returns
    -------
    xarray.Dataset
        Kind "relaxation_times", by ``isotherm`` as `fit_ac` has them: ``temperature`` [K], ``field`` [T],
        every parameter with ``_error`` (NaN where the file has none: it was held), ``ln_tau`` with its
        ``_error`` and ``_width``, ``tau_lower``, ``tau_upper`` [s] from the distribution.

    Raises
    ------
    InputError
        If the file is none of ccfit2's, or a line is not as many numbers as there are headings.
    """
    columns, units = _columns(Path(path))
    for name, heading in (("T", "T (K)"), ("H", "H (Oe)")):
        if name not in columns:
            raise InputError(
                f"{str(path)!r} must have a column {heading!r}, got none; give ccfit2's _params.csv"
            )
    T, H = columns.pop("T"), columns.pop("H")
    times = [name[4:-2] for name in columns if name.startswith("<ln(")]
    if not times:
        raise InputError(f"{str(path)!r} must have a column '<ln(tau)>', got none; give ccfit2's _params.csv")
    variables: dict[str, Any] = {}
    for time in times:
        variables |= _distribution(time, columns)
    plain = {name: values for name, values in columns.items() if "ln(" not in name}
    for name, values in plain.items():
        if name.endswith(_DEVIATION) or name == "H_measured":
            continue
        unit = units[name] or "1"
        error = plain.get(name + _DEVIATION, np.full(len(values), np.nan))
        variables |= {
            _own(name): variable("isotherm", values, unit, _own(name)),
            f"{_own(name)}_error": variable("isotherm", error, unit, f"standard error of {_own(name)}"),
        }
    count = len(T)
    variables["determined"] = variable(
        "isotherm", np.ones(count, dtype=np.int8), "1", "whether the data determine the times"
    )
    variables["verdict"] = variable("isotherm", np.full(count, ""), "1", "what the data say")
    coords = {
        "temperature": variable("isotherm", T, "K", "temperature"),
        "field": variable("isotherm", H / _OERSTED_PER_TESLA, "T", "field"),
    }
    names = set(variables)
    title = next((title for title, own in _MODELS.items() if _alike(set(own), names)), "unknown")
    return account("relaxation_times", variables, coords, {"file": Path(path).name}).assign_attrs(model=title)


def _alike(own: set[str], names: set[str]) -> bool:
    every = {name for model in _MODELS.values() for name in model}
    return own == names & every


def _columns(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return the columns of a file and their units by name."""
    lines = [
        line for line in text_of(path).splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    if len(lines) < 2:
        raise InputError(f"{str(path)!r} must have headings and numbers, got {len(lines)} lines; see ccfit2")
    delimiter = ";" if ";" in lines[0] else ","
    table = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    names, units = [], {}
    for heading in table[0]:
        name, unit = _name_and_unit(heading.strip())
        names.append(name)
        units[name] = unit
    rows = []
    for count, row in enumerate(table[1:], start=1):
        try:
            rows.append([float("nan") if word.strip().lower() == "nan" else number(word) for word in row])
        except ValueError as error:
            raise InputError(f"line {count} of numbers of {str(path)!r}: {error}; see ccfit2") from None
        if len(row) != len(names):
            raise InputError(
                f"line {count} of numbers of {str(path)!r} must have {len(names)} columns, got {len(row)}; "
                "check the file"
            )
    return dict(zip(names, np.array(rows).T, strict=True)), units


def _name_and_unit(heading: str) -> tuple[str, str]:
    """Return ("alpha", "") for "alpha ()", ("<ln(tau)>", "ln(s)") for "<ln(tau)> (ln(s))"."""
    name, _, rest = heading.partition(" (")
    unit = rest[:-1] if rest.endswith(")") else rest
    back = {theirs: ours for ours, theirs in _MOLAR.items()}
    return name.replace("_<ln(", "_ln(").replace(")>", ")") if name[0] != "<" else name, back.get(unit, unit)


def _own(name: str) -> str:
    return name.replace("*", "")


def _distribution(time: str, columns: dict[str, Floats]) -> dict[str, Any]:
    """Return <ln tau>, its standard error, the width of the distribution and its bounds."""
    mean = columns[f"<ln({time})>"]
    nothing = np.full(len(mean), np.nan)
    width = columns.get(f"sigma_ln({time})", nothing)
    bounds = [columns.get(f"fit_{side}_ln({time})", nothing) for side in ("upper", "lower")]
    error = 0.5 * np.abs(bounds[0] - bounds[1])
    with np.errstate(over="ignore"):
        lower, upper, middle = (np.exp(mean + side * width) for side in (-1, 1, 0))
    table = {
        f"ln_{time}": (mean, "1", f"mean of ln({time}/s)"),
        f"ln_{time}_error": (error, "1", f"standard error of the mean of ln {time}"),
        f"ln_{time}_width": (width, "1", f"standard deviation of the distribution of ln {time}"),
        f"{time}_lower": (lower, "s", "one deviation of the distribution away"),
        f"{time}_upper": (upper, "s", "one deviation of the distribution away"),
    }
    if time not in columns and f"{time}*" not in columns:  # a file of times alone
        table[time] = (middle, "s", "relaxation time")
    return {name: variable("isotherm", *entry) for name, entry in table.items()}
