"""Where a window lies in the samples of a stream, and what is in it: values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from parakeet_streaming.frozen import made_quickly
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import FRAME_SAMPLES


@made_quickly
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
        return self.chunk_start + self.chunk_samples + self.right_samples

    @property
    def needed_to(self) -> int:
        """Position up to which audio is needed; one sample more shows that it is not the last."""
        return self.lookahead_end + (not self.is_last)


@made_quickly
@dataclass(frozen=True, slots=True)
class Window(Span):
    """One window: where it lies, and its samples."""

    samples: Floats
    """(left + chunk + right,) float32."""

    @classmethod
    def over(cls, start: int, end: int) -> Self:
        """One of which nothing is encoded, and nothing left over."""
        return cls(0, end - start, 0, start, is_last=True, samples=np.zeros(0, np.float32))

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
    reach_from: int
    """Position of the first sample that a left context to come can have."""
    decoded_samples: int
    begun_at: int
    """Position of the last cut, after which decoding began anew; 0 where there was none."""
    flush_to: int
    flush_seen_to: int
    cut_at: int | None
    """Position of a cut that is not decoded yet."""
    cut_tail: Floats
    """(n,) float32, what stands for the audio after the cut."""
    audio_end: int | None
    """Where the audio ended, and a tail may follow; None until it has."""
