"""A source of live sound and a stream of the live engine in; its events, and how it goes, out.

Rules of this file:

1. The source's thread pushes into the stream, and into a ring beside it from which this thread
   watches the level and saves the sound. Both only copy.
2. A source that can wait is held back while much is undecoded; any other is never held up.
3. Whatever ends the source, everything heard is decoded and told. What was its failure comes last.
4. Lag is the time from a window's last sample to its text; the delay of a token is that, and how
   far its end lies before that sample. So where audio arrives faster than it plays, the delay is
   what it would have been live.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.health import HealthWatch
from parakeet_streaming.audio.ring import sample_ring
from parakeet_streaming.audio.saving import SavedSound
from parakeet_streaming.cli.display import level_meter, progress_bar
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.reading import clock
from parakeet_streaming.cli.report import Trace
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.results import (
    ContextChanged,
    Event,
    Gap,
    Partial,
    SpeechEnded,
    SpeechStarted,
    Transcript,
)
from parakeet_streaming.sources.live import LiveSource
from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples

TICK_S: Final = 0.1
"""How often the level and the status are looked at when nothing else happens."""
_WATCH_S: Final = 1.0
_BESIDE_S: Final = 10.0
"""Sound that waits for this thread; a slow disk may take that long."""
_MOST_AHEAD_S: Final = 2.0
"""Audio beyond what a window needs that a source which can wait may be ahead of its text."""


class Listening:
    """One source being heard, and how it goes."""

    def __init__(
        self,
        stream: LiveStream,
        source: LiveSource,
        interruption: Interruption,
        trace: Trace,
        *,
        duration_s: float | None = None,
        saved: SavedSound | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trace = trace
        self._stream = stream
        self._source = source
        self._interruption = interruption
        self._duration_s = duration_s
        self._saved = saved
        self._now = now
        self._context = stream.context
        self._beside, self._beside_end = sample_ring(seconds_to_samples(_BESIDE_S, source.rate_hz))
        self._room = threading.Condition()
        self._arrivals: deque[tuple[float, float]] = deque()
        self._arrived_s = 0.0
        self._pushed_samples = 0
        self._health = HealthWatch(source.rate_hz)
        self._messages: deque[str] = deque()
        self._speaking = False
        self._stopped = False
        self._watched_s = -_WATCH_S
        self._overflows = 0
        self._unsaved_samples = 0

    @property
    def heard_s(self) -> float:
        """Seconds of audio that the source gave."""
        return samples_to_seconds(self._pushed_samples, self._source.rate_hz)

    @property
    def processing_s(self) -> float:
        """Seconds spent computing."""
        stats = self._stream.stats()
        return stats.real_time_factor * stats.audio_s

    @property
    def failure(self) -> Exception | None:
        """Why the source ended before its time."""
        return self._source.failure

    def hear(self) -> Iterator[Event | None]:
        """Events as they come, and None now and then where there are none."""
        self._source.start(self._push, self._stream.finish)
        try:
            while True:
                try:
                    event = self._stream.get(TICK_S)
                except TimeoutError:
                    event = None
                else:
                    if event is None:
                        break
                self._take_note(event)
                yield event
        finally:
            self._source.stop()
        self._look_after_sound()

    def say(self, message: str) -> None:
        """Adds something to the messages."""
        self._messages.append(message)

    def messages(self) -> Iterator[str]:
        """What people should know and have not been told."""
        while self._messages:
            yield self._messages.popleft()

    def transcript(self) -> Transcript:
        return self._stream.transcript()

    def status(self) -> str:
        """One line: how loud, how fast, how late."""
        far = clock(self.heard_s)
        if self._duration_s:
            bar = progress_bar(self.heard_s / self._duration_s, 12)
            far = f"{bar} {far} of {clock(self._duration_s)}"
        mark = "●" if self._speaking else "○"
        return (
            f"{mark} {far} {level_meter(self._health.level)} · {self._speed()} · {self._backlog()}"
        )

    def summary(self) -> str:
        """One line for the end, and a second on delays."""
        line = f"{self.heard_s:.1f} s of audio, {self.processing_s:.2f} s of computing"
        return "\n".join([f"{line} · {self._speed()}", *self.trace.delays_in_words()])

    def _speed(self) -> str:
        """Computing's speed, and the latency: of the context, and what came on top of it."""
        factor = self._stream.stats().real_time_factor
        late_ms = 1000 * self.trace.recent_lag_s()
        latency_s = self._context.latency_s
        speed = 1 / factor if factor else 0.0
        return f"RTFx {speed:.0f} · latency {latency_s:.2f} s + {late_ms:.0f} ms"

    def _backlog(self) -> str:
        """What waits beyond what the context itself waits for."""
        waiting_s = self._stream.stats().backlog_s - self._stream.context.latency_s
        return f"backlog {max(0.0, waiting_s):.1f} s"

    def _push(self, samples: NDArray[np.float32]) -> int:
        """Takes samples (n,) in the source's thread."""
        if self._source.can_wait:
            with self._room:
                self._room.wait_for(lambda: self._has_room(len(samples)) or self._stopped)
        if self._stopped:
            return 0
        taken = self._stream.push(samples)
        self._beside.write(samples)
        self._pushed_samples += len(samples)
        self._arrivals.append((self.heard_s, self._now()))
        return taken

    def _has_room(self, samples: int) -> bool:
        free = self._beside.capacity - self._beside.occupancy
        backlog_s = self._stream.stats().backlog_s
        return free >= samples and backlog_s < self._stream.context.latency_s + _MOST_AHEAD_S

    def _take_note(self, event: Event | None) -> None:
        self._look_after_sound()
        self._look_after_source()
        if isinstance(event, Partial):
            lag_s = max(0.0, self._now() - self._arrival_s(event.lookahead_end_s))
            self.trace.stepped(event, lag_s, self._context)
        elif isinstance(event, (SpeechStarted, SpeechEnded)):
            self._speaking = isinstance(event, SpeechStarted)
        elif isinstance(event, Gap):
            self.trace.gaps.append(event)
            self.say(
                f"{event.end - event.start:.1f} s of sound could not be taken at "
                f"{clock(event.start)}: this machine does not keep up; choose a longer chunk "
                "(--context) or a smaller --model"
            )
        elif isinstance(event, ContextChanged):
            self.trace.changes.append(event)
            grew = event.context.chunk > self._context.chunk
            self._context = event.context
            why = self._why_longer() if grew else "there is room for it"
            self.say(f"text now comes within {event.context.latency_s:.2f} s: {why}")

    def _why_longer(self) -> str:
        if self._source.can_wait:
            return "sound comes faster than it is decoded"
        return "this machine does not keep up with less"

    def _look_after_sound(self) -> None:
        samples = self._beside_end.read()
        with self._room:
            self._room.notify()
        self._messages.extend(finding.message for finding in self._health.feed(samples))
        if self._saved is not None and len(samples):
            try:
                self._saved.write(samples)
            except OSError as error:
                self.say(f"sound is not saved any more: {error}")
                self._saved = None

    def _look_after_source(self) -> None:
        now_s = self._now()
        if now_s - self._watched_s >= _WATCH_S:
            self._watched_s = now_s
            self._source.watch(now_s)
            self._tell_losses()
        if self._interruption.asked and not self._stopped:
            self._stopped = True
            with self._room:
                self._room.notify()
            self._source.stop()
            self._stream.finish()

    def _tell_losses(self) -> None:
        if self._source.overflows > self._overflows:
            self._overflows = self._source.overflows
            self.say("the system dropped sound before it came here: this machine is too busy")
        if self._saved is not None and self._beside.refused > self._unsaved_samples:
            lost_samples = self._beside.refused - self._unsaved_samples
            self._unsaved_samples = self._beside.refused
            lost_s = samples_to_seconds(lost_samples, self._source.rate_hz)
            self.say(f"{lost_s:.1f} s are missing in the saved sound: slow disk")

    def _arrival_s(self, position_s: float) -> float:
        """When the sound before `position_s` had arrived; positions never fall."""
        while self._arrivals and self._arrivals[0][0] < position_s - 1e-6:
            self._arrived_s = self._arrivals.popleft()[1]
        return self._arrivals[0][1] if self._arrivals else self._arrived_s
