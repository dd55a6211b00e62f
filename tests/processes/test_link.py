import socket
import threading
from contextlib import contextmanager

import pytest

from parakeet_streaming.errors import (
    CapacityError,
    ComputeError,
    EngineFailedError,
    UnavailableError,
)
from parakeet_streaming.processes import link as module
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.link import Ends, Link

LONG_S = 60.0


class Side:
    def __init__(self, connected, answers=None):
        self.taken, self.ended = [], threading.Event()
        self.news = threading.Condition()
        self.answers = answers or {}
        self.link = Link(connected, "test")
        self.link.start(Ends(self.take, self.answer, self.ended.set))

    def take(self, frame):
        with self.news:
            self.taken.append(frame)
            self.news.notify_all()

    def answer(self, name, value, blob):
        return self.answers[name](value), blob[::-1]

    def wait(self, count):
        with self.news:
            assert self.news.wait_for(lambda: len(self.taken) >= count, LONG_S)


@contextmanager
def sides(**answers):
    here, there = socket.socketpair()
    one, other = Side(here), Side(there, answers)
    try:
        yield one, other
    finally:
        one.link.close()
        other.link.close()
        assert one.ended.wait(LONG_S)
        assert other.ended.wait(LONG_S)


@pytest.mark.parametrize("prompt", [False, True])
def test_messages_come_in_their_order(prompt):
    with sides() as (one, other):
        one.link._prompt = prompt
        for number in range(5_000):
            one.link.tell(
                Frame(Kind.WAKE, number) if number % 2 else lambda n=number: Frame(Kind.WAKE, n)
            )
        other.wait(5_000)
        assert [frame.number for frame in other.taken] == list(range(5_000))


def test_questions_are_answered_while_others_wait():
    go_on = threading.Event()
    with sides(slow=lambda _: go_on.wait(LONG_S), double=lambda value: 2 * value) as (one, _):
        slow = threading.Thread(target=one.link.ask, args=("slow",))
        slow.start()
        assert one.link.ask("double", 21, b"abc") == (42, b"cba")
        go_on.set()
        slow.join(LONG_S)
        assert not slow.is_alive()


def test_what_a_question_meets_is_raised_where_it_is_asked():
    def refuse(_):
        raise CapacityError("no room")

    with sides(refuse=refuse) as (one, _):
        with pytest.raises(CapacityError, match="no room"):
            one.link.ask("refuse")
        with pytest.raises(ComputeError, match="KeyError"):
            one.link.ask("unknown")


def test_an_answer_that_does_not_come_is_told():
    go_on = threading.Event()
    with sides(slow=lambda _: go_on.wait(LONG_S)) as (one, _):
        with pytest.raises(UnavailableError, match="did not answer"):
            one.link.ask("slow", within_s=0.05)
        go_on.set()


def test_when_the_other_process_is_gone_all_questions_end():
    begun = threading.Event()
    go_on = threading.Event()

    def slow(_):
        begun.set()
        go_on.wait(LONG_S)

    failed = []
    with sides(slow=slow) as (one, other):

        def ask():
            try:
                one.link.ask("slow")
            except EngineFailedError as error:
                failed.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        assert begun.wait(LONG_S)
        other.link.close()
        asking.join(LONG_S)
        assert failed
        assert one.ended.wait(LONG_S)
        assert one.link.ended
        with pytest.raises(EngineFailedError):
            one.link.ask("slow")
        one.link.tell(Frame(Kind.WAKE))
        go_on.set()


def test_bytes_that_are_no_messages_end_it():
    here, there = socket.socketpair()
    side = Side(here)
    there.sendall(b"\xff" * 100)
    assert side.ended.wait(LONG_S)
    there.close()


def test_a_process_that_reads_nothing_is_as_good_as_gone(monkeypatch):
    monkeypatch.setattr(module, "MOST_UNREAD_MESSAGES", 100)
    here, there = socket.socketpair()
    side = Side(here)
    blob = b"x" * 10_000
    while not side.link.ended:
        side.link.tell(Frame(Kind.EVENT, 0, None, blob))
    there.close()
    assert side.ended.wait(LONG_S)


def test_a_message_that_finds_no_room_is_sent_by_and_by():
    here, there = socket.socketpair()
    one = Side(here)
    one.link._prompt = True
    blobs = [bytes([number]) * 300_000 for number in range(20)]
    for blob in blobs:
        one.link.tell(Frame(Kind.EVENT, 0, None, blob))
    other = Side(there)
    other.wait(20)
    assert [frame.blob for frame in other.taken] == blobs
    one.link.close()
    assert other.ended.wait(LONG_S)


def test_what_was_told_is_sent_when_it_is_flushed():
    with sides() as (one, other):
        one.link.tell(Frame(Kind.READY))
        one.link.flush(LONG_S)
        other.wait(1)
