"""A map of the tunnel splitting of Fe8 over the transverse field: minimised eigenvalue differences of numpy.

The peer does what one writes without special methods: at every point, the distance of the two lowest levels
minimised over the longitudinal field.  It runs on a part of the points; its time is scaled to all of them.
"""

import statistics

import flint
import numpy as np
from scipy.optimize import minimize_scalar
from timing import absolute, timed

import mesospin as ms
from mesospin.model.library import load
from mesospin.spectrum.matrices import affine_hamiltonian

PAIR = (10, -10)
TOP = 2.0
"""Largest transverse field [T]; the directions go from the hard axis to the medium one."""

POINTS = 200
"""Magnitudes, and as many directions."""

SAMPLE = 8
"""Magnitudes and directions of the peer."""

CHECKED = ((0, 1), (0, 4), (1, 2), (3, 6), (5, 3), (7, 7))
"""Points of the sample (direction, magnitude) that are compared with 50 digits."""

ALLOWED_SECONDS = 10.0
ALLOWED_ERROR = 1e-9


def grid(points):
    return np.linspace(0, TOP, points), np.linspace(0, np.pi / 2, points)


def ours(points):
    """Full gaps [K] of the whole map, (azimuth, transverse); as many threads as cores."""
    fields, angles = grid(points)
    return ms.splitting_map(load("fe8"), PAIR, transverse=fields, azimuth=angles)["splitting"].values


def plain_numpy(fields, angles):
    """Full gaps point by point: eigvalsh inside a bounded minimisation over the longitudinal field."""
    h0, g = affine_hamiltonian(load("fe8"))
    table = np.empty((len(angles), len(fields)))
    for k, angle in enumerate(angles):
        for i, field in enumerate(fields):
            h = h0 + field * (np.cos(angle) * g[0] + np.sin(angle) * g[1])

            def gap(b, h=h):
                levels = np.linalg.eigvalsh(h + b * g[2])
                return levels[1] - levels[0]

            # the resonance of this pair lies at zero longitudinal field
            table[k, i] = minimize_scalar(
                gap, bounds=(-1e-2, 1e-2), method="bounded", options={"xatol": 1e-12}
            ).fun
    return table


def reference(field, angle):
    """Gap of the two lowest levels at zero longitudinal field, where it is least, with 50 digits."""
    h0, g = affine_hamiltonian(load("fe8"))
    with flint.ctx.workdps(50):
        x, y = (flint.acb(float(field)) * flint.acb(float(part)) for part in (np.cos(angle), np.sin(angle)))
        h = _exact(h0) + _exact(g[0]) * x + _exact(g[1]) * y
        levels = sorted((value.real for value in h.eig(algorithm="approx")), key=float)
        return float(levels[1] - levels[0])


def _exact(matrix):
    return flint.acb_mat([[flint.acb(float(x.real), float(x.imag)) for x in row] for row in np.array(matrix)])


def rows(points=POINTS, sample=SAMPLE, rounds=3):
    """Compare per point with the peer, and with the time that a map may take."""
    every = max(1, (points - 1) // (sample - 1))
    fields, angles = (axis[::every][:sample] for axis in grid(points))
    checked = [(k, i) for k, i in CHECKED if k < len(angles) and i < len(fields)]
    exact = np.array([reference(fields[i], angles[k]) for k, i in checked])

    def error(table):
        found = np.array([table[k, i] for k, i in checked])
        return float(np.max(np.abs(found / exact - 1)))

    whole = ours(points)  # compiled code is ready
    scale = points**2 / (len(fields) * len(angles))
    pairs = [(timed(lambda: plain_numpy(fields, angles)), timed(lambda: ours(points))) for _ in range(rounds)]
    name = f"splitting of Fe8, {points} x {points} transverse fields"
    comparison = {
        "name": name,
        "peer": f"numpy eigvalsh, minimised ({len(fields)} x {len(angles)} points, scaled)",
        "peer_seconds": scale * statistics.median(theirs[0] for theirs, _ in pairs),
        "peer_error": error(pairs[-1][0][1]),
        "ours_seconds": statistics.median(mine[0] for _, mine in pairs),
        "ours_error": error(whole[::every, ::every]),
        "ratio": statistics.median(scale * theirs[0] / mine[0] for theirs, mine in pairs),
        "goal": None,
    }
    accuracy = comparison["ours_error"]
    limit = absolute(name, ALLOWED_SECONDS, lambda: ours(points), accuracy, ALLOWED_ERROR, rounds=rounds)
    return [comparison, limit]


if __name__ == "__main__":
    for row in rows():
        print(row)
