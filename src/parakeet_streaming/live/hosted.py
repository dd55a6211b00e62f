"""A stream whose producer and consumer are in another process in; what they ask of it, done.

Samples and events pass by the ends that a `Crossing` made; all else is asked here, in whatever
thread hears of it.
"""

from __future__ import annotations

from parakeet_streaming.boosting.options import Phrases
from parakeet_streaming.live.opening import StreamOpener
from parakeet_streaming.live.snapshot_requests import EventRequest
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.live.task import StreamTask
from parakeet_streaming.results import Transcript


class HostedStream:
    """One stream of this engine, for another process. Any thread may call it."""

    def __init__(self, task: StreamTask, opener: StreamOpener) -> None:
        """`opener` made the task."""
        self._task, self._opener = task, opener
        self._stream = task.stream
        self._requests = task.requests
        self._clock = opener.clock

    @property
    def id(self) -> str:
        """Its name in logs and errors."""
        return self._task.id

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._task.is_over

    def commit(self, position: int) -> None:
        """Ends an utterance with all samples before that position, which have been written."""
        self._task.commit(self._clock(), position=position)

    def finish(self) -> None:
        """No more samples come."""
        self._task.finish(self._clock())
        self._task.wake()

    def cancel(self) -> None:
        """Ends it at once."""
        self._task.cancel_requested = True
        self._task.wake()

    def wake(self) -> None:
        """Samples have come that the worker waits for."""
        self._task.wake()

    def use_phrases(self, phrases: Phrases | None) -> None:
        """As `LiveStream.use_phrases`; its producer pushes nothing meanwhile."""
        self._opener.change(self._task, phrases, None)

    def ask_snapshot(self, *, past: bool) -> None:
        """As `LiveStream.ask_snapshot`."""
        self._requests.as_events.append(EventRequest(past, self._opener.encode))
        self._task.wake()

    def transcript(self) -> Transcript:
        """Everything committed so far."""
        return self._stream.transcript()

    def stats(self) -> StreamStats:
        """How it goes."""
        return StreamStats.of(self._task)
