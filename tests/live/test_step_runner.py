"""One step of many tasks: whose fault an error was, and what each task got."""

import numpy as np

from parakeet_streaming.testing import Cue, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES
from tests.live.by_hand import POISON, Room, drained, fixed, outcome_of, tokens_of

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(15, 2)]


def test_an_error_of_one_ends_that_one_and_no_other():
    room, audio = Room(SCRIPT), marked_audio(20)
    good, bad, other = (room.open(fixed()) for _ in range(3))
    for stream in (good, bad, other):
        stream.push(audio[:10_000])
    bad.push(np.full(10 * FRAME_SAMPLES, (POISON + 1) * 2.0**-23, np.float32))
    for stream in (good, other):
        stream.push(audio[10_000:])
        stream.finish()
    room.settle()
    assert [outcome_of(each) for each in (good, bad, other)] == ["finished", "failed", "finished"]
    for stream in (good, other):
        assert tokens_of(drained(stream)[0]) == room.alone(audio)


def test_each_gets_its_own_times():
    room = Room([], step_s=0.5)
    early, late = room.open(fixed()), room.open(fixed())
    early.push(marked_audio(13))
    room.clock.now_s += 0.25
    late.push(marked_audio(13))
    room.settle()
    first, second = (drained(each)[0][0].timing for each in (early, late))
    assert (first.waited_s, second.waited_s) == (0.25, 0.0)
    assert (first.streams, first.share) == (2, 0.5)
    assert first.encode_s == second.encode_s > 0.5


def test_a_task_that_is_over_takes_nothing():
    room = Room(SCRIPT)
    first, second = (room.open(fixed(), lambda event: second.cancel()), room.open(fixed()))
    for stream in (first, second):
        stream.push(marked_audio(13))
    room.settle()
    assert outcome_of(second) == "cancelled"
