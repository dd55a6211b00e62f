"""Bodies that come too slowly."""

import asyncio

import pytest

from parakeet_streaming.server.patience import patient
from parakeet_streaming.server.replies import SessionTimeError
from parakeet_streaming.testing import HandClock


async def pieces(clock, *waits_s):
    for wait_s in waits_s:
        clock.now_s += wait_s
        yield b"x" * 1_000


async def read(clock, source, idle_s):
    return [piece async for piece in patient(source, idle_s, clock)]


def test_a_body_that_comes_is_given():
    clock = HandClock()
    found = asyncio.run(read(clock, pieces(clock, 1, 1, 1), 5.0))
    assert b"".join(found) == b"x" * 3_000


def test_one_that_comes_too_slowly_is_given_up():
    clock = HandClock()
    with pytest.raises(SessionTimeError, match="too little of the file came"):
        asyncio.run(read(clock, pieces(clock, 1, 20, 20), 5.0))
