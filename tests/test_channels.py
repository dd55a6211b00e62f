"""Channels in order of time: by hand, and for any words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.channels import (
    MOST_NAME_CHARACTERS,
    PAUSE_S,
    ChannelTranscript,
    SeparateTranscript,
    TimeOrder,
    UtteranceBuilder,
    labels_of,
    whole_of,
)
from parakeet_streaming.engine.words import group_segments
from parakeet_streaming.errors import OptionError
from parakeet_streaming.results import Transcript, Word
from parakeet_streaming.subtitles.units import units_of


def transcript(*spoken):
    """Of (word, start, end)."""
    words = tuple(Word(text, start, end, 0.9) for text, start, end in spoken)
    text = " ".join(word.text for word in words)
    return Transcript(text, (), words, group_segments(words), words[-1].end if words else 0.0)


def two(first, second):
    return SeparateTranscript(
        (ChannelTranscript(first, 0, "agent"), ChannelTranscript(second, 1, "caller"))
    )


CALL = two(
    transcript(("good", 0.0, 0.3), ("day", 0.4, 0.8), ("yes", 3.0, 3.2), ("bye", 3.3, 3.6)),
    transcript(("hello", 1.0, 1.4), ("is", 1.5, 1.6), ("it", 1.7, 1.9), ("you?", 2.0, 2.4)),
)


def test_utterances_come_in_order_of_time():
    assert CALL.text == "agent: good day\ncaller: hello is it you?\nagent: yes bye"
    assert [(each.channel, each.start, each.end) for each in CALL.utterances] == [
        (0, 0.0, 0.8),
        (1, 1.0, 2.4),
        (0, 3.0, 3.6),
    ]
    assert [word.text for word in CALL.utterances[2].words] == ["yes", "bye"]
    assert CALL.audio_s == 3.6


def test_who_speaks_meanwhile_divides_nobody():
    long = transcript(*((f"w{at}", at * 0.5, at * 0.5 + 0.4) for at in range(8)))
    said = two(long, transcript(("mhm", 1.2, 1.4)))
    assert [each.channel for each in said.utterances] == [0, 1]
    assert said.utterances[0].text == "w0 w1 w2 w3 w4 w5 w6 w7"


def test_a_sentence_and_a_pause_end_an_utterance():
    said = transcript(("so.", 0.0, 0.4), ("then", 0.5, 0.9), ("no", 0.9 + PAUSE_S, 2.0))
    assert [each.text for each in two(said, transcript()).utterances] == ["so.", "then", "no"]
    near = transcript(("then", 0.5, 0.9), ("no", 0.89 + PAUSE_S, 2.0))
    assert [each.text for each in two(near, transcript()).utterances] == ["then no"]


def test_together_the_lower_channel_comes_first():
    said = two(transcript(("a", 1.0, 1.2)), transcript(("b", 1.0, 1.1)))
    assert said.text == "agent: a\ncaller: b"


def test_orders_to_a_terminal_are_no_text():
    said = two(transcript(("a\x1b[2J", 1.0, 1.2)), transcript(("\x1b", 1.0, 1.1)))
    assert said.text == "agent: a[2J"


def test_transcripts_of_channels_are_one():
    assert whole_of(CALL.channels) == CALL
    averaged = transcript(("a", 0.0, 0.1))
    assert whole_of([averaged]) is averaged


def test_labels():
    assert labels_of((), 2) == ("channel 0", "channel 1")
    assert labels_of(("agent", "caller"), 2) == ("agent", "caller")


@pytest.mark.parametrize(
    ("names", "channels", "says"),
    [
        ((), 9, "9 channels cannot be transcribed each for itself; 8 can"),
        ((), 0, "0 channels"),
        (("a",), 2, r"1 channel name \('a'\) for 2 channels; give one for each"),
        (("a", "b"), 1, "2 channel names"),
        (("a", "a"), 2, "must differ"),
        (("a", ""), 2, "cannot be a channel's name"),
        (("a", "b\n"), 2, "in one line"),
        (("a", "b\x1b"), 2, "in one line"),
        (("a", "b" * (MOST_NAME_CHARACTERS + 1)), 2, "1 to 40 letters"),
    ],
)
def test_names_that_cannot_be(names, channels, says):
    with pytest.raises(OptionError, match=says):
        labels_of(names, channels)


@st.composite
def transcripts(draw):
    at, spoken = 0.0, []
    for number in range(draw(st.integers(0, 12))):
        start = at + draw(st.sampled_from([0.0, 0.08, 0.4, 0.8, 2.0]))
        at = round(start + draw(st.sampled_from([0.08, 0.24])), 6)
        spoken.append((f"w{number}{draw(st.sampled_from(['', '', '.', '?']))}", start, at))
    return transcript(*spoken)


@given(st.lists(transcripts(), min_size=1, max_size=4))
def test_no_word_is_lost_and_time_goes_on(channels):
    said = SeparateTranscript(
        tuple(ChannelTranscript(each, at, f"c{at}") for at, each in enumerate(channels))
    )
    keys = [(each.start, each.channel) for each in said.utterances]
    assert keys == sorted(keys)
    for at, each in enumerate(channels):
        words = [word for u in said.utterances if u.channel == at for word in u.words]
        assert tuple(words) == each.words


@given(transcripts())
def test_utterances_that_come_one_by_one_are_those_of_the_whole(said):
    builder = UtteranceBuilder(0, "c")
    given_ = [u for unit in units_of(said.segments, said.tokens) for u in builder.add(unit)]
    given_ += builder.end()
    whole = ChannelTranscript(said, 0, "c").utterances
    assert [(u.text, u.start, u.end) for u in given_] == [(u.text, u.start, u.end) for u in whole]
    assert builder.open_from is None


def test_nothing_comes_before_what_may_come_before_it():
    order = TimeOrder[str](2)
    order.add(0, 1.0, "a")
    assert list(order.take([5.0, 0.5])) == []
    assert list(order.take([5.0, 1.0])) == ["a"]
    order.add(1, 2.0, "b")
    assert list(order.take([2.0, 9.0])) == []
    order.add(0, 2.0, "c")
    assert list(order.take([math.inf, math.inf])) == ["c", "b"]
