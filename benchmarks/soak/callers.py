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
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.arrivals import PACKET_SAMPLES
from benchmarks.live.speakers import Engine
from benchmarks.soak.cuts import Witness
from benchmarks.soak.records import Manner, Story, weighted
from benchmarks.speech.book import looped
from parakeet_streaming import Event, LiveStream
from parakeet_streaming.timeline import samples_to_seconds

ACTS: Final = {"speak": 12, "burst": 2, "stall": 2, "pause": 2, "commit": 1, "read": 3}
PATIENCE_S: Final = 120.0
"""How long a reader waits for an event before it calls the stream stuck."""


class Whim(Exception):  # noqa: N818  # it is no error of the engine's
    """What a consumer raises."""


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
        act = weighted(self._whims, ACTS)
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
