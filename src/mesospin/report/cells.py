"""Tables free of any rendering: columns with units, rows in full precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

Cell = str | float | int | bool


@dataclass(frozen=True, slots=True)
class Column:
    """Name of a column, also its key in JSON, its unit ("" for none), and whether it is a part of one."""

    name: str
    unit: str = ""
    fraction: bool = False

    @property
    def heading(self) -> str:
        """The name as people read it, with the unit in brackets."""
        words = self.name.replace("_", " ")
        return f"{words} ({self.unit})" if self.unit else words

    def text(self, value: Cell) -> str:
        """Return an entry of this column as text.

        Examples
        --------
        >>> Column("reversed", fraction=True).text(-1e-15), Column("field", "T").text(0.44)
        ('0.0000', '0.44')
        """
        if self.fraction and isinstance(value, float) and math.isfinite(value):
            return f"{round(value, 4) + 0.0:.4f}"
        return cell_text(value)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; numbers are kept in full precision.

    Examples
    --------
    >>> Table("steps", "Steps", (Column("field", "T"),), ((0.44,),)).records()
    [{'field': 0.44}]
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def records(self) -> list[dict[str, Cell]]:
        """Return one mapping per row."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def units(self) -> dict[str, str]:
        """Return the unit of every column that has one."""
        return {column.name: column.unit for column in self.columns if column.unit}


def cell_text(value: Cell) -> str:
    """Return a cell as text with the digits that a reader wants.

    Examples
    --------
    >>> cell_text(0.123456789), cell_text(6.91e-13), cell_text(float("nan")), cell_text(True), cell_text(7)
    ('0.12346', '6.91e-13', '-', 'yes', '7')
    """
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value + 0.0:.5g}"
    return str(value)


def unit_of(dataset: xr.Dataset, name: str) -> str:
    """Return the unit of a variable, empty for a pure number."""
    unit = str(dataset[name].attrs.get("units", ""))
    return "" if unit == "1" else unit


def spread_out(count: int, most: int) -> list[int]:
    """Return at most ``most`` positions out of ``count``, evenly spread, with both ends."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def columns_of(
    dataset: xr.Dataset, key: str, title: str, names: Sequence[str], rows: Sequence[int] | None = None
) -> Table:
    """Return variables along one dimension as the columns of a table, all rows or some."""
    columns = tuple(Column(name, unit_of(dataset, name)) for name in names)
    values = [dataset[name].values.tolist() for name in names]
    picked = range(len(values[0])) if rows is None else rows
    return Table(key, title, columns, tuple(tuple(column[i] for column in values) for i in picked))


def scalars_of(dataset: xr.Dataset, key: str, title: str, names: Sequence[str]) -> Table:
    """Return scalar variables as a table of one row."""
    columns = tuple(Column(name, unit_of(dataset, name)) for name in names)
    return Table(key, title, columns, (tuple(dataset[name].values.item() for name in names),))
