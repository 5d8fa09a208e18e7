"""Reading of TOML tables: every key has a reader, unknown keys are refused with the nearest known one.

A reader takes the name of the entry (for messages) and the raw TOML value and returns the clean value.
Quantities with a dimension must be texts with a unit: a bare number in a file does not say which unit its
author meant.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mesospin import checks, units
from mesospin.errors import InputError, InvalidModelError, UnitError

__all__ = [
    "Key",
    "Reader",
    "list_of",
    "pair_of",
    "quantity",
    "read_flag",
    "read_integer",
    "read_number",
    "read_subtable",
    "read_table",
    "read_text",
    "tensor_of",
    "within",
]

Reader = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table: how its value is read and whether it must be there."""

    read: Reader
    required: bool = False


def read_table(
    where: str, table: object, keys: Mapping[str, Key], *, error: type[InputError] = InvalidModelError
) -> dict[str, Any]:
    """Return the values of a table by key, each read by its reader.

    Parameters
    ----------
    where : str
        Name of the table, for messages.
    table : mapping
        Raw TOML table.
    keys : mapping of str to Key
        The allowed keys.
    error : exception class, default InvalidModelError
        What is raised for unknown and missing keys.

    Returns
    -------
    dict
        Only the keys that are present.

    Examples
    --------
    >>> read_table("spin", {"S": 10}, {"S": Key(read_number, required=True), "g": Key(read_number)})
    {'S': 10.0}
    """
    if not isinstance(table, Mapping):
        raise error(f"{where} must be a table of keys, got {table!r}; write [{where}] and one key a line")
    for key in table:
        if key not in keys:
            raise error(f"{where} must not have the key {key!r}; {checks.nearest(str(key), keys)}")
    for key, rule in keys.items():
        if rule.required and key not in table:
            raise error(f"{where} must have the key {key!r}, got {', '.join(table) or 'nothing'}; add it")
    return {key: keys[key].read(f"{where}.{key}", value) for key, value in table.items()}


def within(where: str, build: Callable[..., Any], /, *args: Any, **values: Any) -> Any:
    """Return ``build(*args, **values)``; input errors name the place in the file.

    Examples
    --------
    >>> within("weight", float, "0.5")
    0.5
    """
    try:
        return build(*args, **values)
    except InputError as error:
        raise type(error)(f"in {where}: {error}") from None


def quantity(convert: Callable[[Any, str], float], example: str) -> Reader:
    """Return a reader for a text with a unit.

    Examples
    --------
    >>> quantity(units.to_tesla, "25 mT")("width", "25 mT")
    0.025
    """

    def read(name: str, value: Any) -> float:
        if not isinstance(value, str):
            raise UnitError(
                f'{name} must be a text with a unit, got {value!r}; write for example "{example}"'
            )
        return convert(value, name)

    return read


def tensor_of(reader: Reader) -> Reader:
    """Return a reader for one value, three, or three rows of three."""

    def read(name: str, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(read(name, entry) for entry in value)
        return reader(name, value)

    return read


def list_of(reader: Reader, *, at_least: int = 1) -> Reader:
    """Return a reader for a list of values of one kind.

    Examples
    --------
    >>> list_of(read_integer)("sites", [0, 1])
    (0, 1)
    """

    def read(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InputError(f"{name} must be a list, got {value!r}; write it in square brackets")
        if len(value) < at_least:
            raise InputError(f"{name} must have at least {at_least} entries, got {len(value)}; add some")
        return tuple(reader(f"{name}[{i}]", entry) for i, entry in enumerate(value))

    return read


def pair_of(first: Reader, second: Reader) -> Reader:
    """Return a reader for a list of exactly two values.

    Examples
    --------
    >>> pair_of(read_integer, read_number)("pair", [1, 0.5])
    (1, 0.5)
    """

    def read(name: str, value: Any) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise InputError(f"{name} must be a list of two values, got {value!r}; give both")
        return first(f"{name}[0]", value[0]), second(f"{name}[1]", value[1])

    return read


def read_number(name: str, value: Any) -> float:
    """Return a pure number; a text may be a ratio or a percentage.

    Examples
    --------
    >>> read_number("one_quantum", "1/4")
    0.25
    """
    return units.to_dimensionless(value, name)


def read_integer(name: str, value: Any) -> int:
    """Return an integer.

    Examples
    --------
    >>> read_integer("k", 4)
    4
    """
    return checks.integer(name, value)


def read_flag(name: str, value: Any) -> bool:
    """Return true or false.

    Examples
    --------
    >>> read_flag("nuclear", True)
    True
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} must be true or false, got {value!r}; write it without quotation marks")
    return value


def read_text(name: str, value: Any) -> str:
    """Return a text that is not empty.

    Examples
    --------
    >>> read_text("label", "J")
    'J'
    """
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name} must be a non-empty text, got {value!r}; write it in quotation marks")
    return value


def read_subtable(name: str, value: Any) -> Mapping[str, Any]:
    """Return a nested table, to be read later.

    Examples
    --------
    >>> read_subtable("defaults", {"crystal": "fe8"})
    {'crystal': 'fe8'}
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must be a table, got {value!r}; write [{name}]")
    return value
