"""A seed and a number in; one caller of a live engine, which acts at random, out.

A call is a generator: it does something, and yields the moment at which it wants to go on. All of
it is drawn from the seed beforehand and as it goes, so the same seed makes the same callers,
whatever the machine does in between.

Rules of this file:

1. What was pushed, and what was refused, is noted: it is the stream's time, and what the same audio
   alone is made of. While nothing is pushed, the stream's time stands still.
2. Whatever reads events notes tokens as they come, and the error after them.
3. A caller that vanishes keeps nothing that would hold its stream.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.load import Engine
from benchmarks.soak.cuts import CutRecorder
from benchmarks.soak.records import CallerPlan, CallRecord, weighted
from benchmarks.speech.book import looped
from parakeet_streaming import Event, LiveStream

ACTS: Final = {"speak": 12, "burst": 2, "fill": 2, "stall": 4, "commit": 1, "read": 3}
"""By weight: packets in real time, seconds at once, as much as there is room for, nothing for a
while, the end of an utterance, reading where events are read now and then."""
PATIENCE_S: Final = 120.0
"""How long a reader waits for an event before it calls the stream stuck."""


class ConsumerError(Exception):
    """What a consumer's callback raises."""


class Caller:
    """One caller."""

    def __init__(
        self,
        number: int,
        seed: int,
        book: NDArray[np.float32],
        now: Callable[[], float],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        """`book`: (n,), taken as audio of whatever rate; `loop` runs in a thread of its own."""
        self._random = random.Random(f"{seed}-{number}")
        self.plan = CallerPlan.drawn(self._random)
        self.threads: list[threading.Thread] = []
        self.record: CallRecord | None = None
        """What its stream did; None while it was not let in."""
        self._number = number
        self._book = book
        self._now = now
        self._loop = loop
        self._at = self.plan.book_start

    def call(self, engine: Engine, recorder: CutRecorder) -> Iterator[float]:
        """Opens a stream, speaks and goes.

        Raises:
            CapacityError: it was not let in.
        """
        record = CallRecord(self._number, self.plan)
        stream = engine.open(self.plan.options, self._callback(record))
        record.cuts = recorder.opened
        self.record = record
        self._read(stream, record)
        ends_at = self._at + round(self.plan.length_s * self.plan.rate_hz)
        while self._at < ends_at and stream.stats().outcome is None:
            yield from self._act(stream, record)
        yield from self._end(stream, record)

    def _act(self, stream: LiveStream, record: CallRecord) -> Iterator[float]:
        act = weighted(self._random, ACTS)
        if act == "speak":
            yield from self._speak(stream, record)
        elif act == "burst":
            self._push(stream, record, round(self._random.uniform(0.5, 8) * self.plan.rate_hz))
        elif act == "fill":
            wanted = round(self._random.uniform(0.5, 8) * self.plan.rate_hz)
            self._push(stream, record, min(wanted, stream.room))
        elif act == "stall":
            yield self._now() + self._random.uniform(0.1, 4)
        elif act == "commit":
            record.note_commit()
            stream.commit()
        elif self.plan.reading == "now and then":
            read_all(stream, record, 0.0)

    def _speak(self, stream: LiveStream, record: CallRecord) -> Iterator[float]:
        """In real time, on an absolute clock."""
        rate_hz = self.plan.rate_hz
        packet = self._random.choice([80, 160, 320, 333, 512, 1600, 4096])
        next_s = self._now()
        for _ in range(max(1, round(self._random.uniform(0.2, 4) * rate_hz / packet))):
            next_s += packet / rate_hz
            yield next_s
            self._push(stream, record, packet)

    def _push(self, stream: LiveStream, record: CallRecord, count: int) -> None:
        start, self._at = self._at, self._at + count
        taken = stream.push(looped(self._book, start, count))
        # A stream that has ended takes nothing, and refuses nothing either.
        if taken < count and stream.stats().outcome is not None:
            return
        record.note_push(start, count)
        if taken < count:
            _note_refusals(stream, record)

    def _end(self, stream: LiveStream, record: CallRecord) -> Iterator[float]:
        ending, reading = self.plan.ending, self.plan.reading
        if reading in ("thread", "event loop", "stopped thread") and ending == "drop":
            ending = "cancel"  # a reader that waits for events holds the stream
        if ending == "drop":
            return
        getattr(stream, ending)()
        waits_until = self._now() + PATIENCE_S
        while stream.stats().outcome is None and self._now() < waits_until:
            yield self._now() + 0.05
        if reading in ("now and then", "callback", "raising callback"):
            # After a callback that raised, the rest can be read.
            read_all(stream, record, 0.0)
        while any(thread.is_alive() for thread in self.threads) and self._now() < waits_until:
            yield self._now() + 0.05
        while reading == "event loop" and not record.read_to_end and self._now() < waits_until:
            yield self._now() + 0.05
        record.outcome = stream.stats().outcome or "stuck"
        record.audio_s = stream.transcript().audio_s
        # What a resampler still held may have been refused at the end.
        _note_refusals(stream, record)

    def _callback(self, record: CallRecord) -> Callable[[Event], None] | None:
        breaks_at = self.plan.breaks_at

        def note_and_raise(event: Event) -> None:
            record.note_event(event)
            if record.events == breaks_at:
                raise ConsumerError(f"event {breaks_at}")

        callbacks = {"callback": record.note_event, "raising callback": note_and_raise}
        return callbacks.get(self.plan.reading)

    def _read(self, stream: LiveStream, record: CallRecord) -> None:
        """Begins to read, where no callback does."""
        act: Callable[[], None]
        if self.plan.reading == "thread":
            act = lambda: read_all(stream, record, PATIENCE_S)  # noqa: E731
        elif self.plan.reading == "stopped thread":
            act = lambda: read_some(stream, record, self.plan.breaks_at)  # noqa: E731
        elif self.plan.reading == "event loop":
            assert self._loop is not None
            asyncio.run_coroutine_threadsafe(read_all_async(stream, record), self._loop)
            return
        else:
            return
        thread = threading.Thread(target=act, name=f"reader {self._number}", daemon=True)
        self.threads.append(thread)
        thread.start()


def _note_refusals(stream: LiveStream, record: CallRecord) -> None:
    stats = stream.stats()
    record.note_refusals(stats.received_samples, stats.refused_samples)


def read_all(stream: LiveStream, record: CallRecord, timeout_s: float) -> None:
    """Reads until the end, or until no event comes in time."""
    try:
        while (event := stream.get(timeout_s)) is not None:
            record.note_event(event)
        record.read_to_end = True
    except TimeoutError:
        return
    except BaseException as error:  # whatever ended the stream
        # Its traceback holds the stream.
        record.error, record.read_to_end = error.with_traceback(None), True


def read_some(stream: LiveStream, record: CallRecord, events: int) -> None:
    """Reads so many events, and stops."""
    for _ in range(events):
        try:
            event = stream.get(PATIENCE_S)
        except TimeoutError:
            return
        if event is None:
            record.read_to_end = True
            return
        record.note_event(event)
    record.reader_stopped = True


async def read_all_async(stream: LiveStream, record: CallRecord) -> None:
    """Reads until the end, in an event loop."""
    try:
        async for event in stream:
            record.note_event(event)
    except BaseException as error:  # as above
        record.error = error.with_traceback(None)
    record.read_to_end = True
