"""Numbers, vectors and matrices of MATLAB text with plain arithmetic, read by a small parser of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError

Floats = NDArray[np.float64]

#: Characters of one value, and brackets within each other, that are read.
_LONGEST, _DEEPEST = 20_000, 32

_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\r]+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>(?:\d+(?:\.(?![*/^])\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?(?!\w|\.[\d.]))"
    r"|(?P<sign>\.[*/^]|[-+*/^(),;\[\]\n])"
)
_CONSTANTS: Final = {"pi": math.pi}
_POWERS: Final = ("^", ".^")


class _Token(NamedTuple):
    kind: str
    text: str
    before: bool
    """Whether a space stands before it."""
    after: bool
    """Whether a space stands behind it."""


class _Unreadable(Exception):
    """What could not be read, as a clause."""


def matlab_numbers(name: str, text: str, what: str = "numbers") -> Floats:
    r"""Return the matrix that a MATLAB expression of numbers stands for.

    Sums, products, quotients and powers, parentheses, ``pi``, and brackets with rows and columns are
    understood; ``*``, ``/`` and ``^`` take a number at least on one side (on the right of ``/``, on both of
    ``^``), their forms with a point work element by element.  Within brackets a space separates elements,
    also before a sign that touches the number behind it: ``[1 -2]`` has two, ``[1 - 2]`` and ``[1-2]`` one.

    Parameters
    ----------
    name : str
        Name of the value, for messages.
    text : str
        The expression, without remarks and continuations.
    what : str, default "numbers"
        What the value must be, for messages.

    Returns
    -------
    ndarray, shape (rows, columns)
        A single number has shape (1, 1).

    Raises
    ------
    InputError
        If the text is anything else: functions, variables and ranges are not evaluated.

    Examples
    --------
    >>> matlab_numbers("Sys.DFrame", "[10 20; -30 2*(1+2)^2]*pi/180").round(4).tolist()
    [[0.1745, 0.3491], [-0.5236, 0.3142]]
    >>> matlab_numbers("Sys.S", "[1/2 3/2]").tolist()
    [[0.5, 1.5]]
    """
    try:
        with np.errstate(all="ignore"):
            value = _Parser(_tokens(text)).whole()
    except _Unreadable as reason:
        raise InputError(f"{name} must be {what}, got {_short(text)}: {reason}; write the values") from None
    if not np.all(np.isfinite(value)):
        raise InputError(f"{name} must be {what}, finite numbers, got {_short(text)}; correct it")
    return value


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _tokens(text: str) -> list[_Token]:
    if len(text) > _LONGEST:
        raise _Unreadable(f"more than {_LONGEST} characters")
    found: list[tuple[str, str, bool]] = []
    place, space = 0, False
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _Unreadable(f"{text[place : place + 12]!r} is not understood")
        place = match.end()
        if match.lastgroup == "space":
            space = True
            continue
        found.append((str(match.lastgroup), match.group(), space))
        space = False
    behind = [entry[2] for entry in [*found[1:], ("", "", True)]]
    return [_Token(*entry, after) for entry, after in zip(found, behind, strict=False)]


class _Parser:
    """Recursive descent through the tokens of one value."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.place, self.depth = tokens, 0, 0
        # where a space separates elements: in brackets, not in parentheses within them
        self.listing = False

    def whole(self) -> Floats:
        """Return the value of all tokens."""
        value = self.sum()
        token = self.next()
        if token is not None:
            raise _Unreadable(f"{token.text!r} stands behind the value")
        return value

    def next(self) -> _Token | None:
        """Return the token in front."""
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def taken(self, signs: tuple[str, ...]) -> str:
        """Step over the token in front and return it if it is one of ``signs``, else return nothing."""
        token = self.next()
        if token is None or token.text not in signs or self._begins_element(token):
            return ""
        self.place += 1
        return token.text

    def _begins_element(self, token: _Token) -> bool:
        return self.listing and token.text in ("+", "-") and token.before and not token.after

    def sum(self) -> Floats:
        """Return a sum of products."""
        value = self.product()
        while sign := self.taken(("+", "-")):
            other = self.product()
            value = _combined(value, other, np.add if sign == "+" else np.subtract, sign)
        return value

    def product(self) -> Floats:
        """Return a product of signed powers."""
        value = self.signed()
        while sign := self.taken(("*", "/", ".*", "./")):
            other = self.signed()
            if "." not in sign and other.size > 1 and (sign == "/" or value.size > 1):
                raise _Unreadable(f"{sign!r} stands between matrices")
            value = _combined(value, other, np.multiply if "*" in sign else np.divide, sign)
        return value

    def signed(self) -> Floats:
        """Return a power with its signs; they weigh less than the power: -2^2 is -4."""
        factor = 1.0
        while (token := self.next()) is not None and token.text in ("+", "-"):
            factor *= -1.0 if token.text == "-" else 1.0
            self.place += 1
        return factor * self.power()

    def power(self) -> Floats:
        """Return powers, from left to right as in MATLAB."""
        value = self.atom()
        while sign := self.taken(_POWERS):
            exponent = self.exponent()
            if sign == "^" and (value.size > 1 or exponent.size > 1):
                raise _Unreadable("'^' stands between matrices")
            value = _combined(value, exponent, np.power, sign)
        return value

    def exponent(self) -> Floats:
        """Return an exponent, which may have a sign."""
        factor = 1.0
        while sign := self.taken(("+", "-")):
            factor *= -1.0 if sign == "-" else 1.0
        return factor * self.atom()

    def atom(self) -> Floats:
        """Return a number, a constant, or what stands in parentheses or brackets."""
        token = self.next()
        if token is None:
            raise _Unreadable("it ends too early")
        self.place += 1
        if token.kind == "number":
            return np.array([[float(re.sub("[dD]", "e", token.text))]])
        if token.kind == "name":
            if token.text not in _CONSTANTS:
                raise _Unreadable(f"{token.text!r} is not evaluated")
            return np.array([[_CONSTANTS[token.text]]])
        if token.text not in ("(", "["):
            raise _Unreadable(f"{token.text!r} stands where a number must")
        return self.enclosed(token.text)

    def enclosed(self, opening: str) -> Floats:
        """Return what stands up to the closing sign."""
        outer, self.listing = self.listing, opening == "["
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Unreadable(f"more than {_DEEPEST} brackets within each other")
        value = self.matrix() if opening == "[" else self.sum()
        self.listing = outer
        self.depth -= 1
        closing = self.next()
        if closing is None or closing.text != {"[": "]", "(": ")"}[opening]:
            raise _Unreadable(f"{opening!r} is not closed")
        self.place += 1
        return value

    def matrix(self) -> Floats:
        """Return the rows up to the closing bracket; empty ones count for nothing."""
        rows: list[list[Floats]] = [[]]
        while (token := self.next()) is not None and token.text != "]":
            if token.text in (";", "\n"):
                rows.append([])
                self.place += 1
            elif token.text == ",":
                if not rows[-1]:
                    raise _Unreadable("',' stands where a number must")
                self.place += 1
            else:
                if rows[-1] and token.text != "[" and not (token.before or self._behind_comma()):
                    raise _Unreadable(f"{token.text!r} stands behind a number")
                rows[-1].append(self.sum())
        if not any(rows):
            raise _Unreadable("it holds no number")
        try:
            return np.vstack([np.hstack(row) for row in rows if row])
        except ValueError:
            raise _Unreadable("its rows have different lengths") from None

    def _behind_comma(self) -> bool:
        return self.tokens[self.place - 1].text in (",", "[", ";", "\n", "]")


def _combined(one: Floats, other: Floats, rule: Callable[..., Floats], sign: str) -> Floats:
    """Return a calculation element by element between equal shapes, or with a single number."""
    if one.shape != other.shape and 1 not in (one.size, other.size):
        raise _Unreadable(f"{sign!r} stands between matrices of different size")
    return np.asarray(rule(one, other), dtype=np.float64)
