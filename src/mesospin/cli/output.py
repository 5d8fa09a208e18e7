"""What a command prints: tables or JSON on standard output, everything else on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

import mesospin as ms
from mesospin.report.cells import Table
from mesospin.report.content import full_content, json_text
from mesospin.report.formats import check_target
from mesospin.report.tables import tables

if TYPE_CHECKING:
    import xarray as xr

_PIPE_WIDTH = 160


def require_target(out: str | None) -> None:
    """Refuse a file that could not be written, before anything is computed."""
    if out is not None:
        check_target(out)


def deliver(dataset: "xr.Dataset", *, as_json: bool, out: str | None, quiet: bool) -> None:
    """Write the file that was asked for, and print the result."""
    if out is not None:
        ms.export(dataset, out)
    if as_json:
        say(json_text(full_content(dataset)))
        return
    if quiet:
        return
    for table in tables(dataset):
        print_table(table)
    if out is not None:
        note(f"written: {out}")


class Shown:
    """Results of one command: printed as they come, or as one JSON at the end."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._json, self._quiet = as_json, quiet
        self._content: dict[str, Any] = {}

    def add(self, name: str, dataset: "xr.Dataset", *, written: list[str | None]) -> None:
        """Take a result, after its files were written."""
        if self._json:
            self._content[name] = full_content(dataset)
        elif not self._quiet:
            for table in tables(dataset):
                print_table(table)
            for file in written:
                if file is not None:
                    note(f"written: {file}")

    def finish(self) -> None:
        """Print the JSON: a single result itself, several by name."""
        if self._json and self._content:
            several = len(self._content) > 1
            say_json(self._content if several else next(iter(self._content.values())))


def say(text: str) -> None:
    """Print on standard output."""
    typer.echo(text)


def note(text: str) -> None:
    """Print on standard error."""
    typer.echo(text, err=True)


def say_json(content: Any) -> None:
    """Print JSON and nothing else."""
    say(json_text(content))


def print_table(table: Table) -> None:
    """Print a table; where nobody watches, it is as wide as it needs to be."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=_PIPE_WIDTH, no_color=True)
    drawn = RichTable(title=Text(table.title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for i, column in enumerate(table.columns):
        text = all(isinstance(row[i], str) for row in table.rows)
        drawn.add_column(Text(column.heading), justify="left" if text else "right")
    for row in table.rows:
        drawn.add_row(*(Text(c.text(entry)) for c, entry in zip(table.columns, row, strict=True)))
    console.print(drawn)


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the time left on standard error, where somebody watches."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report
