"""Streams and their news in; one turn after the other, their events and the next time to turn out.

Rules of this file:

1. It knows a clock only as a function and waits for nothing, so it can be turned by hand.
2. A stream with news says so: `wake` puts its id into a queue. A turn looks at the streams with
   news, at the timers that are due, and at one batch; it never goes through all streams. Only
   `close`, `abandon` and `stats` do.
3. A turn takes what has arrived, judges speech of all those streams together, runs one batch, and
   hands events out. A stream is in a batch at most once, and no batch waits for a stream that is
   not ready.
4. What goes wrong in one stream, in its data or its consumer, ends that stream with its cause. A
   call for many that fails is made again stream by stream, to find whose fault it was.
5. What more than one thread changes is in `open_streams.py`, behind its lock, or in a queue made
   for two threads. Everything else here belongs to the worker's thread.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.live.admission import Admission
from parakeet_streaming.live.audio_watch import AudioWatch
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.callers import Callers
from parakeet_streaming.live.due import Due
from parakeet_streaming.live.failures import as_reported
from parakeet_streaming.live.meter import MOST_S, EngineMeter
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.open_streams import OpenStreams
from parakeet_streaming.live.scheduler import Scheduler
from parakeet_streaming.live.stats import EngineStats
from parakeet_streaming.live.step_runner import StepRunner
from parakeet_streaming.live.task import Outlook, Phase, StreamTask
from parakeet_streaming.live.use_counter import UseCounter
from parakeet_streaming.live.voice import VoiceJudge
from parakeet_streaming.ports import VoiceActivity

_JOINING: Final = Phase.JOINING
_LOG: Final = logging.getLogger("parakeet_streaming.live")


class StreamLoop:
    """All streams of one worker."""

    def __init__(
        self,
        stepper: Stepper,
        vad: VoiceActivity | None,
        clock: Callable[[], float],
        rouse: Callable[[], None],
        admission: Admission[str],
        limits: BatchLimits | None = None,
    ) -> None:
        """`rouse` is called by any thread when there is news: the loop is to be turned."""
        self.metrics = LiveMetrics()
        self.meter = EngineMeter(self.metrics)
        self.streams = OpenStreams(admission, self.metrics)
        self.callers = Callers()
        self.rouse = rouse
        self._clock = clock
        self._scheduler: Scheduler[StreamTask] = Scheduler(limits, admission.step_s)
        self._uses = UseCounter(self.streams, self.meter)
        self._steps = StepRunner(
            stepper,
            clock,
            self.streams,
            self.meter,
            self._uses,
            self._scheduler,
            self._fail,
            self._after_step,
        )
        self._voice = VoiceJudge(vad, clock, self._fail, self._judged)
        self._audio_watch = AudioWatch()
        self._news: deque[str] = deque()
        self._again: dict[StreamTask, None] = {}

    @property
    def failure(self) -> BaseException | None:
        """What broke the worker; None while it is well."""
        return self.streams.failure

    @property
    def over(self) -> bool:
        """Whether it was closed and every stream is over."""
        return self.streams.closing is not None and not len(self.streams)

    def join(self, task: StreamTask) -> None:
        """Takes a stream in that has a place. Any thread.

        Raises:
            EngineFailedError: the worker has broken.
            StreamClosedError: the engine is closed.
        """
        self.streams.join(task)
        self.wake(task.id)

    def wake(self, stream_id: str) -> None:
        """A stream has news. Any thread."""
        self._news.append(stream_id)
        self.rouse()

    def close(self, *, drain: bool) -> None:
        """Lets no stream in any more; streams end as if finished, or else cancelled. Any thread."""
        self.streams.close(drain=drain)
        self._news.extend(task.id for task in self.streams.all())
        self.rouse()

    def stats(self) -> EngineStats:
        """How it goes. Any thread."""
        streams, real_time_factor = self.streams, self.metrics.rtf_recent
        return EngineStats.of(streams.all(), streams.load, real_time_factor.value, self.meter)

    def turn(self, now_s: float) -> float | None:
        """One round.

        Returns:
            When to turn again if it is not roused before: `now_s` for at once; None for never.
        """
        with self.callers.turning():
            tasks = self._with_news(now_s)
            rested = [task for task in self._scheduler.rested(now_s) if task not in tasks]
            self._voice.listen(list(tasks))
            for task in tasks:
                self._guarded(task, self._plan)
            for task in rested:
                self._guarded(task, self._plan_rested)
            batch = self._scheduler.pick(self._clock())
            if batch:
                self.metrics.ready_streams.set(len(batch) + len(self._scheduler))
                self._steps.run(batch)
                self.meter.turned(now_s, self._clock())
                return now_s
            return self._next_s(now_s)

    def abandon(self, error: BaseException) -> None:
        """Ends every stream with that error; no stream is let in any more."""
        self.streams.fail(error)
        tasks = self.streams.all()
        _LOG.error("the worker failed, and %d streams with it", len(tasks), exc_info=error)
        with self.callers.turning():
            for task in tasks:
                self._end(task, Phase.FAILED, error)

    def _with_news(self, now_s: float) -> dict[StreamTask, None]:
        tasks, self._again = self._again, {}
        while self._news:
            task = self.streams.get(self._news.popleft())
            if task is not None:
                tasks[task] = None
        for task in self._audio_watch.due(now_s):
            tasks[task] = None
        return tasks

    def _next_s(self, now_s: float) -> float | None:
        if self._again or self._news:
            return now_s
        times = [
            at_s
            for at_s in (self._scheduler.next_time(self._clock()), self._audio_watch.next_s)
            if at_s is not None
        ]
        return min(times, default=None)

    def _plan(self, task: StreamTask) -> None:
        now_s, closing = self._clock(), self.streams.closing
        if task.phase is _JOINING:
            self._welcome(task)
        if task.cancel_requested or closing == "cancel":
            self._end(task, Phase.CANCELLED)
            return
        if closing == "drain":
            task.finish(now_s)
        self._audio_watch.end_if_idle(task, now_s)
        waits = task in self._scheduler
        if not waits:
            driver = task.driver
            due = driver.plan()
            if due is not None:
                waits = True
                self._ready(task, due, now_s)
            if not driver.is_plain:
                self._uses.count(task)
        task.answer_requests()
        task.hand_out(now_s)
        if task.error is not None:
            self._end(task, Phase.FAILED, task.error)
            return
        outlook = task.outlook(waits_for_step=waits)
        if outlook is Outlook.OVER:
            self._end(task, Phase.TIMED_OUT if task.idle_too_long else Phase.FINISHED)
        elif outlook is Outlook.AGAIN:
            self._again[task] = None
        else:
            self._audio_watch.end_utterance_if_it_rests(task, now_s, rests=not waits)

    def _plan_rested(self, task: StreamTask) -> None:
        """Plans one that has rested, so that nothing has come but audio."""
        task.take()
        due = task.driver.plan_window()
        if due is None:
            self._plan(task)
            return
        self._ready(task, due, self._clock())
        pauses = task.pauses
        pauses.works()

    def _after_step(self, task: StreamTask) -> None:
        """Lets a stream rest that can do nothing before its next tick; plans any other."""
        if self._scheduler.has_ticks and task.may_rest():
            driver, now_s = task.driver, self._clock()
            task.hand_out(now_s)
            if task.error is None and self._scheduler.rest(task, driver.kind, now_s):
                self._audio_watch.end_utterance_if_it_rests(task, now_s, rests=True)
                return
        self._plan(task)

    def _ready(self, task: StreamTask, due: Due, now_s: float) -> None:
        driver = task.driver
        task.goes_at_s = self._scheduler.ready(
            task,
            deadline_s=due.deadline_s,
            next_s=due.next_s,
            ends=due.ends,
            audio_s=due.audio_s,
            now_s=now_s,
            recording=task.lane == "recording",
            known_s=due.known_s,
            chunk_s=driver.chunk_s,
            kind=driver.kind,
            will_rest=driver.is_plain and self._scheduler.has_ticks,
        )

    def _welcome(self, task: StreamTask) -> None:
        task.phase = Phase.OPEN
        if task.lane == "live":
            self._scheduler.opened(_chunk_s(task))
        self.metrics.active_streams.set(len(self.streams))

    def _judged(self, audio_s: float, took_s: float) -> None:
        if took_s <= MOST_S:
            self.metrics.vad_step_seconds.record(took_s)
            self.streams.vad_took(audio_s, took_s)

    def _guarded(self, task: StreamTask, act: Callable[[StreamTask], None]) -> None:
        if task.is_over:
            return
        try:
            act(task)
        except Exception as error:
            self._fail(task, error)

    def _fail(self, task: StreamTask, error: Exception) -> None:
        """Ends a stream by an error of its computation."""
        self._end(task, Phase.FAILED, as_reported(error, task.id))

    def _end(self, task: StreamTask, phase: Phase, error: BaseException | None = None) -> None:
        if task.is_over:
            return
        joined = task.phase is not Phase.JOINING
        task.end(phase, error)
        self._scheduler.leave(task)
        self._audio_watch.clear(task)
        self._again.pop(task, None)
        if joined and task.lane == "live":
            self._scheduler.closed(_chunk_s(task))
        self._uses.count(task)
        self.streams.leave(task.id)
        task.hand_out(self._clock())
        if task.error is not None:
            task.phase = Phase.FAILED
        self.meter.decoded(task.counted_audio_s())
        self.metrics.active_streams.set(len(self.streams))
        phase = task.phase
        self.metrics.streams_total[phase.value].add()
        if task.error is not None:
            _LOG.warning("stream %s: failed: %r", task.id, task.error)
        task.close_events()


def _chunk_s(task: StreamTask) -> float:
    driver = task.driver
    return driver.chunk_s
