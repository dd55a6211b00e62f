"""Options name rules; what makes no sense is refused when they are made."""

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.writing.numbers import NumberRule
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.profanity import ProfanityRule
from parakeet_streaming.writing.replacements import Replacement, ReplacementRule


def test_by_default_nothing_changes():
    assert WritingOptions().is_plain
    assert WritingOptions().rules() == ()


def test_rules_in_their_order():
    options = WritingOptions("digits", (Replacement("a", "b"),), "mask", ("darn",))
    assert not options.is_plain
    assert [type(rule) for rule in options.rules()] == [
        ReplacementRule, NumberRule, ProfanityRule,
    ]  # fmt: skip
    assert WritingOptions("digits") == WritingOptions("digits")
    assert hash(WritingOptions("digits")) == hash(WritingOptions("digits"))


@pytest.mark.parametrize(
    "given",
    [
        {"numbers": "roman"},
        {"profanity": "shout"},
        {"replacements": (Replacement("", "x"),)},
        {"replacements": (Replacement("(", "x", is_expression=True),)},
        {"profanity": "mask", "masked": ("",)},
    ],
    ids=repr,
)
def test_nonsense_is_refused(given):
    with pytest.raises(OptionError):
        WritingOptions(**given)
