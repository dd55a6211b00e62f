import pytest

from benchmarks.accuracy import scores
from parakeet_streaming import Partial, Token


def token(text, frame, duration=1):
    end_s = (frame + duration) * 0.08
    return Token(len(text), text, frame, duration, frame * 0.08, end_s, confidence=0.9)


def step(done_s, committed=(), tentative=()):
    partial = Partial("", tuple(committed), "", tuple(tentative), 0.0, 0.0)
    return scores.Step(partial, done_s)


@pytest.mark.parametrize(
    ("spoken", "decoded", "errors", "words"),
    [
        ("Don't — STOP.", "dont stop", 0, 2),
        ("twenty-two", "twenty two", 0, 2),
        ("one two three", "one too three four", 2, 3),
        ("one two", "", 2, 2),
        ("…", "noise", 1, 0),
    ],
)
def test_word_errors(spoken, decoded, errors, words):
    assert scores.word_errors(spoken, decoded) == scores.WordErrors(errors, words)


def test_rates_are_of_all_words_together():
    assert scores.total([scores.WordErrors(1, 2), scores.WordErrors(0, 8)]).rate == 0.1
    assert scores.total([]).rate is None


def test_a_word_counts_when_its_last_token_is_committed():
    steps = [
        step(1.0, [token("hel", 2)], [token("lo!", 6)]),
        step(2.0, [token("lo!", 5), token(",", 6), token(" you", 8, 2)]),
        step(3.0, [token(" late", 20)]),
    ]
    delays = scores.Delays()
    scores.add_delays(delays, steps)
    comma_s, you_s = delays.committed_s
    assert comma_s == pytest.approx(2.0 - 7 * 0.08)
    assert you_s == pytest.approx(2.0 - 10 * 0.08)


def test_a_word_is_shown_when_it_is_first_tentative():
    steps = [
        step(1.0, [], [token(" hello", 6)]),
        step(2.0, [token(" hello", 5)], [token(" other", 19)]),
        step(3.0, [token(" again", 9)]),
        step(4.0),
    ]
    delays = scores.Delays()
    scores.add_delays(delays, steps)
    assert delays.shown_s == pytest.approx([1.0 - 6 * 0.08, 3.0 - 10 * 0.08])
    assert delays.committed_s == pytest.approx([2.0 - 6 * 0.08, 3.0 - 10 * 0.08])


def test_without_words_there_is_no_delay():
    delays = scores.Delays()
    scores.add_delays(delays, [step(1.0)])
    assert scores.median_and_late(delays.committed_s) == (None, None)
    assert scores.median_and_late([3.0, 1.0, 2.0]) == pytest.approx((2.0, 2.9))
