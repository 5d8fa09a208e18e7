"""Molecule files that the package writes: what is read back is the same system, to the last digit."""

import math
import tomllib

import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.model.molecule_text import system_from_text, write_molecule
from mesospin.model.term import Term


@pytest.mark.parametrize("name", [entry.name for entry in ms.library()])
def test_every_molecule_of_the_library_comes_back(name):
    system = ms.load(name)
    assert system_from_text(write_molecule(system)) == system


def test_terms_of_every_kind_come_back():
    third = 1.0 / 3.0
    system = ms.SpinSystem(
        'a "name" with \\ and ü\n',
        [ms.Spin(2, [1.9, third, 2.1]), ms.Spin(1.5, 2.2), ms.Spin(1.5, 1.3, "I", nuclear=True)],
        [
            ms.ZeroFieldSplitting(-math.pi, third, frame=(0.1, third, 0.3)),
            ms.Stevens(3, -3, 1e-3 * third, site=1),
            ms.SpinPower(0.01, z=1, ladder=2, site=1),
            ms.Exchange(0, 1, [[third, 0.1, 0.0], [0.2, 0.3, 0.0], [0.0, 0.0, 1e-17]], convention="-2J"),
            ms.DzyaloshinskiiMoriya(0, 1, (0.1, third, -0.3)),
            ms.Hyperfine(0, 2, [third, 0.1, 0.2], frame=(0.0, 0.4, 0.0)),
            ms.Quadrupole(2, 0.05, third, frame=(0.1, 0.0, 0.0)),
        ],
        sources=["one", 'two "quoted"'],
        title="a title",
    )
    assert system_from_text(write_molecule(system)) == system


def test_a_file_is_loaded(tmp_path):
    system = ms.load("mn12ac")
    text = write_molecule(system, tmp_path / "own.toml")
    assert tomllib.loads(text)["spins"][0]["S"] == 10.0
    assert ms.load(tmp_path / "own.toml") == system


def test_what_cannot_be_written_is_refused(tmp_path):
    class Strange(Term):
        sites = (0,)

        def validate(self, spins):
            pass

        def products(self, spins):
            return []

        def formula(self, spins):
            return "strange"

    with pytest.raises(InputError, match="kinds of a molecule file, got Strange"):
        write_molecule(ms.SpinSystem("a", [ms.Spin(1)], [Strange()]))
    with pytest.raises(InputError, match="could not be written"):
        write_molecule(ms.load("fe8"), tmp_path / "no" / "folder.toml")
