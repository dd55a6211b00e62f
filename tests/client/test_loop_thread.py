"""Coroutines of any thread run in one loop, until it is stopped."""

import asyncio
import threading

import pytest

from parakeet_streaming.client.loop_thread import LoopThread
from parakeet_streaming.errors import StreamClosedError


async def name():
    return threading.current_thread().name


def test_what_is_asked_of_it_runs_in_its_thread():
    loop = LoopThread()
    assert loop.call(name()) == "parakeet-client"

    async def wrong():
        raise ValueError("of the coroutine")

    with pytest.raises(ValueError, match="of the coroutine"):
        loop.call(wrong())
    loop.stop()


def test_what_still_runs_when_it_is_stopped_is_cancelled():
    loop, ended = LoopThread(), []

    async def begin():
        async def long():
            try:
                await asyncio.sleep(600)
            finally:
                ended.append(True)

        asyncio.get_running_loop().kept = asyncio.create_task(long())
        await asyncio.sleep(0)

    loop.call(begin())
    loop.stop()
    loop.stop()
    assert ended == [True]
    assert not loop.runs
    with pytest.raises(StreamClosedError, match="was closed"):
        loop.call(name())
