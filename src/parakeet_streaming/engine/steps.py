"""Streams and their windows in; what one step makes of each out. Nothing is changed here.

Rules of this file:

1. A step encodes the windows, decodes each chunk from the carried state, then decodes each right
   context from a copy of the state and forgets that state.
2. A row's result is what it would be alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parakeet_streaming.engine.encoding import Due, encode
from parakeet_streaming.engine.stall import Recovered, recover, speech_frames
from parakeet_streaming.engine.stream import StepResult, Stream
from parakeet_streaming.engine.tdt import Confidence, Decoded, DecoderState, decode, initial_state
from parakeet_streaming.engine.window import Window
from parakeet_streaming.ports import DecoderJoint, Encoder, Floats


@dataclass(frozen=True, slots=True)
class Steps:
    """A model and the rules it is decoded by."""

    encoder: Encoder
    decoder_joint: DecoderJoint
    max_symbols: int | None
    confidence: Confidence

    def run(self, due: Due, told: Callable[[], None] | None = None) -> list[StepResult]:
        """What the step makes of each window; changes no stream. `told` is called in the middle."""
        if not due:
            return []
        encoded = encode(self.encoder, due)
        if told is not None:
            told()
        frames, ends = encoded.frames, encoded.ends
        decoded = self._decode(frames, encoded.starts, ends, [stream.state for stream, _ in due])
        mended = [
            self._mended(stream, window, row, now)
            for (stream, window), row, now in zip(due, frames, decoded, strict=True)
        ]
        wanted = [
            int(length) if stream.options.tentative else end
            for (stream, _), length, end in zip(due, encoded.lengths, ends, strict=True)
        ]
        # The right context is decoded from a copy of the state, which is then forgotten.
        ahead = self._decode(frames, ends, wanted, [each.decoded.state for each in mended])
        return [
            StepResult(
                window,
                now.decoded.emissions,
                then.emissions,
                now.decoded.state,
                now.quiet_from,
                past,
            )
            for (_, window), now, then, past in zip(due, mended, ahead, encoded.pasts, strict=True)
        ]

    def _decode(
        self,
        frames: Floats,
        starts: Sequence[int],
        ends: Sequence[int],
        states: Sequence[DecoderState],
    ) -> list[Decoded]:
        """Decodes frames [start, end) of each row of (B, U, D)."""
        lengths = [max(end - start, 0) for start, end in zip(starts, ends, strict=True)]
        aligned = _aligned(frames, starts, max(lengths))
        return decode(
            aligned,
            lengths,
            states,
            self.decoder_joint,
            max_symbols=self.max_symbols,
            confidence=self.confidence,
        )

    def _mended(self, stream: Stream, window: Window, frames: Floats, now: Decoded) -> Recovered:
        """What the stream's stall guard makes of a decoded chunk; itself where there is none."""
        guard = stream.options.stall_guard
        if guard is None:
            return Recovered(now, 0)
        window_frame = stream.state.decoded_frames - window.left_frames

        def redecode(first: int, last: int) -> Decoded:
            fresh = replace(initial_state(self.decoder_joint), decoded_frames=window_frame + first)
            return self._decode(frames[None], [first], [last], [fresh])[0]

        return recover(
            guard,
            now,
            speech_frames(window.samples, guard),
            window_frame=window_frame,
            quiet_from=stream.quiet_from,
            redecode=redecode,
        )


def _aligned(frames: Floats, starts: Sequence[int], longest: int) -> Floats:
    """Rows of (B, U, D) cut so that each begins at its start: (B, longest, D)."""
    if len(starts) == 1:
        return frames[:, starts[0] : starts[0] + longest]
    columns = np.minimum(np.asarray(starts)[:, None] + np.arange(longest), frames.shape[1] - 1)
    cut: Floats = frames[np.arange(len(starts))[:, None], columns]
    return cut
