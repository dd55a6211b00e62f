"""The phases of a step are timed one by one, and each stream has its share."""

import pytest

from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.live.due import Due
from parakeet_streaming.live.timed_step import StepTimes, run_step, timings_of, with_timing
from parakeet_streaming.results import Partial
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import ContextConfig


def test_the_phases_are_timed():
    recognizer = fake_recognizer([Cue(3, 0)], ["one"])
    streams = [recognizer.open(StreamOptions(ContextConfig(1.0, 0.5, 0.5))) for _ in range(2)]
    for stream in streams:
        stream.window.feed(marked_audio(13))
    times = iter([1.0, 1.25, 2.0])
    events, taken = run_step(recognizer, streams, lambda: next(times))
    assert [[type(each) for each in given] for given in events] == [[Partial], [Partial]]
    assert (taken, taken.took_s) == (StepTimes(1.0, 1.25, 2.0), 1.0)


def test_a_stream_shares_the_time_by_its_audio():
    due = Due(lookahead_end=1, complete_s=0.25, deadline_s=2.0, next_s=2.0, audio_s=1.0, ends=False)
    timing = timings_of([due, due, due], StepTimes(1.0, 1.25, 2.0), 4.0)[2]
    assert (timing.waited_s, timing.encode_s, timing.decode_s) == (0.75, 0.25, 0.75)
    assert (timing.streams, timing.share) == (3, 0.25)
    assert timing.computing_s == pytest.approx(0.25)
    assert timing.lag_s == pytest.approx(1.75)


def test_a_window_that_was_complete_later_than_the_step_began_did_not_wait():
    due = Due(lookahead_end=1, complete_s=5.0, deadline_s=6.0, next_s=6.0, audio_s=1.0, ends=False)
    (timing,) = timings_of([due], StepTimes(1.0, 2.0, 3.0), 1.0)
    assert timing.waited_s == 0.0


def test_a_new_partial_gets_its_timing():
    due = Due(lookahead_end=1, complete_s=0.25, deadline_s=2.0, next_s=2.0, audio_s=1.0, ends=False)
    (timing,) = timings_of([due], StepTimes(1.0, 1.25, 2.0), 4.0)
    partial = with_timing(Partial("", (), "", (), 1.0, 1.5), timing)
    assert (partial.timing, partial.committed_s) == (timing, 1.0)
