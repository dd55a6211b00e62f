"""The dialogue over a real engine, without any transport."""

import asyncio
import base64
import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.protocols.openai_realtime_options import first_settings
from parakeet_streaming.server.protocols.openai_realtime_settings import AudioFormat, Settings
from parakeet_streaming.server.realtime import RealtimeDialogue
from parakeet_streaming.server.service import LoadedModel, Service
from tests.server.realtime_order import Order
from tests.server.served import FIXED, models

WORDS = "three one four one five nine two six"


def pcm_of(samples, rate_hz=24_000):
    resampled = samples if rate_hz == 16_000 else soxr.resample(samples, 16_000, rate_hz)
    return (np.clip(resampled, -1, 1) * 32_767).astype("<i2").tobytes()


DIGITS, _ = soundfile.read("examples/recordings/digits.wav", dtype="float32")
SILENCE = bytes(48_000)
"""A second at 24 kHz."""
SPOKEN = pcm_of(DIGITS) + SILENCE
NOISE = pcm_of(
    np.random.default_rng(1).standard_normal(3_200).astype("f") * np.hanning(3_200).astype("f") / 4
)


class Client:
    """Talks to a dialogue, and checks the order of what it is told."""

    def __init__(self, dialogue):
        self.dialogue = dialogue
        self.order = Order()
        self.messages = []
        self._reading = asyncio.create_task(self._read())
        self._take(dialogue.greeting())

    async def _read(self):
        async for messages in self.dialogue.events():
            self._take(messages)

    def _take(self, messages):
        for message in messages:
            self.messages.append(json.loads(message))
            self.order.take(message)

    async def send(self, kind, **fields):
        message = json.dumps({"type": kind, **fields})
        self._take(await self.dialogue.receive(message))

    async def say(self, data, cuts=()):
        begins = [0, *sorted(cuts), len(data)]
        for begin, end in pairwise(begins):
            audio = base64.b64encode(data[begin:end]).decode()
            await self.send("input_audio_buffer.append", audio=audio)

    async def update(self, **session):
        await self.send("session.update", session=session)

    async def until(self, kind, count=1):
        async with asyncio.timeout(60):
            while sum(each["type"].endswith(kind) for each in self.messages) < count:
                assert not self._reading.done(), self._reading.result()
                await asyncio.sleep(0.005)

    async def end(self):
        self.dialogue.finish()
        if not self._reading.cancelled():
            await asyncio.wait_for(self._reading, 60)

    async def break_off(self, error):
        """As a session ends by an error: nobody reads events any more when it says why."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._take(self.dialogue.failed(error))

    @property
    def texts(self):
        return [text for text, *_ in self.order.items]

    @property
    def kinds(self):
        return [each["type"].rpartition(".")[2] for each in self.messages]


def talk(script, *, defaults=FIXED, track=None, most_streams=4):
    """Runs a script with a client; gives the client when all is told."""

    async def run():
        recognizer, vad = models()
        async with LiveEngine(recognizer, vad, most_streams=most_streams) as engine:
            model = LoadedModel("tiny-en", 0)
            service = Service(engine, model, defaults, Access({}), Limits(), ServerMetrics())
            asked = first_settings("tiny-en", service.defaults)
            dialogue = RealtimeDialogue(service, asked, track=track)
            try:
                client = Client(dialogue)
                await script(client)
                await client.end()
            finally:
                await dialogue.close()
            return client

    return asyncio.run(run())


def input_of(**fields):
    return {"type": "transcription", "audio": {"input": fields}}


MANUAL = input_of(turn_detection=None)


def test_speech_is_told_as_it_is_heard():
    async def script(client):
        await client.say(SPOKEN)
        await client.until("completed")

    client = talk(script)
    assert client.texts == [WORDS]
    assert client.kinds[0] == "created"
    assert client.kinds.count("delta") >= 1
    _, words, started, stopped = client.order.items[0]
    assert words[0][0] == "three"
    assert 0 <= started < 1_000
    assert 4_000 < stopped < 5_500


@cache
def items_of(cuts):
    async def script(client):
        await client.say(SPOKEN, cuts)

    return talk(script).order.items


@given(st.lists(st.integers(0, len(SPOKEN)), max_size=12).map(tuple))
@settings(max_examples=6)
def test_how_audio_is_cut_changes_nothing(cuts):
    assert items_of(cuts) == items_of(())


@pytest.mark.parametrize(
    ("form", "rate_hz"),
    [
        ({"type": "audio/pcm", "rate": 8_000}, 8_000),
        ({"type": "audio/pcm", "rate": 16_000}, 16_000),
        ({"type": "audio/pcm", "rate": 48_000}, 48_000),
    ],
)
def test_rates(form, rate_hz):
    async def script(client):
        await client.update(**input_of(format=form))
        await client.say(pcm_of(DIGITS, rate_hz))

    client = talk(script)
    assert client.order.answers[1]["session"]["audio"]["input"]["format"] == form
    if rate_hz > 8_000:
        assert client.texts == [WORDS]
    assert client.texts[0].split()[:2] == ["three", "one"]


def test_a_client_that_commits_gets_one_item_for_each_commit():
    async def script(client):
        await client.update(**MANUAL)
        half = len(SPOKEN) // 4 * 2
        await client.say(SPOKEN[:half])
        await client.send("input_audio_buffer.commit")
        await client.say(SPOKEN[half:])
        await client.send("input_audio_buffer.commit", event_id="second")
        await client.send("input_audio_buffer.commit", event_id="third")
        await client.until("completed", 2)

    client = talk(script)
    assert len(client.texts) == 2
    assert client.texts[0].startswith("three one")
    assert client.texts[1].endswith("two six")
    assert "speech_started" not in client.kinds
    (error,) = [each["error"] for each in client.messages if each["type"] == "error"]
    assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "third")


def test_a_commit_after_the_servers_own_is_no_mistake():
    async def script(client):
        await client.say(SPOKEN)
        await client.until("completed")
        await client.send("input_audio_buffer.commit")
        await client.until("completed", 2)
        await client.send("input_audio_buffer.commit")
        await client.until("completed", 3)

    client = talk(script)
    assert client.texts == [WORDS, "", ""]
    assert "error" not in client.kinds


def test_a_commit_before_any_audio_is_a_mistake():
    async def script(client):
        await client.send("input_audio_buffer.commit", event_id="e")

    client = talk(script)
    assert client.order.answers[1]["error"]["event_id"] == "e"


def test_clear_forgets():
    async def script(client):
        await client.update(**MANUAL)
        # Half a sample is forgotten, too.
        await client.say(SPOKEN[:60_001])
        await client.send("input_audio_buffer.clear")
        await client.send("input_audio_buffer.commit", event_id="empty")
        await client.say(SPOKEN)
        await client.send("input_audio_buffer.commit")

    client = talk(script)
    assert client.texts == [WORDS]
    assert [each.get("error", {}).get("event_id") for each in client.order.answers][2:] in (
        ["empty", None],
        [None, "empty"],
    )


def test_noise_that_a_client_commits_itself_ends_nothing():
    async def script(client):
        await client.update(**MANUAL)
        await client.say(SILENCE + NOISE * 2 + SILENCE * 3)
        await asyncio.sleep(0.1)
        await client.say(SPOKEN)
        await client.send("input_audio_buffer.commit")

    assert len(talk(script).texts) == 1


def test_a_second_update_of_the_same_changes_no_stream():
    async def script(client):
        await client.update(**input_of(turn_detection={"type": "server_vad"}))
        stream = client.dialogue.stream_ids
        await client.say(SPOKEN[:60_000])
        await client.update(**input_of(transcription={"model": "x"}))
        assert client.dialogue.stream_ids == stream
        await client.say(SPOKEN[60_000:])

    client = talk(script)
    assert client.texts == [WORDS]
    told = client.order.answers[-1]["session"]["audio"]["input"]["transcription"]
    assert told == {"model": "x"}


def test_an_update_after_audio_ends_the_item_with_that_audio():
    async def script(client):
        await client.say(SPOKEN)
        form = {"type": "audio/pcm", "rate": 16_000}
        await client.update(**input_of(format=form, transcription={"delay": "medium"}))
        await client.say(pcm_of(DIGITS, 16_000))

    # One place is enough: the new stream takes that of the old one.
    client = talk(script, most_streams=1)
    assert client.texts == [WORDS, WORDS]
    first, second = (words for _, words, *_ in client.order.items)
    shift_s = len(SPOKEN) / 48_000
    assert second[0][1] == pytest.approx(first[0][1] + shift_s, abs=0.3)


def test_many_updates_hold_two_streams_at_most():
    async def script(client):
        for number in range(12):
            delay = ("low", "medium")[number % 2]
            await client.update(**input_of(transcription={"delay": delay}))
            await client.say(SPOKEN[:20_000])
            assert len(client.dialogue.stream_ids.split(",")) <= 2

    client = talk(script, most_streams=1)
    assert client.kinds.count("updated") == 12


def test_an_update_for_which_there_is_no_room_changes_nothing():
    async def script(client):
        await client.update(include=[3])
        await client.update(**input_of(format={"rate": 3}))
        await client.say(SPOKEN)

    client = talk(script)
    assert client.texts == [WORDS]
    assert [each["type"] for each in client.order.answers[1:]] == ["error", "error"]
    assert client.order.answers[2]["error"]["param"] == "session.audio.input.format.rate"


def test_silence_for_long_is_told_where_it_is_asked_for():
    async def script(client):
        await client.update(
            **input_of(turn_detection={"type": "server_vad", "idle_timeout_ms": 2_000})
        )
        for _ in range(6):
            await client.say(SILENCE)
            await asyncio.sleep(0.05)
        await client.until("timeout_triggered")
        await client.say(SPOKEN)

    client = talk(script)
    assert client.texts[0] == ""
    assert client.texts[-1] == WORDS


def test_a_client_that_falls_silent_gets_its_last_words():
    async def script(client):
        await client.say(pcm_of(DIGITS)[: 48_000 * 4])
        await client.until("completed")

    assert talk(script).texts[0].startswith("three one four one five nine two")


def test_the_dialect_of_before():
    async def script(client):
        await client.send(
            "transcription_session.update",
            session={
                "input_audio_format": "pcm16",
                "input_audio_params": {"sample_rate_hz": 16_000},
            },
        )
        await client.say(pcm_of(DIGITS, 16_000))

    client = talk(script)
    assert client.texts == [WORDS]
    assert client.order.answers[1]["type"] == "transcription_session.updated"
    assert "conversation.item.created" in [each["type"] for each in client.messages]


def test_a_track_takes_the_place_of_messages():
    async def script(client):
        await client.update(**input_of(format={"type": "audio/pcm", "rate": 8_000}))
        await client.say(SPOKEN)
        await client.dialogue.push(memoryview(pcm_of(DIGITS, 48_000)))

    client = talk(script, track=AudioFormat("s16le", 48_000))
    assert client.texts == [WORDS]
    assert client.order.answers[2]["error"]["param"] == "type"


def test_what_a_track_lacks_moves_nothing():
    async def script(client):
        await client.dialogue.push(pcm_of(DIGITS, 48_000) + 2 * SILENCE)
        client.dialogue.lose(10 * 48_000)
        await client.dialogue.push(pcm_of(DIGITS, 48_000))
        client.dialogue.finish()
        client.dialogue.lose(1)

    client = talk(script, track=AudioFormat("s16le", 48_000))
    assert client.texts == [WORDS, WORDS]
    first, second = (each["words"][0]["start"] for each in client.messages if "words" in each)
    assert second - first == pytest.approx(len(DIGITS) / 16_000 + 11.0, abs=0.1)


def test_without_voice_activity_text_is_speech():
    async def script(client):
        await client.say(SPOKEN + 2 * SILENCE)

    client = talk(script, defaults=replace(FIXED, vad=None))
    assert " ".join(client.texts).split() == WORDS.split()
    assert client.kinds.count("speech_started") == len(client.texts)


def test_after_the_end_nothing_is_taken():
    async def script(client):
        client.dialogue.finish()
        assert await client.dialogue.receive("{}") == []
        await client.dialogue.push(b"1234")
        assert client.dialogue.going_away(3) == []

    assert talk(script).kinds == ["created"]


def test_what_breaks_the_stream_fails_the_item():
    async def script(client):
        await client.say(SPOKEN[:60_000])
        await client.until("speech_started")
        await client.break_off(RuntimeError("secret"))

    client = talk(script)
    assert len(client.order.failed) == 1
    assert client.kinds[-2:] == ["failed", "error"]
    assert "secret" not in str(client.messages)


PIECES = st.integers(0, 40_000)
STEPS = st.one_of(
    st.tuples(st.just("say"), PIECES),
    st.tuples(st.just("say"), PIECES),
    st.tuples(
        st.sampled_from(["commit", "clear", "manual", "turns", "same", "garbage"]), st.just(0)
    ),
    st.tuples(st.sampled_from(["rate", "delay", "idle", "wait"]), st.integers(0, 3)),
)


async def do(client, step, at):
    """One step of a client; gives how far its audio has come."""
    kind, number = step
    session = {
        "manual": {"turn_detection": None},
        "turns": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}},
        "same": {"noise_reduction": None},
        "rate": {
            "format": {"type": "audio/pcm", "rate": (8_000, 16_000, 24_000, 48_000)[number % 4]}
        },
        "delay": {"transcription": {"delay": ("minimal", "low", "medium", "high")[number % 4]}},
        "idle": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 300 * number}},
    }
    if kind in session:
        await client.update(**input_of(**session[kind]))
    elif kind == "say":
        await client.say((SPOKEN * 3)[at : at + number], [number // 3])
    elif kind == "wait":
        await asyncio.sleep(0.02 * number)
    elif kind == "garbage":
        await client.dialogue.receive("{")
    else:
        await client.send(f"input_audio_buffer.{kind}")
    return at + (number if kind == "say" else 0)


@given(st.lists(STEPS, max_size=14))
@settings(max_examples=25)
def test_any_commands_are_answered_in_order(steps):
    async def script(client):
        at = 0
        for step in steps:
            at = await do(client, step, at)

    client = talk(script)
    assert client.order.state == "none"
    cleared = sum(kind == "clear" for kind, _ in steps)
    assert client.kinds.count("cleared") == cleared
    assert client.kinds.count("updated") == sum(
        kind in ("manual", "turns", "same", "rate", "delay", "idle") for kind, _ in steps
    )


def test_settings_are_a_value():
    assert Settings("a") == Settings("a")
