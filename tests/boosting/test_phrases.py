"""What callers ask to boost, within its limits."""

import pytest

from parakeet_streaming.boosting.phrases import Phrase, checked_phrases, plain
from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import (
    MOST_PHRASE_CHARACTERS,
    MOST_PHRASES,
    MOST_PHRASES_CHARACTERS,
)


def test_texts_and_phrases_in_order_each_once():
    found = checked_phrases(["a", Phrase("b", 2), " ", "a  c", Phrase("a", -1)])
    assert found == (Phrase("a", -1.0), Phrase("b", 2.0), Phrase("a c"))


def test_spaces_and_what_cannot_be_seen_mean_nothing():
    assert plain(" New\n\u200bYork\x1b ") == "New York"
    assert plain("e\u0301") == "\u00e9"


@pytest.mark.parametrize("text", ["x" * (MOST_PHRASE_CHARACTERS + 1), 7, None, b"x"])
def test_what_is_no_phrase_is_refused(text):
    with pytest.raises(OptionError, match="phrase"):
        Phrase(text)


@pytest.mark.parametrize("weight", [5.1, -6, float("nan"), "2", True])
def test_a_weight_out_of_range_is_refused_by_name(weight):
    with pytest.raises(OptionError, match="weight of the phrase 'Kubernetes'"):
        Phrase("Kubernetes", weight)


def test_one_text_is_no_list():
    with pytest.raises(OptionError, match=r"use \['Kubernetes'\]"):
        checked_phrases("Kubernetes")


def test_so_many_and_no_more():
    assert len(checked_phrases(map(str, range(MOST_PHRASES)))) == MOST_PHRASES
    with pytest.raises(OptionError, match="5,000 phrases"):
        checked_phrases(map(str, range(MOST_PHRASES + 1)))
    long = [f"{number:0{MOST_PHRASE_CHARACTERS}}" for number in range(1_001)]
    assert len(checked_phrases(long[:-1])) * MOST_PHRASE_CHARACTERS == MOST_PHRASES_CHARACTERS
    with pytest.raises(OptionError, match="characters in all"):
        checked_phrases(long)
