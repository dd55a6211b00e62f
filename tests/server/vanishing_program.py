"""Clients amid their talk over every protocol, whose machine can be cut off.

`vanishing_program.py clients HTTP WYOMING`: begins, and stays.
`vanishing_program.py cut`: in a network of its own: a server, such clients, and then no network;
says when the server has let all of them go.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack

import aioice.ice
import numpy as np
import websockets
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient

from tests.server.calling import Call, Microphone
from tests.server.processes import ROOT, Served

SOUND = (ROOT / "examples" / "recordings" / "digits.wav").read_bytes()
SOCKETS = {
    "native": "/v1/stream",
    "realtime": "/v1/realtime?intent=transcription",
    "deepgram": "/v1/listen?encoding=linear16&sample_rate=16000",
}
UPLOADS = {
    "/v1/audio/transcriptions": "multipart/form-data; boundary=x",
    "/v1/listen": "audio/wav",
}
BEGINS = [f"opened door={door}" for door in (*SOCKETS, "webrtc", "wyoming")]
ASKED_BY_US = [f"ended door={door}" for door in (*SOCKETS, "webrtc")]
"""Ends of those who are asked for a sign of life that no system gives for its programs."""
ASKED_BY_SYSTEMS = ["ended door=wyoming", *(f"path={path}" for path in UPLOADS)]

HEAD = "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: {kind}\r\nContent-Length: 10000000\r\n\r\n"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\n"
)


async def amid(http, wyoming):
    """Begins over every protocol, and stays."""
    host, _, port = http.rpartition("/")[2].partition(":")
    connections = []
    async with AsyncExitStack() as stack:
        for door, path in SOCKETS.items():
            socket = await stack.enter_async_context(
                websockets.connect(f"ws://{host}:{port}{path}", ping_interval=None)
            )
            if door != "realtime":
                await socket.send(SOUND[44:])
        for path, kind in UPLOADS.items():
            connections.append(await asyncio.open_connection(host, int(port)))
            _, writer = connections[-1]
            begins = FORM if "multipart" in kind else b""
            writer.write(HEAD.format(path=path, kind=kind).encode() + begins + SOUND[:50_000])
            await writer.drain()
        client = await stack.enter_async_context(AsyncClient.from_uri(wyoming))
        await client.write_event(Transcribe().event())
        await client.write_event(AudioStart(16_000, 2, 1).event())
        await client.write_event(AudioChunk(16_000, 2, 1, SOUND[44:]).event())
        aioice.ice.get_host_addresses = lambda *_, **__: ["127.0.0.1"]
        call = await stack.enter_async_context(Call(f"{host}:{port}"))
        samples = np.frombuffer(SOUND[44:], "<i2").repeat(3)
        await call.begin(Microphone(samples))
        await call.until("session.created")
        await asyncio.Event().wait()


async def said(server, clients, part):
    """Waits for a line of the server's log, as long as the clients are well."""
    waiting = asyncio.create_task(asyncio.to_thread(server.line_with, part))
    await asyncio.wait({waiting, clients}, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        server.process.kill()
        clients.result()
    await waiting


async def cut():
    async def run(*command):
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0, command

    await run("ip", "link", "set", "lo", "up")
    with Served(
        *("--wyoming-port", 0, "--idle-s", 3_600, "--ping-s", 1, "--ping-timeout-s", 3)
    ) as server:
        _, http, wyoming = server.line("ready ").split()
        clients = asyncio.create_task(amid(http, wyoming))
        for begin in BEGINS:
            await said(server, clients, begin)
        await asyncio.sleep(1.0)
        await run("ip", "link", "set", "lo", "down")
        for end in ASKED_BY_US + ASKED_BY_SYSTEMS:
            await said(server, clients, end)
    # The clients would look for the server for half a minute.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(cut() if sys.argv[1] == "cut" else amid(*sys.argv[2:]))
