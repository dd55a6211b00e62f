"""Streams of a real server, in one event loop with it."""

import asyncio
import contextlib
from pathlib import Path

import numpy as np
import pytest

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.client import (
    AsyncClient,
    Cleared,
    Final,
    Gap,
    GoingAway,
    Marker,
    Mistake,
    Partial,
    SpeechStarted,
)
from parakeet_streaming.errors import (
    AccessError,
    AudioInputError,
    CapacityError,
    OptionError,
    ServerError,
    StreamClosedError,
)
from parakeet_streaming.server.doors import native
from parakeet_streaming.server.limits import Limits
from tests.server.served import served

DIGITS = read_audio(Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav")
SAID = "three one four one five nine two six"


def with_client(talk, key=None, **of_server):
    """Runs `talk(client, service)` with a client of a server."""

    async def test(service, address):
        async with AsyncClient(address, key, timeout_s=30) as client:
            return await talk(client, service)

    return served(test, native.routes, **of_server)


async def read(stream, events):
    while (event := await stream.get()) is not None:
        events.append(event)


def of(kind, events):
    return [each for each in events if isinstance(each, kind)]


@pytest.mark.parametrize("encoding", ["s16le", "f32le"])
def test_what_is_sent_is_heard(encoding):
    async def talk(client, _):
        async with client.stream(encoding=encoding, context="balanced", tokens=True) as stream:
            for start in range(0, len(DIGITS), 7_001):
                await stream.send(DIGITS[start : start + 7_001])
            await stream.finish()
            return [event async for event in stream], stream

    events, stream = with_client(talk)
    (final,) = of(Final, events)
    assert (final.text, final.reason) == (SAID, "end")
    assert "".join(each.text for each in of(Partial, events)) == SAID
    assert [word.text for word in final.words] == SAID.split()
    assert sum((each.tokens for each in of(Partial, events)), ()) == final.tokens
    assert isinstance(events[0], SpeechStarted)
    assert (stream.heard.text, stream.heard.utterances) == (SAID, [final])
    assert (stream.ready.model, stream.ready.encoding) == ("tiny-en", encoding)


def test_at_the_end_of_a_block_all_is_heard():
    async def talk(client, service):
        async with client.stream() as stream:
            await stream.send(DIGITS)
        with pytest.raises(StreamClosedError):
            await stream.send(DIGITS)
        with contextlib.suppress(KeyError):
            async with client.stream() as left:
                await left.send(DIGITS)
                raise KeyError
        while service.engine.stats().active_streams:
            await asyncio.sleep(0.01)
        return stream.heard.text, left

    heard, left = with_client(talk)
    assert heard == SAID
    assert left.heard.utterances == []


def test_commands_are_obeyed_and_answered():
    half = DIGITS[: len(DIGITS) // 2]

    async def talk(client, _):
        stream = await client.stream()
        await stream.send(half)
        await stream.commit()
        await stream.marker("here")
        first = []
        while not of(Marker, first):
            first.append(await stream.get(30))
        await stream.gap(16_000)
        await stream.send(half)
        await stream.clear()
        await stream.keep_alive()
        stats = await stream.stats()
        both = await asyncio.gather(stream.stats(), stream.stats())
        await stream.send(b"")
        await stream.finish()
        return first, [event async for event in stream], stats, both, stream

    first, later, stats, both, stream = with_client(talk)
    assert of(Final, first)[0].reason == "commit"
    assert first[-1] == Marker("here")
    (gap,) = of(Gap, later)
    assert gap.end - gap.start == pytest.approx(1.0, abs=0.002)
    assert len(of(Cleared, later)) == 1
    assert stats[0].id == stream.ready.id
    assert len(both) == 2


def test_channels_are_heard_each_for_itself():
    both = np.stack([np.zeros_like(DIGITS), DIGITS], axis=1)

    async def talk(client, _):
        async with client.stream(channels=2, separate=True) as stream:
            await stream.send(both)
            assert len(await stream.stats()) == 2
        return stream.heard

    heard = with_client(talk)
    assert {each.channel: each.text for each in heard.utterances} == {0: "", 1: SAID}


def test_samples_that_cannot_be_sent_leave_the_stream_as_it_was():
    async def talk(client, _):
        async with client.stream(encoding="f32le") as stream:
            with pytest.raises(AudioInputError):
                await stream.send(np.array([np.nan], np.float32))
            await stream.send(np.full(16, np.nan, "<f4").tobytes())
            await stream.send(DIGITS)
            await stream.finish()
            return [event async for event in stream], stream

    events, stream = with_client(talk)
    assert of(Mistake, events)[0].code == "invalid_audio"
    assert stream.heard.text == SAID


@pytest.mark.parametrize(
    ("key", "options", "error"),
    [
        (None, {}, AccessError),
        ("wrong", {}, AccessError),
        ("k", {"context": "0-0-0"}, OptionError),
        ("k", {"encoding": "mp3"}, OptionError),
        ("k", {"channels": 2, "separate": True}, CapacityError),
    ],
)
def test_what_the_server_refuses_is_an_error_of_ours(key, options, error):
    async def talk(client, _):
        with pytest.raises(error) as refused:
            await client.stream(**options)
        return refused.value

    refused = with_client(talk, key, keys={"me": "k"}, streams=1)
    if error is CapacityError:
        assert refused.retry_after_s == 5.0


def test_when_the_server_stops_last_words_come_before_the_error():
    async def talk(client, service):
        stream = await client.stream(resume=False)
        await stream.send(DIGITS)
        await stream.marker("m")
        while not stream.heard.text:
            await stream.get(30)
        service.drain.begin(service.clock() + 60)
        events = []
        with pytest.raises(ServerError, match="stopped"):
            await read(stream, events)
        with pytest.raises(StreamClosedError):
            await stream.send(DIGITS)
        with pytest.raises(ServerError) as refused:
            await client.stream(resume=False)
        return events, stream.heard.text, refused.value.retry_after_s

    events, heard, retry_after_s = with_client(talk)
    assert len(of(GoingAway, events)) == 1
    assert (heard, retry_after_s) == (SAID, 5.0)


def test_the_server_says_why_it_ends_a_stream():
    async def talk(client, _):
        stream = await client.stream()
        with pytest.raises(ServerError, match=r"no message came for 0\.3 s"):
            await stream.get(30)
        assert await stream.get() is None
        await stream.close()

    with_client(talk, limits=Limits(idle_s=0.3))


def test_nothing_comes_while_nobody_speaks():
    async def talk(client, _):
        async with client.stream() as stream:
            with pytest.raises(TimeoutError):
                await stream.get(0.05)

    with_client(talk)


def test_a_stream_is_opened_before_it_is_used():
    async def talk(client, _):
        stream = client.stream()
        for use in (stream.send(DIGITS), stream.get(), stream.finish(), stream.stats()):
            with pytest.raises(StreamClosedError, match="not open"):
                await use
        await stream.close()

    with_client(talk)
