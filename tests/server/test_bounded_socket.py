"""What comes at once is taken piece by piece, in the right order, over real sockets."""

import asyncio
from dataclasses import dataclass

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from parakeet_streaming.server import bounded_socket
from parakeet_streaming.server.bounded_socket import BoundedSocket

MANY = 20_000


@dataclass
class Turns:
    """How many messages the application took, and how many turns others had meanwhile."""

    taken: int = 0
    others: int = 0
    most_between: int = 0


def served(test, application):
    async def run():
        config = uvicorn.Config(
            application, port=0, log_level="error", lifespan="off", ws=BoundedSocket
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(60):
                return await test(port)
        finally:
            server.should_exit = server.force_exit = True
            await running

    return asyncio.run(run())


async def echo(_, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        data = message.get("bytes")
        data = message["text"].encode() if data is None else data
        await send({"type": "websocket.send", "bytes": data})


@pytest.mark.parametrize("size", [0, 1, 1_023, 1_024, 16_384, 100_000, 3_000_000])
def test_messages_of_any_size_come_back_in_order(size):
    async def test(port):
        async with connect(f"ws://127.0.0.1:{port}", max_size=None) as client:
            sent = [bytes([number]) * size for number in range(4)]
            for each in sent:
                await client.send(each)
            await client.send("text")
            return sent, [await client.recv() for _ in sent], await client.recv()

    sent, came, last = served(test, echo)
    assert came == sent
    assert last == b"text"


def tiny_messages(count):
    """So many messages of one byte, as one write."""
    protocol = ClientProtocol(parse_uri("ws://127.0.0.1/"))
    protocol.state = protocol.state.OPEN
    for number in range(count):
        protocol.send_binary(bytes([number % 256]))
    return b"".join(protocol.data_to_send())


def test_others_have_turns_while_tiny_messages_are_taken():
    turns = Turns()

    async def count(_, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        before = 0
        while turns.taken < MANY:
            message = await receive()
            assert message["bytes"] == bytes([turns.taken % 256])
            turns.taken += 1
            if turns.others != before:
                before, since = turns.others, 0
            else:
                since += 1
                turns.most_between = max(turns.most_between, since)
        await send({"type": "websocket.close"})

    async def others():
        while True:
            turns.others += 1
            await asyncio.sleep(0)

    async def test(port):
        other = asyncio.create_task(others())
        async with connect(f"ws://127.0.0.1:{port}") as client:
            client.transport.write(tiny_messages(MANY))
            await client.wait_closed()
        other.cancel()

    served(test, count)
    assert turns.taken == MANY
    # A piece has 146 messages of seven bytes, and parts of two.
    assert turns.most_between <= 2 * (bounded_socket._PIECE_BYTES // 7 + 2)


def test_sound_that_came_late_is_taken_in_few_turns():
    """Each of these messages has more bytes than a piece."""
    count, turns = 60, Turns()

    async def take(_, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        before = turns.others
        for _ in range(1, count):
            await receive()
        turns.most_between = turns.others - before
        await send({"type": "websocket.close"})

    async def others():
        while True:
            turns.others += 1
            await asyncio.sleep(0)

    async def test(port):
        other = asyncio.create_task(others())
        protocol = ClientProtocol(parse_uri("ws://127.0.0.1/"))
        protocol.state = protocol.state.OPEN
        for _ in range(count):
            protocol.send_text(b"a" * 1_300)
        async with connect(f"ws://127.0.0.1:{port}") as client:
            client.transport.write(b"".join(protocol.data_to_send()))
            await client.wait_closed()
        other.cancel()

    served(test, take)
    assert turns.most_between < count


def test_what_is_left_of_a_client_that_breaks_the_protocol_is_forgotten():
    async def test(port):
        async with connect(f"ws://127.0.0.1:{port}") as client:
            client.transport.write(b"\xff" * 200_000)
            await client.wait_closed()
            return client.close_code

    assert served(test, echo) in (1002, 1006)
