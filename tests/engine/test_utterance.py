"""What an utterance consists of: where it begins, its last word, and pauses between its tokens."""

import pytest

from parakeet_streaming.engine.utterance import Pause, Utterance, end_of
from parakeet_streaming.results import Token
from parakeet_streaming.timeline import FRAME_SAMPLES

FRAME = FRAME_SAMPLES
PAUSE, BLANK = 10 * FRAME, 3 * FRAME


def token(frame, text=" a", duration=1):
    return Token(1, text, frame, duration, frame * 0.08, (frame + duration) * 0.08, 0.9)


def said(*tokens, spoken=False):
    utterance = Utterance().speech(0) if spoken else Utterance()
    for each in tokens:
        utterance = utterance.token(each, PAUSE, BLANK)
    return utterance


def test_it_begins_with_what_was_heard_first():
    assert Utterance().begin is None
    assert Utterance().begun(50).begun(80).begin == 50
    assert Utterance().begun(50).speech(20) == Utterance(20, spoken=True)
    assert said(token(3), token(5)).begin == 3 * FRAME


def test_a_token_ends_with_the_frame_that_emitted_it():
    assert end_of(token(3, duration=4)) == 4 * FRAME
    assert said(token(3, duration=4)).text_to == 4 * FRAME


def test_the_last_word_begins_with_its_first_token():
    utterance = said(token(3, "na"), token(5, "ture"), token(8, " of"), token(9, "ten"))
    assert (utterance.tokens, utterance.last_word, utterance.last_word_at) == (4, 2, 8 * FRAME)


def test_a_space_at_a_token_s_end_ends_the_word():
    utterance = said(token(3, "na"), token(5, "ture "), token(8, "of"), token(9, "ten "))
    assert (utterance.tokens, utterance.last_word, utterance.last_word_at) == (4, 2, 8 * FRAME)


@pytest.mark.parametrize("mark", ["?", ".", ",", "\u3002", ")", " !"])
def test_a_mark_is_no_text(mark):
    utterance = said(token(3), token(30, mark))
    assert (utterance.tokens, utterance.text_to) == (2, 4 * FRAME)
    assert not said(token(3, mark)).has_text


@pytest.mark.parametrize(
    ("second", "text", "spoken", "found"),
    [
        (14, " b", False, True),
        (13, " b", False, False),
        (14, "b", False, False),
        (14, " b", True, False),
    ],
)
def test_a_long_time_without_a_token_is_a_pause(second, text, spoken, found):
    utterance = said(token(3), token(second, text), spoken=spoken)
    pause = Pause(tokens=1, shown_at=4 * FRAME + BLANK, next_at=second * FRAME)
    assert utterance.pauses == ((pause,) if found else ())


def test_what_is_left_is_the_next_utterance():
    utterance = said(token(3), token(30), token(31, "b"), token(60))
    assert [pause.tokens for pause in utterance.pauses] == [1, 3]
    rest = utterance.without(1, 0)
    assert (rest.begin, rest.tokens, rest.last_word) == (30 * FRAME, 3, 2)
    assert [pause.tokens for pause in rest.pauses] == [2]
    last = rest.without(2, 0)
    assert last == Utterance(60 * FRAME, False, 1, 61 * FRAME, 0, 60 * FRAME)


@pytest.mark.parametrize(("silence_from", "spoken"), [(None, True), (99, True), (5, False)])
def test_what_is_left_was_spoken_if_there_was_voice_in_it(silence_from, spoken):
    utterance = said(token(3), token(8), spoken=True)
    silent = None if silence_from is None else silence_from * FRAME
    assert utterance.without(1, silent).spoken == spoken
