"""What is sent, and what messages say, by protocol."""

import json
from io import BytesIO

import numpy as np
import pytest
from wyoming.event import read_event

from benchmarks.server.doors import DOORS, LIVE, RATES_HZ, as_heard, may_commit, messages_of
from benchmarks.server.heard import Heard
from benchmarks.server.script import Due, Script

ITEM = "conversation.item.input_audio_transcription"


def script_of(door, packets=2):
    """The client commits after its last packet."""
    samples = np.arange(packets * RATES_HZ[door] // 50, dtype=np.int16)
    return Script(RATES_HZ[door], samples, frozenset({packets}))


@pytest.mark.parametrize("door", DOORS)
def test_a_commit_follows_its_packet(door):
    messages = messages_of(door, script_of(door))
    assert [len(each) for each in messages] == [1, 2]
    assert messages[1][1] == DOORS[door].commit


def test_packets_are_as_each_protocol_has_them():
    native, deepgram = (messages_of(door, script_of(door)) for door in ("native", "deepgram"))
    assert native[0][0] == deepgram[0][0] == script_of("native").packet(0).tobytes()
    assert json.loads(deepgram[1][1]) == {"type": "Finalize"}
    realtime = messages_of("realtime", script_of("realtime"))
    assert json.loads(realtime[1][0])["type"] == "input_audio_buffer.append"
    assert json.loads(realtime[1][1])["type"] == "input_audio_buffer.commit"
    script = script_of("wyoming")
    said = BytesIO(b"".join([*DOORS["wyoming"].first(script), *messages_of("wyoming", script)[1]]))
    events = [read_event(said) for _ in range(4)]
    kinds = ["transcribe", "audio-start", "audio-chunk", "audio-stop"]
    assert [each.type for each in events] == kinds
    assert events[2].payload == script.packet(1).tobytes()
    assert events[2].data["rate"] == 16_000


def test_who_may_commit_while_speaking():
    assert [door for door in (*DOORS, "engine") if may_commit(door)] == [
        "native",
        "realtime",
        "deepgram",
        "engine",
    ]
    assert set(LIVE) < set(DOORS)


def test_only_calls_are_heard_as_something_else():
    for door in DOORS:
        script = script_of(door, 10)
        same = as_heard(door, script)
        assert len(same.samples) == len(script.samples)
        assert (same.samples is script.samples) == (door != "webrtc")


def note(door, *said):
    """What is noted of these messages, and which of them greeted."""
    heard = Heard()
    greeted = [DOORS[door].ear(json.dumps(each), heard, at) for at, each in enumerate(said)]
    return heard, greeted


def test_what_the_native_protocol_says():
    heard, greeted = note(
        "native",
        {"type": "ready"},
        {"type": "partial", "text": " one"},
        {"type": "final", "text": "one"},
        {"type": "gap", "start": 1, "end": 2},
    )
    assert greeted == [True, False, False, False]
    assert (heard.text, len(heard.ends), len(heard.lost)) == ("one", 1, 1)


@pytest.mark.parametrize(("door", "greeting"), [("realtime", "updated"), ("webrtc", "created")])
def test_what_openais_protocol_says(door, greeting):
    heard, greeted = note(
        door,
        {"type": f"session.{greeting}"},
        {"type": f"{ITEM}.delta", "delta": " two"},
        {"type": f"{ITEM}.completed", "transcript": "two"},
        {"type": "error", "error": {}},
    )
    assert greeted == [True, False, False, False]
    assert (heard.text, len(heard.ends), len(heard.lost)) == ("two", 1, 1)


def results(text, *, is_final=True, speech_final=False):
    return {
        "type": "Results",
        "is_final": is_final,
        "speech_final": speech_final,
        "channel": {"alternatives": [{"transcript": text}]},
    }


def test_what_deepgrams_protocol_says():
    heard, _ = note(
        "deepgram",
        results("one tow", is_final=False),
        results("one"),
        results("two", speech_final=True),
        results("six"),
        results("", speech_final=True),
        results("", speech_final=True),
        {"type": "Metadata"},
        {"type": "Error", "variant": "x", "description": "y"},
    )
    assert heard.text == "onetwosix"
    assert heard.ends == [Due(6, 2), Due(9, 4)]
    assert len(heard.lost) == 1


def test_what_wyoming_says():
    heard, _ = note(
        "wyoming",
        {"type": "transcript-start"},
        {"type": "transcript-chunk", "text": "one"},
        {"type": "transcript-chunk", "text": " two"},
        {"type": "transcript", "text": "one two"},
        {"type": "transcript-stop"},
        {"type": "error", "text": "no"},
    )
    assert (heard.text, heard.ends, len(heard.lost)) == ("onetwo", [Due(6, 3)], 1)
