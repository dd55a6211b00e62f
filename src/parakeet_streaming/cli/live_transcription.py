"""A source of live sound and streams of the live engine in; its events, and how it goes, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from parakeet_streaming.audio.saving import SavedSound
from parakeet_streaming.channels import ChannelEvent
from parakeet_streaming.cli.display import Told
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.cli.report import StreamLog, counts_in_words, delays_in_words
from parakeet_streaming.cli.separate_streams import SeparateStreams
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.results import ContextChanged, Gap, Partial
from parakeet_streaming.sources.live import LiveSource
from parakeet_streaming.timeline import ContextConfig


class LiveTranscription(Listening):
    """One source that is transcribed live in this program, and how it goes."""

    def __init__(
        self,
        streams: Sequence[LiveStream],
        source: LiveSource,
        interruption: Interruption,
        log: StreamLog,
        context: ContextConfig,
        *,
        duration_s: float | None = None,
        saved: SavedSound | None = None,
        labels: Sequence[str] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`streams`: one, or one for each of the channels that have labels."""
        super().__init__(
            SeparateStreams(streams, labels) if labels else streams[0],
            source, interruption, context,
            duration_s=duration_s, saved=saved, labels=labels, now=now,
        )  # fmt: skip
        self.log = log
        self._live = tuple(streams)

    @property
    def processing_s(self) -> float:
        """Seconds spent computing."""
        return sum(map(_processing_s, self.stats()))

    def stats(self) -> tuple[StreamStats, ...]:
        """Of each stream."""
        return tuple(stream.stats() for stream in self._live)

    def counts(self) -> Iterator[str]:
        """What was decoded, passed over and refused, in lines."""
        return self._of_each(lambda stats: counts_in_words(stats).split("\n"))

    def pace(self) -> str:
        stats = self.stats()
        backlog_s = max(each.backlog_s for each in stats)
        # The context itself makes audio wait; only what waits longer is backlog to people.
        waiting_s = max(0.0, backlog_s - self._context.latency_s)
        return f"{self._speed(stats)} · backlog {waiting_s:.1f} s"

    def summary(self) -> str:
        """One line for the end, and a second on delays."""
        line = f"{self.received_s:.1f} s of audio, {self.processing_s:.2f} s of computing"
        return "\n".join([f"{line} · {self._speed(self.stats())}", *self._of_each(delays_in_words)])

    def _of_each(self, words: Callable[[StreamStats], Iterable[str]]) -> Iterator[str]:
        """Lines on each stream, with its channel where there are several."""
        for number, stats in enumerate(self.stats()):
            yield from (f"{self._whose(number)}{line}" for line in words(stats))

    def _speed(self, stats: Sequence[StreamStats]) -> str:
        """How fast it computes, and the latency: of the context, and what is added to it."""
        lag_ms = 1000 * self.log.recent_lag_s()
        factor = sum(each.real_time_factor for each in stats)
        speed = 1 / factor if factor else 0.0
        return f"RTFx {speed:.0f} · latency {self._context.latency_s:.2f} s + {lag_ms:.0f} ms"

    def _take_note(self, event: Told | None) -> None:
        told = event.event if isinstance(event, ChannelEvent) else event
        if isinstance(told, Partial):
            self.log.add(told, self._context)
        elif isinstance(told, Gap):
            self.log.gaps.append(told)
        elif isinstance(told, ContextChanged):
            self.log.changes.append(told)
        super()._take_note(event)


def _processing_s(stats: StreamStats) -> float:
    return stats.real_time_factor * stats.audio_s
