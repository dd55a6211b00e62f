"""A source of live sound, and who recognises it, in; events, and how it goes, out.

Rules of this file:

1. The source's thread pushes into the stream, and into a ring beside it from which this thread
   watches the level and saves the sound.
2. A source that can wait is held back until both have room; any other is never held up.
3. Whatever ends the source, everything that it gave is decoded. Its failure comes after that.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.health import HealthWatch
from parakeet_streaming.audio.ring import sample_ring
from parakeet_streaming.audio.saving import SavedSound
from parakeet_streaming.channels import ChannelEvent, SeparateTranscript
from parakeet_streaming.cli.display import Told, clock, level_meter, progress_bar
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.results import (
    ContextChanged,
    Gap,
    HealthHint,
    SpeechEnded,
    SpeechStarted,
    Transcript,
)
from parakeet_streaming.sources.live import LiveSource
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds, seconds_to_samples

TICK_S: Final = 0.1
"""How often the level and the status are looked at when nothing else happens."""
_WATCH_S: Final = 1.0
_MONITOR_S: Final = 10.0
"""Sound that may wait for this thread; a slow disk may take that long."""


class Recognition(Protocol):
    """Who recognises: a stream of this program's engine, or of a server."""

    def push(self, samples: NDArray[np.float32], /) -> int:
        """Takes samples (n,) or (n, channels), in the source's thread; never waits.

        Returns:
            How many were taken.
        """
        ...

    def push_gap(self, samples: int, /) -> None:
        """So many samples are missing."""
        ...

    def wait_for_room(self, samples: int, /) -> int:
        """Waits until that many would be taken, or it takes no more."""
        ...

    def finish(self) -> None:
        """No more samples; any thread may call it."""
        ...

    def get(self, timeout_s: float | None = None, /) -> Told | None:
        """The next event; None after the last one.

        Raises:
            TimeoutError: none came for so long.
        """
        ...

    def transcript(self) -> Transcript | SeparateTranscript:
        """Everything committed so far."""
        ...


class Listening:
    """One source that is recognised live. Who recognises it says how that goes."""

    def __init__(
        self,
        stream: Recognition,
        source: LiveSource,
        interruption: Interruption,
        context: ContextConfig,
        *,
        duration_s: float | None = None,
        saved: SavedSound | None = None,
        labels: Sequence[str] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`context`: the first one; `labels`: of channels that are recognised each for itself."""
        self._stream = stream
        self._source = source
        self._interruption = interruption
        self._duration_s = duration_s
        self._saved = saved
        self._now = now
        self._context = context
        self._contexts: dict[int, ContextConfig] = {}
        self._first_context = context
        self._labels = labels
        self._channels = source.channels
        # It has the channels interleaved, and takes and gives whole frames.
        ring_frames = seconds_to_samples(_MONITOR_S, source.rate_hz)
        self._monitor_writer, self._monitor = sample_ring(ring_frames * self._channels)
        self._monitor_read = threading.Condition()
        self._pushed_samples = 0
        self._health = HealthWatch(source.rate_hz)
        self._messages: deque[str] = deque()
        self._speaking: set[int] = set()
        self._stopped = False
        self._watched_s = -_WATCH_S
        self._overflows = 0
        self._unsaved_samples = 0

    @property
    def received_s(self) -> float:
        """Seconds of audio that the source gave."""
        return samples_to_seconds(self._pushed_samples, self._source.rate_hz)

    @property
    def failure(self) -> Exception | None:
        """Why the source ended before its time."""
        return self._source.failure

    def events(self) -> Iterator[Told | None]:
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
        self._take_sound()

    def add_message(self, message: str) -> None:
        """Adds a message for people."""
        self._messages.append(message)

    def push_gap(self, samples: int) -> None:
        """Takes note of samples that the system dropped, in the source's thread."""
        self._stream.push_gap(samples)
        self._pushed_samples += samples
        # What is saved keeps its times.
        self._monitor_writer.write(
            np.zeros(min(samples * self._channels, self._monitor_writer.capacity), np.float32)
        )

    def messages(self) -> Iterator[str]:
        """What people should know and have not been shown."""
        while self._messages:
            yield self._messages.popleft()

    def transcript(self) -> Transcript | SeparateTranscript:
        return self._stream.transcript()

    def status(self) -> str:
        """One line: how loud, how fast, how late."""
        far = clock(self.received_s)
        if self._duration_s:
            bar = progress_bar(self.received_s / self._duration_s, 12)
            far = f"{bar} {far} of {clock(self._duration_s)}"
        mark = "●" if self._speaking else "○"
        return f"{mark} {far} {level_meter(self._health.level)} · {self.pace()}"

    def pace(self) -> str:
        """How fast and how late it is."""
        return f"latency {self._context.latency_s:.2f} s"

    def summary(self) -> str:
        """For the end."""
        return f"{self.received_s:.1f} s of audio"

    def _push(self, samples: NDArray[np.float32]) -> int:
        """Takes samples (n,) or (n, channels) in the source's thread."""
        if self._source.can_wait:
            self._wait_for_room(len(samples))
        if self._stopped:
            return 0
        taken = self._stream.push(samples)
        self._monitor_writer.write(samples.reshape(-1))
        self._pushed_samples += len(samples)
        return taken

    def _wait_for_room(self, samples: int) -> None:
        ring = self._monitor_writer
        with self._monitor_read:
            self._monitor_read.wait_for(
                lambda: self._stopped or ring.capacity - ring.occupancy >= samples * self._channels
            )
        if not self._stopped:
            self._stream.wait_for_room(samples)

    def _whose(self, channel: int) -> str:
        """What comes before a message on a channel."""
        return f"{self._labels[channel]}: " if self._labels else ""

    def _take_note(self, event: Told | None) -> None:
        self._take_sound()
        self._watch_source()
        channel = 0
        if isinstance(event, ChannelEvent):
            channel, event = event.channel, event.event
        whose = self._whose(channel)
        if isinstance(event, SpeechStarted):
            self._speaking.add(channel)
        elif isinstance(event, SpeechEnded):
            self._speaking.discard(channel)
        elif isinstance(event, Gap):
            self.add_message(
                f"{whose}{event.end - event.start:.1f} s of sound could not be taken at "
                f"{clock(event.start)}: {self.why_lost()}"
            )
        elif isinstance(event, HealthHint):
            self.add_message(f"{whose}{event.message}")
        elif isinstance(event, ContextChanged):
            grew = event.context.chunk > self._contexts.get(channel, self._first_context).chunk
            self._contexts[channel] = self._context = event.context
            why = self._why_longer() if grew else "there is room for it"
            self.add_message(f"{whose}text now comes within {event.context.latency_s:.2f} s: {why}")

    def _why_longer(self) -> str:
        if self._source.can_wait:
            return "sound comes faster than it is decoded"
        return self.why_slow()

    def why_slow(self) -> str:
        """Why text comes later than before."""
        return "this machine does not keep up with less"

    def why_lost(self) -> str:
        """Why sound could not be taken, and what to do."""
        return (
            "this machine does not keep up; choose a longer chunk (--context) or a smaller --model"
        )

    def _take_sound(self) -> None:
        """Takes the sound that was pushed since the last call: watches its level, and saves it."""
        samples = self._monitor.read()
        with self._monitor_read:
            self._monitor_read.notify()
        if self._channels > 1:
            samples = samples.reshape(-1, self._channels)
        heard = samples if self._channels == 1 else samples.mean(axis=1)
        self._messages.extend(finding.message for finding in self._health.feed(heard))
        if self._saved is not None and len(samples):
            try:
                self._saved.write(samples)
            except OSError as error:
                self.add_message(f"sound is not saved any more: {error}")
                self._saved = None

    def _watch_source(self) -> None:
        now_s = self._now()
        if now_s - self._watched_s >= _WATCH_S:
            self._watched_s = now_s
            self._source.watch(now_s)
            self._report_losses()
        if self._interruption.asked and not self._stopped:
            self._stopped = True
            with self._monitor_read:
                self._monitor_read.notify()
            self._source.stop()
            # This also lets go of a source that waits for room.
            self._stream.finish()

    def _report_losses(self) -> None:
        if self._source.overflows > self._overflows:
            self._overflows = self._source.overflows
            self.add_message(
                "the system dropped sound before it came here: this machine is too busy"
            )
        refused_samples = self._monitor_writer.refused
        if self._saved is not None and refused_samples > self._unsaved_samples:
            lost_samples = refused_samples - self._unsaved_samples
            self._unsaved_samples = refused_samples
            lost_s = samples_to_seconds(lost_samples // self._channels, self._source.rate_hz)
            self.add_message(f"{lost_s:.1f} s are missing in the saved sound: slow disk")
