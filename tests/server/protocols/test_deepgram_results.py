"""Sessions of any kind in; the order of what is told is checked."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.words import group_words, text_of
from parakeet_streaming.results import Token
from parakeet_streaming.server.protocols.deepgram_results import (
    ChannelResults,
    Result,
    SpeechBegan,
    UtteranceOver,
    Wish,
)
from parakeet_streaming.server.session_events import Ended, Heard, Marked, Started, Stopped

PIECES = st.sampled_from([" a", "b", " see", ".", " x y", ",", " 's", " !", "z "])


def token(text, at_s, end_s=None):
    return Token(0, text, round(at_s / 0.08), 1, at_s, end_s or at_s + 0.08, 0.5)


@st.composite
def sessions(draw):
    """Events of whole utterances, and where words were at silence for `wait` seconds."""
    events, at_s, number = [], 0.0, 0
    for number in range(draw(st.integers(1, 3))):
        tokens, begin_s = [], at_s
        if draw(st.booleans()):
            events.append(Started(number, at_s))
        for _ in range(draw(st.integers(0, 4))):
            new = []
            for _ in range(draw(st.integers(0, 4))):
                at_s = round(at_s + draw(st.sampled_from([0.08, 0.4, 2.0])), 2)
                new.append(token(draw(PIECES), at_s))
            tentative = tuple(
                token(draw(PIECES), at_s + 0.2) for _ in range(draw(st.integers(0, 2)))
            )
            end_s = at_s + 0.08
            tokens += new
            events.append(
                Heard(number, text_of(new), tuple(new), "", tentative, end_s, end_s + 0.5)
            )
        at_s = round(at_s + 0.5, 2)
        if events and isinstance(events[-1], Started):
            events.append(Stopped(number, at_s))
        reason = draw(st.sampled_from(["silence", "max_length", "commit", "no_audio"]))
        words = group_words(tokens)
        text = " ".join(word.text for word in words)
        events.append(Ended(number, text, words, tuple(tokens), begin_s, at_s, reason))
    events.append(Ended(number + 1, "", (), (), at_s, at_s, "end"))
    return events


def told(events, **chosen):
    settings = {"interim": True, "vad_events": True, "utterance_end_s": 1.0, "has_ends": True}
    results = ChannelResults(**{**settings, **chosen})
    return [said for event in events for said in results.take(event)]


def text(results):
    return " ".join(word.text for result in results for word in result.words)


@given(sessions(), st.booleans(), st.booleans())
def test_final_results_lie_side_by_side_and_join_to_the_text(events, interim, has_ends):
    said = told(events, interim=interim, has_ends=has_ends)
    results = [each for each in said if isinstance(each, Result)]
    finals = [each for each in results if each.is_final]
    ends = [event for event in events if isinstance(event, Ended)]
    assert text(finals).split() == " ".join(event.text for event in ends).split()
    assert finals[0].start_s == 0.0
    for before, after in pairwise(finals):
        assert abs(before.start_s + before.duration_s - after.start_s) < 1e-9
        assert after.duration_s >= 0
    cursor_s = 0.0
    for each in results:
        assert abs(each.start_s - cursor_s) < 1e-9
        assert each.is_final or not (each.speech_final or each.from_finalize)
        if each.is_final:
            cursor_s = each.start_s + each.duration_s
    assert interim or results == finals
    assert sum(each.from_finalize for each in finals) == sum(
        event.reason == "commit" for event in ends
    )


@given(sessions())
def test_speech_and_its_end_are_told_only_where_it_is_asked_for(events):
    quiet = told(events, vad_events=False, utterance_end_s=None)
    assert all(isinstance(each, Result) for each in quiet)
    began = [each for each in told(events) if isinstance(each, SpeechBegan)]
    assert len(began) == sum(isinstance(event, Started) for event in events)


@given(sessions(), st.booleans())
def test_silence_is_told_once_for_a_last_word_and_only_after_it(events, has_ends):
    over = [
        each.last_word_end_s
        for each in told(events, has_ends=has_ends)
        if isinstance(each, UtteranceOver)
    ]
    tokens = [each for event in events if isinstance(event, Ended) for each in event.tokens]
    starts = [each.start for each in tokens[1:]] + [events[-1].end_s]
    pairs = zip(tokens, starts, strict=True) if tokens else ()
    silent = [each.end for each, after_s in pairs if after_s >= each.end + 1.0]
    assert over == silent


def said_once(*events, **chosen):
    """Session events to which a marker answers as soon as it is wished for."""
    settings = {"interim": False, "vad_events": False, "utterance_end_s": 1.0, "has_ends": True}
    results = ChannelResults(**{**settings, **chosen})
    found = []
    for event in events:
        for each in results.take(event):
            found.append(each)
            if isinstance(each, Wish):
                found += results.take(Marked(each.marker))
                found += results.take(Marked(each.marker))
    return found


def test_a_marker_tells_that_silence_lasts():
    one = token(" one", 1.0)
    heard = Heard(0, "one", (one,), "", (), 1.5, 2.0)
    ended = Ended(0, "one", group_words([one]), (one,), 0.0, 2.0, "silence")
    wish = Wish(repr(one.end), one.end + 1.0)
    for has_ends in (True, False):
        found = said_once(heard, ended, has_ends=has_ends)
        assert [each for each in found if not isinstance(each, Result)] == [
            *(wish, UtteranceOver(one.end)),
        ]


def test_it_tells_nothing_while_words_may_follow():
    one, two = token(" one", 1.0), token(" two", 1.9)
    results = ChannelResults(interim=False, vad_events=False, utterance_end_s=1.0, has_ends=False)
    (wish,) = results.take(Heard(0, "one", (one,), "", (), 1.5, 2.0))
    assert results.take(Heard(0, "", (), " two", (two,), 2.0, 2.5)) == []
    assert results.take(Marked(wish.marker)) == []
    (wish,) = results.take(Heard(0, " two", (two,), "", (), 2.5, 3.0))
    assert wish.at_s == two.end + 1.0


def test_long_speech_becomes_final_on_the_way():
    tokens = [token(f" w{number}", 0.5 * number) for number in range(40)]
    heard = [Heard(0, each.text, (each,), "", (), each.end, each.end) for each in tokens]
    finals = [each for each in told(heard, utterance_end_s=None) if each.is_final]
    assert len(finals) == 3
    assert not any(each.speech_final for each in finals)
    shown = [each for each in told(heard) if isinstance(each, Result) and not each.is_final]
    assert max(len(each.words) for each in shown) <= 12


def test_the_beginning_of_speech_is_told_where_it_is_asked_for():
    events = [Started(0, 1.0), Stopped(0, 2.0)]
    assert told(events) == [SpeechBegan(1.0)]
    assert told(events, vad_events=False) == []


def test_an_utterance_in_which_nothing_was_said_is_told_where_it_was_begun_or_asked_for():
    def finals(*before, reason="silence"):
        return told([*before, Ended(0, "", (), (), 0.0, 2.0, reason)], vad_events=False)

    assert finals() == []
    (begun,) = finals(Started(0, 1.0))
    (asked,) = finals(reason="commit")
    assert (begun.from_finalize, asked.from_finalize) == (False, True)


def test_silence_after_the_last_word_is_told_by_what_was_decoded():
    one = token(" one", 1.0)
    silent = Heard(0, "", (), "", (), 3.0, 3.5)
    heard = [Heard(0, "one", (one,), "", (), 1.5, 2.0), silent]
    ended = Ended(0, "one", group_words([one]), (one,), 0.0, 1.5, "silence")
    end = Ended(1, "", (), (), 1.5, 3.0, "end")
    over = UtteranceOver(one.end)
    # Words that wait for their utterance's end may still go on.
    assert over not in told(heard)
    assert told([heard[0], ended, silent])[-1] == over
    assert told([heard[0], ended, end])[-1] == over


def test_a_word_and_its_punctuation_are_not_cut_apart():
    pieces = [" so", *(f"{number}" for number in range(60)), " end", ".", "!"]
    tokens = [token(text, 0.1 * at) for at, text in enumerate(pieces)]
    heard = Heard(0, "", tuple(tokens), "", (), 7.0, 7.5)
    final, interim = (each for each in told([heard]) if isinstance(each, Result))
    assert text([final]) == "so" + "".join(map(str, range(60)))
    assert text([interim]) == "end.!"
    short = Heard(0, "", tuple(tokens[:5]), "", (), 1.0, 1.5)
    (interim,) = (each for each in told([short]) if isinstance(each, Result))
    assert (text([interim]), interim.is_final) == ("so0123", False)
