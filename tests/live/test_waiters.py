"""Threads and event loops sleep until there is an answer, and each is woken."""

import asyncio
import threading

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.waiters import Waiters


def test_an_answer_that_is_there_is_given_at_once():
    waiters = Waiters()
    assert waiters.wait_for(lambda: 3) == 3
    assert not waiters.waiting


def test_no_answer_in_time_is_none():
    waiters = Waiters()
    assert waiters.wait_for(lambda: None, 0.0) is None
    assert not waiters.waiting


def test_all_threads_that_wait_are_woken():
    waiters, state, found = Waiters(), [], []
    threads = [
        threading.Thread(target=lambda: found.append(waiters.wait_for(lambda: state or None, 60)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    while waiters._threads < 3:
        pass
    assert waiters.waiting
    with waiters:
        state.append("there")
    waiters.notify()
    for thread in threads:
        thread.join(60)
    assert found == [["there"]] * 3


def test_an_event_loop_is_woken_and_asks_again():
    async def run():
        waiters, answers = Waiters(), [None, None, "there"]
        asked = asyncio.ensure_future(waiters.wait_for_async(lambda: answers.pop(0)))
        while answers:
            await asyncio.sleep(0)
            if waiters.waiting:
                waiters.notify()
        return await asyncio.wait_for(asked, 60), waiters

    found, waiters = asyncio.run(run())
    assert found == "there"
    assert not waiters.waiting


def test_one_that_stopped_waiting_leaves_nothing():
    async def run():
        waiters = Waiters()
        waiting = asyncio.ensure_future(waiters.wait_for_async(lambda: None))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return waiters

    assert not asyncio.run(run()).waiting


def test_an_answer_that_raises_leaves_nothing():
    async def run(waiters):
        with pytest.raises(KeyError):
            await waiters.wait_for_async({}.popitem)

    waiters = Waiters()
    asyncio.run(run(waiters))
    with pytest.raises(KeyError):
        waiters.wait_for({}.popitem)
    assert not waiters.waiting


def test_a_loop_that_is_gone_does_no_harm():
    waiters = Waiters()
    loop = asyncio.new_event_loop()
    waiters._sleepers.append((loop, asyncio.Event()))
    loop.close()
    waiters.notify()
    assert not waiters.waiting


@pytest.mark.parametrize("timeout_s", [1e7, 1e300, float("inf"), float("nan"), "1", True])
def test_a_time_that_nobody_can_wait(timeout_s):
    waiters = Waiters()
    with pytest.raises(OptionError, match="timeout_s"):
        waiters.wait_for(lambda: 3, timeout_s)
    assert not waiters.waiting
