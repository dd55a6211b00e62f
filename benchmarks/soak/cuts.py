"""A recognizer in; the same recognizer, with a note of how each stream's audio was cut, out.

A live stream may be cut otherwise than a stream of its own: its context may change, the end of an
utterance makes a shorter chunk, and a commit cuts the audio. `decoded_alone` cuts the same audio in
the same places, alone and in one thread: its tokens are those that the live stream must have given.

Rules of this file:

1. A note is taken of a step that has succeeded, and of no other.
2. Chunks must follow each other. What lies between two chunks was skipped as quiet, and a stream
   without voice activity skips nothing but gaps.
3. Where what was tentative was taken as final without a step, that is noted as a cut, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming import ContextConfig, Event, Partial, Recognizer, Token
from parakeet_streaming.engine.snapshot import SnapshotCodec
from parakeet_streaming.engine.spans import Span
from parakeet_streaming.engine.step import Step
from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.engine.stream_state import StreamOptions, StreamState
from parakeet_streaming.engine.windowed_stream import StepResult, WindowedStream, settled
from parakeet_streaming.live.intake import TAIL_S

LONGEST_DURATION: Final = 4
"""Frames that a token or a blank of Parakeet TDT can skip."""

TokenKey = tuple[int, int]
"""A token: its number in the vocabulary, and its frame."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One step of one stream."""

    span: Span
    context: ContextConfig
    ended: bool
    """Whether it was known that no more audio would come."""
    cut_at: int | None
    """Position of the commit that it is decoded for."""
    begins: bool
    """Whether the decoder had not found anything, in all or since a commit."""
    entered_at: int
    """Frame of the chunk at which its decoding began."""
    settled: bool = False
    """Whether no step was made: what the step before had found beyond its chunk was final."""


class CutRecorder:
    """Steps as a recognizer does, and notes the cuts."""

    def __init__(self, stepper: Stepper) -> None:
        self.opened: list[Cut] = []
        """The cuts of the stream that was opened last; they grow while that stream runs."""
        self._stepper = stepper
        self._cuts: WeakKeyDictionary[WindowedStream, list[Cut]] = WeakKeyDictionary()

    @property
    def max_window_samples(self) -> int:
        return self._stepper.max_window_samples

    @property
    def snapshots(self) -> SnapshotCodec:
        return self._stepper.snapshots

    def check_context(self, context: ContextConfig) -> None:
        """As the recognizer."""
        self._stepper.check_context(context)

    def open(self, options: StreamOptions, restored: StreamState | None = None) -> WindowedStream:
        """As the recognizer."""
        stream = self._stepper.open(options, restored)
        self._cuts[stream] = self.opened = cuts = []
        commit = stream.commit

        def noted(result: StepResult, partial: Partial) -> None:
            window = result.window
            if not len(window.samples):
                cuts.append(_cut(stream, window, settled=True))
            commit(result, partial)

        stream.commit = noted  # type: ignore[method-assign]
        return stream

    def prepare(self, streams: Sequence[WindowedStream]) -> RecordedStep:
        """As the recognizer."""
        cuts = [(self._cuts[each], cut) for each in streams if (cut := _next_cut(each)) is not None]
        return RecordedStep(self._stepper.prepare(streams), cuts)


class RecordedStep:
    """A step that notes its cuts once it has succeeded."""

    def __init__(self, step: Step, cuts: Sequence[tuple[list[Cut], Cut]]) -> None:
        self._step = step
        self._cuts = cuts

    def encode(self) -> None:
        """As the step."""
        self._step.encode()

    def decode(self) -> None:
        """As the step."""
        self._step.decode()

    def commit(self) -> list[tuple[Event, ...]]:
        """As the step."""
        events = self._step.commit()
        for noted, cut in self._cuts:
            noted.append(cut)
        return events


def decoded_alone(
    recognizer: Recognizer, audio: NDArray[np.float32], cuts: Sequence[Cut]
) -> list[TokenKey]:
    """The tokens of a stream of its own, of audio (n,) at 16 kHz that is cut in these places.

    Raises:
        AssertionError: no stream can be cut so.
    """
    context = cuts[0].context if cuts else ContextConfig.balanced()
    stream = recognizer.open(StreamOptions(context))
    window = stream.window
    for cut in cuts:
        _feed(stream, audio, cut.span.chunk_start)
        before = window.decoded_samples
        while window.decoded_samples < cut.span.chunk_start:
            window.flush(cut.span.chunk_start)
            stream.skip()
        if cut.begins and not _begins(stream):
            stream.end_utterance("commit")
            stream.decoder = replace(stream.decoder, frames_to_skip=cut.entered_at)
        elif window.decoded_samples > before:
            _enter(stream, cut)
        _cut_as(stream, audio, cut)
        stream.use(cut.context)
        if cut.settled:
            result = settled(stream, cut.span.chunk_end)
            stream.commit(result, stream.as_partial(result))
        else:
            if window.next_span() != cut.span:
                raise AssertionError(f"{window.next_span()} alone, {cut.span} live")
            step = recognizer.prepare([stream])
            step.encode()
            step.decode()
            step.commit()
        if cut.cut_at is not None and cut.span.is_last:
            stream.end_utterance("commit")
    return keys_of(stream.transcript().tokens)


def _cut_as(stream: WindowedStream, audio: NDArray[np.float32], cut: Cut) -> None:
    """Feeds what the live stream knew, and asks for the same window."""
    window = stream.window
    if cut.cut_at is not None:
        _feed(stream, audio, cut.cut_at)
        if window.cut_at is None:
            stream.end(TAIL_S, at=cut.cut_at)
    elif cut.ended:
        _feed(stream, audio, len(audio))
        stream.end(TAIL_S)
    else:
        _feed(stream, audio, cut.span.lookahead_end)
    if cut.cut_at is None and not (cut.span.is_last or cut.settled):
        window.flush(cut.span.chunk_end, cut.span.lookahead_end)


def _enter(stream: WindowedStream, cut: Cut) -> None:
    """Begins after what was skipped at the frame where the live stream began.

    How much there was known to be quiet, only that stream knew; but it may not have gone further
    into the chunk than a last token reaches, or one stride over silence.
    """
    furthest = max(stream.decoder.frames_to_skip, LONGEST_DURATION - 1)
    if not stream.decoder.frames_to_skip <= cut.entered_at <= furthest:
        raise AssertionError(f"entered at frame {cut.entered_at}, {furthest} is the furthest")
    stream.decoder = replace(stream.decoder, frames_to_skip=cut.entered_at)


def keys_of(tokens: Sequence[Token]) -> list[TokenKey]:
    """The tokens, small."""
    return [(token.id, token.start_frame) for token in tokens]


def skipped(cuts: Sequence[Cut]) -> list[tuple[int, int]]:
    """Where nothing was decoded between two chunks, in samples at 16 kHz.

    Raises:
        AssertionError: chunks overlap.
    """
    holes, decoded = [], 0
    for cut in cuts:
        if cut.span.chunk_start < decoded:
            raise AssertionError(f"{cut.span} begins before {decoded}")
        if cut.span.chunk_start > decoded:
            holes.append((decoded, cut.span.chunk_start))
        decoded = cut.span.chunk_end
        if cut.cut_at is not None and cut.span.is_last:
            decoded = cut.cut_at
    return holes


def _next_cut(stream: WindowedStream) -> Cut | None:
    span = stream.window.next_span()
    return None if span is None else _cut(stream, span)


def _cut(stream: WindowedStream, span: Span, *, settled: bool = False) -> Cut:
    ended = stream.audio_end is not None
    entered_at = stream.decoder.frames_to_skip
    context, cut_at = stream.options.context, stream.window.cut_at
    return Cut(span, context, ended, cut_at, _begins(stream), entered_at, settled)


def _begins(stream: WindowedStream) -> bool:
    return stream.decoder.memory is stream.beginning.memory


def _feed(stream: WindowedStream, audio: NDArray[np.float32], until: int) -> None:
    fed = stream.window.fed_samples
    if fed < until:
        stream.window.feed(audio[fed:until])
