"""A recognizer in; live streams that any thread can feed and read, out.

```python
with LiveEngine(load("tiny-en"), load_vad()) as engine:
    stream = engine.open()
    stream.push(samples)            # in the source's thread, as it comes; never waits
    stream.finish()
    for event in stream:            # in yours; or `async for`, or a callback
        ...
```

One engine has one worker thread, which computes for all its streams together.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from numpy.typing import ArrayLike

from parakeet_streaming.engine.activity import SpeechDetector, VadOptions
from parakeet_streaming.engine.endpoint import Endpointer, EndpointOptions
from parakeet_streaming.engine.ports import VoiceActivity
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.adaptation import Adapter, DelayRange
from parakeet_streaming.live.histogram import Distribution
from parakeet_streaming.live.meter import Meter
from parakeet_streaming.live.metrics import Metrics
from parakeet_streaming.live.outbox import Outbox
from parakeet_streaming.live.scheduler import BatchLimits
from parakeet_streaming.live.seat import Seat
from parakeet_streaming.live.sizing import MOST_RING_S, ring_capacity
from parakeet_streaming.live.table import Guest, Outcome, Table
from parakeet_streaming.live.wire import Inlet
from parakeet_streaming.live.worker import Worker
from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.timeline import (
    SAMPLE_RATE_HZ,
    ContextConfig,
    samples_to_seconds,
    seconds_to_samples,
)

_FIRST_STEP_S: Final = 0.25
"""How long a step may take, before one was measured."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What was chosen for one live stream."""

    delay: DelayRange = field(default_factory=lambda: DelayRange.parse("low", SAMPLE_RATE_HZ))
    """Its context, how far the chunk may grow under load, and the rate of its samples."""
    vad: VadOptions | None = field(default_factory=VadOptions)
    """When speech is heard; None: everything is decoded, and no speech is told."""
    endpoint: EndpointOptions | None = field(default_factory=EndpointOptions)
    """When utterances end; None: there is one, which ends with the stream."""
    tentative: bool = True
    """Whether text is told early, from the right context."""
    cached: bool = False
    """As in `Recognizer.stream`."""
    burst_s: float = 0.1
    """Seconds of audio that the source hands over at once."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """How one stream goes, at one moment."""

    context: ContextConfig
    """In use now."""
    audio_s: float
    """Audio decoded, or passed over as quiet."""
    speech_s: float
    """Audio in which speech was found."""
    steps: int
    skipped: int
    """Chunks passed over as quiet."""
    tokens: int
    utterances: int
    backlog_s: float
    """Audio that was pushed and is not committed yet; a chunk and a right context are normal."""
    lag_s: float
    """How long the last window had to wait for its text, computing included."""
    real_time_factor: float
    """Seconds of steps per second of audio; steps shared with others count in part."""
    ring_samples: int
    """Waiting in the ring, at the pushed rate, as all that follow."""
    ring_capacity_samples: int
    ring_high_water_samples: int
    refused_samples: int
    """That a full ring did not take; each is within a `Gap`."""
    first_partial_s: float | None
    """From the start of the first word to its first text."""
    emission_delay: Distribution
    """Seconds from the end of each word to its committed text."""
    queue_wait: Distribution
    """Seconds from a window being there to its step."""
    finalization: Distribution
    """Seconds from the end of speech, or the wish, to `Final`."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """How an engine goes, at one moment; `metrics.snapshot()` has more."""

    active_streams: int
    load: float
    """Part of the time that work takes, as far as it was measured; above 1 streams fall behind."""
    real_time_factor: float
    """Seconds of computing per second of audio, over the last steps."""
    steps: int
    longest_step_s: float
    backlog_s: float
    """Of the stream that is furthest behind."""
    lag_s: float
    """The greatest of all streams' last ones."""
    refused_samples: int
    """Of the streams that are open."""


class LiveEngine:
    """Many live streams over one recognizer. Any thread may call it."""

    def __init__(
        self,
        recognizer: Recognizer,
        vad: VoiceActivity | None = None,
        *,
        most_streams: int | None = None,
        limits: BatchLimits | None = None,
        most_ring_s: float = MOST_RING_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts the worker.

        Args:
            recognizer: may be shared with others; its steps run in the worker's thread.
            vad: hears whether someone speaks, such as `load_vad()`; needed by streams that ask
                for it.
            most_streams: how many may be open at once; None for as many as can be carried, by
                what steps are seen to cost.
            limits: what one step may hold.
            most_ring_s: seconds of audio that may wait in front of a stream; what is more is
                refused, and told as a `Gap`.
            clock: seconds; for tests.
        """
        self._recognizer = recognizer
        self._vad = vad
        self._most_ring_s = most_ring_s
        self._clock = clock
        self._table = Table(recognizer, vad, clock, most_streams=most_streams, limits=limits)
        self._worker = Worker(self._table)
        # An engine that is dropped, or left open when Python ends, stops its thread.
        self._stop = weakref.finalize(self, _stop, self._table, self._worker)
        self._worker.start()

    @property
    def metrics(self) -> Metrics:
        return self._table.metrics

    def open(
        self, options: LiveOptions | None = None, on_event: Callable[[Event], None] | None = None
    ) -> LiveStream:
        """Opens a stream.

        Args:
            options: `LiveOptions()` by default.
            on_event: takes each event in the worker's thread, so it must be quick; the stream then
                has none to read. If it raises, the stream ends with that error.

        Raises:
            CapacityError: there is no room; those that are open go on.
            ContextError: the window is longer than the model can take.
            OptionError: voice activity is asked for, and this engine has none; or as in
                `Recognizer.stream`.
            StreamClosedError: the engine is closed.
        """
        options = options or LiveOptions()
        if options.vad is not None and self._vad is None:
            raise OptionError(
                "this engine has no voice activity; make it with LiveEngine(recognizer, "
                "load_vad()), or open the stream with vad=None"
            )
        guest = self._guest(options, on_event)
        self._table.join(guest)
        self._worker.wake()
        return LiveStream(self, guest, self._worker.wake, self._clock)

    def stats(self) -> EngineStats:
        """How it goes."""
        table = self._table
        guests = table.guests
        return EngineStats(
            active_streams=len(guests),
            load=table.load,
            real_time_factor=table.metrics.rtf_recent.value,
            steps=table.steps,
            longest_step_s=table.longest_step_s,
            backlog_s=max((guest.seat.backlog_s for guest in guests), default=0.0),
            lag_s=max((guest.meter.lag_s for guest in guests), default=0.0),
            refused_samples=sum(guest.inlet.refused for guest in guests),
        )

    def close(self, *, drain: bool = True) -> None:
        """Ends all streams and the worker, and waits for that. Closing again does nothing.

        Args:
            drain: what was heard is decoded and told first; otherwise streams are cancelled.
        """
        self._table.close(drain=drain)
        self._worker.wake()
        if self._worker.join():
            self._stop.detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        self.close(drain=exc_type is None)

    def _guest(self, options: LiveOptions, on_event: Callable[[Event], None] | None) -> Guest:
        context = options.delay.context
        stream = self._recognizer.stream(
            context, tentative=options.tentative, cached=options.cached
        )
        step_s = self._table.longest_step_s or _FIRST_STEP_S
        rate_hz = context.sample_rate
        inlet = Inlet(
            ring_capacity(context, burst_s=options.burst_s, step_s=step_s),
            seconds_to_samples(self._most_ring_s, rate_hz),
            self._clock,
            self._worker.wake,
        )
        levels = options.delay.levels(samples_to_seconds(self._recognizer.max_window_samples))
        detector = None
        if options.vad is not None and self._vad is not None:
            detector = SpeechDetector(options.vad, self._vad.frame_samples)
        endpointer = None if options.endpoint is None else Endpointer(options.endpoint)
        seat = Seat(stream, inlet.outlet, Adapter(levels), detector, endpointer)
        meter = Meter(self._table.metrics, context.chunk)
        return Guest(inlet, seat, Outbox(), meter, on_event)


class LiveStream:
    """One speaker's audio, live. One thread may push; any may call the rest.

    A stream that is dropped ends: as finished, where a callback takes its events, or else as
    cancelled, since nobody could read them.
    """

    def __init__(
        self,
        engine: LiveEngine,
        guest: Guest,
        wake: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine  # which lives as long as its streams
        self._guest = guest
        self._wake = wake
        self._clock = clock
        self._paused = False

    @property
    def context(self) -> ContextConfig:
        """The context in use now; `sample_rate` is that of the samples to push."""
        return self._guest.seat.stream.context

    @property
    def outcome(self) -> Outcome | None:
        """How it ended: `finished`, `cancelled` or `failed`; None while it goes on."""
        return self._guest.outcome

    @property
    def paused(self) -> bool:
        return self._paused

    def push(self, samples: ArrayLike) -> int:
        """Takes samples, (n,) or (n, channels), at the context's rate. Never waits.

        Returns:
            How many were taken: all of them, but for a ring that is full, a paused stream, and one
            that has ended. What a full ring refuses is missing for good, and told as a `Gap`; do
            not push it again.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
        """
        return 0 if self._paused else self._guest.inlet.push(samples)

    def commit(self) -> None:
        """Ends an utterance with all that was pushed so far, now: `Final` with reason `commit`."""
        guest = self._guest
        guest.meter.commits_at_s.append(self._clock())
        guest.seat.commits.append(guest.inlet.offered)
        self._ask()

    def pause(self) -> None:
        """Takes no audio until `resume`; meanwhile the stream's time stands still.

        The last words come when audio does; `commit` as well to have them at once.
        """
        self._paused = True

    def resume(self) -> None:
        """Takes audio again."""
        self._paused = False

    def finish(self) -> None:
        """No more audio. What was pushed is decoded; the last event is `Final`, reason `end`.

        Call it when pushing is over: what another thread pushes meanwhile may come too late.
        """
        if not self._guest.inlet.closed:
            self._guest.meter.finished_at_s = self._clock()
            self._guest.inlet.close()

    def cancel(self) -> None:
        """Ends it at once: what was committed is told in a last `Final`, the rest is forgotten."""
        self._guest.cancelled = True
        self._ask()

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when there are no more.

        Raises:
            TimeoutError: none came in time.
            BaseException: what ended the stream, behind its last event.
        """
        return self._guest.outbox.get(timeout_s)

    def __iter__(self) -> Iterator[Event]:
        """Waits for events; ends with the stream, by an error if that ended it."""
        while (event := self.get()) is not None:
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The same for an event loop."""
        while (event := await self._guest.outbox.get_async()) is not None:
            yield event

    def transcript(self) -> Transcript:
        """Everything committed so far, of all utterances."""
        return self._guest.seat.stream.transcript()

    def stats(self) -> StreamStats:
        """How it goes."""
        seat, inlet, meter = self._guest.seat, self._guest.inlet, self._guest.meter
        audio_s = samples_to_seconds(seat.heard_samples)
        return StreamStats(
            context=seat.stream.context,
            audio_s=audio_s,
            speech_s=samples_to_seconds(seat.counts.speech_samples),
            steps=seat.counts.steps,
            skipped=seat.counts.skipped,
            tokens=seat.counts.tokens,
            utterances=seat.counts.utterances,
            backlog_s=seat.backlog_s,
            lag_s=meter.lag_s,
            real_time_factor=meter.computing_s / audio_s if audio_s else 0.0,
            ring_samples=inlet.occupancy,
            ring_capacity_samples=inlet.capacity,
            ring_high_water_samples=inlet.high_water,
            refused_samples=inlet.refused,
            first_partial_s=meter.first_partial_s,
            emission_delay=meter.emission_delay.snapshot(),
            queue_wait=meter.queue_wait.snapshot(),
            finalization=meter.finalization.snapshot(),
        )

    def __del__(self) -> None:
        guest = getattr(self, "_guest", None)
        if guest is not None and guest.outcome is None:
            if guest.on_event is None:
                self.cancel()
            else:
                self.finish()

    def _ask(self) -> None:
        self._guest.asked = True
        self._wake()


def _stop(table: Table, worker: Worker) -> None:
    table.close(drain=False)
    worker.wake()
    worker.join()
