"""Nothing in; a live engine without its thread, that its owner turns under a clock by hand, out."""

from __future__ import annotations

from typing import Final

from fuzz.small_recognizer import small_recognizer
from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.live.admission import Admission
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.opening import StreamOpener
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.snapshot_requests import SnapshotRequest
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.ports import Floats
from parakeet_streaming.testing import HandClock, ScriptedVad

_MOST_TURNS: Final = 20_000
_RING_S: Final = 20.0


class HandEngine:
    """One loop, with voice activity that hears what is loud."""

    def __init__(self) -> None:
        self.clock = HandClock(100.0)
        self.vad = ScriptedVad()
        self.callers = None
        recognizer, limits = small_recognizer(), BatchLimits()
        admission: Admission[str] = Admission(batch_streams=limits.max_streams)
        self.loop = StreamLoop(recognizer, self.vad, self.clock, _nothing, admission, limits)
        self.opener = StreamOpener(self.loop, recognizer, self.vad, self.clock, _RING_S)

    def open(self, options: LiveOptions, resume: bytes | None = None) -> LiveStream:
        """As `LiveEngine.open`."""
        task = self.opener.open(options, resume=resume)
        return LiveStream(self, task, self.opener)

    def settle(self) -> None:
        """Turns until there is nothing to do; that it must come to."""
        for _ in range(_MOST_TURNS):
            again_s = self.loop.turn(self.clock())
            if self.loop.over or again_s is None:
                return
            self.clock.now_s = max(self.clock.now_s, again_s)
        raise AssertionError("the worker never rests")

    def push(self, stream: LiveStream, samples: Floats) -> None:
        """Pushes in pieces of a tenth of a second, as long as the stream is open."""
        try:
            for start in range(0, len(samples), 1_600):
                stream.push(samples[start : start + 1_600])
                self.clock.now_s += 0.1
                self.turn()
        except StreamClosedError:
            return

    def turn(self) -> None:
        """What is due now."""
        for _ in range(_MOST_TURNS):
            again_s = self.loop.turn(self.clock())
            if self.loop.over or again_s is None or again_s > self.clock.now_s:
                return
        raise AssertionError("the worker never rests")

    def snapshot(self, stream: LiveStream) -> bytes:
        """As `LiveStream.snapshot`, which would wait for the thread."""
        answer = stream._ask(SnapshotRequest(True, True, True))
        self.turn()
        return self.opener.encode(answer.result(0))


def _nothing() -> None:
    """The thread is not there to be woken."""
