"""What clients say of writing and subtitles becomes options, or is refused by its name."""

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.protocols.fields import Fields
from parakeet_streaming.server.protocols.writing_fields import (
    MOST_SENT,
    deepgram_replacements,
    fingerprint,
    subtitles_of,
    with_replacements,
    with_subtitle,
    with_writing,
    writing_of,
)
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.replacements import Replacement

PLAIN = WritingOptions()


def test_fields_of_a_form_add_up():
    writing = with_writing(PLAIN, "numbers", "digits")
    writing = with_writing(writing, "profanity", "mask")
    writing = with_writing(writing, "replace", "a => b\nc => d")
    writing = with_writing(writing, "replace", "e => f")
    assert writing == WritingOptions(
        "digits", (Replacement("a", "b"), Replacement("c", "d"), Replacement("e", "f")), "mask"
    )
    assert with_writing(writing, "numbers", "") == with_writing(writing, "numbers", "model")
    for field, value in (("numbers", "x"), ("profanity", "x"), ("replace", "x")):
        with pytest.raises(ValueError, match="x"):
            with_writing(PLAIN, field, value)


def test_expressions_and_long_lists_are_refused():
    with pytest.raises(OptionError, match="expressions are not taken from clients"):
        with_writing(PLAIN, "replace", "/(a+)+/ => b")
    many = [Replacement(str(number), "x") for number in range(MOST_SENT + 1)]
    with pytest.raises(OptionError, match=f"more than {MOST_SENT}"):
        with_replacements(PLAIN, many)
    assert len(with_replacements(PLAIN, many[:-1]).replacements) == MOST_SENT


def test_fields_of_an_object():
    first = writing_of(Fields({"numbers": "digits", "replace": "a => b"}), PLAIN)
    assert first == WritingOptions("digits", (Replacement("a", "b"),))
    assert writing_of(Fields({}), first) == first
    assert writing_of(Fields({"replace": ""}), first) == WritingOptions("digits")
    for given in ({"numbers": "x"}, {"profanity": 1}, {"replace": ["a"]}, {"replace": "a"}):
        with pytest.raises(WrongRequestError) as wrong:
            writing_of(Fields(given), PLAIN)
        assert wrong.value.field == next(iter(given))


def test_deepgram_replacements():
    assert deepgram_replacements(["new york: NYC ", "a:b:c"]) == (
        Replacement("new york", "NYC"),
        Replacement("a", "b:c"),
    )
    for text in ("a", "a:", ":b", ""):
        with pytest.raises(WrongRequestError, match="replace"):
            deepgram_replacements([text])


def test_fields_of_subtitles_are_numbers():
    given = with_subtitle((), "subtitle_lines", "1")
    given = with_subtitle(with_subtitle(given, "word_times", "TRUE"), "subtitle_gap", "")
    assert given == (("subtitle_lines", 1.0), ("word_times", 1.0))
    for field, value in (("word_times", "maybe"), ("subtitle_gap", "x"), ("subtitle_lines", "nan")):
        with pytest.raises(ValueError, match=value):
            with_subtitle((), field, value)


def test_subtitles():
    assert subtitles_of({}) == TRADE
    assert subtitles_of(
        {
            "subtitle_lines": 1.0,
            "subtitle_shortest": 8.0,
            "subtitle_longest": 9.0,
            "word_times": 1.0,
        }
    ) == SubtitleOptions(lines=1, shortest_s=8.0, longest_s=9.0, word_times=True)
    for name, value in (
        ("subtitle_lines", 1.5),
        ("subtitle_width", 5.0),
        ("subtitle_speed", 0.0),
        ("subtitle_shortest", 8.0),
        ("subtitle_longest", 0.0),
        ("subtitle_gap", 2.0),
    ):
        with pytest.raises(WrongRequestError) as wrong:
            subtitles_of({"word_times": 0.0, name: value})
        assert wrong.value.field == name


def test_fingerprints():
    digits = WritingOptions("digits")
    assert fingerprint(digits) == fingerprint(WritingOptions("digits")) != fingerprint(PLAIN)
    assert len(fingerprint(WritingOptions(masked=("\ud800",) * 1000))) == 32
