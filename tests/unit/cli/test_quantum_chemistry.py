"""read-orca and read-single-aniso on the command line."""

import json
from pathlib import Path

import pytest

import mesospin as ms
from mesospin.cli.app import main

#: S = 1 with D = 3 cm^-1 and g = 2.
FILE = """Doing QDPT with ONLY SOC!
 STATE   0:       0.0000
 STATE   1:       3.0000
 STATE   2:       3.0000
Spin multiplicity = 3
total g-matrix:
      2.000000     0.000000     0.000000
      0.000000     2.100000     0.000000
      0.000000     0.000000     2.200000
g-factors:
   2.0000000    2.1000000    2.2000000 iso =    2.1000000
           ZERO-FIELD SPLITTING
EFFECTIVE HAMILTONIAN SOC CONTRIBUTION
Raw matrix (cm-1):
     0.000000     0.000000     0.000000
     0.000000     0.000000     0.000000
     0.000000     0.000000     3.000000
D   =    3.000000  cm-1
E/D =    0.000000
"""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    path = tmp_path / "ni.out"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_molecule_file_is_written_and_reads_back(output, tmp_path, capsys):
    target = tmp_path / "ni.toml"
    assert main(["read-orca", str(output), "--out", str(target)]) == 0
    answer = capsys.readouterr()
    assert "levels agree with the printed energies" in answer.out
    assert "written" in answer.err
    assert ms.load(target) == ms.read_orca(output).system


def test_json_holds_what_was_read(output, capsys):
    assert main(["read-orca", str(output), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    read = ms.read_orca(output)
    assert content["energies"] == pytest.approx(read.energies)
    assert content["pseudospins"][0]["sign"] == 1
    assert content["deviation"] == pytest.approx(read.deviation)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("read-single-aniso",), "must hold the output of SINGLE_ANISO"),
        (("read-orca", "--block", "NEVPT2 SOC"), 'choose from "CASSCF SOC"'),
        (("read-orca", "--out", "ni.csv"), "let its name end in .toml"),
    ],
)
def test_bad_input_is_one_sentence(output, capsys, arguments, sentence):
    name, *rest = arguments
    assert main([name, str(output), *rest]) == 2
    assert sentence in capsys.readouterr().err
