"""Fields, right and wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols.openai_rest import (
    FORMATS,
    TranscriptionRequest,
    is_kept,
    with_field,
)
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.timeline import ContextConfig


def asked(*fields):
    request = TranscriptionRequest()
    for name, value in fields:
        request = with_field(request, name, value)
    return request


def test_what_the_sdk_sends():
    request = asked(
        ("model", "gpt-4o-transcribe"),
        ("language", "en"),
        ("prompt", "Names: Ada"),
        ("temperature", "0.2"),
        ("response_format", "verbose_json"),
        ("stream", "true"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
        ("include[]", "logprobs"),
        ("chunking_strategy[type]", "server_vad"),
        ("chunking_strategy[threshold]", "0.5"),
        ("keywords[]", "Parakeet"),
        ("languages[]", "en"),
        ("known_speaker_names[]", "agent"),
        ("known_speaker_references[]", "data:audio/wav;base64,AAAA"),
    )
    assert request == TranscriptionRequest(
        "gpt-4o-transcribe", ("en",), "verbose_json", True, frozenset({"word", "segment"}), True,
        keywords=("Parakeet",), prompt="Names: Ada",
    )  # fmt: skip
    assert [each.text for each in request.boosting.phrases] == ["Ada", "Parakeet"]
    assert request.words
    assert request.segments


@pytest.mark.parametrize(
    ("fields", "words", "segments"),
    [
        ([], False, True),
        ([("timestamp_granularities[]", "word")], True, False),
        ([("timestamp_granularities", "segment")], False, True),
        ([("timestamp_granularities[0]", "word,segment")], True, True),
    ],
)
def test_granularities(fields, words, segments):
    assert (asked(*fields).words, asked(*fields).segments) == (words, segments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response_format", "xml"),
        ("temperature", "7"),
        ("temperature", "warm"),
        ("temperature", "nan"),
        ("stream", "maybe"),
        ("timestamp_granularities[]", "letter"),
        ("include[]", "everything"),
        ("language", "not a language!"),
        ("chunking_strategy", "[" * 10_000),
        ("chunking_strategy", "sometimes"),
        ("chunking_strategy", '{"type": "magic"}'),
        ("chunking_strategy", '{"type": "server_vad", "threshold": 3}'),
        ("chunking_strategy[silence_duration_ms]", "-1"),
        ("chunking_strategy[type]", "magic"),
        ("channels", "7"),
        ("context", "much"),
        ("context", "1-0-0"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    with pytest.raises(WrongRequestError) as caught:
        asked((name, value))
    assert caught.value.field == name.partition("[")[0]
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "name", ["language", "response_format", "temperature", "stream", "context"]
)
def test_an_empty_value_is_none(name):
    assert asked((name, "")) == TranscriptionRequest()


def test_chunking_is_taken_as_json():
    vad = {"type": "server_vad", "threshold": 0.4, "prefix_padding_ms": 300, "new": [1]}
    assert asked(("chunking_strategy", json.dumps(vad))) == TranscriptionRequest()
    assert asked(("chunking_strategy", "auto")) == TranscriptionRequest()


def test_our_own():
    request = asked(("channels", "separate"), ("context", "5-0.5-0.5"))
    assert request.separate
    assert request.context == ContextConfig(5.0, 0.5, 0.5)


def test_speakers_need_channels():
    with pytest.raises(WrongRequestError, match="channels=separate") as caught:
        asked(("response_format", "diarized_json")).check()
    assert caught.value.field == "response_format"
    asked(("response_format", "diarized_json"), ("channels", "separate")).check()


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_is_unknown_is_ignored(name, value):
    if not is_kept(name):
        assert asked((name, value)) == TranscriptionRequest()


@given(st.sampled_from(["model", "language", "temperature", "stream", "include[]", "context",
                        "chunking_strategy", "chunking_strategy[threshold]", "channels"]),
       st.text(max_size=60))  # fmt: skip
def test_any_value_is_taken_or_refused(name, value):
    refusal = None
    try:
        assert asked((name, value)).format in FORMATS
    except WrongRequestError as error:
        refusal = error
    assert refusal is None or refusal.field == name.partition("[")[0]


def test_languages_that_are_known():
    assert asked(("language", "de")).languages == ("de",)
    assert asked(("languages[]", "uk"), ("languages[]", "en")).languages == ("uk", "en")
    assert asked(("language", "")).languages == ()
    assert asked(("language", "english")).languages == ()


def test_names_of_channels():
    request = asked(("channels", "separate"), ("channel_names", "agent, caller"))
    assert request.names == ("agent", "caller")
    request.check()
    with pytest.raises(WrongRequestError, match="have no names"):
        asked(("channel_names", "agent,caller")).check()
    with pytest.raises(WrongRequestError, match="must differ"):
        asked(("channel_names", "a,a"))
