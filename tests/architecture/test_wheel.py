"""The wheel, in an environment that holds nothing else of this repository."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import mesospin as ms

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "mesospin"


def quiet(command: list[str], **options) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    quiet([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)])
    (file,) = folder.glob("mesospin-*.whl")
    return file


@pytest.fixture(scope="module")
def clean_environment(wheel, tmp_path_factory):
    """A new environment with the wheel; only the dependencies are borrowed from this one.

    A path in a .pth file adds the packages found there and not what their own .pth files point
    to, so the editable install of this repository stays out of reach.
    """
    folder = tmp_path_factory.mktemp("environment")
    quiet([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    python = folder / "bin" / "python"
    quiet(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--no-deps", "--no-index",
         str(wheel)]
    )  # fmt: skip
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def run(environment: Path, folder: Path, *command: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return quiet([str(environment / command[0]), *command[1:]], cwd=folder, env=clean)


def test_the_wheel_carries_code_data_and_type_marker_only(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {f"mesospin/{file.relative_to(PACKAGE)}" for file in PACKAGE.rglob("*.toml")}
    assert data
    assert data <= names
    assert "mesospin/py.typed" in names
    assert all(name.startswith(("mesospin/", "mesospin-")) for name in names)


@pytest.mark.slow
def test_the_installed_package_works_from_another_folder(clean_environment, tmp_path):
    place = run(clean_environment, tmp_path, "python", "-c", "import mesospin; print(mesospin.__file__)")
    assert Path(place.strip()).is_relative_to(clean_environment.parent)
    listing = run(clean_environment, tmp_path, "mesospin", "library")
    for file in PACKAGE.rglob("data/*.toml"):
        assert file.stem in listing
    assert "D" in run(clean_environment, tmp_path, "mesospin", "show", "mn12ac")
    answer = run(clean_environment, tmp_path, "mesospin", "splitting", "fe8", "10", "-10", "--json")
    expected = ms.tunnel_splitting(ms.load("fe8"), (10, -10)).kelvin
    assert json.loads(answer)["variables"]["splitting"]["values"] == pytest.approx(expected, rel=1e-9)
    assert list(tmp_path.iterdir()) == []
