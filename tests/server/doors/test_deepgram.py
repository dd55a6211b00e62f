"""Deepgram's own SDK over a real socket, with the built-in model."""

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import websockets
from deepgram import AsyncDeepgramClient, DeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from websockets.exceptions import ConnectionClosed, InvalidStatus

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.server.doors import deepgram
from parakeet_streaming.server.limits import Limits
from tests.server.served import served

# The SDK asks websockets for names that it has given up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DIGITS = Path(__file__).parents[3] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
SOUND = read_audio(DIGITS)
SAMPLES = (SOUND * 32767).astype("<i2")
PCM = SAMPLES.tobytes()
SECOND = 32_000
LINEAR = "encoding=linear16&sample_rate=16000"


def environment(address):
    http, ws = f"http://{address}", f"ws://{address}"
    return DeepgramClientEnvironment(base=http, production=ws, agent=ws, agent_rest=http)


async def heard(address, query=LINEAR, audio=PCM, size=6_401, then=("CloseStream",), **headers):
    """All messages that a client gets that sends this audio, and the code of the close."""
    url = f"ws://{address}/v1/listen?{query}"
    messages = []
    async with websockets.connect(url, additional_headers=headers) as socket:
        for start in range(0, len(audio), size):
            await socket.send(audio[start : start + size])
        for command in then:
            sent = command if isinstance(command, bytes) else json.dumps({"type": command})
            await socket.send(sent)
        with suppress(ConnectionClosed):
            while True:
                messages.append(json.loads(await socket.recv()))
        return messages, socket.close_code


def listened(query=LINEAR, audio=PCM, then=("CloseStream",), size=6_401, **chosen):
    async def test(_, address):
        return await heard(address, query, audio, size, then)

    return served(test, deepgram.routes, **chosen)


def of(messages, kind):
    return [each for each in messages if each["type"] == kind]


def finals(messages, channel=0):
    return [
        each
        for each in of(messages, "Results")
        if each["is_final"] and each["channel_index"][0] == channel
    ]


def best(result):
    return result["channel"]["alternatives"][0]


def text_of(results):
    return " ".join(best(each)["transcript"] for each in results if best(each)["transcript"])


def test_the_async_sdk_hears_words_as_they_come():
    async def test(_, address):
        client = AsyncDeepgramClient(api_key="the-key", environment=environment(address))
        messages = []
        async with client.listen.v1.connect(
            model="nova-3",
            encoding="linear16",
            sample_rate=16_000,
            interim_results=True,
            vad_events=True,
            punctuate=True,
            diarize=False,
            keyterm=["seven"],
        ) as connection:
            connection.on(EventType.MESSAGE, messages.append)
            listening = asyncio.create_task(connection.start_listening())
            for start in range(0, len(PCM), 3_200):
                await connection.send_media(PCM[start : start + 3_200])
            await connection.send_keep_alive()
            await connection.send_close_stream()
            await listening
        return messages

    messages = served(test, deepgram.routes, keys={"me": "the-key"})
    results = [each for each in messages if each.type == "Results"]
    final = [each for each in results if each.is_final]
    words = [word for each in final for word in each.channel.alternatives[0].words]
    assert [word.punctuated_word for word in words] == SAID.split()
    assert final[-1].speech_final
    assert any(not each.is_final for each in results)
    (started, *_) = [each for each in messages if each.type == "SpeechStarted"]
    assert messages.index(started) < messages.index(results[0])
    metadata = messages[-1]
    assert metadata.type == "Metadata"
    assert metadata.sha256 == hashlib.sha256(PCM).hexdigest()
    assert metadata.duration == pytest.approx(len(SAMPLES) / 16_000, abs=0.001)
    assert metadata.request_id == results[0].metadata.request_id


def test_the_sync_sdk_hears_them_too():
    def listen(address):
        client = DeepgramClient(api_key="the-key", environment=environment(address))
        with client.listen.v1.connect(
            model="nova-3", encoding="linear16", sample_rate="16000"
        ) as connection:
            connection.send_media(PCM)
            connection.send_finalize()
            messages = [connection.recv()]
            while not messages[-1].from_finalize:
                messages.append(connection.recv())
            connection.send_close_stream()
            return messages, list(connection)

    async def test(_, address):
        return await asyncio.to_thread(listen, address)

    before, after = served(test, deepgram.routes, keys={"me": "the-key"})
    assert " ".join(each.channel.alternatives[0].transcript for each in before).strip() == SAID
    assert after[-1].type == "Metadata"


def test_the_sdk_sees_a_wrong_key():
    async def test(_, address):
        client = AsyncDeepgramClient(api_key="wrong", environment=environment(address))
        with pytest.raises(ApiError) as raised:
            async with client.listen.v1.connect(model="nova-3", encoding="linear16"):
                pass
        return raised.value.status_code

    assert served(test, deepgram.routes, keys={"me": "the-key"}) == 401


@pytest.mark.parametrize("size", [999, 6_401, 10**6])
def test_final_results_lie_side_by_side_and_join(size):
    messages, code = listened(size=size)
    results = finals(messages)
    assert code == 1000
    assert text_of(results) == SAID
    assert of(messages, "Results") == results
    assert results[0]["start"] == 0.0
    for before, after in pairwise(results):
        assert before["start"] + before["duration"] == pytest.approx(after["start"], abs=0.002)


def test_interim_results_are_followed_by_the_final_one():
    messages, _ = listened(f"{LINEAR}&interim_results=true&context=2-0.25-0.25")
    results = of(messages, "Results")
    interim = [each for each in results if not each["is_final"]]
    assert interim
    assert not any(each["speech_final"] for each in interim)
    assert text_of(finals(messages)) == SAID
    for each in interim:
        following = finals(messages[messages.index(each) :])
        assert following[0]["start"] == each["start"]


@pytest.mark.parametrize(
    ("query", "audio"),
    [
        ("encoding=linear32&sample_rate=16000", (SAMPLES / 32768).astype("<f4").tobytes()),
        ("encoding=linear16&sample_rate=48000", SAMPLES.repeat(3).tobytes()),
        ("encoding=linear16&sample_rate=16000&channels=2", SAMPLES.repeat(2).tobytes()),
    ],
)
def test_audio_comes_in_many_forms(query, audio):
    messages, _ = listened(query, audio)
    assert text_of(finals(messages)) == SAID


@pytest.mark.parametrize("law", ["mulaw", "alaw"])
def test_telephone_audio_is_that_of_its_samples(law):
    from parakeet_streaming.audio.pcm_decoder import pcm_frames

    values = pcm_frames(bytes(range(256)), law)[:, 0].astype(int)
    order = np.argsort(values)
    at = np.searchsorted(values[order], SAMPLES[::2].astype(int)).clip(0, 255)
    coded = order[at].astype("u1")
    decoded = pcm_frames(coded.tobytes(), law)[:, 0].astype("<i2").tobytes()
    first, _ = listened(f"encoding={law}", coded.tobytes())
    second, _ = listened("encoding=linear16&sample_rate=8000", decoded)
    assert text_of(finals(first)) == text_of(finals(second)) != ""


def test_channels_are_heard_each_for_itself():
    both = np.stack([SAMPLES, np.zeros_like(SAMPLES)], axis=1).tobytes()
    messages, code = listened(f"{LINEAR}&channels=2&multichannel=true&vad_events=1", both)
    assert code == 1000
    assert text_of(finals(messages, 0)) == SAID
    assert text_of(finals(messages, 1)) == ""
    assert {each["channel_index"][1] for each in of(messages, "Results")} == {2}
    assert of(messages, "SpeechStarted")[0]["channel"] == [0, 2]
    assert messages[-1]["channels"] == 2


def test_silence_ends_utterances_and_is_told():
    pause = bytes(3 * SECOND)
    query = f"{LINEAR}&utterance_end_ms=1000&vad_events=true&endpointing=300"
    messages, _ = listened(query, PCM + pause + PCM + pause)
    ends = [each for each in finals(messages) if each["speech_final"] and best(each)["transcript"]]
    assert text_of(ends[:1]) == text_of(ends[1:2]) == SAID
    over = of(messages, "UtteranceEnd")
    assert len(over) == 2
    assert over[0]["last_word_end"] == best(ends[0])["words"][-1]["end"]
    assert messages.index(ends[0]) < messages.index(over[0]) < messages.index(ends[1])


def test_without_endpointing_words_become_final_all_the_same():
    pause = bytes(3 * SECOND)
    audio = PCM + pause + PCM + pause + PCM + pause
    messages, _ = listened(f"{LINEAR}&endpointing=false&utterance_end_ms=1500", audio)
    results = finals(messages)
    assert text_of(results) == " ".join([SAID] * 3)
    assert [each["speech_final"] for each in results] == [False] * (len(results) - 1) + [True]
    assert len(results) > 1
    assert len(of(messages, "UtteranceEnd")) == 3


@pytest.mark.parametrize("audio", [PCM, PCM[:40_000], b""])
def test_finalize_is_always_answered(audio):
    messages, _ = listened(audio=audio, then=("Finalize", "CloseStream"))
    (asked,) = [each for each in finals(messages) if each["from_finalize"]]
    assert asked["speech_final"]


def test_older_clients_end_with_an_empty_message():
    messages, code = listened(then=(b"",))
    assert (text_of(finals(messages)), code) == (SAID, 1000)


def test_mistakes_are_answered_and_the_stream_goes_on():
    async def test(_, address):
        url = f"ws://{address}/v1/listen?encoding=linear32&sample_rate=16000"
        async with websockets.connect(url) as socket:
            for each in ("nonsense", "[]", '{"type":"Configure"}', '{"type":7}', "[" * 9_999):
                await socket.send(each)
            await socket.send(np.full(100, np.nan, "<f4").tobytes())
            await socket.send((SAMPLES / 32768).astype("<f4").tobytes())
            await socket.send('{"type":"CloseStream"}')
            await socket.send(b"late")
            return [json.loads(each) async for each in socket]

    messages = served(test, deepgram.routes)
    assert [each["variant"] for each in of(messages, "Error")] == [
        *["SchemaError"] * 5,
        "invalid_audio",
    ]
    assert of(messages, "Error")[0]["message"] == "nonsense"
    assert text_of(finals(messages)) == SAID


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "encoding is missing"),
        ("encoding=linear16", "sample_rate is missing"),
        ("encoding=opus&sample_rate=48000", "opus"),
        (f"{LINEAR}&channels=0", "channels"),
        (f"{LINEAR}&channels=9&multichannel=true", "channels"),
        (f"{LINEAR}&endpointing=soon", "endpointing"),
        (f"{LINEAR}&utterance_end_ms=-1", "utterance_end_ms"),
        (f"{LINEAR}&interim_results=perhaps", "interim_results"),
        (f"{LINEAR}&redact=pci", "redact"),
        (f"{LINEAR}&callback=http://x", "callback"),
        (f"{LINEAR}&context=n%C3%A4h%0A", "context"),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_handshake_by_name(query, said):
    async def test(_, address):
        with pytest.raises(InvalidStatus) as raised:
            await websockets.connect(f"ws://{address}/v1/listen?{query}")
        return raised.value.response

    response = served(test, deepgram.routes)
    body = json.loads(response.body)
    assert response.status_code == 400
    assert said in body["err_msg"]
    assert response.headers["dg-request-id"] == body["request_id"]
    assert said in response.headers["dg-error"]


def test_a_full_house_is_told_in_the_handshake():
    async def test(_, address):
        url = f"ws://{address}/v1/listen?{LINEAR}"
        async with websockets.connect(url):
            with pytest.raises(InvalidStatus) as raised:
                await websockets.connect(url)
            return raised.value.response

    response = served(test, deepgram.routes, streams=1)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert json.loads(response.body)["err_code"] == "NO_CAPACITY"


def test_a_browser_shows_its_key_as_a_subprotocol():
    async def test(_, address):
        url = f"ws://{address}/v1/listen?{LINEAR}"
        async with websockets.connect(url, subprotocols=["token", "the-key"]) as socket:
            return socket.subprotocol

    assert served(test, deepgram.routes, keys={"me": "the-key"}) == "token"


def test_keep_alive_keeps_a_silent_socket_and_silence_does_not():
    async def test(_, address):
        async with websockets.connect(f"ws://{address}/v1/listen?{LINEAR}") as socket:
            for _ in range(8):
                await asyncio.sleep(0.1)
                await socket.send('{"type":"KeepAlive"}')
            message = json.loads(await socket.recv())
            with suppress(ConnectionClosed):
                await socket.recv()
            return message, socket.close_code

    message, code = served(test, deepgram.routes, limits=replace(Limits(), idle_s=0.5))
    assert (message["type"], message["variant"], code) == ("Error", "timeout", 3008)


def test_a_server_that_stops_tells_what_was_heard():
    async def test(service, address):
        async with websockets.connect(f"ws://{address}/v1/listen?{LINEAR}") as socket:
            await socket.send(PCM)
            while not service.engine.stats().active_streams:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            service.drain.begin(service.clock() + 60)
            messages = []
            with suppress(ConnectionClosed):
                while True:
                    messages.append(json.loads(await socket.recv()))
            return messages, socket.close_code

    messages, code = served(test, deepgram.routes)
    assert code == 1012
    assert SAID.startswith(text_of(finals(messages)))
    assert messages[-1]["type"] == "Metadata"


@pytest.mark.parametrize("asked", ["numerals=true", "smart_format=true"])
def test_numbers_in_digits(asked):
    messages, _ = listened(f"{LINEAR}&interim_results=true&{asked}&replace=nine%20two:92")
    assert text_of(finals(messages)) == "31415 92 six"
    words = [word for each in finals(messages) for word in best(each)["words"]]
    assert [word["punctuated_word"] for word in words] == ["31415", "92", "six"]
    assert all(before["end"] <= after["start"] for before, after in pairwise(words))


def test_wishes_about_text_are_checked():
    async def test(_, address):
        with pytest.raises(InvalidStatus) as refused:
            await heard(address, f"{LINEAR}&replace=six")
        return json.loads(refused.value.response.body)

    assert "replace" in served(test, deepgram.routes)["err_msg"]
