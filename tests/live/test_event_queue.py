"""Events come out in order, once, for threads and event loops, and the error behind them."""

import asyncio
import threading

import pytest

from parakeet_streaming.live.event_queue import MOST_WAITING, EventQueue, joined
from parakeet_streaming.results import Gap, Partial, Token


def partial(number):
    token = Token(number, f" {number}", number, 1, number * 0.08, number * 0.08 + 0.08, 0.5)
    return Partial(f" {number}", (token,), f"?{number}", (), number * 0.08, number * 0.08 + 0.5)


def test_events_come_in_order_and_then_the_end():
    outbox = EventQueue()
    events = [partial(0), Gap(1.0, 2.0), partial(1)]
    for event in events:
        outbox.put(event)
    assert len(outbox) == 3
    outbox.close()
    assert outbox.closed
    assert [outbox.get() for _ in range(4)] == [*events, None]
    assert outbox.get() is None


def test_an_error_is_raised_behind_the_last_event():
    outbox = EventQueue()
    outbox.put(partial(0))
    outbox.close(ValueError("broken"))
    outbox.close(TypeError("too late"))
    assert outbox.get() == partial(0)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            outbox.get()


def test_none_in_time():
    outbox = EventQueue()
    with pytest.raises(TimeoutError, match="within 0 s"):
        outbox.get(0)


def test_a_thread_waits_for_events():
    outbox, told = EventQueue(), []

    def read():
        while (event := outbox.get(60)) is not None:
            told.append(event)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        outbox.put(partial(number))
    outbox.close()
    reader.join(60)
    assert not reader.is_alive()
    assert told == [partial(number) for number in range(200)]


def test_an_event_loop_waits_for_events():
    async def read(outbox, asked):
        told = []
        while True:
            if not len(outbox):
                asked.set()
            event = await outbox.get_async()
            if event is None:
                return told
            told.append(event)

    async def run():
        outbox, asked = EventQueue(), threading.Event()

        def write():
            for number in range(50):
                asked.wait(60)
                asked.clear()
                outbox.put(partial(number))
            outbox.close()

        writer = threading.Thread(target=write)
        writer.start()
        told = await asyncio.wait_for(read(outbox, asked), 60)
        writer.join(60)
        return told

    assert asyncio.run(run()) == [partial(number) for number in range(50)]


def test_one_that_stopped_waiting_takes_nothing():
    async def run():
        outbox = EventQueue()
        waiting = asyncio.ensure_future(outbox.get_async())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not outbox._sleepers
        outbox.put(partial(1))
        return await outbox.get_async()

    assert asyncio.run(run()) == partial(1)


def test_a_loop_that_is_gone_does_no_harm():
    outbox = EventQueue()
    loop = asyncio.new_event_loop()
    outbox._sleepers.append((loop, asyncio.Event()))
    loop.close()
    outbox.put(partial(1))
    assert outbox.get() == partial(1)


def test_where_nobody_reads_steps_are_told_as_one_and_nothing_is_lost():
    outbox = EventQueue()
    for number in range(MOST_WAITING + 50):
        outbox.put(partial(number))
    assert len(outbox) == MOST_WAITING
    outbox.put(Gap(1.0, 2.0))
    outbox.put(partial(-1))
    outbox.close()
    told = []
    while (event := outbox.get()) is not None:
        told.append(event)
    assert [isinstance(event, Gap) for event in told[-2:]] == [True, False]
    tokens = [token.id for event in told if isinstance(event, Partial) for token in event.tokens]
    assert tokens == [*range(MOST_WAITING + 50), -1]


def test_two_steps_as_one():
    both = joined(partial(1), partial(2))
    assert both.text == " 1 2"
    assert [token.id for token in both.tokens] == [1, 2]
    assert (both.tentative_text, both.committed_s) == ("?2", partial(2).committed_s)
    assert both.lookahead_end_s == partial(2).lookahead_end_s
