"""Proved digits of the ground splitting of Mn12-acetate: this package and mpmath's eigenvalues."""

import mpmath
from timing import absolute, interleaved

from mesospin.model.system import giant_spin
from mesospin.spectrum.tunnelling.proved.certified import Certified
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

PARAMETERS = {"D": -0.548, "A4": -1.17e-3, "C4": -2.2e-5}
S = 10
LEAST_TIME = 0.03


def ours(digits):
    """Return the splitting as text."""
    spin = giant_spin(S, g=1.94, **PARAMETERS)
    return tunnel_splitting(spin, (S, -S), method=Certified(digits)).digits


def matrix():
    """Return H at zero field, elements exact to the working precision of mpmath."""
    D, A4, C4 = (mpmath.mpf(PARAMETERS[name]) for name in ("D", "A4", "C4"))
    h = mpmath.zeros(2 * S + 1)
    for i in range(2 * S + 1):
        m = S - i
        h[i, i] = D * m**2 + A4 * m**4
        if i >= 4:
            squared = 1
            for k in range(4):
                squared *= (S - m - k) * (S + m + 1 + k)
            h[i, i - 4] = h[i - 4, i] = C4 * mpmath.sqrt(squared)
    return h


def mpmath_eigenvalues(digits, spare=20):
    """Return the difference of the two lowest eigenvalues; 14 digits are lost in it."""
    with mpmath.workdps(digits + spare):
        energy = mpmath.eigsy(matrix(), eigvals_only=True)
        return mpmath.nstr(energy[1] - energy[0], digits + 5)


def error(text, exact):
    """Relative error of a decimal number."""
    with mpmath.workdps(400):
        return float(abs(mpmath.mpf(text) / exact - 1))


def rows(rounds=5):
    """Compare at 30 and at 100 digits, and with the time allowed."""
    table = []
    with mpmath.workdps(400):
        exact = mpmath.mpf(mpmath_eigenvalues(200, spare=60))
    for digits in (30, 100):
        ours(digits)
        table.append(
            interleaved(
                f"ground splitting of Mn12-acetate, {digits} digits",
                "mpmath.eigsy, digits not proved",
                lambda digits=digits: mpmath_eigenvalues(digits),
                lambda digits=digits: ours(digits),
                lambda text: error(text, exact),
                rounds=rounds,
                goal=10.0,
            )
        )
    found = error(ours(30), exact)
    table.append(
        absolute("ground splitting of Mn12-acetate, 30 digits", LEAST_TIME, lambda: ours(30), found, 1e-30)
    )
    return table


if __name__ == "__main__":
    for row in rows():
        print(row)
