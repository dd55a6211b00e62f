"""Calls of aiortc; `test_lines.py` has what they hear."""

import asyncio

import numpy as np

from benchmarks.server.calls import CallLine
from benchmarks.server.doors import messages_of
from benchmarks.server.opus import RATE_HZ
from benchmarks.server.script import Script


def test_a_server_that_is_not_there_is_told():
    script = Script(RATE_HZ, np.zeros(960, np.int16), frozenset({1}))

    async def call():
        line = await CallLine.open("ws://127.0.0.1:1", messages_of("webrtc", script), lambda: 0.0)
        await line.ready()
        line.say(0)  # nobody hears it
        async with asyncio.timeout(30):
            await line.gone.wait()
        return line.heard.lost

    (lost,) = asyncio.run(call())
    assert lost.startswith("refused: ")
