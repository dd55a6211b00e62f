"""Streams on their way through their frames in; what the networks say of these out, in numpy.

What `label_looping.py` asks of a prediction network and a joint, for networks that take and give
numpy's arrays. (`device_decoder.py` is the same for those that keep theirs on a device.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.model.confidence import Confidence
from parakeet_streaming.model.decoder_row import DecoderRow, PredictorMemory
from parakeet_streaming.ports import Counts, Floats


class DecoderJoint(Protocol):
    """Prediction network and joint of a transducer, in numpy's arrays."""

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


@dataclass(slots=True)
class NumpyScores:
    """What K frames of B rows were scored."""

    tokens: Counts
    """(B, K): the best of each."""
    durations: Counts | None
    """(B, K): the number of the best duration of each; None for RNN-T."""
    logits: Floats
    """(B, K, V)"""

    def confidence(
        self, measure: Confidence, place: int, offset: int, token: int | None = None
    ) -> float:
        """How sure the best token of a frame is, or that one."""
        row = self.logits[place, offset]
        return measure(row) if token is None else measure(row, token)

    def rows(self, places: Sequence[int], offsets: Sequence[int]) -> Floats:
        """Raw logits (n, V) of n frames, to be changed as one likes."""
        logits: Floats = self.logits[places, offsets]
        return logits


class NumpyNetworks:
    """A prediction network and joint as the loop asks them."""

    def __init__(self, decoder_joint: DecoderJoint) -> None:
        self.blank_id = decoder_joint.blank_id
        self.durations = decoder_joint.durations
        self.frames_per_call = decoder_joint.frames_per_call
        self._decoder_joint = decoder_joint
        self._start = PredictorMemory(*decoder_joint.start())

    def start(self) -> PredictorMemory:
        """What is remembered of a stream of which nothing was decoded."""
        return self._start

    def begin(self, rows: Sequence[DecoderRow]) -> NumpyNetworks:
        """What walks these rows: nothing is kept from one call to the next."""
        return self

    def score(self, live: Sequence[DecoderRow], width: int) -> NumpyScores:
        """Scores the next `width` frames of rows."""
        output = _joined([row.memory.output for row in live], axis=0)
        logits, duration_logits = self._decoder_joint.score(_block(live, width), output)
        tokens: Counts = logits.argmax(axis=-1)
        durations = None if duration_logits is None else duration_logits.argmax(axis=-1)
        return NumpyScores(tokens, durations, logits)

    def advance(self, emitted: Sequence[DecoderRow]) -> None:
        """Runs the prediction network of the rows that emitted, in one call."""
        output, hidden, cell = self._decoder_joint.advance(
            [row.last_token for row in emitted],
            _joined([row.memory.hidden for row in emitted], axis=1),
            _joined([row.memory.cell for row in emitted], axis=1),
        )
        for index, row in enumerate(emitted):
            only = slice(index, index + 1)
            row.memory = PredictorMemory(output[only], hidden[:, only], cell[:, only])

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """The arrays of a memory, by the names of its fields."""
        assert isinstance(memory, PredictorMemory)
        return {"output": memory.output, "hidden": memory.hidden, "cell": memory.cell}

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> PredictorMemory:
        """The memory of which `memory_to_arrays` made the arrays.

        Raises:
            SnapshotError: arrays of other names or shapes.
        """
        require_memory(arrays, self.memory_to_arrays(self._start))
        return PredictorMemory(**arrays)


def require_memory(arrays: Mapping[str, Floats], like: Mapping[str, Floats]) -> None:
    """Refuses arrays of other names or shapes than those of a decoder's memory.

    Raises:
        SnapshotError: they are such.
    """
    expected = {name: array.shape for name, array in like.items()}
    given = {name: array.shape for name, array in arrays.items()}
    if given != expected:
        raise SnapshotError(f"a decoder memory of {given}; this model's is {expected}")


def _block(live: Sequence[DecoderRow], width: int) -> Floats:
    """The next `width` frames of each live row, (B, width, D); the last one fills up the rest."""
    first = live[0].next_frames(width)
    if len(live) == 1 and first.shape[0] == width:
        return first[None]
    block = np.empty((len(live), width, first.shape[1]), dtype=np.float32)
    for place, row in zip(block, live, strict=True):
        frames = row.next_frames(width)
        place[: frames.shape[0]] = frames
        place[frames.shape[0] :] = frames[-1]
    return block


def _joined(arrays: Sequence[Floats], axis: int) -> Floats:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=axis)
