"""Samples of one stream in; its events, which an engine in another process gives, out.

Rules of this file:

1. It is `LiveStream` for whoever holds it. Samples are validated and resampled in this process, as
   `live/ingest.py` says; what the engine gets is at 16 kHz.
2. What is told of it here is never ahead of the events that have come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from parakeet_streaming.audio.resample import filters_from
from parakeet_streaming.boosting.options import Phrases, boosting_of
from parakeet_streaming.live.callers import Callers
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.hints import StreamHints
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.live.stream_ends import AudioEnd, EventEnd
from parakeet_streaming.processes import audio_memory as at
from parakeet_streaming.processes.audio_memory import AudioMemory
from parakeet_streaming.processes.audio_writer import SharedAudioWriter
from parakeet_streaming.processes.events import unpacked_event
from parakeet_streaming.processes.failures import error_of
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.link import Link
from parakeet_streaming.processes.shared_memory import fence
from parakeet_streaming.processes.values import plain, value_of
from parakeet_streaming.results import FilterStart, SnapshotTaken, Transcript
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds


class RoomAskingIngest(AudioIngest):
    """Where samples come in, of a worker that is told when somebody waits for room."""

    def __init__(
        self, queue: SharedAudioWriter, rate_hz: int, filters: Sequence[FilterStart] = ()
    ) -> None:
        super().__init__(queue, rate_hz, filters)
        self._shared = queue

    def _enough(self, samples: int) -> int | None:
        found = super()._enough(samples)
        if found is None:
            self._shared.ask_for_room()
            found = super()._enough(samples)
        return found


@dataclass(slots=True, eq=False)
class RemoteTask:
    """What the engine's process is told of a stream, and tells of it."""

    slot: int
    link: Link
    counters: memoryview
    writer: SharedAudioWriter
    events: EventQueue
    rate_hz: int
    ingest: RoomAskingIngest | None = None
    """None until the engine has let it in."""
    first_stats: StreamStats | None = None
    """When it was opened."""
    received_events: int = 0
    told_samples: int = 0
    over: bool = False
    dropped: bool = False
    """Nobody holds the stream any more."""

    def tell(self, kind: Kind, value: object = None) -> None:
        self.link.tell(Frame(kind, self.slot, value))

    def take(self, frame: Frame) -> None:
        """What the engine tells; in the link's thread."""
        if frame.kind is Kind.EVENT:
            self._take_event(frame)
        elif frame.kind is Kind.OVER:
            self.end(error_of(frame.value))
        elif self.ingest is None:
            return
        elif frame.kind is Kind.ROOM:
            self.ingest.woken()
        elif frame.kind is Kind.COMMIT_ASKED:
            asked = int(frame.value)
            self.ingest.commit(lambda position: self.tell(Kind.COMMITTED, [asked, position]))
        elif frame.kind is Kind.FINISH_ASKED:
            self.ingest.finish()

    def end(self, error: BaseException | None) -> None:
        """No more events come."""
        self.over = True
        self.counters[at.REFUSING] = 1
        self.events.close(error)
        if self.ingest is not None:
            self.ingest.woken()

    def told(self) -> int:
        """Samples that are decoded, with all events of them here."""
        told = self.counters[at.TOLD]
        fence()
        if self.received_events >= self.counters[at.EVENTS_PUT]:
            self.told_samples = told
        return self.told_samples

    def _take_event(self, frame: Frame) -> None:
        if frame.value is not None:
            event = unpacked_event(frame.value, frame.blob)
            if isinstance(event, SnapshotTaken) and self.rate_hz != SAMPLE_RATE_HZ:
                begun = () if self.ingest is None else self.ingest.filters
                event = replace(event, filters=filters_from(begun, event.position))
            self.events.put(event)
        self.received_events += 1


class RemoteStream(AudioEnd, EventEnd):
    """One speaker's audio, live. Any thread may call it."""

    def __init__(
        self,
        task: RemoteTask,
        callers: Callers,
        clock: Callable[[], float],
        forget: Callable[[RemoteTask], None],
    ) -> None:
        """`forget` is told when nobody holds it any more."""
        assert task.ingest is not None, "the engine has let it in"
        assert task.first_stats is not None, "and has said how it begins"
        self._task, self._callers = task, callers
        self._forget = forget
        self._ingest = task.ingest
        self._events = task.events
        self._pushing = threading.RLock()
        self._hints = _hints_into(task.events, task.rate_hz, clock)
        self.id: Final = task.first_stats.id
        """Its name in logs and errors."""

    @property
    def told_s(self) -> float:
        """As of `LiveStream`."""
        return samples_to_seconds(self._task.told())

    def commit(self) -> None:
        """As `LiveStream.commit`."""
        if not self._ingest.finished:
            self._ingest.commit(partial(self._task.tell, Kind.COMMIT))

    def finish(self) -> None:
        """As `LiveStream.finish`."""
        if not self._ingest.finished:
            self._ingest.finish()
            self._task.tell(Kind.FINISH)

    def cancel(self) -> None:
        """As `LiveStream.cancel`."""
        if not self._task.over:
            self._task.tell(Kind.CANCEL)

    def use_phrases(self, phrases: Phrases | None, boost: float | None = None) -> None:
        """As `LiveStream.use_phrases`."""
        boosting = boosting_of(phrases, boost)
        told = None if boosting is None else plain(boosting)
        self._task.link.ask("phrases", [self._task.slot, told])

    def ask_snapshot(self, *, past: bool = False) -> None:
        """As `LiveStream.ask_snapshot`."""
        self._task.tell(Kind.SNAPSHOT, past)

    def transcript(self) -> Transcript:
        """Everything committed so far."""
        told, _ = self._task.link.ask("transcript", self._task.slot)
        return value_of(Transcript, told)

    def stats(self) -> StreamStats:
        """How it goes; until samples come, or it ends, as it was opened."""
        first, writer = self._task.first_stats, self._task.writer
        began = self._task.over or self._ingest.finished or self._hints.told
        if first is not None and not began and writer.received == first.received_samples:
            return first
        told, _ = self._task.link.ask("stream stats", self._task.slot)
        return replace(value_of(StreamStats, told), hints=self._hints.told)

    def __del__(self) -> None:
        task = getattr(self, "_task", None)
        if task is not None:
            self.cancel()
            self._forget(task)


def _hints_into(events: EventQueue, rate_hz: int, clock: Callable[[], float]) -> StreamHints:
    """Hints that are told at once; they know nothing of the stream, which is to be dropped."""

    def tell() -> None:
        for hint in hints.take():
            events.put(hint)

    hints = StreamHints(rate_hz, clock, tell)
    return hints


def task_of(
    memory: AudioMemory, slot: int, link: Link, writer: SharedAudioWriter, rate_hz: int
) -> RemoteTask:
    """A stream that is being opened."""
    return RemoteTask(slot, link, memory.slot(slot).counters, writer, EventQueue(), rate_hz)
