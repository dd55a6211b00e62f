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
from typing import Final, Protocol, runtime_checkable

import numpy as np

from parakeet_streaming.limits import DEFAULT_SYMBOLS
from parakeet_streaming.model.biased_choice import Emitting, choose
from parakeet_streaming.model.confidence import Confidence, probability
from parakeet_streaming.model.decoder_row import Choice, DecoderRow
from parakeet_streaming.model.numpy_networks import DecoderJoint, NumpyNetworks
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


class Scores(Protocol):
    """What K frames of B rows were scored."""

    @property
    def tokens(self) -> Counts:
        """(B, K): the best of each, the blank included."""
        ...

    @property
    def durations(self) -> Counts | None:
        """(B, K): the number of the best duration of each; None for RNN-T."""
        ...

    def confidence(
        self, measure: Confidence, place: int, offset: int, token: int | None = None, /
    ) -> float:
        """How sure the best token of a frame is, or that one."""
        ...

    def rows(self, places: Sequence[int], offsets: Sequence[int], /) -> Floats:
        """Raw logits (n, V) of n frames, to be changed as one likes."""
        ...


class Walk(Protocol):
    """Networks on the way through the rows of one call."""

    def score(self, live: Sequence[DecoderRow], width: int, /) -> Scores:
        """Scores the next `width` frames of rows; the last one stands for those beyond the end."""
        ...

    def advance(self, emitted: Sequence[DecoderRow], /) -> None:
        """Moves what is remembered of rows on by their last token."""
        ...


@runtime_checkable
class Networks(Protocol):
    """Prediction network and joint; what they remember of a stream is opaque here."""

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

    def start(self) -> object:
        """What is remembered of a stream of which nothing was decoded."""
        ...

    def begin(self, rows: Sequence[DecoderRow], /) -> Walk:
        """Makes ready for a walk through these rows, and no others."""
        ...

    def memory_to_arrays(self, memory: object, /) -> dict[str, Floats]:
        """What is remembered of a stream as named arrays."""
        ...

    def memory_from_arrays(self, arrays: Mapping[str, Floats], /) -> object:
        """What was remembered, of which `memory_to_arrays` made the arrays.

        Raises:
            SnapshotError: arrays of other names or shapes.
        """
        ...


class LabelLoopingDecoder:
    """Greedy decoding of a prediction network and joint; shared and frozen."""

    def __init__(
        self,
        decoder_joint: DecoderJoint | Networks,
        *,
        max_symbols: int | None = None,
        confidence: Confidence = probability,
    ) -> None:
        """How tokens are chosen.

        Args:
            decoder_joint: prediction network and joint, in numpy's arrays or as asked here.
            max_symbols: tokens on one frame after which a frame is skipped, 1 or more; None for 10.
            confidence: raw token logits (V,) to a confidence from 0 to 1.
        """
        networks = (
            decoder_joint if isinstance(decoder_joint, Networks) else NumpyNetworks(decoder_joint)
        )
        self._networks: Networks = networks
        self._max_symbols = max_symbols or DEFAULT_SYMBOLS
        self._confidence = confidence
        self._blank_id = networks.blank_id
        self._durations = np.asarray(networks.durations, dtype=np.int64)
        self._start = networks.start()

    @property
    def durations(self) -> tuple[int, ...]:
        """Frames that a token or a blank may skip; empty for RNN-T."""
        return self._networks.durations

    def start(self) -> DecoderState:
        """The state of a stream of which nothing was decoded."""
        return DecoderState(self._blank_id, 0, 0, self._start)

    def decode(self, frames: Sequence[object], inputs: Sequence[DecoderInput]) -> list[Decoded]:
        """Decodes frames of encoded rows, each as the networks take them; numpy's are (U, D).

        Rows never influence each other.
        """
        rows = [DecoderRow(frames[each.row], each, self._max_symbols) for each in inputs]
        live = [row for row in rows if row.live]
        walk = self._networks.begin(live) if live else None
        while walk is not None and live:
            emitted = self._look_ahead(walk, live)
            if emitted:
                walk.advance(emitted)
            for row in emitted:
                row.keep_state_at_border()
            live = [row for row in live if row.live]
        return [row.result() for row in rows]

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """What is remembered of a stream as named arrays."""
        return self._networks.memory_to_arrays(memory)

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """What was remembered, of which `memory_to_arrays` made the arrays.

        Raises:
            SnapshotError: arrays of other names or shapes.
        """
        return self._networks.memory_from_arrays(arrays)

    def _look_ahead(self, walk: Walk, live: Sequence[DecoderRow]) -> list[DecoderRow]:
        """Scores the next frames of the live rows in one call; returns the rows that emitted."""
        width = min(self._width(len(live)), max(row.length - row.frame for row in live))
        scores = walk.score(live, width)
        tokens, durations = scores.tokens, scores.durations
        skips = np.zeros_like(tokens) if durations is None else self._durations[durations]
        emitting: list[Emitting] = []
        for position, row in enumerate(live):
            offset = row.pass_blanks(tokens[position], skips[position], self._blank_id)
            if offset is not None:
                emitting.append((row, position, offset))
        choices = self._choices(scores, emitting)
        for row, position, offset in emitting:
            skip = int(skips[position, offset])
            choice = choices.get(position)
            if choice is None:
                confidence = scores.confidence(self._confidence, position, offset)
                row.emit(int(tokens[position, offset]), skip, confidence)
            else:
                confidence = scores.confidence(self._confidence, position, offset, choice.token)
                row.emit(choice.token, skip, confidence, choice)
        return [row for row, _, _ in emitting]

    def _choices(self, scores: Scores, emitting: Sequence[Emitting]) -> dict[int, Choice]:
        """The tokens of the rows that have biases, by the rows' places."""
        biased = [place for place in emitting if place[0].biases]
        if not biased:
            return {}
        places, offsets = [each[1] for each in biased], [each[2] for each in biased]
        return choose(biased, scores.rows(places, offsets), self._blank_id)

    def _width(self, rows: int) -> int:
        """Frames to score in one call of so many rows."""
        return min(self._networks.frames_per_call, 1 + _SHARED_FRAMES // rows)
