"""How a server writes text whose client asks for nothing else, over every protocol."""

import base64
import json
from pathlib import Path

import httpx
import pytest
import websockets
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.server.doors import deepgram, deepgram_files, native, realtime, rest
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.wyoming_listener import WyomingListener
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.replacements import replacements_of
from tests.server.served import served
from tests.server.test_boosted_phrases import listened, messages_of

RECORDING = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
PCM = (read_audio(RECORDING) * 32767).astype("<i2").tobytes()
"""three one four one five nine two six"""
HOUSE = WritingOptions("digits", replacements_of("five nine => V9\n/tw[aeiou]/ => Do\n"))
WRITTEN = "3141 V9 Do six"


def with_house(test, routes):
    async def written(service, address):
        service.writing = HOUSE
        return await test(service, address)

    return served(written, routes)


async def native_text(address, query):
    async with websockets.connect(f"ws://{address}/v1/stream?{query}") as socket:
        await socket.send(PCM)
        await socket.send('{"type":"finish"}')
        return [each["text"] for each in await messages_of(socket) if each["type"] == "final"]


def test_native():
    async def test(_, address):
        return [
            await native_text(address, ""),
            await native_text(address, "numbers=model&replace=six%20%3D%3E%20VI"),
        ]

    assert with_house(test, native.routes) == [[WRITTEN], ["three one four one five nine two VI"]]


def test_openais_files():
    async def test(_, address):
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"http://{address}/v1/audio/transcriptions"
            files = {"file": ("digits.wav", RECORDING.read_bytes())}
            plain = await client.post(url, files=files)
            own = await client.post(url, data={"replace": ["two => II", "six => VI"]}, files=files)
            return plain.json()["text"], own.json()["text"]

    plain, own = with_house(test, lambda service: rest.RestDoor(service).routes())
    assert (plain, own) == (WRITTEN, "314159 II VI")


def test_openais_sessions():
    update = {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 16_000},
                    "turn_detection": None,
                }
            },
        },
    }
    append = {"type": "input_audio_buffer.append", "audio": base64.b64encode(PCM).decode()}

    async def test(_, address):
        async with websockets.connect(f"ws://{address}/v1/realtime?intent=transcription") as socket:
            for message in (update, append, {"type": "input_audio_buffer.commit"}):
                await socket.send(json.dumps(message))
            events = []
            while not events or not events[-1]["type"].endswith("transcription.completed"):
                events.append(json.loads(await socket.recv()))
            return events

    events = with_house(test, realtime.routes)
    deltas = [each["delta"] for each in events if each["type"].endswith("transcription.delta")]
    assert "".join(deltas) == events[-1]["transcript"] == WRITTEN


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", WRITTEN),
        ("numerals=false&smart_format=false", "three one four one V9 Do six"),
        ("replace=six:VI", "3141592 VI"),
    ],
)
def test_deepgrams(query, text):
    def routes(service):
        service.writing = HOUSE
        return [*deepgram.routes(service), *deepgram_files.DeepgramFiles(service).routes()]

    async def test(_, address):
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"http://{address}/v1/listen?{query}"
            return (await client.post(url, content=RECORDING.read_bytes())).json()

    said, _ = listened(query, (PCM,), routes)
    body = served(test, routes)
    in_file = body["results"]["channels"][0]["alternatives"][0]["transcript"]
    assert (said, in_file) == (text, text)


def test_wyoming():
    form = {"rate": 16_000, "width": 2, "channels": 1}

    async def test(service, _):
        listener = WyomingListener(service, Settings(wyoming_port=0))
        host, port = (await listener.start()).removeprefix("tcp://").rsplit(":", 1)
        try:
            async with AsyncClient.from_uri(f"tcp://{host}:{port}") as client:
                await client.write_event(Transcribe().event())
                await client.write_event(AudioStart(**form).event())
                await client.write_event(AudioChunk(**form, audio=PCM).event())
                await client.write_event(AudioStop().event())
                while (event := await client.read_event()) is not None:
                    if Transcript.is_type(event.type):
                        return Transcript.from_event(event).text
        finally:
            await listener.close()

    assert with_house(test, lambda _: []) == WRITTEN
