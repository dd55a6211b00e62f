"""Whims in; what one caller of a live engine is like, and what became of it, out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.soak.cuts import Cut, Heard, heard_of
from benchmarks.speech.book import looped
from parakeet_streaming import (
    ContextConfig,
    DelayRange,
    EndpointOptions,
    Event,
    Gap,
    LiveOptions,
    Partial,
    VadOptions,
)
from parakeet_streaming import Final as FinalEvent
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

Reading = Literal["callback", "thread", "loop", "now and then", "thrower", "deserter"]
Ending = Literal["finish", "cancel", "drop"]

READINGS: Final[dict[Reading, int]] = {
    "callback": 4, "thread": 4, "loop": 3, "now and then": 3, "thrower": 1, "deserter": 1,
}  # fmt: skip
"""Who reads the events, by weight; a thrower's callback raises, a deserter's thread dies."""
ENDINGS: Final[dict[Ending, int]] = {"finish": 8, "cancel": 1, "drop": 2}
_CONTEXTS: Final = ("2-0.24-0.24", "5-0.48-0.48", "5-0.96-0.48", "8-2-1")
_RATES_HZ: Final = (16_000, 16_000, 16_000, 8_000, 48_000)


@dataclass(frozen=True)
class Manner:
    """What was drawn for one visitor."""

    options: LiveOptions
    reading: Reading
    ending: Ending
    length_s: float
    """Seconds of audio it brings."""
    book_start: int
    raises_at: int
    """Event at which a thrower raises, or a deserter's thread dies."""

    @classmethod
    def drawn(cls, whims: random.Random) -> Manner:
        """One at random."""
        reading = weighted(whims, READINGS)
        ending = weighted(whims, ENDINGS)
        rate_hz = whims.choice(_RATES_HZ)
        left, chunk, right = (float(each) for each in whims.choice(_CONTEXTS).split("-"))
        context = ContextConfig(left, chunk, right, rate_hz)
        longest = whims.choice([1, 1, 4]) * context.chunk
        # A context may not change for the strictest comparison, nor an utterance end.
        endpoint = whims.choice(
            [None, None, *map(EndpointOptions.parse, ("aggressive", "relaxed"))]
        )
        vad = whims.choice([None, VadOptions()])
        options = LiveOptions(
            DelayRange(context, longest), vad, endpoint, tentative=whims.random() < 0.7
        )
        length_s = whims.uniform(3, 45)
        return cls(
            options, reading, ending, length_s, whims.randrange(2**20), whims.randrange(1, 12)
        )


@dataclass
class Story:
    """What became of a visitor."""

    number: int
    manner: Manner
    cuts: Sequence[Cut] = ()
    pieces: list[tuple[int, int, int]] = field(default_factory=list)
    """Samples of audio: start, taken, refused."""
    heard: list[Heard] = field(default_factory=list)
    """Tokens of partials, as they came."""
    final: list[Heard] = field(default_factory=list)
    """Tokens of finals."""
    reasons: list[str] = field(default_factory=list)
    """Of finals."""
    missing: int = 0
    """Samples in gaps, at the stream's rate."""
    error: BaseException | None = None
    """Behind the last event."""
    events: int = 0
    read_out: bool = False
    """Whether somebody read to the end."""
    left: bool = False
    """Whether its reader went before the end, as a deserter does."""
    commits: int = 0
    outcome: str | None = None
    refused: int = 0
    audio_s: float = 0.0
    """That the stream says it decoded."""

    def pushed(self, start: int, taken: int, refused: int) -> None:
        """Takes note of audio; what follows the piece before becomes one with it."""
        self.refused += refused
        if self.pieces:
            before_start, before, missing = self.pieces[-1]
            if not missing and start == before_start + before:
                self.pieces[-1] = (before_start, before + taken, refused)
                return
        self.pieces.append((start, taken, refused))

    def told(self, event: Event) -> None:
        """Takes note of an event."""
        self.events += 1
        if isinstance(event, Partial):
            self.heard += heard_of(event.tokens)
        elif isinstance(event, FinalEvent):
            self.final += heard_of(event.transcript.tokens)
            self.reasons.append(event.reason)
        elif isinstance(event, Gap):
            rate_hz = self.manner.options.delay.context.sample_rate
            self.missing += round((event.end - event.start) * rate_hz)

    def timeline(self, book: NDArray[np.float32]) -> NDArray[np.float32]:
        """The stream's time, (n,) at 16 kHz, with zeros for what was refused."""
        parts = [np.empty(0, np.float32)]
        for start, taken, refused in self.pieces:
            parts += [looped(book, start, taken), np.zeros(refused, np.float32)]
        audio = np.concatenate(parts)
        rate_hz = self.manner.options.delay.context.sample_rate
        if rate_hz == SAMPLE_RATE_HZ:
            return audio
        resampler = Resampler(rate_hz)
        return np.concatenate([resampler.feed(audio), resampler.finish()])


def weighted(whims: random.Random, weights: dict[Any, int]) -> Any:  # a key
    return whims.choices([*weights], [*weights.values()])[0]
