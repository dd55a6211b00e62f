"""What a client asks for becomes options, or an error that names the field."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import ContextError, OptionError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import WrongRequestError


def test_nothing_asked_is_what_the_server_was_started_with():
    options = StreamSettings().with_fields({}).options(LiveOptions())
    assert options.live == LiveOptions()
    assert (options.encoding, options.channels, options.rate_hz) == ("s16le", 1, 16_000)


def test_everything_can_be_asked_for():
    query = {
        "sample_rate": "8000",
        "encoding": "mulaw",
        "channels": "2",
        "context": "10-2-2",
        "fixed": "1",
        "endpointing": "relaxed",
        "vad": "off",
        "words": "no",
        "from_the_future": "x",
    }
    settings = StreamSettings().with_fields(query)
    options = settings.options(LiveOptions())
    live = options.live
    assert (options.encoding, options.channels, options.rate_hz) == ("mulaw", 2, 8_000)
    assert (live.context.chunk, live.delay.longest_chunk) == (2, 2)
    assert (live.vad, live.endpoint.min_silence_ms, settings.words) == (None, 1_000, False)


def test_separate_channels():
    assert StreamSettings().with_fields({"channels": "separate"}).channels == 2
    three = StreamSettings().with_fields({"channels": "separate", "channel_count": 3})
    assert (three.channels, three.separate, three.options(LiveOptions()).channels) == (3, True, 1)
    assert not three.with_fields({"channels": 2}).separate


def test_endpointing_may_be_off():
    settings = StreamSettings().with_fields({"endpointing": "off"})
    assert settings.options(LiveOptions()).live.endpoint is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_rate", "1"),
        ("sample_rate", "16000.5"),
        ("encoding", "mp3"),
        ("encoding", 5),
        ("channels", "0"),
        ("channels", "99"),
        ("channels", "seperate"),
        ("context", []),
        ("vad", "perhaps"),
    ],
)
def test_values_that_make_no_sense_are_named(name, value):
    with pytest.raises(WrongRequestError, match=name) as wrong:
        StreamSettings().with_fields({name: value})
    assert wrong.value.field == name


def test_what_does_not_fit_is_an_error_of_the_engine():
    with pytest.raises(ContextError):
        StreamSettings().with_fields({"context": "x"}).options(LiveOptions())
    with pytest.raises(OptionError):
        StreamSettings().with_fields({"endpointing": "x"}).options(LiveOptions())


@given(st.dictionaries(st.sampled_from(["channels", "context", "vad", "encoding"]), st.text()))
def test_any_query_gives_settings_or_errors_of_ours(query):
    with contextlib.suppress(WrongRequestError, ContextError, OptionError):
        StreamSettings().with_fields(query).options(LiveOptions())
