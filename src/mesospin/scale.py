"""Independent work on one core, on all cores or on a cluster, with the same numbers.

Every loop over fields, temperatures, orientations, disorder or random samples that is worth
spreading goes through `map_tasks`.
"""

import importlib
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

import numpy as np

from mesospin.checkpoint import Checkpoint, fingerprint
from mesospin.checks import integer
from mesospin.errors import InputError, MesospinError, TooLargeError

Task = TypeVar("Task")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]

_CONNECT_SECONDS: Final = 10


def map_tasks(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int = 1,
    cluster: str | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
    label: str = "",
) -> list[Result]:
    """Return ``[function(task) for task in tasks]``, spread as asked, in the same order.

    The numbers do not depend on how the work is spread: tasks share nothing, and random
    tasks carry their own seed (`spawn_seeds`).

    Parameters
    ----------
    function : callable
        Pure function of one task, defined at the top of a module, so that other processes
        can import it.
    tasks : iterable
        Inputs, one per call.
    workers : int, default 1
        Processes on this machine; 1 computes here, in this process.  A script that asks for
        more must keep its own top level under ``if __name__ == "__main__":``.
    cluster : str, optional
        Address of a running Dask scheduler, such as ``"tcp://10.0.0.1:8786"``; takes the
        place of `workers` and needs the extra ``mesospin[scale]``.
    checkpoint : str or Path, optional
        Folder that keeps the result of every finished task.  A run that was stopped, by
        whatever cause, and is started again computes only what is missing, and returns the
        same bits as an undisturbed run.
    progress : callable, optional
        Called as ``progress(done, total)`` at the start and after every task.
    label : str, default ""
        Name of the work, used in messages.

    Returns
    -------
    list
        Results in the order of `tasks`.

    Raises
    ------
    InputError
        If `workers` is not a positive whole number, `cluster` does not answer, the function
        cannot be sent to another process, or a checkpoint cannot hold a task or a result.
    MesospinError
        If a worker process is killed, for example for want of memory.
    Exception
        Whatever `function` raises, with a note that says which task failed.  Tasks that had
        finished are in the checkpoint.

    Examples
    --------
    >>> map_tasks(abs, [-2, 3, -5])
    [2, 3, 5]
    """
    integer("workers", workers, at_least=1)
    todo = list(tasks)
    folder = None if checkpoint is None else Checkpoint(checkpoint)
    keys = ["" if folder is None else fingerprint(function, task) for task in todo]
    results: dict[int, Any] = {}
    for index, key in enumerate(keys):
        found, result = (False, None) if folder is None else folder.read(key)
        if found:
            results[index] = result
    report = progress if progress is not None else _silent
    report(len(results), len(todo))
    missing = [(index, todo[index]) for index in range(len(todo)) if index not in results]
    for index, result in _spread(function, missing, workers, cluster, label or "map_tasks"):
        if folder is not None:
            folder.write(keys[index], result)
        results[index] = result
        report(len(results), len(todo))
    return [results[index] for index in range(len(todo))]


def spawn_seeds(rng_seed: int | np.random.SeedSequence, n: int) -> tuple[np.random.SeedSequence, ...]:
    """Return `n` independent seeds, one per task, that depend on `rng_seed` alone.

    Parameters
    ----------
    rng_seed : int or SeedSequence
        Seed of the whole run, >= 0.
    n : int
        Number of seeds, >= 0.

    Raises
    ------
    InputError
        If the seed is negative or not a whole number, or `n` negative.

    Examples
    --------
    >>> first, second = spawn_seeds(7, 2)
    >>> int(np.random.default_rng(first).integers(1000))
    305
    """
    if isinstance(rng_seed, np.random.SeedSequence):
        parent = np.random.SeedSequence(rng_seed.entropy, spawn_key=rng_seed.spawn_key)
    else:
        parent = np.random.SeedSequence(integer("rng_seed", rng_seed, at_least=0))
    return tuple(parent.spawn(integer("n", n, at_least=0)))


def require_memory(n_bytes: float, what: str, *, limit: float | None = None) -> None:
    """Raise `TooLargeError` if a computation will not fit in memory.

    Parameters
    ----------
    n_bytes : float
        Estimated need [bytes].
    what : str
        What needs it, as the subject of the sentence.
    limit : float, optional
        Memory that may be used [bytes]; what this machine has free, if omitted.

    Examples
    --------
    >>> require_memory(2e12, "a dense matrix of dimension 500000", limit=16e9)
    Traceback (most recent call last):
    ...
    mesospin.errors.TooLargeError: a dense matrix of dimension 500000 needs 2 TB of memory, ...
    """
    free = available_memory() if limit is None else limit
    if not n_bytes <= free:
        raise TooLargeError(
            f"{what} needs {_size(n_bytes)} of memory, and {_size(free)} are free; "
            "ask for a smaller system, fewer states or fewer points"
        )


def available_memory() -> float:
    """Return the memory that a new computation can use [bytes], infinite where unknown."""
    free = float("inf")
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        free = float(kilobytes) * 1024
    except (OSError, StopIteration):
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            free = float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    return min(free, _container_memory())


def optional_import(module: str, extra: str) -> ModuleType:
    """Import a module that only an extra installs, or say which extra that is.

    Parameters
    ----------
    module : str
        Name of the module.
    extra : str
        Name of the extra of this package that installs it.

    Raises
    ------
    InputError
        If the module is not installed.

    Examples
    --------
    >>> optional_import("no_such_module", "scale")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: no_such_module is not installed; run: pip install 'mesospin[scale]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(f"{module} is not installed; run: pip install 'mesospin[{extra}]'") from error


def _spread(
    function: Callable[[Task], Result],
    tasks: list[tuple[int, Task]],
    workers: int,
    cluster: str | None,
    label: str,
) -> Iterator[tuple[int, Result]]:
    """Yield (index, result) as tasks finish, computed where the caller asked."""
    if not tasks:
        return
    if cluster is not None:
        yield from _on_cluster(function, tasks, cluster, label)
    elif workers > 1 and len(tasks) > 1:
        yield from _on_processes(function, tasks, min(workers, len(tasks)), label)
    else:
        for index, task in tasks:
            with _named(index, label):
                result = function(task)
            yield index, result


def _on_processes(
    function: Callable[[Task], Result],
    tasks: list[tuple[int, Task]],
    workers: int,
    label: str,
) -> Iterator[tuple[int, Result]]:
    _require_sendable(function, tasks[0][1])
    # Fresh processes: a forked copy of a process that runs threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        index_of = {pool.submit(function, task): index for index, task in tasks}
        for future in as_completed(index_of):
            index = index_of[future]
            with _named(index, label):
                result = future.result()
            yield index, result
    except BrokenProcessPool as error:
        raise MesospinError(
            f"{label}: a worker process was killed, most often for want of memory; use fewer workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _on_cluster(
    function: Callable[[Task], Result], tasks: list[tuple[int, Task]], cluster: str, label: str
) -> Iterator[tuple[int, Result]]:
    distributed = optional_import("distributed", "scale")
    _require_sendable(function, tasks[0][1])
    try:
        client = distributed.Client(cluster, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"cluster must be the address of a running Dask scheduler, got {cluster!r}; "
            "start one with 'dask scheduler' and give the address that it prints"
        ) from error
    with client:
        # pure=False: results are never taken from an earlier run with the same inputs.
        futures = [client.submit(function, task, pure=False) for _, task in tasks]
        index_of = {future.key: index for future, (index, _) in zip(futures, tasks, strict=True)}
        for future in distributed.as_completed(futures, loop=client.loop):
            index = index_of[future.key]
            with _named(index, label):
                result = future.result()
            yield index, result


def _require_sendable(function: Callable[[Any], Any], task: Any) -> None:
    try:
        pickle.dumps((function, task))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            "function and tasks must be such that another process can receive them, got "
            f"{getattr(function, '__qualname__', function)!r}; define the function at the top of "
            "a module, or use workers=1"
        ) from error


@contextmanager
def _named(index: int, label: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(f"{label}: task {index} failed (counted from 0)")
        raise


def _container_memory() -> float:
    """Return what the limit of a container leaves [bytes], infinite if there is none."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = (group / "memory.current").read_text(encoding="ascii").strip()
    except OSError:
        return float("inf")
    return float("inf") if limit == "max" else float(int(limit) - int(used))


def _size(n_bytes: float) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return f"{n_bytes:.0f} bytes"


def _silent(_done: int, _total: int) -> None:
    """Report nothing."""
