"""Phrases over every protocol, on real sockets, with the built-in model."""

import asyncio
import base64
import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest
import websockets
from websockets.exceptions import ConnectionClosed
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.server.doors import deepgram, deepgram_files, native, realtime, rest
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.wyoming_listener import WyomingListener
from tests.server.served import served

JFK = Path(__file__).parents[1] / "parity" / "golden" / "audio" / "jfk.wav"
SAMPLES = (read_audio(JFK) * 32767).astype("<i2")
PCM = SAMPLES.tobytes()
BOOSTED = "could"
"""Puts a "could" where the model alone hears "can"."""


async def messages_of(socket):
    found = []
    with suppress(ConnectionClosed):
        while True:
            found.append(json.loads(await socket.recv()))
    return found


def words_of(messages):
    return [word for each in messages if each["type"] == "final" for word in each["words"]]


def boosted(words):
    return [word["text"] for word in words if word.get("boosted")]


async def native_words(address, query="", sent=(PCM,)):
    async with websockets.connect(f"ws://{address}/v1/stream?{query}") as socket:
        for message in sent:
            await socket.send(message if isinstance(message, bytes) else json.dumps(message))
        await socket.send('{"type":"finish"}')
        return await messages_of(socket)


def test_a_native_query_and_configure():
    configure = {"type": "configure", "phrases": [{"text": BOOSTED, "weight": 1.0}], "boost": 1.0}

    async def test(_, address):
        plain = await native_words(address)
        by_query = await native_words(address, f"phrases={quote(BOOSTED)}%0Ahome")
        configured = await native_words(address, sent=(configure, PCM))
        return plain, by_query, configured

    plain, by_query, configured = served(test, native.routes)
    assert boosted(words_of(plain)) == []
    assert BOOSTED in boosted(words_of(by_query))
    assert BOOSTED in boosted(words_of(configured))
    assert [each["type"] for each in configured[:2]] == ["ready", "ready"]


def test_native_phrases_change_while_audio_comes():
    late = {"type": "configure", "phrases": [BOOSTED]}
    none = {"type": "configure", "phrases": []}
    half = len(PCM) // 4 // 2 * 2

    async def test(_, address):
        begun = await native_words(address, sent=(PCM[:half], late, PCM[half:]))
        ended = await native_words(
            address, f"phrases={quote(BOOSTED)}", sent=(PCM[:half], none, PCM[half:])
        )
        refused = await native_words(
            address, sent=(PCM[:half], {**late, "context": "2-1-1"}, {**late, "boost": 99})
        )
        return begun, ended, refused

    begun, ended, refused = served(test, native.routes)
    told = [each for each in begun if each["type"] == "configured"]
    assert told == [{"type": "configured", "phrases": 1, "boost": 1.0}]
    assert BOOSTED in boosted(words_of(begun))
    assert boosted(words_of(ended)) == []
    errors = [each for each in refused if each["type"] == "error"]
    assert [each["field"] for each in errors] == ["type", "boost"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("phrases=" + "x" * 101, "characters"),
        ("phrases=a%0Ab%0Ac", "3 phrases; this server takes 2"),
        ("phrases=%C5%BB%C3%B3%C5%82%C4%87", "cannot write"),
        ("phrases=a%09much", "line 1: 'much'"),
        ("boost=99&phrases=a", "boost is '99'"),
    ],
)
def test_native_mistakes_are_answered_before_the_socket_opens(query, says):
    async def test(_, address):
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://{address}/v1/stream?{query}")

    answer = served(test, native.routes, limits=Limits(phrases=2))
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


def listened(query, sent=(PCM,), routes=deepgram.routes):
    async def test(_, address):
        url = f"ws://{address}/v1/listen?encoding=linear16&sample_rate=16000&{query}"
        async with websockets.connect(url) as socket:
            for message in sent:
                await socket.send(message if isinstance(message, bytes) else json.dumps(message))
            await socket.send('{"type":"CloseStream"}')
            return await messages_of(socket)

    messages = served(test, routes)
    said = [
        each["channel"]["alternatives"][0]["transcript"]
        for each in messages
        if each["type"] == "Results" and each["is_final"]
    ]
    return " ".join(said), messages


def test_deepgrams_keyterms_keywords_and_configure():
    plain, _ = listened("")
    assert BOOSTED not in plain
    assert BOOSTED in listened(f"keyterm=home&keyterm={quote(BOOSTED)}")[0]
    assert BOOSTED in listened(f"keywords={quote(BOOSTED)}:2")[0]
    configure = {"type": "Configure", "keyterms": [BOOSTED]}
    said, messages = listened("", (configure, PCM))
    assert BOOSTED in said
    (told,) = [each for each in messages if each["type"] == "ConfigureSuccess"]
    assert told["keyterms"] == [BOOSTED]
    too_long = {"type": "Configure", "keyterms": ["x" * 101]}
    said, messages = listened("", (too_long, PCM))
    (told,) = [each for each in messages if each["type"] == "ConfigureFailure"]
    assert "characters" in told["description"]
    assert said == plain


def test_deepgrams_keyterms_of_a_file():
    async def test(_, address):
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"http://{address}/v1/listen?keyterm={quote(BOOSTED)}"
            return (await client.post(url, content=JFK.read_bytes())).json()

    body = served(test, lambda service: deepgram_files.DeepgramFiles(service).routes())
    assert BOOSTED in body["results"]["channels"][0]["alternatives"][0]["transcript"]


@pytest.mark.parametrize(
    "fields",
    [
        {"keywords[]": ["home", BOOSTED]},
        {"prompt": f"Terms: home, {BOOSTED}"},
    ],
)
def test_openais_keywords_and_prompt_of_a_file(fields):
    async def test(_, address):
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"http://{address}/v1/audio/transcriptions"
            files = {"file": ("jfk.wav", JFK.read_bytes())}
            plain = await client.post(url, data={"prompt": "It was said before."}, files=files)
            boosted = await client.post(url, data=fields, files=files)
            wrong = await client.post(url, data={"keywords[]": "x" * 101}, files=files)
            return plain.json(), boosted.json(), wrong

    plain, boosted, wrong = served(test, lambda service: rest.RestDoor(service).routes())
    assert BOOSTED not in plain["text"]
    assert BOOSTED in boosted["text"]
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "keywords")


def test_openais_keywords_of_a_session_and_while_it_runs():
    audio = PCM
    half = len(audio) // 4 // 2 * 2

    def appended(message):
        if not isinstance(message, bytes):
            return message
        data = base64.b64encode(message).decode()
        return {"type": "input_audio_buffer.append", "audio": data}

    def update(**transcription):
        return {
            "type": "session.update",
            "session": {
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 16_000},
                        "turn_detection": None,
                        "transcription": transcription,
                    }
                },
            },
        }

    async def said(address, *sent):
        url = f"ws://{address}/v1/realtime?intent=transcription"
        async with websockets.connect(url) as socket:
            for message in sent:
                await socket.send(json.dumps(appended(message)))
            await socket.send('{"type":"input_audio_buffer.commit"}')
            events = []
            while not events or not events[-1]["type"].endswith("transcription.completed"):
                events.append(json.loads(await socket.recv()))
            return events

    async def test(_, address):
        boosted = update(keywords=[BOOSTED])
        plain = await said(address, update(), audio)
        first = await said(address, boosted, audio)
        later = await said(address, update(), audio[:half], boosted, audio[half:])
        wrong = await said(address, update(keywords=["x" * 101]), update(), audio)
        return plain, first, later, wrong

    plain, first, later, wrong = served(test, realtime.routes)
    assert BOOSTED not in plain[-1]["transcript"]
    assert BOOSTED in first[-1]["transcript"]
    assert BOOSTED in later[-1]["transcript"]
    (error,) = [each["error"] for each in wrong if each["type"] == "error"]
    assert "keywords" in error["param"]


def test_wyomings_names_and_terms():
    form = {"rate": 16_000, "width": 2, "channels": 1}

    async def said(address, **asked):
        async with AsyncClient.from_uri(address) as client:
            await client.write_event(Transcribe(**asked).event())
            await client.write_event(AudioStart(**form).event())
            for start in range(0, len(PCM), 8_192):
                chunk = AudioChunk(**form, audio=PCM[start : start + 8_192])
                await client.write_event(chunk.event())
            await client.write_event(AudioStop().event())
            while (event := await client.read_event()) is not None:
                if Transcript.is_type(event.type):
                    return Transcript.from_event(event).text
                if event.type == "error":
                    return event.data["text"]
        return None

    async def test(service, _):
        listener = WyomingListener(service, Settings(wyoming_port=0))
        address = await listener.start()
        try:
            async with asyncio.timeout(100):
                return [
                    await said(address),
                    await said(address, transcript_terms=[BOOSTED]),
                    await said(address, transcript_names=[BOOSTED], transcript_terms=["home"]),
                    await said(address, transcript_terms=["x" * 101]),
                ]
        finally:
            await listener.close()

    plain, terms, names, wrong = served(test, lambda _: [])
    assert BOOSTED not in plain
    assert BOOSTED in terms
    assert BOOSTED in names
    assert "transcript_terms" in wrong


def test_a_list_that_is_given_again_is_compiled_once():
    async def test(service, address):
        compiled = []
        before = service.engine.prepare
        service.engine.prepare = lambda chosen: compiled.append(before(chosen)) or compiled[-1]
        for _ in range(2):
            await native_words(
                address, f"phrases={quote(BOOSTED)}", sent=(np.zeros(9, "<i2").tobytes(),)
            )
        return compiled

    first, second = served(test, native.routes)
    assert first == second
    assert first[0] is second[0]
