"""What holds for a transcription session in; how its live stream recognises, out. And back.

Rules of this file:

1. What a client does not ask for is as the server was started.
2. A client that commits itself gets one utterance for each commit, however long; voice activity
   then only spares computing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import MAX_DURATION_MS, VadOptions
from parakeet_streaming.languages.codes import known_codes
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.openai_realtime_settings import Settings, TurnDetection
from parakeet_streaming.timeline import ContextConfig

PRESET_OF_DELAY: Final = {
    "minimal": "low_latency",
    "low": "balanced",
    "medium": "high_quality",
    "high": "offline_like",
    "xhigh": "offline_like",
}
"""Contexts of docs/choosing-a-context.md by OpenAI's word for how long text may take."""
_LEAST_THRESHOLD: Final = 0.01
_LEAST_PADDING_MS: Final = 240.0
"""Of audio that is decoded before speech; with less, tokens would not be those without voice
activity. What the client is told is its own padding."""
_LEAST_DETECTED_MS: Final = 200.0
"""Silence that ends speech for the detector; a client may ask for less."""
_NO_AUDIO_S: Final = 2.0
"""Without any audio, before an utterance ends; more than a usual network holds audio up."""


def first_settings(model: str, defaults: LiveOptions) -> Settings:
    """A session for which nothing was asked."""
    endpoint, voice = defaults.endpoint, defaults.vad
    if endpoint is None:
        return Settings(model, turns=None)
    turns = TurnDetection(server_silence_ms=endpoint.min_silence_ms)
    if voice is not None:
        turns = replace(turns, threshold=voice.threshold, prefix_padding_ms=voice.prefix_padding_ms)
    return Settings(model, turns)


def live_options(settings: Settings, defaults: LiveOptions, rate_hz: int) -> LiveOptions:
    """How a stream of that session recognises audio of that rate."""
    delay = _delay(settings.delay, defaults.delay, rate_hz)
    asked = settings.languages if settings.language is None else (settings.language,)
    languages = known_codes(asked) or defaults.languages
    defaults = replace(defaults, boosting=settings.boosting, languages=languages)
    turns = settings.turns
    if turns is None:
        return replace(defaults, delay=delay, endpoint=None, no_audio_s=None)
    silence_s = turns.silence_ms / 1000
    return replace(
        defaults,
        delay=delay,
        vad=None if defaults.vad is None else _voice(turns, defaults.vad),
        endpoint=_endpoint(turns.silence_ms, defaults.endpoint or EndpointOptions()),
        no_audio_s=max(_NO_AUDIO_S, silence_s + 1.0),
    )


def _delay(delay: str | None, usual: DelayRange, rate_hz: int) -> DelayRange:
    """A chunk may grow as far as that of other streams of this server."""
    context = usual.context
    growth = usual.longest_chunk / context.chunk
    if delay is not None:
        context = ContextConfig.parse(PRESET_OF_DELAY[delay])
    context = replace(context, sample_rate=rate_hz)
    return DelayRange(context, max(context.chunk, growth * context.chunk))


def _voice(turns: TurnDetection, usual: VadOptions) -> VadOptions:
    usual_ms = min(usual.min_silence_ms, _LEAST_DETECTED_MS)
    if turns.kind == "semantic_vad":
        return replace(usual, min_silence_ms=usual_ms)
    threshold = max(_LEAST_THRESHOLD, turns.threshold)
    keeps = threshold == usual.threshold
    return replace(
        usual,
        threshold=threshold,
        neg_threshold=usual.neg_threshold if keeps else None,
        prefix_padding_ms=max(_LEAST_PADDING_MS, turns.prefix_padding_ms),
        min_silence_ms=min(usual_ms, turns.silence_ms),
    )


def _endpoint(silence_ms: float, usual: EndpointOptions) -> EndpointOptions:
    """The server's own, or for another silence what the presets have, and between them."""
    if silence_ms == usual.min_silence_ms:
        return usual
    return replace(
        usual,
        min_silence_ms=silence_ms,
        min_blank_ms=min(max(0.64 * silence_ms, 160.0), 640.0),
        blank_only_ms=min(max(2.4 * silence_ms, 800.0), MAX_DURATION_MS),
    )
