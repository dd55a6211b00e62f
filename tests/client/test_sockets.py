"""Servers that cannot be reached, that say nothing, or that are something else."""

import asyncio
import socket
from contextlib import suppress

import pytest

from parakeet_streaming.client import AsyncClient
from parakeet_streaming.errors import OptionError, ServerError
from parakeet_streaming.server.doors import native
from tests.server.served import served


def opening(address, **way):
    async def run():
        await AsyncClient(address, **way).stream()

    return asyncio.run(run())


async def answered(reply, **way):
    """A client's stream at a server that answers anything with these bytes."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        if not reply:
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            return await AsyncClient(f"127.0.0.1:{port}", **way).stream()
        finally:
            await ended.wait()


def test_nobody_is_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ServerError, match=rf"127\.0\.0\.1:{port} cannot be reached: .*refused"):
        opening(f"http://127.0.0.1:{port}")
    with pytest.raises(ServerError, match="cannot be reached"):
        opening("https://no.such.host.invalid")


def test_a_server_that_says_nothing():
    with pytest.raises(ServerError, match=r"did not answer within 0\.2 s"):
        asyncio.run(answered(b"", timeout_s=0.2))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", OptionError),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nhi", ServerError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ServerError),
        (b"SSH-2.0-OpenSSH\r\n", ServerError),
    ],
)
def test_something_else_is_there(reply, error):
    with pytest.raises(error):
        asyncio.run(answered(reply, timeout_s=5))


def test_a_certificate_that_nobody_knows_is_refused():
    async def test(_, address):
        with pytest.raises(ServerError):
            await AsyncClient(f"https://{address}", timeout_s=5).stream()

    served(test, native.routes)


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_proxy_is_passed_through(monkeypatch, by_environment):
    seen, ended = [], asyncio.Event()

    async def pipe(reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def relay(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        seen.append(request.split()[:2])
        host, port = request.split()[1].decode().split(":")
        behind = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pipe(reader, behind[1]), pipe(behind[0], writer))
        ended.set()

    async def test(_, address):
        proxy = await asyncio.start_server(relay, "127.0.0.1", 0)
        at = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        if by_environment:
            monkeypatch.setenv("http_proxy", at)
            monkeypatch.setenv("https_proxy", at)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
        async with proxy, AsyncClient(address, proxy=by_environment or at).stream() as stream:
            await stream.finish()
        await ended.wait()
        async with AsyncClient(address, proxy=False).stream() as stream:
            await stream.finish()
        return address

    address = served(test, native.routes)
    assert seen == [[b"CONNECT", address.encode()]]
