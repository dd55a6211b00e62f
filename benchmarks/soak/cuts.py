"""A recognizer in; the same recognizer, with a note of how each stream's audio was cut, out.

A live stream may be cut otherwise than a stream of its own: its context may change, and the end of
an utterance makes a shorter chunk. `replayed` cuts the same audio in the same places, alone and in
one thread: what it hears is what the live stream must have heard.

Rules of this file:

1. A note is taken of a step that has succeeded, and of no other.
2. Chunks must follow each other. What lies between two was passed over as quiet, and a stream
   without voice activity passes over nothing but gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming import ContextConfig, Event, Recognizer, Stream
from parakeet_streaming.engine.window import Span
from parakeet_streaming.live.intake import TAIL_S

Heard = tuple[int, int]
"""A token: its number in the vocabulary, and its frame."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One step of one stream."""

    span: Span
    context: ContextConfig
    ended: bool
    """Whether it was known that no more audio would come."""
    entered_at: int
    """Frame of the chunk at which its decoding began."""


class Witness:
    """Steps as the recognizer does, and takes note."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.opened: list[Cut] = []
        """The note of the stream that was opened last; it grows while that stream runs."""
        self._recognizer = recognizer
        self._cuts: WeakKeyDictionary[Stream, list[Cut]] = WeakKeyDictionary()

    @property
    def max_window_samples(self) -> int:
        return self._recognizer.max_window_samples

    def stream(self, *given: Any, **options: Any) -> Stream:  # as the recognizer's
        stream = self._recognizer.stream(*given, **options)
        self._cuts[stream] = self.opened = []
        return stream

    def step(
        self, streams: Sequence[Stream], encoded: Callable[[], None] | None = None
    ) -> list[tuple[Event, ...]]:
        cuts = [(self._cuts[each], _next_cut(each)) for each in streams]
        events = self._recognizer.step(streams, encoded)
        for taken, cut in cuts:
            if cut is not None:
                taken.append(cut)
        return events


def replayed(
    recognizer: Recognizer, audio: NDArray[np.float32], cuts: Sequence[Cut]
) -> list[Heard]:
    """What a stream of its own hears in audio (n,) at 16 kHz that is cut in these places."""
    stream = recognizer.stream(_at_16_khz(cuts[0].context) if cuts else None, tentative=False)
    window = stream.window
    for cut in cuts:
        _feed(stream, audio, cut.span.chunk_start)
        before = window.decoded_samples
        while window.decoded_samples < cut.span.chunk_start:
            stream.flush(cut.span.chunk_start)
            stream.skip()
        if window.decoded_samples > before:
            _enter(stream, cut, recognizer.longest_duration)
        if cut.ended:
            _feed(stream, audio, len(audio))
            stream.end(TAIL_S)
        else:
            _feed(stream, audio, cut.span.heard_end)
            stream.flush(cut.span.chunk_end)
        stream.use(_at_16_khz(cut.context))
        if window.next_span() != cut.span:
            raise AssertionError(f"{window.next_span()} alone, {cut.span} live")
        stream.step()
    return heard_of(stream.tokens)


def _enter(stream: Stream, cut: Cut, longest_duration: int) -> None:
    """Begins behind what was passed over at the frame where the live stream began.

    How much there was known to be quiet, only that stream knew; but it may not have gone further
    into the chunk than a last token reaches, or one stride over silence.
    """
    furthest = max(stream.state.frames_to_skip, longest_duration - 1)
    if not stream.state.frames_to_skip <= cut.entered_at <= furthest:
        raise AssertionError(f"entered at frame {cut.entered_at}, {furthest} is the furthest")
    stream.state = replace(stream.state, frames_to_skip=cut.entered_at)


def heard_of(tokens: Sequence[Any]) -> list[Heard]:
    """The tokens, small."""
    return [(token.id, token.start_frame) for token in tokens]


def passed_over(cuts: Sequence[Cut]) -> list[tuple[int, int]]:
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
    return holes


def _next_cut(stream: Stream) -> Cut | None:
    span = stream.window.next_span()
    if span is None:
        return None
    ended = stream.audio_end is not None
    return Cut(span, stream.context, ended, stream.state.frames_to_skip)


def _feed(stream: Stream, audio: NDArray[np.float32], until: int) -> None:
    fed = stream.window.fed_samples
    if fed < until:
        stream.push(audio[fed:until])


def _at_16_khz(context: ContextConfig) -> ContextConfig:
    return ContextConfig(context.left, context.chunk, context.right)
