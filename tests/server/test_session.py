"""What the stream tells becomes what the client is told: in order, joined exactly, and once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.words import group_words, text_of
from parakeet_streaming.results import (
    ContextChanged,
    Final,
    Gap,
    HealthHint,
    Partial,
    SnapshotTaken,
    SpeechEnded,
    SpeechStarted,
    Token,
    Transcript,
)
from parakeet_streaming.server.session import Session
from parakeet_streaming.server.session_events import (
    Cleared,
    ContextTold,
    Ended,
    Heard,
    Hinted,
    Lost,
    Marked,
    Started,
    Stopped,
)
from parakeet_streaming.testing import ScriptedVad
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import Room, drained, fixed
from tests.model.hashed import context_of
from tests.properties.test_live_slicing import AUDIO, ENDPOINTS, VADS, bursts, pieces, scene, seeds
from tests.server.grammar import Grammar


def token(text, frame, lasts=1):
    return Token(1, text, frame, lasts, frame * 0.08, (frame + lasts) * 0.08, 0.9)


def partial(*tokens, tentative=(), to=None):
    to = to if to is not None else (tokens[-1].end if tokens else 0.0)
    return Partial(text_of(tokens), tokens, text_of(tentative), tuple(tentative), to, to + 0.5)


def final(*tokens, to=10.0, number=0, reason="silence"):
    text = text_of(tokens).strip()
    return Final(Transcript(text, tokens, group_words(tokens), (), to), number, reason)


def told(events, session=None):
    session = session or Session(silence_s=0.5, most_utterance_s=20.0)
    return [each for event in events for each in session.take(event)]


ONE, TWO = token("one", 3), token(" two", 6)


def test_an_utterance_is_told_in_order():
    events = told(
        [
            SpeechStarted(0.2),
            partial(ONE, tentative=[TWO]),
            SpeechEnded(0.6),
            partial(TWO),
            final(ONE, TWO, to=1.2),
        ]
    )
    assert [type(each) for each in events] == [Started, Heard, Heard, Stopped, Ended]
    assert [(each.text, each.tentative) for each in events[1:3]] == [("one", " two"), (" two", "")]
    assert events[3].at_s == 0.6
    assert (events[4].text, events[4].start_s, events[4].end_s) == ("one two", 0.2, 1.2)


def test_the_first_text_of_each_utterance_has_no_space_before_it():
    later = token(" two", 30)
    events = told(
        [
            partial(ONE),
            final(ONE),
            partial(tentative=[later]),
            partial(later),
            final(later, number=1),
        ]
    )
    heard = [(each.text, each.tentative) for each in events if isinstance(each, Heard)]
    assert heard == [
        ("one", ""),
        ("", "two"),
        ("two", ""),
    ]


def test_speech_of_the_next_utterance_is_told_after_the_end_of_the_last():
    events = told(
        [
            SpeechStarted(0.2),
            partial(ONE),
            SpeechEnded(0.5),
            SpeechStarted(1.5),
            final(ONE, to=1.4),
            partial(token(" two", 20)),
        ]
    )
    assert [type(each) for each in events] == [Started, Heard, Stopped, Ended, Started, Heard]
    assert (events[2].at_s, events[4].at_s, events[4].utterance) == (0.5, 1.5, 1)


def test_a_pause_within_an_utterance_is_not_told():
    events = told(
        [
            SpeechStarted(0.2),
            partial(ONE),
            SpeechEnded(0.5),
            SpeechStarted(0.7),
            SpeechEnded(0.9),
            partial(TWO),
            final(ONE, TWO, to=1.6),
        ]
    )
    assert [type(each) for each in events] == [Started, Heard, Heard, Stopped, Ended]
    assert events[3].at_s == 0.9


def test_speech_without_text_ends_once_its_audio_is_decoded():
    session = Session(silence_s=0.5, most_utterance_s=20.0)
    assert not session.waits
    told([SpeechStarted(1.0), partial(to=1.2)], session)
    assert not session.waits
    told([SpeechEnded(1.3)], session)
    assert session.waits
    assert session.decoded(1.7) == []
    stopped, ended = session.decoded(1.8)
    assert (stopped, ended.text, ended.words) == (Stopped(0, 1.3), "", ())
    assert not session.waits
    assert told([SpeechStarted(3.0)], session) == [Started(1, 3.0)]


def test_speech_that_goes_on_is_the_next_utterance_s():
    """After a commit no new speech is reported, and its text belongs to it."""
    session = Session(silence_s=0.5, most_utterance_s=20.0)
    told([SpeechStarted(0.2), partial(ONE)], session)
    session.commit()
    assert [type(each) for each in told([final(ONE, to=0.5, reason="commit")], session)] == [
        Stopped,
        Ended,
    ]
    events = told([partial(tentative=[TWO]), partial(TWO)], session)
    assert events[0] == Started(1, 0.5)
    assert [type(each) for each in events] == [Started, Heard, Heard]


def test_the_last_word_of_a_long_utterance_is_held_back():
    long = [token(f" w{at}", at * 10) for at in range(25)]
    session = Session(silence_s=0.5, most_utterance_s=20.0)
    grammar = Grammar()
    events = told([*(partial(each) for each in long)], session)
    events += told([final(*long[:-1], to=19.2, reason="max_length")], session)
    events += told([partial(token("!", 250))], session)
    events += told([final(long[-1], token("!", 250), number=1, to=21)], session)
    for each in events:
        grammar.take(each)
    assert [each.text.split()[-1] for each in grammar.ended] == ["w23", "w24!"]


def test_a_word_of_several_tokens_is_held_back_whole():
    long = [token(f" w{at}", at * 10) for at in range(25)]
    events = told([partial(*long, token("x", 242), token("y", 245))])
    assert isinstance(events[-1], Heard)
    assert (events[-1].text.split()[-1], events[-1].tentative) == ("w23", " w24xy")


def test_the_only_word_of_a_long_utterance_is_held_back_too():
    events = told([partial(ONE, to=19.9)])
    assert [(each.text, each.tentative) for each in events] == [("", "one")]


def test_what_only_the_end_tells_is_told_before_it():
    events = told([final(ONE)])
    assert [(type(each), each.text) for each in events] == [(Heard, "one"), (Ended, "one")]


def test_speech_that_begins_again_before_any_text_is_no_news():
    events = told([SpeechStarted(0.1), SpeechEnded(0.3), SpeechStarted(0.4), partial(ONE)])
    assert [type(each) for each in events] == [Started, Heard]


def test_a_word_that_was_told_stays_where_it_was_told():
    """A pause that is found between two tokens of one step."""
    later, last = token(" two", 40), token(" six", 45)
    grammar = Grammar()
    for each in told(
        [partial(ONE, later), final(ONE), partial(last), final(later, last, number=1)]
    ):
        grammar.take(each)
    assert [each.text for each in grammar.ended] == ["one two", "six"]


def test_an_utterance_that_was_told_with_the_last_is_not_told_again():
    later, last = token(" two", 40), token(" six", 80)
    events = [
        partial(ONE, later, last),
        final(ONE, to=3.0),
        final(later, to=6.0, number=1),
        final(last, to=9.0, number=2, reason="end"),
    ]
    ended = [each.text for each in told(events) if isinstance(each, Ended)]
    assert ended == ["one two six", ""]


def test_what_is_cleared_is_forgotten():
    session = Session(silence_s=0.5, most_utterance_s=20.0)
    told([SpeechStarted(0.1), partial(ONE)], session)
    session.clear()
    later = token(" two", 30)
    assert told([SpeechEnded(0.5), SpeechStarted(0.7)], session) == []
    events = told(
        [partial(TWO), final(ONE, TWO, reason="commit"), partial(later), final(later, number=1)],
        session,
    )
    assert [type(each) for each in events] == [Cleared, Started, Heard, Stopped, Ended]
    assert events[-1].text == "two"


def test_a_commit_before_a_clear_is_told():
    session = Session(silence_s=None, most_utterance_s=None)
    session.commit()
    session.clear()
    events = told(
        [partial(ONE), final(ONE, reason="commit"), partial(TWO), final(TWO, reason="commit")],
        session,
    )
    assert [type(each) for each in events] == [Heard, Ended, Cleared]


def test_markers_wait_for_their_audio():
    session = Session(silence_s=None, most_utterance_s=None)
    session.mark("a", 1.0)
    session.mark("b", 2.0)
    assert session.waits
    assert session.decoded(0.99) == []
    assert session.decoded(1.0) == [Marked("a")]
    events = told([final(reason="end", to=1.5)], session)
    assert events[-1] == Marked("b")
    assert not session.waits


def test_what_else_is_told():
    context = ContextConfig.balanced()
    hint = HealthHint("scale", "too loud", 1.0)
    events = told([Gap(1.0, 2.0), ContextChanged(context, 3.0), hint])
    assert events == [Lost(1.0, 2.0), ContextTold(context, 3.0), Hinted(hint)]


@settings(max_examples=100)
@given(
    context=st.tuples(st.integers(0, 8), st.integers(1, 12), st.integers(0, 8)),
    pairs=bursts,
    vad=st.sampled_from(VADS),
    endpoint=st.sampled_from(ENDPOINTS),
    scene_seed=seeds,
    seed=seeds,
    asked=st.lists(
        st.tuples(st.integers(1, len(AUDIO) - 1), st.sampled_from(["commit", "clear", "mark"])),
        max_size=4,
        unique_by=lambda pair: pair[0],
    ).map(sorted),
)
def test_whatever_a_stream_tells_is_told_in_order_and_once(
    context, pairs, vad, endpoint, scene_seed, seed, asked
):
    voice, cues = scene(pairs, scene_seed)
    room = Room(cues, vad=None if vad is None else ScriptedVad(voice))
    room.admission.most_load = 1_000.0
    options = fixed(ContextConfig(*context_of(*context)), vad=vad, endpoint=endpoint)
    stream = room.open(options)
    spoken = vad is not None and endpoint is not None
    session = Session(
        silence_s=endpoint.min_silence_ms / 1000 if spoken else None,
        most_utterance_s=None if endpoint is None else endpoint.max_utterance_s,
    )
    grammar, cleared = Grammar(), False
    generator = np.random.default_rng(seed)

    def take():
        nonlocal cleared
        to_s = stream.told_s
        events = [each for event in drained(stream)[0] for each in session.take(event)]
        if session.waits:
            events += session.decoded(to_s)
        for each in events:
            if isinstance(each, Cleared):
                grammar.state, cleared = "between", True
            grammar.take(each)

    acts = dict(asked)
    marks = []
    for start, stop in pieces(generator, [*acts, len(AUDIO)]):
        stream.push(AUDIO[start:stop])
        act = acts.get(stop)
        if act == "mark":
            marks.append(str(stop))
            session.mark(str(stop), stop / 16_000)
        elif act is not None:
            (session.commit if act == "commit" else session.clear)()
            stream.commit()
        for _ in range(int(generator.choice([0, 1, 3, 50]))):
            room.turn()
        take()
    stream.finish()
    room.run(500.0)
    take()
    assert grammar.marked == marks
    assert grammar.state == "between"
    if not cleared:
        texts = [each.text for each in grammar.ended if each.text]
        assert " ".join(texts) == stream.transcript().text


def test_speech_at_the_very_end_begins_nothing():
    events = [SpeechStarted(0.2), partial(ONE), SpeechEnded(0.6)]
    events += [SpeechStarted(2.0), SpeechEnded(2.0), final(ONE, to=2.0, reason="end")]
    assert [type(each) for each in told(events)] == [Started, Heard, Stopped, Ended]


def test_what_says_nothing_new_is_told_to_nobody():
    session = Session(silence_s=0.5, most_utterance_s=20.0)
    assert told([SpeechEnded(0.5), SnapshotTaken(1, bytes)], session) == []
    told([SpeechStarted(1.0), partial(token("one", 15))], session)
    assert told([SpeechStarted(1.5), SpeechStarted(1.6)], session) == []


def test_speech_that_begins_while_a_clear_is_under_way_is_not_told():
    session = Session(silence_s=0.5, most_utterance_s=20.0)
    session.clear()
    assert told([SpeechStarted(1.1)], session) == []
    assert session.state().begin_s == 1.1
