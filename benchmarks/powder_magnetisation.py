"""Equilibrium magnetisation of J = 15/2 (ErW10) at 50 temperatures and 50 fields: powder and crystal.

Beside it a loop over qutip, and where they are installed libmcphase and PyCrystalField.  Both have constants
of nature of their own, and are compared with 40-digit arithmetic with those.
"""

import contextlib
import importlib
import importlib.util
import io

import flint
import numpy as np
import qutip
from scipy.integrate import lebedev_rule
from timing import absolute, interleaved

import mesospin as ms
from mesospin.constants import KELVIN_PER_MILLIELECTRONVOLT, MU_B
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.thermo.magnetisation import magnetisation

CONDITIONS = 50
POWDER = 590
ALLOWED_SECONDS = 2.0
AXIS = np.array([0.3, 0.4, 0.866]) / np.linalg.norm([0.3, 0.4, 0.866])
CHECKED = (0, 20, 49)
"""Temperatures at which results are compared with 40-digit arithmetic, at one field."""

CRYSTAL_FIELD = {"B20": -1.35, "B40": -1.07e-2, "B60": 1.07e-4, "B44": 1.8e-2}
"""Stevens parameters of the library's erw10-printed [K], as the other programs want them."""


def system():
    return ms.load("erw10-printed")


def conditions(count=CONDITIONS):
    """Temperatures [K] and fields [T], each a 1-D array."""
    return np.geomspace(2.0, 300.0, count), np.linspace(0.1, 7.0, count)


def ours_powder(T, B, powder):
    return magnetisation(system(), T, B, powder=powder)["magnetisation"].values


def ours_crystal(T, B):
    return magnetisation(system(), T, B, axis=AXIS)["magnetisation"].values


def qutip_line(axis, T, B):
    """M along ``axis`` (T, B), field by field; states go to numpy at once, faster than `expect`."""
    h0, g = affine_hamiltonian(system())
    slope = np.einsum("c,cij->ij", axis, g)
    hamiltonian, zeeman = qutip.Qobj(h0), qutip.Qobj(slope)
    columns = []
    for field in B:
        energy, states = (hamiltonian + float(field) * zeeman).eigenstates()
        vectors = np.hstack([state.full() for state in states])
        moment = np.einsum("ik,ik->k", vectors.conj(), slope @ vectors).real / -MU_B
        weight = np.exp(-(energy - energy[0]) / T[:, None])
        columns.append(weight @ moment / weight.sum(axis=1))
    return np.array(columns).T


def qutip_powder(T, B, powder):
    points, weights = lebedev_rule(powder)
    total = sum(w * qutip_line(axis, T, B) for axis, w in zip(points.T, weights, strict=True))
    return total / weights.sum()


def libmcphase_crystal(T, B):
    ion = importlib.import_module("libmcphase").cf1ion("Er3+", unit="K", type="Blm", **CRYSTAL_FIELD)
    return np.asarray(ion.magnetisation(list(T), list(B), list(AXIS), "bohr")).T


def pycrystalfield_crystal(T, B):
    with contextlib.redirect_stdout(io.StringIO()):
        program = importlib.import_module("PyCrystalField")
        parameters = {name: value / KELVIN_PER_MILLIELECTRONVOLT for name, value in CRYSTAL_FIELD.items()}
        ion = program.CFLevels.Bdict("Er3+", parameters)
    # its moment is antiparallel to the field
    return -np.array([ion.magnetization("Er3+", T, field * AXIS) @ AXIS for field in B]).T


PEERS = {"libmcphase": libmcphase_crystal, "PyCrystalField": pycrystalfield_crystal}

CONSTANTS = {
    "libmcphase": (0.0578838263 * 11.6045221 / MU_B, 0.08617343183 * 11.6045221),
    "PyCrystalField": (
        5.7883818012e-2 * KELVIN_PER_MILLIELECTRONVOLT / MU_B,
        8.6173303e-2 * KELVIN_PER_MILLIELECTRONVOLT,
    ),
}
"""Their Bohr magneton [meV/T] and Boltzmann constant [meV/K], as multiples of those of CODATA 2022."""


def exact_line(axis, T, field):
    """M along ``axis`` at temperatures T and one field, with 40 digits."""
    h0, g = affine_hamiltonian(system())
    with flint.ctx.workdps(40):
        slope = sum(
            (_exact(c) * flint.acb(float(n)) for c, n in zip(g, axis, strict=True)), start=_exact(0 * h0)
        )
        values, states = (_exact(h0) + slope * flint.acb(float(field))).eig(right=True, algorithm="approx")
        order = np.argsort([float(value.real) for value in values])
        moment = []
        for k in order:
            column = flint.acb_mat([[states[i, k]] for i in range(len(h0))])
            adjoint = column.transpose().conjugate()
            moment.append((adjoint * slope * column)[0, 0].real / (adjoint * column)[0, 0].real / -MU_B)
        result = []
        for temperature in T:
            weight = [((values[order[0]].real - values[k].real) / float(temperature)).exp() for k in order]
            total = sum(w * m for w, m in zip(weight, moment, strict=True)) / sum(weight)
            result.append(float(total))
    return np.array(result)


def _exact(matrix):
    return flint.acb_mat([[flint.acb(float(x.real), float(x.imag)) for x in row] for row in np.array(matrix)])


def exact_powder(T, field, powder):
    points, weights = lebedev_rule(powder)
    total = sum(w * exact_line(axis, T, field) for axis, w in zip(points.T, weights, strict=True))
    return total / weights.sum()


def rows(count=CONDITIONS, powder=POWDER, rounds=3):
    """Compare the powder with the time allowed and with qutip, one direction with every peer that is here."""
    T, B = conditions(count)
    where = sorted({min(k, count - 1) for k in CHECKED})
    middle = count // 2
    degree = _degree(powder)
    exact = exact_powder(T[where], B[middle], degree)

    def error(result):
        return float(np.max(np.abs(result[where, middle] - exact) / np.max(np.abs(exact))))

    ours = ours_powder(T, B, powder)
    name = f"powder M(T, B), J = 15/2, {count} x {count} x {powder} directions"
    table = [
        absolute(name, ALLOWED_SECONDS, lambda: ours_powder(T, B, powder), error(ours), 1e-9, rounds=rounds)
    ]
    # qutip takes minutes for the whole; its time is proportional to the fields
    few = slice(middle, middle + 1)
    table.append(
        interleaved(
            f"powder M(T, B), J = 15/2, {count} x 1 x {powder} directions",
            "loop over qutip",
            lambda: qutip_powder(T, B[few], degree),
            lambda: ours_powder(T, B[few], powder),
            lambda result: float(np.max(np.abs(result[where, 0] - exact) / np.max(np.abs(exact)))),
            rounds=rounds,
        )
    )
    return table + crystal_rows(T, B, where, middle, rounds)


def crystal_rows(T, B, where, middle, rounds):
    """Compare one direction with qutip and with the programs for crystal fields that are installed."""
    peers = {"loop over qutip": lambda T, B: qutip_line(AXIS, T, B)}
    peers |= {name: peer for name, peer in PEERS.items() if importlib.util.find_spec(name)}
    ours_crystal(T, B)

    def error(name):
        magneton, boltzmann = CONSTANTS.get(name, (1.0, 1.0))
        exact = exact_line(AXIS, T[where] * boltzmann, B[middle] * magneton)
        return lambda result: float(np.max(np.abs(result[where, middle] - exact) / np.max(np.abs(exact))))

    return [
        interleaved(
            f"crystal M(T, B), J = 15/2, {len(T)} x {len(B)}, one direction",
            name,
            lambda peer=peer: peer(T, B),
            lambda: ours_crystal(T, B),
            error("ours"),
            rounds=rounds,
            peer_error=error(name),
        )
        for name, peer in peers.items()
    ]


def _degree(points):
    """Return the degree of the Lebedev rule with so many points."""
    degrees = (*range(3, 32, 2), *range(35, 132, 6))
    return next(degree for degree in degrees if lebedev_rule(degree)[0].shape[1] == points)


if __name__ == "__main__":
    for row in rows():
        print(row)
