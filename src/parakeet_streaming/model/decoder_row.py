"""One stream's frames and its state in; its emissions, and its states at the chunk's end, out.

Its way through the frames of one call, as `label_looping.py` moves it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parakeet_streaming.ports import Counts, Decoded, DecoderInput, DecoderState, Emission, Floats


@dataclass(frozen=True, slots=True)
class PredictorMemory:
    """The prediction network's state after a stream's last token."""

    output: Floats
    """(1, ...) what the network gave; the joint reads it."""
    hidden: Floats
    """(L, 1, H)"""
    cell: Floats
    """(L, 1, H)"""


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that was named with a stream's biases."""

    token: int
    boosted: bool
    """Whether it stands in place of another one, which a bias that marks tokens has replaced."""
    states: tuple[int, ...]
    """Of the stream's biases after it."""


class DecoderRow:
    """One stream on its way through the frames of one call; frames count from the chunk's first."""

    def __init__(self, frames: object, given: DecoderInput, max_symbols: int) -> None:
        """`frames`: (U, D), or whatever the networks take in their place."""
        state = given.state
        self.frame = state.frames_to_skip
        self.length = given.lookahead_end - given.chunk_start
        self.last_token = state.last_token
        self.memory: Any = state.memory
        """What the networks remember after it; only they read it."""
        self.biases = given.biases
        self.bias_states = state.bias_states or (0,) * len(given.biases)
        self.frames: Any = frames
        self._offset = given.chunk_start
        self._border = given.chunk_end - given.chunk_start
        self._first_frame = state.decoded_frames
        self._max_symbols = max_symbols
        self._emissions: list[Emission] = []
        self._lookahead: list[Emission] = []
        self._tokens_on_frame = 0
        self._last_emitting_frame = -1
        self._at_border: DecoderState | None = None
        self.keep_state_at_border()

    @property
    def live(self) -> bool:
        return self.frame < self.length

    @property
    def at(self) -> int:
        """The present frame, counted from the first of `frames`."""
        return self._offset + self.frame

    def next_frames(self, width: int) -> Floats:
        """At most `width` of the row's next frames (K, D)."""
        start = self._offset + self.frame
        frames: Floats = self.frames[start : start + width]
        return frames

    def pass_blanks(self, tokens: Counts, skips: Counts, blank_id: int) -> int | None:
        """Walks over scored frames (K,); stops on a token and returns its offset, or None."""
        start = self.frame
        while self.frame < self.length and self.frame - start < tokens.shape[0]:
            offset = self.frame - start
            if tokens[offset] != blank_id:
                return offset
            self.frame += max(int(skips[offset]), 1)
            self.keep_state_at_border()
        return None

    def emit(
        self, token_id: int, duration_frames: int, confidence: float, biased: Choice | None = None
    ) -> None:
        """Emits a token on the present frame and moves on by its duration."""
        boosted = False
        if biased is not None:
            boosted, self.bias_states = biased.boosted, biased.states
        frame = self.frame
        self._tokens_on_frame = (
            self._tokens_on_frame + 1 if frame == self._last_emitting_frame else 1
        )
        self._last_emitting_frame = frame
        self.last_token = token_id
        emissions = self._emissions if frame < self._border else self._lookahead
        absolute = self._first_frame + frame
        emissions.append(Emission(token_id, absolute, duration_frames, confidence, boosted=boosted))
        self.frame += duration_frames
        if duration_frames == 0 and self._tokens_on_frame >= self._max_symbols:
            self.frame += 1

    def keep_state_at_border(self) -> None:
        """Keeps the state where the chunk is left; the memory must be that of the last token."""
        if self._at_border is None and self.frame >= self._border:
            self._at_border = DecoderState(
                self.last_token,
                self.frame - self._border,
                self._first_frame + self._border,
                self.memory,
                self.bias_states,
            )

    def result(self) -> Decoded:
        assert self._at_border is not None, "look-ahead does not end before the chunk"
        skipped, decoded = self.frame - self.length, self._first_frame + self.length
        ahead = DecoderState(self.last_token, skipped, decoded, self.memory, self.bias_states)
        return Decoded(tuple(self._emissions), tuple(self._lookahead), self._at_border, ahead)
