"""An encoder and a decoder whose frames are numpy's arrays in; one model for the port out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import (
    Decoded,
    DecoderInput,
    DecoderState,
    Encoded,
    EncoderInput,
    Floats,
)


class FrameEncoder(Protocol):
    """Features and encoder network together: windows of samples to encoder frames."""

    @property
    def max_samples(self) -> int | None:
        """Longest window in samples the network can take; None where nothing limits it."""
        ...

    @property
    def keeps_past(self) -> bool:
        """Whether it can keep what it made of the left context."""
        ...

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Encodes one window of each stream; frames are a list of float32 (U, D), one per row."""
        ...

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What it keeps of a stream as named arrays."""
        ...

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """What it kept, of which `past_to_arrays` made the arrays: `most_frames` at most.

        Raises:
            SnapshotError: arrays of other names or shapes, more frames than that, or an encoder
                that keeps nothing.
        """
        ...


class NumpyTransducer:
    """A `Transducer` whose frames and states are numpy's arrays."""

    def __init__(
        self,
        encoder: FrameEncoder,
        decoder: LabelLoopingDecoder,
        *,
        fingerprint: str = "",
        runs_on: str = "",
    ) -> None:
        """`fingerprint`: equal for equal files; `runs_on`: what computes, in words."""
        self.fingerprint = fingerprint
        self.runs_on = runs_on
        self.max_samples = encoder.max_samples
        self.keeps_past = encoder.keeps_past
        self.durations = decoder.durations
        self._encoder = encoder
        self._decoder = decoder

    def start(self) -> DecoderState:
        """The state of a stream of which nothing was decoded."""
        return self._decoder.start()

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Encodes one window of each of B streams."""
        return self._encoder.encode(inputs)

    def decode(self, encoded: Encoded, inputs: Sequence[DecoderInput]) -> list[Decoded]:
        """Decodes frames of encoded rows."""
        assert isinstance(encoded.frames, list), "frames of another model"
        return self._decoder.decode(encoded.frames, inputs)

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """A decoder's memory as named arrays."""
        return self._decoder.memory_to_arrays(memory)

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """A decoder's memory of named arrays; SnapshotError where they do not fit."""
        return self._decoder.memory_from_arrays(arrays)

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What the encoder keeps of a stream as named arrays."""
        return self._encoder.past_to_arrays(past)

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """What the encoder kept, of named arrays; SnapshotError where they do not fit."""
        return self._encoder.past_from_arrays(arrays, most_frames)
