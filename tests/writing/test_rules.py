"""The first rule that says something counts; what depends on words to come waits."""

from parakeet_streaming.writing.numbers import NumberRule
from parakeet_streaming.writing.profanity import ProfanityRule
from parakeet_streaming.writing.replacements import Replacement, ReplacementRule
from parakeet_streaming.writing.rules import write
from parakeet_streaming.writing.words_ahead import Piece
from tests.writing.spelling import written_by


def test_without_rules_words_stay():
    assert list(write(["a", "b"], (), ended=False)) == [Piece(1, None), Piece(1, None)]


def test_the_first_rule_counts():
    spelling = ReplacementRule([Replacement("twenty", "XX"), Replacement("darn", "dear")])
    rules = (spelling, NumberRule(), ProfanityRule(["darn", "three"]))
    assert written_by(rules, "twenty three darn thirty") == "XX t**** dear 30"


def test_a_rule_ends_before_one_that_goes_before_it():
    rules = (ReplacementRule([Replacement("five nine", "V9")]), NumberRule())
    assert written_by(rules, "three one four one five nine two six") == "3141 V9 two six"
    words = ["three", "one", "four", "one", "five"]
    assert list(write(words, rules, ended=False)) == []
    assert list(write([*words, "nine"], rules, ended=False)) == [Piece(4, "3141"), Piece(2, "V9")]


def test_what_is_not_sure_waits():
    words = ["it", "costs", "twenty", "three"]
    assert list(write(words, (NumberRule(),), ended=False)) == [Piece(1, None)] * 2
    assert list(write([*words, "pears,"], (NumberRule(),), ended=False)) == [
        Piece(1, None), Piece(1, None), Piece(2, "23"), Piece(1, None),
    ]  # fmt: skip
    assert list(write([*words[:-1], "three,"], (NumberRule(),), ended=False))[-1] == Piece(2, "23,")
