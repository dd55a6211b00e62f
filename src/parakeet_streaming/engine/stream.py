"""Samples of one speaker in, events out: the edge where samples are validated and resampled.

Rules of this file:

1. `push` and `end` only take audio; `feed` and `finish` take it and run every step that is ready.
2. After `end` no sample is taken; after the last step the stream gives `Final` once and is closed.
3. Input that is refused is refused whole: the stream stays as it was.
4. A step that fails takes nothing away: audio it was given stays taken, and events of the steps
   before it come with the next `feed` or `finish`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.resample import Resampler, ResamplerState
from parakeet_streaming.boosting.options import Phrases, boosting_of
from parakeet_streaming.engine.biases import Biased
from parakeet_streaming.engine.stream_state import Resumed, StreamOptions, StreamState
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.ports import TokenBias
from parakeet_streaming.results import Event, Token, Transcript
from parakeet_streaming.timeline import (
    SAMPLE_RATE_HZ,
    ContextConfig,
    samples_to_seconds,
    seconds_to_samples,
)


@dataclass(frozen=True, slots=True)
class Restored:
    """How a stream goes on from a snapshot."""

    next_sample: int
    """Position of the sample to push first, at the rate of the stream's context."""
    resumed: Resumed
    """`exact`: its events are those of an uninterrupted stream; `warm`: they may differ."""


class StreamReadings:
    """What can be read of a stream at any time."""

    windowed: WindowedStream
    _restored: Restored | None

    @property
    def context(self) -> ContextConfig:
        return self.windowed.context

    @property
    def closed(self) -> bool:
        """Whether `Final` has been given; nothing more will come."""
        return self.windowed.closed

    @property
    def ready(self) -> bool:
        """Whether a step of this stream would give events."""
        return self.windowed.ready

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token committed so far, written anew at every call."""
        return self.transcript().tokens

    @property
    def restored(self) -> Restored | None:
        """How this stream goes on from a snapshot; None for one that begins at its start."""
        return self._restored

    def transcript(self) -> Transcript:
        """Everything committed so far."""
        return self.windowed.transcript()


class Stream(StreamReadings):
    """One speaker's audio and what has been recognised of it. Not thread-safe."""

    def __init__(
        self,
        windowed: WindowedStream,
        step: Callable[[Stream], tuple[Event, ...]],
        encode_state: Callable[[StreamState], bytes],
        restored: StreamState | None = None,
        biases_of: Callable[[StreamOptions], tuple[TokenBias, ...]] | None = None,
    ) -> None:
        """Recognizers open streams; this is for them.

        Args:
            windowed: the stream at 16 kHz.
            step: runs one step of this stream.
            encode_state: writes a state down.
            restored: the state that `windowed` was restored from.
            biases_of: makes what phrases need of the decoder.
        """
        self.windowed = windowed
        """The same stream after validation and resampling; all its positions are at 16 kHz."""
        self._window = windowed.window
        self._step = step
        self._encode_state = encode_state
        self._biases_of = biases_of
        self._undelivered: list[Event] = []
        self._restored: Restored | None = None
        resampler = None if restored is None else restored.resampler
        rate_hz = self.context.sample_rate
        self._resampler = _resampler(rate_hz, resampler)
        if restored is not None:
            position = _next_sample(self._window.fed_samples, resampler, rate_hz)
            self._restored = Restored(position, restored.resumed)

    def push(self, samples: ArrayLike) -> None:
        """Takes samples, (n,) or (n, channels), at the context's sample rate; runs nothing.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
            StreamClosedError: the stream has ended.
        """
        if self.windowed.audio_end is not None:
            raise StreamClosedError("this stream has ended; open a new one for more audio")
        mono = as_mono(samples)
        self._window.feed(mono if self._resampler is None else self._resampler.feed(mono))

    def end(self, silence_s: float = 0.0) -> None:
        """No more samples will come. Calling it again does nothing.

        Args:
            silence_s: silence to decode after the audio, which no time counts: some models give
                their last word only when silence follows it.
        """
        if self.windowed.audio_end is None:
            if self._resampler is not None:
                self._window.feed(self._resampler.finish())
            self.windowed.end(silence_s)

    def feed(self, samples: ArrayLike) -> list[Event]:
        """Takes samples as `push` does and runs every step that is ready."""
        self.push(samples)
        return self._run()

    def finish(self) -> list[Event]:
        """Decodes everything that is left. The last event is `Final`; the stream is then closed.

        Raises:
            StreamClosedError: the stream was finished before.
        """
        if self.closed:
            raise StreamClosedError("this stream is finished; open a new one")
        self.end()
        return self._run()

    def step(self) -> tuple[Event, ...]:
        """Runs one step, if one is ready, and gives its events."""
        return self._step(self)

    def use_phrases(self, phrases: Phrases | None, boost: float | None = None) -> None:
        """Boosts other phrases, or with None for none, from the next chunk on.

        Args:
            phrases: as in `Recognizer.stream`; they take the place of all that were there.
            boost: how strongly, 0 to 10; 1 by default.

        Raises:
            OptionError: phrases beyond their limits, or with letters that the model cannot write.
        """
        assert self._biases_of is not None, "a stream of no recognizer"
        boosting = boosting_of(phrases, boost)
        options = replace(self.windowed.options, boosting=boosting)
        self.windowed.use(biased=Biased(boosting, self._biases_of(options)))

    def snapshot(
        self, *, audio: bool = True, past: bool = True, earlier_utterances: bool = True
    ) -> bytes:
        """All of this stream, written down; `Recognizer.restore` continues it, anywhere.

        In window mode the restored stream gives exactly the events that this one would give. In
        cached mode it does with the encoder's `past`; without it the encoder begins anew, and
        `restored.resumed` is `warm`. So it is at rates other than 16 kHz, where resampled samples
        may differ in a float's last bits.

        Args:
            audio: with the samples that are still needed; without them, push them again from
                `restored.next_sample` of the new stream on. After `end` they are always in it.
            past: with what the encoder keeps of a cached stream: megabytes for a large model.
            earlier_utterances: with the tokens of utterances that have ended.

        Raises:
            StreamClosedError: the stream is closed, or events of a failed `feed` still wait.
        """
        if self.closed or self._undelivered:
            raise StreamClosedError(
                "this stream is closed, or a step failed and events wait: read them with feed([])"
            )
        state = self.windowed.state(audio=audio, past=past, earlier_utterances=earlier_utterances)
        if self._resampler is not None:
            resampler = self._resampler.state() if audio else None
            state = replace(state, resampler=resampler, resumed="warm")
        return self._encode_state(state)

    def _run(self) -> list[Event]:
        while self.ready:
            self._undelivered.extend(self.step())
        events, self._undelivered = self._undelivered, []
        return events


def _resampler(rate_hz: int, state: ResamplerState | None) -> Resampler | None:
    if rate_hz == SAMPLE_RATE_HZ:
        return None
    return Resampler(rate_hz) if state is None else Resampler.of(state, rate_hz)


def _next_sample(fed_samples: int, resampler: ResamplerState | None, rate_hz: int) -> int:
    """Position at `rate_hz` after the last sample pushed, what a resampler holds back included."""
    produced, remembered = 0, 0
    if resampler is not None:
        produced, remembered = resampler.produced, len(resampler.samples)
    return seconds_to_samples(samples_to_seconds(fed_samples - produced), rate_hz) + remembered
