"""What was told is not told again, whatever the server makes of the same audio."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.client.events import (
    Cleared,
    ContextChanged,
    Final,
    Gap,
    Hint,
    Marker,
    Partial,
    SpeechEnded,
    SpeechStarted,
)
from parakeet_streaming.client.told import Told
from parakeet_streaming.results import Token, Word
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig.balanced()


def token(text, start):
    return Token(1, text, round(start / 0.08), 1, start, start + 0.08, 0.5)


def partial(number, offset, *tokens, committed):
    text = "".join(each.text for each in tokens)
    text = text if offset else text.lstrip()
    return Partial(number, text, "", committed, committed + 1, tokens, 0, offset)


def final(number, text, start, end, tokens=(), words=()):
    return Final(number, text, start, end, "silence", words, tokens)


ONE, TWO, THREE, FOUR = (
    token(text, at) for text, at in ((" one", 0.0), (" two", 1.0), (" three", 2.0), (" four", 3.0))
)
FIRST = [
    SpeechStarted(0, 0.0),
    partial(0, 0, ONE, committed=1.0),
    partial(0, 3, TWO, committed=2.0),
    SpeechEnded(0, 1.2),
    final(0, "one two", 0.0, 2.0, (ONE, TWO), (Word("one", 0.0, 0.08, 0.5),)),
    Gap(2.0, 2.5),
    SpeechStarted(1, 2.5),
    partial(1, 0, THREE, committed=3.0),
    partial(1, 5, FOUR, committed=4.0),
    final(1, "three four", 2.5, 4.0, (THREE, FOUR)),
    Marker("m"),
]


def news(told, events):
    return [each for event in events for each in told.news(event)]


def test_over_one_connection_all_is_news():
    assert news(Told(), FIRST) == FIRST


def test_what_comes_again_is_left_out():
    for checkpoint in range(len(FIRST)):
        for cut in range(checkpoint, len(FIRST)):
            told = Told()
            first = news(told, FIRST[:checkpoint])
            mark = told.mark()
            first += news(told, FIRST[checkpoint:cut])
            told.goes_on(mark)
            again = news(told, FIRST[checkpoint:])
            markers = [each for each in first + again if isinstance(each, Marker)]
            assert [each for each in first + again if each not in markers] == FIRST[:-1]


def test_partials_that_are_cut_otherwise_join_what_was_told():
    told = Told()
    news(told, FIRST[:2])
    told.goes_on(None)
    (more,) = news(told, [partial(0, 0, ONE, TWO, committed=2.0)])
    assert (more.text, more.tokens, more.offset) == (" two", (TWO,), 3)


def test_text_that_came_out_otherwise_is_not_taken_back():
    told = Told()
    news(told, FIRST[:2])
    told.goes_on(None)
    won, too = token(" won", 0.0), token(" too", 1.0)
    found = news(
        told,
        [
            partial(0, 0, won, committed=1.0),
            partial(0, 3, too, committed=2.0),
            final(0, "won too", 0.0, 2.0, (won, too), (Word("won", 0.0, 0.1, 0.9),)),
            partial(1, 0, THREE, committed=3.0),
        ],
    )
    assert [each.text for each in found] == [" too", "one too", "three"]
    assert [each.text for each in found[1].words] == ["one", "too"]
    assert found[1].tokens == (ONE, too)


def test_an_utterance_that_the_server_does_not_know_is_ended():
    told = Told()
    news(told, [SpeechStarted(0, 0.0), partial(0, 0, ONE, committed=1.0)])
    found = news(told, [partial(1, 0, TWO, committed=2.0)])
    assert found[0] == SpeechEnded(0, 1.0)
    assert (found[1].utterance, found[1].text, found[1].end) == (0, "one", 1.0)
    assert found[2].text == "two"


def test_a_stream_that_begins_anew_goes_on_in_time_and_numbers():
    told = Told()
    news(told, FIRST[:8])
    assert told.begins_anew(2.0) == []
    again = [
        SpeechStarted(0, 0.0),
        partial(0, 0, token(" three", 0.0), committed=1.0),
        partial(0, 5, token(" four", 1.0), committed=2.0),
        final(0, "three four", 0.0, 2.0, (token(" three", 0.0), token(" four", 1.0))),
        partial(1, 0, token(" five", 3.0), committed=4.0),
    ]
    found = news(told, again)
    assert [each.text for each in found] == [" four", "three four", "five"]
    assert [each.utterance for each in found] == [1, 1, 2]
    assert (found[1].end, found[2].tokens[0].start, found[2].committed) == (4.0, 5.0, 6.0)


def test_utterances_that_were_told_are_passed_over_where_all_begins_anew():
    told = Told()
    news(told, FIRST)
    assert told.begins_anew(0.0) == []
    assert news(told, FIRST[:-1]) == []
    (more,) = news(told, [partial(2, 0, token(" five", 4.5), committed=5.0)])
    assert (more.utterance, more.text) == (2, "five")


def test_audio_that_nobody_has_any_more_is_a_gap():
    told = Told()
    news(told, FIRST)
    assert told.begins_anew(6.0) == [Gap(4.0, 6.0)]
    assert told.begins_anew(7.0) == [Gap(6.0, 7.0)]
    assert Told().begins_anew(1.0) == [Gap(0.0, 1.0)]


def test_what_is_told_once_is_told_once():
    told = Told()
    hints = [Hint("scale", "loud", 1.0), ContextChanged(CONTEXT, 1.0, 2.0), Gap(1.0, 2.0)]
    assert news(told, hints) == hints
    assert news(told, hints) == []
    assert news(told, [Gap(1.5, 3.0)]) == [Gap(2.0, 3.0)]


def test_what_was_forgotten_stays_forgotten():
    told = Told()
    events = [
        partial(0, 0, ONE, committed=1.0),
        Cleared(0, 0),
        partial(1, 0, TWO, committed=2.0),
        final(1, "two", 1.0, 2.0, (TWO,)),
    ]
    assert news(told, events) == events
    told.goes_on(None, clears=1)
    assert news(told, events[1:]) == []
    # Speech that was forgotten before it could be an utterance has no number the second time.
    more = [Cleared(0, 2), partial(3, 0, THREE, committed=3.0)]
    assert [each.utterance for each in news(told, more)] == [2, 3]


words = st.lists(st.sampled_from([" a", " bc", "d", " efg"]), min_size=1, max_size=20)


@given(words, st.data())
def test_any_borders_and_any_cut_give_each_character_once(texts, data):
    tokens = [token(text, at * 0.16) for at, text in enumerate(texts)]

    def cut_at_random(first):
        borders = sorted({first, *data.draw(st.sets(st.integers(first, len(tokens)))), len(tokens)})
        parts, offset = [], len("".join(texts[:first]).lstrip())
        for start, end in pairwise(borders):
            part = partial(0, offset, *tokens[start:end], committed=end * 0.16)
            parts.append(part)
            offset += len(part.text)
        return parts

    told, whole = Told(), cut_at_random(0)
    checkpoint = data.draw(st.integers(0, len(whole)))
    found = news(told, whole[:checkpoint])
    mark = told.mark()
    found += news(told, whole[checkpoint : data.draw(st.integers(checkpoint, len(whole)))])
    told.goes_on(mark)
    found += news(told, cut_at_random(sum(len(each.tokens) for each in whole[:checkpoint])))
    assert "".join(each.text for each in found) == "".join(texts).lstrip()
    assert [each for part in found for each in part.tokens] == tokens
