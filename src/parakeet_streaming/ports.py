"""What recognition asks of a model: windows of samples go in, emitted tokens come out.

A `Transducer` encodes windows and decodes the frames that it made of them. Frames, what an encoder
keeps of the left context, and what a decoder remembers are opaque: they may be numpy arrays, or lie
on a GPU and never leave it. Only the model that made them reads them. `VoiceActivity` judges short
frames of samples. Letters for shapes are those of `timeline.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.frozen import made_quickly

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]
VAD_FRAME_SAMPLES: Final = 512
"""32 ms: the frame of Silero VAD at 16 kHz."""

CONFIDENCE_MEASURES: Final = ("probability", "entropy")
"""Of a token: softmax probability, or NVIDIA NeMo's Tsallis entropy."""


@made_quickly
@dataclass(frozen=True, slots=True)
class EncoderInput:
    """One window to encode."""

    samples: Floats
    """(left + chunk + right,) float32 at 16 kHz."""
    left_samples: int = 0
    """Samples before the chunk."""
    chunk_samples: int = 0
    kept_frames: int | None = None
    """Most encoder frames of left context that the encoder keeps for the stream's next window; None
    keeps nothing."""
    past: object | None = None
    """What the encoder kept at the window before. With it the row begins at the chunk; without it
    the row begins with the left context."""
    tail_samples: int = 0
    """Samples at the end that are no audio, but stand for silence: what is measured of the window
    as a whole, such as the mean that features are normalised by, leaves them out."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Windows as encoder frames, one row per window."""

    frames: object
    """Only the model that made them reads them."""
    lengths: tuple[int, ...]
    """Encoder frames of each row."""
    pasts: tuple[object | None, ...]
    """What the encoder keeps for each stream's next window; None where nothing is kept."""


@made_quickly
@dataclass(frozen=True, slots=True)
class DecoderState:
    """All that the decoder remembers of one stream between two chunks."""

    last_token: int
    """Last token that was not blank; the blank at the start."""
    frames_to_skip: int
    """Frames of the next chunk that an emitted duration has already passed over."""
    decoded_frames: int
    """Encoder frames decoded so far: the absolute frame of the next chunk's first frame."""
    memory: object
    """What the model's own networks and rules remember after `last_token`."""
    bias_states: tuple[int, ...] = ()
    """What each bias remembers after `last_token`; none where all are at their beginning."""


@dataclass(frozen=True, slots=True, eq=False)
class BiasTables:
    """A bias as arrays, for models that name tokens on a device: N states, E arcs, V tokens.

    What is `ruled_out` (K,) becomes -inf. Then, in state s, a token is raised by `refunds[s]` (N,),
    and by `steps - refunds[n]` (E,) of the first arc with it, at n, of s or the states that s fails
    to (`failures`, (N,), 0 to itself). Arcs lie in order of state, from `first` (N + 1,) on, and
    `tokens`; `at_root` (V,) has the steps of state 0. A token more than `window` nats below the
    best is raised by `refunds[s]` at most. The state after a token is its arc's target, or 0.
    """

    ruled_out: NDArray[np.int64]
    failures: NDArray[np.int32]
    refunds: Floats
    first: NDArray[np.int32]
    tokens: NDArray[np.int32]
    targets: NDArray[np.int32]
    steps: Floats
    at_root: Floats
    window: float | None


class TokenBias(Protocol):
    """Makes tokens of a stream more or less likely: phrases to boost, or a script.

    It never decides whether a frame gives a token, which the plain logits do; it takes part in
    saying which one. A token's duration and confidence are those of the plain logits, too. A bias
    is frozen, and shared by any number of streams. What it remembers of one of them is a number
    from 0, where every stream begins, to `states` - 1.
    """

    @property
    def states(self) -> int:
        """How many states a stream can be in; 1 where nothing is remembered."""
        ...

    @property
    def marks(self) -> bool:
        """Whether a token that it put in place of another is reported as `boosted`."""
        ...

    @property
    def tables(self) -> BiasTables:
        """All of it as arrays."""
        ...

    def adjust(self, logits: Floats, states: Counts) -> Floats:
        """The logits (R, V) with the bias in them.

        Args:
            logits: (R, V) raw logits of R streams, with -inf for the blank and for what an earlier
                bias has ruled out; they may be changed in place.
            states: (R,) of the streams.
        """
        ...

    def advance(self, states: Counts, tokens: Counts) -> Counts:
        """The states (R,) of R streams after one more token (R,) of each."""
        ...


@made_quickly
@dataclass(frozen=True, slots=True)
class DecoderInput:
    """Frames of one encoded row to decode: [chunk_start, chunk_end), then up to `lookahead_end`."""

    row: int
    chunk_start: int
    chunk_end: int
    """Frames from here on are look-ahead: they give tentative tokens and no state."""
    lookahead_end: int
    state: DecoderState
    biases: tuple[TokenBias, ...] = ()
    """Of the stream, in the order in which they act; what rules tokens out comes first."""


@made_quickly
@dataclass(frozen=True, slots=True)
class Emission:
    """A token as the decoder emits it."""

    token_id: int
    frame: int
    """Absolute encoder frame."""
    duration_frames: int
    confidence: float
    recovered: bool = False
    """True when the stall guard's second decoding found it."""
    boosted: bool = False
    """True when a boosted phrase chose it in place of another token."""


@made_quickly
@dataclass(frozen=True, slots=True)
class Decoded:
    """What the frames of one row gave."""

    emissions: tuple[Emission, ...]
    """Of the chunk."""
    lookahead: tuple[Emission, ...]
    """Of the look-ahead."""
    state: DecoderState
    """After the chunk."""
    ahead: DecoderState | None = None
    """After the look-ahead; None where it is not known."""


class Transducer(Protocol):
    """A model that streams: encoder, prediction network and joint, and the decoding loop."""

    @property
    def max_samples(self) -> int | None:
        """Longest window in samples that can be encoded; None where nothing limits it."""
        ...

    @property
    def keeps_past(self) -> bool:
        """Whether the encoder can keep what it made of the left context."""
        ...

    @property
    def durations(self) -> tuple[int, ...]:
        """Frames that a token or a blank may skip; empty for RNN-T."""
        ...

    @property
    def fingerprint(self) -> str:
        """Equal for equal files of a model; a snapshot is restored by the model that made it."""
        ...

    @property
    def runs_on(self) -> str:
        """What computes, in words for people: runtime, provider and threads."""
        ...

    def start(self) -> DecoderState:
        """The state of a stream of which nothing was decoded."""
        ...

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Encodes one window of each of B streams; a row is what it would be alone.

        Raises:
            AudioInputError: a window longer than `max_samples`.
            ComputeError: the runtime refused the call.
        """
        ...

    def decode(self, encoded: Encoded, inputs: Sequence[DecoderInput]) -> list[Decoded]:
        """Decodes frames of encoded rows, each from its state; a result is what it would be alone.

        The same row may be decoded again, from another state or over other frames.

        Raises:
            ComputeError: the runtime refused the call.
        """
        ...

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """A decoder's memory as named arrays, for a snapshot."""
        ...

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """The memory of which they were made; SnapshotError for arrays of other names or shapes."""
        ...

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What an encoder keeps as named arrays, for a snapshot."""
        ...

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """What the encoder kept, of which `past_to_arrays` made the arrays.

        Args:
            arrays: from a snapshot, so perhaps forged.
            most_frames: `kept_frames` of the stream.

        Raises:
            SnapshotError: arrays of other names or shapes, more frames than that, or an encoder
                that keeps nothing.
        """
        ...


class VoiceActivity(Protocol):
    """Tells how likely it is that someone speaks, frame by frame, for many streams at once."""

    @property
    def frame_samples(self) -> int:
        """Samples of one frame at 16 kHz."""
        ...

    def start(self) -> object:
        """The state of a stream of which nothing was judged, at its start and after a gap."""
        ...

    def probabilities(
        self, blocks: Sequence[Floats], states: Sequence[object]
    ) -> tuple[list[Floats], list[object]]:
        """Judges the next frames of each of B streams; a row is what it would be alone.

        Args:
            blocks: of each stream, float32 (K · frame_samples,) at 16 kHz, K from 1.
            states: of each stream, what the block before gave, or `start()`.

        Returns:
            Probabilities of speech (K,) float32 from 0 to 1, and the next state, of each stream.
        """
        ...

    def state_to_arrays(self, state: object) -> dict[str, Floats]:
        """A state as named arrays, for a snapshot."""
        ...

    def state_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """The state of which `state_to_arrays` made the arrays.

        Raises:
            SnapshotError: arrays of other names or shapes.
        """
        ...
