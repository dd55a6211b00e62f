"""What was heard of speech belongs to the utterance in whose audio it lies."""

import pytest

from parakeet_streaming.server.speech_turns import SpeechTurns


def turned(*at_s, speaking=True):
    made = SpeechTurns(speaking)
    for each in at_s:
        made.turn(each)
    return made


@pytest.mark.parametrize(
    ("to_s", "stopped_s", "later", "speaking"),
    [
        (0.5, None, [1.0, 2.0, 3.0, 4.0], True),
        (1.0, 1.0, [2.0, 3.0, 4.0], False),
        (1.5, 1.0, [2.0, 3.0, 4.0], False),
        (2.0, 1.0, [2.0, 3.0, 4.0], False),
        (2.5, None, [3.0, 4.0], True),
        (9.0, None, [], True),
    ],
)
def test_an_utterance_ends_between_turns(to_s, stopped_s, later, speaking):
    turns = turned(1.0, 2.0, 3.0, 4.0)
    assert turns.end(to_s) == (stopped_s, later)
    assert turns.speaking is speaking
    assert turns.at_s == ()
    for each in later:
        turns.turn(each)
    assert turns.speaking


def test_speech_without_a_beginning_may_begin():
    turns = turned(1.0, 2.0, speaking=False)
    assert turns.end(1.5) == (None, [2.0])
    assert turns.speaking


def test_silence_is_long_enough_or_not_known():
    assert turned(1.0).silent_from(0.5) == 1.0
    assert turned(1.0, 1.2).silent_from(0.5) is None
    assert turned(1.0, 1.2, 1.4).silent_from(0.5) == 1.4
    assert turned(1.0, 1.5, 1.7, 1.8).silent_from(0.5) == 1.0
    assert turned().silent_from(0.5) is None


def test_a_state_is_gone_on_from():
    turns = turned(1.0, 2.0, 3.0)
    again = SpeechTurns(turns.speaking, turns.at_s)
    assert again.end(1.5) == turns.end(1.5)


def test_what_is_long_past_is_forgotten():
    turns = turned(*range(1, 101))
    turns.forget_before(60.0)
    assert turns.at_s == tuple(range(49, 101))
    assert turns.end(70.5) == turned(*range(1, 101)).end(70.5)
