"""Fields of an EasySpin structure, as text of a MATLAB script, read as a spin system.

The fields that are read are those of a spin Hamiltonian: S, g, gFrame, D, DFrame, B1 ... B12 and their
frames, ee, eeFrame, J, dip, dvec, Nucs, A, AFrame, Q, QFrame, with the meaning of EasySpin 6.  Every other
field is refused by its name, since a system without it would be another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import nearest
from mesospin.errors import InputError
from mesospin.measured.text_files.easyspin_write import KELVIN_PER_MEGAHERTZ
from mesospin.measured.text_files.lines import text_of
from mesospin.measured.text_files.matlab_numbers import matlab_numbers
from mesospin.model.interactions import Exchange, Hyperfine
from mesospin.model.nuclei import nucleus
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.term import Term
from mesospin.model.terms import Quadrupole, Stevens, ZeroFieldSplitting
from mesospin.operators.rotation import rotate_tensor

Floats = NDArray[np.float64]
Fields = dict[str, Floats | str]

_FIELDS = (
    *("S", "g", "gFrame", "D", "DFrame", "ee", "eeFrame", "J", "dip", "dvec", "Nucs", "A", "AFrame", "Q"),
    *("QFrame", *(f"B{k}" for k in range(1, 13)), *(f"B{k}Frame" for k in range(1, 13))),
)
_ASSIGNMENT = re.compile(r"\s*([A-Za-z]\w*)\.(\w+)\s*=\s*(.*?)\s*;?\s*", re.DOTALL)
#: Fields that are no energies in MHz, and what they must be.
_MEANING = {"S": "spins, such as 5/2", "g": "g values"}
_FREE_ELECTRON = 2.00231930436


def read_easyspin(source: str | Path, name: str = "EasySpin system") -> SpinSystem:
    r"""Return the spin system that MATLAB text sets up for EasySpin.

    Parameters
    ----------
    source : str or Path
        Text, or a file as a Path, with lines such as ``Sys.D = [-8200 250];``: numbers, matrices and quoted
        texts; remarks (``%``), continuations (``...``) and arithmetic with numbers and ``pi`` are
        understood, functions and variables are not.
    name : str, default "EasySpin system"
        Name of the system.

    Returns
    -------
    SpinSystem
        Electrons first, then nuclei (labelled with their isotope), energies converted from MHz.

    Raises
    ------
    InputError
        If a field is not one of those above, cannot be read, or has a wrong size.

    References
    ----------
    - S. Stoll and A. Schweiger, J. Magn. Reson. 178, 42 (2006).

    Examples
    --------
    >>> system = read_easyspin("Sys.S = 2; Sys.g = 2.0;\nSys.B4 = [0 0 0 0 10 0 0 0 0]; % MHz")
    >>> system.spins[0].S, system.terms[0].k, system.terms[0].q
    (2.0, 4, 0)
    """
    fields = _fields(source if isinstance(source, str) else text_of(source))
    S = _numbers(fields, "S", np.array([[0.5]])).ravel()
    n = len(S)
    g = _g_tensors(fields, n)
    spins = [Spin(float(s), tensor.tolist()) for s, tensor in zip(S, g, strict=True)]
    terms: list[Term] = [*_zero_field(fields, n), *_stevens(fields, n), *_couplings(fields, n)]
    if "Nucs" in fields:
        names = [entry.strip() for entry in str(fields["Nucs"]).split(",")]
        for entry in names:
            found = nucleus(entry)
            spins.append(Spin(float(found.spin), found.g, label=found.name, nuclear=True))
        terms += [*_hyperfine(fields, n, len(names)), *_quadrupole(fields, spins[n:], n)]
    elif {"A", "AFrame", "Q", "QFrame"} & set(fields):
        raise InputError("Sys.Nucs must name the nuclei of Sys.A and Sys.Q, got none; add it")
    return SpinSystem(name, spins, terms, sources=["EasySpin structure"])


def _fields(text: str) -> Fields:
    joined = re.sub(r"\.\.\.[^\n]*\n", " ", re.sub(r"%[^\n]*", "", text))
    fields: Fields = {}
    owner = None
    for line in _statements(joined):
        match = _ASSIGNMENT.fullmatch(line)
        if match is None:
            raise InputError(
                f"EasySpin text must assign fields, 'Sys.D = [..]', got {line.strip()!r}; remove it"
            )
        variable, field, value = match.groups()
        if owner not in (None, variable):
            raise InputError(f"EasySpin text must set up one structure, got {owner} and {variable}; split it")
        owner = variable
        if field not in _FIELDS:
            raise InputError(
                f"{variable}.{field} must be a field of the spin Hamiltonian; {nearest(field, _FIELDS)}, or "
                "remove the line"
            )
        fields[field] = _value(f"{variable}.{field}", value)
    if not fields:
        raise InputError("EasySpin text must assign at least one field, got none; write 'Sys.S = 2;'")
    return fields


def _statements(text: str) -> list[str]:
    """Return the statements: lines and semicolons separate them outside brackets and quotation marks."""
    statements, current, depth, quoted = [], "", 0, False
    for character in text:
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += (character in "[{") - (character in "]}")
        if character in ";\n" and depth == 0 and not quoted:
            statements.append(current)
            current = ""
        else:
            current += character
    return [entry for entry in [*statements, current] if entry.strip()]


def _value(name: str, text: str) -> Floats | str:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    if text.startswith("{"):
        return ",".join(re.findall(r"'([^']*)'", text))
    field = name.partition(".")[2]
    angles = field.endswith("Frame")
    array = matlab_numbers(name, text, "angles [rad]" if angles else _MEANING.get(field, "numbers in MHz"))
    if angles and np.abs(array).max() > 2.0 * np.pi * (1.0 + 1e-9):
        raise InputError(
            f"{name} must be angles of at most a turn, 2 pi [rad], got {text!r}; for degrees write "
            "[..]*pi/180"
        )
    return array


def _numbers(fields: Fields, name: str, default: Floats) -> Floats:
    value = fields.get(name, default)
    if isinstance(value, str):
        raise InputError(f"Sys.{name} must be numbers, got {value!r}; correct it")
    return value


def _frames(fields: Fields, name: str, rows: int, columns: int = 3) -> Floats:
    frames = _numbers(fields, name, np.zeros((rows, columns)))
    if frames.shape != (rows, columns):
        raise InputError(
            f"Sys.{name} must have size {rows} x {columns}, got {frames.shape}; give three angles each"
        )
    return frames


def _sized(name: str, value: Floats, rows: int, readers: dict[int, Callable[[Floats], Floats]]) -> Floats:
    """Return one row of three principal values for each of ``rows``, read by its number of columns."""
    if 1 in readers and value.size == rows:
        value = value.reshape(rows, 1)
    if len(value) != rows or value.shape[1] not in readers:
        sizes = " or ".join(f"{rows} x {k}" for k in readers)
        raise InputError(
            f"Sys.{name} must have size {sizes}, got {value.shape[0]} x {value.shape[1]}; correct it"
        )
    return np.stack([readers[value.shape[1]](row) for row in value])


def _stack(fields: Fields, name: str, rows: int) -> list[Floats] | None:
    """Return the 3x3 tensors of a full field, None where it is given otherwise."""
    value = _numbers(fields, name, np.zeros((rows, 1)))
    if value.shape != (3 * rows, 3):
        return None
    if f"{name}Frame" in fields:
        raise InputError(f"Sys.{name}Frame must not be given beside full tensors Sys.{name}; remove it")
    return [value[3 * k : 3 * k + 3] for k in range(rows)]


def _g_tensors(fields: Fields, n: int) -> list[Floats]:
    full = _stack(fields, "g", n)
    if full is not None:
        return full
    given = _numbers(fields, "g", np.full((n, 1), _FREE_ELECTRON))
    readers: dict[int, Callable[[Floats], Floats]] = {
        1: lambda row: np.repeat(row, 3),
        2: lambda row: row[[0, 0, 1]],
        3: lambda row: row,
    }
    values, frames = _sized("g", given, n, readers), _frames(fields, "gFrame", n)
    return [rotate_tensor(np.diag(v), tuple(a)) for v, a in zip(values, frames, strict=True)]


def _zero_field(fields: Fields, n: int) -> list[Term]:
    if "D" not in fields:
        return []
    if "B2" in fields and np.any(_numbers(fields, "B2", np.zeros((1, 1)))):
        raise InputError("Sys.D and Sys.B2 must not be given together; remove one of them")
    full = _stack(fields, "D", n)
    terms: list[Term] = []
    if full is not None:
        for site, tensor in enumerate(full):
            terms += _rank_two(site, tensor * KELVIN_PER_MEGAHERTZ)
        return terms
    readers: dict[int, Callable[[Floats], Floats]] = {
        1: lambda row: np.array([row[0], 0.0]),
        2: lambda row: row,
        3: lambda row: np.array([1.5 * (row[2] - row.mean()), (row[0] - row[1]) / 2]),
    }
    given = _numbers(fields, "D", np.zeros((n, 1)))
    frames = _frames(fields, "DFrame", n)
    for site, (D, E) in enumerate(_sized("D", given, n, readers) * KELVIN_PER_MEGAHERTZ):
        if D or E:
            terms.append(ZeroFieldSplitting(D, E, site, _frame(frames[site])))
    return terms


def _rank_two(site: int, tensor: Floats) -> list[Term]:
    """Return a symmetric tensor as Stevens operators."""
    if not np.allclose(tensor, tensor.T, rtol=0.0, atol=1e-12 * float(np.abs(tensor).max())):
        raise InputError(f"Sys.D must be symmetric for spin {site + 1}, got another tensor; symmetrise it")
    trace = np.trace(tensor) / 3
    parts = {
        0: (tensor[2, 2] - trace) / 2,
        2: (tensor[0, 0] - tensor[1, 1]) / 2,
        1: tensor[0, 2] + tensor[2, 0],
        -1: tensor[1, 2] + tensor[2, 1],
        -2: (tensor[0, 1] + tensor[1, 0]) / 2,
    }
    return [Stevens(2, q, float(value), site) for q, value in parts.items() if value != 0.0]


def _frame(angles: Floats) -> tuple[float, float, float] | None:
    return (float(angles[0]), float(angles[1]), float(angles[2])) if angles.any() else None


def _stevens(fields: Fields, n: int) -> list[Term]:
    terms: list[Term] = []
    for k in range(1, 13):
        if f"B{k}" not in fields:
            continue
        rows = _numbers(fields, f"B{k}", np.zeros((n, 1)))
        if rows.shape == (n, 1):
            rows = np.pad(rows, ((0, 0), (k, k)))
        if rows.shape != (n, 2 * k + 1):
            raise InputError(
                f"Sys.B{k} must have size {n} x {2 * k + 1} (q from +{k} to -{k}) or {n} x 1, got "
                f"{rows.shape[0]} x {rows.shape[1]}; correct it"
            )
        frames = _frames(fields, f"B{k}Frame", n)
        for site, column in zip(*np.nonzero(rows), strict=True):
            value = float(rows[site, column]) * KELVIN_PER_MEGAHERTZ
            terms.append(Stevens(k, k - int(column), value, int(site), _frame(frames[site])))
    return terms


def _couplings(fields: Fields, n: int) -> list[Term]:
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
    given = {"ee", "J", "dip", "dvec"} & set(fields)
    if not pairs or not given:
        if n > 1:
            raise InputError(
                "Sys.J or Sys.ee must couple several electron spins in EasySpin, got none; write 0"
            )
        return []
    if "ee" in given and len(given) > 1:
        raise InputError("Sys.ee must not be given beside Sys.J, Sys.dip or Sys.dvec; remove one of them")
    tensors = _ee_tensors(fields, len(pairs)) if "ee" in given else _j_tensors(fields, len(pairs))
    return [
        Exchange(a, b, (tensor * KELVIN_PER_MEGAHERTZ).tolist(), "+J")
        for (a, b), tensor in zip(pairs, tensors, strict=True)
        if np.any(tensor)
    ]


def _ee_tensors(fields: Fields, count: int) -> list[Floats]:
    full = _stack(fields, "ee", count)
    if full is not None:
        return full
    readers: dict[int, Callable[[Floats], Floats]] = {1: lambda row: np.repeat(row, 3), 3: lambda row: row}
    values = _sized("ee", _numbers(fields, "ee", np.zeros((count, 1))), count, readers)
    frames = _frames(fields, "eeFrame", count)
    return [rotate_tensor(np.diag(v), tuple(a)) for v, a in zip(values, frames, strict=True)]


def _j_tensors(fields: Fields, count: int) -> list[Floats]:
    if "eeFrame" in fields:
        raise InputError(
            "Sys.eeFrame must belong to Sys.ee here, got it with Sys.J; write the tensor as Sys.ee"
        )
    J = _sized("J", _numbers(fields, "J", np.zeros((count, 1))), count, {1: lambda row: np.repeat(row, 3)})
    readers: dict[int, Callable[[Floats], Floats]] = {
        1: lambda row: row[0] * np.array([1.0, 1.0, -2.0]),
        2: lambda row: row[0] * np.array([1.0, 1.0, -2.0]) + row[1] * np.array([1.0, -1.0, 0.0]),
        3: lambda row: row - row.mean(),
    }
    dip = _sized("dip", _numbers(fields, "dip", np.zeros((count, 1))), count, readers)
    d = _sized("dvec", _numbers(fields, "dvec", np.zeros((count, 3))), count, {3: lambda row: row})
    crossed = [np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]) for x, y, z in d]
    return [np.diag(J[k] + dip[k]) + crossed[k] for k in range(count)]


def _hyperfine(fields: Fields, n: int, nuclei: int) -> list[Term]:
    A = _numbers(fields, "A", np.zeros((nuclei, n)))
    if A.shape == (3 * nuclei, 3 * n):
        if "AFrame" in fields:
            raise InputError("Sys.AFrame must not be given beside full tensors Sys.A; remove it")
        tensors = A.reshape(nuclei, 3, n, 3).transpose(0, 2, 1, 3)
        frames = np.zeros((nuclei, n, 3))
    else:
        if n == 1 and A.shape == (1, nuclei):
            A = A.T
        widths = {n: [0, 0, 0], 2 * n: [0, 0, 1], 3 * n: [0, 1, 2]}
        if len(A) != nuclei or A.shape[1] not in widths:
            raise InputError(
                f"Sys.A must have size {nuclei} x {n}, {nuclei} x {2 * n} or {nuclei} x {3 * n}, got "
                f"{A.shape[0]} x {A.shape[1]}; correct it"
            )
        values = A.reshape(nuclei, n, -1)[..., widths[A.shape[1]]]
        tensors = np.einsum("nea,ab->neab", values, np.eye(3))
        frames = _frames(fields, "AFrame", nuclei, 3 * n).reshape(nuclei, n, 3)
    return [
        Hyperfine(e, n + k, (tensors[k, e] * KELVIN_PER_MEGAHERTZ).tolist(), _frame(frames[k, e]))
        for k in range(nuclei)
        for e in range(n)
        if np.any(tensors[k, e])
    ]


def _quadrupole(fields: Fields, nuclei: list[Spin], n: int) -> list[Term]:
    if "Q" not in fields:
        return []
    count = len(nuclei)
    given = _numbers(fields, "Q", np.zeros((count, 1)))
    frames = _frames(fields, "QFrame", count)
    if given.size == count:
        given = given.reshape(count, 1)
    if len(given) != count or given.shape[1] > 3:
        raise InputError(f"Sys.Q must have {count} rows of 1, 2 or 3 values, got {given.shape}; correct it")
    terms: list[Term] = []
    for k, (row, spin) in enumerate(zip(given, nuclei, strict=True)):
        if not row.any():
            continue
        if len(row) == 3:
            P = 1.5 * row[2]
            eta = 1.5 * (row[0] - row[1]) / P if P else np.inf
            if abs(row.sum()) > 1e-9 * np.abs(row).max() or not 0.0 <= eta <= 1.0:
                raise InputError(
                    f"Sys.Q must have rows without trace whose last value is the largest and |Qx| < |Qy|, "
                    f"got {row.tolist()}; turn QFrame"
                )
        else:
            P = 3.0 * row[0] / (4.0 * spin.S * (2.0 * spin.S - 1.0))
            eta = row[1] if len(row) == 2 else 0.0
        terms.append(Quadrupole(n + k, float(P) * KELVIN_PER_MEGAHERTZ, float(eta), _frame(frames[k])))
    return terms
