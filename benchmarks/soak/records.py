"""A random generator in; the plan of one caller, and the record of what its stream did, out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.soak.cuts import Cut, TokenKey, keys_of
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
from parakeet_streaming.engine.room_noise import REACH_SAMPLES, room_noise, room_of
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

Reading = Literal[
    "callback", "thread", "event loop", "now and then", "raising callback", "stopped thread"
]
Ending = Literal["finish", "cancel", "drop"]

READINGS: Final[dict[Reading, int]] = {
    "callback": 4, "thread": 4, "event loop": 3, "now and then": 3, "raising callback": 1,
    "stopped thread": 1,
}  # fmt: skip
"""What reads the events, by weight; a stopped thread ends before the stream does."""
ENDINGS: Final[dict[Ending, int]] = {"finish": 8, "cancel": 1, "drop": 2}
_CONTEXTS: Final = ("2-0.24-0.24", "5-0.48-0.48", "5-0.96-0.48", "8-2-1")
_RATES_HZ: Final = (16_000, 16_000, 16_000, 8_000, 48_000)


@dataclass(frozen=True)
class CallerPlan:
    """What was drawn for one caller."""

    options: LiveOptions
    reading: Reading
    ending: Ending
    length_s: float
    """Seconds of audio that it brings."""
    book_start: int
    breaks_at: int
    """Event at which a raising callback raises, or a thread stops."""

    @property
    def rate_hz(self) -> int:
        """Of the samples that it pushes."""
        return self.options.delay.context.sample_rate

    @classmethod
    def drawn(cls, random_source: random.Random) -> CallerPlan:
        """One at random."""
        reading = weighted(random_source, READINGS)
        ending = weighted(random_source, ENDINGS)
        rate_hz = random_source.choice(_RATES_HZ)
        left, chunk, right = (float(each) for each in random_source.choice(_CONTEXTS).split("-"))
        context = ContextConfig(left, chunk, right, rate_hz)
        longest = random_source.choice([1, 1, 4]) * context.chunk
        # For the strictest comparison no context may change, and no utterance end early.
        endpoint = random_source.choice(
            [None, None, *map(EndpointOptions.parse, ("aggressive", "relaxed"))]
        )
        vad = random_source.choice([None, VadOptions()])
        options = LiveOptions(
            DelayRange(context, longest), vad, endpoint, tentative=random_source.random() < 0.7
        )
        length_s = random_source.uniform(3, 45)
        book_start, breaks_at = random_source.randrange(2**20), random_source.randrange(1, 12)
        return cls(options, reading, ending, length_s, book_start, breaks_at)


@dataclass
class CallRecord:
    """What a caller pushed, and what its stream gave."""

    number: int
    plan: CallerPlan
    cuts: Sequence[Cut] = ()
    pushed: list[tuple[int, int]] = field(default_factory=list)
    """Start in the book and count of samples at the caller's rate; neighbours are one."""
    missing: list[tuple[int, int]] = field(default_factory=list)
    """Start in the stream and count of samples at 16 kHz that were refused."""
    tokens: list[TokenKey] = field(default_factory=list)
    """Of partials, as they came."""
    final_tokens: list[TokenKey] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Of finals."""
    gap_samples: int = 0
    """In `Gap` events, at 16 kHz."""
    error: BaseException | None = None
    """After the last event."""
    events: int = 0
    read_to_end: bool = False
    reader_stopped: bool = False
    """Whether its reader stopped before the end."""
    committed: list[int] = field(default_factory=list)
    """How many samples had been pushed when a commit was asked for."""
    outcome: str | None = None
    audio_s: float = 0.0
    """Decoded or skipped, as the stream says."""

    @property
    def refused(self) -> int:
        """Samples at 16 kHz that the stream did not take."""
        return sum(count for _, count in self.missing)

    @property
    def was_read(self) -> bool:
        """Whether every event came to a reader."""
        return self.read_to_end and not self.reader_stopped

    def note_push(self, start: int, count: int) -> None:
        """Takes note of samples that were pushed."""
        if self.pushed and start == sum(self.pushed[-1]):
            before_start, before = self.pushed[-1]
            self.pushed[-1] = (before_start, before + count)
        else:
            self.pushed.append((start, count))

    def note_commit(self) -> None:
        """Takes note of a commit."""
        self.committed.append(sum(count for _, count in self.pushed))

    def note_refusals(self, received: int, refused: int) -> None:
        """Takes note of the refusals since the last call: they end at position `received`."""
        new = refused - self.refused
        if new:
            self.missing.append((received - new, new))

    def note_event(self, event: Event) -> None:
        """Takes note of an event."""
        self.events += 1
        if isinstance(event, Partial):
            self.tokens += keys_of(event.tokens)
        elif isinstance(event, FinalEvent):
            self.final_tokens += keys_of(event.transcript.tokens)
            self.reasons.append(event.reason)
        elif isinstance(event, Gap):
            self.gap_samples += round((event.end - event.start) * SAMPLE_RATE_HZ)

    def timeline(self, book: NDArray[np.float32]) -> NDArray[np.float32]:
        """The stream's time, (n,) at 16 kHz, with the room's noise for what was refused."""
        parts = [np.empty(0, np.float32)]
        parts += [looped(book, start, count) for start, count in self.pushed]
        audio = np.concatenate(parts)
        if self.plan.rate_hz != SAMPLE_RATE_HZ:
            audio = np.concatenate(
                [
                    _resampled(part, self.plan.rate_hz)
                    for part in np.split(audio, [at for at in self.committed if at < len(audio)])
                ]
            )
        for start, count in _joined(self.missing):
            room = room_of(audio[max(0, start - REACH_SAMPLES) : start])
            audio[start : start + count] = room_noise(room, count, start)
        return audio


def _resampled(audio: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    resampler = Resampler(rate_hz)
    return np.concatenate([resampler.feed(audio), resampler.finish()])


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Start and length of stretches; those that touch are one."""
    joined: list[tuple[int, int]] = []
    for start, count in stretches:
        if joined and sum(joined[-1]) == start:
            joined[-1] = (joined[-1][0], joined[-1][1] + count)
        else:
            joined.append((start, count))
    return joined


def weighted(random_source: random.Random, weights: dict[Any, int]) -> Any:  # a key
    """One of the keys, by weight."""
    return random_source.choices([*weights], [*weights.values()])[0]
