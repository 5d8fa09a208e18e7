"""Panels of the field: fine near every crossing, coarse between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def graded_edges(
    lo: float,
    hi: float,
    centres: NDArray[np.float64],
    widths: NDArray[np.float64],
    *,
    widest: float,
    ratio: float = 2.0,
) -> NDArray[np.float64]:
    """Return the panel edges between ``lo`` and ``hi``, graded towards every centre.

    Parameters
    ----------
    lo, hi : float [T]
        Range, lo < hi.
    centres, widths : ndarrays, shape (k,) [T]
        Fields of the lines and their half widths.  The first edges lie half a width from the
        centre, every following one ``ratio`` times as far, up to the middle between neighbours.
    widest : float [T]
        Largest panel.
    ratio : float, default 2
        Growth of the panels away from a line; 2 for one step of an integrator in each, 3 for
        several points.

    Returns
    -------
    ndarray [T]
        Strictly ascending edges; every centre inside the range is one of them.

    Examples
    --------
    >>> graded_edges(-1.0, 1.0, np.array([0.0]), np.array([0.2]), widest=0.5)
    array([-1. , -0.7, -0.4, -0.2, -0.1,  0. ,  0.1,  0.2,  0.4,  0.7,  1. ])
    """
    pieces = [np.array([lo, hi]), centres]
    if len(centres):
        sort = np.argsort(centres)
        B, w = centres[sort], widths[sort]
        middles = (B[1:] + B[:-1]) / 2
        pieces.append(middles)
        left = np.concatenate([[lo], middles])
        right = np.concatenate([middles, [hi]])
        count = int(np.ceil(np.log2(max(2.0, 2 * (hi - lo) / w.min())))) + 1
        reach = w[:, None] / 2 * ratio ** np.arange(count)
        up, down = B[:, None] + reach, B[:, None] - reach
        # an edge next to the middle would leave a sliver: stop half a step before it
        pieces.append(up[(up + 0.25 * reach < right[:, None]) & (reach > 0)])
        pieces.append(down[(down - 0.25 * reach > left[:, None]) & (reach > 0)])
    edges = np.unique(np.concatenate(pieces))
    edges = edges[(edges >= lo) & (edges <= hi)]
    tiny = 4 * np.spacing(max(abs(lo), abs(hi)))
    edges = edges[np.concatenate([[True], np.diff(edges) > tiny])]
    edges = _halved(edges, centres, widths, ratio - 0.5)
    return split_panels(edges, np.full(len(edges) - 1, widest))


def _halved(
    edges: NDArray[np.float64], centres: NDArray[np.float64], widths: NDArray[np.float64], limit: float
) -> NDArray[np.float64]:
    """Halve panels wider than ``limit`` times their distance to a line, or half the line's width.

    Where lines lie closer together than they are wide, each was graded only up to the middle
    between them: several crossings at zero field, a narrow line in the wing of a broad one.
    """
    if not len(centres):
        return edges
    while True:
        left, right = edges[:-1, None], edges[1:, None]
        distance = np.maximum(np.maximum(left - centres, centres - right), 0.0)
        allowed = np.maximum(distance, widths / 2).min(axis=1)
        wide = np.flatnonzero(np.diff(edges) > limit * allowed)
        if not len(wide):
            return edges
        edges = np.insert(edges, wide + 1, (edges[wide] + edges[wide + 1]) / 2)


def split_panels(edges: NDArray[np.float64], widest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut every panel wider than its ``widest`` into equal parts.

    Examples
    --------
    >>> split_panels(np.array([0.0, 1.0, 2.0]), np.array([0.5, 2.0]))
    array([0. , 0.5, 1. , 2. ])
    """
    width = np.diff(edges)
    parts = np.maximum(1, np.ceil(width / widest - 1e-9).astype(int))
    start = np.repeat(edges[:-1], parts)
    step = np.repeat(width / parts, parts)
    index = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    return np.append(start + index * step, edges[-1])


def distinct_lines(centres: NDArray[np.float64], widths: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the lines that need panels of their own, in order of width, shape (k,).

    A line within a quarter of its width from a finer one is resolved by the panels of that: the
    crossings of one ion with many states of its neighbour coincide to parts of their widths.

    Examples
    --------
    >>> distinct_lines(np.array([0.0, 0.01, 0.3]), np.array([0.2, 0.1, 0.2]))
    array([1, 2])
    """
    kept: list[int] = []
    for k in np.argsort(widths, kind="stable"):
        if not kept or np.abs(centres[kept] - centres[k]).min() > widths[k] / 4:
            kept.append(int(k))
    return np.array(kept, dtype=np.intp)
