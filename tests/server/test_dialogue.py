"""What all sockets have in common, shown with a dialogue that repeats what it hears."""

import asyncio
import os
from contextlib import suppress

import pytest
import websockets
from websockets.exceptions import ConnectionClosed

from parakeet_streaming.errors import CapacityError
from parakeet_streaming.server.handshake import converse
from parakeet_streaming.server.http import SocketRoute
from parakeet_streaming.server.limits import Limits
from tests.server.served import served


class Echo:
    """Repeats; "fail" fails, "bye" ends, "flood" tells more than anybody reads."""

    stream_ids = "echo"
    opened = 0

    def __init__(self):
        Echo.opened += 1
        self.told = asyncio.Queue()

    def greeting(self):
        return ["hello"]

    async def receive(self, message):
        if message == "fail":
            raise KeyError("a secret of this machine")
        if message == "bye":
            self.finish()
        if message == "flood":
            noise = os.urandom(1_000_000)
            for _ in range(400):
                self.told.put_nowait([noise])
        return [message]

    def finish(self):
        self.told.put_nowait(None)

    def going_away(self, seconds):
        return [f"going away in {seconds:.0f} s"]

    def failed(self, error):
        return ["failed"]

    async def events(self):
        while (messages := await self.told.get()) is not None:
            yield messages

    async def close(self):
        Echo.opened -= 1


def routes(service):
    async def talk(socket):
        async def opening(owner):
            if "full" in socket.caller.query:
                raise CapacityError("full")
            return Echo()

        await converse(service, socket, "native", opening)

    return [SocketRoute("/echo", talk)]


def run(test, **options):
    Echo.opened = 0

    async def inside(service, address):
        found = await test(service, f"ws://{address}/echo")
        while service.metrics.open_sockets.value:
            await asyncio.sleep(0.01)
        return found

    found = served(inside, routes, **options)
    assert Echo.opened == 0
    return found


async def rest(socket):
    messages = []
    with suppress(ConnectionClosed):
        while True:
            messages.append(await socket.recv())
    return messages, socket.close_code


def test_it_greets_first_answers_and_closes():
    async def test(_, url):
        async with websockets.connect(url) as socket:
            for message in ("a", b"b", "bye"):
                await socket.send(message)
            return await rest(socket)

    assert run(test) == (["hello", "a", b"b", "bye"], 1000)


def test_an_error_nobody_expected_is_told_without_what_it_says():
    async def test(service, url):
        async with websockets.connect(url) as socket:
            await socket.send("fail")
            messages, code = await rest(socket)
            return messages, code, socket.close_reason, service.metrics.refusals_total.totals()

    messages, code, reason, counted = run(test)
    assert (messages, code) == (["hello", "failed"], 1011)
    assert "secret" not in reason
    assert counted["internal_error"] == 1


def test_a_message_above_the_limit_ends_it():
    async def test(_, url):
        async with websockets.connect(url) as socket:
            await socket.send("x" * 101)
            return await rest(socket)

    messages, code = run(test, limits=Limits(message_bytes=100))
    assert (messages, code) == (["hello", "failed"], 1009)


def test_a_client_that_reads_nothing_is_closed_and_holds_nothing():
    async def test(service, url):
        socket = await websockets.connect(url, max_queue=1, ping_interval=None)
        await socket.send("flood")
        while not service.metrics.refusals_total["slow_reader"].total:
            await asyncio.sleep(0.01)
        socket.transport.abort()

    run(test, limits=Limits(unread_s=0.3))


def test_a_session_ends_after_its_time():
    async def test(_, url):
        async with websockets.connect(url) as socket:
            return await rest(socket)

    assert run(test, limits=Limits(session_s=0.2)) == (["hello", "failed"], 3008)


@pytest.mark.parametrize("left_s", [0.3, 60.0])
def test_when_the_server_drains_it_is_told_and_closed(left_s):
    async def test(service, url):
        async with websockets.connect(url) as socket:
            await socket.recv()
            service.drain.begin(service.clock() + left_s)
            return await rest(socket)

    messages, code = run(test)
    assert messages[0].startswith("going away")
    assert code == 1012


def test_many_that_vanish_leave_nothing():
    async def test(service, url):
        for _ in range(20):
            socket = await websockets.connect(url)
            await socket.send("a")
            socket.transport.abort()

    run(test)
