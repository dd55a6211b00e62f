"""A socket to the engine's process in; an engine for the server of this one, out.

Rules of this file:

1. `open` waits for the engine, as `LiveEngine.open` does: the answer takes a moment.
2. A slot belongs to a stream until both sides have forgotten it: the engine has told of its end,
   and nobody here holds it.
3. When the engine is gone, every stream ends with an error that says so, and none is opened.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from parakeet_streaming.boosting.options import Phrases, boosting_of
from parakeet_streaming.errors import CapacityError, UnavailableError
from parakeet_streaming.live.callers import Callers
from parakeet_streaming.live.engine import Named
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.stats import EngineStats, StreamStats
from parakeet_streaming.live.steady_clock import SteadyClock
from parakeet_streaming.metrics.registry import MetricsSnapshot
from parakeet_streaming.processes.audio_memory import AudioMemory, Blocks
from parakeet_streaming.processes.audio_writer import SharedAudioWriter
from parakeet_streaming.processes.failures import engine_gone, error_of
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.link import ANSWERS_WITHIN_S, Link
from parakeet_streaming.processes.remote_stream import (
    RemoteStream,
    RemoteTask,
    RoomAskingIngest,
    task_of,
)
from parakeet_streaming.processes.values import plain, value_of
from parakeet_streaming.results import FilterStart


class RemoteEngine:
    """An engine in another process. Any thread may call it."""

    def __init__(
        self,
        link: Link,
        memory: AudioMemory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link, self._memory = link, memory
        self._clock = SteadyClock(clock)
        self._callers = Callers()
        self._blocks = Blocks(memory.sizes.blocks)
        self._tasks: dict[int, RemoteTask] = {}
        # Entered again where the collector drops a stream meanwhile.
        self._lock = threading.RLock()
        self._free = list(range(memory.sizes.slots - 1, -1, -1))
        self._gone = False
        self.metrics: Final = RemoteMetrics(link)

    @property
    def failure(self) -> BaseException | None:
        """What broke the engine; None while it is well."""
        if self._gone:
            return engine_gone()
        try:
            told, _ = self._link.ask("failure")
        except UnavailableError as error:
            return error
        return error_of(told)

    def open(
        self,
        options: LiveOptions | None = None,
        *,
        id: str | None = None,
        resume: bytes | None = None,
        filters: Sequence[FilterStart] = (),
        instead_of: Named | None = None,
    ) -> RemoteStream:
        """As `LiveEngine.open`, which says what each argument is, and what it raises."""
        options = options or LiveOptions()
        rate_hz = options.context.sample_rate
        task = self._new_task(rate_hz)
        try:
            said = self._let_in(task, options, id, resume, filters, instead_of)
        except BaseException as error:
            task.dropped = True
            if type(error) is not UnavailableError:
                # Otherwise there was no answer, and the engine may still open it: that it is over
                # comes then.
                task.over = True
                self._forget(task)
            raise
        task.first_stats = value_of(StreamStats, said["stats"])
        task.writer.begin(int(said["start"]), int(said["most_samples"]))
        task.ingest = RoomAskingIngest(task.writer, rate_hz, filters)
        if task.over:
            task.ingest.woken()
        return RemoteStream(task, self._callers, self._clock, self._dropped)

    def prepare(
        self,
        phrases: Phrases | None = None,
        boost: float | None = None,
        *,
        resume: bytes | None = None,
    ) -> object:
        """As `LiveEngine.prepare`."""
        boosting = boosting_of(phrases, boost)
        told = None if boosting is None else plain(boosting)
        number, _ = self._link.ask("prepare", told, resume or b"")
        return _Prepared(self._link, int(number))

    def stats(self) -> EngineStats:
        """How it goes."""
        told, _ = self._link.ask("stats")
        return value_of(EngineStats, told)

    def take(self, frame: Frame) -> None:
        """What the engine tells of its streams; in the link's thread."""
        task = self._tasks.get(frame.number)
        if task is None:
            return
        task.take(frame)
        if self._blocks.short:
            self._blocks.short = False
            tasks = list(self._tasks.values())
            for each in tasks:
                each.writer.reclaim()
            for each in tasks:
                if each.ingest is not None:
                    each.ingest.woken()
        if frame.kind is Kind.OVER:
            self._forget(task)

    def end(self) -> None:
        """The engine is gone."""
        self._gone = True
        for task in list(self._tasks.values()):
            if not task.over:
                task.end(engine_gone())

    def _let_in(
        self,
        task: RemoteTask,
        options: LiveOptions,
        stream_id: str | None,
        resume: bytes | None,
        filters: Iterable[FilterStart],
        instead_of: Named | None,
    ) -> dict[str, Any]:
        asked = {
            "slot": task.slot,
            "options": plain(options),
            "id": stream_id,
            "resumes": resume is not None,
            "filters": [plain(each) for each in filters],
            "instead_of": None if instead_of is None else instead_of.id,
            "until_s": time.monotonic() + ANSWERS_WITHIN_S,
        }
        told, _ = self._link.ask("open", asked, resume or b"")
        found: dict[str, Any] = told
        return found

    def _new_task(self, rate_hz: int) -> RemoteTask:
        if self._gone:
            raise engine_gone()
        with self._lock:
            if not self._free:
                raise CapacityError(
                    "this process has as many streams as it has room for; try again later"
                )
            slot = self._free.pop()
        link = self._link

        def wake() -> None:
            link.tell(Frame(Kind.WAKE, slot))

        writer = SharedAudioWriter(self._memory, slot, self._blocks, self._clock, wake)
        task = self._tasks[slot] = task_of(self._memory, slot, link, writer, rate_hz)
        return task

    def _dropped(self, task: RemoteTask) -> None:
        task.dropped = True
        self._forget(task)

    def _forget(self, task: RemoteTask) -> None:
        """Frees the slot of a stream that is over, and that nobody holds."""
        if not (task.over and task.dropped):
            return
        with self._lock:
            if self._tasks.get(task.slot) is not task:
                return
            del self._tasks[task.slot]
            task.writer.free()
            self._link.tell(Frame(Kind.LEAVE, task.slot))
            self._free.append(task.slot)


class RemoteMetrics(LiveMetrics):
    """What the engine counts; names and help are the same there and here."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    def snapshot(self) -> MetricsSnapshot:
        """All metrics as they are now."""
        told, _ = self._link.ask("metrics")
        return snapshot_of(told)


def snapshot_of(told: Any) -> MetricsSnapshot:  # noqa: ANN401  JSON is anything
    """Metrics that another process has told."""
    from parakeet_streaming.metrics.histogram import Distribution

    return MetricsSnapshot(
        dict(told["gauges"]),
        dict(told["counters"]),
        {name: dict(totals) for name, totals in told["counters_by"].items()},
        {name: value_of(Distribution, each) for name, each in told["histograms"].items()},
    )


class _Prepared:
    """Phrases that the engine holds compiled, while this is held."""

    def __init__(self, link: Link, number: int) -> None:
        weakref.finalize(self, link.tell, Frame(Kind.LET_GO, number))
