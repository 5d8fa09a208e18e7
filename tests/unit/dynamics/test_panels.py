"""Panels of a sweep: fine at every line, also where lines of different width lie on each other."""

import numpy as np
import pytest

from mesospin.dynamics.panels import graded_edges


@pytest.mark.parametrize("distance", [0.0, 1e-17, 1e-14, 1e-9, 1e-6, 1e-3])
def test_a_narrow_line_is_resolved_beside_a_broad_one(distance):
    centres, widths = np.array([0.0, distance]), np.array([1e-9, 0.3])
    edges = graded_edges(-1.0, 1.0, centres, widths, widest=0.05)
    panel = np.diff(edges)
    away = np.maximum(np.maximum(edges[:-1], -edges[1:]), 0.0)
    assert np.all(panel <= 1.5 * np.maximum(away, 0.5e-9) * (1 + 1e-9))
    # Geometric, not even: the number of panels grows with the logarithm of the narrowest width.
    assert len(edges) < 400


def test_edges_ascend_and_keep_the_ends():
    centres = np.array([0.3, 0.3 + 1e-15, -0.2])
    edges = graded_edges(-1.0, 1.0, centres, np.array([1e-6, 1e-2, 1e-4]), widest=0.1)
    assert np.all(np.diff(edges) > 0)
    assert (edges[0], edges[-1]) == (-1.0, 1.0)
    assert np.diff(edges).max() <= 0.1 * (1 + 1e-9)
