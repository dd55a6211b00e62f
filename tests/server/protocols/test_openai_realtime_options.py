from dataclasses import replace

import pytest

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.openai_realtime_options import (
    first_settings,
    live_options,
)
from parakeet_streaming.server.protocols.openai_realtime_settings import (
    DELAYS,
    EAGERNESS,
    Settings,
    TurnDetection,
)
from parakeet_streaming.timeline import ContextConfig

USUAL = LiveOptions()


def of(turns, usual=USUAL, **fields):
    return live_options(Settings("m", turns, **fields), usual, 24_000)


def test_without_wishes_it_is_as_the_server_was_started():
    usual = replace(USUAL, vad=VadOptions(threshold=0.6), endpoint=EndpointOptions.parse("relaxed"))
    settings = first_settings("m", usual)
    made = live_options(settings, usual, 16_000)
    assert (made.vad, made.endpoint, made.delay) == (usual.vad, usual.endpoint, usual.delay)
    assert settings.turns.silence_ms == 1_000
    assert live_options(settings, usual, 48_000).context.sample_rate == 48_000


def test_a_server_without_endpoints_leaves_commits_to_the_client():
    usual = replace(USUAL, endpoint=None)
    assert first_settings("m", usual).turns is None
    assert first_settings("m", replace(USUAL, vad=None)).turns == TurnDetection()
    assert live_options(first_settings("m", replace(USUAL, vad=None)), USUAL, 8_000).endpoint


def test_server_vad():
    made = of(TurnDetection("server_vad", 0.7, 600, 350))
    assert (made.vad.threshold, made.vad.prefix_padding_ms) == (0.7, 600)
    assert made.endpoint.min_silence_ms == 350
    assert 160 <= made.endpoint.min_blank_ms <= 320
    assert of(TurnDetection(server_silence_ms=100)).vad.min_silence_ms == 100
    assert of(TurnDetection(), replace(USUAL, vad=None)).vad is None


@pytest.mark.parametrize("preset", ["aggressive", "balanced", "relaxed"])
def test_the_presets_are_what_their_silence_gives(preset):
    wanted = EndpointOptions.parse(preset)
    usual = replace(USUAL, endpoint=EndpointOptions(min_silence_ms=123))
    assert of(TurnDetection(server_silence_ms=wanted.min_silence_ms), usual).endpoint == wanted


@pytest.mark.parametrize("threshold", [0, 0.001, 1])
@pytest.mark.parametrize("padding_ms", [0, 20_000])
@pytest.mark.parametrize("silence_ms", [0, 20_000])
def test_every_setting_can_be_recognised_with(threshold, padding_ms, silence_ms):
    of(TurnDetection("server_vad", threshold, padding_ms, silence_ms))


@pytest.mark.parametrize("eagerness", EAGERNESS)
def test_semantic_vad(eagerness):
    made = of(TurnDetection("semantic_vad", 0.9, eagerness=eagerness))
    assert made.endpoint.min_silence_ms == EAGERNESS[eagerness]
    assert made.vad == USUAL.vad


def test_a_client_that_commits_itself():
    made = of(None)
    assert made.endpoint is None
    assert made.no_audio_s is None
    assert made.vad == USUAL.vad


def test_delays_are_contexts_in_order():
    latencies = [of(None, delay=delay).context.latency_s for delay in DELAYS]
    assert latencies == sorted(latencies)
    assert len(set(latencies)) == 4
    assert str(of(None, delay="minimal").context) == "2-0.25-0.25"


def test_a_chunk_grows_as_those_of_the_server():
    fixed = replace(USUAL, delay=DelayRange.fixed(ContextConfig.balanced()))
    grows = of(None, delay="medium").delay
    assert grows.longest_chunk == 4 * grows.context.chunk
    kept = of(None, fixed, delay="medium").delay
    assert kept.longest_chunk == kept.context.chunk
