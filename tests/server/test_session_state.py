"""A session goes on from its state as the first one would."""

from dataclasses import fields

from parakeet_streaming.results import Partial, SpeechEnded, SpeechStarted, Token
from parakeet_streaming.server.session import Session
from parakeet_streaming.server.session_state import SessionState


def partial(*starts):
    tokens = tuple(Token(1, f" w{at}", at, 1, at * 0.08, at * 0.08 + 0.08, 1.0) for at in starts)
    text = "".join(each.text for each in tokens)
    return Partial(text, tokens, "", (), 10.0, 11.0)


def test_it_has_a_place_for_all_that_a_session_knows():
    session = Session(silence_s=0.5, most_utterance_s=20.0)
    for each in fields(SessionState):
        assert hasattr(session, f"_{each.name}")


def test_what_follows_is_the_same():
    first, second = (Session(silence_s=0.5, most_utterance_s=20.0) for _ in range(2))
    first.take(SpeechStarted(0.1))
    heard = partial(1, 2)
    first.take(heard)
    state = first.state()
    second.go_on(state, heard.tokens)
    assert (state.characters, state.told, state.started) == (5, 2, True)
    for event in (partial(3), SpeechEnded(0.9), SpeechStarted(2.0), partial(30)):
        assert first.take(event) == second.take(event)
    assert first.state() == second.state()
