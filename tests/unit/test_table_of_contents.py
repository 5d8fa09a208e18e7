"""The table of contents of the package: one place a name, and no name that an import could shadow."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import mesospin

SOURCE = Path(mesospin.__file__)


def test_type_checkers_and_readers_see_the_same_names():
    tree = ast.parse(SOURCE.read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.asname: node.module.removeprefix("mesospin.")
        for node in block.body
        for alias in node.names
        if node.module != "mesospin"
    }
    assert seen == mesospin._HOME


def test_docstring_lists_every_name():
    for name in mesospin._HOME:
        assert f"`{name}`" in mesospin.__doc__


def test_no_public_name_is_the_name_of_a_module():
    parts = {entry.stem for entry in SOURCE.parent.iterdir() if not entry.name.startswith("_")}
    assert not parts & set(mesospin._HOME)


def test_plot_is_a_function_whatever_was_imported_before():
    code = "import mesospin.figures.plot, mesospin; print(callable(mesospin.plot), callable(mesospin.run))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "True True"


@pytest.mark.parametrize("name", sorted(mesospin._HOME))
def test_names_live_where_the_table_says(name):
    value = getattr(mesospin, name)
    if inspect.isfunction(value) or inspect.isclass(value):
        assert value.__module__ == f"mesospin.{mesospin._HOME[name]}"
    assert name in dir(mesospin)


def test_units_are_a_part_that_loads_on_first_use():
    assert mesospin.units.to_tesla("25 mT") == 0.025
