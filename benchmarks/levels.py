"""Levels and moments of a spin S = 10 at 10 000 fields: a loop over qutip, and plain batched numpy."""

import flint
import numpy as np
import qutip
from timing import interleaved

import mesospin as ms
from mesospin.constants import MU_B
from mesospin.model.library import load
from mesospin.spectrum.matrices import affine_hamiltonian

POINTS = 10_000
CHECKED = 12
"""Fields at which energies and moments are compared with 60-digit diagonalisation."""

SEED = 7
DIRECTIONS = {"along the easy axis": (0.0, 0.0, 1.0), "any direction": (0.3, 0.4, 0.866)}


def ours(vectors):
    """Energies [K] and moments [mu_B] from this package (as many threads as cores)."""
    ds = ms.levels(load("mn12ac"), B_vector=vectors)
    return ds["energy"].values, ds["moment"].values


def plain_numpy(vectors, chunk=1000):
    """Energies and moments as one writes them: batched eigh of H, then three expectation values."""
    h0, g = affine_hamiltonian(load("mn12ac"))
    energy, moment = [], []
    for part in np.array_split(vectors, max(1, len(vectors) // chunk)):
        values, states = np.linalg.eigh(h0 + np.einsum("fc,cij->fij", part, g))
        energy.append(values)
        transformed = g @ states[:, None]
        moment.append(np.einsum("fik,fcik->fkc", states.conj(), transformed).real / -MU_B)
    return np.concatenate(energy), np.concatenate(moment)


def qutip_loop(vectors):
    """Energies and moments field by field; the states go to numpy at once, faster than `expect`."""
    h0, g = affine_hamiltonian(load("mn12ac"))
    hamiltonian, slopes = qutip.Qobj(h0), [qutip.Qobj(component) for component in g]
    energy, moment = [], []
    for field in vectors:
        total = hamiltonian + sum(b * slope for b, slope in zip(field, slopes, strict=True) if b)
        values, states = total.eigenstates()
        columns = np.hstack([state.full() for state in states])
        energy.append(values)
        moment.append(np.einsum("ik,cik->kc", columns.conj(), g @ columns).real / -MU_B)
    return np.array(energy), np.array(moment)


def reference(vectors):
    """Energies and moments with 60 digits."""
    h0, g = affine_hamiltonian(load("mn12ac"))
    energy, moment = [], []
    with flint.ctx.workdps(60):
        slopes = [_exact(component) for component in g]
        for field in vectors:
            h = _exact(h0)
            for b, slope in zip(field, slopes, strict=True):
                h = h + slope * flint.acb(float(b))
            values, states = h.eig(right=True, algorithm="approx")
            order = np.argsort([float(value.real) for value in values])
            energy.append([float(values[k].real) for k in order])
            columns = [flint.acb_mat([[states[i, k]] for i in range(h.nrows())]) for k in order]
            moment.append([[_expectation(slope, column) / -MU_B for slope in slopes] for column in columns])
    return np.array(energy), np.array(moment)


def _exact(matrix):
    return flint.acb_mat([[flint.acb(float(x.real), float(x.imag)) for x in row] for row in np.array(matrix)])


def _expectation(operator, column):
    adjoint = column.transpose().conjugate()
    return float(((adjoint * operator * column)[0, 0] / (adjoint * column)[0, 0]).real)


def fields(direction, points=POINTS):
    """Field vectors (points, 3) [T]: random magnitudes up to 5 T, none of them at a crossing."""
    magnitudes = np.sort(np.random.default_rng(SEED).uniform(-5.0, 5.0, points))
    return magnitudes[:, None] * np.array(direction) / np.linalg.norm(direction)


def error(result, exact, where):
    """Largest error of the energies and moments, each in units of its largest value."""
    return float(
        max(
            np.max(np.abs(found[where] - true)) / np.max(np.abs(true))
            for found, true in zip(result, exact, strict=True)
        )
    )


def rows(points=POINTS, rounds=3):
    """Compare with both peers, along the easy axis (the symmetry blocks help) and in any direction."""
    table = []
    for label, direction in DIRECTIONS.items():
        # qutip takes half a minute for all fields; its time is proportional to their number
        for name, peer, count in (
            ("numpy, batched eigh", plain_numpy, points),
            ("loop over qutip", qutip_loop, max(1, points // 10)),
        ):
            table.append(_row(label, direction, name, peer, count, rounds))
    return table


def _row(label, direction, name, peer, count, rounds):
    vectors = fields(direction, count)
    where = np.linspace(0, count - 1, min(count, CHECKED)).astype(int)
    exact = reference(vectors[where])
    ours(vectors[:10])
    peer(vectors[:10])
    return interleaved(
        f"levels and moments, S = 10, {count} fields, {label}",
        name,
        lambda: peer(vectors),
        lambda: ours(vectors),
        lambda result: error(result, exact, where),
        rounds=rounds,
    )


if __name__ == "__main__":
    for row in rows():
        print(row)
