"""Bodies and events, read with OpenAI's own types."""

import json

import pytest
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
)

from parakeet_streaming.channels import ChannelTranscript, SeparateTranscript
from parakeet_streaming.engine.words import group_words
from parakeet_streaming.results import Segment, Token, Transcript
from parakeet_streaming.server.protocols.openai_bodies import (
    Answered,
    body,
    delta_event,
    done_event,
    error_event,
    segment_events,
)
from parakeet_streaming.server.protocols.openai_rest import TranscriptionRequest


def transcript(*texts, first_s=0.0, confidence=0.5):
    """Tokens of half a second each; a segment ends with a full stop."""
    tokens = tuple(
        Token(number, text, 0, 1, first_s + number / 2, first_s + number / 2 + 0.4, confidence)
        for number, text in enumerate(texts)
    )
    segments, words = [], []
    for word in group_words(tokens):
        words.append(word)
        if word.text.endswith("."):
            segments.append(words)
            words = []
    segments += [words] if words else []
    return Transcript(
        "".join(texts).strip(),
        tokens,
        group_words(tokens),
        tuple(
            Segment(" ".join(word.text for word in each), each[0].start, each[-1].end, tuple(each))
            for each in segments
        ),
        first_s + len(texts) / 2,
    )


ONE = transcript(" He", "llo", ".", " How", " are", " you", ".")
PLAIN = Answered(ONE, "en")
TWO = Answered(
    SeparateTranscript(
        (
            ChannelTranscript(transcript(" one"), 0, "agent"),
            ChannelTranscript(transcript(" two", first_s=0.25), 1, "caller"),
        )
    ),
    "en",
    ("lost",),
)


def of(format, **rest):
    return TranscriptionRequest(format=format, **rest)


def test_json():
    content, kind = body(of("json"), PLAIN)
    assert kind == "application/json"
    read = Transcription.model_validate_json(content)
    assert read.text == "Hello. How are you."
    assert read.usage.seconds == 3.5
    assert json.loads(content).keys() == {"text", "usage"}


def test_logprobs():
    content, _ = body(of("json", logprobs=True), PLAIN)
    read = Transcription.model_validate_json(content).logprobs
    assert "".join(each.token for each in read).strip() == ONE.text
    assert bytes(map(int, read[0].bytes)) == b" He"
    assert read[0].logprob == pytest.approx(-0.6931, abs=1e-4)


def test_verbose_json():
    content, _ = body(of("verbose_json"), PLAIN)
    read = TranscriptionVerbose.model_validate_json(content)
    assert [each.text for each in read.segments] == ["Hello.", "How are you."]
    assert [each.tokens for each in read.segments] == [[0, 1, 2], [3, 4, 5, 6]]
    assert [each.id for each in read.segments] == [0, 1]
    assert read.words is None
    assert (read.language, read.duration) == ("en", 3.5)


def test_words():
    content, _ = body(of("verbose_json", granularities=frozenset({"word"})), PLAIN)
    read = TranscriptionVerbose.model_validate_json(content)
    assert [each.word for each in read.words] == ["Hello.", "How", "are", "you."]
    assert read.segments is None


def test_plain_formats():
    assert body(of("text"), PLAIN) == (b"Hello. How are you.\n", "text/plain; charset=utf-8")
    srt, kind = body(of("srt"), PLAIN)
    assert kind.startswith("text/plain")
    assert srt.startswith(b"1\n00:00:00,000 --> ")
    vtt, kind = body(of("vtt"), PLAIN)
    assert kind.startswith("text/vtt")
    assert vtt.startswith(b"WEBVTT\n")


def test_channels_are_told_apart():
    request = of("verbose_json", separate=True, granularities=frozenset({"word", "segment"}))
    content = json.loads(body(request, TWO)[0])
    assert content["text"] == "agent: one\ncaller: two"
    assert content["channels"] == [
        {"channel": 0, "speaker": "agent", "text": "one"},
        {"channel": 1, "speaker": "caller", "text": "two"},
    ]
    assert [(each["channel"], each["text"]) for each in content["segments"]] == [
        (0, "one"),
        (1, "two"),
    ]
    assert [(each["channel"], each["speaker"]) for each in content["words"]] == [
        (0, "agent"),
        (1, "caller"),
    ]
    assert content["warnings"] == ["lost"]


def test_text_and_subtitles_of_channels_say_whose_they_are():
    assert body(of("text", separate=True), TWO)[0] == b"agent: one\ncaller: two\n"
    assert b"\nagent: one\n" in body(of("srt", separate=True), TWO)[0]
    vtt = body(of("vtt", separate=True), TWO)[0]
    assert b"<v caller>two</v>" in vtt
    assert b"NOTE lost" in vtt


def test_channels_as_speakers():
    content, _ = body(of("diarized_json", separate=True), TWO)
    read = TranscriptionDiarized.model_validate_json(content)
    assert [each.speaker for each in read.segments] == ["agent", "caller"]


def event(data):
    assert data.startswith(b"data: ")
    assert data.endswith(b"\n\n")
    assert data.count(b"\n") == 2
    return data[6:]


def test_events():
    delta = delta_event("a\nb", ONE.tokens[:1], of("json", logprobs=True), None)
    read = TranscriptionTextDeltaEvent.model_validate_json(event(delta))
    assert read.delta == "a\nb"
    assert read.logprobs[0].token == " He"
    assert json.loads(event(delta_event("x", (), of("json"), 1)))["channel"] == 1
    done = TranscriptionTextDoneEvent.model_validate_json(
        event(done_event("all of it", of("json"), PLAIN))
    )
    assert (done.text, done.usage) == ("all of it", None)
    (segment,) = segment_events(TWO.channels[1])
    assert json.loads(event(segment))["speaker"] == "caller"
    assert json.loads(event(error_event({"error": {"message": "m"}})))["error"]["message"] == "m"


def test_nothing_was_said():
    silent = Answered(Transcript("", (), (), (), 2.0), "en")
    content, _ = body(of("verbose_json", granularities=frozenset({"word", "segment"})), silent)
    read = TranscriptionVerbose.model_validate_json(content)
    assert (read.text, read.segments, read.words, read.duration) == ("", [], [], 2.0)
    assert body(of("srt"), silent)[0] == b""
