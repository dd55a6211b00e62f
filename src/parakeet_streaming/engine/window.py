"""Samples in any slices in; the windows of left, chunk and right context the encoder sees out.

Rules of this file (the arithmetic of NVIDIA NeMo's `StreamingBatchedAudioBuffer`):

1. This file knows samples at 16 kHz only.
2. Every sample is chunk exactly once, in order. Windows depend on the samples, never on the slices
   in which they came.
3. The first window has no left context; the left context grows until it is full. Nothing is padded.
4. A window that is not the last needs one sample beyond its right context, because only then is it
   known not to be the last. That sample waits.
5. The last window decodes everything that is left: at most chunk + right, and the tail of silence
   that may follow. What is less than chunk + right goes to the left, so the last left context may
   be longer than asked and need not be whole frames. The reference leaves that grid shifted, and
   so does this file. Where a tail makes more of it, the left context becomes shorter.
6. Live streams ask for more. `use` changes the lengths for the windows to come. `flush` makes chunk
   of what is known at a position, as whole frames; or it cuts, with windows as if the audio ended
   there. After a cut the frames of the next chunk may lie between those before.
7. What `flush` makes depends on the positions it was given, and not on how much was fed since.
8. Samples are handed out as they lie here, not as copies: none of them is ever written again. Where
   there is no more room, those that are still needed move on to other memory.

```
step 1             |·chunk·|·right·|
step 2     |·left··|·chunk·|·right·|
step 3     |·left··········|·chunk·|·right·|
last step      |·left··············|·chunk··········|
```
"""

from __future__ import annotations

import sys
from typing import Final, Self

import numpy as np

from parakeet_streaming.engine.room_noise import REACH_SAMPLES
from parakeet_streaming.engine.spans import Span, Window
from parakeet_streaming.engine.stream_state import WindowState
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig

_NOTHING: Final = np.zeros(0, np.float32)


class ContextWindow:
    """The samples of one stream that are still needed, and the window they make."""

    def __init__(self, context: ContextConfig) -> None:
        lengths = context.samples
        self._left, self._chunk, self._right = lengths.left, lengths.chunk, lengths.right
        self._kept = np.empty(2 * lengths.window + self._chunk, dtype=np.float32)
        self.kept_from = 0
        """Position of the first sample that is still here."""
        # What windows to come can reach, by the contexts so far: it decides how long a left context
        # can be, and must not depend on when memory is freed.
        self._reach_from = 0
        self.fed_samples = 0
        """Samples fed so far."""
        self.decoded_samples = 0
        """Samples that have been chunk."""
        self.begun_at = 0
        """Position of the last cut, after which decoding began anew."""
        self._flush_to = 0
        self.flush_seen_to = 0
        """Position up to which the last flush may use audio; it waits until that was fed."""
        self.cut_at: int | None = None
        """Position of the cut that is being decoded."""
        self._cut_tail: Floats = _NOTHING
        self.asked_to = 0
        """Position up to which audio must be fed for what flushes and cuts have asked for."""
        self._audio_end: int | None = None
        """Position after the last sample that is audio; None while more may come."""
        self.needed_from = 0
        """Position of the first sample that is still needed."""
        self._next: Span | None = None
        """The next window, where it is known already."""

    @property
    def buffered_samples(self) -> int:
        """Samples fed that have not been chunk yet."""
        buffered = self.fed_samples - self.decoded_samples
        return buffered if buffered > 0 else 0

    @property
    def flushing(self) -> bool:
        """Whether what a flush or a cut asked for is still to be decoded."""
        return self.cut_at is not None or self._flushed_samples > 0

    def state(self, *, audio: bool = True) -> WindowState:
        """What this window is made of now; without `audio` its samples must be fed again."""
        first = self.needed_from
        kept = self.samples(first, self.fed_samples if audio else first).copy()
        lengths = (first, self._reach_from, self.decoded_samples, self.begun_at)
        flush = (self._flush_to, self.flush_seen_to)
        cut = (self.cut_at, self._cut_tail)
        return WindowState(kept, *lengths, *flush, *cut, self._audio_end)

    @classmethod
    def of(cls, context: ContextConfig, state: WindowState) -> Self:
        """The window that a state was taken of."""
        window = cls(context)
        window.kept_from = window.fed_samples = state.kept_from
        window._reach_from = state.reach_from
        window.feed(state.samples)
        window.decoded_samples, window.begun_at = state.decoded_samples, state.begun_at
        window._next = None
        window._flush_to, window.flush_seen_to = state.flush_to, state.flush_seen_to
        window.cut_at, window._cut_tail = state.cut_at, state.cut_tail
        window.asked_to = max(state.flush_seen_to, state.cut_at or 0)
        window._audio_end = state.audio_end
        window._look_what_is_needed()
        return window

    def use(self, context: ContextConfig) -> None:
        """Cuts the windows to come by another context; a longer left context grows into place."""
        lengths = context.samples
        self._left, self._chunk, self._right = lengths.left, lengths.chunk, lengths.right
        self._next = None

    def flush(
        self, position: int, seen_to: int | None = None, *, tail: Floats | None = None
    ) -> None:
        """Makes chunk of what lies before `position`, without waiting for a whole chunk.

        What follows it, up to a whole right context, is the right context of that window, but
        nothing after `seen_to` (None: all that was fed). Only whole frames become chunk, so less
        than one may be left over.

        With a `tail`, a cut: windows are made as if the audio ended at `position` with the tail
        after it. When the last of them has been chunk, the next chunk begins at `position`.
        """
        if tail is None:
            self.flush_seen_to = self.fed_samples if seen_to is None else seen_to
            self._flush_to = min(position, self.flush_seen_to)
            self.asked_to = max(self.asked_to, self.flush_seen_to)
        elif position > self.decoded_samples:
            self.cut_at, self._cut_tail = position, tail
            self.asked_to = max(self.asked_to, position)

    def feed(self, samples: Floats) -> None:
        """Takes float32 (n,) at 16 kHz, any n."""
        count = samples.shape[0]
        used = self.fed_samples - self.kept_from
        if used + count > self._kept.shape[0]:
            self._make_room(count)
            used = self.fed_samples - self.kept_from
        self._kept[used : used + count] = samples
        self.fed_samples += count

    def end(self, tail_samples: int = 0) -> None:
        """No more samples will come; what is left becomes the last window.

        The last `tail_samples` are a tail, as after a cut: no window ends in it but the last.
        """
        self._audio_end = self.fed_samples - tail_samples

    def samples(self, start: int, stop: int) -> Floats:
        """The samples [start, stop), float32; those no window can reach may be gone.

        Raises:
            AudioInputError: they are gone, or were not fed yet.
        """
        if not self.kept_from <= start <= stop <= self.fed_samples:
            raise AudioInputError(
                f"samples {start} to {stop} are not here; only {self.kept_from} to "
                f"{self.fed_samples} are"
            )
        return self._kept[start - self.kept_from : stop - self.kept_from]

    def next_span(self) -> Span | None:
        """Where the next window lies, or None while it is not complete."""
        cut, end = self.cut_at, self._audio_end
        if cut is None and end is None and self._flush_to <= self.decoded_samples:
            remaining = self.fed_samples - self.decoded_samples
            return None if remaining <= self._chunk + self._right else self._whole_span()
        flushed = self._flushed_samples
        if cut is None and not flushed:
            return self._span(self.fed_samples, None if end is None else self.fed_samples - end)
        if self.fed_samples < (self.flush_seen_to if cut is None else cut):
            return None
        if cut is None:
            return self._span(self.flush_seen_to, flushed=flushed)
        tail = self._cut_tail.shape[0]
        return self._span(cut + tail, tail)

    def peek(self) -> Window | None:
        """The next window, or None while it is not complete. `advance` moves on."""
        span = self.next_span()
        if span is None:
            return None
        return Window(
            span.left_samples,
            span.chunk_samples,
            span.right_samples,
            span.chunk_start,
            span.is_last,
            self._samples_of(span),
        )

    def advance(self, window: Window) -> None:
        """Moves on to the end of the chunk of `window`, which must be the one that `peek` gave."""
        self.decoded_samples = end = window.chunk_end
        self._next = None
        if self.cut_at is not None:
            end = min(end, self.cut_at)
            if window.is_last:
                self.decoded_samples = self.begun_at = end
                self.cut_at, self._cut_tail = None, _NOTHING
        reach_from = end - self._left - self._chunk
        self._reach_from = max(self._reach_from, reach_from)
        self._look_what_is_needed()

    def _whole_span(self) -> Span:
        """The next window, where it is not the last; made once."""
        span = self._next
        if span is None:
            start = self.decoded_samples
            left = min(self._left, start - self._reach_from)
            left -= left % FRAME_SAMPLES
            span = self._next = Span(left, self._chunk, self._right, start, is_last=False)
        return span

    def _span(self, limit: int, tail: int | None = None, *, flushed: int = 0) -> Span | None:
        """The next window of what lies before `limit`, a tail included; None: more may come."""
        start = self.decoded_samples
        remaining = limit - start
        chunk, right, left = self._chunk, self._right, self._left
        # A tail costs no step of its own: the last window is that of the audio, and the tail.
        audio = remaining - (tail or 0)
        is_last = tail is not None and audio <= chunk + right and remaining <= left + chunk + right
        if is_last:
            # After a flush less than a right context may remain; what no window needs is gone.
            left += min(chunk, chunk + right - remaining)
            chunk, right = remaining, 0
        elif remaining <= chunk + right:
            # Only a window that is followed by a sample is known not to be the last.
            chunk = flushed
            right = min(right, remaining - chunk)
        if chunk <= 0:
            return None
        left = min(left, start - self._reach_from)
        if not is_last or start % FRAME_SAMPLES:
            # Beside a cut the last window, too, has the grid that its chunk has.
            left -= left % FRAME_SAMPLES
        return Span(left, chunk, right, start, is_last)

    def _samples_of(self, span: Span) -> Floats:
        start, stop = span.chunk_start - span.left_samples, span.lookahead_end
        if self.cut_at is None or stop <= self.cut_at:
            return self._kept[start - self.kept_from : stop - self.kept_from]
        after = max(0, start - self.cut_at)
        tail = self._cut_tail[after : stop - self.cut_at]
        return np.concatenate((self.samples(min(start, self.cut_at), self.cut_at), tail))

    @property
    def _flushed_samples(self) -> int:
        """Samples of the chunk that a flush asks for, in whole frames; 0 where none does."""
        seen = self.flush_seen_to - self.decoded_samples
        asked_frames = -(-(self._flush_to - self.decoded_samples) // FRAME_SAMPLES)
        return max(0, min(asked_frames, seen // FRAME_SAMPLES) * FRAME_SAMPLES)

    def _look_what_is_needed(self) -> None:
        heard, reach_from = self.decoded_samples - REACH_SAMPLES, self._reach_from
        heard = heard if heard > self.kept_from else self.kept_from
        self.needed_from = reach_from if reach_from < heard else heard

    def _make_room(self, count: int) -> None:
        """Forgets samples no window can reach any more, and grows where that is not enough."""
        needed_from = max(self.needed_from, self.kept_from)
        needed = self._kept[needed_from - self.kept_from : self.fed_samples - self.kept_from]
        capacity = self._kept.shape[0]
        if needed.shape[0] + count > capacity:
            capacity = max(2 * capacity, needed.shape[0] + count)
        # Rule 8: not in place.
        kept = np.empty(capacity, dtype=np.float32)
        kept[: needed.shape[0]] = needed
        self._kept, self.kept_from = kept, needed_from


def complete_at(window: ContextWindow, span: Span) -> int:
    """Position at which audio has completed the next window, which lies there.

    The last one of all is complete when the end is known, which comes after everything.
    """
    if window.cut_at is not None:
        return min(span.needed_to, window.cut_at)
    if window.flushing:
        return window.flush_seen_to
    return sys.maxsize if span.is_last else span.needed_to
