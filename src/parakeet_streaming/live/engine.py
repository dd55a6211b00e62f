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

import asyncio
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, Self

from parakeet_streaming.boosting.options import Phrases, boosting_of
from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.languages.codes import language_codes
from parakeet_streaming.limits import LEAST_SECONDS, MOST_STREAMS, check_number, check_whole
from parakeet_streaming.limits import MOST_RING_S as LONGEST_RING_S
from parakeet_streaming.live.admission import MOST_RECORDINGS, Admission
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.ends import Crossing
from parakeet_streaming.live.hosted import HostedStream
from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.opening import StreamOpener
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.places import Places
from parakeet_streaming.live.ready_steps import ready_steps
from parakeet_streaming.live.ring_sizing import MOST_RING_S
from parakeet_streaming.live.stats import EngineStats
from parakeet_streaming.live.steady_clock import SteadyClock
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.live.warm_up import WarmUp
from parakeet_streaming.live.worker import Bell, Worker
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.results import Event, FilterStart


class Named(Protocol):
    """What has a stream's id."""

    @property
    def id(self) -> str: ...


class LiveEngine:
    """Many live streams over one recognizer. Any thread may call it."""

    def __init__(
        self,
        stepper: Stepper,
        vad: VoiceActivity | None = None,
        *,
        most_streams: int | None = None,
        most_recordings: int = MOST_RECORDINGS,
        limits: BatchLimits | None = None,
        most_ring_s: float = MOST_RING_S,
        ready_for: Sequence[LiveOptions] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts the worker, which measures what steps take while no stream needs it.

        Args:
            stepper: a recognizer; it may be shared. Its steps run in the worker's thread.
            vad: judges whether someone speaks, such as `load_vad()`; needed by streams that ask
                for it.
            most_streams: how many live streams may be open at once, whatever they cost; None for
                as many as can be carried, by what steps are seen to cost.
            most_recordings: how many streams of the recording lane may be open at once.
            limits: what one step may hold.
            most_ring_s: seconds of audio that may wait in front of a stream; what is more is
                refused, and reported as a `Gap`.
            ready_for: options of the streams to come. Where the model can make their steps ready,
                such as capture them in graphs on a GPU, that is done before the first stream.
            clock: seconds; for tests.

        Raises:
            OptionError: a number that makes no sense.
        """
        if most_streams is not None:
            most_streams = check_whole("most_streams", most_streams, 0, MOST_STREAMS)
        most_recordings = check_whole("most_recordings", most_recordings, 0, MOST_STREAMS)
        check_number("most_ring_s", most_ring_s, LEAST_SECONDS, LONGEST_RING_S, "seconds")
        limits, clock = limits or BatchLimits(), SteadyClock(clock)
        admission: Admission[str] = Admission(
            most_streams, most_recordings=most_recordings, batch_streams=limits.max_streams
        )
        bell = Bell()
        self._loop = StreamLoop(stepper, vad, clock, bell.ring, admission, limits)
        streams, snapshots = self._loop.streams, stepper.snapshots
        streams.places = Places(snapshots.transducer)
        ready = ready_steps(stepper, ready_for, limits.max_streams, most_streams)
        warm_up = WarmUp(stepper, vad, clock, streams.step_took, streams.vad_took, ready)
        self._worker = Worker(self._loop, bell, clock, warm_up)
        self._opener = StreamOpener(self._loop, stepper, vad, clock, most_ring_s, warm_up)
        # An engine that is dropped, or left open when Python ends, stops its thread.
        self._stop = weakref.finalize(self, _stop, self._loop, self._worker)
        self._worker.start()

    @property
    def metrics(self) -> LiveMetrics:
        return self._loop.metrics

    @property
    def failure(self) -> BaseException | None:
        """What broke the worker; None while it is well."""
        return self._loop.failure

    def open(
        self,
        options: LiveOptions | None = None,
        on_event: Callable[[Event], None] | None = None,
        *,
        id: str | None = None,
        resume: bytes | None = None,
        filters: Sequence[FilterStart] = (),
        instead_of: Named | None = None,
        phrases: Phrases | None = None,
        boost: float | None = None,
        language: str | Iterable[str] | None = None,
    ) -> LiveStream:
        """Opens a stream. All but the first wait until the worker has measured what steps take.

        Args:
            options: `LiveOptions()` by default.
            on_event: takes each event in the worker's thread, so it must be quick; the stream then
                has none to read. If it raises, the stream ends with that error.
            id: its name in logs and errors; a short one is made if none is given.
            resume: what `LiveStream.snapshot` gave, here or elsewhere. The stream goes on from
                there, with the voice activity and endpoints it had; push it from the sample that
                `stats().received_samples` names, at 16 kHz.
            filters: at other rates, those of the `SnapshotTaken`. Then it is exact at 8, 24 and 48
                kHz, pushed from the sample that `fed_again` names.
            instead_of: a stream of this engine that gives its place to this one: nobody else can
                take it. Finish or cancel it then; it goes on until it is over.
            phrases: names and words to boost, as in `Recognizer.stream`; in place of
                those of the options.
            boost: how strongly, 0 to 10; 1 by default.
            language: one or several, in place of those of the options.

        Raises:
            CapacityError: there is no room; those that are open go on.
            ContextError: the window is longer than the model can take.
            EngineFailedError: the worker has broken, or is in the process that this one was forked
                from; make a new engine.
            OptionError: voice activity is asked for, and this engine has none; a stream of that id
                is open; or as in `Recognizer.stream`.
            SnapshotError: `resume` is no usable snapshot of this model.
            StreamClosedError: the engine is closed.
        """
        options = options or LiveOptions()
        if phrases is not None or boost is not None:
            options = replace(options, boosting=boosting_of(phrases, boost))
        if language is not None:
            options = replace(options, languages=language_codes(language))
        task = self._opener.open(
            options,
            on_event,
            stream_id=id,
            resume=resume,
            filters=filters,
            instead_of=None if instead_of is None else instead_of.id,
        )
        return LiveStream(self, task, self._opener)

    def host(
        self,
        options: LiveOptions,
        crossing: Crossing,
        *,
        id: str | None = None,
        resume: bytes | None = None,
        filters: Sequence[FilterStart] = (),
        instead_of: str | None = None,
    ) -> HostedStream:
        """As `open`, of a stream whose samples and events are in another process.

        Args:
            options: as of `open`.
            crossing: how samples come from there, and how events go there.
            id: as of `open`.
            resume: likewise.
            filters: likewise.
            instead_of: the id of the stream that gives its place.

        Raises:
            ParakeetError: as `open`.
        """
        task = self._opener.open(
            options,
            stream_id=id,
            resume=resume,
            filters=filters,
            instead_of=instead_of,
            crossing=crossing,
        )
        return HostedStream(task, self._opener)

    def prepare(
        self,
        phrases: Phrases | None = None,
        boost: float | None = None,
        *,
        resume: bytes | None = None,
    ) -> object:
        """Compiles phrases, which takes some tenths of a second for a long list.

        Streams that are opened with them, while what is given back is held, need not do it.

        Args:
            phrases: as for `open`.
            boost: likewise.
            resume: a snapshot, whose phrases are compiled in their place.

        Raises:
            OptionError: phrases beyond their limits, or with letters that the model cannot write.
            SnapshotError: `resume` is no usable snapshot of this model.
        """
        if resume is not None:
            return self._opener.prepared_to_resume(resume)
        return self._opener.prepared(boosting_of(phrases, boost))

    def stats(self) -> EngineStats:
        """How it goes."""
        return self._loop.stats()

    def close(self, *, drain: bool = True) -> None:
        """Ends all streams and the worker, and waits for that. Closing again does nothing.

        In an event loop use `close_async`, or `async with`: readers in the loop go on meanwhile.

        Args:
            drain: what was received is decoded and reported first; otherwise streams are cancelled.
        """
        callers = self._loop.callers
        if not callers.at_home:
            return  # what there is to close is in the process that made it
        self._loop.close(drain=drain)
        if self._worker.join():
            self._stop.detach()

    async def close_async(self, *, drain: bool = True) -> None:
        """As `close`, for an event loop, which goes on meanwhile."""
        await asyncio.to_thread(self.close, drain=drain)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        self.close(drain=exc_type is None)

    async def __aenter__(self) -> Self:
        """Comes back when it is known what steps take, so that no `open` waits for that."""
        await asyncio.to_thread(self._opener.wait_until_measured)
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        await self.close_async(drain=exc_type is None)


def _stop(loop: StreamLoop, worker: Worker) -> None:
    callers = loop.callers
    if not callers.at_home:
        return
    loop.close(drain=False)
    worker.join()
