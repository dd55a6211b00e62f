"""What the engine asks of a model: ports, spoken in plain arrays.

Samples go in and encoder frames come out (`Encoder`, and `CachedEncoder`, which encodes each frame
once); tokens, states and encoder frames go in and states and logits come out (`DecoderJoint`);
short frames of samples go in and probabilities of speech come out (`VoiceActivity`).
Letters for shapes are those of `timeline.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]

VAD_FRAME_SAMPLES: Final = 512
"""32 ms at 16 kHz: what one probability of speech covers."""


class Encoder(Protocol):
    """Features and encoder network together: windows of samples to encoder frames."""

    @property
    def max_samples(self) -> int | None:
        """Longest window in samples the network can take; None where nothing limits it."""
        ...

    def encode(self, windows: Sequence[Floats]) -> tuple[Floats, Counts]:
        """Encodes B windows, each float32 (n,) at 16 kHz, n from 0 to `max_samples`.

        Returns:
            Frames (B, U, D) float32, padded behind each row's length, and lengths (B,).
        """
        ...


@dataclass(frozen=True, slots=True)
class EncoderStep:
    """One window for an encoder that still knows the left context."""

    samples: Floats
    """(left + chunk + right,) float32 at 16 kHz, as a whole window has them."""
    left_samples: int
    chunk_frames: int
    """Encoder frames behind the left context that become past with this step."""
    left_frames: int
    """Most encoder frames that the past may hold after it."""
    past: object | None
    """What the step before gave; None where the stream begins."""


@runtime_checkable
class CachedEncoder(Encoder, Protocol):
    """An encoder that can keep what it made of the left context."""

    def encode_steps(self, steps: Sequence[EncoderStep]) -> tuple[Floats, Counts, list[object]]:
        """Encodes chunk and right context of B windows.

        Returns:
            Frames (B, U, D) float32 from the first of each chunk on, padded behind each row's
            length; lengths (B,); and each stream's past for its next step.
        """
        ...


class DecoderJoint(Protocol):
    """Prediction network and joint of a transducer."""

    @property
    def blank_id(self) -> int: ...

    @property
    def durations(self) -> tuple[int, ...]:
        """Frames to skip for each duration logit; empty for RNN-T."""
        ...

    @property
    def frames_per_call(self) -> int:
        """How many frames of one stream are worth scoring in one call; at least 1."""
        ...

    def start(self) -> tuple[Floats, Floats, Floats]:
        """Output (1, ...), hidden (L, 1, H) and cell (L, 1, H) after the start symbol."""
        ...

    def advance(
        self, tokens: Sequence[int], hidden: Floats, cell: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Runs the prediction network of B streams by one token each.

        Args:
            tokens: one token id per stream, never the blank.
            hidden: (L, B, H) before the tokens.
            cell: (L, B, H) before the tokens.

        Returns:
            Output (B, ...), hidden and cell (L, B, H) after the tokens.
        """
        ...

    def score(self, frames: Floats, output: Floats) -> tuple[Floats, Floats | None]:
        """Scores frames (B, K, D) under the prediction network's output (B, ...).

        Returns:
            Raw logits of tokens (B, K, V), the blank included, and of durations (B, K, n), which
            are None for RNN-T.
        """
        ...


class VoiceActivity(Protocol):
    """Tells how likely it is that someone speaks, frame by frame, for many streams at once."""

    @property
    def frame_samples(self) -> int:
        """Samples of one frame at 16 kHz."""
        ...

    def start(self) -> object:
        """The state of a stream that begins, also after a gap."""
        ...

    def probabilities(
        self, blocks: Sequence[Floats], states: Sequence[object]
    ) -> tuple[list[Floats], list[object]]:
        """Judges the next frames of each of B streams. Rows are independent.

        Args:
            blocks: one float32 (K * frame_samples,) at 16 kHz per stream, K from 1; K may differ.
            states: of each stream, what its last block gave, or `start()`.

        Returns:
            Probabilities of speech (K,) float32, 0 to 1, and the next state of each stream.
        """
        ...

    def state_to_arrays(self, state: object) -> dict[str, Floats]:
        """All of a state as named arrays, for a snapshot."""
        ...

    def state_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """The state that `state_to_arrays` gave these arrays for.

        Raises:
            SnapshotError: arrays that are no state of this detector.
        """
        ...
