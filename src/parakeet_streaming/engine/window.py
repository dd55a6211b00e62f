"""Samples in any slices in; the windows of left, chunk and right context the encoder sees out.

Rules of this file (the arithmetic of NVIDIA NeMo's `StreamingBatchedAudioBuffer`):

1. This file knows samples at 16 kHz only.
2. Every sample is chunk exactly once, in order. Windows depend on the samples, never on the slices
   in which they came.
3. The first window has no left context; the left context grows until it is full. Nothing is padded.
4. A window that is not the last needs one sample beyond its right context, because only then is it
   known not to be the last. That sample waits.
5. The last window decodes everything that is left: at most chunk + right. What the right context
   gave up goes to the left, so the last left context may be longer than asked and need not be
   whole frames. The reference leaves that grid shifted, and so does this file.
6. Live streams ask for more: `use` changes the lengths for the windows to come, and `flush` makes
   chunk of what is known already. Chunks stay whole frames, so the grid stays, and rule 2's first
   half holds.

```
step 1             |·chunk·|·right·|
step 2     |·left··|·chunk·|·right·|
step 3     |·left··········|·chunk·|·right·|
last step      |·left··············|·chunk··········|
```
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig


@dataclass(frozen=True, slots=True)
class Span:
    """Where a window lies and how it is divided, in samples."""

    left_samples: int
    chunk_samples: int
    right_samples: int
    chunk_start: int
    """Position in the stream of the first sample of the chunk."""
    is_last: bool

    @property
    def chunk_end(self) -> int:
        """Position in the stream where the chunk ends."""
        return self.chunk_start + self.chunk_samples

    @property
    def lookahead_end(self) -> int:
        """Position in the stream where the window ends."""
        return self.chunk_end + self.right_samples


@dataclass(frozen=True, slots=True)
class Window(Span):
    """One window: where it lies, and its samples."""

    samples: Floats
    """(left + chunk + right,) float32."""

    @property
    def left_frames(self) -> int:
        """Encoder frames before the chunk, floored as in the reference."""
        return self.left_samples // FRAME_SAMPLES

    def chunk_frames(self, encoded_frames: int) -> int:
        """Frames of `encoded_frames` to decode as chunk; the last window decodes all it has."""
        if self.is_last:
            return max(encoded_frames - self.left_frames, 0)
        return self.chunk_samples // FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class WindowState:
    """Between two chunks: which samples are kept, and how far they were decoded."""

    samples: Floats
    """(n,) float32, those that a window to come can reach."""
    kept_from: int
    """Position in the stream of the first of them."""
    decoded_samples: int
    flush_to: int
    ended: bool


class ContextWindow:
    """The samples of one stream that are still needed, and the window they make."""

    def __init__(self, context: ContextConfig) -> None:
        lengths = context.samples
        self._left, self._chunk, self._right = lengths.left, lengths.chunk, lengths.right
        self._kept = np.empty(2 * lengths.window + self._chunk, dtype=np.float32)
        self._kept_from = 0
        # What windows to come can reach, by the contexts so far: it decides how long a left context
        # can be, and must not depend on when memory is freed.
        self._reach_from = 0
        self.fed_samples = 0
        """Samples fed so far."""
        self.decoded_samples = 0
        """Samples that have been chunk."""
        self._flush_to = 0
        self._ended = False

    @property
    def buffered_samples(self) -> int:
        """Samples fed that have not been chunk yet."""
        return max(0, self.fed_samples - self.decoded_samples)

    @property
    def ready(self) -> bool:
        """Whether there is a window to decode."""
        if self._ended:
            return self.fed_samples > self.decoded_samples
        return self._complete or self._flushed_samples > 0

    def state(self, *, audio: bool = True) -> WindowState:
        """What this window is made of now; without `audio` its samples must be fed again."""
        first = min(self._reach_from, self.fed_samples)
        kept = self.samples(first, self.fed_samples if audio else first)
        return WindowState(kept, first, self.decoded_samples, self._flush_to, self._ended)

    @classmethod
    def of(cls, context: ContextConfig, state: WindowState) -> Self:
        """The window that a state was taken of."""
        window = cls(context)
        window._kept_from = window._reach_from = window.fed_samples = state.kept_from
        window.feed(state.samples)
        window.decoded_samples, window._flush_to = state.decoded_samples, state.flush_to
        window._ended = state.ended
        return window

    def use(self, context: ContextConfig) -> None:
        """Cuts the windows to come by another context; a longer left context grows into place."""
        lengths = context.samples
        self._left, self._chunk, self._right = lengths.left, lengths.chunk, lengths.right

    def flush(self, position: int) -> None:
        """Makes chunk of what lies before `position`, without waiting for a whole chunk.

        What follows it, up to a whole right context, is the right context of that window.
        Only whole frames become chunk, so less than one may be left over.
        """
        self._flush_to = max(self._flush_to, min(position, self.fed_samples))

    def feed(self, samples: Floats) -> None:
        """Takes float32 (n,) at 16 kHz, any n."""
        count = samples.shape[0]
        used = self.fed_samples - self._kept_from
        if used + count > self._kept.shape[0]:
            self._make_room(count)
            used = self.fed_samples - self._kept_from
        self._kept[used : used + count] = samples
        self.fed_samples += count

    def end(self) -> None:
        """No more samples will come; what is left becomes the last window."""
        self._ended = True

    def samples(self, start: int, stop: int) -> Floats:
        """A copy of the samples [start, stop), float32; those no window can reach may be gone.

        Raises:
            AudioInputError: they are gone, or were not fed yet.
        """
        if not self._kept_from <= start <= stop <= self.fed_samples:
            raise AudioInputError(
                f"samples {start} to {stop} are not here; only {self._kept_from} to "
                f"{self.fed_samples} are"
            )
        return self._kept[start - self._kept_from : stop - self._kept_from].copy()

    def next_span(self) -> Span | None:
        """Where the next window lies, or None while it is not complete."""
        if not self.ready:
            return None
        start = self.decoded_samples
        remaining = self.fed_samples - start
        is_last = self._ended and remaining <= self._chunk + self._right
        chunk, right, left = self._chunk, self._right, self._left
        if is_last:
            # After a flush less than a right context may remain; what no window needs is gone.
            left += min(chunk, chunk + right - remaining)
            chunk, right = remaining, 0
        elif not self._complete:
            chunk = self._flushed_samples
            right = min(right, remaining - chunk)
        return Span(min(left, start - self._reach_from), chunk, right, start, is_last)

    def peek(self) -> Window | None:
        """The next window, or None while it is not complete. `advance` moves on."""
        span = self.next_span()
        if span is None:
            return None
        samples = self.samples(span.chunk_start - span.left_samples, span.lookahead_end)
        return Window(
            span.left_samples,
            span.chunk_samples,
            span.right_samples,
            span.chunk_start,
            span.is_last,
            samples,
        )

    def advance(self, window: Window) -> None:
        """Moves on to the end of the chunk of `window`, which must be the one that `peek` gave."""
        self.decoded_samples = window.chunk_end
        self._reach_from = max(self._reach_from, self.decoded_samples - self._left - self._chunk)

    @property
    def _complete(self) -> bool:
        """Whether a whole window is there, and it is known not to be the last."""
        return self.fed_samples > self.decoded_samples + self._chunk + self._right

    @property
    def _flushed_samples(self) -> int:
        """Samples of the chunk that a flush asks for, in whole frames; 0 where none does."""
        waiting = self.fed_samples - self.decoded_samples
        asked_frames = -(-(self._flush_to - self.decoded_samples) // FRAME_SAMPLES)
        return max(0, min(asked_frames, waiting // FRAME_SAMPLES) * FRAME_SAMPLES)

    def _make_room(self, count: int) -> None:
        """Forgets samples no window can reach any more, and grows where that is not enough."""
        needed_from = min(self._reach_from, self.fed_samples)
        needed = self._kept[needed_from - self._kept_from : self.fed_samples - self._kept_from]
        capacity = self._kept.shape[0]
        if needed.shape[0] + count > capacity:
            capacity = max(2 * capacity, needed.shape[0] + count)
            grown = np.empty(capacity, dtype=np.float32)
            grown[: needed.shape[0]] = needed
            self._kept = grown
        else:
            self._kept[: needed.shape[0]] = needed.copy()
        self._kept_from = needed_from
