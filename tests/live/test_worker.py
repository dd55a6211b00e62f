"""The thread sleeps while nothing comes, misses nothing, and tells of its own end."""

import threading

import pytest

from parakeet_streaming.live.worker import Worker
from parakeet_streaming.testing import Cue, marked_audio
from tests.live.by_hand import Room, drained, finals_of, fixed

WAIT_S = 60


def working(script=()):
    room = Room(script)
    worker = Worker(room.table)
    object.__setattr__(room.host, "wake", worker.wake)
    worker.start()
    return room, worker


def ended(room, worker):
    room.table.close(drain=True)
    worker.wake()
    return worker.join(WAIT_S)


def test_it_works_until_everyone_has_gone():
    room, worker = working([Cue(3, 0)])
    stream = room.open(fixed())
    worker.wake()
    stream.push(marked_audio(20))
    stream.finish()
    while (event := stream.get(WAIT_S)) is not None:
        last = event
    assert last.transcript.text == "one"
    assert ended(room, worker)
    assert not [each for each in threading.enumerate() if each.name == "parakeet-live"]


def test_it_rests_while_nothing_comes():
    room, worker = working()
    rested, resting = threading.Event(), room.table.may_wait
    turns = []
    turn = room.table.turn
    room.table.turn = lambda: (turns.append(True), turn())[1]

    def may_wait():
        answer = resting()
        if answer and room.table.guests:
            rested.set()
        return answer

    room.table.may_wait = may_wait
    stream = room.open(fixed())
    worker.wake()
    assert rested.wait(WAIT_S)
    before = len(turns)
    for _ in range(10):
        stream.push(marked_audio(1))
    assert len(turns) == before
    assert ended(room, worker)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_breaks_tells_everyone():
    room, worker = working()
    stream = room.open(fixed())

    def broken():
        raise SystemError("a fault of ours")

    room.table.turn = broken
    worker.wake()
    with pytest.raises(SystemError, match="a fault of ours"):
        for _ in iter(lambda: stream.get(WAIT_S), None):
            pass
    assert worker.join(WAIT_S)
    assert room.table.over


def test_it_does_not_wait_for_itself():
    room, worker = working()
    answers, told = [], threading.Event()

    def consume(_):
        answers.append(worker.join())
        told.set()

    stream = room.open(fixed(), consume)
    stream.cancel()
    assert told.wait(WAIT_S)
    assert answers == [False]
    assert ended(room, worker)
    assert finals_of(drained(stream)[0]) == []
