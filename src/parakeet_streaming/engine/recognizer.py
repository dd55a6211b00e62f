"""A model in; streams that recognise with it out. The recognizer is shared and frozen.

Rules of this file:

1. How the caller slices the audio never changes the events of a stream.
2. Only streams that this recognizer opened are stepped by it, each once per step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final as Constant

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.boosting.options import Phrases, boosting_of
from parakeet_streaming.engine.biases import Biased, StreamBiases
from parakeet_streaming.engine.equal_windows import EqualWindows
from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.engine.snapshot import SnapshotCodec
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.step import Step
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.engine.stream_state import StreamOptions, StreamState
from parakeet_streaming.engine.whole_recordings import whole_context
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.engine.words import Pieces, TokenFormatter
from parakeet_streaming.errors import ContextError, OptionError, SnapshotError, UsageError
from parakeet_streaming.languages.codes import language_codes
from parakeet_streaming.ports import TokenBias, Transducer
from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.timeline import (
    SAMPLE_RATE_HZ,
    ContextConfig,
    check_sample_rate,
    samples_to_seconds,
)

MAX_WINDOW_SAMPLES: Constant = 400 * SAMPLE_RATE_HZ
"""Longest single window, whatever the model could take: its memory grows with the square."""

_FEED_S: Constant = 30.0


class Recognizer:
    """A model ready to recognise. Hold one, share it, open a stream per speaker."""

    def __init__(
        self,
        transducer: Transducer,
        pieces: Pieces,
        *,
        name: str = "",
        options: RecognitionOptions | None = None,
    ) -> None:
        """Made by `load`.

        Args:
            transducer: decodes with the `max_symbols` and `confidence` of the options.
            pieces: its vocabulary.
            name: what the model is called in results.
            options: how words and segments are made.
        """
        self.name = name
        self.options = options or RecognitionOptions()
        self.snapshots = SnapshotCodec(transducer, pieces.size)
        self._biases = StreamBiases(pieces)
        self.masks = self._biases.masks
        self._transducer = transducer
        self._longest_duration = max((1, *transducer.durations))
        self._formatter = TokenFormatter(
            pieces,
            has_durations=bool(transducer.durations),
            confidence=self.options.word_confidence,
            gap_s=self.options.segment_gap_s,
        )

    @property
    def max_window_samples(self) -> int:
        """Samples at 16 kHz of the longest window this recognizer encodes."""
        limit = self._transducer.max_samples
        return MAX_WINDOW_SAMPLES if limit is None else min(MAX_WINDOW_SAMPLES, limit)

    @property
    def runs_on(self) -> str:
        """What computes, in words for people: runtime, provider and threads."""
        return self._transducer.runs_on

    def stream(
        self,
        context: ContextConfig | None = None,
        *,
        tentative: bool = True,
        stall_guard: StallGuard | None = None,
        cached: bool = False,
        phrases: Phrases | None = None,
        boost: float | None = None,
        language: str | Iterable[str] | None = None,
    ) -> Stream:
        """Opens a stream.

        Args:
            context: left-chunk-right and the rate of the samples to come; `balanced` by default.
            tentative: whether the right context is decoded early, for text ahead of its commit.
            stall_guard: decodes speech again that the decoder passed over in silence; None is
                exactly the reference.
            cached: encode each frame once, beside what the encoder kept of the left context,
                instead of the whole window at every step: cheaper by window / (chunk + right), and
                close to the reference. Needs a model exported for it.
            phrases: names and words to boost: texts, `Phrase`s with weights, or a
                `Boosting`. Without any, tokens are exactly the reference's.
            boost: how strongly, 0 to 10; 1 by default.
            language: one, or several: no token of a script in which none of them is written is
                given. Nothing changes where the model writes one script.

        Raises:
            ContextError: the window is longer than the model can take.
            OptionError: `cached` with an encoder that keeps nothing, or with a stall guard; phrases
                beyond their limits; letters, or a language, that the model cannot write.
        """
        context = context or ContextConfig.balanced()
        self.masks.check(codes := language_codes(language))
        chosen = (boosting_of(phrases, boost), codes)
        return self._stream(StreamOptions(context, tentative, stall_guard, cached, *chosen))

    def restore(self, data: bytes) -> Stream:
        """Continues the stream of which `Stream.snapshot` made `data`, here or elsewhere.

        Raises:
            SnapshotError: no snapshot, a damaged one, or one of another model or version.
        """
        state = self.snapshots.decode(data)
        try:
            return self._stream(state.options, state)
        except UsageError as error:
            raise SnapshotError(f"this snapshot is of no stream of this model: {error}") from error

    def open(self, options: StreamOptions, restored: StreamState | None = None) -> WindowedStream:
        """Opens a stream that is fed at 16 kHz and stepped by its owner, or continues one.

        Args:
            options: to begin with, or to go on with.
            restored: the state of the stream to continue.

        Raises:
            ContextError, OptionError: as in `stream`.
        """
        self._check_cached(options)
        self.check_context(options.context)
        biases = self.biases_of(options)
        made = (self._transducer.start(), self._formatter, self._longest_duration)
        if restored is None:
            return WindowedStream(self, options, *made, biases)
        before = self._biases.check(restored)
        stream = WindowedStream.of(self, options, restored, *made, before)
        if biases != before:
            stream.use(biased=Biased(options.boosting, biases))
        return stream

    def biases_of(self, options: StreamOptions) -> tuple[TokenBias, ...]:
        """What makes tokens of a stream with these options more or less likely; made once.

        Raises:
            OptionError: as `stream`.
        """
        return self._biases.of(options)

    def check_context(self, context: ContextConfig) -> None:
        """Refuses a context of windows longer than the model can take.

        Raises:
            ContextError: it is too long.
        """
        lengths = context.samples
        if lengths.window > self.max_window_samples:
            raise ContextError(
                f"context {context} makes windows of {samples_to_seconds(lengths.window):g}"
                f" s; this model takes at most {samples_to_seconds(self.max_window_samples):g} s:"
                " shorten the left context"
            )

    def check_cached(self) -> None:
        """Refuses cached streams where the encoder keeps nothing between steps.

        Raises:
            OptionError: it does not.
        """
        if not self._transducer.keeps_past:
            raise OptionError(
                "this model's encoder keeps nothing between steps; export it with "
                "`parakeet export MODEL --to FOLDER --streaming cached`, or do without cached"
            )

    def transcribe(
        self,
        samples: ArrayLike,
        sample_rate: int = SAMPLE_RATE_HZ,
        *,
        stall_guard: StallGuard | None = None,
        phrases: Phrases | None = None,
        boost: float | None = None,
        language: str | Iterable[str] | None = None,
    ) -> Transcript:
        """Recognises a whole recording: in one window, or in overlapping ones if it is too long.

        Args:
            samples: (n,) or (n, channels) at `sample_rate`, in any dtype `as_mono` takes.
            sample_rate: in Hz.
            stall_guard: as for `stream`.
            phrases: as for `stream`; so are the next two.
            boost: how strongly.
            language: one, or several.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity.
            ContextError: an impossible sample rate.
            OptionError: as `stream`.
        """
        check_sample_rate(sample_rate)
        mono = as_mono(samples)
        context = self.offline_context(samples_to_seconds(mono.shape[0], sample_rate))
        stream = self.stream(
            replace(context, sample_rate=sample_rate),
            tentative=False,
            stall_guard=stall_guard,
            phrases=phrases,
            boost=boost,
            language=language,
        )
        piece = round(_FEED_S * sample_rate)
        for start in range(0, mono.shape[0], piece):
            stream.feed(mono[start : start + piece])
        stream.finish()
        return stream.transcript()

    def offline_context(self, audio_s: float | None) -> ContextConfig:
        """The context that decodes `audio_s` seconds (None: unknown) as a whole, if it can be done.

        Where the audio is too long for one window it is the context of overlapping windows.

        Raises:
            OptionError: no number of seconds.
        """
        return whole_context(audio_s, self.max_window_samples)

    def step(self, streams: Sequence[Stream]) -> list[tuple[Event, ...]]:
        """Runs one step of every stream that is ready, in one encoder call.

        Args:
            streams: any of those this recognizer opened.

        Returns:
            The events of each stream in the order given; none for one that was not ready.

        Raises:
            OptionError: a stream is given twice, or was opened by another recognizer.
            ComputeError: the runtime refused a call; every stream is where it was.
        """
        step = self.prepare([stream.windowed for stream in streams])
        step.encode()
        step.decode()
        return step.commit()

    def prepare(
        self, streams: Sequence[WindowedStream], equal_windows: EqualWindows | None = None
    ) -> Step:
        """The same in phases, for owners of a clock: `encode`, `decode` and `commit` of a `Step`.

        Args:
            streams: any of those this recognizer opened.
            equal_windows: of earlier steps, whose windows without sound are not encoded again.

        Raises:
            OptionError: a stream is given twice, or was opened by another recognizer.
        """
        if [stream for stream in streams if stream.opened_by is not self]:
            raise OptionError("a stream of another recognizer; step it with its own")
        if len({id(stream) for stream in streams}) < len(streams):
            raise OptionError("a stream is given twice; one step runs one window of each")
        return Step(self._transducer, streams, equal_windows)

    def _stream(self, options: StreamOptions, restored: StreamState | None = None) -> Stream:
        return Stream(
            self.open(options, restored),
            lambda stream: self.step([stream])[0],
            self.snapshots.encode,
            restored,
            self.biases_of,
        )

    def _check_cached(self, options: StreamOptions) -> None:
        if options.cached:
            self.check_cached()
        if options.cached and options.stall_guard is not None:
            raise OptionError(
                "a stall guard decodes the left context again, which a cached stream does not "
                "have; use one of the two"
            )
