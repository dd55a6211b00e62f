"""Encoder frames (B, U, D) and the state of B streams in; emitted tokens and the next state out.

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

Speed: under one predictor state many frames can be scored in one call, so each call looks ahead
until the next token; tokens, not frames, pay for calls. Many streams share a call anyway, and what
each looks ahead in vain costs more then: the more there are, the less they look ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from parakeet_streaming.ports import Counts, DecoderJoint, Floats

Confidence = Callable[[Floats], float]

_SHARED_FRAMES: Final = 8
"""That the rows of a call together look ahead, behind the first of each. With a joint of full size,
32 rows are fastest without any, 8 with one or two, one row with four (`benchmarks/overhead.py`)."""


@dataclass(frozen=True, slots=True)
class DecoderState:
    """Everything the decoder remembers of one stream between two chunks."""

    last_token: int
    """Last token that was not blank; the blank at the start."""
    hidden: Floats
    """(L, 1, H) state of the prediction network after `last_token`."""
    cell: Floats
    """(L, 1, H) likewise."""
    predictor_output: Floats
    """(1, ...) what the prediction network gave for `last_token`; the joint reads it."""
    frames_to_skip: int
    """Frames of the next chunk that an emitted duration has already passed over."""
    decoded_frames: int
    """Encoder frames decoded so far: the absolute frame of the next chunk's first frame."""


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


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one stream's frames gave."""

    emissions: tuple[Emission, ...]
    state: DecoderState


def initial_state(decoder_joint: DecoderJoint) -> DecoderState:
    """The state of a stream that has heard nothing."""
    output, hidden, cell = decoder_joint.start()
    return DecoderState(decoder_joint.blank_id, hidden, cell, output, 0, 0)


def behind_silence(
    state: DecoderState, frames: int, quiet_behind: int, longest_duration: int
) -> DecoderState:
    """The state behind `frames` in which nobody speaks and which nobody decodes.

    In silence a decoder goes from blank to blank by the longest duration. So does this, as far as
    `quiet_behind` frames of the next chunk are quiet too: the frames that are looked at when
    somebody speaks again are then those that decoding would have looked at.
    """
    beyond = state.frames_to_skip - frames
    if beyond < 0:
        landing = beyond % longest_duration
        beyond = landing if landing <= quiet_behind else 0
    return replace(state, frames_to_skip=beyond, decoded_frames=state.decoded_frames + frames)


def decode(
    frames: Floats,
    lengths: Sequence[int],
    states: Sequence[DecoderState],
    decoder_joint: DecoderJoint,
    *,
    max_symbols: int | None,
    confidence: Confidence,
) -> list[Decoded]:
    """Decodes `lengths[b]` frames of each row of `frames` (B, U, D) from `states[b]`.

    Returns one `Decoded` per row. Rows never influence each other.
    """
    rows = [
        _Row(index, state, length, max_symbols)
        for index, (state, length) in enumerate(zip(states, lengths, strict=True))
    ]
    live = [row for row in rows if row.live]
    while live:
        emitted = _look_ahead(frames, live, decoder_joint, confidence)
        if emitted:
            _advance(emitted, decoder_joint)
        live = [row for row in live if row.live]
    return [row.result() for row in rows]


def _look_ahead(
    frames: Floats, live: Sequence[_Row], decoder_joint: DecoderJoint, confidence: Confidence
) -> list[_Row]:
    """Scores the next frames of the live rows in one call; returns the rows that emitted."""
    width = min(_ahead(decoder_joint, len(live)), max(row.length - row.frame for row in live))
    block = _block(frames, live, width)
    output = _joined([row.predictor_output for row in live], axis=0)
    logits, duration_logits = decoder_joint.score(block, output)
    tokens = logits.argmax(axis=-1)
    if duration_logits is None:
        skips = np.zeros_like(tokens)
    else:
        skips = np.asarray(decoder_joint.durations)[duration_logits.argmax(axis=-1)]
    emitted = []
    for position, row in enumerate(live):
        offset = row.pass_blanks(tokens[position], skips[position], decoder_joint.blank_id)
        if offset is not None:
            sure = confidence(logits[position, offset])
            row.emit(int(tokens[position, offset]), int(skips[position, offset]), sure)
            emitted.append(row)
    return emitted


def _ahead(decoder_joint: DecoderJoint, rows: int) -> int:
    """Frames to score in one call of so many rows."""
    return min(decoder_joint.frames_per_call, 1 + _SHARED_FRAMES // rows)


def _advance(emitted: Sequence[_Row], decoder_joint: DecoderJoint) -> None:
    """Runs the prediction network of the rows that emitted, in one call."""
    output, hidden, cell = decoder_joint.advance(
        [row.last_token for row in emitted],
        _joined([row.hidden for row in emitted], axis=1),
        _joined([row.cell for row in emitted], axis=1),
    )
    for index, row in enumerate(emitted):
        row.predictor_output = output[index : index + 1]
        row.hidden = hidden[:, index : index + 1]
        row.cell = cell[:, index : index + 1]


def _block(frames: Floats, live: Sequence[_Row], width: int) -> Floats:
    """The next `width` frames of each live row, (B, width, D); the last one fills up the rest."""
    if len(live) == 1 and live[0].frame + width <= frames.shape[1]:
        row = live[0]
        return frames[row.index : row.index + 1, row.frame : row.frame + width]
    starts = np.array([row.frame for row in live])
    columns = np.minimum(starts[:, None] + np.arange(width), frames.shape[1] - 1)
    block: Floats = frames[np.array([row.index for row in live])[:, None], columns]
    return block


def _joined(arrays: Sequence[Floats], axis: int) -> Floats:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=axis)


class _Row:
    """One stream on its way through the frames of one call."""

    def __init__(
        self, index: int, state: DecoderState, length: int, max_symbols: int | None
    ) -> None:
        self.index = index
        self.frame = state.frames_to_skip
        self.length = length
        self.last_token = state.last_token
        self.hidden = state.hidden
        self.cell = state.cell
        self.predictor_output = state.predictor_output
        self._first_frame = state.decoded_frames
        self._max_symbols = max_symbols
        self._emissions: list[Emission] = []
        self._tokens_on_frame = 0
        self._last_emitting_frame = -1

    @property
    def live(self) -> bool:
        return self.frame < self.length

    def pass_blanks(self, tokens: Counts, skips: Counts, blank_id: int) -> int | None:
        """Walks over scored frames (K,); stops on a token and returns its offset, or None."""
        start = self.frame
        while self.frame < self.length and self.frame - start < tokens.shape[0]:
            offset = self.frame - start
            if tokens[offset] != blank_id:
                return offset
            self.frame += max(int(skips[offset]), 1)
        return None

    def emit(self, token_id: int, duration_frames: int, confidence: float) -> None:
        """Emits a token on the present frame and moves on by its duration."""
        frame = self.frame
        self._tokens_on_frame = (
            self._tokens_on_frame + 1 if frame == self._last_emitting_frame else 1
        )
        self._last_emitting_frame = frame
        self.last_token = token_id
        absolute = self._first_frame + frame
        self._emissions.append(Emission(token_id, absolute, duration_frames, confidence))
        self.frame += duration_frames
        crowded = self._max_symbols is not None and self._tokens_on_frame >= self._max_symbols
        if duration_frames == 0 and crowded:
            self.frame += 1

    def result(self) -> Decoded:
        state = DecoderState(
            last_token=self.last_token,
            hidden=self.hidden,
            cell=self.cell,
            predictor_output=self.predictor_output,
            frames_to_skip=self.frame - self.length,
            decoded_frames=self._first_frame + self.length,
        )
        return Decoded(tuple(self._emissions), state)
