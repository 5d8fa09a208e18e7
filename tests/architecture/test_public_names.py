"""The public names: they exist, they are explained, and the reference lists them."""

import inspect
import re
from pathlib import Path

import pytest

import mesospin

ROOT = Path(__file__).parents[2]
REFERENCE = "\n".join(page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md"))


@pytest.mark.parametrize("name", sorted(mesospin.__all__))
def test_public_name_is_documented(name):
    value = getattr(mesospin, name)
    if name.startswith("__"):
        return
    assert inspect.getdoc(value), f"{name} has no docstring"
    assert re.search(rf"^\.\. auto(?:function|class):: mesospin\.{name}$", REFERENCE, re.MULTILINE), (
        f"docs/reference does not list {name}"
    )


def test_the_reference_lists_nothing_that_does_not_exist():
    for name in re.findall(r"^\.\. auto(?:function|class):: mesospin\.(\w+)$", REFERENCE, re.MULTILINE):
        assert name in mesospin.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        mesospin.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", sorted(mesospin.__all__))
def test_functions_are_called_with_few_positions_and_no_open_keywords(name):
    value = getattr(mesospin, name)
    if not inspect.isfunction(value):
        return
    kinds = [parameter.kind for parameter in inspect.signature(value).parameters.values()]
    assert inspect.Parameter.VAR_KEYWORD not in kinds
    assert kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) <= 4
