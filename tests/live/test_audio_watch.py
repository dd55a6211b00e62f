"""A stream is looked at when its time comes, and not before."""

from parakeet_streaming.live.audio_watch import AudioWatch
from parakeet_streaming.testing import marked_audio
from tests.live.by_hand import Room, fixed


def test_a_stream_without_limits_sets_no_time():
    room = Room([])
    watch, task = AudioWatch(), room.open(fixed())._task
    watch.end_if_idle(task, room.clock())
    watch.end_utterance_if_it_rests(task, room.clock(), rests=True)
    assert watch.next_s is None


def test_the_earlier_of_two_limits_counts():
    room = Room([])
    watch = AudioWatch()
    stream = room.open(fixed(no_audio_s=3.0, idle_timeout_s=20.0))
    task = stream._task
    stream.push(marked_audio(3))
    watch.end_if_idle(task, room.clock())
    assert watch.next_s == 120.0
    watch.end_utterance_if_it_rests(task, room.clock(), rests=False)
    assert watch.next_s == 120.0
    watch.end_utterance_if_it_rests(task, room.clock(), rests=True)
    assert watch.next_s == 103.0
    room.clock.now_s = 120.0
    assert watch.due(120.0) == [task]
    watch.end_if_idle(task, room.clock())
    assert task.idle_too_long
    watch.clear(task)
    assert watch.next_s is None
