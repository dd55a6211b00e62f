"""Wyoming's own client over a real socket, with the built-in model."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import async_read_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping

from parakeet_streaming import load
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.wyoming_listener import WyomingListener
from parakeet_streaming.timeline import ContextConfig
from tests.server.served import serving

DIGITS = Path(__file__).parents[3] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
SOUND = read_audio(DIGITS)
PCM = (SOUND * 32767).astype("<i2").tobytes()
FORMAT = {"rate": 16_000, "width": 2, "channels": 1}


def wyoming(test, **chosen):
    """Runs `test(service, address)` with Wyoming's port."""

    async def run():
        async with serving(lambda _: [], **chosen) as (service, _):
            listener = WyomingListener(service, Settings(wyoming_port=0))
            address = await listener.start()
            try:
                async with asyncio.timeout(120):
                    return await test(service, address)
            finally:
                await listener.close()

    return asyncio.run(run())


async def ask(client, audio=PCM, size=2_048, *, start=True, stop=True, **other):
    how = {**FORMAT, **other}
    await client.write_event(Transcribe(language="en").event())
    if start:
        await client.write_event(AudioStart(**how).event())
    for begin in range(0, len(audio), size):
        piece = audio[begin : begin + size]
        await client.write_event(AudioChunk(**how, audio=piece).event())
    if stop:
        await client.write_event(AudioStop().event())


async def answered(client, last="transcript-stop"):
    events = []
    while not events or events[-1].type not in (last, "error"):
        event = await client.read_event()
        if event is None:
            break
        events.append(event)
    return events


def text_of(events):
    return next(event.data["text"] for event in events if event.type == "transcript")


def types(events):
    return [event.type for event in events]


async def asked_once(address, **how):
    async with AsyncClient.from_uri(address) as client:
        await ask(client, **how)
        return await answered(client)


async def freed(service):
    """Waits until nothing is open any more."""
    while service.engine.stats().active_streams or service.metrics.open_sockets.value:
        await asyncio.sleep(0.01)


def test_what_is_there():
    async def test(_, address):
        async with AsyncClient.from_uri(address) as client:
            await client.write_event(Describe().event())
            info = Info.from_event(await client.read_event())
            await client.write_event(Ping("here").event())
            return info, await client.read_event()

    info, pong = wyoming(test)
    (program,) = info.asr
    assert program.supports_transcript_streaming
    assert program.models[0].name == "tiny-en"
    assert (pong.type, pong.data) == ("pong", {"text": "here"})


@pytest.mark.parametrize("size", [640, 2_047, 10**6])  # the last is all of it in one event
def test_text_comes_in_pieces_and_as_a_whole(size):
    async def test(_, address):
        return await asked_once(address, size=size)

    events = wyoming(test)
    kinds = types(events)
    assert kinds == ["transcript-start", *kinds[1:-2], "transcript", "transcript-stop"]
    assert set(kinds[1:-2]) == {"transcript-chunk"}
    assert "".join(event.data["text"] for event in events[1:-2]) == text_of(events) == SAID


def test_text_is_that_of_the_recognizer_with_that_context():
    context = ContextConfig.balanced()
    stream = load("tiny-en").stream(context)
    stream.feed(np.frombuffer(PCM, "<i2").astype(np.float32) / 32768)
    stream.finish()

    async def test(_, address):
        return await asked_once(address)

    assert text_of(wyoming(test)) == stream.transcript().text


def test_a_client_that_knows_no_pieces_waits_for_the_transcript():
    """As Home Assistant does: it takes the first transcript, and closes."""

    async def test(service, address):
        for _ in range(2):
            async with AsyncClient.from_uri(address) as client:
                await ask(client)
                while not Transcript.is_type((event := await client.read_event()).type):
                    pass
                assert Transcript.from_event(event).text == SAID
        await freed(service)

    wyoming(test)


WIDE = np.frombuffer(PCM, "<i2").astype("<i4")


@pytest.mark.parametrize(
    ("how", "audio"),
    [
        ({"rate": 48_000}, np.frombuffer(PCM, "<i2").repeat(3).tobytes()),
        ({"channels": 2}, np.frombuffer(PCM, "<i2").repeat(2).tobytes()),
        ({"width": 4}, (WIDE << 16).tobytes()),
        ({"width": 3}, (WIDE << 8).view("u1").reshape(-1, 4)[:, :3].tobytes()),
        ({"width": 1}, ((WIDE >> 8) + 128).astype("u1").tobytes()),
    ],
)
@pytest.mark.parametrize("start", [True, False])
def test_any_rate_width_and_channels(how, audio, start):
    async def test(_, address):
        return await asked_once(address, audio=audio, size=4_001, start=start, **how)

    assert text_of(wyoming(test)) == SAID


def test_one_connection_may_ask_again():
    async def test(_, address):
        async with AsyncClient.from_uri(address) as client:
            await ask(client)
            await ask(client, rate=32_000, audio=np.frombuffer(PCM, "<i2").repeat(2).tobytes())
            await client.write_event(AudioStop().event())
            return [text_of(await answered(client)) for _ in range(3)]

    assert wyoming(test) == [SAID, SAID, ""]


def test_another_transcribe_forgets_the_audio_before_it():
    async def test(_, address):
        async with AsyncClient.from_uri(address) as client:
            await ask(client, audio=PCM[:64_000], stop=False)
            await ask(client)
            return await answered(client)

    assert text_of(wyoming(test)) == SAID


LIES = [
    {"rate": 0},
    {"rate": -16_000},
    {"rate": 10**9},
    {"rate": "fast"},
    {"rate": None},
    {"width": 5},
    {"width": 1.5},
    {"channels": 0},
    {"channels": 10**6},
    {"channels": [1]},
    {"rate": float("nan")},
    {"rate": float("inf")},
]


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_named_and_the_next_audio_is_heard(lie):
    async def test(_, address):
        async with AsyncClient.from_uri(address) as client:
            await ask(client, audio=PCM[:8_000], size=640, **lie)
            error = await client.read_event()
            await ask(client)
            return error, await answered(client)

    error, events = wyoming(test)
    assert (error.type, error.data["code"]) == ("error", "invalid_value")
    assert next(iter(lie)) in error.data["text"] or "rate" in error.data["text"]
    assert text_of(events) == SAID


def test_a_format_that_changes_is_named():
    async def test(_, address):
        async with AsyncClient.from_uri(address) as client:
            await ask(client, audio=PCM[:8_000], stop=False)
            chunk = AudioChunk(**{**FORMAT, "rate": 8_000}, audio=PCM[:640])
            for _ in range(3):
                await client.write_event(chunk.event())
            await client.write_event(AudioStop().event())
            first = await answered(client)
            await ask(client)
            return first, await answered(client)

    first, second = wyoming(test)
    assert types(first) == ["transcript-start", "error"]
    assert "rate 8000" in first[-1].data["text"]
    assert text_of(second) == SAID


GARBAGE = [
    b"POST / HTTP/1.1\r\nHost: here\r\n\r\n",
    b"\n",
    b"[]\n",
    b'{"data":{}}\n',
    b'{"type":"describe","data":3}\n',
    b'{"type":"describe","data_length":-1}\n',
    b'{"type":"describe","data_length":true}\n',
    b'{"type":"describe","data_length":"9"}\n',
    b'{"type":"describe","data_length":2}\n[]',
    b'{"type":"audio-chunk","payload_length":1000000000000}\n',
    b'{"type":"describe","data_length":1000000000000}\n',
    b'{"type":"audio-chunk","payload_length":1e3}\n',
    b"[" * 60_000 + b"\n",
    b"x" * 100_000,
    b"\xff\xfe\n",
    bytes(1_000) + b"\n",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_event_ends_the_connection_with_a_reason_and_hurts_nobody_else(garbage):
    async def test(service, address):
        async with AsyncClient.from_uri(address) as other:
            await ask(other, audio=PCM[:60_000], stop=False)
            reader, writer = await connected(address)
            writer.write(b'{"type":"ping"}\n' + garbage)
            said = []
            while (event := await async_read_event(reader)) is not None:
                said.append(event.type)
            writer.close()
            await other.write_event(AudioChunk(**FORMAT, audio=PCM[60_000:]).event())
            await other.write_event(AudioStop().event())
            events = await answered(other)
        await freed(service)
        return said, events

    said, events = wyoming(test)
    assert said == ["pong", "error"]
    assert text_of(events) == SAID


async def connected(address):
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


def test_payloads_that_are_shorter_than_they_say_are_given_up_after_a_while():
    async def test(service, address):
        reader, writer = await connected(address)
        writer.write(b'{"type":"audio-chunk","payload_length":500}\nshort')
        said = await reader.read()
        writer.close()
        await freed(service)
        return said

    assert b"no message came" in wyoming(test, limits=replace(Limits(), idle_s=0.3))


@pytest.mark.parametrize("how", ["abort", "close"])
def test_a_client_that_vanishes_frees_its_stream(how):
    async def test(service, address):
        client = AsyncClient.from_uri(address)
        await client.connect()
        await ask(client, audio=PCM[:64_000], stop=False)
        await answered(client, "transcript-start")
        assert service.engine.stats().active_streams == 1
        transport = client._writer.transport
        transport.abort() if how == "abort" else transport.close()
        await freed(service)

    wyoming(test)


def test_a_client_that_has_closed_its_side_is_answered():
    async def test(service, address):
        reader, writer = await connected(address)
        start = json.dumps({"type": "audio-start", "data": FORMAT})
        chunk = json.dumps({"type": "audio-chunk", "payload_length": len(PCM)})
        writer.write(f"{start}\n{chunk}\n".encode() + PCM + b'{"type":"audio-stop"}\n')
        writer.write_eof()
        said = await reader.read()
        writer.close()
        await freed(service)
        return said

    assert SAID.encode() in wyoming(test)


def test_a_full_engine_says_so_and_describes_itself_all_the_same():
    async def test(_, address):
        async with AsyncClient.from_uri(address) as first, AsyncClient.from_uri(address) as second:
            await ask(first, audio=PCM[:64_000], stop=False)
            await answered(first, "transcript-start")
            await second.write_event(Describe().event())
            await ask(second)
            refused = [await second.read_event() for _ in range(2)]
            await first.write_event(AudioStop().event())
            await answered(first)
            await ask(second)
            return refused, await answered(second)

    (info, error), events = wyoming(test, streams=1)
    assert (info.type, error.type, error.data["code"]) == ("info", "error", "no_capacity")
    assert text_of(events) == SAID


def test_keys_of_http_are_not_asked_for_and_sockets_are_counted():
    async def test(service, address):
        async with AsyncClient.from_uri(address) as client:
            await ask(client)
            events = await answered(client)
            extra = await asked_once(address)
        return events, extra, service.metrics.connections_total["wyoming"].total

    events, extra, count = wyoming(
        test, keys={"me": "secret-secret"}, limits=replace(Limits(), sockets_of_address=1)
    )
    assert text_of(events) == SAID
    assert (types(extra), extra[0].data["code"]) == (["error"], "rate_limit_exceeded")
    assert count == 1


def test_messages_are_limited_and_audio_is_not():
    async def test(_, address):
        first = await asked_once(address, size=320)
        reader, writer = await connected(address)
        writer.write(b'{"type":"ping"}\n' * 200)
        said = await reader.read()
        writer.close()
        return first, said

    first, said = wyoming(test, limits=replace(Limits(), messages_a_second=10))
    assert text_of(first) == SAID
    assert b"rate_limit_exceeded" in said


def test_a_client_that_never_reads_is_given_up():
    async def test(service, address):
        _, writer = await connected(address)
        try:
            while service.metrics.refusals_total["slow_reader"].total == 0:
                writer.write(b'{"type":"describe"}\n' * 100)
                await asyncio.sleep(0)
                if writer.transport.get_write_buffer_size() > 10**6:
                    await asyncio.sleep(0.02)
        finally:
            writer.transport.abort()
        await freed(service)

    wyoming(test, limits=replace(Limits(), unread_s=0.3, messages_a_second=10**6))


def test_a_server_that_stops_answers_what_came():
    async def test(service, address):
        async with AsyncClient.from_uri(address) as client, AsyncClient.from_uri(address) as idle:
            await idle.write_event(Ping().event())
            await idle.read_event()
            await ask(client, stop=False)
            await answered(client, "transcript-chunk")
            service.drain.begin(service.clock() + 60)
            events = await answered(client)
            ends = [await each.read_event() for each in (client, idle)]
        await freed(service)
        return events, ends, await asked_once(address)

    events, ends, refused = wyoming(test)
    assert SAID.startswith(text_of(events)[:20])
    assert ends == [None, None]
    assert refused[0].data["code"] == "draining"


def test_a_session_has_an_end():
    async def test(service, address):
        async with AsyncClient.from_uri(address) as client:
            event = await client.read_event()
        await freed(service)
        return event

    event = wyoming(test, limits=replace(Limits(), session_s=0.2))
    assert event.data["code"] == "timeout"
