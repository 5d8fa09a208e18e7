"""The tables of PHI: ``NAME_sus.exp`` (T, chi T) and ``NAME_mag.exp`` (B, M).

The first column is the temperature [K] or the field [T]; every further one is chi T [cm3 K/mol] at one field,
or the moment [N_A mu_B] at one temperature.  Those fields and temperatures are not in the file (PHI keeps
them in its ``.test`` file), so they have to be named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import finite_array
from mesospin.errors import InputError
from mesospin.measured.data import Data, MagnetisationData, SusceptibilityData
from mesospin.measured.text_files.lines import number_table, write_text

Floats = NDArray[np.float64]


def read_phi(
    path: str | Path,
    *,
    B: float | Sequence[float] | None = None,
    T: float | Sequence[float] | None = None,
    sigma: float | None = None,
    powder: int | None = None,
    axis: Sequence[float] | None = None,
    label: str | None = None,
    weight: float = 1.0,
) -> tuple[SusceptibilityData, ...] | tuple[MagnetisationData, ...]:
    r"""Return the data sets of a PHI table, one for every column after the first.

    Columns are kept apart by blanks, tabs or commas; exponents may be Fortran's (``1.0D-03``); empty lines
    and what follows ``#``, ``!`` or ``%`` are left out.

    Parameters
    ----------
    path : str or Path
        A file whose name ends in ``_sus.exp`` or ``_mag.exp``.
    B : float or sequence of float [T]
        Field of every column of a ``_sus.exp`` file.
    T : float or sequence of float [K]
        Temperature of every column of a ``_mag.exp`` file.
    sigma : float, optional
        Standard deviation, in the unit of the values.
    powder, axis, weight
        As for `SusceptibilityData`.
    label : str, optional
        Name of the sets; the field or temperature follows it.

    Raises
    ------
    InputError
        If the name has another ending, a line is not numbers, columns differ in number, or fields or
        temperatures do not match the columns.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "mn_sus.exp")
    ...     _ = file.write_text("2.0  3.10\n300.0  4.37\n")
    ...     (chi,) = read_phi(file, B=0.1, powder=26)
    >>> chi.T, chi.values, chi.unit
    (array([  2., 300.]), array([3.1 , 4.37]), 'cm3 K/mol')
    """
    file = Path(path)
    kind = _kind(file)
    table = number_table(file)
    name, unit, given, other = ("B", "T", B, T) if kind == "sus" else ("T", "K", T, B)
    if given is None or other is not None:
        raise InputError(
            f"{name} must be given [{unit}], and nothing else, for the columns of {file.name}, where it is "
            f"not written; write {name}=[...]"
        )
    wanted = np.atleast_1d(finite_array(name, given, unit))
    if wanted.shape != (table.shape[1] - 1,):
        raise InputError(
            f"{name} must be one [{unit}] for each of {table.shape[1] - 1} columns, got {wanted.size}; "
            "give as many"
        )
    columns = zip(wanted, table[:, 1:].T, strict=True)
    x = table[:, 0]
    if kind == "sus":
        return tuple(
            SusceptibilityData(
                x, y, unit="cgs", B=b, sigma=sigma, powder=powder, axis=axis, weight=weight,
                label=f"{label or 'chi'} {b:g} T",
            )
            for b, y in columns
        )  # fmt: skip
    return tuple(
        MagnetisationData(
            t, x, y, sigma=sigma, powder=powder, axis=axis, weight=weight, label=f"{label or 'M'} {t:g} K"
        )
        for t, y in columns
    )


def write_phi(data: Data | Sequence[Data], path: str | Path) -> Path:
    """Write data sets as the columns of a PHI table.

    Parameters
    ----------
    data : SusceptibilityData or MagnetisationData, or several of one kind
        Susceptibilities, one column for each field, or magnetisations, one for each temperature, in
        rising order; every column needs the same first column.
    path : str or Path
        A name that ends in ``_sus.exp`` or ``_mag.exp``.

    Raises
    ------
    InputError
        If the sets do not fit in one table of that kind.
    """
    file = Path(path)
    kind = _kind(file)
    wanted = SusceptibilityData if kind == "sus" else MagnetisationData
    sets = (data,) if isinstance(data, Data) else tuple(data)
    if not sets:
        raise InputError("data must be at least one set, got none; give what is to be written")
    first, columns = None, []
    for entry in sets:
        if not isinstance(entry, wanted):
            label = getattr(entry, "label", entry)
            raise InputError(
                f"data must be {wanted.quantity} for a _{kind}.exp file, got {label!r}; choose another format"
            )
        for part in _columns(entry):
            x = part.T if kind == "sus" else part.B
            if first is not None and not np.array_equal(first, x):
                what = "temperatures at every field" if kind == "sus" else "fields at every temperature"
                raise InputError(
                    f"data {entry.label!r} must have the same {what} for a table of PHI, got others; write "
                    "one file for each"
                )
            first = x
            per_mole = isinstance(part, SusceptibilityData) and not part.times_T
            columns.append(part.values * part.T if per_mole else part.values)
    rows = np.column_stack([np.asarray(first), *columns])
    return write_text(file, "".join("  ".join(f"{x!r}" for x in row) + "\n" for row in rows.tolist()))


def _columns(data: SusceptibilityData | MagnetisationData) -> list[SusceptibilityData | MagnetisationData]:
    """Return the parts of a set at one field (susceptibility) or temperature (magnetisation) each."""
    fixed = data.B if isinstance(data, SusceptibilityData) else data.T
    return [data.points(np.flatnonzero(fixed == value)) for value in np.unique(fixed)]


def _kind(file: Path) -> str:
    for kind in ("sus", "mag"):
        if file.name.lower().endswith(f"_{kind}.exp"):
            return kind
    raise InputError(f"path must end in _sus.exp or _mag.exp, got {file.name!r}; rename the file")
