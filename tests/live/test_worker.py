"""The thread sleeps while nothing comes, misses nothing, and says when it has broken."""

import threading
import time

import pytest

from parakeet_streaming.live.worker import Bell, Worker
from parakeet_streaming.testing import Cue, marked_audio
from tests.live.by_hand import Room, drained, finals_of, fixed

WAIT_S = 60


def working(script=(), **choices):
    """A room whose loop rouses a worker, on the real clock where it must wait."""
    room, bell = Room(script, **choices), Bell()
    room.loop.rouse = bell.ring
    worker = Worker(room.loop, bell, time.monotonic)
    worker.start()
    return room, worker


def ended(room, worker):
    room.loop.close(drain=True)
    return worker.join(WAIT_S)


def test_it_works_until_every_stream_is_over():
    room, worker = working([Cue(3, 0)])
    stream = room.open(fixed())
    stream.push(marked_audio(20))
    stream.finish()
    while (event := stream.get(WAIT_S)) is not None:
        last = event
    assert last.transcript.text == "one"
    assert ended(room, worker)
    assert not [each for each in threading.enumerate() if each.name == "parakeet-live"]


@pytest.mark.interpreted
def test_it_rests_while_nothing_comes():
    room, worker = working()
    rested, turns, turn = threading.Event(), [], room.loop.turn

    def watched(now_s):
        again_s = turn(now_s)
        turns.append(again_s)
        if again_s is None and len(room.loop.streams):
            rested.set()
        return again_s

    room.loop.turn = watched
    stream = room.open(fixed())
    assert rested.wait(WAIT_S)
    before = len(turns)
    for _ in range(10):
        stream.push(marked_audio(1))
    assert len(turns) == before
    assert ended(room, worker)


@pytest.mark.interpreted
def test_it_turns_again_at_the_time_that_the_loop_names():
    room, worker = working()
    turns, turn, again = [], room.loop.turn, threading.Event()

    def timed(now_s):
        turns.append(now_s)
        turn(now_s)
        if len(turns) < 3:
            return turns[0] + 0.05
        again.set()
        return None

    room.loop.turn = timed
    room.loop.wake("nobody")
    assert again.wait(WAIT_S)
    assert turns[2] >= turns[0] + 0.05
    assert ended(room, worker)


def test_rings_until_it_wakes_count_as_one():
    bell = Bell()
    bell.ring()
    bell.ring()
    bell.wait(WAIT_S)
    bell.wait(0.0)
    bell.ring()
    bell.wait(None)


@pytest.mark.interpreted
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_breaks_ends_every_stream():
    room, worker = working()
    stream = room.open(fixed())

    def broken(now_s):
        raise SystemError("a fault of ours")

    room.loop.turn = broken
    room.loop.wake(stream.id)
    with pytest.raises(SystemError, match="a fault of ours"):
        for _ in iter(lambda: stream.get(WAIT_S), None):
            pass
    assert worker.join(WAIT_S)
    assert room.loop.over
    assert isinstance(room.loop.failure, SystemError)


def test_it_does_not_wait_for_itself():
    room, worker = working()
    answers, given = [], threading.Event()

    def consume(_):
        answers.append(worker.join())
        given.set()

    stream = room.open(fixed(), consume)
    stream.cancel()
    assert given.wait(WAIT_S)
    assert answers == [False]
    assert ended(room, worker)
    assert finals_of(drained(stream)[0]) == []


class Measuring:
    """Measurements that are counted; what a worker and an opener need of a warm-up."""

    def __init__(self, count):
        self.left, self.wanted, self.made = count, False, []

    @property
    def over(self):
        return not self.left

    def go_on(self):
        self.left -= 1
        self.made.append(time.monotonic())

    def give_up(self):
        self.left = 0


def test_it_measures_while_it_would_rest():
    room, bell, measuring = Room([]), Bell(), Measuring(3)
    room.loop.rouse = bell.ring
    worker = Worker(room.loop, bell, time.monotonic, measuring)
    worker.start()
    deadline = time.monotonic() + WAIT_S
    while not measuring.over and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(measuring.made) == 3
    assert ended(room, worker)


def test_streams_come_before_measurements_unless_somebody_waits():
    room, measuring = Room([]), Measuring(3)
    worker = Worker(room.loop, Bell(), time.monotonic, measuring)
    assert not worker._goes_on_measuring(rests=False)
    assert worker._goes_on_measuring(rests=True)
    measuring.wanted = True
    assert worker._goes_on_measuring(rests=False)
    measuring.give_up()
    assert not worker._goes_on_measuring(rests=True)
