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
