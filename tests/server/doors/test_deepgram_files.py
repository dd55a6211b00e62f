"""Files to `POST /v1/listen`, by Deepgram's own SDK and by hand."""

import asyncio
import hashlib
import io
import wave
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from deepgram import AsyncDeepgramClient, DeepgramClient

from parakeet_streaming import load
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.server.doors import deepgram
from parakeet_streaming.server.doors.deepgram_files import DeepgramFiles
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.timeline import ContextConfig
from tests.server.doors.test_deepgram import SAID, environment
from tests.server.served import served

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DIGITS = Path(__file__).parents[3] / "examples" / "recordings" / "digits.wav"
WAV = DIGITS.read_bytes()
SAMPLES = (read_audio(DIGITS) * 32767).astype("<i2")


def routes(service):
    return [*deepgram.routes(service), *DeepgramFiles(service).routes()]


def stereo():
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.stack([SAMPLES, np.zeros_like(SAMPLES)], axis=1).tobytes())
    return written.getvalue()


def posted(body, query="", headers=None, **chosen):
    async def test(service, address):
        async with httpx.AsyncClient(timeout=60) as client:
            reply = await client.post(
                f"http://{address}/v1/listen?{query}", content=body, headers=headers
            )
        while service.engine.stats().active_streams:
            await asyncio.sleep(0.01)
        return reply

    return served(test, routes, **chosen)


def best(reply, channel=0):
    return reply.json()["results"]["channels"][channel]["alternatives"][0]


def test_the_sync_and_the_async_sdk_get_words():
    def listen(address):
        with httpx.Client(timeout=60) as http:
            client = DeepgramClient(
                api_key="the-key", environment=environment(address), httpx_client=http
            )
            return client.listen.v1.media.transcribe_file(
                request=WAV, model="nova-3", punctuate=True, utterances=True
            )

    async def test(_, address):
        first = await asyncio.to_thread(listen, address)
        async with httpx.AsyncClient(timeout=60) as http:
            client = AsyncDeepgramClient(
                api_key="the-key", environment=environment(address), httpx_client=http
            )
            return first, await client.listen.v1.media.transcribe_file(request=WAV, model="nova-3")

    first, second = served(test, routes, keys={"me": "the-key"})
    for each in (first, second):
        (alternative,) = each.results.channels[0].alternatives
        assert alternative.transcript == SAID
        assert [word.punctuated_word for word in alternative.words] == SAID.split()
        assert each.metadata.sha256 == hashlib.sha256(WAV).hexdigest()
        assert each.metadata.channels == 1
    assert " ".join(each.transcript for each in first.results.utterances) == SAID
    assert second.results.utterances is None


def test_text_is_that_of_the_recognizer_with_that_context():
    context = ContextConfig(5.0, 0.5, 0.5)
    stream = load("tiny-en").stream(context)
    stream.feed(read_audio(DIGITS))
    stream.finish()
    reply = posted(WAV, "context=5-0.5-0.5")
    assert best(reply)["transcript"] == stream.transcript().text
    assert reply.json()["metadata"]["duration"] == pytest.approx(len(SAMPLES) / 16_000, abs=0.001)


def test_channels_are_heard_each_for_itself():
    reply = posted(stereo(), "multichannel=true")
    assert (best(reply, 0)["transcript"], best(reply, 1)["transcript"]) == (SAID, "")
    assert reply.json()["metadata"]["channels"] == 2


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("encoding=linear16&sample_rate=16000", SAMPLES.tobytes()),
        ("encoding=linear16&sample_rate=16000&channels=2", SAMPLES.repeat(2).tobytes()),
        ("encoding=linear32&sample_rate=16000", (SAMPLES / 32768).astype("<f4").tobytes()),
        ("encoding=linear16&sample_rate=8000", WAV),
    ],
)
def test_raw_samples_are_those_that_were_said_unless_there_is_a_head(query, body):
    assert best(posted(body, query))["transcript"] == SAID


@pytest.mark.parametrize(
    ("body", "query", "headers", "said"),
    [
        (b"", "", {}, "the body is empty"),
        (b'{"url":"http://x"}', "", {"content-type": "application/json"}, "not fetched"),
        (b"no audio at all", "", {}, "the file"),
        (SAMPLES.tobytes(), "encoding=linear16", {}, "sample_rate"),
        (WAV, "redact=pci", {}, "redact"),
        (WAV, "channels=x", {}, "channels"),
        (WAV, "context=nonsense", {}, "context"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(body, query, headers, said):
    reply = posted(body, query, headers)
    assert reply.status_code == 400
    assert said in reply.json()["err_msg"]
    assert reply.headers["dg-request-id"] == reply.json()["request_id"]


def test_who_has_no_key_or_sends_too_much_is_refused_at_once():
    reply = posted(WAV, keys={"me": "the-key"})
    assert (reply.status_code, reply.json()["err_code"]) == (401, "INVALID_AUTH")
    large = bytes(1_100_000)
    limits = replace(Limits(), upload_megabytes=1)
    assert posted(large, limits=limits).status_code == 413


def test_another_method_is_told_which_there_is():
    async def test(_, address):
        async with httpx.AsyncClient(timeout=60) as client:
            return await client.get(f"http://{address}/v1/listen")

    assert served(test, routes).status_code == 405


def test_a_client_that_vanishes_frees_its_place():
    async def test(service, address):
        async def dripping():
            yield WAV[:60_000]
            await asyncio.sleep(60)

        async with httpx.AsyncClient(timeout=60) as client:
            sending = asyncio.create_task(
                client.post(f"http://{address}/v1/listen", content=dripping())
            )
            while not service.engine.stats().active_streams:
                await asyncio.sleep(0.01)
            sending.cancel()
            await asyncio.wait({sending})
        while service.engine.stats().active_streams or service.metrics.open_sockets.value:
            await asyncio.sleep(0.01)

    served(test, routes)


def test_text_is_written_as_asked():
    reply = posted(WAV, "numerals=true&profanity_filter=true&replace=five:V&replace=nine:IX")
    assert best(reply)["transcript"] == "3141 V IX two six"
    assert [word["word"] for word in best(reply)["words"]] == ["3141", "v", "ix", "two", "six"]
