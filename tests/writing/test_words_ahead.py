"""Rules see words from where they begin, so many of them, and no further than there are."""

import pytest

from parakeet_streaming.writing.words_ahead import (
    MOST_AHEAD,
    Piece,
    SpokenWord,
    Written,
    spoken_word,
)
from tests.writing.spelling import ahead


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hello", ("", "hello", "")),
        ("“Hello,”", ("“", "Hello", ",”")),
        ("don't.", ("", "don't", ".")),
        ("p.m.", ("", "p.m", ".")),
        ("—", ("—", "", "")),
        ("", ("", "", "")),
        ("a\nb", ("", "a\nb", "")),
    ],
)
def test_a_word_and_its_marks(text, parts):
    word = spoken_word(text)
    assert (word.before, word.core, word.after) == parts
    assert word.text == text


def test_a_word_that_is_not_there_yet():
    words = ahead("one two", ended=False)
    assert words[1] == SpokenWord("", "two", "")
    assert not words.wanted_more
    assert words[2] is None
    assert words.wanted_more


def test_a_word_after_the_end():
    words = ahead("one", ended=True)
    assert words[1] is None
    assert not words.wanted_more


def test_nothing_is_held_back_for_long():
    words = ahead(" ".join(["five"] * 100), ended=False)
    assert words[MOST_AHEAD - 1] is not None
    assert words[MOST_AHEAD] is None
    assert not words.wanted_more


def test_words_from_a_later_one_on():
    words = ahead("one two three")
    assert words.from_(1)[1] == words[2]


def test_pieces_count_their_words():
    assert Written((Piece(2, "23"), Piece(1, None))).words == 3
