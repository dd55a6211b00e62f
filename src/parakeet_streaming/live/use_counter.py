"""Streams and their steps in; what they have come to, told to metrics and to admission, out.

Telling takes as long as much else that is done for a stream and a step. So where many streams share
a step, each is counted once in a second of its own, and at its end; where few do, at each step.
Everything here belongs to the worker's thread.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.live.demand import StreamCost
from parakeet_streaming.live.due import Due
from parakeet_streaming.live.meter import EngineMeter
from parakeet_streaming.live.open_streams import OpenStreams
from parakeet_streaming.live.task import StreamTask

_EVERY_S: Final = 1.0
"""Seconds of a stream's chunks, after which it is counted."""
_MANY: Final = 24
"""Streams in a step."""


class UseCounter:
    """Counts what streams have come to."""

    def __init__(self, streams: OpenStreams, meter: EngineMeter) -> None:
        self._streams = streams
        self._meter = meter

    def stepped(
        self, task: StreamTask, due: Due, cost: StreamCost | None = None, streams: int = 1
    ) -> None:
        """A stream has made the step of that window, with so many others.

        `cost`: what it asks for from here on, if that has changed.
        """
        driver = task.driver
        task.uncounted_steps += 1
        task.uncounted_audio_s += due.audio_s
        waits = streams >= _MANY and task.uncounted_steps * driver.chunk_s < _EVERY_S
        if not waits or cost is not None:
            self.count(task, cost)

    def count(self, task: StreamTask, cost: StreamCost | None = None) -> None:
        """Counts what is new of a stream; `cost`: what it asks for from here on, if changed."""
        passed_s = task.counted_audio_s()
        steps, encoded_s = task.uncounted_steps, task.uncounted_audio_s
        if passed_s > 0 or steps or cost is not None:
            task.uncounted_steps, task.uncounted_audio_s = 0, 0.0
            self._meter.decoded(passed_s)
            self._streams.used(task.id, passed_s, encoded_s, steps, cost)
