"""Options of one live stream in; a stream that is in the loop, and what its caller holds, out.

Rules of this file:

1. What is wrong with the options is found first. Then the stream gets its place, or is refused.
   Only then is a snapshot read, which may be large, and only then is anything made. The first live
   stream is let in whatever steps take, if the model's device has room for it; all others wait
   until that is known.
2. A stream that cannot be made gives its place back.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Final

from parakeet_streaming.boosting.options import Boosting, Phrases, boosting_of
from parakeet_streaming.engine.biases import Biased
from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.engine.stream_state import (
    StreamOptions,
    StreamState,
)
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.adaptation import Adapter, DelayRange
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.callers import Callers
from parakeet_streaming.live.demand import cost_of
from parakeet_streaming.live.driver import StreamDriver
from parakeet_streaming.live.ends import AudioInlet, Crossing, EventOutlet, SampleQueue
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.hints import StreamHints
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.live.intake import TAIL_S
from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.meter import StreamMeter
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.pauses import PauseWatch
from parakeet_streaming.live.phrase_changes import PhraseChange
from parakeet_streaming.live.resuming import (
    detector_of,
    endpointer_of,
    read_state,
    resumed_as,
    start_of,
)
from parakeet_streaming.live.ring_sizing import MOST_RING_S, ring_capacity
from parakeet_streaming.live.snapshot_requests import SnapshotRequests
from parakeet_streaming.live.task import StreamTask
from parakeet_streaming.live.warm_up import WarmUp
from parakeet_streaming.ports import TokenBias, VoiceActivity
from parakeet_streaming.results import Event, FilterStart
from parakeet_streaming.timeline import (
    ContextConfig,
    milliseconds_to_samples,
    samples_to_seconds,
    seconds_to_samples,
)

_FIRST_STEP_S: Final = 0.25
"""How long a step may take, before one was measured."""
_STAMP_MS: Final = 5
"""How finely it is known when audio arrived."""


@dataclass(frozen=True, slots=True)
class StreamOpener:
    """Opens streams of one loop. Any thread."""

    loop: StreamLoop
    stepper: Stepper
    vad: VoiceActivity | None
    clock: Callable[[], float]
    most_ring_s: float
    warm_up: WarmUp | None = None
    """Measures what steps take; None where nobody does."""
    first: threading.Lock = field(default_factory=threading.Lock)
    """Taken by the first live stream, which any machine has to carry."""

    def open(
        self,
        options: LiveOptions,
        on_event: Callable[[Event], None] | None = None,
        *,
        stream_id: str | None = None,
        resume: bytes | None = None,
        filters: Sequence[FilterStart] = (),
        instead_of: str | None = None,
        crossing: Crossing | None = None,
    ) -> StreamTask:
        """A stream that is in the loop. Raises as `LiveEngine.open` does."""
        self.callers.check_process()
        self._check(options)
        stream_id = stream_id or secrets.token_hex(4)
        levels = self._levels(options)
        cost, least = (cost_of(each, cached=options.cached) for each in (levels[0], levels[-1]))
        narrowest = levels[0]
        left_s, *_ = narrowest.effective
        if options.lane == "live" and not self.first.acquire(blocking=False):
            self.wait_until_measured()
        self._wait_for_steps()
        streams = self.loop.streams
        new_s = left_s if resume is None else 0.0
        kind = (options.context, options.cached)
        streams.reserve(stream_id, options.lane, cost, least, new_s, instead_of, kind)
        try:
            codec = self.stepper.snapshots
            state = None if resume is None else read_state(codec, resume, options, self.vad)
            task = self._task(stream_id, options, levels, on_event, state, filters, crossing)
            self.loop.join(task)
        except BaseException:
            streams.leave(stream_id)
            raise
        return task

    @property
    def callers(self) -> Callers:
        """Says whether a call may wait."""
        return self.loop.callers

    def change(self, task: StreamTask, phrases: Phrases | None, boost: float | None) -> None:
        """Other phrases for a stream, from what is pushed next on; compiled in this thread."""
        boosting = boosting_of(phrases, boost)
        queue = task.queue
        task.changes.put(PhraseChange(queue.received, self._biased(task.stream, boosting)))
        task.wake()

    def prepared(self, boosting: Boosting | None) -> tuple[TokenBias, ...]:
        """What streams with these phrases share."""
        return self.stepper.biases_of(StreamOptions(ContextConfig.balanced(), boosting=boosting))

    def prepared_to_resume(self, snapshot: bytes) -> tuple[TokenBias, ...]:
        """What a stream shares that goes on from a snapshot, changes that wait included."""
        state = self.stepper.snapshots.decode(snapshot, self.vad)
        options, changes = state.options, state.changes
        chosen = (options.boosting, *(each.boosting for each in changes))
        return tuple(bias for each in chosen for bias in self.prepared(each))

    def encode(self, state: StreamState) -> bytes:
        """A stream's state as bytes."""
        return self.stepper.snapshots.encode(state, self.vad)

    def _check(self, options: LiveOptions) -> None:
        self.stepper.check_context(options.context)
        if options.vad is not None and self.vad is None:
            raise OptionError(
                "this engine has no voice activity; make it with LiveEngine(recognizer, "
                "load_vad()), or open the stream with vad=None"
            )

    def wait_until_measured(self) -> None:
        """Waits until it is known what steps take. Any thread; the worker's own does not wait."""
        callers = self.loop.callers
        if self.warm_up is not None and not self.warm_up.over and not callers.in_worker:
            self.warm_up.wait(self.loop.rouse)

    def _wait_for_steps(self) -> None:
        """Nothing is made ready while a stream is there."""
        callers = self.loop.callers
        if self.warm_up is not None and self.warm_up.prepares and not callers.in_worker:
            self.warm_up.wait_for_steps(self.loop.rouse)

    def _levels(self, options: LiveOptions) -> tuple[ContextConfig, ...]:
        """The contexts it may have; a recording keeps its own."""
        if options.lane == "recording":
            return (options.context,)
        return _levels(options.delay, samples_to_seconds(self.stepper.max_window_samples))

    def _task(
        self,
        stream_id: str,
        options: LiveOptions,
        levels: tuple[ContextConfig, ...],
        on_event: Callable[[Event], None] | None,
        state: StreamState | None,
        filters: Sequence[FilterStart],
        crossing: Crossing | None,
    ) -> StreamTask:
        before, used = (None, None) if state is None else (state.options, state.context)
        adapter = Adapter(levels, None if used is None else used.chunk)
        wake = partial(self.loop.wake, stream_id)
        activity = None if state is None else state.activity
        stream = self.stepper.open(
            StreamOptions(
                adapter.context,
                tentative=options.tentative,
                stall_guard=None if before is None else before.stall_guard,
                cached=options.cached,
                boosting=options.boosting or (None if before is None else before.boosting),
                languages=options.languages or (() if before is None else before.languages),
            ),
            state,
        )
        context = options.context
        rate_hz = context.sample_rate
        # Phrases that are given now take the place of all that the stream had.
        had = None if options.boosting is not None else state
        waiting, changed_at = ((), -1) if had is None else (had.changes, had.changed_at)
        queue: SampleQueue
        ingest: AudioInlet
        events: EventOutlet
        if crossing is None:
            queue = here = self._queue(options, wake, start_of(state))
            ingest, events = AudioIngest(here, rate_hz, filters), EventQueue()
        else:
            most_samples = seconds_to_samples(self._most_ring_s(options))
            queue, ingest, events = crossing.ends(start_of(state), most_samples, wake)
        driver = StreamDriver(
            stream,
            queue.reader,
            adapter,
            detector_of(options, state, self.vad),
            endpointer_of(options, activity),
            tail_s=TAIL_S if options.lane == "live" else 0.0,
            resumed=activity,
            changed_at=changed_at,
        )
        for each in waiting:
            driver.changes.put(PhraseChange(each.position, self._biased(stream, each.boosting)))
        return StreamTask(
            id=stream_id,
            lane=options.lane,
            queue=queue,
            ingest=ingest,
            stream=stream,
            intake=driver.intake,
            speech=driver.speech,
            driver=driver,
            events=events,
            requests=SnapshotRequests(stream_id),
            changes=driver.changes,
            hints=StreamHints(rate_hz, self.clock, wake),
            pauses=PauseWatch(queue, options.no_audio_s, hears=options.vad is not None),
            meter=self._meter(driver, adapter.context),
            wake=wake,
            on_event=on_event,
            idle_timeout_s=options.idle_timeout_s,
            resumed=resumed_as(state, rate_hz, filters),
        )

    def _biased(self, stream: WindowedStream, boosting: Boosting | None) -> Biased:
        options = replace(stream.options, boosting=boosting)
        return Biased(boosting, self.stepper.biases_of(options))

    def _most_ring_s(self, options: LiveOptions) -> float:
        return self.most_ring_s if options.most_ring_s is None else options.most_ring_s

    def _meter(self, driver: StreamDriver, context: ContextConfig) -> StreamMeter:
        outcome = driver.outcome
        decoded_s = samples_to_seconds(outcome.decoded_samples)
        return StreamMeter(self.loop.metrics, context.chunk, decoded_s)

    def _queue(
        self, options: LiveOptions, wake: Callable[[], None], start: int
    ) -> AudioQueueWriter:
        meter = self.loop.meter
        most_ring_s = self._most_ring_s(options)
        # A step may have taken as long as the machine slept.
        step_s = min(meter.longest_step_s or _FIRST_STEP_S, most_ring_s, MOST_RING_S)
        return AudioQueueWriter(
            ring_capacity(options.context, burst_s=options.burst_s, step_s=step_s),
            seconds_to_samples(most_ring_s),
            self.clock,
            wake,
            stamp_every=milliseconds_to_samples(_STAMP_MS),
            start=start,
        )


@lru_cache(maxsize=64)
def _levels(delay: DelayRange, longest_window_s: float) -> tuple[ContextConfig, ...]:
    return delay.levels(longest_window_s)
