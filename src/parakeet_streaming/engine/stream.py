"""Samples of one speaker in, events out. A stream holds state; `Recognizer.step` does the work.

Rules of this file:

1. `push` and `end` only take audio; `feed` and `finish` take it and run every step that is ready.
2. After `end` no sample is taken; after the last step the stream gives `Final` once and is closed.
3. Input that is refused is refused whole: the stream stays as it was.
4. A step that fails takes nothing away: audio it was given stays taken, and events of the steps
   before it come with the next `feed` or `finish`.
5. What live streams add, `use`, `flush`, `skip` and utterances, acts at chunk borders only: every
   sample is still chunk once, or skipped once, and times stay true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.tdt import DecoderState, Emission, behind_silence
from parakeet_streaming.engine.transcript_builder import TranscriptBuilder
from parakeet_streaming.engine.window import ContextWindow, Window
from parakeet_streaming.engine.words import TokenFormatter
from parakeet_streaming.errors import ContextError, StreamClosedError
from parakeet_streaming.results import EndReason, Event, Final, Partial, Token, Transcript
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    ContextConfig,
    encoder_frames,
    samples_to_seconds,
    seconds_to_samples,
)


class Stepper(Protocol):
    """What runs the steps of streams: the recognizer."""

    @property
    def longest_duration(self) -> int: ...

    def step(self, streams: Sequence[Stream]) -> list[tuple[Event, ...]]: ...

    def check_context(self, context: ContextConfig) -> None: ...


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
        self, stepper: Stepper, options: StreamOptions, state: DecoderState, scribe: TokenFormatter
    ) -> None:
        self.options = options
        self.window = ContextWindow(options.context)
        self.state = state
        self.quiet_from = 0
        self.past: object | None = None
        self._stepper = stepper
        self._record = TranscriptBuilder(scribe)
        self._undelivered: list[Event] = []
        self._ended = False
        self._audio_end: int | None = None
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
        return self._record.tokens

    @property
    def tentative(self) -> tuple[Token, ...]:
        """The last step's tentative tokens."""
        return self._record.tentative

    @property
    def buffered_samples(self) -> int:
        """Samples at 16 kHz taken but not yet decoded as chunk."""
        return self.window.buffered_samples

    @property
    def audio_end(self) -> int | None:
        """Behind the last sample of audio, at 16 kHz; None until it has ended."""
        return self._audio_end

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

    def end(self, silence_s: float = 0.0) -> None:
        """No more samples will come. Calling it again does nothing.

        Args:
            silence_s: silence to decode behind the audio, which no time counts: some models give
                their last word only when they hear that nothing follows.
        """
        if not self._ended:
            self._ended = True
            if self._resampler is not None:
                self.window.feed(self._resampler.finish())
            self._audio_end = self.window.fed_samples
            if silence_s > 0:
                self._record.audio_end_s = samples_to_seconds(self._audio_end)
                self.window.feed(np.zeros(seconds_to_samples(silence_s), np.float32))
            self.window.end()

    def use(self, context: ContextConfig) -> None:
        """Cuts the windows to come by another context; nothing is lost or decoded twice.

        Raises:
            ContextError: windows longer than the model can take, or another sample rate.
        """
        self._stepper.check_context(context)
        if context.sample_rate != self.context.sample_rate:
            raise ContextError(
                f"this stream is fed at {self.context.sample_rate} Hz; keep that rate, or open "
                "another stream"
            )
        self.options = replace(self.options, context=context)
        self.window.use(context)

    def flush(self, position: int | None = None) -> None:
        """Lets the next step decode what lies before `position` without waiting for more audio.

        Args:
            position: in samples at 16 kHz from the start of the stream; None for all that was
                taken. What lies behind it is the step's right context.
        """
        self.window.flush(self.window.fed_samples if position is None else position)

    def skip(self, quiet_behind: int = 0) -> tuple[Event, ...]:
        """Passes over the next chunk undecoded, if one is ready; it must hold no speech.

        The next chunk that is decoded still hears it as left context.

        Args:
            quiet_behind: samples at 16 kHz behind it that are known to hold no speech either. With
                240 ms of them a TDT decoder enters the next chunk at the frame that it would have
                come to over blanks, and hears from there what it would have heard.
        """
        window = self.window.peek()
        if window is None:
            return self.close_if_done()
        frames = window.chunk_frames(encoder_frames(window.samples.shape[0]))
        state = behind_silence(
            self.state, frames, quiet_behind // FRAME_SAMPLES, self._stepper.longest_duration
        )
        result = StepResult(window, (), (), state, self.quiet_from)
        partial = self.partial(result)
        self.commit(result, partial)
        return (partial, *self.close_if_done())

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
        return self._record.transcript(self.window.decoded_samples)

    def end_utterance(self, reason: EndReason) -> Final:
        """What was committed since the last utterance ended, as an utterance of its own."""
        return self._record.end_utterance(reason, self.window.decoded_samples)

    def partial(self, result: StepResult) -> Partial:
        """What a step made of the window that was `peek`ed, in words; changes nothing."""
        window = result.window
        return self._record.told(
            result.emissions,
            result.tentative,
            window.chunk_end,
            window.chunk_end + window.right_samples,
        )

    def commit(self, result: StepResult, partial: Partial) -> None:
        """Moves on behind the step; nothing here can fail."""
        self._record.keep(result.emissions, partial)
        self.state, self.quiet_from, self.past = result.state, result.quiet_from, result.past
        self.window.advance(result.window)

    def close_if_done(self) -> tuple[Final, ...]:
        """`Final`, once, when everything has been decoded."""
        if not self._ended or self._closed or self.window.ready:
            return ()
        self._closed = True
        return (self.end_utterance("end"),)

    def step(self) -> tuple[Event, ...]:
        """Runs one step, if one is ready, and gives its events."""
        (events,) = self._stepper.step([self])
        return events

    def _run(self) -> list[Event]:
        while self.ready:
            self._undelivered.extend(self.step())
        events, self._undelivered = self._undelivered, []
        return events
