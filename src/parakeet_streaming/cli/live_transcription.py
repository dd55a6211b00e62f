"""A source of live sound and a stream of the live engine in; its events, and how it goes, out."""

from __future__ import annotations

import time
from collections.abc import Callable

from parakeet_streaming.audio.saving import SavedSound
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.cli.report import StreamLog, delays_in_words
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.results import ContextChanged, Event, Gap, Partial
from parakeet_streaming.sources.live import LiveSource
from parakeet_streaming.timeline import ContextConfig


class LiveTranscription(Listening):
    """One source that is transcribed live in this program, and how it goes."""

    def __init__(
        self,
        stream: LiveStream,
        source: LiveSource,
        interruption: Interruption,
        log: StreamLog,
        context: ContextConfig,
        *,
        duration_s: float | None = None,
        saved: SavedSound | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`context`: the stream's first one."""
        super().__init__(
            stream, source, interruption, context, duration_s=duration_s, saved=saved, now=now
        )
        self.log = log
        self._live = stream

    @property
    def processing_s(self) -> float:
        """Seconds spent computing."""
        return _processing_s(self.stats())

    def stats(self) -> StreamStats:
        return self._live.stats()

    def pace(self) -> str:
        stats = self.stats()
        # The context itself makes audio wait; only what waits longer is backlog to people.
        waiting_s = max(0.0, stats.backlog_s - self._context.latency_s)
        return f"{self._speed(stats)} · backlog {waiting_s:.1f} s"

    def summary(self) -> str:
        """One line for the end, and a second on delays."""
        stats = self.stats()
        line = f"{self.received_s:.1f} s of audio, {_processing_s(stats):.2f} s of computing"
        return "\n".join([f"{line} · {self._speed(stats)}", *delays_in_words(stats)])

    def _speed(self, stats: StreamStats) -> str:
        """How fast it computes, and the latency: of the context, and what is added to it."""
        lag_ms = 1000 * self.log.recent_lag_s()
        speed = 1 / stats.real_time_factor if stats.real_time_factor else 0.0
        return f"RTFx {speed:.0f} · latency {self._context.latency_s:.2f} s + {lag_ms:.0f} ms"

    def _take_note(self, event: Event | None) -> None:
        if isinstance(event, Partial):
            self.log.add(event, self._context)
        elif isinstance(event, Gap):
            self.log.gaps.append(event)
        elif isinstance(event, ContextChanged):
            self.log.changes.append(event)
        super()._take_note(event)


def _processing_s(stats: StreamStats) -> float:
    return stats.real_time_factor * stats.audio_s
