"""Requests for a stream's state from any thread in; the answers of the worker out.

Rules of this file:

1. A request is answered once: by the thread that takes it out of the queue.
2. The worker does not answer after the stream's end. So the thread that asks looks for the end
   after it has asked, and refuses what is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from parakeet_streaming.engine.stream_state import StreamState
from parakeet_streaming.errors import StreamClosedError


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """Somebody waits for the state of a stream."""

    audio: bool
    past: bool
    earlier_utterances: bool
    answer: Future[StreamState] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class EventRequest:
    """Somebody wants the state as an event, behind those of all that is in it."""

    past: bool
    encode: Callable[[StreamState], bytes]


class SnapshotRequests:
    """Requests that wait. Any thread."""

    def __init__(self, stream_id: str) -> None:
        self._stream_id = stream_id
        self._waiting: deque[SnapshotRequest] = deque()
        self.as_events: deque[EventRequest] = deque()

    @property
    def waiting(self) -> bool:
        """Whether there are any."""
        return bool(self._waiting or self.as_events)

    def put(self, request: SnapshotRequest) -> None:
        """Asks."""
        self._waiting.append(request)

    def answer(self, state_for: Callable[[SnapshotRequest], StreamState]) -> None:
        """Answers all that wait. The worker's thread, between two steps."""
        while (request := self._next()) is not None:
            try:
                request.answer.set_result(state_for(request))
            except Exception as error:
                request.answer.set_exception(error)

    def refuse(self) -> None:
        """Answers all that wait: there is no state any more. Any thread."""
        while (request := self._next()) is not None:
            request.answer.set_exception(
                StreamClosedError(
                    f"stream {self._stream_id}: it is ending, or over; open a new one"
                )
            )

    def _next(self) -> SnapshotRequest | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None
