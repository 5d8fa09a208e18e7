"""What lies in the field: a single crystal, or a powder of all orientations."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.model.system import SpinSystem
from mesospin.scale import require_memory
from mesospin.thermo.averages import Kernel
from mesospin.thermo.orientation import PowderRule

Floats = NDArray[np.float64]

#: Threads over fields.
THREADS: Final = min(8, os.cpu_count() or 1)
_CHUNK_BYTES: Final = 2**24

#: Fields times n^3 below which starting threads takes longer than the work.
_SMALL: Final = 1_000_000

#: Complex matrices of the size of H that one field keeps alive (H, its eigenvectors, three moments and work).
_MATRICES: Final = 12


@dataclass(frozen=True, slots=True)
class Crystal:
    """All molecules alike: fields are vectors (f, 3), moments have three components."""

    system: SpinSystem

    @property
    def components(self) -> int:
        """Number of components of a field and of a moment."""
        return 3

    def average(self, kernel: Kernel, fields: Floats, T: Floats) -> tuple[Floats, ...]:
        """Return what the kernel gives at ``fields`` (f, 3) [T] and ``T`` (f, t) or (1, t) [K]."""
        directions = np.eye(3)[None]
        size = _fields_at_once(self.system, T.shape[1], len(fields))

        def part(start: int) -> tuple[Floats, ...]:
            stop = start + size
            return kernel(self.system, fields[start:stop], directions, _rows(T, start, stop))

        parts = in_threads(part, range(0, len(fields), size))
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


@dataclass(frozen=True, slots=True)
class Powder:
    """Crystallites of all orientations: fields are magnitudes (f, 1), moments lie along them."""

    system: SpinSystem
    rule: PowderRule

    @property
    def components(self) -> int:
        """Number of components of a field and of a moment."""
        return 1

    def average(self, kernel: Kernel, fields: Floats, T: Floats) -> tuple[Floats, ...]:
        """Return the mean over directions at ``fields`` (f, 1) [T] and ``T`` (f, t) or (1, t) [K]."""
        size = _fields_at_once(self.system, T.shape[1], len(fields) * len(self.rule.axes))
        totals: list[tuple[Floats, ...]] = []
        for start in range(0, len(fields), size):
            stop = min(start + size, len(fields))
            totals.append(self._fields(kernel, fields[start:stop], _rows(T, start, stop), size))
        return tuple(np.concatenate(arrays) for arrays in zip(*totals, strict=True))

    def _fields(self, kernel: Kernel, fields: Floats, T: Floats, size: int) -> tuple[Floats, ...]:
        group = max(1, size // len(fields))
        count = len(fields)

        def part(start: int) -> tuple[Floats, ...]:
            axes, weights = self.rule.axes[start : start + group], self.rule.weights[start : start + group]
            vectors = (axes[:, None] * fields[None]).reshape(-1, 3)
            directions = np.repeat(axes, count, axis=0)[:, None]
            rows = T if len(T) == 1 else np.tile(T, (len(axes), 1))
            arrays = kernel(self.system, vectors, directions, rows)
            return tuple(
                np.tensordot(weights, array.reshape(len(axes), count, *array.shape[1:]), 1)
                for array in arrays
            )

        parts = in_threads(part, range(0, len(self.rule.axes), group))
        return tuple(np.sum(np.stack(arrays), axis=0) for arrays in zip(*parts, strict=True))


Sample = Crystal | Powder


def _rows(T: Floats, start: int, stop: int) -> Floats:
    return T if len(T) == 1 else T[start:stop]


def _fields_at_once(system: SpinSystem, temperatures: int, fields: int) -> int:
    """Return how many fields one thread takes at a time; refuse what would not fit."""
    n = system.dimension
    each = 16 * _MATRICES * n * n + 8 * temperatures * (4 * n + 12)
    threads = min(THREADS, fields) if fields * n**3 > _SMALL else 1
    require_memory(threads * max(each, _CHUNK_BYTES), f"equilibrium of {system.name} ({n} states)")
    return max(1, min(_CHUNK_BYTES // each, -(-fields // threads)))


def in_threads(part: Callable[[int], tuple[Floats, ...]], starts: range) -> list[tuple[Floats, ...]]:
    """Return the parts in order; the linear algebra leaves other threads free to run."""
    if len(starts) == 1:
        return [part(starts[0])]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(part, starts))
