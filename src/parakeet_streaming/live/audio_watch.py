"""Streams and the time now in; those that get no audio any more ended, or their utterances, out.

Rules of this file:

1. It belongs to the worker's thread, and waits for nothing. No clock: times are handed in.
2. A stream is looked at when it has news, and at the time that it has set; that may come too early,
   and is then set anew.
"""

from __future__ import annotations

from parakeet_streaming.live.task import StreamTask
from parakeet_streaming.live.timers import Timers


class AudioWatch:
    """Which streams have been without audio for too long."""

    def __init__(self) -> None:
        self._timers: Timers[StreamTask] = Timers()

    @property
    def next_s(self) -> float | None:
        """When a stream is to be looked at; None for never."""
        return self._timers.next_s

    def due(self, now_s: float) -> list[StreamTask]:
        """The streams whose time has come."""
        return self._timers.due(now_s)

    def clear(self, task: StreamTask) -> None:
        """A stream is over."""
        self._timers.clear(task)

    def end_if_idle(self, task: StreamTask, now_s: float) -> None:
        """Ends a stream that gets no audio any more, as if finished."""
        at_s = task.idle_at_s
        if at_s is None:
            return
        if at_s <= now_s:
            task.idle_too_long = True
            task.finish(now_s)
        else:
            self._timers.set_by(task, at_s)

    def end_utterance_if_it_rests(self, task: StreamTask, now_s: float, *, rests: bool) -> None:
        """Ends the utterance of a stream that has rested without audio for too long."""
        pauses = task.pauses
        if not rests:
            pauses.works()
            return
        at_s = pauses.rests(now_s)
        if at_s is not None and at_s <= now_s:
            task.commit(now_s, "no_audio")
        elif at_s is not None:
            self._timers.set_by(task, at_s)
