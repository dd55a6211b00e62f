"""Encoder frames and the states of B streams in; emitted tokens and the next states out.

Greedy label-looping for TDT, and for RNN-T as the case without durations. The source of every rule
is NVIDIA NeMo's `GreedyBatchedTDTLabelLoopingComputer` (Bataev et al., "Label-Looping: Highly
Efficient Decoding for Transducers", 2024).

Rules of this file:

1. State is one frozen value per stream, passed in and handed back. There is no other memory.
2. A blank never touches the prediction network. A blank skips its duration, at least one frame.
3. A token skips its duration, which may be none: the next token may come from the same frame.
4. After `max_symbols` tokens on one frame, one frame is skipped.
5. A skip past the last frame is carried over as `frames_to_skip`, however many chunks it covers.
6. Ties go to the lowest index.
7. Look-ahead goes on where the chunk ends. The state to go on from is the one at that border, so
   look-ahead leaves no trace; the one after it is handed back beside that.
8. Plain logits say whether there is a token, and how long it lasts. A stream's biases take part in
   naming it (`biased_choice.py`). Without any, nothing of that is computed.

Speed: under one predictor state many frames can be scored in one call, so each call looks ahead
until the next token; tokens, not frames, pay for calls. Many streams share a call anyway, and what
each looks ahead in vain costs more then: the more there are, the less they look ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.limits import DEFAULT_SYMBOLS
from parakeet_streaming.model.biased_choice import Emitting, choose
from parakeet_streaming.model.confidence import Confidence, probability
from parakeet_streaming.model.decoder_row import DecoderRow, PredictorMemory
from parakeet_streaming.ports import (
    Counts,
    Decoded,
    DecoderInput,
    DecoderState,
    Floats,
)

_SHARED_FRAMES: Final = 8
"""Frames that a call's rows look ahead together, beyond the first of each. With a large joint
32 rows are fastest without any, 8 with one or two, one with four (`benchmarks.speed.overhead`)."""


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


class LabelLoopingDecoder:
    """Greedy decoding of a prediction network and joint; shared and frozen."""

    def __init__(
        self,
        decoder_joint: DecoderJoint,
        *,
        max_symbols: int | None = None,
        confidence: Confidence = probability,
    ) -> None:
        """How tokens are chosen.

        Args:
            decoder_joint: prediction network and joint.
            max_symbols: tokens on one frame after which a frame is skipped, 1 or more; None for 10.
            confidence: raw token logits (V,) to a confidence from 0 to 1.
        """
        self._decoder_joint = decoder_joint
        self._max_symbols = max_symbols or DEFAULT_SYMBOLS
        self._confidence = confidence
        self._blank_id = decoder_joint.blank_id
        self._durations = np.asarray(decoder_joint.durations, dtype=np.int64)
        self._start = PredictorMemory(*decoder_joint.start())

    @property
    def durations(self) -> tuple[int, ...]:
        """Frames that a token or a blank may skip; empty for RNN-T."""
        return self._decoder_joint.durations

    def start(self) -> DecoderState:
        """The state of a stream of which nothing was decoded."""
        return DecoderState(self._blank_id, 0, 0, self._start)

    def decode(self, frames: Sequence[Floats], inputs: Sequence[DecoderInput]) -> list[Decoded]:
        """Decodes frames of encoded rows, each float32 (U, D). Rows never influence each other."""
        rows = [DecoderRow(frames[each.row], each, self._max_symbols) for each in inputs]
        live = [row for row in rows if row.live]
        while live:
            emitted = self._look_ahead(live)
            if emitted:
                self._advance(emitted)
            for row in emitted:
                row.keep_state_at_border()
            live = [row for row in live if row.live]
        return [row.result() for row in rows]

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """The arrays of a memory, by the names of its fields."""
        assert isinstance(memory, PredictorMemory)
        return {"output": memory.output, "hidden": memory.hidden, "cell": memory.cell}

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> PredictorMemory:
        """The memory of which `memory_to_arrays` made the arrays.

        Raises:
            SnapshotError: arrays of other names or shapes.
        """
        expected = {name: array.shape for name, array in self.memory_to_arrays(self._start).items()}
        given = {name: array.shape for name, array in arrays.items()}
        if given != expected:
            raise SnapshotError(f"a decoder memory of {given}; this model's is {expected}")
        return PredictorMemory(**arrays)

    def _look_ahead(self, live: Sequence[DecoderRow]) -> list[DecoderRow]:
        """Scores the next frames of the live rows in one call; returns the rows that emitted."""
        width = min(self._width(len(live)), max(row.length - row.frame for row in live))
        output = _joined([row.memory.output for row in live], axis=0)
        logits, duration_logits = self._decoder_joint.score(_block(live, width), output)
        tokens: Counts = logits.argmax(axis=-1)
        if duration_logits is None:
            skips = np.zeros_like(tokens)
        else:
            skips = self._durations[duration_logits.argmax(axis=-1)]
        emitting: list[Emitting] = []
        for position, row in enumerate(live):
            offset = row.pass_blanks(tokens[position], skips[position], self._blank_id)
            if offset is not None:
                emitting.append((row, position, offset))
        biased = [place for place in emitting if place[0].biases]
        choices = choose(biased, logits, self._blank_id) if biased else {}
        for row, position, offset in emitting:
            plain = int(tokens[position, offset])
            choice = choices.get(position)
            if choice is None:
                confidence = self._confidence(logits[position, offset])
                row.emit(plain, int(skips[position, offset]), confidence)
            else:
                confidence = self._confidence(logits[position, offset], choice.token)
                row.emit(choice.token, int(skips[position, offset]), confidence, choice)
        return [row for row, _, _ in emitting]

    def _width(self, rows: int) -> int:
        """Frames to score in one call of so many rows."""
        return min(self._decoder_joint.frames_per_call, 1 + _SHARED_FRAMES // rows)

    def _advance(self, emitted: Sequence[DecoderRow]) -> None:
        """Runs the prediction network of the rows that emitted, in one call."""
        output, hidden, cell = self._decoder_joint.advance(
            [row.last_token for row in emitted],
            _joined([row.memory.hidden for row in emitted], axis=1),
            _joined([row.memory.cell for row in emitted], axis=1),
        )
        for index, row in enumerate(emitted):
            only = slice(index, index + 1)
            row.memory = PredictorMemory(output[only], hidden[:, only], cell[:, only])


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
