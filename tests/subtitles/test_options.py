"""Numbers of subtitles are those of the guides, and within reason."""

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions


def test_defaults_are_the_numbers_of_the_guides():
    """Netflix's Timed Text Style Guide: General Requirements, and English (USA)."""
    assert SubtitleOptions() == TRADE
    assert (TRADE.lines, TRADE.line_characters, TRADE.cue_characters) == (2, 42, 84)
    assert TRADE.characters_per_second == 20
    assert TRADE.shortest_s == pytest.approx(5 / 6)
    assert TRADE.longest_s == 7
    assert TRADE.gap_s == pytest.approx(2 / 24)
    assert not TRADE.word_times


@pytest.mark.parametrize(
    "given",
    [
        {"lines": 0},
        {"lines": 5},
        {"lines": 1.5},
        {"line_characters": 9},
        {"line_characters": 201},
        {"characters_per_second": 4.9},
        {"characters_per_second": float("nan")},
        {"shortest_s": 0.0},
        {"longest_s": 61.0},
        {"gap_s": -0.1},
        {"gap_s": 1.1},
        {"shortest_s": 5.0, "longest_s": 4.0},
    ],
    ids=repr,
)
def test_numbers_without_sense_are_refused(given):
    with pytest.raises(OptionError, match=next(iter(given))):
        SubtitleOptions(**given)
