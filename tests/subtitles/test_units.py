"""Words are cut into units only where they must be."""

import pytest

from parakeet_streaming.results import Token, Word
from parakeet_streaming.subtitles.options import SubtitleOptions
from parakeet_streaming.subtitles.units import Unit, columns, is_divided, units_of_word


def test_words_are_divided_by_their_tokens():
    word = Word("你好吗", 0.0, 3.0, 0.9)
    tokens = [Token(0, " 你好", 0, 0, 0.0, 1.0, 0.9), Token(0, "吗", 0, 0, 2.0, 3.0, 0.9)]
    assert units_of_word(word, tokens) == [
        Unit("你好", 0.0, 1.0, True),
        Unit("吗", 2.0, 3.0, False),
    ]
    wrong = [Token(0, "x", 0, 0, 0.0, 1.0, 0.9)]
    assert [unit.text for unit in units_of_word(word, wrong, continues=True)] == ["你", "好", "吗"]
    assert units_of_word(Word("hello", 0, 1, 0.9), tokens) == [Unit("hello", 0, 1, True)]


@pytest.mark.parametrize(
    ("text", "wide"), [("abc", 3), ("漢字", 4), ("é", 1), ("e\u0301", 1), ("ｱ", 1), ("", 0)]
)
def test_wide_characters_take_two_columns(text, wide):
    assert columns(text) == wide


def test_what_fits_into_a_cue_is_whole():
    narrow = SubtitleOptions(lines=1, line_characters=10)
    assert not is_divided("a" * 10, narrow)
    assert is_divided("a" * 11, narrow)
    cut = units_of_word(Word("a" * 25, 0.0, 2.5, 0.9), (), narrow)
    assert [len(unit.text) for unit in cut] == [10, 10, 5]
    assert [unit.start for unit in cut] == pytest.approx([0.0, 1.0, 2.0])
