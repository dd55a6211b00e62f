"""Nothing in; a recognizer that is small, quick, and answers any samples, out.

It emits a token on each loud frame, and keeps a past as a cached encoder does. Unlike the fakes of
`testing.py` it takes any samples and any state, as a model does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.model.encoder_past import EncoderPast, with_block
from parakeet_streaming.ports import Encoded, EncoderInput, Floats
from parakeet_streaming.testing import recognizer_of
from parakeet_streaming.timeline import FRAME_SAMPLES, encoder_frames

PIECES: Final = ("\u2581one", "s", "\u2581two", ".", "<0xC3>", "<0xA9>", "<blk>")

_WIDTH: Final = 2
_EMPTY: Final = EncoderPast(
    np.zeros((2, 0), np.float32), 0, (), (), np.zeros((1, 1, _WIDTH), np.float32)
)


class SmallEncoder:
    """A frame is how loud its samples are."""

    keeps_past = True
    max_samples = 60 * 16_000

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Frames (U, 2) of each window, with a past from the chunk on."""
        rows = [self._row(each) for each in inputs]
        pasts = [
            None if each.kept_frames is None else self._kept(each, row)
            for each, row in zip(inputs, rows, strict=True)
        ]
        return Encoded(rows, tuple(len(row) for row in rows), tuple(pasts))

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """The product's own way of writing a past."""
        assert isinstance(past, EncoderPast)
        return past.to_arrays()

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> EncoderPast:
        """The product's own way of reading one."""
        return _EMPTY.from_arrays(arrays, most_frames)

    def _row(self, given: EncoderInput) -> Floats:
        samples = given.samples[0 if given.past is None else given.left_samples :]
        frames = encoder_frames(len(samples))
        padded = np.zeros(frames * FRAME_SAMPLES, np.float32)
        padded[: len(samples)] = samples[: len(padded)]
        loud = np.abs(padded).reshape(frames, FRAME_SAMPLES).max(axis=1, initial=0)
        return np.stack([loud, loud], axis=1).astype(np.float32)

    def _kept(self, given: EncoderInput, row: Floats) -> EncoderPast:
        past = given.past or _EMPTY
        assert isinstance(past, EncoderPast)
        new = row[None, : given.chunk_samples // FRAME_SAMPLES]
        kept = given.kept_frames or 0
        keys = with_block(past.keys, new, kept)
        return EncoderPast(past.log_mel, past.ahead, keys, keys, past.convolved)


class SmallJoint:
    """A token on each loud frame, the next piece each time."""

    blank_id = len(PIECES) - 1
    durations = (0, 1, 2, 3, 4)
    frames_per_call = 4

    def start(self) -> tuple[Floats, Floats, Floats]:
        """The state is the last token."""
        none = np.zeros((1, 1, 1), np.float32)
        return none[0], none, none

    def advance(
        self, tokens: Sequence[int], hidden: Floats, cell: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Remembers the token of each row."""
        last = np.array(tokens, np.float32)[None, :, None]
        return last[0], last, cell

    def score(self, frames: Floats, output: Floats) -> tuple[Floats, Floats | None]:
        """Logits (B, K, V) and (B, K, 5)."""
        loud = frames[:, :, 0] > 0.01
        last = np.nan_to_num(output[:, :1]).clip(0, self.blank_id)
        following = (last.astype(np.int64) + 1) % self.blank_id
        chosen = np.where(loud, following, self.blank_id)
        tokens = np.eye(len(PIECES), dtype=np.float32)[chosen] * 9
        durations = np.eye(len(self.durations), dtype=np.float32)[np.where(loud, 2, 1)]
        return tokens, durations


def small_recognizer() -> Recognizer:
    """With byte pieces and a past."""
    return recognizer_of(SmallEncoder(), SmallJoint(), Vocabulary(PIECES, len(PIECES) - 1))
