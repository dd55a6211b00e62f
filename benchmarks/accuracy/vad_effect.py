"""Recordings in; what voice activity changed in their tokens, and what it saved, out.

Rules of this file:

1. Each recording is decoded twice by a live engine in a context that does not change: with voice
   activity and without.
2. Tokens are compared, with their frames. A token that only one of both has lies within speech or
   in a pause: in sparse speech the places of the recordings say which; in a recording, voice
   activity itself, with its padding.
3. The decoder remembers what it said. Where it makes something up in a pause, as it does without
   voice activity, it goes on from there: differences in the first speech after that are counted
   apart, as `carried`.
4. Computing is what the engine measured: encoder steps, their seconds, those of voice activity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scores import WordErrors, total, word_errors
from benchmarks.report.tables import progress
from benchmarks.speech.sparse import Recording, Stretch
from parakeet_streaming import (
    ContextConfig,
    DelayRange,
    Event,
    LiveEngine,
    LiveOptions,
    Recognizer,
    SpeechEnded,
    SpeechStarted,
    Token,
    VadOptions,
)
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.timeline import samples_to_seconds

Where = Literal["speech", "carried", "pause"]

_ALL_AT_ONCE_S: Final = 3_600.0
_EDGE_S: Final = 0.2
"""By the model's account a token may begin so much before its sound, or end so much after it."""


@dataclass(frozen=True)
class Decoding:
    """One recording, decoded by a live engine."""

    tokens: tuple[Token, ...]
    text: str
    speech: tuple[Stretch, ...]
    """Seconds between which voice activity found speech."""
    steps: int
    skipped: int
    encoder_s: float
    decoder_s: float
    vad_s: float


@dataclass(frozen=True)
class Difference:
    """A token that only one of both has."""

    at_s: float
    text: str
    with_vad: bool
    """Whether it is the one with voice activity that has it."""
    where: Where


@dataclass(frozen=True)
class Effect:
    """What voice activity did to one kind of recording."""

    name: str
    recordings: int
    audio_s: float
    equal: int
    """Recordings whose text is the same."""
    tokens: int
    """Without voice activity."""
    differences: tuple[Difference, ...]
    errors_on: WordErrors
    errors_off: WordErrors
    steps_on: int
    steps_off: int
    encoder_on_s: float
    encoder_off_s: float
    decoder_on_s: float
    decoder_off_s: float
    vad_s: float

    @property
    def saved(self) -> float:
        """Part of the seconds of computing, those of voice activity counted."""
        on_s = self.encoder_on_s + self.decoder_on_s + self.vad_s
        off_s = self.encoder_off_s + self.decoder_off_s
        return 1 - on_s / off_s if off_s else 0.0


class Decoder:
    """Decodes samples with and without voice activity."""

    def __init__(
        self,
        recognizer: Recognizer,
        vad: VoiceActivity,
        context: ContextConfig,
        options: VadOptions,
    ) -> None:
        self._recognizer = recognizer
        self._vad = vad
        self._delay = DelayRange.fixed(context)
        self._options = options

    def decode(self, samples: NDArray[np.float32], *, with_vad: bool) -> Decoding:
        """Samples (n,) at 16 kHz, as fast as it can be done."""
        options = LiveOptions(self._delay, self._options if with_vad else None, None)
        with LiveEngine(self._recognizer, self._vad, most_ring_s=_ALL_AT_ONCE_S) as engine:
            stream = engine.open(options)
            stream.push(samples)
            stream.finish()
            events = list(stream)
            stats, metrics = stream.stats(), engine.metrics
            transcript = stream.transcript()
        return Decoding(
            transcript.tokens,
            transcript.text,
            _speech_in(events, self._options, samples_to_seconds(samples.shape[0])),
            stats.steps,
            stats.skipped,
            metrics.encoder_step_seconds.snapshot().sum,
            metrics.decoder_step_seconds.snapshot().sum,
            metrics.vad_step_seconds.snapshot().sum,
        )


def measure(name: str, recordings: Sequence[Recording], decoder: Decoder) -> Effect:
    """Decodes everything twice."""
    pairs = []
    found: list[Difference] = []
    for each in progress(recordings, name):
        on, off = (decoder.decode(each.samples, with_vad=vad) for vad in (True, False))
        pairs.append((on, off))
        found += differences(off.tokens, on.tokens, each.speech or on.speech)
    texts = [each.text for each in recordings]
    return Effect(
        name=name,
        recordings=len(recordings),
        audio_s=sum(samples_to_seconds(each.samples.shape[0]) for each in recordings),
        equal=sum(on.text == off.text for on, off in pairs),
        tokens=sum(len(off.tokens) for _, off in pairs),
        differences=tuple(found),
        errors_on=total(
            word_errors(text, on.text) for text, (on, _) in zip(texts, pairs, strict=True)
        ),
        errors_off=total(
            word_errors(text, off.text) for text, (_, off) in zip(texts, pairs, strict=True)
        ),
        steps_on=sum(on.steps for on, _ in pairs),
        steps_off=sum(off.steps for _, off in pairs),
        encoder_on_s=sum(on.encoder_s for on, _ in pairs),
        encoder_off_s=sum(off.encoder_s for _, off in pairs),
        decoder_on_s=sum(on.decoder_s for on, _ in pairs),
        decoder_off_s=sum(off.decoder_s for _, off in pairs),
        vad_s=sum(on.vad_s for on, _ in pairs),
    )


def differences(
    off: Sequence[Token], on: Sequence[Token], speech: Sequence[Stretch]
) -> list[Difference]:
    """Tokens that are not the same, and where they lie; rules 2 and 3."""
    found = _only_in_one(off, on)
    made_up_s = [token.start for token, _ in found if _stretch(token, speech) is None]

    def where(token: Token) -> Where:
        stretch = _stretch(token, speech)
        if stretch is None:
            return "pause"
        before_s = max((end for _, end in speech if end <= stretch[0]), default=0.0)
        carried = any(before_s <= at_s < stretch[0] + _EDGE_S for at_s in made_up_s)
        return "carried" if carried else "speech"

    return [Difference(token.start, token.text, vad, where(token)) for token, vad in found]


def _only_in_one(off: Sequence[Token], on: Sequence[Token]) -> list[tuple[Token, bool]]:
    off_keys, on_keys = ([(each.id, each.start_frame) for each in tokens] for tokens in (off, on))
    matcher = SequenceMatcher(None, off_keys, on_keys, autojunk=False)
    found: list[tuple[Token, bool]] = []
    for what, off_from, off_to, on_from, on_to in matcher.get_opcodes():
        if what != "equal":
            found += [(token, False) for token in off[off_from:off_to]]
            found += [(token, True) for token in on[on_from:on_to]]
    return sorted(found, key=lambda pair: pair[0].start)


def _speech_in(events: Sequence[Event], options: VadOptions, end_s: float) -> tuple[Stretch, ...]:
    """Where voice activity found speech, with its padding."""
    starts = [event.at for event in events if isinstance(event, SpeechStarted)]
    ends = [event.at for event in events if isinstance(event, SpeechEnded)]
    before_s, after_s = options.prefix_padding_ms / 1000, options.hangover_ms / 1000
    ends += [end_s] * (len(starts) - len(ends))
    return tuple((start - before_s, end + after_s) for start, end in zip(starts, ends, strict=True))


def _stretch(token: Token, speech: Sequence[Stretch]) -> Stretch | None:
    """Where the token was spoken; None in a pause."""
    for start, end in speech:
        if token.start < end + _EDGE_S and token.end > start - _EDGE_S:
            return start, end
    return None
