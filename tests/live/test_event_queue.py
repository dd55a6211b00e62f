"""Events come out in order, once, for threads and event loops, and then the error."""

import asyncio
import threading

import pytest

from parakeet_streaming.live.event_queue import MOST_WAITING, EventQueue, joined
from parakeet_streaming.results import Gap, Partial, Token


def partial(number):
    token = Token(number, f" {number}", number, 1, number * 0.08, number * 0.08 + 0.08, 0.5)
    return Partial(f" {number}", (token,), f"?{number}", (), number * 0.08, number * 0.08 + 0.5)


def test_events_come_in_order_and_then_the_end():
    queue = EventQueue()
    events = [partial(0), Gap(1.0, 2.0), partial(1)]
    for event in events:
        queue.put(event)
    assert len(queue) == 3
    queue.close()
    assert queue.closed
    assert [queue.get() for _ in range(4)] == [*events, None]
    assert queue.get() is None


def test_an_error_is_raised_after_the_last_event():
    queue = EventQueue()
    queue.put(partial(0))
    queue.close(ValueError("broken"))
    queue.close(TypeError("too late"))
    assert queue.get() == partial(0)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            queue.get()


def test_none_in_time():
    queue = EventQueue()
    with pytest.raises(TimeoutError, match="within 0 s"):
        queue.get(0)


def test_a_thread_waits_for_events():
    queue, given = EventQueue(), []

    def read():
        while (event := queue.get(60)) is not None:
            given.append(event)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        queue.put(partial(number))
    queue.close()
    reader.join(60)
    assert not reader.is_alive()
    assert given == [partial(number) for number in range(200)]


def test_an_event_loop_waits_for_events():
    async def read(queue, asked):
        given = []
        while True:
            if not len(queue):
                asked.set()
            event = await queue.get_async()
            if event is None:
                return given
            given.append(event)

    async def run():
        queue, asked = EventQueue(), threading.Event()

        def write():
            for number in range(50):
                asked.wait(60)
                asked.clear()
                queue.put(partial(number))
            queue.close()

        writer = threading.Thread(target=write)
        writer.start()
        given = await asyncio.wait_for(read(queue, asked), 60)
        writer.join(60)
        return given

    assert asyncio.run(run()) == [partial(number) for number in range(50)]


def test_one_that_stopped_waiting_takes_nothing():
    async def run():
        queue = EventQueue()
        waiting = asyncio.ensure_future(queue.get_async())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        queue.put(partial(1))
        return await queue.get_async()

    assert asyncio.run(run()) == partial(1)


def test_where_nobody_reads_partials_become_one_and_nothing_is_lost():
    queue = EventQueue()
    for number in range(MOST_WAITING + 50):
        queue.put(partial(number))
    assert len(queue) == MOST_WAITING
    queue.put(Gap(1.0, 2.0))
    queue.put(partial(-1))
    queue.close()
    given = []
    while (event := queue.get()) is not None:
        given.append(event)
    assert [isinstance(event, Gap) for event in given[-2:]] == [True, False]
    tokens = [token.id for event in given if isinstance(event, Partial) for token in event.tokens]
    assert tokens == [*range(MOST_WAITING + 50), -1]


def test_two_steps_as_one():
    both = joined(partial(1), partial(2))
    assert both.text == " 1 2"
    assert [token.id for token in both.tokens] == [1, 2]
    assert (both.tentative_text, both.committed_s) == ("?2", partial(2).committed_s)
    assert both.lookahead_end_s == partial(2).lookahead_end_s
