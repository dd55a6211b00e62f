"""Samples of one stream at 16 kHz in; what is due for a step, and what steps made of it, out.

Rules of this file:

1. Nothing is validated and nothing is resampled here: that happens once, where samples come in.
2. `as_partial` changes nothing; `commit` does, and cannot fail. So an error in a step leaves the
   stream where it was.
3. After its window has ended and was decoded, the stream gives `Final` once and is closed.
4. `use`, `skip`, `end_utterance`, a flush of the window and what is `settled` act at chunk borders
   only: every sample is chunk once, or passed over once, and times stay true.
5. What follows a cut begins anew, but for its left context: no decoder's state, and no encoder's
   past, is carried over. Its frames count from the first that begins at the cut or after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from parakeet_streaming.engine.biases import Biased, carried
from parakeet_streaming.engine.room_noise import REACH_SAMPLES, room_noise, room_of
from parakeet_streaming.engine.silence import after_silence
from parakeet_streaming.engine.spans import Window
from parakeet_streaming.engine.stream_state import Ahead, Resumed, StreamOptions, StreamState
from parakeet_streaming.engine.transcript_builder import TranscriptBuilder
from parakeet_streaming.engine.window import ContextWindow
from parakeet_streaming.engine.words import TokenFormatter
from parakeet_streaming.ports import DecoderState, Emission, TokenBias
from parakeet_streaming.results import EndReason, Final, Partial, Token, Transcript
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    ContextConfig,
    encoder_frames,
    frames_to_samples,
    samples_to_seconds,
    seconds_to_samples,
)


@dataclass(slots=True)
class StepResult:
    """What one step made of a stream's window. Not frozen, which takes longer, and not changed."""

    window: Window
    emissions: tuple[Emission, ...]
    lookahead: tuple[Emission, ...]
    decoder: DecoderState
    stall_from: int
    past: object | None = None
    """What the encoder keeps for the next step."""
    ahead: Ahead | None = None
    """The right context, where that may be settled."""


class WindowedStream:
    """One stream between its windows and its words. Not thread-safe."""

    def __init__(
        self,
        opened_by: object,
        options: StreamOptions,
        decoder: DecoderState,
        formatter: TokenFormatter,
        longest_duration: int,
        biases: tuple[TokenBias, ...] = (),
    ) -> None:
        """`longest_duration`: frames that a blank can skip at most."""
        self.opened_by = opened_by
        """Its recognizer, which alone may step it."""
        self.options = options
        self.kept_frames = options.kept_frames
        self.window = ContextWindow(options.context)
        self.decoder = self.beginning = decoder
        """`beginning`: before any audio, and after a cut."""
        self.biases = biases
        """What makes tokens more or less likely in the steps to come."""
        self.stall_from = 0
        """Absolute frame from which the stall guard looks for a stall."""
        self.ahead: Ahead | None = None
        """What the last step found in its right context."""
        self.read_to = 0
        """Position up to which audio was decoded, `ahead` included."""
        self.last_token: Token | None = None
        """The last one of all, tentative ones included."""
        self.past: object | None = None
        """What the encoder keeps; None where it begins anew."""
        self.audio_end: int | None = None
        """Position where the audio ended; None until it has."""
        self.closed = False
        """Whether `Final` has been given; nothing more will come."""
        self.tentative: tuple[Token, ...] = ()
        """The last step's tentative tokens."""
        self._transcript = TranscriptBuilder(formatter)
        self._longest_duration = longest_duration
        self._resumed: Resumed = "exact"

    @property
    def context(self) -> ContextConfig:
        return self.options.context

    @property
    def ready(self) -> bool:
        """Whether a step of this stream would give events."""
        return self._due or (self.audio_end is not None and not self.closed)

    def end(self, silence_s: float = 0.0, at: int | None = None) -> None:
        """No more samples will come. Calling it again does nothing.

        A stream that was restored without its audio, and did not get all of it again, ends where
        what was asked for ends: silence stands for what is missing.

        Args:
            silence_s: silence to decode after the audio, which no time counts: some models give
                their last word only when silence follows it. It sounds like the room behind the
                audio, and features are normalised without it.
            at: makes the windows to come as if the audio ended at this position, which must have
                been fed; what follows it is decoded after `end_utterance("commit")`.
        """
        if self.audio_end is not None:
            return
        end = self.window.fed_samples if at is None else at
        heard = self.window.samples(max(self.window.kept_from, end - REACH_SAMPLES), end)
        tail = room_noise(room_of(heard), seconds_to_samples(silence_s))
        if at is not None:
            self._transcript.ends_at(samples_to_seconds(at))
            self.window.flush(at, tail=tail)
            return
        missing = max(self.window.decoded_samples, self.window.asked_to) - self.window.fed_samples
        self.window.feed(np.zeros(max(0, missing), np.float32))
        self.audio_end = self.window.fed_samples
        # Where nothing came after a commit, nothing was said that silence could still bring out.
        if silence_s > 0 and self.audio_end > self.window.begun_at:
            self._transcript.ends_at(samples_to_seconds(self.audio_end))
            self.window.feed(tail)
        self.window.end(self.window.fed_samples - self.audio_end)

    def use(self, context: ContextConfig | None = None, biased: Biased | None = None) -> None:
        """Goes on from the next chunk with another context, or with other phrases.

        Nothing is lost or decoded twice. Biases that are new begin anew.
        """
        if context is not None:
            self.options = replace(self.options, context=context)
            self.kept_frames = self.options.kept_frames
            self.window.use(context)
        if biased is not None:
            self.options = replace(self.options, boosting=biased.boosting)
            states = carried(self.biases, self.decoder.bias_states, biased.biases)
            self.decoder = replace(self.decoder, bias_states=states)
            self.biases = biased.biases
            # What is tentative was named without them: it is decoded again, and not settled.
            self.ahead = None
            self._look_ahead()

    def skip(self, quiet_after: int = 0) -> tuple[Partial | Final, ...]:
        """Passes over the next chunk undecoded, if one is ready; it must hold no speech.

        The next chunk that is decoded still has it as left context.

        Args:
            quiet_after: samples after it that are known to hold no speech either. With 240 ms of
                them a TDT decoder enters the next chunk at the frame that it would have come to
                over blanks, and decodes from there what it would have decoded.
        """
        window = self.window.peek()
        if window is None:
            return self.close_if_done()
        samples = window.samples
        frames = window.chunk_frames(encoder_frames(samples.shape[0]))
        quiet_frames = quiet_after // FRAME_SAMPLES
        decoder = after_silence(self.decoder, frames, quiet_frames, self._longest_duration)
        result = StepResult(window, (), (), decoder, self.stall_from)
        partial = self.as_partial(result)
        self.commit(result, partial)
        return (partial, *self.close_if_done())

    def end_utterance(self, reason: EndReason, position: int | None = None, left: int = 0) -> Final:
        """What was committed since the last utterance ended, as an utterance of its own.

        Args:
            reason: why it ends; after a `commit` the next one begins anew.
            position: where it ends; None for all that was decoded.
            left: how many tokens belong to the next utterance.
        """
        end = self.window.decoded_samples if position is None else position
        final = self._transcript.end_utterance(reason, end, left)
        if reason == "commit":
            self._begin_anew()
        return final

    def transcript(self) -> Transcript:
        """Everything committed so far."""
        return self._transcript.transcript(self.window.decoded_samples)

    def as_partial(self, result: StepResult) -> Partial:
        """What a step made of the window that was `peek`ed, in words."""
        window = result.window
        return self._transcript.as_partial(
            result.emissions, result.lookahead, window.chunk_end, window.lookahead_end
        )

    def commit(self, result: StepResult, partial: Partial) -> None:
        """Takes over what the step made, and moves on to the next window."""
        self._transcript.keep(result.emissions, partial)
        self.tentative = partial.tentative
        self.decoder, self.stall_from = result.decoder, result.stall_from
        self.ahead, self.past = result.ahead, result.past
        self.window.advance(result.window)
        self._look_ahead()

    def close_if_done(self) -> tuple[Final, ...]:
        """`Final`, once, when everything has been decoded."""
        if self.audio_end is None or self.closed or self._due:
            return ()
        self.closed = True
        return (self.end_utterance("end"),)

    def state(
        self, *, audio: bool = True, past: bool = True, earlier_utterances: bool = True
    ) -> StreamState:
        """All of this stream as a value.

        Args:
            audio: with the samples that windows to come can reach; without them they must be fed
                again, from `StreamState.window.kept_from` on. One that has ended keeps them.
            past: with what the encoder keeps, if it keeps anything.
            earlier_utterances: with the tokens of utterances that have ended.
        """
        lost = self.past is not None and not past
        return StreamState(
            options=self.options,
            window=self.window.state(audio=audio or self.audio_end is not None),
            decoder=self.decoder,
            stall_from=self.stall_from,
            ahead=self.ahead,
            past=self.past if past else None,
            transcript=self._transcript.state(earlier_utterances=earlier_utterances),
            audio_end=self.audio_end,
            closed=self.closed,
            resumed="warm" if lost else self._resumed,
        )

    @classmethod
    def of(
        cls,
        opened_by: object,
        options: StreamOptions,
        state: StreamState,
        start: DecoderState,
        formatter: TokenFormatter,
        longest_duration: int,
        biases: tuple[TokenBias, ...] = (),
    ) -> Self:
        """The stream that a state was taken of; it goes on with `options`.

        `start`: a decoder's state before any audio. `biases`: those that the states in it are of.
        """
        stream = cls(opened_by, options, start, formatter, longest_duration, biases)
        stream.decoder = state.decoder
        stream.window = ContextWindow.of(stream.context, state.window)
        stream.stall_from, stream.past, stream.ahead = state.stall_from, state.past, state.ahead
        stream.audio_end, stream.closed = state.audio_end, state.closed
        transcript = state.transcript
        stream.tentative = transcript.tentative
        stream._transcript = TranscriptBuilder.of(formatter, transcript)
        stream._resumed = state.resumed
        stream._look_ahead()
        return stream

    @property
    def _due(self) -> bool:
        return self.window.next_span() is not None

    def _begin_anew(self) -> None:
        frames = -(-self.window.decoded_samples // FRAME_SAMPLES)
        self.decoder = replace(self.beginning, decoded_frames=frames)
        self.stall_from, self.past, self.ahead, self.tentative = frames, None, None, ()
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Takes note of what was read and found beyond what is committed."""
        ahead, decoder = self.ahead, self.decoder
        self.read_to = self.window.decoded_samples
        if ahead is not None:
            after = ahead.decoder
            self.read_to += frames_to_samples(after.decoded_frames - decoder.decoded_frames)
        self.last_token = self.tentative[-1] if self.tentative else self._transcript.last


def settled(stream: WindowedStream, position: int) -> StepResult:
    """What a step to `position` would make of the stream if all it found were what is tentative.

    Behind `read_to` it does not say where a decoder would be: only for what begins anew.
    """
    found = stream.ahead or Ahead((), stream.decoder)
    samples = stream.window
    window = Window.over(samples.decoded_samples, position)
    return StepResult(window, found.emissions, (), found.decoder, stream.stall_from)
