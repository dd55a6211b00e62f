"""Streams whose connection is cut again and again tell what one that was not cut would tell."""

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.client import (
    AsyncClient,
    Final,
    Gap,
    Marker,
    Partial,
    Reconnecting,
    Resumed,
    Resuming,
)
from parakeet_streaming.server.checkpoint import CheckpointKeys
from parakeet_streaming.server.doors import native
from tests.client.cutting import proxied
from tests.server.served import serving

DIGITS = read_audio(Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav")
LONG = np.concatenate([DIGITS, np.zeros(12_000, np.float32)] * 3)
SAID = "three one four one five nine two six"
KEY = "a key that all servers know"
QUICK = Resuming(for_s=30.0, first_wait_s=0.02, most_wait_s=0.1, checkpoints_s=0.5, silent_s=1.5)


@asynccontextmanager
async def servers(keys=(KEY, KEY), **options):
    """Servers with those checkpoint keys, behind a proxy that takes turns."""
    async with AsyncExitStack() as stack:
        services, addresses = [], []
        for key in keys:
            serves = serving(native.routes, streams=16, **options)
            service, address = await stack.enter_async_context(serves)
            service.checkpoints = CheckpointKeys([key] if key else [])
            services.append(service)
            addresses.append(address)
        proxy, address = await stack.enter_async_context(proxied(*addresses))
        yield services, proxy, address


def run(test):
    async def whole():
        async with asyncio.timeout(200):
            return await test()

    return asyncio.run(whole())


async def read(stream, events):
    while (event := await stream.get()) is not None:
        events.append(event)


def of(kind, events):
    return [each for each in events if isinstance(each, kind)]


def decided(events):
    """What is told for good."""
    return [
        (each.utterance, each.text, each.end, each.reason, each.words, each.channel)
        for each in of(Final, events)
    ]


def written(events):
    """The text of each utterance as its partials build it up."""
    texts = {}
    for each in of(Partial, events):
        key = each.channel, each.utterance
        texts[key] = texts.get(key, "") + each.text
    return {key: text for key, text in texts.items() if text}


async def say(stream, script):
    for each in script:
        if isinstance(each, np.ndarray):
            await stream.send(each)
        elif isinstance(each, int):
            await stream.gap(each)
        else:
            await (stream.commit() if each == "commit" else stream.marker(each))
        await asyncio.sleep(0)


async def told(address, script, disturb=None, resume=QUICK, **options):
    """All events of a stream that says those things while `disturb(proxy)` goes on."""
    events = []
    async with AsyncClient(address) as client:
        stream = await client.stream(resume=resume, **options)
        reading = asyncio.create_task(read(stream, events))
        disturbing = None if disturb is None else asyncio.create_task(disturb(events))
        try:
            await say(stream, script)
            await stream.finish()
            await reading
        finally:
            if disturbing is not None:
                disturbing.cancel()
                await asyncio.gather(disturbing, return_exceptions=True)
            await stream.close()
    return events, stream


def pieces(audio, size):
    return [audio[start : start + size] for start in range(0, len(audio), size)]


def test_a_stream_that_is_not_cut_is_as_before():
    async def test():
        async with servers() as (_, _, address):
            return await told(address, pieces(DIGITS, 4_001))

    events, stream = run(test)
    (final,) = of(Final, events)
    assert final.text == SAID == stream.heard.text
    assert final.tokens == ()
    assert not of((Reconnecting, Resumed), events)


@pytest.mark.parametrize("seed", range(6))
def test_cuts_lose_nothing_and_double_nothing(seed):
    draw = random.Random(seed)
    script = pieces(LONG, draw.randrange(500, 9_000))
    for thing in ("commit", "commit", 8_000, "m1", "m2"):
        script.insert(draw.randrange(len(script)), thing)

    async def test():
        async with servers() as (_, proxy, address):
            plain, _ = await told(address, script, resume=False)

            async def disturb(_):
                for _ in range(7):
                    await asyncio.sleep(0.05 + draw.random() * 0.8)
                    (proxy.freeze if draw.random() < 0.1 else proxy.reset)()

            events, stream = await told(address, script, disturb)
            return plain, events, stream, proxy.opened

    plain, events, stream, opened = run(test)
    assert decided(events) == decided(plain)
    assert written(events) == written(plain)
    assert of(Gap, events) == of(Gap, plain)
    assert [each.id for each in of(Marker, events)] == [each.id for each in of(Marker, plain)]
    assert all(each.how == "exact" for each in of(Resumed, events))
    assert stream.heard.text == " ".join(each.text for each in of(Final, plain) if each.text)
    assert opened > 2
