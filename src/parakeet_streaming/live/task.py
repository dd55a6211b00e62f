"""One stream of the loop, from what its producer pushes to what its consumer reads.

Rules of this file:

1. The worker's thread owns everything here but what stands as "any thread". Any thread may look.
2. A task goes through its phases in one direction; only the worker moves it.
3. What any thread wants of the worker (a commit, a cancel, a snapshot) it puts into the task, and
   then wakes the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Literal

from parakeet_streaming.audio.resample import filters_from
from parakeet_streaming.engine.stream_state import StreamState
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.admission import Lane
from parakeet_streaming.live.driver import StreamDriver
from parakeet_streaming.live.due import Due
from parakeet_streaming.live.ends import AudioInlet, EventOutlet, SampleQueue
from parakeet_streaming.live.failures import as_reported
from parakeet_streaming.live.hints import StreamHints
from parakeet_streaming.live.intake import Intake
from parakeet_streaming.live.meter import StreamMeter
from parakeet_streaming.live.pauses import CommitReason, PauseWatch
from parakeet_streaming.live.phrase_changes import PhraseChanges
from parakeet_streaming.live.resuming import start_of
from parakeet_streaming.live.snapshot_requests import SnapshotRequest, SnapshotRequests
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.live.timed_step import with_timing
from parakeet_streaming.results import Event, Partial, SnapshotTaken, StepTiming
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds

Outcome = Literal["finished", "timed_out", "cancelled", "failed"]


class Phase(Enum):
    """Where a stream is in its life."""

    JOINING = "joining"
    """Let in; the worker has not seen it yet."""
    OPEN = "open"
    FINISHED = "finished"
    """All of its audio was decoded."""
    TIMED_OUT = "timed_out"
    """The same; the end came because no audio had come for too long."""
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def outcome(self) -> Outcome | None:
        """How the stream ended; None while it goes on."""
        return None if self in (Phase.JOINING, Phase.OPEN) else self.value


class Outlook(Enum):
    """What comes next for a stream that was looked at."""

    OVER = "over"
    """It has given its last event."""
    AGAIN = "again"
    """There is more to do at once."""
    NEWS = "news"
    """Nothing, until its producer, its step or its caller brings news."""


@dataclass(slots=True, eq=False)
class StreamTask:
    """One stream of the loop: its producer's end, the worker's side, its consumer."""

    id: str
    lane: Lane
    queue: SampleQueue
    ingest: AudioInlet
    stream: WindowedStream
    intake: Intake
    speech: StreamSpeech
    driver: StreamDriver
    events: EventOutlet
    requests: SnapshotRequests
    """Any thread."""
    changes: PhraseChanges
    """Any thread."""
    pauses: PauseWatch
    hints: StreamHints
    meter: StreamMeter
    wake: Callable[[], None]
    """Says to the worker that there is news. Any thread."""
    on_event: Callable[[Event], None] | None = None
    """Takes the events in place of the event queue; runs in the worker's thread."""
    idle_timeout_s: float | None = None
    resumed: Literal["", "exact", "warm"] = ""
    phase: Phase = Phase.JOINING
    is_over: bool = False
    error: BaseException | None = None
    """What ended it before its time."""
    cancel_requested: bool = False
    """Any thread."""
    idle_too_long: bool = False
    goes_at_s: float = 0.0
    """The tick before which the window that waits is not stepped."""
    uncounted_steps: int = 0
    """Steps since it was last counted what it has come to."""
    uncounted_audio_s: float = 0.0
    """Seconds that they encoded."""
    taken: list[SnapshotTaken] = field(default_factory=list)
    """Behind all events that there are, which are in them."""

    @property
    def idle_at_s(self) -> float | None:
        """When it will have been without audio for too long; None for never."""
        if self.idle_timeout_s is None or self.ingest.finished:
            return None
        return self.queue.written_at_s + self.idle_timeout_s

    def commit(
        self, now_s: float, reason: CommitReason = "commit", position: int | None = None
    ) -> None:
        """Ends an utterance with all that was received so far. Any thread.

        `position`: where that ends, of a producer in another process, who has said so.
        """
        if self.ingest.finished:
            return
        if reason == "commit":
            self.meter.commit_asked(now_s)
        self.pauses.asked(reason)
        if position is None:
            self.ingest.commit(self._commit_at)
        else:
            self._commit_at(position)

    def finish(self, now_s: float) -> None:
        """No more audio will come. Any thread."""
        if not self.ingest.finished:
            self.meter.finished_at_s = now_s
            self.ingest.finish()

    def take(self) -> None:
        """Takes what has arrived, or that nothing will any more."""
        if self.driver.take():
            self.ingest.woken()

    def take_step(
        self, due: Due, events: Sequence[Event], timing: StepTiming, lower_load: float
    ) -> None:
        """Takes what a step gave; its partials carry the timing."""
        self.meter.step_done(due, timing)
        for event in events:
            if isinstance(event, Partial):
                with_timing(event, timing)
        # To wait for one's tick is not to be late.
        late_s = max(0.0, timing.waited_s - max(0.0, self.goes_at_s - due.complete_s))
        self.driver.take_step(due, events, late_s, lower_load)

    def hand_out(self, at_s: float) -> None:
        """Gives events to the consumer; an error of its callback is left in `error`."""
        hints, driver = self.hints, self.driver
        outcome = driver.outcome
        decoded = outcome.decoded_samples
        if not (outcome.unreported or hints.new or self.taken):
            self.events.told_samples = decoded
            return
        pauses, meter = self.pauses, self.meter
        events = outcome.events()
        if hints.new or self.taken:
            events = [*hints.take(), *events, *self.taken]
            self.taken.clear()
        for each in events:
            event = pauses.named(each)
            meter.reported(event, at_s)
            if self.on_event is None:
                self.events.put(event)
                continue
            try:
                self.on_event(event)
            except BaseException as error:  # whatever a consumer raises is its own
                self.error, self.on_event = self.error or error, None
        self.events.told_samples = decoded

    def may_rest(self) -> bool:
        """Whether nothing but its next window is to come, and that later.

        So whoever knows when that goes into a step need not look at it before; news is told.
        """
        if not self.driver.has_no_window() or self.pauses.waits_for_audio:
            return False
        return self.intake.may_rest()

    def outlook(self, *, waits_for_step: bool) -> Outlook:
        """What comes next; the producer is asked to wake the worker in time."""
        if self.stream.closed:
            return Outlook.OVER
        to_end = self.driver.is_to_end and not waits_for_step
        if to_end or not self.intake.asks_to_be_woken(by_any_audio=self.pauses.waits_for_audio):
            return Outlook.AGAIN
        return Outlook.NEWS

    def answer_requests(self) -> None:
        """Gives the stream's state to the threads that wait for it."""
        if not self.requests.waiting:
            return
        if self.intake.ended:
            self.requests.refuse()
        else:
            self.requests.answer(self._state_for)
            self._answer_by_events()

    def counted_audio_s(self) -> float:
        """Counts what the stream has come to; the seconds of audio that are new."""
        driver = self.driver
        outcome, speech_samples = driver.outcome, self.speech.speech_samples
        counts, decoded, refused = outcome.counts, outcome.decoded_samples, self.queue.refused
        new = self.meter.counted(decoded, speech_samples, counts.tokens, refused)
        return samples_to_seconds(new) if new else 0.0

    def end(self, phase: Phase, error: BaseException | None) -> None:
        """It is over; what was committed is reported as its last utterance."""
        self.phase, self.error, self.is_over = phase, error, True
        try:
            self.driver.give_up()
        except Exception as failure:
            # A stream of which not even that can be said must not end the others.
            self.error = error or as_reported(failure, self.id)

    def close_events(self) -> None:
        """Closes the event queue, and wakes all that wait for this stream."""
        self.events.close(self.error)
        self.ingest.woken()
        self.requests.refuse()

    def _commit_at(self, position: int) -> None:
        self.driver.commit(position)
        self.wake()

    def _answer_by_events(self) -> None:
        # Commits are not written down. So none is half in the state: those that are over have had
        # their event before this one, and all others are to be asked for again.
        asked, driver = self.requests.as_events, self.driver
        utterances = driver.utterances
        while asked and not utterances.is_cutting:
            request = asked.popleft()
            state = self.driver.state(audio=False, past=request.past, earlier_utterances=False)
            write = partial(request.encode, state)
            position, rate_hz = start_of(state), self.ingest.rate_hz
            known = () if rate_hz == SAMPLE_RATE_HZ else filters_from(self.ingest.filters, position)
            self.taken.append(SnapshotTaken(position, write, known))

    def _state_for(self, request: SnapshotRequest) -> StreamState:
        return self.driver.state(
            audio=request.audio, past=request.past, earlier_utterances=request.earlier_utterances
        )
