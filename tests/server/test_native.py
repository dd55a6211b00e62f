"""A stream of `/v1/stream` that goes on from a checkpoint, at this server and at another one."""

import asyncio
import json
import threading
from base64 import b64decode, b64encode
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest
import websockets

from parakeet_streaming.server.checkpoint import CheckpointKeys
from parakeet_streaming.server.doors import native
from parakeet_streaming.server.limits import Limits
from tests.server.doors.test_native import PCM, SAID, of, read_on
from tests.server.served import serving

QUERY = "checkpoints=0.5&tokens=1"
KEY = "a key that both servers know"


@asynccontextmanager
async def both(streams=8, **options):
    """Two servers with one key."""
    async with AsyncExitStack() as stack:
        served = []
        for _ in range(2):
            service, address = await stack.enter_async_context(
                serving(native.routes, streams=streams, **options)
            )
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


@pytest.mark.parametrize("query", [QUERY, f"{QUERY}&numbers=digits&fixed=1&context=2-0.48-0.48"])
@pytest.mark.parametrize("cut", [20_001, 33_000, 50_000, len(PCM)])
def test_what_follows_a_checkpoint_is_told_elsewhere(cut, query):
    pcm = np.concatenate([PCM, np.zeros(16_000, "<i2"), PCM])

    async def test():
        async with both() as ((_, one), (_, other)):
            async with opened(one, query) as socket:
                await socket.send(pcm.tobytes())
                await socket.send('{"type":"finish"}')
                whole = []
                await read_on(socket, whole)
            before = []
            async with opened(one, query) as socket:
                await socket.send(pcm[:cut].tobytes())
                last = await until(socket, "checkpoint", before)
            async with opened(other, query) as socket:
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


def test_phrases_of_a_checkpoint_are_compiled_beside_the_event_loop():
    async def test():
        async with both() as ((_, one), (service, other)):
            token = await checkpoint_of(one, query=f"{QUERY}&phrases=nine")
            compiled, before = [], service.engine.prepare

            def prepare(**chosen):
                compiled.append((threading.current_thread(), before(**chosen)))
                return compiled[-1][1]

            service.engine.prepare = prepare
            async with opened(other) as socket:
                return await resumed(socket, token), compiled

    answer, ((thread, biases),) = run(test)
    assert answer["resumed"] == "exact"
    assert thread is not threading.main_thread()
    assert len(biases) == 1


def test_of_other_settings_only_phrases_come_after_a_checkpoint():
    async def test():
        async with both() as ((_, one), (_, other)):
            token = await checkpoint_of(one)
            async with opened(other) as socket:
                await resumed(socket, token)
                await socket.send('{"type":"configure","phrases":["nine"]}')
                await socket.send('{"type":"configure","phrases":["nine"],"vad":"0"}')
                messages = []
                await until(socket, "error", messages)
                return messages

    configured, refused = run(test)
    assert configured["type"] == "configured"
    assert "before any audio" in refused["message"]


async def checkpoint_of(address, audio=PCM, query=QUERY, **headers):
    """The first checkpoint of a stream that got that audio."""
    async with opened(address, query, **headers) as socket:
        await socket.send(audio.tobytes())
        messages = []
        await until(socket, "checkpoint", messages)
        return messages[-1]["checkpoint"]


def changed(token, at, byte):
    data = bytearray(b64decode(token))
    data[at] ^= byte
    return b64encode(data).decode()


REFUSED = {
    "damaged": lambda token: changed(token, 0, 1),
    "version": lambda token: changed(token, 4, 1),
    "foreign_key": lambda token: changed(token, 5, 1),
    "forged": lambda token: changed(token, -1, 1),
    "too_large": lambda _: b64encode(bytes((8 << 20) + 1)).decode(),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_was_changed_is_refused_and_the_stream_begins(reason):
    async def test():
        async with both() as ((service, one), _):
            token = await checkpoint_of(one)
            async with opened(one) as socket:
                answer = await resumed(socket, REFUSED[reason](token))
                await socket.send(PCM.tobytes())
                await socket.send('{"type":"finish"}')
                messages = []
                await read_on(socket, messages)
            return answer, messages, service.engine.stats().active_streams

    answer, messages, active = run(test)
    assert (answer["type"], answer["fatal"]) == ("error", False)
    assert (answer["code"], answer["reason"]) == ("checkpoint_refused", reason)
    assert [each["text"] for each in of(messages, "final")] == [SAID]
    assert active == 0


@pytest.mark.parametrize(
    ("query", "headers", "reason"),
    [
        (QUERY, {"Authorization": "Bearer two"}, "other_api_key"),
        (f"{QUERY}&context=2-0.5-0.5", {"Authorization": "Bearer one"}, "settings"),
        (f"{QUERY}&sample_rate=8000", {"Authorization": "Bearer one"}, "settings"),
        (f"{QUERY}&encoding=f32le", {"Authorization": "Bearer one"}, "settings"),
        (f"{QUERY}&channels=separate", {"Authorization": "Bearer one"}, "settings"),
        (f"{QUERY}&vad=0", {"Authorization": "Bearer one"}, "settings"),
        (f"{QUERY}&endpointing=off", {"Authorization": "Bearer one"}, "settings"),
        (f"{QUERY}&words=0&tentative=0", {"Authorization": "Bearer one"}, None),
    ],
)
def test_it_is_of_one_caller_and_one_way_of_recognising(query, headers, reason):
    async def test():
        async with both(keys={"one": "one", "two": "two"}) as ((_, one), (_, other)):
            token = await checkpoint_of(one, Authorization="Bearer one")
            async with opened(other, query, **headers) as socket:
                return await resumed(socket, token)

    answer = run(test)
    assert answer.get("reason") == reason
    assert answer["type"] == ("ready" if reason is None else "error")


@pytest.mark.parametrize(
    ("late_s", "reason"), [(0, None), (659, None), (661, "expired"), (-59, None), (-61, "early")]
)
def test_two_clocks_may_differ_a_little(late_s, reason):
    async def test():
        async with both() as ((first, one), (second, other)):
            first.wall_clock = lambda: 1_000_000.0
            second.wall_clock = lambda: 1_000_000.0 + late_s
            token = await checkpoint_of(one)
            async with opened(other) as socket:
                return await resumed(socket, token)

    assert run(test).get("reason") == reason


def test_another_model_does_not_go_on():
    async def test():
        async with both() as ((_, one), (second, other)):
            token = await checkpoint_of(one)
            second.model = replace(second.model, fingerprint="larger")
            async with opened(other) as socket:
                return await resumed(socket, token)

    assert run(test)["reason"] == "other_model"


def test_a_stream_goes_on_before_its_audio_only():
    async def test():
        async with both() as ((_, one), _):
            token = await checkpoint_of(one)
            async with opened(one) as socket:
                await socket.recv()
                await socket.send(PCM[:100].tobytes())
                await socket.send(json.dumps({"type": "resume", "checkpoint": token}))
                return json.loads(await socket.recv())

    answer = run(test)
    assert (answer["code"], answer["fatal"]) == ("invalid_value", False)


def test_a_full_house_lets_a_stream_go_on_in_the_place_it_has():
    async def test():
        async with both(streams=1) as ((_, one), (service, other)):
            token = await checkpoint_of(one)
            async with opened(other) as socket:
                answer = await resumed(socket, token)
                while service.engine.stats().active_streams > 1:
                    await asyncio.sleep(0.01)
                return answer

    assert run(test)["resumed"] == "exact"


@pytest.mark.parametrize("rate_hz", [8_000, 11_025])
def test_another_rate_goes_on(rate_hz):
    audio = PCM[::2]

    async def test():
        async with both() as ((_, one), (_, other)):
            query = f"{QUERY}&sample_rate={rate_hz}"
            token = await checkpoint_of(one, audio[:14_000], query)
            async with opened(other, query) as socket:
                answer = await resumed(socket, token)
                await socket.send(audio[answer["sample"] :].tobytes())
                await socket.send('{"type":"finish"}')
                messages = []
                await read_on(socket, messages)
            return answer, messages

    answer, messages = run(test)
    assert answer["resumed"] == "exact"
    assert of(messages, "final")[-1]["end"] == pytest.approx(len(audio) / rate_hz, abs=0.001)


def test_a_checkpoint_stays_small_however_long_the_stream_is():
    async def test():
        sizes = []
        async with both() as ((_, one), _), opened(one) as socket:
            for _ in range(6):
                await socket.send(np.concatenate([PCM, np.zeros(16_000, "<i2")]).tobytes())
                await until(socket, "final", [])
                sizes.append(len((await until(socket, "checkpoint", []))["checkpoint"]))
        return sizes

    sizes = run(test)
    assert max(sizes) < 1.3 * min(sizes) < 30_000


def test_a_checkpoint_that_would_be_too_large_is_not_made():
    async def test():
        small, messages = Limits(checkpoint_bytes=100), []
        async with both(limits=small) as ((_, one), _), opened(one) as socket:
            await socket.send(PCM.tobytes())
            await until(socket, "partial", messages)
            await asyncio.sleep(0.7)
            await socket.send('{"type":"finish"}')
            await read_on(socket, messages)
        return messages

    messages = run(test)
    assert not of(messages, "checkpoint")
    assert of(messages, "final")[-1]["text"] == SAID
