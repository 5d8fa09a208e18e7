"""Laws and models by name, and relaxation times from tables of one's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesospin.errors import InputError, UnitError
from mesospin.measured.relaxation.names import ac_model, decay_model, rate_law
from mesospin.measured.relaxation.processes import (
    PROCESSES,
    BronsVanVleck,
    Direct,
    Orbach,
    PhononBottleneck,
    Raman,
    RateLaw,
    Tunnelling,
)
from mesospin.measured.relaxation.rate_data import rate_data
from mesospin.measured.relaxation.rate_file import read_rates


def test_a_law_from_its_text():
    assert rate_law("orbach + raman") == Orbach() + Raman()
    assert rate_law("orbach") == RateLaw((Orbach(),))
    assert rate_law(" phonon-bottleneck( direct )+QTM") == PhononBottleneck(Direct()) + Tunnelling()
    assert rate_law("phonon-bottleneck") == RateLaw((PhononBottleneck(),))
    nested = rate_law("brons-van-vleck(phonon-bottleneck(raman)) + tunneling")
    assert nested == BronsVanVleck(PhononBottleneck(Raman())) + Tunnelling()


@given(st.lists(st.sampled_from(sorted(PROCESSES)), min_size=1, max_size=5))
def test_the_title_of_a_law_is_its_text(names):
    law = rate_law(" + ".join(names))
    assert rate_law(law.title) == law
    assert len(law.processes) == len(names)


@pytest.mark.parametrize(
    "text",
    ["", "+", "orbach +", "orbach raman", "orbech", "orbach(raman)", "phonon-bottleneck(", "direct)",
     "phonon-bottleneck(direct + raman)", "phonon-bottleneck()", "2 * orbach", "orbach - raman"],
)  # fmt: skip
def test_what_is_no_law(text):
    with pytest.raises(InputError, match=r"^law must .*\S; \S"):
        rate_law(text)
    with pytest.raises(InputError, match="law must"):
        rate_law(3)


@given(st.text(alphabet="orbach+ ()-raman", max_size=30))
def test_any_text_is_a_law_or_refused(text):
    try:
        law = rate_law(text)
    except InputError as error:
        law, sentence = None, str(error)
    assert law.names if law is not None else "\n" not in sentence


def test_models_by_name():
    assert ac_model("havriliak-negami").names[-1] == "gamma"
    assert decay_model("double-exponential").steps == 2
    for read in (ac_model, decay_model):
        with pytest.raises(InputError, match="model must be one of"):
            read("cole")


@pytest.mark.parametrize(
    "text",
    [
        "T (K),B (T),tau (s),tau error (s)\n2,0.1,0.03,0.001\n4,0.1,0.002,0.0001\n",
        "# remark\ntau (ms);T (mK);H (kOe);sigma (us)\n30;2000;1;1000\n2;4000;1;100\n",
        "T [K]\tB [mT]\ttau [ms]\tdtau [ms]\n2,0\t100\t30,0\t1,0\n4,0\t100\t2,0\t0,1\n",
        "T,B,tau,tau_error\n2,0.1,3.0e-2,1D-3\n4,0.1,2e-3,1e-4\n\n",
    ],
)
def test_tables_with_units(tmp_path, text):
    file = tmp_path / "tau.csv"
    file.write_text(text)
    times = read_rates(file)
    np.testing.assert_allclose(times.temperature, [2.0, 4.0])
    np.testing.assert_allclose(times.field, [0.1, 0.1])
    np.testing.assert_allclose(times.tau, [0.03, 0.002])
    np.testing.assert_allclose(times.tau_error, [1e-3, 1e-4])


def test_field_and_error_may_be_missing(tmp_path):
    (tmp_path / "tau.csv").write_text("T (K),tau (s)\n2,0.03\n4,0.002\n")
    assert read_rates(tmp_path / "tau.csv").equals(rate_data([2.0, 4.0], [0.03, 0.002]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got nothing"),
        ("# only a remark\n", "got nothing"),
        ("T (K),tau (s)\n", "cut off"),
        ("2,0.03\n4,0.002\n", "headings"),
        ("T (K),tau (s),colour\n2,1,3\n", "'colour'"),
        ("T (K),T (K),tau (s)\n2,2,1\n", "one column for T"),
        ("T (K),B (T)\n2,1\n", "column for tau"),
        ("T (K),tau (s)\n2,1\n3\n", "line 3"),
        ("T (K),tau (s)\n2,nan\n", "line 2"),
        ("T (K),tau (s)\n2,-1\n", "positive"),
    ],
)
def test_tables_that_are_none(tmp_path, text, words):
    file = tmp_path / "tau.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=words):
        read_rates(file)
    file.write_text("T (K),tau (kg)\n2,1\n")
    with pytest.raises(UnitError):
        read_rates(file)
