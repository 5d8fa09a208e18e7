"""Splittings of spins up to S = 1e5: this package and python-flint on the same chains of states.

Two ways in python-flint: Newton's method for the lowest even and the lowest odd level with as many digits as
their difference has zeros; and the current identity, exact for a mirror-symmetric chain,

    (E_odd - E_even) sum_{j > 0} u_j v_j = t_0 u_0 v_1      (u even, v odd, t_0 the bond at the centre),

with every vector a product of ratios of pivots, whose exponents a ball holds.
"""

import math

import numpy as np
from flint import arb, ctx, fmpq
from scipy.linalg import eigh_tridiagonal
from timing import absolute, interleaved

from mesospin.constants import MU_B
from mesospin.model.system import giant_spin
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.proved.certified import Certified
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

E = 0.125
LARGE = 100_000
TOLERATED = 1e-11
ALLOWED = {"biaxial": 0.02, "transverse field": 0.04}
#: Digits that the rounding of the last one leaves to a peer, so that errors are alike.
DIGITS = 14


def field(S):
    """Transverse field [T] whose energy is S/4 times D."""
    return 0.25 * S / (2 * MU_B)


def ours(kind, S):
    """Return the splitting as text."""
    if kind == "biaxial":
        return tunnel_splitting(giant_spin(S, D=-1.0, E=E), (S, -S), method=LargeSpin()).digits
    transverse = (field(S), 0.0)
    return tunnel_splitting(giant_spin(S, D=-1.0), (S, -S), transverse=transverse, method=LargeSpin()).digits


def chain(kind, S):
    """Return -m^2 and the squared bonds of the half m >= 0 of the chain, S even, as rational numbers."""
    m = range(0, S + 1, 2 if kind == "biaxial" else 1)
    ladder = S * (S + 1)
    if kind == "biaxial":
        square = fmpq(*E.as_integer_ratio()) ** 2 / 4
        bonds = [square * ((ladder - k * (k + 1)) * (ladder - (k + 1) * (k + 2))) for k in m[:-1]]
    else:
        h = fmpq(*field(S).as_integer_ratio()) * fmpq(*MU_B.as_integer_ratio()) * 2
        bonds = [h * h / 4 * (ladder - k * (k + 1)) for k in m[:-1]]
    return [-k * k for k in m], bonds


def rough_level(diagonal, bonds):
    """Return the ground level in double precision and the site with most weight."""
    d, t = np.array(diagonal, dtype=float), np.sqrt([float(b) for b in bonds])
    bottom = int(np.argmin(d - 2 * np.append(t, t[-1])))
    reach = 50 + round(6 * math.sqrt(len(d)))
    first, last = max(0, bottom - reach), min(len(d), bottom + reach + 1)
    values, vectors = eigh_tridiagonal(
        d[first:last] - d[bottom], t[first : last - 1], select="i", select_range=(0, 0)
    )
    return arb(float(values[0])) + diagonal[bottom], first + int(np.argmax(np.abs(vectors[:, 0])))


def pivots(diagonal, bond, sites, x, keep=None):
    """Return the last pivot of the chain minus x along some sites and its derivative; ``keep`` takes all."""
    F = slope = None
    full, half = ctx.prec, ctx.prec // 2 + 40
    for j in sites:
        d = (diagonal[j] - x).mid()
        if F is None:
            F, slope = d, arb(-1)
        else:
            r = (arb(bond(j)) / F).mid()
            ctx.prec = half  # half the digits are enough for the derivative
            slope = (-1 + r * slope / F).mid()
            ctx.prec = full
            F = (d - r).mid()
        if keep is not None:
            keep.append(F)
    return F, slope


def level(diagonal, bonds, start, site, bits):
    """Return the level next to ``start`` by Newton's method where it has most weight; the digits double."""
    schedule = [bits]
    while schedule[-1] > 120:
        schedule.append(schedule[-1] // 2 + 30)
    x = start
    for precision in reversed(schedule):
        with ctx.workprec(precision):
            inner = pivots(diagonal, lambda j: bonds[j - 1], range(site + 1), x)
            outer = pivots(diagonal, lambda j: bonds[j], range(len(diagonal) - 1, site - 1, -1), x)
            gamma = inner[0] + outer[0] - (diagonal[site] - x)
            x = (x - gamma / (inner[1] + outer[1] + 1)).mid()
    return x


def newton(kind, S, log10):
    """Return the difference of the lowest even and the lowest odd level."""
    diagonal, bonds = chain(kind, S)
    bits = round((2 * math.log10(S) - log10 + DIGITS) * math.log2(10))
    with ctx.workprec(bits):
        start, site = rough_level(diagonal, bonds)
        even = level(diagonal, [2 * bonds[0], *bonds[1:]], start, site, bits)
        odd = level(diagonal[1:], bonds[1:], start, site - 1, bits)
        return abs(even - odd).mid()


def current(kind, S, bits):
    """Return the splitting from the current at the centre; E counts as that of both levels."""
    diagonal, bonds = chain(kind, S)
    even = [2 * bonds[0], *bonds[1:]]
    with ctx.workprec(bits):
        start, site = rough_level(diagonal, bonds)
        x = level(diagonal, even, start, site, bits)
        x = level(diagonal, even, x, site, bits)
        inner = ([], [])
        pivots(diagonal, lambda j: even[j - 1], range(site), x, inner[0])
        pivots(diagonal, lambda j: bonds[j - 1], range(1, site), x, inner[1])
        outer = []
        pivots(diagonal, lambda j: bonds[j], range(len(diagonal) - 1, site, -1), x, outer)
        weight = norm = arb(1)
        for j, F in zip(range(site - 1, 0, -1), reversed(inner[0]), strict=False):
            weight = (weight * bonds[j] / (F * F)).mid()
            norm = (norm + weight).mid()
            if weight < arb(2) ** -bits:
                break
        weight = arb(1)
        for j, F in zip(range(site, len(bonds)), reversed(outer), strict=True):
            weight = (weight * bonds[j] / (F * F)).mid()
            norm = (norm + weight).mid()
        # the squares of t_0 u_0 v_1
        square = even[0] * even[0] / inner[0][0] ** 2
        for j in range(1, site):
            square = (square * bonds[j] / inner[0][j] * bonds[j] / inner[1][j - 1]).mid()
            square = (square / inner[0][j] / inner[1][j - 1]).mid()
        return (square.sqrt() / norm).mid()


def error(value, exact):
    """Relative error of a number given in decimal digits or as a ball."""
    with ctx.workprec(400):
        return abs(float((arb(value) / exact - 1).mid()))


def wide(S):
    """Return a biaxial spin in a field between its hard and its easy axis: elements span two sites."""
    return giant_spin(S, D=-1.0, E=E), (S, -S), (0.5 * field(S), 0.0)


def rows(sizes=(1000, 4000), rounds=3):
    """Compare with python-flint, with the time allowed at S = 1e5, and with balls where chains are wide."""
    table = []
    for kind in ALLOWED:
        for S in sizes:
            exact = current(kind, S, 300)
            log10 = float(exact.log().mid()) / math.log(10)
            table.append(
                interleaved(
                    f"ground splitting, S = {S}, {kind}",
                    f"python-flint, Newton, {round(-log10)} digits",
                    lambda kind=kind, S=S, log10=log10: newton(kind, S, log10),
                    lambda kind=kind, S=S: ours(kind, S),
                    lambda value, exact=exact: error(value, exact),
                    rounds=rounds if S < 2000 else 1,
                )
            )
        exact = current(kind, LARGE, 300)
        table.append(
            interleaved(
                f"ground splitting, S = {LARGE}, {kind}",
                "python-flint, current at the centre, 64 bits",
                lambda kind=kind: current(kind, LARGE, 64),
                lambda kind=kind: ours(kind, LARGE),
                lambda value, exact=exact: error(value, exact),
                rounds=1,
            )
        )
        found = error(ours(kind, LARGE), exact)
        name = f"ground splitting, S = {LARGE}, {kind}"
        run = lambda kind=kind: ours(kind, LARGE)  # noqa: E731
        table.append(absolute(name, ALLOWED[kind], run, found, TOLERATED, rounds=9))
    return table + wide_rows()


def wide_rows():
    """Compare wide chains with ball arithmetic at S = 60; time them at S = 1e5."""
    system, pair, transverse = wide(60)

    def balls(digits):
        return tunnel_splitting(system, pair, transverse=transverse, method=Certified(digits)).digits

    def mine(S):
        spin, states, field_across = wide(S)
        return tunnel_splitting(spin, states, transverse=field_across, method=LargeSpin()).digits

    exact = arb(balls(40))
    mine(60)
    balls(14)
    row = interleaved(
        "ground splitting, S = 60, E with a field",
        "Certified(14)",
        lambda: balls(14),
        lambda: mine(60),
        lambda value: error(value, exact),
    )
    found = error(mine(60), exact)
    large = absolute(f"the same, S = {LARGE}, error at S = 60", 1.0, lambda: mine(LARGE), found, TOLERATED)
    return [row, large]


if __name__ == "__main__":
    for line in rows():
        print(line)
