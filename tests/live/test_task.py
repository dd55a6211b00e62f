"""One stream of the loop: its phases, its answers, and what any thread may ask of it."""

import pytest

from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.live.snapshot_requests import SnapshotRequest
from parakeet_streaming.live.task import Outlook, Phase
from parakeet_streaming.testing import Cue, marked_audio
from tests.live.by_hand import Room, drained, finals_of, fixed

SCRIPT = [Cue(3, 0), Cue(9, 1)]


def task_of(room, **choices):
    stream = room.open(fixed(**choices))
    return stream, stream._task


def test_a_stream_goes_through_its_phases():
    room = Room(SCRIPT)
    stream, task = task_of(room)
    phases = [task.phase]
    room.settle()
    phases.append(task.phase)
    assert (task.is_over, task.phase.outcome) == (False, None)
    stream.finish()
    room.settle()
    phases.append(task.phase)
    assert phases == [Phase.JOINING, Phase.OPEN, Phase.FINISHED]
    assert (task.is_over, task.phase.outcome) == (True, "finished")


def test_what_comes_next_for_it():
    room = Room(SCRIPT)
    stream, task = task_of(room)
    room.settle()
    assert task.outlook(waits_for_step=False) is Outlook.NEWS
    stream.push(marked_audio(13))
    assert task.outlook(waits_for_step=False) is Outlook.AGAIN
    task.take()
    assert task.outlook(waits_for_step=True) is Outlook.NEWS
    stream.finish()
    room.settle()
    assert task.outlook(waits_for_step=False) is Outlook.OVER


def test_when_it_will_have_been_idle_for_too_long():
    room = Room(SCRIPT)
    stream, task = task_of(room, idle_timeout_s=3.0)
    assert task.idle_at_s == 103.0
    room.clock.now_s = 101.0
    stream.push([0.0])
    assert task.idle_at_s == 104.0
    stream.finish()
    assert task.idle_at_s is None
    assert task_of(room)[1].idle_at_s is None


def test_a_request_after_the_end_is_refused():
    room = Room(SCRIPT)
    stream, _ = task_of(room)
    stream.cancel()
    room.settle()
    answer = stream._ask(SnapshotRequest(True, True, True))
    with pytest.raises(StreamClosedError, match=stream.id):
        answer.result(0)


def test_a_request_that_waits_when_the_stream_ends_is_refused():
    room = Room(SCRIPT)
    stream, _ = task_of(room)
    room.settle()
    answer = stream._ask(SnapshotRequest(True, True, True))
    stream.cancel()
    room.settle()
    assert isinstance(answer.exception(0), StreamClosedError)


def test_a_commit_after_the_end_asks_for_nothing():
    room = Room(SCRIPT)
    stream, _ = task_of(room)
    stream.push(marked_audio(8))
    stream.finish()
    stream.commit()
    room.settle()
    assert [each.reason for each in finals_of(drained(stream)[0])] == ["end"]
