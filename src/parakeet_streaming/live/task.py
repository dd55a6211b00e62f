"""Options of one live stream in; all that belongs to it out: producer, worker's side, consumer.

Who may change what of a guest stands at each field. Any thread may look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.adaptation import Adapter
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.driver import StreamDriver
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.meter import StreamMeter
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.sizing import MOST_RING_S, ring_capacity
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.results import Event
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds, seconds_to_samples

Outcome = Literal["finished", "cancelled", "failed"]

_FIRST_STEP_S: Final = 0.25
"""How long a step may take, before one was measured."""
_STAMPS_S: Final = 0.005
"""How finely it is known when audio arrived."""


@dataclass(slots=True, eq=False)
class StreamTask:
    """One stream at the table: its producer's end, the worker's side, its consumer."""

    inlet: AudioQueueWriter
    seat: StreamDriver
    outbox: EventQueue
    meter: StreamMeter
    on_event: Callable[[Event], None] | None = None
    """Takes the events in place of the outbox; runs in the worker's thread."""
    cancelled: bool = False
    """Set by any thread, as `asked` is."""
    asked: bool = False
    """Whether the caller wants something that is no audio; the worker clears it."""
    changed: bool = True
    """Whether what is due must be looked at again; the worker's own, as all that follows."""
    moved: bool = True
    """Whether the producer must be told anew when to wake the worker."""
    waiting: bool = False
    """Whether the scheduler has it."""
    outcome: Outcome | None = None
    """How it ended."""
    error: BaseException | None = None
    """What ended it before its time."""

    def rate(self, context: ContextConfig) -> float:
        """Seconds of audio it has encoded per second of its own, with that context."""
        left, chunk, right = context.effective
        return ((0.0 if self.seat.stream.windowed.options.cached else left) + chunk + right) / chunk


@dataclass(frozen=True, slots=True)
class Host:
    """What all guests of an engine share."""

    recognizer: Recognizer
    vad: VoiceActivity | None
    metrics: LiveMetrics
    clock: Callable[[], float]
    wake: Callable[[], None]
    """Rouses the worker."""
    most_ring_s: float = MOST_RING_S

    def guest(
        self,
        options: LiveOptions,
        on_event: Callable[[Event], None] | None = None,
        *,
        longest_step_s: float = 0.0,
    ) -> StreamTask:
        """One stream, ready to join a table.

        Raises:
            ContextError: the window is longer than the model can take.
            OptionError: voice activity is asked for, and there is none; or as in
                `Recognizer.stream`.
        """
        context = options.delay.context
        stream = self.recognizer.stream(context, tentative=options.tentative, cached=options.cached)
        inlet = AudioQueueWriter(
            ring_capacity(context, burst_s=options.burst_s, step_s=longest_step_s or _FIRST_STEP_S),
            seconds_to_samples(self.most_ring_s, context.sample_rate),
            self.clock,
            self.wake,
            stamp_every=seconds_to_samples(_STAMPS_S, context.sample_rate),
        )
        levels = options.delay.levels(samples_to_seconds(self.recognizer.max_window_samples))
        endpointer = None if options.endpoint is None else Endpointer(options.endpoint)
        detector = self._detector(options)
        seat = StreamDriver(stream, inlet.outlet, Adapter(levels), detector, endpointer)
        return StreamTask(
            inlet, seat, EventQueue(), StreamMeter(self.metrics, context.chunk), on_event
        )

    def _detector(self, options: LiveOptions) -> SpeechDetector | None:
        if options.vad is None:
            return None
        if self.vad is None:
            raise OptionError(
                "this engine has no voice activity; make it with LiveEngine(recognizer, "
                "load_vad()), or open the stream with vad=None"
            )
        return SpeechDetector(options.vad, self.vad.frame_samples)
