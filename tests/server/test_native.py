"""A stream of `/v1/stream` that goes on from a checkpoint, at this server and at another one."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
import pytest
import websockets

from parakeet_streaming.server.checkpoint import CheckpointKeys
from parakeet_streaming.server.doors import native
from tests.server.doors.test_native import PCM, of, read_on
from tests.server.served import serving

QUERY = "checkpoints=0.5&tokens=1"
KEY = "a key that both servers know"


@asynccontextmanager
async def both(**options):
    """Two servers with one key."""
    async with AsyncExitStack() as stack:
        served = []
        for _ in range(2):
            service, address = await stack.enter_async_context(serving(native.routes, **options))
            service.checkpoints = CheckpointKeys([KEY])
            served.append((service, address))
        yield served


def opened(address, query=QUERY, **headers):
    return websockets.connect(f"ws://{address}/v1/stream?{query}", additional_headers=headers)


async def until(socket, kind, messages):
    while not messages or messages[-1]["type"] != kind:
        messages.append(json.loads(await socket.recv()))
    return messages[-1]


async def resumed(socket, token):
    """What a fresh stream answers."""
    assert json.loads(await socket.recv())["type"] == "ready"
    await socket.send(json.dumps({"type": "resume", "checkpoint": token}))
    return json.loads(await socket.recv())


def committed(messages):
    """What is decided, without what is only told early."""
    return [each for each in messages if each["type"] in ("final", "gap")]


def joined(messages):
    """Partials by their place in the text: those that are told twice are the same."""
    places = {}
    for each in of(messages, "partial"):
        for at, letter in enumerate(each["text"], each["offset"]):
            place = (each.get("channel", 0), each["utterance"], at)
            assert places.setdefault(place, letter) == letter
    return places


def run(test):
    return asyncio.run(asyncio.wait_for(test(), 120))


@pytest.mark.parametrize("cut", [20_001, 33_000, 50_000, len(PCM)])
def test_what_follows_a_checkpoint_is_told_elsewhere(cut):
    pcm = np.concatenate([PCM, np.zeros(16_000, "<i2"), PCM])

    async def test():
        async with both() as ((_, one), (_, other)):
            async with opened(one) as socket:
                await socket.send(pcm.tobytes())
                await socket.send('{"type":"finish"}')
                whole = []
                await read_on(socket, whole)
            before = []
            async with opened(one) as socket:
                await socket.send(pcm[:cut].tobytes())
                last = await until(socket, "checkpoint", before)
            async with opened(other) as socket:
                answer = await resumed(socket, last["checkpoint"])
                await socket.send(pcm[answer["sample"] :].tobytes())
                await socket.send('{"type":"finish"}')
                after = []
                await read_on(socket, after)
            return whole, before, answer, last, after

    whole, before, answer, last, after = run(test)
    assert answer["resumed"] == "exact"
    assert answer["sample"] == last["sample"] <= cut
    told = before[: before.index(last)]
    assert committed(told) + committed(after) == committed(whole)
    assert joined(told + after) == joined(whole)
    assert of(whole, "ready")[0]["checkpoints"]["shared"] is True
