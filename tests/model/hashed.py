"""A model without sense: every output hangs on every sample, frame and token before it.

Its choices are drawn from a seed, so a reference can look them up, and any sample, frame or state
that goes astray shows in the tokens.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.ports import Encoded
from parakeet_streaming.testing import FakePieces, recognizer_of
from parakeet_streaming.timeline import encoder_frames

SIZE = 64
"""Different frames, and different predictor states."""
TOKENS = 6

TEXTS = ["one", "two", "+ing", "+.", "three", "+,"]


def context_of(left_frames: int, chunk_frames: int, right_frames: int) -> tuple[float, ...]:
    """Seconds of so many frames, in the middle of what is floored to them."""
    return tuple(frames * 0.08 + 0.03 for frames in (left_frames, chunk_frames, right_frames))


def sliced(samples: np.ndarray, cuts: Sequence[int]) -> list[np.ndarray]:
    """The samples in pieces, cut at `cuts` (any order, any repeats)."""
    return np.split(samples, sorted(min(cut, len(samples)) for cut in cuts))


class HashedEncoder:
    """Frames (U, 1), drawn from a hash of the whole window."""

    max_samples = None
    keeps_past = False

    def encode(self, inputs):
        frames = [self._frames(each.samples) for each in inputs]
        return Encoded(frames, tuple(len(row) for row in frames), (None,) * len(inputs))

    def past_to_arrays(self, past):
        raise NotImplementedError

    def past_from_arrays(self, arrays, most_frames):
        raise NotImplementedError

    @staticmethod
    def _frames(window):
        generator = np.random.default_rng(zlib.crc32(window.tobytes()))
        drawn = generator.integers(0, SIZE, encoder_frames(len(window)))
        return drawn.astype(np.float32)[:, None]


class HashedJoint:
    """Whole-number logits from a table, ties included; the state is a hash of the tokens."""

    def __init__(
        self,
        seed: int = 0,
        *,
        durations: tuple[int, ...] = (0, 1, 2, 3, 4),
        frames_per_call: int = 4,
        blanks: float = 0.5,
    ) -> None:
        self.blank_id = TOKENS
        self.durations = durations
        self.frames_per_call = frames_per_call
        generator = np.random.default_rng(seed)
        self.tokens = generator.integers(0, 10, (SIZE, SIZE, TOKENS + 1)).astype(np.float32)
        self.tokens[generator.random((SIZE, SIZE)) < blanks, TOKENS] = 10.0
        self.skips = generator.integers(0, 10, (SIZE, SIZE, len(durations))).astype(np.float32)
        self.widest = 0
        self.advances = 0

    @staticmethod
    def next_state(state: int, memory: int, token: int) -> tuple[int, int]:
        return (3 * state + 5 * token + memory + 1) % SIZE, (memory + token + 2) % SIZE

    def start(self):
        return (
            np.ones((1, 1), np.float32),
            np.ones((1, 1, 1), np.float32),
            np.zeros((1, 1, 1), "f4"),
        )

    def advance(self, tokens, hidden, cell):
        assert self.blank_id not in tokens
        assert hidden.shape == cell.shape == (1, len(tokens), 1)
        self.advances += 1
        steps = [
            self.next_state(int(hidden[0, row, 0]), int(cell[0, row, 0]), token)
            for row, token in enumerate(tokens)
        ]
        states, memories = np.array(steps, dtype=np.float32).T.reshape(2, 1, len(tokens), 1)
        return states[0], states, memories

    def score(self, frames, output):
        assert frames.shape[0] == output.shape[0]
        self.widest = max(self.widest, frames.shape[1])
        at = output[:, :1].astype(int), frames[:, :, 0].astype(int)
        return self.tokens[at], self.skips[at] if self.durations else None


def hashed_recognizer(seed: int = 0, **choices) -> Recognizer:
    return recognizer_of(HashedEncoder(), HashedJoint(seed, **choices), FakePieces(TEXTS))
