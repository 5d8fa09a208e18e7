"""Models and laws of relaxation by the names that a command line or a study file gives them."""

from __future__ import annotations

import re
from typing import Final

from mesospin.checks import instance_of, nearest, one_of
from mesospin.errors import InputError
from mesospin.measured.relaxation.ac_models import AC_MODELS, AcModel
from mesospin.measured.relaxation.decay_models import DECAY_MODELS, DecayModel
from mesospin.measured.relaxation.processes import (
    PROCESSES,
    BronsVanVleck,
    PhononBottleneck,
    Process,
    RateLaw,
)

__all__ = ["ac_model", "decay_model", "rate_law"]

_TERM: Final = re.compile(r"([A-Za-z][A-Za-z _-]*)(?:\((.*)\))?")
_MODIFIERS: Final = (BronsVanVleck, PhononBottleneck)
_OTHER_NAMES: Final = {"qtm": "tunnelling", "tunneling": "tunnelling", "constantrate": "constant"}
_BY_NAME: Final = {name.replace("-", ""): name for name in PROCESSES}


def ac_model(name: str) -> AcModel:
    """Return the shape of a relaxation in the ac susceptibility that a name means.

    Parameters
    ----------
    name : str
        "debye", "generalised-debye", "cole-davidson", "havriliak-negami", "double-generalised-debye" or
        "double-generalised-debye-equal-chi".

    Returns
    -------
    AcModel

    Raises
    ------
    InputError
        If the name is another one.

    Examples
    --------
    >>> ac_model("generalised-debye").names
    ('tau', 'chi_S', 'chi_T', 'alpha')
    """
    return AC_MODELS[one_of("model", name, tuple(AC_MODELS))]


def decay_model(name: str) -> DecayModel:
    """Return the shape of a decay that a name means.

    Parameters
    ----------
    name : {"stretched-exponential", "double-exponential"}

    Returns
    -------
    DecayModel

    Raises
    ------
    InputError
        If the name is another one.

    Examples
    --------
    >>> decay_model("stretched-exponential").names
    ('tau', 'beta', 'm_eq', 'm_0')
    """
    return DECAY_MODELS[one_of("model", name, tuple(DECAY_MODELS))]


def rate_law(text: str) -> RateLaw:
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
    >>> rate_law("orbach + raman + tunnelling").names
    ('A', 'u_eff', 'R', 'n', 'Q')
    >>> rate_law("phonon-bottleneck(direct) + raman").title
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
