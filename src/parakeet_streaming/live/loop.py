"""Streams in; one turn after the other, their events out. All that the worker's thread does.

Rules of this file:

1. It knows a clock only as a function and waits for nothing, so it can be turned by hand.
2. A turn takes what has arrived, judges speech of all streams together, runs one batch, and hands
   events out. A stream is due at most once, and nobody waits for one that is not ready.
3. What goes wrong in one stream, in its data or its consumer, ends that stream with its cause. A
   call for many that fails is made again stream by stream, to find whose fault it was.
4. One thread turns it. Any thread may `join`, `close`, set what `StreamTask` says, and look.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import CapacityError, ComputeError, ParakeetError, StreamClosedError
from parakeet_streaming.live.meter import EngineMeter
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.scheduler import Admission, BatchLimits, Scheduler
from parakeet_streaming.live.task import Outcome, StreamTask
from parakeet_streaming.ports import Floats, VoiceActivity
from parakeet_streaming.timeline import samples_to_seconds


class StreamLoop:
    """All streams of one worker."""

    def __init__(
        self,
        recognizer: Recognizer,
        vad: VoiceActivity | None,
        clock: Callable[[], float],
        *,
        most_streams: int | None = None,
        limits: BatchLimits | None = None,
    ) -> None:
        self.metrics = LiveMetrics()
        self.guests: tuple[StreamTask, ...] = ()
        self.meter = EngineMeter(self.metrics)
        self._recognizer = recognizer
        self._vad = vad
        self._clock = clock
        self._scheduler: Scheduler[StreamTask] = Scheduler(limits)
        self._house: Admission[StreamTask] = Admission(most_streams)
        # Entered again where the collector drops an engine while its own worker is inside.
        self._lock = threading.RLock()
        self._newcomers: deque[StreamTask] = deque()
        self._closing: Literal["drain", "cancel"] | None = None

    @property
    def load(self) -> float:
        """Part of the time that the work for all streams takes."""
        with self._lock:
            return self._house.load

    @property
    def closed(self) -> bool:
        """Whether nobody is let in any more."""
        return self._closing is not None

    @property
    def over(self) -> bool:
        """Whether it was closed and everyone has gone."""
        return self.closed and not self.guests and not self._newcomers

    def join(self, guest: StreamTask) -> None:
        """Takes a stream in.

        Raises:
            CapacityError: there is no room.
            StreamClosedError: the table is closed.
        """
        rate = guest.rate(guest.seat.adapter.context)
        least = guest.rate(guest.seat.adapter.widest)
        with self._lock:
            if self.closed:
                raise StreamClosedError("this engine is closed; make a new one")
            full = len(self._house) == self._house.most_streams
            try:
                self._house.admit(guest, rate, least)
            except CapacityError:
                self.metrics.rejected_total["streams" if full else "load"].add()
                raise
            self._newcomers.append(guest)

    def close(self, *, drain: bool) -> None:
        """Lets nobody in any more; those inside end as if finished, or else cancelled."""
        with self._lock:
            if self._closing != "cancel":
                self._closing = "drain" if drain else "cancel"

    def turn(self) -> bool:
        """One round; whether there is more to do at once."""
        began_s = self._clock()
        self._welcome()
        self._hear_wishes()
        self._listen()
        for guest in self.guests:
            if guest.changed:
                self._guarded(guest, self._plan)
        batch = self._scheduler.pick()
        if batch:
            self.metrics.ready_streams.set(len(batch) + len(self._scheduler))
            self._step(batch)
            self._measure(began_s)
        for guest in self.guests:
            if guest.seat.stream.closed:
                self._end(guest, "finished")
        return len(self._scheduler) > 0 or any(guest.changed for guest in self.guests)

    def may_wait(self) -> bool:
        """Asks producers to wake the worker; whether nothing has come in the meantime."""
        for guest in self.guests:
            if guest.moved:
                guest.seat.outlet.wake_after(guest.seat.ear.needed_samples())
                guest.moved = False
        if self._newcomers or self._closing == "cancel":
            return False
        if self._closing == "drain" and any(not guest.inlet.closed for guest in self.guests):
            return False
        return not any(guest.asked or guest.seat.outlet.wake_is_due for guest in self.guests)

    def abandon(self, error: BaseException) -> None:
        """Ends every stream with that error; nobody is let in any more."""
        self.close(drain=False)
        self._welcome()
        for guest in self.guests:
            self._end(guest, "failed", error)

    def _welcome(self) -> None:
        while self._newcomers:
            self.guests = (*self.guests, self._newcomers.popleft())
            self.metrics.active_streams.set(len(self.guests))

    def _hear_wishes(self) -> None:
        for guest in self.guests:
            if self._closing == "drain" and not guest.inlet.closed:
                guest.meter.finished_at_s = self._clock()
                guest.inlet.close()
            if guest.cancelled or self._closing == "cancel":
                self._end(guest, "cancelled")
            elif guest.asked:
                guest.asked, guest.changed = False, True

    def _listen(self) -> None:
        """Takes what has arrived, and judges it, one frame of each stream at a time."""
        listening = [guest for guest in self.guests if guest.changed or guest.seat.ear.has_news]
        while listening:
            for guest in listening:
                self._guarded(guest, _take)
            frames = [
                (guest, frame)
                for guest in listening
                if guest.outcome is None and (frame := guest.seat.ear.frame_to_judge()) is not None
            ]
            if frames:
                self._judge(frames)
            listening = [guest for guest, _ in frames]

    def _judge(self, frames: Sequence[tuple[StreamTask, Floats]]) -> None:
        assert self._vad is not None, "a stream listens for speech only where something can"
        states = [
            self._vad.start() if guest.seat.ear.vad_state is None else guest.seat.ear.vad_state
            for guest, _ in frames
        ]
        began_s = self._clock()
        try:
            found, following = self._vad.probabilities([frame for _, frame in frames], states)
        except Exception as error:
            if len(frames) == 1:
                self._end(frames[0][0], "failed", _failed_computation(error))
            else:
                for each in frames:
                    self._judge([each])
            return
        took_s = self._clock() - began_s
        self.metrics.vad_step_seconds.record(took_s)
        self._house.listened(samples_to_seconds(len(frames) * self._vad.frame_samples), took_s)
        for (guest, _), (probability,), state in zip(frames, found, following, strict=True):
            guest.seat.ear.judged(float(probability), state)
            guest.changed = True

    def _plan(self, guest: StreamTask) -> None:
        guest.changed, guest.moved = False, True
        if not guest.waiting:
            due = guest.seat.plan()
            if due is not None:
                guest.waiting = True
                self._scheduler.ready(guest, deadline_s=due.deadline_s, audio_s=due.audio_s)
            elif guest.seat.is_to_end:
                guest.changed = True
        self._hand_out(guest)

    def _step(self, batch: Sequence[StreamTask]) -> None:
        streams = [guest.seat.stream for guest in batch]
        dues = [guest.seat.due() for guest in batch]
        began_s = self._clock()
        try:
            step = self._recognizer.prepare([stream.windowed for stream in streams])
            step.encode()
            encoded_s = self._clock()
            step.decode()
            given = step.commit()
        except Exception as error:
            if len(batch) == 1:
                self._end(batch[0], "failed", _failed_computation(error))
            else:
                for guest in batch:
                    self._step([guest])
            return
        done_s = self._clock()
        audio_s = sum(due.audio_s for due in dues)
        self._house.measured(audio_s, done_s - began_s)
        self.meter.stepped(len(batch), began_s, encoded_s, done_s)
        for guest, due, events in zip(batch, dues, given, strict=True):
            guest.waiting, guest.changed = False, True
            guest.meter.stepped(due, began_s, done_s, due.audio_s / audio_s)
            guest.seat.stepped(due, events, began_s - due.complete_s, self._lower_load(guest))
            self._house.uses(guest, guest.rate(guest.seat.stream.context))
            self.metrics.end_to_end_lag_seconds.record(guest.seat.ear.backlog_s)
            self._hand_out(guest)

    def _lower_load(self, guest: StreamTask) -> float:
        """The load, were this stream given the next smaller chunk."""
        lower = guest.seat.adapter.lower
        if lower is None:
            return 0.0
        with self._lock:
            return self._house.load_with(guest, guest.rate(lower))

    def _measure(self, began_s: float) -> None:
        """What is measured of all streams: often enough, not at each step."""
        if self.meter.is_time(began_s, self._clock()):
            heard_s = sum(map(_counted, self.guests))
            backlogs_s = [guest.seat.ear.backlog_s for guest in self.guests]
            self.meter.measured(heard_s, max(backlogs_s, default=0.0))

    def _hand_out(self, guest: StreamTask) -> None:
        events = guest.seat.events()
        now_s = self._clock() if events else 0.0
        for event in events:
            guest.meter.told(event, now_s)
            if guest.on_event is None:
                guest.outbox.put(event)
                continue
            try:
                guest.on_event(event)
            except BaseException as error:  # whatever a consumer raises is its own
                guest.error, guest.on_event = guest.error or error, None
        if guest.error is not None:
            self._end(guest, "failed", guest.error)

    def _guarded(self, guest: StreamTask, act: Callable[[StreamTask], None]) -> None:
        if guest.outcome is not None:
            return
        try:
            act(guest)
        except Exception as error:
            self._end(guest, "failed", error)

    def _end(self, guest: StreamTask, outcome: Outcome, error: BaseException | None = None) -> None:
        if guest.outcome is not None:
            return
        guest.outcome, guest.error = outcome, error
        self._scheduler.leave(guest)
        with self._lock:
            self._house.leave(guest)
        self.guests = tuple(each for each in self.guests if each is not guest)
        if outcome != "finished":
            guest.seat.give_up()
        self._hand_out(guest)
        _counted(guest)
        self.metrics.active_streams.set(len(self.guests))
        self.metrics.streams_total[outcome].add()
        guest.outbox.close(guest.error)


def _failed_computation(error: Exception) -> ParakeetError:
    """What a stream ends with after a call of the model raised `error`, which is its cause."""
    if isinstance(error, ParakeetError):
        return error
    failure = ComputeError(f"the model failed: {str(error) or type(error).__name__}")
    failure.__cause__ = error
    return failure


def _take(guest: StreamTask) -> None:
    if guest.seat.take():
        guest.changed = guest.moved = True


def _counted(guest: StreamTask) -> float:
    seat = guest.seat
    heard_s = samples_to_seconds(seat.heard_samples)
    speech_s = samples_to_seconds(seat.ear.speech_samples)
    return guest.meter.counted(heard_s, speech_s, seat.counts.tokens, guest.inlet.refused)
