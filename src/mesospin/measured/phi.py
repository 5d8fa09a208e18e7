"""The whitespace tables of PHI: ``NAME_sus.exp`` (T, chi T) and ``NAME_mag.exp`` (B, M).

The first column is the temperature [K] or the field [T]; every further one is chi T [cm3 K/mol] at one field,
or the moment [N_A mu_B] at one temperature.  Those fields and temperatures are not in the file (PHI keeps
them in its ``.test`` file), so they have to be named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import finite_array, instance_of
from mesospin.errors import InputError
from mesospin.measured.data import MagnetisationData, SusceptibilityData

Floats = NDArray[np.float64]


def read_phi(
    path: str | Path,
    *,
    B: float | Sequence[float] | None = None,
    T: float | Sequence[float] | None = None,
    sigma: float | None = None,
    powder: int | None = None,
    axis: Sequence[float] | None = None,
) -> tuple[SusceptibilityData, ...] | tuple[MagnetisationData, ...]:
    r"""Return the data sets of a PHI table, one for every column after the first.

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
    powder, axis
        As for `SusceptibilityData`.

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
    table = _numbers(file)
    name, unit, given, other = ("B", "T", B, T) if kind == "sus" else ("T", "K", T, B)
    if given is None or other is not None:
        raise InputError(
            f"{name} must be given [{unit}], and nothing else, for a _{kind}.exp file, whose columns it "
            f"names; write {name}=[...]"
        )
    wanted = np.atleast_1d(finite_array(name, given, unit))
    if wanted.shape != (table.shape[1] - 1,):
        raise InputError(
            f"{name} must be one [{unit}] for each of {table.shape[1] - 1} columns, got {wanted.size}; "
            "give as many"
        )
    columns = zip(wanted, table[:, 1:].T, strict=True)
    if kind == "sus":
        return tuple(
            SusceptibilityData(
                table[:, 0], y, unit="cgs", B=b, sigma=sigma, powder=powder, axis=axis, label=f"chi {b:g} T"
            )
            for b, y in columns
        )
    return tuple(
        MagnetisationData(t, table[:, 0], y, sigma=sigma, powder=powder, axis=axis, label=f"M {t:g} K")
        for t, y in columns
    )


def write_phi(
    data: SusceptibilityData | MagnetisationData | Sequence[SusceptibilityData] | Sequence[MagnetisationData],
    path: str | Path,
) -> Path:
    """Write data sets as the columns of a PHI table.

    Parameters
    ----------
    data : SusceptibilityData or MagnetisationData, or several of one kind
        Susceptibilities at one field each, magnetisations at one temperature each, all with the
        same first column.
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
    sets = (data,) if isinstance(data, SusceptibilityData | MagnetisationData) else tuple(data)
    if not sets:
        raise InputError("data must be at least one set, got none; give what is to be written")
    first, columns = None, []
    for entry in sets:
        instance_of("data", entry, wanted, hint=f"a _{kind}.exp file holds nothing else")
        x, fixed = (entry.T, entry.B) if kind == "sus" else (entry.B, entry.T)
        if np.any(fixed != fixed[0]):
            what = "field" if kind == "sus" else "temperature"
            raise InputError(f"data {entry.label!r} must have one {what}, got several; split the set")
        if first is not None and not np.array_equal(first, x):
            raise InputError(
                "data must have the same first column in every set, got others; write more files"
            )
        first = x
        per_mole = isinstance(entry, SusceptibilityData) and not entry.times_T
        columns.append(entry.values * entry.T if per_mole else entry.values)
    rows = np.column_stack([np.asarray(first), *columns])
    text = "".join("  ".join(f"{x!r}" for x in row) + "\n" for row in rows.tolist())
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(file)!r} could not be written: {error}") from None
    return file


def _kind(file: Path) -> str:
    for kind in ("sus", "mag"):
        if file.name.lower().endswith(f"_{kind}.exp"):
            return kind
    raise InputError(f"path must end in _sus.exp or _mag.exp, got {file.name!r}; rename the file")


def _numbers(file: Path) -> Floats:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(file)!r} could not be read as text: {error}") from None
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            raise InputError(
                f"line {number} of {file.name} must be numbers, got {line.strip()!r}; remove it"
            ) from None
        if len(row) < 2 or (rows and len(row) != len(rows[0])):
            raise InputError(
                f"line {number} of {file.name} must have {len(rows[0]) if rows else 'at least 2'} columns, "
                f"got {len(row)}; complete it"
            )
        rows.append(row)
    if not rows:
        raise InputError(f"{file.name} must hold at least one row of numbers, got none")
    return np.array(rows)
