import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mesospin.errors import InputError, MesospinError, TooLargeError
from mesospin.scale import available_memory, map_tasks, optional_import, require_memory, spawn_seeds

# Worker processes import the functions that they run, so these live in a module of their own.
TASKS = '''
import os
import time
from pathlib import Path

import numpy as np


def noisy(task):
    """One random sample and a diagonalisation: any change of order or thread would show."""
    seed, size = task
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    values = np.linalg.eigvalsh(matrix + matrix.T)
    return {"values": values, "sum": float(values.sum()), "text": "done", "flags": (True, None, 3)}


def failing(task):
    if task == 3:
        raise ZeroDivisionError("three")
    return task


def dying(task):
    os._exit(9)


def counted(task):
    """Leaves one line per call in a file, so that a test sees what was computed."""
    folder, index, pause = task
    with Path(folder, "calls").open("a") as stream:
        stream.write(f"{index}\\n")
    time.sleep(pause)
    return {"values": np.random.default_rng(index).normal(size=5), "index": index}
'''

RUN = """
import sys

from scale_tasks import counted

from mesospin.scale import map_tasks

if __name__ == "__main__":
    folder, workers, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    tasks = [(folder, index, pause) for index in range(8)]
    map_tasks(counted, tasks, workers=workers, checkpoint=folder + "/kept")
"""


@pytest.fixture(scope="session")
def tasks_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    (folder / "scale_tasks.py").write_text(TASKS)
    (folder / "scale_run.py").write_text(RUN)
    return folder


@pytest.fixture
def jobs(tasks_folder, monkeypatch):
    monkeypatch.syspath_prepend(str(tasks_folder))
    monkeypatch.setenv("PYTHONPATH", str(tasks_folder))
    import scale_tasks

    return scale_tasks


def identical(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        assert list(a) == list(b)
        np.testing.assert_array_equal(a["values"], b["values"], strict=True)
        assert {k: v for k, v in a.items() if k != "values"} == {k: v for k, v in b.items() if k != "values"}


def samples(n=6):
    return [(seed, 20 + index) for index, seed in enumerate(spawn_seeds(11, n))]


def test_order_and_progress():
    seen = []
    result = map_tasks(abs, iter([-3, 2, -1]), progress=lambda done, total: seen.append((done, total)))
    assert result == [3, 2, 1]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert map_tasks(abs, []) == []


def test_workers_give_the_same_bits_in_the_same_order(jobs):
    seen = []
    alone = map_tasks(jobs.noisy, samples())
    spread = map_tasks(jobs.noisy, samples(), workers=2, progress=lambda *step: seen.append(step))
    identical(spread, alone)
    assert seen == [(done, 6) for done in range(7)]


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bits(jobs):
    # The cluster runs in processes of its own, reached over TCP as a user's cluster would be.
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *options]
    scheduler = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    worker = None
    try:
        address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at" in line)
        options = ["--nworkers", "1", "--nthreads", "2", "--no-dashboard", "--no-nanny"]
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address, *options]
        worker = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        identical(map_tasks(jobs.noisy, samples(), cluster=address), map_tasks(jobs.noisy, samples()))
        with pytest.raises(ZeroDivisionError, match="three") as caught:
            map_tasks(jobs.failing, [1, 3], cluster=address)
        assert "task 1 failed" in caught.value.__notes__[0]
    finally:
        for process in (worker, scheduler):
            if process is not None:
                process.terminate()
                process.wait(timeout=20)
        scheduler.stderr.close()


def test_a_cluster_that_does_not_answer(monkeypatch):
    monkeypatch.setattr("mesospin.scale._CONNECT_SECONDS", 0.5)
    with pytest.raises(InputError, match="cluster must be the address of a running Dask scheduler"):
        map_tasks(abs, [1], cluster="tcp://127.0.0.1:9")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_keeps_its_type_and_names_the_task(jobs, workers, tmp_path):
    with pytest.raises(ZeroDivisionError, match="three") as caught:
        map_tasks(jobs.failing, [1, 2, 3], workers=workers, label="sample", checkpoint=tmp_path)
    assert caught.value.__notes__ == ["sample: task 2 failed (counted from 0)"]


def test_a_killed_worker_is_one_sentence(jobs):
    with pytest.raises(MesospinError, match=r"a worker process was killed.*fewer workers"):
        map_tasks(jobs.dying, [1, 2], workers=2)


def test_what_another_process_cannot_receive():
    with pytest.raises(InputError, match="define the function at the top of a module"):
        map_tasks(lambda x: x, [1, 2], workers=2)


@pytest.mark.parametrize("workers", [0, -1, 1.5, True])
def test_workers_is_checked(workers):
    with pytest.raises(InputError, match="workers must be"):
        map_tasks(abs, [1], workers=workers)


def calls(folder):
    return sorted(int(line) for line in Path(folder, "calls").read_text().split())


def test_resume_computes_only_what_is_missing_and_changed(jobs, tmp_path):
    tasks = [(str(tmp_path), index, 0.0) for index in range(4)]
    first = map_tasks(jobs.counted, tasks[:2], checkpoint=tmp_path / "kept")
    seen = []
    full = map_tasks(
        jobs.counted, tasks, checkpoint=tmp_path / "kept", progress=lambda *step: seen.append(step)
    )
    assert calls(tmp_path) == [0, 1, 2, 3]
    assert seen == [(2, 4), (3, 4), (4, 4)]
    identical(full[:2], first)
    changed = [(str(tmp_path), 0, 0.001)]
    map_tasks(jobs.counted, changed, checkpoint=tmp_path / "kept")
    assert calls(tmp_path) == [0, 0, 1, 2, 3]


def settled(folder, quiet):
    """Return the number of calls once orphaned workers have started nothing new for ``quiet`` seconds."""
    count, since = len(calls(folder)), time.monotonic()
    while time.monotonic() - since < quiet:
        time.sleep(0.05)
        if len(calls(folder)) != count:
            count, since = len(calls(folder)), time.monotonic()
    return count


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "how"), [(1, signal.SIGKILL), (2, signal.SIGKILL), (1, signal.SIGINT)])
def test_a_run_that_was_killed_resumes_to_the_same_bits(jobs, tasks_folder, tmp_path, workers, how):
    kept = tmp_path / "kept"
    command = [sys.executable, str(tasks_folder / "scale_run.py"), str(tmp_path), str(workers), "0.4"]
    # a shell that runs the tests in the background ignores Ctrl-C, and so would its children
    restore = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=restore)
    deadline = time.monotonic() + 60
    while len(list(kept.glob("*.npz"))) < 3:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    process.wait(timeout=30)
    finished = len(list(kept.glob("[!.]*.npz")))
    assert 3 <= finished < 8
    before = settled(tmp_path, 2.0 if workers > 1 else 0.0)
    tasks = [(str(tmp_path), index, 0.4) for index in range(8)]
    resumed = map_tasks(jobs.counted, tasks, checkpoint=kept, workers=2)
    assert len(calls(tmp_path)) - before == 8 - finished
    identical(resumed, [jobs.counted((str(tmp_path), index, 0.0)) for index in range(8)])


def test_a_damaged_file_is_computed_again(jobs, tmp_path):
    tasks = [(str(tmp_path), 0, 0.0)]
    first = map_tasks(jobs.counted, tasks, checkpoint=tmp_path / "kept")
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    identical(map_tasks(jobs.counted, tasks, checkpoint=tmp_path / "kept"), first)
    assert calls(tmp_path) == [0, 0]


def test_a_checkpoint_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="checkpoint must be a folder"):
        map_tasks(abs, [1], checkpoint=tmp_path / "file")


@dataclass(frozen=True)
class Molecule:
    name: str
    values: tuple[float, ...]


@dataclass
class Opaque:
    inner: object


def test_tasks_and_results_that_a_checkpoint_cannot_hold(tmp_path):
    assert map_tasks(repr, [Molecule("a", (1.0,))], checkpoint=tmp_path) == [
        "Molecule(name='a', values=(1.0,))"
    ]
    with pytest.raises(InputError, match="a checkpointed task must be made of numbers"):
        map_tasks(repr, [Opaque(object())], checkpoint=tmp_path)
    with pytest.raises(InputError, match="a checkpointed result must be made of numbers"):
        map_tasks(Path, ["a"], checkpoint=tmp_path)


def test_seeds_are_distinct_and_reproducible():
    first = [np.random.default_rng(seed).random() for seed in spawn_seeds(3, 50)]
    assert first == [np.random.default_rng(seed).random() for seed in spawn_seeds(3, 50)]
    assert len(set(first)) == 50
    child = spawn_seeds(3, 1)[0]
    assert [s.spawn_key for s in spawn_seeds(child, 2)] == [s.spawn_key for s in spawn_seeds(child, 2)]
    for bad in (-1, 0.5, True):
        with pytest.raises(InputError, match="rng_seed must be"):
            spawn_seeds(bad, 2)
    with pytest.raises(InputError, match="n must be at least 0"):
        spawn_seeds(1, -1)


def test_memory():
    assert 1e7 < available_memory() < 1e15
    require_memory(0, "nothing")
    require_memory(10, "ten", limit=10)
    for need in (11, float("nan"), float("inf")):
        with pytest.raises(TooLargeError, match=r"^ten needs .* of memory, and 10 bytes are free; ask for"):
            require_memory(need, "ten", limit=10)
    with pytest.raises(TooLargeError, match=r"1e.03 TB"):
        require_memory(1e15, "a dense matrix")


def test_a_missing_extra_is_named():
    with pytest.raises(InputError, match=r"pip install 'mesospin\[scale\]'"):
        optional_import("no_such_module", "scale")
