"""Laws of relaxation as a command line or a study file writes them: "orbach + raman + tunnelling"."""

from __future__ import annotations

import re
from typing import Final

from mesospin.checks import instance_of, nearest
from mesospin.errors import InputError
from mesospin.measured.relaxation.processes import (
    PROCESSES,
    BronsVanVleck,
    PhononBottleneck,
    Process,
    RateLaw,
)

__all__ = ["law_from_text"]

_TERM: Final = re.compile(r"([A-Za-z][A-Za-z _-]*)(?:\((.*)\))?")
_MODIFIERS: Final = (BronsVanVleck, PhononBottleneck)
_OTHER_NAMES: Final = {"qtm": "tunnelling", "tunneling": "tunnelling", "constantrate": "constant"}
_BY_NAME: Final = {name.replace("-", ""): name for name in PROCESSES}


def law_from_text(text: str) -> RateLaw:
    """Return the sum of processes that a text names.

    Parameters
    ----------
    text : str
        Names of processes with "+" between them; one that modifies another has it in parentheses.
        Capitals, hyphens and blanks inside a name do not matter, so that ``RateLaw.title`` is read too.

    Returns
    -------
    RateLaw

    Raises
    ------
    InputError
        If a name is unknown, a parenthesis is not closed, or a process takes no other one.

    Examples
    --------
    >>> law_from_text("orbach + raman + tunnelling").names
    ('A', 'u_eff', 'R', 'n', 'Q')
    >>> law_from_text("phonon-bottleneck(direct) + raman").title
    'PhononBottleneck(Direct) + Raman'
    """
    instance_of("law", text, str, hint='write "orbach + raman"')
    return RateLaw(tuple(_process(part, text) for part in _parts(text)))


def _parts(text: str) -> list[str]:
    """Return what stands between the plus signs outside of parentheses."""
    depth, parts = 0, [""]
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        if sign == "+" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    if depth:
        raise InputError(
            f"law must have a closing for every opening parenthesis, got {text!r}; write for example "
            '"phonon-bottleneck(direct) + raman"'
        )
    return [part.strip() for part in parts]


def _process(part: str, text: str) -> Process:
    match = _TERM.fullmatch(part)
    if match is None:
        raise InputError(
            f'law must be names of processes with "+" between them, got {text!r}; write for example '
            '"orbach + raman"'
        )
    key = re.sub(r"[ _-]", "", match.group(1)).lower()
    name = _OTHER_NAMES.get(key) or _BY_NAME.get(key)
    if name is None:
        hint = nearest(match.group(1).strip().lower(), tuple(PROCESSES))
        raise InputError(f"law must name known processes, got {match.group(1).strip()!r}; {hint}")
    kind, inner = PROCESSES[name], match.group(2)
    if inner is None:
        return kind()
    if not issubclass(kind, _MODIFIERS):
        known = " or ".join(own for own, each in PROCESSES.items() if issubclass(each, _MODIFIERS))
        raise InputError(f"law must have another process inside {known} only, got {part!r}; write a sum")
    others = _parts(inner)
    if len(others) != 1:
        raise InputError(f"law must have one process inside {name}, got {inner!r}; write two of them")
    return kind(_process(others[0], text))
