"""Tokens, words and segments by the reference's rules."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.words import (
    TokenFormatter,
    group_segments,
    group_words,
    is_punctuation,
    text_of,
)
from parakeet_streaming.ports import Emission
from parakeet_streaming.results import Word

PIECES = [
    " Hello",
    " wor",
    "ld",
    ".",
    " .",
    ",",
    " (",
    "?",
    "",
    " ",
    "'s",
    " ⁇ ",
    " naïve",
    " -",
    "。",
]


class Pieces:
    def text_of(self, token_id):
        return PIECES[token_id]


def heard(*spoken, has_durations=True, **choices):
    """Tokens of (piece, frame, duration), each a tenth surer than the one before."""
    scribe = TokenFormatter(Pieces(), has_durations=has_durations, **choices)
    emissions = [
        Emission(PIECES.index(piece), frame, duration, (place + 1) / 10)
        for place, (piece, frame, duration) in enumerate(spoken)
    ]
    return scribe, scribe.tokens(emissions, None)


def times(things):
    return [(each.text, each.start, each.end) for each in things]


def test_a_token_lasts_as_long_as_its_duration():
    _, tokens = heard((" Hello", 0, 4), (" wor", 7, 1), ("ld", 8, 0))
    assert times(tokens) == [("Hello", 0.0, 0.32), (" wor", 0.56, 0.64), ("ld", 0.64, 0.64)]
    assert [(each.start_frame, each.duration_frames) for each in tokens] == [(0, 4), (7, 1), (8, 0)]


def test_without_durations_a_token_lasts_one_frame():
    _, tokens = heard((" Hello", 2, 0), (".", 30, 0), has_durations=False)
    assert times(tokens) == [("Hello", 0.16, 0.24), (".", 2.4, 2.48)]
    assert tokens[0].duration_frames == 0


def test_a_mark_is_where_the_token_before_it_ends():
    _, tokens = heard((" Hello", 0, 2), (".", 40, 3), ("?", 50, 1), (" wor", 60, 1))
    assert times(tokens) == [
        ("Hello", 0.0, 0.16),
        (".", 0.16, 0.16),
        ("?", 0.16, 0.16),
        (" wor", 4.8, 4.88),
    ]
    assert tokens[1].start_frame == 40


def test_a_mark_that_is_first_keeps_its_own_time():
    _, tokens = heard((" .", 3, 1), (" Hello", 5, 1))
    assert times(tokens) == [(".", 0.24, 0.32), (" Hello", 0.4, 0.48)]


def test_a_mark_loses_its_space_and_the_first_token_too():
    _, tokens = heard((" Hello", 0, 1), (" .", 1, 1), (" wor", 2, 1), ("ld", 3, 1), (" (", 4, 1))
    assert text_of(tokens) == "Hello. world("
    assert [each.text for each in group_words(tokens)] == ["Hello.", "world("]


@pytest.mark.parametrize("mark", [".", " .", ",", "?", " (", " -", "。"])
def test_marks(mark):
    assert is_punctuation(mark)


@pytest.mark.parametrize("text", ["", " ", "'s", "a", " a", "..", "+", " ⁇ ", ". "])
def test_no_marks(text):
    assert not is_punctuation(text)


def test_words_reach_from_one_start_to_the_next():
    scribe, tokens = heard(
        (" Hello", 0, 2), (",", 9, 1), (" wor", 10, 1), ("ld", 12, 2), (".", 20, 1), ("'s", 21, 1)
    )
    assert times(group_words(tokens)) == [("Hello,", 0.0, 0.16), ("world.'s", 0.8, 1.76)]
    assert scribe.transcript([tokens], 2.0).text == "Hello, world.'s"


def test_a_continuation_that_is_first_is_a_word():
    _, tokens = heard(("ld", 0, 1), (" Hello", 1, 1))
    assert [each.text for each in group_words(tokens)] == ["ld", "Hello"]


def test_pieces_without_text_make_no_word():
    _, tokens = heard(("", 0, 1), (" ", 2, 1), ("", 3, 1))
    assert group_words(tokens) == ()
    _, tokens = heard((" Hello", 0, 1), ("", 1, 1), (" ", 2, 1), (" wor", 3, 1), ("", 4, 2))
    assert times(group_words(tokens)) == [("Hello", 0.0, 0.16), ("wor", 0.24, 0.48)]


def test_a_lone_space_starts_the_word_behind_it():
    _, tokens = heard((" Hello", 0, 1), (" ", 1, 1), ("ld", 2, 1))
    assert text_of(tokens) == "Hello ld"
    assert times(group_words(tokens)) == [("Hello", 0.0, 0.08), ("ld", 0.08, 0.24)]


def test_confidence_of_a_word():
    _, tokens = heard((" wor", 0, 1), ("ld", 1, 1), (".", 2, 1), (" Hello", 3, 1))
    assert [each.confidence for each in group_words(tokens)] == [0.1, 0.4]
    assert [each.confidence for each in group_words(tokens, "mean")] == pytest.approx([0.2, 0.4])


def test_a_word_with_a_recovered_token_is_recovered():
    scribe = TokenFormatter(Pieces(), has_durations=True)
    emissions = [Emission(0, 0, 1, 0.5), Emission(1, 1, 1, 0.5), Emission(2, 2, 1, 0.5, True)]
    tokens = scribe.tokens(emissions, None)
    assert [each.recovered for each in tokens] == [False, False, True]
    assert [each.recovered for each in group_words(tokens)] == [False, True]


def word(text, start, end):
    return Word(text, start, end, 1.0)


def test_segments_end_behind_sentence_marks():
    spoken = ["A", "b.", "C!", "D?", "e", "1.5", "f,"]
    words = [word(text, at, at + 1) for at, text in enumerate(spoken)]
    segments = group_segments(words)
    assert [each.text for each in segments] == ["A b.", "C!", "D?", "e 1.5 f,"]
    assert [(each.start, each.end) for each in segments] == [(0, 2), (2, 3), (3, 4), (4, 7)]
    assert tuple(each for segment in segments for each in segment.words) == tuple(words)


def test_segments_end_before_a_gap_where_asked():
    words = [word("a", 0.0, 0.4), word("b", 0.56, 0.56), word("c", 0.8, 1.0), word("d.", 1.2, 1.3)]
    assert [each.text for each in group_segments(words)] == ["a b c d."]
    # 0.8 - 0.56 is a hair below 0.24 in floats; three frames are three frames.
    assert [each.text for each in group_segments(words, 0.24)] == ["a b", "c d."]
    assert [each.text for each in group_segments(words, 0.25)] == ["a b c d."]


def test_a_gap_never_hides_a_mark():
    words = [word("a", 0.0, 0.1), word("b.", 5.0, 5.1), word("c", 5.2, 5.3)]
    assert [each.text for each in group_segments(words, 1.0)] == ["a", "b.", "c"]


def test_no_words_make_no_segment():
    assert group_segments([]) == ()
    scribe, tokens = heard()
    transcript = scribe.transcript([tokens], 1.5)
    assert (transcript.text, transcript.words, transcript.segments) == ("", (), ())
    assert transcript.audio_s == 1.5


def test_the_scribe_uses_its_choices():
    scribe, tokens = heard(
        (" wor", 0, 1), ("ld", 1, 1), (" Hello", 40, 1), confidence="mean", gap_s=1.0
    )
    transcript = scribe.transcript([tokens], 4.0)
    assert transcript.words[0].confidence == pytest.approx(0.15)
    assert [each.text for each in transcript.segments] == ["world", "Hello"]


emissions = st.lists(st.tuples(st.integers(0, len(PIECES) - 1), st.integers(0, 4)), max_size=20)


def spread(choices):
    frame, made = 0, []
    for token_id, duration in choices:
        made.append(Emission(token_id, frame, duration, 0.5))
        frame += duration
    return made


@given(choices=emissions, cuts=st.lists(st.integers(0, 20), max_size=4), durations=st.booleans())
def test_text_and_tokens_are_append_only(choices, cuts, durations):
    scribe = TokenFormatter(Pieces(), has_durations=durations)
    spoken = spread(choices)
    whole = scribe.tokens(spoken, None)
    ends = [*sorted(cuts), len(spoken)]
    pieced, first = (), 0
    for end in ends:
        pieced += scribe.tokens(spoken[first:end], pieced[-1] if pieced else None)
        first = max(first, end)
    assert pieced == whole
    assert scribe.transcript([whole], 9.0).text == text_of(whole).strip()


@given(choices=emissions)
def test_words_hold_all_the_text_and_do_not_overlap(choices):
    _, tokens = heard(
        *((PIECES[each.token_id], each.frame, each.duration_frames) for each in spread(choices))
    )
    words = group_words(tokens)
    assert "".join(each.text for each in words).replace(" ", "") == text_of(tokens).replace(" ", "")
    for each in words:
        assert each.start <= each.end
    for before, after in pairwise(words):
        assert before.end <= after.start
    segments = group_segments(words, 0.5)
    assert tuple(each for segment in segments for each in segment.words) == words
