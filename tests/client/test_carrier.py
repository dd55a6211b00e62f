"""Messages over one connection, and silence that is taken for its end."""

import asyncio

import pytest

from parakeet_streaming.client.carrier import Carrier
from parakeet_streaming.client.sockets import ClosedError
from parakeet_streaming.client.spoken import Spoken


class Silent:
    """A connection that takes everything and says nothing."""

    def __init__(self):
        self.sent, self.aborted = [], False

    async def send(self, message):
        self.sent.append(message)

    async def receive(self):
        await asyncio.Event().wait()

    def abort(self):
        self.aborted = True


def carrier(silent_s, timeout_s=30.0):
    spoken = Spoken(1, 1_000)
    return spoken, Carrier(Silent(), spoken, timeout_s, silent_s)


def test_a_server_that_answers_nothing_is_gone():
    async def test():
        spoken, carries = carrier(0.04)
        spoken.audio(b"abc")
        await carries.send_next()
        with pytest.raises(ClosedError, match="did not answer"):
            await carries.next()
        return carries

    carries = asyncio.run(test())
    assert carries.connection.sent == [b"abc"]
    assert carries.connection.aborted


def test_who_was_told_nothing_need_not_answer():
    async def test():
        _, carries = carrier(0.02)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await carries.next()
        return carries.connection.aborted

    assert not asyncio.run(test())


def test_it_waits_for_something_to_send():
    async def test():
        spoken, carries = carrier(None)
        sending = asyncio.create_task(carries.send_next())
        await asyncio.sleep(0)
        spoken.audio(b"abc")
        carries.more.set()
        await sending
        await carries.send_next()
        return carries

    assert asyncio.run(test()).connection.sent == [b"abc"]


def test_what_nobody_takes_is_an_error():
    async def test():
        spoken, carries = carrier(None, timeout_s=0.01)
        spoken.audio(b"abc")
        carries.connection.send = lambda _: asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await carries.send_next()

    asyncio.run(test())


def test_that_more_will_come_needs_no_answer():
    async def test():
        spoken, carries = carrier(0.02)
        spoken.command("aside", "keep_alive")
        await carries.send_next()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await carries.next()
        return carries.connection.aborted

    assert not asyncio.run(test())
