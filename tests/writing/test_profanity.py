"""Words of a list keep their first letter; others stay."""

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.writing.profanity import (
    MOST_MASKED,
    MOST_MASKED_CHARACTERS,
    ProfanityRule,
    offending_of,
    offending_words,
)
from tests.writing.spelling import written_by


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("Darn, it!", "D***, it!"),
        ("holy cow", "h*** c**"),
        ("“DARN”", "“D***”"),
        ("darned", "darned"),
        ("holy, cow", "holy, cow"),
    ],
)
def test_table(spoken, written):
    assert written_by((ProfanityRule(["darn", "holy cow"]),), spoken) == written


def test_the_list_of_the_package():
    listed = offending_words()
    assert len(listed) == 403
    masked = written_by((ProfanityRule(listed),), f"well {listed[100]} hello")
    assert masked.startswith("well ")
    assert masked.endswith(" hello")
    assert "*" in masked
    plain = "the assistant from Scunthorpe passed a class in the cockpit"
    assert written_by((ProfanityRule(listed),), plain) == plain


def test_lists():
    assert offending_of("\ufeff# mine\ndarn\n\n holy cow \n") == ("darn", "holy cow")


@pytest.mark.parametrize(
    "listed",
    [["a"] * (MOST_MASKED + 1), [""], ["a" * (MOST_MASKED_CHARACTERS + 1)], ["a " * 13]],
    ids=["many", "none", "long", "words"],
)
def test_lists_have_an_end(listed):
    with pytest.raises(OptionError, match="mask"):
        ProfanityRule(listed)
