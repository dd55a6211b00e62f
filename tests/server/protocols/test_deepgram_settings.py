from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.deepgram_settings import ListenSettings, settings_of
from parakeet_streaming.server.replies import WrongRequestError

LINEAR = {"encoding": "linear16", "sample_rate": "16000"}
NAMES = (
    *("model", "encoding", "sample_rate", "channels", "multichannel", "interim_results"),
    *("endpointing", "utterance_end_ms", "vad_events", "utterances", "context", "redact", "tag"),
)
VALUES = st.text(max_size=6) | st.sampled_from(
    ["true", "false", "0", "1", "8000", "-1", "1e3", "nan", "inf", "linear16", "mulaw", "5-1-1"]
)


def live(**query):
    return settings_of({**LINEAR, **query}).options(LiveOptions()).live


def test_what_is_left_out_is_what_deepgram_takes():
    assert settings_of({}) == ListenSettings()


def test_everything_that_is_known():
    query = {
        **{"model": "nova-3", "encoding": "MuLaw", "channels": "2", "multichannel": "true"},
        **{"interim_results": "true", "endpointing": "300", "utterance_end_ms": "1000"},
        **{"vad_events": "1", "utterances": "true", "context": "5-1-1", "punctuate": "x"},
    }
    settings = settings_of(query)
    assert settings == ListenSettings(
        "nova-3", "mulaw", 8_000, 2, True, True, 300.0, True, 1.0, True, True, "5-1-1"
    )
    assert settings.streams == 2
    assert replace(settings, separate=False).streams == 1


def test_silence_that_ends_an_utterance():
    default = LiveOptions().endpoint
    assert live().endpoint == default
    assert live(endpointing="true").endpoint == default
    assert live(endpointing="false").endpoint is None
    assert live(endpointing="700").endpoint.min_silence_ms == 700
    assert live(endpointing="10").endpoint.min_blank_ms == 160
    assert live(endpointing="2000").endpoint.blank_only_ms == 2400


def test_the_context_is_the_server_s_unless_another_one_is_asked_for():
    usual = LiveOptions().delay
    assert live().delay.longest_chunk == usual.longest_chunk
    assert str(live(context="10-1-1").context) == "10-1-1"
    assert live(context="10-1-1").delay.longest_chunk == 4.0


def test_a_server_that_ends_no_utterance_does_where_it_is_asked_to():
    defaults = replace(LiveOptions(), endpoint=None)
    settings = settings_of(LINEAR)
    assert settings.options(defaults).live.endpoint is None
    settings = settings_of({**LINEAR, "endpointing": "300"})
    assert settings.options(defaults).live.endpoint.min_silence_ms == 300


@pytest.mark.parametrize("query", [{}, {"encoding": "linear16"}, {"sample_rate": "8000"}])
def test_live_audio_must_be_described(query):
    with pytest.raises(WrongRequestError, match="is missing"):
        settings_of(query).options(LiveOptions())


def test_an_encoding_that_is_not_decoded_is_named():
    with pytest.raises(WrongRequestError, match="encoding 'speex' is not decoded here"):
        settings_of({"encoding": "speex", "sample_rate": "16000"})


@pytest.mark.parametrize("name", ["callback", "redact"])
def test_what_would_be_missed_is_refused(name):
    with pytest.raises(WrongRequestError, match="not supported"):
        settings_of({name: "x"})
    settings_of({name: ""})


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8))
def test_any_query_makes_options_or_an_error_of_ours(query):
    try:
        settings = settings_of(query)
        options = settings.options(LiveOptions())
    except ParakeetError:
        return
    assert options.rate_hz == settings.rate_hz
    assert options.encoding == settings.encoding


def test_languages_that_are_known():
    raw = {"encoding": "linear16", "sample_rate": "16000"}
    for asked, languages in (("de", ("de",)), ("multi", ()), ("pt-BR", ("pt-BR",))):
        settings = settings_of({**raw, "language": asked})
        assert settings.options(LiveOptions()).live.languages == languages
