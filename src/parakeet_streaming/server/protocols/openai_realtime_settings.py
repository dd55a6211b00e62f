"""What a client asks of a transcription session in; what holds for it, and how it is told, out.

Rules of this file:

1. Only fields that are present change; null clears. A wrong value changes nothing at all.
2. Today's names and those of before stand for the same. Which are used to tell the session depends
   on which the client used.
3. What has no effect here, such as a language, is kept and told; noise reduction is told as null.
   Keywords are boosted, and so are the terms of a prompt that lists some.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from parakeet_streaming.audio.pcm import MAX_CHANNELS
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.server.protocols.fields import Fields
from parakeet_streaming.server.protocols.phrases import boosting_from, listed, terms_of_prompt
from parakeet_streaming.server.replies import WrongRequestError

RATES_HZ: Final = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Of PCM; OpenAI itself knows 24 kHz only."""
DELAYS: Final = ("minimal", "low", "medium", "high", "xhigh")
EAGERNESS: Final = {"low": 2_000.0, "medium": 1_000.0, "high": 500.0, "auto": 1_000.0}
"""Milliseconds that silence must last, for OpenAI's semantic turn detection."""
LOGPROBS: Final = "item.input_audio_transcription.logprobs"
MOST_SILENCE_MS: Final = 20_000.0
_MOST_IDLE_MS: Final = 3_600_000.0
_MOST_INCLUDED: Final = 16
_G711: Final = {"audio/pcmu": "mulaw", "audio/pcma": "alaw"}
_OLDER_G711: Final = {"g711_ulaw": "mulaw", "g711_alaw": "alaw"}
_NAMED_PCM: Final = re.compile(r"pcm_s16le_([1-9][0-9]{3,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How audio comes."""

    encoding: str = "s16le"
    """s16le, mulaw or alaw."""
    rate_hz: int = 24_000
    channels: int = 1


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When the server itself ends an utterance."""

    kind: str = "server_vad"
    """Or semantic_vad, of which only `eagerness` counts."""
    threshold: float = 0.5
    prefix_padding_ms: float = 300.0
    server_silence_ms: float = 500.0
    idle_timeout_ms: float | None = None
    eagerness: str = "auto"

    @property
    def silence_ms(self) -> float:
        """Milliseconds of silence that end an utterance."""
        is_semantic = self.kind == "semantic_vad"
        return EAGERNESS[self.eagerness] if is_semantic else self.server_silence_ms

    @property
    def idle_s(self) -> float | None:
        """Seconds of audio without speech after which the client is told so."""
        return None if self.idle_timeout_ms is None else self.idle_timeout_ms / 1000

    def told(self) -> dict[str, object]:
        """As the client is told it."""
        if self.kind == "semantic_vad":
            return {"type": self.kind, "eagerness": self.eagerness}
        told: dict[str, object] = {
            "type": self.kind,
            "threshold": self.threshold,
            "prefix_padding_ms": round(self.prefix_padding_ms),
            "silence_duration_ms": round(self.server_silence_ms),
        }
        if self.idle_timeout_ms is not None:
            told["idle_timeout_ms"] = round(self.idle_timeout_ms)
        return told


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a session."""

    model: str
    """As the client calls it."""
    turns: TurnDetection | None = TurnDetection()
    """None: the client commits."""
    audio: AudioFormat = AudioFormat()
    delay: str | None = None
    """One of `DELAYS`; None for what the server was started with."""
    language: str | None = None
    languages: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    prompt: str | None = None
    include: tuple[str, ...] = ()

    @property
    def boosting(self) -> Boosting | None:
        """What is boosted.

        Raises:
            WrongRequestError: more or longer keywords than are possible.
        """
        return boosting_from((*terms_of_prompt(self.prompt), *self.keywords), "keywords")

    @property
    def wants_logprobs(self) -> bool:
        """Whether each token's log probability is told."""
        return LOGPROBS in self.include

    def updated(self, session: Fields) -> Settings:
        """With what a client's `session` object asks for, in today's names or in older ones.

        Raises:
            WrongRequestError: a field is wrong; its path is named.
        """
        session.choice("type", ("transcription",))
        settings = self
        if "include" in session:
            settings = replace(settings, include=session.texts("include")[:_MOST_INCLUDED])
        audio = session.inner("audio")
        given = None if audio is None else audio.inner("input")
        if given is not None:
            settings = settings._of_names(given, "transcription")
            form = given.inner("format")
            if "format" in given:
                settings = replace(settings, audio=AudioFormat() if form is None else _format(form))
        settings = settings._of_names(session, "input_audio_transcription")
        if "input_audio_format" in session:
            name = session.text("input_audio_format")
            found = AudioFormat() if name is None else named_format(name)
            if found is None:
                names = "pcm16, pcm_s16le_RATE, g711_ulaw, g711_alaw"
                raise session.mistake(
                    "input_audio_format", f"is no format here; use one of {names}"
                )
            settings = replace(settings, audio=found)
        numbers = session.inner("input_audio_params")
        if numbers is not None:
            now = settings.audio
            rate_hz = _rate_hz(numbers, "sample_rate_hz") or now.rate_hz
            channels = numbers.whole("num_channels", 1, MAX_CHANNELS) or now.channels
            settings = replace(settings, audio=AudioFormat(now.encoding, rate_hz, channels))
        return settings

    def told(self, session_id: str) -> dict[str, object]:
        """The session in today's names."""
        return {
            "id": session_id,
            "object": "realtime.transcription_session",
            "type": "transcription",
            "include": list(self.include),
            "audio": {
                "input": {
                    "format": self._told_format(),
                    "noise_reduction": None,
                    "transcription": self._told_transcription(),
                    "turn_detection": None if self.turns is None else self.turns.told(),
                }
            },
        }

    def told_before(self, session_id: str) -> dict[str, object]:
        """The session in the names of before."""
        audio = self.audio
        names = {encoding: name for name, encoding in _OLDER_G711.items()}
        return {
            "id": session_id,
            "object": "realtime.transcription_session",
            "include": list(self.include),
            "input_audio_format": names.get(audio.encoding, "pcm16"),
            "input_audio_params": {
                "sample_rate_hz": audio.rate_hz,
                "num_channels": audio.channels,
            },
            "input_audio_noise_reduction": None,
            "input_audio_transcription": self._told_transcription(),
            "turn_detection": None if self.turns is None else self.turns.told(),
        }

    def _told_format(self) -> dict[str, object]:
        names = {encoding: name for name, encoding in _G711.items()}
        if self.audio.encoding in names:
            return {"type": names[self.audio.encoding]}
        return {"type": "audio/pcm", "rate": self.audio.rate_hz}

    def _told_transcription(self) -> dict[str, object]:
        told: dict[str, object] = {"model": self.model}
        for name in ("language", "languages", "keywords", "prompt", "delay"):
            value = getattr(self, name)
            if value:
                told[name] = list(value) if isinstance(value, tuple) else value
        return told

    def _of_names(self, given: Fields, transcription: str) -> Settings:
        """With turn detection and transcription, which are alike in both dialects."""
        settings = self
        if "turn_detection" in given:
            wanted = given.inner("turn_detection")
            settings = replace(
                settings, turns=None if wanted is None else _turns(wanted, self.turns)
            )
        about = given.inner(transcription)
        if about is None:
            return settings
        if "delay" in about:
            settings = replace(settings, delay=about.choice("delay", DELAYS))
        if "language" in about:
            settings = replace(settings, language=about.short_text("language"))
        if "prompt" in about:
            settings = replace(settings, prompt=about.short_text("prompt"))
        if "languages" in about:
            settings = replace(settings, languages=about.texts("languages"))
        if "keywords" in about:
            settings = replace(settings, keywords=_keywords(about))
        return replace(settings, model=about.short_text("model") or settings.model)


def _keywords(about: Fields) -> tuple[str, ...]:
    phrases = listed(about, "keywords") or ()
    return tuple(each.text for each in phrases)


def named_format(name: str) -> AudioFormat | None:
    """A format by one of its older names; None where there is no such format."""
    if name == "pcm16":
        return AudioFormat()
    if name in _OLDER_G711:
        return AudioFormat(_OLDER_G711[name], 8_000)
    match = _NAMED_PCM.fullmatch(name)
    if match is None or int(match.group(1)) not in RATES_HZ:
        return None
    return AudioFormat("s16le", int(match.group(1)))


def with_query_format(settings: Settings, name: str | None) -> Settings:
    """With the format that the address asks for, as Together's does.

    Raises:
        WrongRequestError: there is no such format.
    """
    if name is None:
        return settings
    found = named_format(name)
    if found is None:
        raise WrongRequestError(
            "input_audio_format is no format here; use pcm16, pcm_s16le_RATE, g711_ulaw or "
            "g711_alaw",
            "input_audio_format",
        )
    return replace(settings, audio=found)


def _format(form: Fields) -> AudioFormat:
    kind = form.choice("type", ("audio/pcm", *_G711))
    if kind in _G711:
        return AudioFormat(_G711[kind], 8_000)
    return AudioFormat("s16le", _rate_hz(form, "rate") or AudioFormat().rate_hz)


def _rate_hz(fields: Fields, name: str) -> int | None:
    rate_hz = fields.whole(name, min(RATES_HZ), max(RATES_HZ))
    if rate_hz is not None and rate_hz not in RATES_HZ:
        raise fields.mistake(name, f"is {rate_hz}; use one of {', '.join(map(str, RATES_HZ))}")
    return rate_hz


def _turns(wanted: Fields, before: TurnDetection | None) -> TurnDetection | None:
    kind = wanted.choice("type", ("server_vad", "semantic_vad", "none"))
    if kind == "none":
        return None
    now = before or TurnDetection()
    if "idle_timeout_ms" in wanted:
        idle_ms = wanted.number("idle_timeout_ms", 0, _MOST_IDLE_MS)
        now = replace(now, idle_timeout_ms=idle_ms or None)
    asked: dict[str, Any] = {
        "kind": kind,
        "threshold": wanted.number("threshold", 0, 1),
        "prefix_padding_ms": wanted.number("prefix_padding_ms", 0, MOST_SILENCE_MS),
        "server_silence_ms": wanted.number("silence_duration_ms", 0, MOST_SILENCE_MS),
        "eagerness": wanted.choice("eagerness", tuple(EAGERNESS)),
    }
    return replace(now, **{name: value for name, value in asked.items() if value is not None})
