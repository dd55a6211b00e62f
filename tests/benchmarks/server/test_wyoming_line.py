"""Clients of Wyoming; `test_lines.py` has what they hear."""

import asyncio

import numpy as np

from benchmarks.server.doors import messages_of
from benchmarks.server.script import Script
from benchmarks.server.wyoming_line import WyomingLine


def test_a_server_that_hangs_up_is_told():
    script = Script(16_000, np.zeros(320, np.int16), frozenset({1}))

    async def talk():
        async with await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1"
        ) as all_:
            port = all_.sockets[0].getsockname()[1]
            url, messages = f"tcp://127.0.0.1:{port}", messages_of("wyoming", script)
            line = await WyomingLine.open(url, script, messages, lambda: 0.0)
            async with asyncio.timeout(30):
                await line.gone.wait()
            line.say(0)
            line.close()
            return line.heard.lost

    (*_, lost) = asyncio.run(talk())
    assert lost == "the connection was closed by the server"
