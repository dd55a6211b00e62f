"""Text of several channels comes in order of time, as soon as it is sure, and once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.channels import ChannelEvent, ChannelTranscript, SeparateTranscript
from parakeet_streaming.cli.separate_text import SeparateCues, SeparateUtterances
from parakeet_streaming.engine.words import group_segments, group_words, text_of
from parakeet_streaming.formats import cues
from parakeet_streaming.results import Final, Gap, Partial, Token, Transcript

LABELS = ("agent", "caller")


def tokens(*said):
    """Of (text, start)."""
    return tuple(Token(0, text, 0, 1, start, start + 0.24, 0.9) for text, start in said)


def partial(channel, committed_s, *said):
    found = tokens(*said)
    return ChannelEvent(channel, Partial(text_of(found), found, "", (), committed_s, committed_s))


def transcript(found, audio_s):
    words = group_words(found)
    text = text_of(found).strip()
    return Transcript(text, tuple(found), words, group_segments(words), audio_s)


def final(channel, audio_s, *said, reason="end"):
    return ChannelEvent(channel, Final(transcript(tokens(*said), audio_s), 0, reason))


def lines(utterances):
    return [each.line for each in utterances]


def test_an_utterance_comes_when_nothing_can_come_before_it():
    told = SeparateUtterances(LABELS)
    assert told.feed(partial(0, 1.0, (" one", 0.0))) == []
    assert told.feed(partial(1, 1.0)) == []
    # The next word makes the first one sure. When it is sure itself, there was a pause.
    assert told.feed(partial(0, 3.0, (" two", 2.0))) == []
    assert lines(told.feed(partial(0, 3.0, (" or", 2.4)))) == ["agent: one"]
    assert told.feed(partial(1, 3.0, (" hey", 1.5))) == []
    # What the other says now began later than this.
    assert lines(told.feed(final(1, 4.0, (" hey", 1.5)))) == ["caller: hey"]
    said = ((" one", 0.0), (" two", 2.0), (" or", 2.4))
    assert lines(told.feed(final(0, 4.0, *said))) == ["agent: two or"]


def test_who_began_first_is_waited_for():
    told = SeparateUtterances(LABELS)
    told.feed(partial(0, 2.0, (" so", 0.0), (" I", 0.4), (" said", 0.8), (" that", 1.2)))
    assert told.feed(partial(1, 2.0, (" mhm", 0.5))) == []
    assert told.feed(final(1, 5.0, (" mhm", 0.5))) == []
    said = ((" so", 0.0), (" I", 0.4), (" said", 0.8), (" that", 1.2))
    assert lines(told.feed(final(0, 5.0, *said))) == ["agent: so I said that", "caller: mhm"]


def test_a_channel_that_says_nothing_holds_nobody_up():
    told = SeparateUtterances(LABELS)
    assert told.feed(partial(0, 3.0, (" one", 0.5), (" two", 2.0), (" three", 2.3))) == []
    assert lines(told.feed(partial(1, 3.0))) == ["agent: one"]


def test_an_utterance_that_ends_is_over():
    told = SeparateUtterances(LABELS)
    told.feed(partial(1, 3.0))
    told.feed(partial(0, 1.0, (" one", 0.0)))
    assert lines(told.feed(final(0, 1.0, (" one", 0.0), reason="silence"))) == ["agent: one"]
    assert told.feed(ChannelEvent(0, Gap(1.0, 2.0))) == []


def test_what_has_no_end_is_told_in_the_end():
    told = SeparateUtterances(LABELS)
    told.feed(partial(1, 3.0, (" b", 1.0), (" c", 2.5)))
    told.feed(partial(0, 3.0, (" a", 0.5), (" d", 2.0)))
    assert lines(told.rest()) == ["agent: a", "caller: b"]
    assert told.rest() == []


def test_subtitles_say_whose_they_are():
    told = SeparateCues(LABELS)
    told.feed(partial(0, 9.0, (" one", 0.0), (" two", 4.0)))
    first = told.feed(final(1, 9.0, (" hey", 2.0)))
    rest = told.feed(final(0, 9.0, (" one", 0.0), (" two", 4.0)))
    assert [(cue.speaker, cue.text) for cue in [*first, *rest]] == [
        ("agent", "one"),
        ("caller", "hey"),
        ("agent", "two"),
    ]


@st.composite
def recordings(draw):
    """Words of some channels, and steps in which they become known."""
    channels = []
    for _ in range(draw(st.integers(1, 3))):
        at, said = 0.0, []
        for number in range(draw(st.integers(0, 10))):
            at = round(at + 0.24 + draw(st.sampled_from([0.0, 0.08, 0.8, 1.6, 4.0])), 6)
            said.append((f" w{number}{draw(st.sampled_from(['', '', '.']))}", at))
        channels.append(said)
    return channels, draw(st.sampled_from([0.5, 1.0, 3.0]))


def run(told, channels, step_s):
    """Feeds all channels chunk by chunk; what comes of it."""
    end_s = max([said[-1][1] for said in channels if said], default=0.0) + 1.0
    found, at = [], 0.0
    while at < end_s:
        for number, said in enumerate(channels):
            new = [each for each in said if at <= each[1] < at + step_s]
            found += told.feed(partial(number, at + step_s, *new))
        at += step_s
    for number, said in enumerate(channels):
        found += told.feed(final(number, at, *said))
    assert told.rest() == []
    return found, at


@given(recordings())
def test_one_by_one_they_are_those_of_the_whole(recording):
    channels, step_s = recording
    labels = [f"c{number}" for number in range(len(channels))]
    utterances, audio_s = run(SeparateUtterances(labels), channels, step_s)
    shown, _ = run(SeparateCues(labels), channels, step_s)
    whole = SeparateTranscript(
        tuple(
            ChannelTranscript(transcript(tokens(*said), audio_s), number, labels[number])
            for number, said in enumerate(channels)
        )
    )
    assert lines(utterances) == lines(whole.utterances)
    starts = [cue.start for cue in shown]
    assert starts == sorted(starts)
    key = lambda cue: (cue.start, cue.speaker)  # noqa: E731
    assert sorted(shown, key=key) == sorted(cues(whole), key=key)


@pytest.mark.parametrize("made", [SeparateUtterances, SeparateCues])
def test_without_channels_there_is_nothing(made):
    assert made(()).rest() == []
