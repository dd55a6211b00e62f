"""A seed and a number in; one caller of a live engine, with its whims, out.

A visitor is a generator: it does something, and yields the moment at which it wants to go on. All
of it is drawn from the seed beforehand and as it goes, so the same seed makes the same visitors,
whatever the machine does in between.

Rules of this file:

1. What was taken, and what was refused while the stream ran, is noted: it is the stream's time, and
   what the same audio alone is made of. A paused stream has no time.
2. Whatever reads events takes note of tokens as they come, and of the error behind them.
3. A visitor that vanishes keeps nothing that would hold its stream.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pacing import PACKET_SAMPLES
from parakeet_streaming import (
    ContextConfig,
    DelayRange,
    EndpointOptions,
    Event,
    Gap,
    LiveOptions,
    LiveStream,
    Partial,
    VadOptions,
)
from parakeet_streaming import Final as FinalEvent
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds
from speech import looped
from talkers import Engine
from witness import Cut, Heard, Witness, heard_of

Reading = Literal["callback", "thread", "loop", "now and then", "thrower", "deserter"]
Ending = Literal["finish", "cancel", "drop"]

READINGS: Final[dict[Reading, int]] = {
    "callback": 4, "thread": 4, "loop": 3, "now and then": 3, "thrower": 1, "deserter": 1,
}  # fmt: skip
"""Who reads the events, by weight; a thrower's callback raises, a deserter's thread dies."""
ENDINGS: Final[dict[Ending, int]] = {"finish": 8, "cancel": 1, "drop": 2}
ACTS: Final = {"speak": 12, "burst": 2, "stall": 2, "pause": 2, "commit": 1, "read": 3}
PATIENCE_S: Final = 120.0
"""How long a reader waits for an event before it calls the stream stuck."""
_CONTEXTS: Final = ("2-0.24-0.24", "5-0.48-0.48", "5-0.96-0.48", "8-2-1")
_RATES_HZ: Final = (16_000, 16_000, 16_000, 8_000, 48_000)


class Whim(Exception):  # noqa: N818  # it is no error of the engine's
    """What a consumer raises."""


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
        reading = _weighted(whims, READINGS)
        ending = _weighted(whims, ENDINGS)
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


class Visitor:
    """One caller."""

    def __init__(
        self,
        number: int,
        seed: int,
        book: NDArray[np.float32],
        now: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`book`: (n,), taken as audio of whatever rate; `loop` runs in a thread of its own."""
        self._whims = random.Random(f"{seed}-{number}")
        self.manner = Manner.drawn(self._whims)
        self.threads: list[threading.Thread] = []
        self.story: Story | None = None
        """What became of it; None while it was not let in."""
        self._number = number
        self._book = book
        self._now = now
        self._loop = loop
        self._at = self.manner.book_start

    def visit(self, engine: Engine, witness: Witness) -> Iterator[float]:
        """Opens a stream, speaks and goes.

        Raises:
            CapacityError: it was not let in.
        """
        story = Story(self._number, self.manner)
        stream = engine.open(self.manner.options, self._callback(story))
        story.cuts = witness.opened
        self.story = story
        self._read(stream, story)
        rate_hz = self.manner.options.delay.context.sample_rate
        ends_at = self._at + round(self.manner.length_s * rate_hz)
        while self._at < ends_at and stream.outcome is None:
            yield from self._act(stream, story, rate_hz)
        yield from self._end(stream, story)

    def _act(self, stream: LiveStream, story: Story, rate_hz: int) -> Iterator[float]:
        act = _weighted(self._whims, ACTS)
        if act == "speak":
            yield from self._speak(stream, story, rate_hz)
        elif act == "burst":
            self._push(stream, story, round(self._whims.uniform(0.5, 8) * rate_hz))
        elif act == "stall":
            yield self._now() + self._whims.uniform(0.1, 4)
        elif act == "pause":
            stream.pause()
            # Nobody hears this, and it takes no time of the stream's.
            stream.push(looped(self._book, self._at, PACKET_SAMPLES))
            yield self._now() + self._whims.uniform(0, 2)
            stream.resume()
        elif act == "commit":
            story.commits += 1
            stream.commit()
        elif self.manner.reading == "now and then":
            _take_all(stream, story, 0.0)

    def _speak(self, stream: LiveStream, story: Story, rate_hz: int) -> Iterator[float]:
        """In real time, on an absolute clock."""
        packet = self._whims.choice([80, 160, 320, 333, 512, 1600, 4096])
        next_s = self._now()
        for _ in range(max(1, round(self._whims.uniform(0.2, 4) * rate_hz / packet))):
            next_s += samples_to_seconds(packet, rate_hz)
            yield next_s
            self._push(stream, story, packet)

    def _push(self, stream: LiveStream, story: Story, count: int) -> None:
        taken = stream.push(looped(self._book, self._at, count))
        # A stream that has ended, or is about to, takes nothing and refuses nothing either.
        refused = 0 if taken == count else stream.stats().refused_samples - story.refused
        story.pushed(self._at, taken, refused)
        self._at += count

    def _end(self, stream: LiveStream, story: Story) -> Iterator[float]:
        ending = self.manner.ending
        if self.manner.reading in ("thread", "loop", "deserter") and ending == "drop":
            ending = "cancel"  # whoever waits for events holds the stream
        if ending == "drop":
            return
        getattr(stream, ending)()
        waits_until = self._now() + PATIENCE_S
        while stream.outcome is None and self._now() < waits_until:
            yield self._now() + 0.05
        if self.manner.reading in ("now and then", "callback", "thrower"):
            # Behind a callback that raised, the rest can be read.
            _take_all(stream, story, 0.0)
        while any(thread.is_alive() for thread in self.threads) and self._now() < waits_until:
            yield self._now() + 0.05
        while self.manner.reading == "loop" and not story.read_out and self._now() < waits_until:
            yield self._now() + 0.05
        story.outcome = stream.outcome or "stuck"
        story.audio_s = stream.transcript().audio_s

    def _callback(self, story: Story) -> Callable[[Event], None] | None:
        raises_at = self.manner.raises_at

        def throw(event: Event) -> None:
            story.told(event)
            if story.events == raises_at:
                raise Whim(f"event {raises_at}")

        return {"callback": story.told, "thrower": throw}.get(self.manner.reading)

    def _read(self, stream: LiveStream, story: Story) -> None:
        """Begins to read, where somebody else than a callback does."""
        act: Callable[[], None]
        if self.manner.reading == "thread":
            act = lambda: _take_all(stream, story, PATIENCE_S)  # noqa: E731
        elif self.manner.reading == "deserter":
            act = lambda: _desert(stream, story, self.manner.raises_at)  # noqa: E731
        elif self.manner.reading == "loop":
            asyncio.run_coroutine_threadsafe(_take_async(stream, story), self._loop)
            return
        else:
            return
        thread = threading.Thread(target=act, name=f"reader {self._number}", daemon=True)
        self.threads.append(thread)
        thread.start()


def _take_all(stream: LiveStream, story: Story, timeout_s: float) -> None:
    """Reads until the end, or until nothing comes in time."""
    try:
        while (event := stream.get(timeout_s)) is not None:
            story.told(event)
        story.read_out = True
    except TimeoutError:
        return
    except BaseException as error:  # whatever ended the stream
        # Its traceback holds the stream.
        story.error, story.read_out = error.with_traceback(None), True


def _desert(stream: LiveStream, story: Story, events: int) -> None:
    for _ in range(events):
        try:
            event = stream.get(PATIENCE_S)
        except TimeoutError:
            return
        if event is None:
            story.read_out = True
            return
        story.told(event)
    story.left = True


async def _take_async(stream: LiveStream, story: Story) -> None:
    try:
        async for event in stream:
            story.told(event)
    except BaseException as error:  # as above
        story.error = error.with_traceback(None)
    story.read_out = True


def _weighted(whims: random.Random, weights: dict[Any, int]) -> Any:  # a key
    return whims.choices([*weights], [*weights.values()])[0]
