import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols.fields import Fields
from parakeet_streaming.server.protocols.openai_realtime_settings import (
    AudioFormat,
    Settings,
    TurnDetection,
    named_format,
    with_query_format,
)
from parakeet_streaming.server.replies import WrongRequestError

NEW = Settings("tiny-en")


def updated(settings=NEW, **session):
    return settings.updated(Fields(session, "session"))


def input_of(settings=NEW, **fields):
    return updated(settings, type="transcription", audio={"input": fields})


def turns(**fields):
    return {"turn_detection": fields}


def test_only_what_is_present_changes():
    assert updated() == NEW
    assert input_of() == NEW
    first = input_of(**turns(type="server_vad", threshold=0.7, silence_duration_ms=350))
    assert first.turns == TurnDetection("server_vad", 0.7, 300, 350)
    second = input_of(first, **turns(prefix_padding_ms=600))
    assert second.turns == TurnDetection("server_vad", 0.7, 600, 350)
    third = input_of(second, transcription={"model": "x", "language": "en"})
    assert (third.turns, third.model, third.language) == (second.turns, "x", "en")
    assert input_of(third, transcription={"language": None}).language is None
    assert input_of(third, turn_detection=None).turns is None


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "audio/pcm", "rate": 24_000}, AudioFormat("s16le", 24_000)),
        ({"type": "audio/pcm", "rate": 8_000}, AudioFormat("s16le", 8_000)),
        ({"type": "audio/pcm", "rate": 16_000}, AudioFormat("s16le", 16_000)),
        ({"type": "audio/pcm", "rate": 48_000.0}, AudioFormat("s16le", 48_000)),
        ({"type": "audio/pcm"}, AudioFormat("s16le", 24_000)),
        ({}, AudioFormat("s16le", 24_000)),
        (None, AudioFormat("s16le", 24_000)),
        ({"type": "audio/pcmu"}, AudioFormat("mulaw", 8_000)),
        ({"type": "audio/pcma"}, AudioFormat("alaw", 8_000)),
    ],
)
def test_formats(form, expected):
    assert input_of(format=form).audio == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pcm16", AudioFormat("s16le", 24_000)),
        ("pcm_s16le_16000", AudioFormat("s16le", 16_000)),
        ("g711_ulaw", AudioFormat("mulaw", 8_000)),
        ("g711_alaw", AudioFormat("alaw", 8_000)),
        ("pcm_s16le_16001", None),
        ("pcm_s16le_1", None),
        ("mp3", None),
        ("", None),
    ],
)
def test_formats_of_before(name, expected):
    assert named_format(name) == expected
    if expected is not None:
        assert updated(input_audio_format=name).audio == expected
        assert with_query_format(NEW, name).audio == expected
        return
    with pytest.raises(WrongRequestError) as caught:
        updated(input_audio_format=name)
    assert caught.value.field == "session.input_audio_format"
    with pytest.raises(WrongRequestError):
        with_query_format(NEW, name)


def test_an_address_without_a_format_changes_nothing():
    assert with_query_format(NEW, None) == NEW


def test_the_session_of_before():
    settings = updated(
        input_audio_format="pcm16",
        input_audio_params={"sample_rate_hz": 16_000, "num_channels": 2},
        input_audio_transcription={"model": "whisper-1", "prompt": "p", "language": "en"},
        turn_detection={"type": "server_vad", "silence_duration_ms": 200},
        recognition_config={"max_alternatives": 1},
    )
    assert settings.audio == AudioFormat("s16le", 16_000, 2)
    assert (settings.model, settings.prompt) == ("whisper-1", "p")
    told = settings.told_before("sess_1")
    assert told["input_audio_format"] == "pcm16"
    assert told["input_audio_params"] == {"sample_rate_hz": 16_000, "num_channels": 2}
    assert told["input_audio_transcription"]["prompt"] == "p"
    assert told["turn_detection"]["silence_duration_ms"] == 200


def test_eagerness_is_how_long_silence_lasts():
    lasts = {
        each: input_of(**turns(type="semantic_vad", eagerness=each)).turns.silence_ms
        for each in ("low", "medium", "high", "auto")
    }
    assert lasts["low"] > lasts["medium"] == lasts["auto"] > lasts["high"]
    told = input_of(**turns(type="semantic_vad", eagerness="low")).told("s")
    assert told["audio"]["input"]["turn_detection"] == {"type": "semantic_vad", "eagerness": "low"}


def test_idle_timeout_is_set_and_cleared():
    settings = input_of(**turns(type="server_vad", idle_timeout_ms=6_000))
    assert settings.turns.idle_s == 6
    assert input_of(settings, **turns(threshold=0.4)).turns.idle_s == 6
    assert input_of(settings, **turns(idle_timeout_ms=None)).turns.idle_s is None


def test_turn_detection_may_be_none_in_words():
    assert input_of(**turns(type="none")).turns is None


@pytest.mark.parametrize(
    ("session", "field"),
    [
        ({"type": "realtime"}, "session.type"),
        ({"audio": 3}, "session.audio"),
        ({"audio": {"input": []}}, "session.audio.input"),
        ({"audio": {"input": {"format": "pcm16"}}}, "session.audio.input.format"),
        ({"audio": {"input": {"format": {"rate": 12_345}}}}, "session.audio.input.format.rate"),
        ({"audio": {"input": {"format": {"type": "mp3"}}}}, "session.audio.input.format.type"),
        (
            {"audio": {"input": turns(type="psychic")}},
            "session.audio.input.turn_detection.type",
        ),
        (
            {"audio": {"input": turns(threshold=7)}},
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {"audio": {"input": turns(silence_duration_ms=-1)}},
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (
            {"audio": {"input": {"transcription": {"delay": "now"}}}},
            "session.audio.input.transcription.delay",
        ),
        ({"include": "logprobs"}, "session.include"),
        ({"input_audio_params": {"num_channels": 0}}, "session.input_audio_params.num_channels"),
    ],
)
def test_a_wrong_field_is_named(session, field):
    with pytest.raises(WrongRequestError) as caught:
        updated(**session)
    assert caught.value.field == field


def test_what_is_unknown_is_no_mistake():
    settings = updated(
        include=["item.unknown"],
        modalities=["text"],
        audio={
            "output": {"voice": "alloy"},
            "input": {
                "noise_reduction": {"type": "near_field"},
                "transcription": {"colour": "blue", "keywords": ["a"], "languages": ["en"]},
                "turn_detection": {"type": "server_vad", "create_response": False, "mood": 1},
            },
        },
    )
    assert settings.turns == NEW.turns
    assert settings.told("s")["audio"]["input"]["noise_reduction"] is None
    assert settings.told("s")["audio"]["input"]["transcription"]["keywords"] == ["a"]
    assert settings.wants_logprobs is False
    assert updated(include=["item.input_audio_transcription.logprobs"]).wants_logprobs


WORDS = "type audio input format rate turn_detection threshold transcription include delay x"
NAMES = st.sampled_from([*WORDS.split(), "input_audio_format", "input_audio_params", "eagerness"])
OBJECTS = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, OBJECTS))
def test_any_object_updates_or_is_refused_and_can_be_told(session):
    try:
        settings = updated(**session)
    except WrongRequestError:
        return
    json.dumps([settings.told("s"), settings.told_before("s")], allow_nan=False)
    # What is told may be sent back.
    again = settings.updated(Fields(settings.told("s"), "session"))
    assert again.turns == settings.turns
    assert again.audio == AudioFormat(settings.audio.encoding, settings.audio.rate_hz)


def test_what_is_told_is_what_was_asked_for():
    asked = input_of(format={"type": "audio/pcma"}, **turns(idle_timeout_ms=5_000))
    told = asked.told("s")["audio"]["input"]
    assert told["format"] == {"type": "audio/pcma"}
    assert told["turn_detection"]["idle_timeout_ms"] == 5_000
    assert asked.turns.idle_s == 5.0
