"""The shape of the source tree: what may import what, how long a file may be, how it may be called."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "mesospin").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# One place loads the parts of an extra, one is the table of contents that loads parts on first use.
LATE_IMPORTS = {"scale.py": "optional_import", "__init__.py": "__getattr__"}


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT / "src" / "mesospin"))


def test_imports_point_downwards():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "0 broken" in answer.stdout


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_a_file_can_be_read_in_one_sitting(file):
    assert len(file.read_text().splitlines()) <= 400


def test_files_are_named_after_what_they_hold():
    vague = {"utils.py", "util.py", "common.py", "helpers.py", "misc.py", "base.py"}
    assert not [file for file in SOURCES if file.name in vague]


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_imports_stand_at_the_top_and_are_absolute(file):
    tree = ast.parse(file.read_text())
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if LATE_IMPORTS.get(name_of(file)) == function.name:
            continue
        late = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not late, f"{name_of(file)}:{late[0].lineno} imports inside {function.name}"
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{name_of(file)}:{node.lineno}"


def test_every_imported_package_is_a_declared_dependency():
    declared = {re.split(r"[<>=!~\[ ]", entry)[0].lower() for entry in PROJECT["dependencies"]}
    distribution = packages_distributions()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module]
            for top in {module.split(".")[0] for module in modules}:
                if top == "mesospin" or top in sys.stdlib_module_names:
                    continue
                providers = {name.lower() for name in distribution[top]}
                assert providers & declared, f"{name_of(file)} imports {top}, which no dependency declares"
