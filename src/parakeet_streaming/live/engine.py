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
from collections.abc import Callable
from typing import Self

from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.scheduler import BatchLimits
from parakeet_streaming.live.sizing import MOST_RING_S
from parakeet_streaming.live.stats import EngineStats
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.live.task import Host
from parakeet_streaming.live.worker import Worker
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.results import Event


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
        self._table = StreamLoop(recognizer, vad, clock, most_streams=most_streams, limits=limits)
        self._worker = Worker(self._table)
        self._host = Host(
            recognizer, vad, self._table.metrics, clock, self._worker.wake, most_ring_s
        )
        # An engine that is dropped, or left open when Python ends, stops its thread.
        self._stop = weakref.finalize(self, _stop, self._table, self._worker)
        self._worker.start()

    @property
    def metrics(self) -> LiveMetrics:
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
        guest = self._host.guest(
            options or LiveOptions(), on_event, longest_step_s=self._table.meter.longest_step_s
        )
        self._table.join(guest)
        self._worker.wake()
        return LiveStream(self, guest, self._host)

    def stats(self) -> EngineStats:
        """How it goes."""
        table = self._table
        guests = table.guests
        return EngineStats(
            active_streams=len(guests),
            load=table.load,
            real_time_factor=table.metrics.rtf_recent.value,
            steps=table.meter.steps,
            longest_step_s=table.meter.longest_step_s,
            backlog_s=max((guest.seat.ear.backlog_s for guest in guests), default=0.0),
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


def _stop(table: StreamLoop, worker: Worker) -> None:
    table.close(drain=False)
    worker.wake()
    worker.join()
