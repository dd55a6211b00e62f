"""Samples of one speaker in, events out. A stream holds state; `Recognizer.step` does the work.

Rules of this file:

1. `push` and `end` only take audio; `feed` and `finish` take it and run every step that is ready.
2. After `end` no sample is taken; after the last step the stream gives `Final` once and is closed.
3. Input that is refused is refused whole: the stream stays as it was.
4. A step that fails takes nothing away: audio it was given stays taken, and events of the steps
   before it come with the next `feed` or `finish`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.engine.emission_log import EmissionLog
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.tdt import DecoderState, Emission
from parakeet_streaming.engine.window import ContextWindow, Window
from parakeet_streaming.engine.words import Scribe
from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.results import Event, Final, Partial, Token, Transcript
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, ContextConfig, samples_to_seconds


class Stepper(Protocol):
    """What runs the steps of streams: the recognizer."""

    def step(self, streams: Sequence[Stream]) -> list[tuple[Event, ...]]: ...


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What was chosen for one stream."""

    context: ContextConfig
    tentative: bool
    stall_guard: StallGuard | None
    cached: bool = False
    """Whether each frame is encoded once, beside what the encoder kept of the left context."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step made of a stream's window."""

    window: Window
    emissions: tuple[Emission, ...]
    tentative: tuple[Emission, ...]
    state: DecoderState
    quiet_from: int
    past: object | None = None
    """What the encoder keeps for the next step."""


class Stream:
    """One speaker's audio and what has been recognised of it. Not thread-safe."""

    def __init__(
        self, stepper: Stepper, options: StreamOptions, state: DecoderState, scribe: Scribe
    ) -> None:
        self.options = options
        self.window = ContextWindow(options.context)
        self.state = state
        self.quiet_from = 0
        self.past: object | None = None
        self._stepper = stepper
        self._scribe = scribe
        self._log = EmissionLog()
        self._last: Token | None = None
        self._tentative: tuple[Token, ...] = ()
        self._undelivered: list[Event] = []
        self._ended = False
        self._closed = False
        rate_hz = options.context.sample_rate
        self._resampler = None if rate_hz == SAMPLE_RATE_HZ else Resampler(rate_hz)

    @property
    def context(self) -> ContextConfig:
        return self.options.context

    def belongs_to(self, stepper: Stepper) -> bool:
        """Whether `stepper` opened this stream, and so may step it."""
        return self._stepper is stepper

    @property
    def closed(self) -> bool:
        """Whether `Final` has been given; nothing more will come."""
        return self._closed

    @property
    def ready(self) -> bool:
        """Whether a step of this stream would give events."""
        return self.window.ready or (self._ended and not self._closed)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token committed so far, written anew from the log at every call."""
        return self._scribe.tokens(self._log, None)

    @property
    def tentative(self) -> tuple[Token, ...]:
        """The last step's tentative tokens."""
        return self._tentative

    @property
    def buffered_samples(self) -> int:
        """Samples at 16 kHz taken but not yet decoded as chunk."""
        return self.window.buffered_samples

    def push(self, samples: ArrayLike) -> None:
        """Takes samples, (n,) or (n, channels), at the context's sample rate; runs nothing.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
            StreamClosedError: the stream has ended.
        """
        if self._ended:
            raise StreamClosedError("this stream has ended; open a new one for more audio")
        mono = as_mono(samples)
        self.window.feed(mono if self._resampler is None else self._resampler.feed(mono))

    def end(self) -> None:
        """No more samples will come. Calling it again does nothing."""
        if not self._ended:
            self._ended = True
            if self._resampler is not None:
                self.window.feed(self._resampler.finish())
            self.window.end()

    def feed(self, samples: ArrayLike) -> list[Event]:
        """Takes samples as `push` does and runs every step that is ready."""
        self.push(samples)
        return self._run()

    def finish(self) -> list[Event]:
        """Decodes everything that is left. The last event is `Final`; the stream is then closed.

        Raises:
            StreamClosedError: the stream was finished before.
        """
        if self._closed:
            raise StreamClosedError("this stream is finished; open a new one")
        self.end()
        return self._run()

    def transcript(self) -> Transcript:
        """Everything committed so far."""
        return self._scribe.transcript(self.tokens, samples_to_seconds(self.window.decoded_samples))

    def partial(self, result: StepResult) -> Partial:
        """What a step made of the window that was `peek`ed, in words; changes nothing."""
        window = result.window
        committed = self._scribe.tokens(result.emissions, self._last)
        last = committed[-1] if committed else self._last
        tentative = self._scribe.tokens(result.tentative, last)
        return Partial(
            text=self._scribe.text(committed),
            tokens=committed,
            tentative_text=self._scribe.text(tentative),
            tentative=tentative,
            committed_s=samples_to_seconds(window.chunk_end),
            heard_s=samples_to_seconds(window.chunk_end + window.right_samples),
        )

    def commit(self, result: StepResult, partial: Partial) -> None:
        """Moves on behind the step; nothing here can fail."""
        self._log.extend(result.emissions)
        self._last = partial.tokens[-1] if partial.tokens else self._last
        self._tentative = partial.tentative
        self.state, self.quiet_from, self.past = result.state, result.quiet_from, result.past
        self.window.advance(result.window)

    def close_if_done(self) -> tuple[Final, ...]:
        """`Final`, once, when everything has been decoded."""
        if not self._ended or self._closed or self.window.ready:
            return ()
        self._closed = True
        return (Final(self.transcript()),)

    def step(self) -> tuple[Event, ...]:
        """Runs one step, if one is ready, and gives its events."""
        (events,) = self._stepper.step([self])
        return events

    def _run(self) -> list[Event]:
        while self.ready:
            self._undelivered.extend(self.step())
        events, self._undelivered = self._undelivered, []
        return events
