"""Streams that come and go in; which are open, whether one more may come, and the end, out.

Rules of this file:

1. Everything that more than one thread changes is in here, under one lock: which streams are open,
   admission, closing and failure. The lock is held for a few instructions, never during a call of a
   consumer or of a model, but to ask it for room, which waits for nothing. All else in this room
   belongs to one thread, or is a queue for two.
2. A stream gets its place before anything of it is made, so a refusal costs next to nothing.
3. The lock may be entered again: the collector may drop an engine, and so close it, while its own
   worker is inside.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, Literal

from parakeet_streaming.engine.stream_places import StreamKind
from parakeet_streaming.errors import (
    CapacityError,
    EngineFailedError,
    OptionError,
    StreamClosedError,
)
from parakeet_streaming.live.admission import Admission, Lane
from parakeet_streaming.live.demand import StreamCost
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.places import Places
from parakeet_streaming.live.task import StreamTask

Bound = Literal["streams", "recordings", "load", "memory"]
"""What a stream may be refused for."""

_LOG: Final = logging.getLogger("parakeet_streaming.live")


class OpenStreams:
    """Which streams are open. Any thread may call it."""

    def __init__(self, admission: Admission[str], metrics: LiveMetrics) -> None:
        self.closing: Literal["drain", "cancel"] | None = None
        """How streams end, once no stream is let in any more."""
        self.failure: BaseException | None = None
        """What broke the worker; None while it is well."""
        self.places = Places()
        """Of the model's device; set before there are streams."""
        self._admission = admission
        self._metrics = metrics
        self._lock = threading.RLock()
        self._tasks: dict[str, StreamTask] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def load(self) -> float:
        """Part of the time that all streams take, each with its longest chunk."""
        with self._lock:
            return self._admission.load

    def get(self, stream_id: str) -> StreamTask | None:
        """The stream of that id, if it is in."""
        return self._tasks.get(stream_id)

    def all(self) -> list[StreamTask]:
        """Every stream that is open."""
        with self._lock:
            return list(self._tasks.values())

    def reserve(
        self,
        stream_id: str,
        lane: Lane,
        cost: StreamCost,
        least: StreamCost,
        new_s: float = 0.0,
        instead_of: str | None = None,
        kind: StreamKind | None = None,
    ) -> None:
        """Keeps a place for a stream.

        Args:
            stream_id: its name.
            lane: live, or a recording.
            cost: what it asks for.
            least: the same with the longest chunk that it may be given.
            new_s: seconds of audio until its windows are full.
            instead_of: a live stream that gives its place to it, and keeps it where there is no
                room for the new one.
            kind: what it needs on the model's device; None for nothing.

        Raises:
            CapacityError: there is no room.
            EngineFailedError: the worker has broken.
            OptionError: there is a stream of that id.
            StreamClosedError: the engine is closed.
        """
        with self._lock:
            self._check_open()
            if stream_id in self._admission:
                raise OptionError(f"stream {stream_id!r} is open already; choose another id")
            reason: Bound = "memory"
            if lane == "recording":
                instead_of = None
            try:
                if kind is not None:
                    self.places.check(kind, instead_of)
                reason = self._admission.bound_met(lane)
                if lane == "recording":
                    self._admission.admit_recording(stream_id)
                else:
                    self._admission.admit(stream_id, cost, least, new_s, instead_of)
            except CapacityError as error:
                self._metrics.rejected_total[reason].add()
                _LOG.info("stream %s: refused: %s", stream_id, error)
                raise
            if kind is not None:
                self.places.take(stream_id, kind, instead_of)

    def join(self, task: StreamTask) -> None:
        """Takes a stream in that has a place.

        Raises:
            EngineFailedError: the worker has broken.
            StreamClosedError: the engine is closed.
        """
        with self._lock:
            self._check_open()
            self._tasks[task.id] = task

    def leave(self, stream_id: str) -> None:
        """A stream is over, or did not join: its place is free."""
        with self._lock:
            self._admission.leave(stream_id)
            self.places.leave(stream_id)
            task = self._tasks.pop(stream_id, None)
            if task is not None:
                # Its reader may keep it for long; what it has on a device is for others.
                stream = task.stream
                stream.past = None

    def close(self, *, drain: bool) -> None:
        """Lets no stream in any more; draining may still turn into cancelling."""
        with self._lock:
            if self.closing != "cancel":
                self.closing = "drain" if drain else "cancel"

    def fail(self, error: BaseException) -> None:
        """The worker has broken."""
        with self._lock:
            self.failure, self.closing = error, "cancel"

    def step_took(self, audio_s: float, took_s: float, streams: int = 1) -> None:
        """A step of `streams` that encoded `audio_s` took `took_s`."""
        with self._lock:
            self._admission.measured(audio_s, took_s, streams)

    def vad_took(self, audio_s: float, took_s: float) -> None:
        """Looking for voice in `audio_s` took `took_s`."""
        with self._lock:
            self._admission.listened(audio_s, took_s)

    def used(
        self,
        stream_id: str,
        passed_s: float,
        encoded_s: float = 0.0,
        steps: int = 1,
        cost: StreamCost | None = None,
    ) -> None:
        """A stream has come so much further; `cost`: what it asks for from here on, if changed."""
        with self._lock:
            self._admission.used(stream_id, passed_s, encoded_s, steps)
            if cost is not None:
                self._admission.uses(stream_id, cost)

    def load_with(self, stream_id: str, cost: StreamCost | None) -> float:
        """The load, were this stream to ask for that; 0 if it cannot."""
        if cost is None:
            return 0.0
        with self._lock:
            return self._admission.load_with(stream_id, cost)

    def _check_open(self) -> None:
        if self.failure is not None:
            raise EngineFailedError(
                f"this engine's worker failed ({self.failure!r}); make a new engine"
            ) from self.failure
        if self.closing is not None:
            raise StreamClosedError("this engine is closed; make a new one")
