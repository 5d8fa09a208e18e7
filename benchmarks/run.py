"""Run every comparison and print one table: this package beside another program, on the same problem.

    python benchmarks/run.py [--only NAME] [--json PATH]

NAME is one of the modules in MODULES.
"""

import argparse
import importlib
import json
import os
import platform
import time
import warnings
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

MODULES = (
    "levels",
    "certified",
    "large_spin",
    "splitting_map",
    "powder_magnetisation",
    "fit",
    "ac_fit",
    "staircase",
    "unitary_sweep",
    "lindblad_sweep",
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def machine():
    """Return what the times depend on."""
    names = ("mesospin", "numpy", "scipy", "numba", "qutip")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
    }


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def table(rows):
    """Return the table of rows; a ratio is marked good or bad where a goal is set."""
    result = Table(title="seconds and errors, medians of interleaved runs")
    for column in ("problem", "beside"):
        result.add_column(column)
    for column in ("its time", "its error", "our time", "our error", "ratio", "goal"):
        result.add_column(column, justify="right")
    before = ""
    for row in rows:
        reached = row["goal"] is None or row["ratio"] >= row["goal"]
        unequal = row["ours_error"] > 1.2 * row["peer_error"]
        colour = "" if row["goal"] is None else "[green]" if reached else "[red]"
        result.add_row(
            row["name"] if row["name"] != before else "",
            row["peer"],
            f"{row['peer_seconds']:.3g}",
            f"{row['peer_error']:.1e}",
            f"{row['ours_seconds']:.3g}",
            f"{'[red]' if unequal else ''}{row['ours_error']:.1e}",
            f"{colour}{row['ratio']:.3g}",
            "" if row["goal"] is None else f"{row['goal']:g}",
        )
        before = row["name"]
    return result


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=MODULES, metavar="NAME", help="one module instead of all")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the rows and the machine here too")
    chosen = parser.parse_args(arguments)
    for name in THREADS:  # before numpy is loaded; threads over fields and molecules are our own
        os.environ.setdefault(name, "1")
    warnings.simplefilter("ignore")  # solvers that leave the physical range say so at length
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    here = machine()
    start = time.perf_counter()
    rows = []
    for name in track((chosen.only,) if chosen.only else MODULES, "Running", console=console, transient=True):
        rows += importlib.import_module(name).rows()
    console.print(
        f"{here['processor']}, {here['cores']} cores, load {here['load']:.1f}; Python {here['python']}; "
        + ", ".join(f"{name} {number}" for name, number in here["versions"].items())
    )
    console.print(table(rows))
    console.print("ratio = its time / our time; red: goal missed, or our error larger than the other one")
    console.print("BLAS and LAPACK use one thread; our own threads over fields use all cores")
    console.print(f"{time.perf_counter() - start:.0f} s")
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps({"machine": here, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
