"""One stream of the loop, from what its producer pushes to what its consumer reads.

Rules of this file:

1. The worker's thread owns everything here but what stands as "any thread". Any thread may look.
2. A task goes through its phases in one direction; only the worker moves it.
3. What any thread wants of the worker (a commit, a cancel, a snapshot) it puts into the task, and
   then wakes the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from parakeet_streaming.engine.stream_state import StreamState
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.live.admission import Lane, StreamCost
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.driver import Due, StreamDriver
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.live.intake import Intake
from parakeet_streaming.live.meter import StreamMeter
from parakeet_streaming.live.snapshot_requests import SnapshotRequest, SnapshotRequests
from parakeet_streaming.live.stats import Outcome, StreamStats
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Event, Partial, StepTiming, Transcript
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds


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


@dataclass(slots=True, eq=False)
class StreamTask:
    """One stream of the loop: its producer's end, the worker's side, its consumer."""

    id: str
    lane: Lane
    queue: AudioQueueWriter
    ingest: AudioIngest
    intake: Intake
    driver: StreamDriver
    events: EventQueue
    meter: StreamMeter
    wake: Callable[[], None]
    """Says to the worker that there is news. Any thread."""
    on_event: Callable[[Event], None] | None = None
    """Takes the events in place of the event queue; runs in the worker's thread."""
    idle_timeout_s: float | None = None
    resumed: Literal["", "exact", "warm"] = ""
    phase: Phase = Phase.JOINING
    error: BaseException | None = None
    """What ended it before its time."""
    cancel_requested: bool = False
    """Any thread."""
    idle_too_long: bool = False
    requests: SnapshotRequests = field(default_factory=SnapshotRequests)
    """Any thread."""

    @property
    def stream(self) -> WindowedStream:
        return self.driver.stream

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it goes on."""
        return None if self.phase in (Phase.JOINING, Phase.OPEN) else self.phase.value

    @property
    def is_over(self) -> bool:
        return self.outcome is not None

    @property
    def backlog_s(self) -> float:
        """Seconds of audio received and not decoded."""
        return self.intake.backlog_s

    @property
    def lag_s(self) -> float:
        """Between the last window being complete and its text."""
        return self.meter.lag_s

    @property
    def chunk_s(self) -> float:
        """Seconds of a chunk of the context in use now."""
        return self.context.effective[1]

    @property
    def context(self) -> ContextConfig:
        """The context in use now."""
        return self.driver.context

    @property
    def cost(self) -> StreamCost:
        """What it asks for now."""
        return self.driver.cost

    @property
    def lower_cost(self) -> StreamCost | None:
        """What it would ask for with the next smaller chunk; None if there is none."""
        return self.driver.lower_cost

    @property
    def is_to_end(self) -> bool:
        """Whether all audio was taken and the stream does not know yet that it is over."""
        return self.driver.is_to_end

    @property
    def is_decoded(self) -> bool:
        """Whether the stream has given its last event."""
        return self.stream.closed

    @property
    def refused_samples(self) -> int:
        """At 16 kHz, that a full ring did not take."""
        return self.queue.refused

    @property
    def vad_state(self) -> object | None:
        """What the network knows of its last frame; None where it begins anew."""
        return self.intake.vad_state

    @property
    def idle_at_s(self) -> float | None:
        """When it will have been without audio for too long; None for never."""
        if self.idle_timeout_s is None or self.ingest.finished:
            return None
        return self.queue.written_at_s + self.idle_timeout_s

    def commit(self, now_s: float) -> None:
        """Ends an utterance with all that was received so far. Any thread."""
        if not self.ingest.finished:
            self.meter.commit_asked(now_s)
            self.driver.commit(self.queue.received)
            self.wake()

    def finish(self, now_s: float) -> None:
        """No more audio will come. Any thread."""
        if not self.ingest.finished:
            self.meter.finished_at_s = now_s
            self.ingest.finish()

    def cancel(self) -> None:
        """Ends it at once. Any thread."""
        self.cancel_requested = True
        self.wake()

    def ask(self, request: SnapshotRequest) -> None:
        """Asks the worker for the stream's state. Any thread but the worker's."""
        self.requests.put(request)
        self.wake()
        if self.is_over:
            self.requests.refuse(self._ending())

    def take(self) -> None:
        """Takes what has arrived, or that nothing will any more."""
        if self.driver.take():
            self.ingest.woken()

    def block_to_judge(self) -> Floats | None:
        """The next frames for voice activity."""
        return self.intake.block_to_judge()

    def judged(self, probabilities: Sequence[float], state: object) -> None:
        """Takes the probabilities of speech in the frames of that block."""
        self.intake.judged(probabilities, state)

    def plan(self) -> Due | None:
        """What is due, if anything."""
        return self.driver.plan()

    def due(self) -> Due:
        """The window that `plan` found, as it is by now."""
        return self.driver.due()

    def take_step(
        self, due: Due, events: Sequence[Event], timing: StepTiming, lower_load: float
    ) -> None:
        """Takes what a step gave; its partials carry the timing."""
        self.meter.step_done(due, timing)
        timed = [replace(each, timing=timing) if isinstance(each, Partial) else each
                 for each in events]  # fmt: skip
        self.driver.take_step(due, timed, timing.waited_s, lower_load)

    def hand_out(self, now_s: Callable[[], float]) -> None:
        """Gives events to the consumer; an error of its callback is left in `error`."""
        events = self.driver.events()
        at_s = now_s() if events else 0.0
        for event in events:
            self.meter.reported(event, at_s)
            if self.on_event is None:
                self.events.put(event)
                continue
            try:
                self.on_event(event)
            except BaseException as error:  # whatever a consumer raises is its own
                self.error, self.on_event = self.error or error, None

    def asks_to_be_woken(self) -> bool:
        """Asks the producer to wake the worker in time; False if that time is now."""
        return self.driver.asks_to_be_woken()

    def answer_requests(self) -> None:
        """Gives the stream's state to the threads that wait for it."""
        if self.intake.ended:
            self.requests.refuse(self._ending())
        else:
            self.requests.answer(self._state_for)

    def counted_audio_s(self) -> float:
        """Counts what the stream has come to; the seconds of audio that are new."""
        driver = self.driver
        audio_s = samples_to_seconds(driver.decoded_samples)
        speech_s = samples_to_seconds(self.intake.speech_samples)
        return self.meter.counted(audio_s, speech_s, driver.tokens, self.queue.refused)

    def end(self, phase: Phase, error: BaseException | None) -> None:
        """It is over; what was committed is reported as its last utterance."""
        self.phase, self.error = phase, error
        if phase in (Phase.CANCELLED, Phase.FAILED):
            self.driver.give_up()
        else:
            self.driver.refuse()

    def close_events(self) -> None:
        """Closes the event queue, and wakes all that wait for this stream."""
        self.events.close(self.error)
        self.ingest.woken()
        self.requests.refuse(self._ending())

    def transcript(self) -> Transcript:
        """Everything committed so far. Any thread."""
        return self.driver.transcript()

    def stats(self) -> StreamStats:
        """How it goes. Any thread."""
        counts, queue, meter = self.driver.counts, self.queue, self.meter
        audio_s = samples_to_seconds(self.driver.decoded_samples)
        return StreamStats(
            id=self.id,
            context=self.context,
            outcome=self.outcome,
            resumed=self.resumed,
            audio_s=audio_s,
            speech_s=samples_to_seconds(self.intake.speech_samples),
            steps=counts.steps,
            skipped=counts.skipped,
            tokens=counts.tokens,
            utterances=counts.utterances,
            backlog_s=self.backlog_s,
            lag_s=meter.lag_s,
            real_time_factor=meter.computing_s / audio_s if audio_s else 0.0,
            received_samples=queue.received,
            refused_samples=queue.refused,
            ring_samples=queue.occupancy,
            ring_capacity_samples=queue.capacity,
            ring_high_water_samples=queue.high_water,
            first_partial_s=meter.first_partial_s,
            emission_delay=meter.emission_delay.snapshot(),
            queue_wait=meter.queue_wait.snapshot(),
            finalization=meter.finalization.snapshot(),
        )

    def _state_for(self, request: SnapshotRequest) -> StreamState:
        return self.driver.state(
            audio=request.audio, past=request.past, earlier_utterances=request.earlier_utterances
        )

    def _ending(self) -> StreamClosedError:
        return StreamClosedError(f"stream {self.id}: it is ending, or over; open a new one")
