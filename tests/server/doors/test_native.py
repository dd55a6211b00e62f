"""A client of `/v1/stream`, over a real socket and with the built-in model."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.server.doors import native
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.service import LoadedModel
from tests.server.served import served

DIGITS = Path(__file__).parents[3] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
PCM = (read_audio(DIGITS) * 32767).astype("<i2")


async def heard(address, audio, query="", size=6_401, then=('{"type":"finish"}',), **headers):
    """All messages that a client gets that sends this audio, and how it was closed."""
    messages = []
    async with websockets.connect(
        f"ws://{address}/v1/stream{query}", additional_headers=headers
    ) as socket:
        for start in range(0, len(audio), size):
            await socket.send(audio[start : start + size])
        for message in then:
            with suppress(ConnectionClosed):
                await socket.send(message)
        await read_on(socket, messages)
        return messages, socket.close_code


async def read_on(socket, messages):
    with suppress(ConnectionClosed):
        while True:
            messages.append(json.loads(await socket.recv()))


def of(messages, kind):
    return [each for each in messages if each["type"] == kind]


@pytest.mark.parametrize("size", [999, 6_401, 10**6])
def test_text_comes_as_it_is_decoded_and_once(size):
    async def test(_, address):
        return await heard(address, PCM.tobytes(), size=size)

    messages, code = served(test, native.routes)
    assert code == 1000
    assert messages[0]["type"] == "ready"
    (final,) = of(messages, "final")
    assert (final["text"], final["reason"]) == (SAID, "end")
    assert "".join(each["text"] for each in of(messages, "partial")) == SAID
    assert [word["text"] for word in final["words"]] == SAID.split()
    assert messages.index(of(messages, "speech_ended")[0]) < messages.index(final)


@pytest.mark.parametrize("size", [999, 6_401])
def test_text_is_written_as_asked(size):
    query = "?context=2-0.48-0.48&fixed=1&tokens=1&numbers=digits&profanity=mask"
    replaced = "five%20nine%20%3D%3E%20V9"

    async def test(_, address):
        return await heard(address, PCM.tobytes(), f"{query}&replace={replaced}", size=size)

    messages, _ = served(test, native.routes)
    (final,) = of(messages, "final")
    assert final["text"] == "3141 V9 two six"
    partials = of(messages, "partial")
    # Digits that may still be more are not committed, but shown.
    assert "".join(each["text"] for each in partials) == final["text"]
    assert not any(each["text"] in ("3", "31", "314") for each in partials)
    assert any(each["tentative"].startswith("314") for each in partials)
    assert [word["text"] for word in final["words"]] == final["text"].split()
    (number, *_) = final["words"]
    assert number["start"] < 0.5 < 1.8 < number["end"]
    # What no rule changed has the model's own tokens.
    assert "".join(each["text"] for each in final["tokens"]) == final["text"]
    assert [each["text"].strip() for each in final["tokens"][:2]] == ["3141", "V9"]


def test_wishes_about_text_are_checked():
    async def configured(_, address):
        async with websockets.connect(f"ws://{address}/v1/stream") as socket:
            messages = []
            await socket.send('{"type":"configure","numbers":"roman"}')
            await socket.send('{"type":"configure","numbers":"digits"}')
            await socket.send(PCM.tobytes())
            await socket.send('{"type":"finish"}')
            await read_on(socket, messages)
            return messages

    messages = served(configured, native.routes)
    (mistake,) = of(messages, "error")
    assert mistake["field"] == "numbers"
    assert of(messages, "final")[-1]["text"] == "31415926"


@pytest.mark.parametrize(
    ("query", "audio"),
    [
        ("?encoding=f32le", (PCM / 32768).astype("<f4")),
        ("?sample_rate=48000", PCM.repeat(3)),
        ("?channels=2", PCM.repeat(2)),
        ("?context=10-2-2&words=0&vad=0&unknown=1", PCM),
    ],
)
def test_audio_comes_in_many_forms(query, audio):
    async def test(_, address):
        return await heard(address, audio.tobytes(), query)

    messages, _ = served(test, native.routes)
    assert of(messages, "final")[-1]["text"] == SAID


def test_channels_are_heard_each_for_itself():
    silent = np.zeros_like(PCM)
    both = np.stack([PCM, silent], axis=1)

    async def test(_, address):
        return await heard(address, both.tobytes(), "?channels=separate", size=1_001)

    messages, code = served(test, native.routes)
    finals = of(messages, "final")
    assert code == 1000
    assert {each["channel"]: each["text"] for each in finals} == {0: SAID, 1: ""}


def test_commit_clear_and_markers():
    half = PCM.tobytes()[: 2 * 36_000]
    commands = ('{"type":"commit"}', '{"type":"marker","id":"here"}')

    async def test(_, address):
        async with websockets.connect(f"ws://{address}/v1/stream") as socket:
            await socket.send(half)
            for each in commands:
                await socket.send(each)
            messages = []
            while not of(messages, "marker"):
                messages.append(json.loads(await socket.recv()))
            await socket.send(half)
            await socket.send('{"type":"clear"}')
            await socket.send('{"type":"finish"}')
            later = [json.loads(each) async for each in socket]
            return messages, later

    messages, later = served(test, native.routes)
    assert of(messages, "final")[0]["reason"] == "commit"
    assert messages[-1] == {"type": "marker", "id": "here"}
    assert len(of(later, "cleared")) == 1
    assert [each["text"] for each in of(later, "final")] == [""]


def test_mistakes_are_answered_and_the_stream_goes_on():
    mistakes = ("nonsense", "[]", '{"type":"x"}', '{"type":"marker"}', '{"type":3}', "[" * 9_999)

    async def test(_, address):
        async with websockets.connect(f"ws://{address}/v1/stream?encoding=f32le") as socket:
            for each in (*mistakes, np.full(100, np.nan, "<f4").tobytes()):
                await socket.send(each)
            await socket.send((PCM / 32768).astype("<f4").tobytes())
            await socket.send('{"type":"stats"}')
            await socket.send('{"type":"finish"}')
            await socket.send(b"late")
            return [json.loads(each) async for each in socket]

    messages = served(test, native.routes)
    errors = of(messages, "error")
    assert len(errors) == len(mistakes) + 2
    assert {each["code"] for each in errors} == {"invalid_value", "invalid_audio"}
    assert of(messages, "final")[-1]["text"] == SAID
    assert [each["end"] for each in of(messages, "gap")] == [0.006]
    assert of(messages, "stats")[0]["channels"][0]["id"] == messages[0]["id"]


def test_settings_may_be_changed_before_any_audio():
    async def test(service, address):
        async with websockets.connect(f"ws://{address}/v1/stream") as socket:
            await socket.send('{"type":"configure","sample_rate":32000,"context":"10-2-2"}')
            await socket.send('{"type":"configure","context":"nonsense"}')
            await socket.send(PCM.repeat(2).tobytes())
            await socket.send('{"type":"configure","sample_rate":8000}')
            await socket.send('{"type":"finish"}')
            messages = [json.loads(each) async for each in socket]
        return messages, service.engine.stats()

    messages, _ = served(test, native.routes)
    assert [each["sample_rate"] for each in of(messages, "ready")] == [16_000, 32_000]
    assert ["no context" in each["message"] for each in of(messages, "error")] == [True, False]
    assert of(messages, "final")[-1]["text"] == SAID


def test_settings_may_be_changed_in_a_full_house_as_the_place_stays_the_clients():
    async def test(_, address):
        async with websockets.connect(f"ws://{address}/v1/stream?separate=1&channels=2") as socket:
            for _ in range(20):
                await socket.send('{"type":"configure"}')
            await socket.send(PCM.repeat(2).tobytes())
            await socket.send('{"type":"finish"}')
            messages = []
            await read_on(socket, messages)
            return messages, socket.close_code

    messages, code = served(test, native.routes, streams=2)
    assert code == 1000
    assert len(of(messages, "ready")) == 21
    assert of(messages, "final")[-1]["text"] == SAID


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("", {}, 401, "invalid_api_key"),
        ("", {"Authorization": "Bearer wrong"}, 401, "invalid_api_key"),
        ("", {"Authorization": "Bearer k", "Origin": "https://evil"}, 403, "origin_not_allowed"),
        ("?sample_rate=nan", {"Authorization": "Bearer k"}, 400, "invalid_value"),
        ("?context=0-0-0", {"Authorization": "Bearer k"}, 400, "invalid_value"),
        ("?channels=1000", {"Authorization": "Bearer k"}, 400, "invalid_value"),
        ("?encoding=mp3", {"Authorization": "Bearer k"}, 400, "invalid_value"),
        ("?channels=separate&separate=1", {"Authorization": "Bearer k"}, 503, "no_capacity"),
    ],
)
def test_what_cannot_be_is_refused_in_the_handshake(query, headers, status, code):
    async def test(service, address):
        with pytest.raises(InvalidStatus) as refused:
            await heard(address, b"", query, **headers)
        return refused.value.response, service.metrics.refusals_total[code].total

    response, counted = served(test, native.routes, keys={"me": "k"}, streams=1)
    assert (response.status_code, counted) == (status, 1)
    assert json.loads(response.body)["error"]["code"] == code
    assert ("Retry-After" in response.headers) == (status == 503)


def test_a_client_that_is_gone_frees_its_stream():
    async def test(service, address):
        for _ in range(3):
            socket = await websockets.connect(f"ws://{address}/v1/stream")
            await socket.send(PCM.tobytes())
            socket.transport.abort()
            while service.engine.stats().active_streams or service.metrics.open_sockets.value:
                await asyncio.sleep(0.01)
        return await heard(address, PCM.tobytes())

    messages, _ = served(test, native.routes, streams=1)
    assert of(messages, "final")[-1]["text"] == SAID


def test_limits_end_a_session_with_their_names():
    limits = Limits(idle_s=0.3)

    async def idle(_, address):
        return await heard(address, PCM.tobytes(), then=())

    messages, code = served(idle, native.routes, limits=limits)
    assert code == 3008
    assert messages[-1]["code"] == "timeout"

    async def chatty(_, address):
        return await heard(address, b"", then=['{"type":"commit"}'] * 30)

    messages, code = served(chatty, native.routes, limits=Limits(messages_a_second=2))
    assert code == 1008
    assert messages[-1]["code"] == "rate_limit_exceeded"


def test_when_the_server_stops_last_words_are_told():
    async def test(service, address):
        async with websockets.connect(f"ws://{address}/v1/stream") as socket:
            await socket.send(PCM.tobytes())
            await socket.send('{"type":"marker","id":"m"}')
            messages = [json.loads(await socket.recv())]
            while not of(messages, "partial"):
                messages.append(json.loads(await socket.recv()))
            service.drain.begin(service.clock() + 60)
            await read_on(socket, messages)
            with pytest.raises(InvalidStatus) as refused:
                await heard(address, b"")
            return messages, socket.close_code, refused.value.response.status_code

    messages, code, status = served(test, native.routes)
    assert (code, status) == (1012, 503)
    assert len(of(messages, "going_away")) == 1
    assert of(messages, "final")[-1]["text"] == SAID


def test_a_browser_shows_its_key_in_a_subprotocol_and_is_answered_with_another():
    async def test(_, address):
        offered = ["parakeet", "openai-insecure-api-key.k"]
        async with websockets.connect(f"ws://{address}/v1/stream", subprotocols=offered) as socket:
            return socket.subprotocol, json.loads(await socket.recv())["type"]

    assert served(test, native.routes, keys={"me": "k"}) == ("parakeet", "ready")


def test_audio_that_the_client_lost_leaves_times_true():
    async def test(_, address):
        async with websockets.connect(f"ws://{address}/v1/stream?tokens=1") as socket:
            await socket.send('{"type":"gap","samples":16000}')
            await socket.send(PCM.tobytes())
            await socket.send('{"type":"configure"}')
            await socket.send('{"type":"finish"}')
            await socket.send('{"type":"marker","id":"late"}')
            return [json.loads(each) async for each in socket]

    messages = served(test, native.routes)
    assert [(each["start"], each["end"]) for each in of(messages, "gap")] == [(0.0, 1.0)]
    assert of(messages, "final")[-1]["words"][0]["start"] > 1.0
    tokens = [token for each in of(messages, "partial") for token in each["tokens"]]
    assert tokens == of(messages, "final")[-1]["tokens"]
    assert [each["fatal"] for each in of(messages, "error")] == [False, False]


def test_another_model_is_refused_where_the_server_is_strict():
    async def test(service, address):
        messages, _ = await heard(address, b"", "?model=whisper-1")
        service.model = LoadedModel("tiny-en", 0, strict=True)
        with pytest.raises(InvalidStatus) as refused:
            await heard(address, b"", "?model=whisper-1")
        return messages[0]["model"], json.loads(refused.value.response.body)["error"]["param"]

    assert served(test, native.routes) == ("tiny-en", "model")


@pytest.mark.parametrize(("query", "waits_s"), [("", "5"), ("?again=1", "1"), ("?again=0", "5")])
def test_a_stream_that_goes_on_is_asked_to_wait_less(query, waits_s):
    async def test(service, address):
        service.drain.begin(service.clock() + 60)
        with pytest.raises(InvalidStatus) as refused:
            await heard(address, b"", query)
        return refused.value.response.headers["Retry-After"]

    assert served(test, native.routes) == waits_s
