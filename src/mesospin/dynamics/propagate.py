r"""Populations at constant rates: powers of stochastic matrices, without a subtraction.

With the generator Q and its fastest rate :math:`\Lambda`, :math:`U = 1 + Q/\Lambda` has no negative element,
and

.. math:: P(h) = e^{Qh} = e^{-\Lambda h}\sum_k \frac{(\Lambda h)^k}{k!}U^k,\qquad P(2h) = P(h)^2

have none either.  Every product is followed by the division of each column by its sum, so probability is
conserved and the error of a slow rate grows with the number of squarings only, not with its distance to the
fastest rate (J. Xue and Q. Ye, Numer. Math. 124, 309 (2013)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["evolve", "propagators"]

Floats = NDArray[np.float64]

#: Fastest rate times first step, and terms of the series.
_FIRST, _TERMS = 0.5, 14


def propagators(R: Floats, time: float) -> Floats:
    """Return P (..., n, n) with p(t) = P p(0), from rates R[..., a, b] from a to b [1/s], ``time`` [s]."""
    doublings, fastest, U = _uniformised(R, time)
    P = _series(U, fastest * np.ldexp(time, -doublings))
    for _ in range(doublings):
        P = _normalised(P @ P)
    return P


def evolve(R: Floats, start: Floats, times: Floats) -> Floats:
    """Return the populations (t, ..., n) at ``times`` (t,) [s], ascending, >= 0, from ``start`` (..., n).

    Every time is a sum of powers of two of a step, whose propagators are shared, and of a rest.

    Examples
    --------
    Two states with rates 1 and 3:

    >>> R = np.array([[0.0, 1.0], [3.0, 0.0]])
    >>> evolve(R, np.array([0.0, 1.0]), np.array([0.0, 100.0]))
    array([[0.  , 1.  ],
           [0.75, 0.25]])
    """
    longest = float(times.max(initial=0.0))
    result = np.repeat(start[None], len(times), axis=0)
    if longest == 0.0 or not np.any(R > 0):
        return result
    doublings, fastest, U = _uniformised(R, longest)
    steps = np.ldexp(times / longest, doublings)
    step = np.ldexp(longest, -doublings)
    term = result.copy()
    rest = fastest * ((steps % 1.0) * step).reshape(-1, *[1] * start.ndim)
    for k in range(1, _TERMS):
        term = (U @ term[..., None])[..., 0] * (rest / k)
        result += term
    whole = [int(count) for count in steps]
    P = _series(U, fastest * step)
    for power in range(doublings + 1):
        for i, count in enumerate(whole):
            if (count >> power) & 1:
                result[i] = (P @ result[i][..., None])[..., 0]
        if power < doublings:
            P = _normalised(P @ P)
    return np.asarray(result / result.sum(axis=-1, keepdims=True) * start.sum(axis=-1)[..., None])


def _uniformised(R: Floats, time: float) -> tuple[int, float, Floats]:
    """Return k, so that time/2^k is a first step, the fastest rate [1/s] and U."""
    index = np.arange(R.shape[-1])
    out = R.sum(axis=-1) - R[..., index, index]
    fastest = float(out.max())
    doublings = max(0, int(np.ceil(np.log2(max(fastest * time / _FIRST, 1.0)))))
    U = R.swapaxes(-1, -2).copy()
    if fastest > 0:
        U /= fastest
        U[..., index, index] = 1 - out / fastest
    return doublings, fastest, U


def _series(U: Floats, x: float) -> Floats:
    """Return exp(x (U - 1)), columns summing to 1, for x of order 1 at most."""
    term = np.broadcast_to(np.eye(U.shape[-1]), U.shape).copy()
    P = term.copy()
    for k in range(1, _TERMS):
        term = (U @ term) * (x / k)
        P += term
    return _normalised(P)


def _normalised(P: Floats) -> Floats:
    return np.asarray(P / P.sum(axis=-2, keepdims=True))
