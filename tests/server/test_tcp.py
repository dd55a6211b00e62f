import asyncio
import socket
from contextlib import suppress

from parakeet_streaming.server.addresses import bind
from parakeet_streaming.server.http import Reply
from parakeet_streaming.server.tcp import TcpListener


def listening(talk, test):
    async def run():
        listener = TcpListener(talk)
        sockets = bind("127.0.0.1", 0)
        port = sockets[0].getsockname()[1]
        await listener.start(sockets)
        try:
            async with asyncio.timeout(60):
                return await test(port)
        finally:
            await listener.close()

    return asyncio.run(run())


async def echo(connected):
    await connected.accept()
    async for message in connected.messages():
        await connected.send(message or "the end")
    await connected.close()


def test_bytes_come_as_they_come_and_end_with_none():
    async def test(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"one")
        first = await reader.readexactly(3)
        writer.write(b"two" * 100_000)
        writer.write_eof()
        rest = await reader.read(-1)
        writer.close()
        return first + rest

    assert listening(echo, test) == b"one" + b"two" * 100_000 + b"the end"


def test_a_reset_ends_it_without_a_word():
    ended = asyncio.Event()

    async def talk(connected):
        messages = [message async for message in connected.messages()]
        await connected.send(b"nobody")
        assert messages == [b"x"]
        ended.set()

    async def test(port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        await asyncio.sleep(0.05)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()
        await ended.wait()

    listening(talk, test)


def test_a_client_that_reads_nothing_does_not_keep_its_connection():
    ended = asyncio.Event()

    async def talk(connected):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                while True:
                    await connected.send(b"x" * 1_000_000)
        connected.end()
        with suppress(ConnectionError):
            await connected._writer.wait_closed()
        ended.set()

    async def test(port):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        await ended.wait()
        writer.transport.abort()

    listening(talk, test)


def test_last_words_arrive_though_bytes_were_unread():
    async def talk(connected):
        await connected.refuse(Reply(503, b"no room"))

    async def test(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x" * 1_000_000)
        said = await reader.read(-1)
        writer.close()
        return said

    assert listening(talk, test) == b"no room"


def test_closing_the_listener_ends_those_who_talk():
    async def run():
        listener = TcpListener(echo)
        sockets = bind("127.0.0.1", 0)
        await listener.start(sockets)
        reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
        writer.write(b"x")
        await reader.readexactly(1)
        await listener.close()
        said = await reader.read(-1)
        writer.close()
        return said

    assert asyncio.run(run()) == b""
