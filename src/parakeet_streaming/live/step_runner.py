"""Tasks with a window each in; one step of them all, and what each of them got, out.

Rules of this file:

1. A step that fails is made again in halves, to find whose fault it was. That stream ends, with its
   cause, and no other.
2. It belongs to the worker's thread, and knows a clock only as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.live.due import Due
from parakeet_streaming.live.meter import MOST_S, EngineMeter
from parakeet_streaming.live.open_streams import OpenStreams
from parakeet_streaming.live.scheduler import Scheduler
from parakeet_streaming.live.task import StreamTask
from parakeet_streaming.live.timed_step import run_step, timings_of
from parakeet_streaming.live.use_counter import UseCounter
from parakeet_streaming.results import Event, StepTiming


class StepRunner:
    """Runs the steps of one worker."""

    def __init__(
        self,
        stepper: Stepper,
        clock: Callable[[], float],
        streams: OpenStreams,
        meter: EngineMeter,
        uses: UseCounter,
        scheduler: Scheduler[StreamTask],
        fail: Callable[[StreamTask, Exception], None],
        go_on: Callable[[StreamTask], None],
    ) -> None:
        """`fail` ends a task; `go_on` is called for each that has taken its step."""
        self._stepper = stepper
        self._clock = clock
        self._streams = streams
        self._meter = meter
        self._uses = uses
        self._scheduler = scheduler
        self._fail = fail
        self._go_on = go_on

    def run(self, batch: Sequence[StreamTask]) -> None:
        """One step of all of these."""
        dues = [task.driver.due() for task in batch]
        failed = False
        try:
            given, times = run_step(self._stepper, [task.stream for task in batch], self._clock)
        except Exception as error:
            failed = True
            if len(batch) == 1:
                self._fail(batch[0], error)
        if failed:
            # Not while the error is at hand, which holds the memory that the step had.
            half = len(batch) // 2
            for part in (batch[:half], batch[half:]):
                if 0 < len(part) < len(batch):
                    self.run(part)
            return
        audio_s = sum([due.audio_s for due in dues])
        if times.took_s <= MOST_S:
            self._streams.step_took(audio_s, times.took_s, len(batch))
        self._meter.step_done(len(batch), times)
        timings = timings_of(dues, times, audio_s)
        intakes = [task.intake for task in batch]
        self._meter.streams_stepped(
            [timing.waited_s for timing in timings], [intake.backlog_s for intake in intakes]
        )
        for task, due, events, timing in zip(batch, dues, given, timings, strict=True):
            if task.is_over:
                continue
            try:
                self._take_step(task, due, events, timing)
            except Exception as error:
                self._fail(task, error)

    def _take_step(
        self, task: StreamTask, due: Due, events: Sequence[Event], timing: StepTiming
    ) -> None:
        driver = task.driver
        before, lower = driver.cost, driver.lower_cost
        lower_load = 0.0 if lower is None else self._streams.load_with(task.id, lower)
        task.take_step(due, events, timing, lower_load)
        cost = driver.cost
        if cost is not before:
            self._scheduler.closed(before.chunk_s)
            self._scheduler.opened(cost.chunk_s)
        self._uses.stepped(task, due, None if cost is before else cost, timing.streams)
        self._go_on(task)
