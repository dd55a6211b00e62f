"""What the worker asks of a stream's two ends, wherever they are: samples and events.

Both ends are usually in this process (`audio_queue.py`, `ingest.py`, `event_queue.py`). Where the
producer and the consumer are in another one, a `Crossing` makes ends that reach there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from parakeet_streaming.live.audio_queue import Missing
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Event, FilterStart


class SampleSource(Protocol):
    """Where the worker takes samples; what each does, `AudioQueueReader` says."""

    position: int

    @property
    def ended(self) -> bool: ...

    @property
    def waiting(self) -> int: ...

    @property
    def written_at_s(self) -> float: ...

    @property
    def wake_is_due(self) -> bool: ...

    def take(self, most_samples: int, to: Callable[[Floats], None]) -> int | Missing: ...

    def wake_after(self, samples: int | None) -> None: ...

    def refuse(self) -> None: ...

    def arrived_s(self, position: int) -> float: ...


class SampleQueue(Protocol):
    """What the worker sees of the producer's side, as `AudioQueueWriter` has it."""

    @property
    def received(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def written_at_s(self) -> float: ...

    @property
    def occupancy(self) -> int: ...

    @property
    def capacity(self) -> int: ...

    @property
    def high_water(self) -> int: ...

    @property
    def reader(self) -> SampleSource: ...


class SampleSink(Protocol):
    """Where a producer's samples go, at 16 kHz, as into an `AudioQueueWriter`."""

    most_samples: int

    @property
    def received(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def closed(self) -> bool: ...

    @property
    def refusing(self) -> bool: ...

    @property
    def room(self) -> int: ...

    def write(self, samples: Floats) -> int: ...

    def miss(self, count: int) -> None: ...

    def hand_over(self) -> int: ...

    def close(self) -> None: ...


class AudioInlet(Protocol):
    """What the worker asks of a producer, as of `AudioIngest`."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def finished(self) -> bool: ...

    @property
    def filters(self) -> tuple[FilterStart, ...]: ...

    def commit(self, at: Callable[[int], None]) -> None: ...

    def finish(self) -> None: ...

    def woken(self) -> None: ...


class EventOutlet(Protocol):
    """Where the worker puts events, as into an `EventQueue`."""

    told_samples: int

    def put(self, event: Event) -> None: ...

    def close(self, error: BaseException | None = None) -> None: ...


class Crossing(Protocol):
    """Both ends of one stream, in another process."""

    def ends(
        self, start: int, most_samples: int, wake: Callable[[], None]
    ) -> tuple[SampleQueue, AudioInlet, EventOutlet]:
        """Makes them, once.

        Args:
            start: position of the first sample that comes.
            most_samples: that may wait.
            wake: says to the worker that there is news.
        """
        ...
